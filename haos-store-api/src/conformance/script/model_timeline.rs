//! The model's timeline.

use super::model::Model;
use crate::*;

/// Returns the rest of an emptied message's relation: edits, reactions and redactions stay known as such.
fn emptied(relation: Relation) -> Option<Relation> {
    use RelationKind::*;
    match relation.kind {
        Edit | Reaction | Redaction | Ignored => Some(Relation { key: None, ..relation }),
        _ => None,
    }
}

impl Model {
    fn message_mut(&mut self, room: &RoomId, event: &EventId) -> Option<&mut Message> {
        self.messages.iter_mut().find(|message| message.room == *room && message.id == *event)
    }

    pub(super) fn put_message(&mut self, incoming: &Message) -> Result<bool, ErrorKind> {
        self.known(&incoming.room)?;
        let free = self.is_free(&incoming.room, incoming.position);
        let Some(stored) = self.message_mut(&incoming.room, &incoming.id) else {
            if !free {
                return Err(ErrorKind::Conflict);
            }
            self.messages.push(incoming.clone());
            return Ok(self.touch(&incoming.room));
        };
        // Only a confirmation moves a message.
        let confirmed = stored.provisional && !incoming.provisional;
        let position = if confirmed { incoming.position } else { stored.position };
        let txn_id = stored.txn_id.clone().or(incoming.txn_id.clone());
        let provisional = stored.provisional && incoming.provisional;
        // An emptied message stays empty; a confirmed one is known better than a guess.
        let base = if stored.redacted_by.is_some() || (incoming.provisional && !stored.provisional) {
            &*stored
        } else {
            incoming
        };
        let mut merged = Message { position, txn_id, provisional, ..base.clone() };
        if merged.redacted_by.is_some() && merged.relation.is_none() {
            merged.relation = stored.relation.clone().and_then(emptied);
        }
        if merged == *stored {
            return Ok(false);
        }
        if merged.position != stored.position && !free {
            return Err(ErrorKind::Conflict);
        }
        *stored = merged;
        Ok(self.touch(&incoming.room))
    }

    pub(super) fn remove_message(&mut self, room: &RoomId, event: &EventId) -> bool {
        let before = self.messages.len();
        self.messages.retain(|message| message.room != *room || message.id != *event);
        self.messages.len() != before && self.touch(room)
    }

    pub(super) fn redact(&mut self, redact: &Redact) -> bool {
        match self.message_mut(&redact.room, &redact.target) {
            Some(message) if message.redacted_by.is_none() => {
                message.content = redact.content.clone();
                message.redacted_by = Some(redact.by.clone());
                message.relation = message.relation.take().and_then(emptied);
                message.extra = None;
                self.touch(&redact.room)
            }
            _ => false,
        }
    }

    pub(super) fn prune(&mut self, prune: &Prune) -> Result<bool, ErrorKind> {
        if prune.keep == 0 {
            return Err(ErrorKind::Invalid);
        }
        let room = &prune.room;
        let items = self.timeline(room);
        let messages = items.iter().filter(|item| item.as_message().is_some()).count();
        let mut surplus = messages.saturating_sub(usize::try_from(prune.keep).unwrap_or(usize::MAX));
        let mut changed = false;
        let mut run: Vec<Item> = Vec::new();
        for item in items {
            let stays = match &item {
                Item::Gap(_) => false,
                Item::Message(_) if surplus == 0 => break,
                Item::Message(message) => {
                    surplus -= 1;
                    prune.protect.contains(&message.id)
                        || self
                            .pending
                            .iter()
                            .any(|row| row.room == *room && row.target.as_ref() == Some(&message.id))
                }
            };
            if stays {
                changed |= self.forget(room, std::mem::take(&mut run));
            } else {
                run.push(item);
            }
        }
        // The run goes up to the first message that is kept, gaps before it included.
        Ok(self.forget(room, run) || changed)
    }

    /// Puts one gap in the place of a run that has messages in it.
    fn forget(&mut self, room: &RoomId, run: Vec<Item>) -> bool {
        let Some(last) = run.last().filter(|_| run.iter().any(|item| item.as_message().is_some())) else {
            return false;
        };
        let token = last.as_gap().and_then(|gap| gap.token.clone());
        let places: Vec<Position> = run.iter().map(Item::position).collect();
        self.messages.retain(|message| message.room != *room || !places.contains(&message.position));
        self.gaps.retain(|gap| gap.room != *room || !places.contains(&gap.position));
        self.gaps.push(Gap { room: room.clone(), position: last.position(), token, revision: self.revision });
        self.touch(room)
    }

    pub(super) fn put_gap(&mut self, incoming: &Gap) -> Result<bool, ErrorKind> {
        let room = &incoming.room;
        self.known(room)?;
        let gap = Gap { revision: self.revision, ..incoming.clone() };
        let free = self.is_free(room, gap.position);
        match self.gaps.iter_mut().find(|old| old.room == *room && old.position == gap.position) {
            Some(stored) if stored.token == gap.token => return Ok(false),
            Some(stored) => *stored = gap,
            None if !free => return Err(ErrorKind::Conflict),
            None => self.gaps.push(gap),
        }
        Ok(self.touch(room))
    }

    pub(super) fn remove_gap(&mut self, room: &RoomId, position: Position) -> bool {
        let before = self.gaps.len();
        self.gaps.retain(|gap| gap.room != *room || gap.position != position);
        self.gaps.len() != before && self.touch(room)
    }

    pub(super) fn renumber(
        &mut self,
        room: &RoomId,
        moves: &[(Position, Position)],
    ) -> Result<bool, ErrorKind> {
        let moves: Vec<_> = moves.iter().filter(|(from, to)| from != to).copied().collect();
        for (n, (from, to)) in moves.iter().enumerate() {
            if moves[..n].iter().any(|(other_from, other_to)| other_from == from || other_to == to) {
                return Err(ErrorKind::Invalid);
            }
        }
        if moves.is_empty() {
            return Ok(false);
        }
        self.known(room)?;
        let leaves = |position: Position| moves.iter().any(|(from, _)| *from == position);
        for (from, to) in &moves {
            if self.is_free(room, *from) || (!self.is_free(room, *to) && !leaves(*to)) {
                return Err(ErrorKind::Conflict);
            }
        }
        let target = |position: Position| moves.iter().find(|(from, _)| *from == position).map(|(_, to)| *to);
        for message in self.messages.iter_mut().filter(|message| message.room == *room) {
            message.position = target(message.position).unwrap_or(message.position);
        }
        for gap in self.gaps.iter_mut().filter(|gap| gap.room == *room) {
            if let Some(to) = target(gap.position) {
                gap.position = to;
                gap.revision = self.revision;
            }
        }
        Ok(self.touch(room))
    }
}
