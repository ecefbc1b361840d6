//! Messages and gaps.

use std::collections::HashSet;

use super::super::{Inserted, prune, redact, resolve_message};
use super::{Rows, Writer, taken};
use crate::*;

impl<R: Rows + ?Sized> Writer<'_, R> {
    pub(super) fn put_message(&mut self, message: &Message) -> Result<()> {
        let gap_there = self.is_gap(&message.room, message.position)?;
        if gap_there {
            // Only a message that is already stored, elsewhere, may name a gap's position.
            let Some(stored) = self.rows.message(&message.room, &message.id)? else {
                return Err(taken(message.position));
            };
            return self.merge_message(&stored, message, gap_there);
        }
        match self.rows.insert_message(message)? {
            Inserted::Done => self.dirty(&message.room),
            Inserted::Exists(stored) => self.merge_message(&stored, message, gap_there),
            Inserted::Taken => Err(taken(message.position)),
        }
    }

    pub(super) fn merge_message(
        &mut self,
        stored: &Message,
        incoming: &Message,
        gap_there: bool,
    ) -> Result<()> {
        let merged = resolve_message(stored, incoming)?;
        if merged == *stored {
            return Ok(());
        }
        if merged.position != stored.position
            && (gap_there || self.rows.is_taken(&merged.room, merged.position)?)
        {
            return Err(taken(merged.position));
        }
        self.rows.update_message(stored.position, &merged)?;
        self.dirty(&merged.room)
    }

    pub(super) fn remove_message(&mut self, room: &RoomId, event: &EventId) -> Result<()> {
        if let Some(stored) = self.rows.message(room, event)? {
            self.rows.delete_message(room, stored.position)?;
            self.dirty(room)?;
        }
        Ok(())
    }

    pub(super) fn redact(&mut self, request: &Redact) -> Result<()> {
        let Some(stored) = self.rows.message(&request.room, &request.target)? else {
            return Ok(());
        };
        let emptied = redact(&stored, request);
        if emptied != stored {
            self.rows.update_message(stored.position, &emptied)?;
            self.dirty(&request.room)?;
        }
        Ok(())
    }

    pub(super) fn prune(&mut self, request: &Prune) -> Result<()> {
        if request.keep == 0 {
            return Err(Error::invalid(
                "apply",
                "a pruned room keeps at least one message: use remove_room to forget it",
            ));
        }
        let room = &request.room;
        if self.rows.room(room)?.is_none() {
            return Ok(());
        }
        let targets: Vec<EventId> = self
            .rows
            .all_pending()?
            .into_iter()
            .filter(|row| row.room == *room)
            .filter_map(|row| row.target)
            .collect();
        let mut protected = Vec::new();
        for event in request.protect.iter().chain(&targets) {
            protected.extend(self.rows.message(room, event)?.map(|message| message.position));
        }
        let messages = self.rows.positions(room)?;
        let gaps = self.rows.gaps(room)?;
        let keep = usize::try_from(request.keep).unwrap_or(usize::MAX);
        for run in prune(&messages, &gaps, keep, &protected) {
            self.rows.delete_span(room, run.oldest, run.newest)?;
            let gap = Gap { room: room.clone(), position: run.newest, token: run.token, revision: self.next };
            self.rows.write_gap(&gap)?;
            self.dirty(room)?;
        }
        self.touch(room)?.without_gaps = None;
        Ok(())
    }

    pub(super) fn put_gap(&mut self, gap: &Gap) -> Result<()> {
        match self.gap(&gap.room, gap.position)? {
            Some(stored) if stored.token == gap.token => return Ok(()),
            Some(_) => {}
            None if self.rows.is_taken(&gap.room, gap.position)? => return Err(taken(gap.position)),
            None => self.touch(&gap.room)?.without_gaps = None,
        }
        self.rows.write_gap(&Gap { revision: self.next, ..gap.clone() })?;
        self.dirty(&gap.room)
    }

    pub(super) fn remove_gap(&mut self, room: &RoomId, position: Position) -> Result<()> {
        if self.gap(room, position)?.is_none() {
            return Ok(());
        }
        self.rows.delete_gap(room, position)?;
        self.dirty(room)
    }

    pub(super) fn renumber(&mut self, room: &RoomId, moves: &[(Position, Position)]) -> Result<()> {
        let moves: Vec<_> = moves.iter().copied().filter(|(from, to)| from != to).collect();
        let from: HashSet<_> = moves.iter().map(|(from, _)| *from).collect();
        let to: HashSet<_> = moves.iter().map(|(_, to)| *to).collect();
        if from.len() != moves.len() || to.len() != moves.len() {
            return Err(Error::invalid("apply", "a renumbering names a position twice"));
        }
        for position in &from {
            if !self.is_gap(room, *position)? && !self.rows.is_taken(room, *position)? {
                return Err(Error::conflict(format!(
                    "nothing stands at {position}: read the timeline again and plan again"
                )));
            }
        }
        for position in to.difference(&from) {
            if self.is_gap(room, *position)? || self.rows.is_taken(room, *position)? {
                return Err(taken(*position));
            }
        }
        if moves.is_empty() {
            return Ok(());
        }
        self.rows.renumber(room, &moves, self.next)?;
        self.dirty(room)?;
        self.touch(room)?.without_gaps = None;
        Ok(())
    }
}
