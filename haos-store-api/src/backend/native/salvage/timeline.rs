//! Timelines with holes.

use super::Salvage;
use crate::law::TimelineRows;
use crate::{Gap, Position, Result, RoomId};

/// Follows the messages that are carried over, room by room and in order, and puts a gap where some are missing.
#[derive(Debug, Default)]
pub struct Weaver {
    last: Option<(RoomId, Position)>,
    torn: bool,
}

impl Weaver {
    /// Notes that messages may be missing here.
    pub fn tear(&mut self) {
        self.torn = true;
    }

    /// Goes on to the next message that is carried over.
    ///
    /// # Errors
    /// Those of the rows.
    pub fn message(
        &mut self,
        rows: &mut impl TimelineRows,
        salvage: &mut Salvage,
        room: &RoomId,
        at: Position,
    ) -> Result<()> {
        let before = self.last.take().filter(|(before, _)| before == room).map(|(_, at)| at);
        if std::mem::take(&mut self.torn) {
            put_gap(rows, salvage, room, before, at)?;
            if before.is_none() {
                // The room before may have lost its end.
                salvage.lacks_news();
            }
        }
        self.last = Some((room.clone(), at));
        Ok(())
    }

    /// Ends with the last message of the last room.
    pub fn end(self, salvage: &mut Salvage) {
        if self.torn {
            salvage.lacks_news();
        }
    }
}

/// Puts a gap right before a message, unless what stands before it is next to it.
fn put_gap(
    rows: &mut impl TimelineRows,
    salvage: &Salvage,
    room: &RoomId,
    before: Option<Position>,
    message: Position,
) -> Result<()> {
    let Some(position) = message.older(1).filter(|at| Some(*at) != before) else { return Ok(()) };
    if rows.gaps(room)?.iter().any(|gap| gap.position == position) {
        return Ok(());
    }
    // A gap without a token is filled from the context of the next newer message.
    rows.write_gap(&Gap { room: room.clone(), position, token: None, revision: salvage.revision })
}

/// Puts gaps into a room of which gaps may be lost, between two positions: wherever there was a place for one, since
/// a hole that nobody knows of would never be filled, and one too many costs a question.
///
/// # Errors
/// Those of the rows.
pub fn gaps_where_some_were_lost(
    rows: &mut impl TimelineRows,
    salvage: &Salvage,
    room: &RoomId,
    (oldest, newest): (Position, Position),
) -> Result<()> {
    let gaps: Vec<Position> = rows.gaps(room)?.iter().map(|gap| gap.position).collect();
    let mut before = None;
    for at in rows.positions(room)? {
        let older = gaps.partition_point(|gap| *gap < at).checked_sub(1).map(|nth| gaps[nth]);
        let is_gap_between = older.is_some_and(|gap| before.is_none_or(|before| before < gap));
        if !is_gap_between && oldest < at && before.is_none_or(|before| before < newest) {
            put_gap(rows, salvage, room, before, at)?;
        }
        before = Some(at);
    }
    Ok(())
}
