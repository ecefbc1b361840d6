//! An outbox row of one store in another's outbox.
//!
//! A row is sent by one store at a time. Until it is sure that its former store does not send it, it is held back:
//! parked as [`ParkReason::Restored`], from where [`Outbox::retry`](crate::Outbox::retry) lets it go.

use haos_store_api::{Json, ParkReason, Pending, PendingState};

use crate::clock::Noted;

/// The clocks of two stores: what each holds under [`CLOCK`](crate::CLOCK), in the account's scope.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clocks<'a> {
    /// The clock of the store that a row comes from.
    pub there: Option<&'a Json>,
    /// The clock of the store that takes it over.
    pub here: Option<&'a Json>,
}

/// Makes the row that another store takes over: the same message under the same transaction id, at the end of that
/// outbox.
///
/// The lease stays behind; a row that was being sent may have been sent, so that its sender asks the server first. Its
/// moments become those of the other store's clock. Where nobody can say how old an attempt is, the row forgets its
/// device, and its absence is proven before it is sent again.
#[must_use]
pub fn take_over(row: &Pending, clocks: Clocks<'_>) -> Pending {
    let (there, here) = (Noted::read(clocks.there), Noted::read(clocks.here));
    let shifted = |moment_ms: i64| there.moment_of(&here, moment_ms).unwrap_or(moment_ms);
    let is_dated = row.first_attempt_ms.is_none_or(|first_ms| there.moment_of(&here, first_ms).is_some());
    let was_sending = row.state == PendingState::Sending;
    Pending {
        seq: 0,
        state: if was_sending { PendingState::Queued } else { row.state },
        ambiguous: row.ambiguous || was_sending,
        lease: None,
        first_attempt_ms: row.first_attempt_ms.map(shifted),
        last_attempt_ms: row.last_attempt_ms.map(shifted),
        not_before_ms: if row.not_before_ms > 0 { shifted(row.not_before_ms) } else { row.not_before_ms },
        expires_at_ms: row.expires_at_ms.map(shifted),
        device: row.device.clone().filter(|_| is_dated),
        ..row.clone()
    }
}

/// Holds a row back until somebody lets it go. What the server has accepted is sent by nobody, and stays as it is.
#[must_use]
pub fn hold_back(row: &Pending) -> Pending {
    let state = match row.state {
        PendingState::Sent => PendingState::Sent,
        _ => PendingState::Parked(ParkReason::Restored),
    };
    Pending { state, lease: None, ..row.clone() }
}

/// Lets a row go that was held back: it returns to the state that it had, or waits for its turn. Others stay as they
/// are.
#[must_use]
pub fn let_go(row: &Pending, was: Option<PendingState>) -> Pending {
    let waiting = if row.parent.is_some() { PendingState::Blocked } else { PendingState::Queued };
    let state = match (row.state, was) {
        (PendingState::Parked(ParkReason::Restored), Some(PendingState::Parked(reason))) => {
            PendingState::Parked(reason)
        }
        (PendingState::Parked(ParkReason::Restored), _) => waiting,
        (state, _) => state,
    };
    Pending { state, ..row.clone() }
}

#[cfg(test)]
mod tests {
    use haos_store_api::{EventType, Lease, RoomId, TxnId};

    use super::*;

    fn row(state: PendingState) -> Pending {
        let (room, kind) = (RoomId::new("!r").unwrap(), EventType::new("m.room.message").unwrap());
        let fresh = Pending::new(TxnId::new("t").unwrap(), room, kind, Json::empty(), 5);
        Pending { state, seq: 7, expires_at_ms: Some(900), ..fresh }
    }

    fn tried(state: PendingState) -> Pending {
        Pending {
            first_attempt_ms: Some(100),
            last_attempt_ms: Some(200),
            not_before_ms: 300,
            device: Some("phone".to_owned()),
            ..row(state)
        }
    }

    fn clock(offset_ms: i64, doubt_ms: i64) -> Json {
        Json::new(format!(r#"{{"offset_ms":{offset_ms},"seen_ms":0,"doubt_ms":{doubt_ms}}}"#)).unwrap()
    }

    #[test]
    fn what_was_being_sent_may_have_been_sent() {
        let lease = Some(Lease { owner: "x".to_owned(), until_ms: 9 });
        let sending = Pending { lease, ..tried(PendingState::Sending) };
        let taken = take_over(&sending, Clocks::default());
        assert_eq!((taken.state, taken.ambiguous, taken.lease), (PendingState::Queued, true, None));
        for state in [PendingState::Queued, PendingState::Blocked, PendingState::Sent] {
            let taken = take_over(&row(state), Clocks::default());
            assert_eq!(taken, Pending { seq: 0, ..row(state) });
        }
    }

    #[test]
    fn moments_become_those_of_the_other_clock() {
        let (there, here) = (clock(50, i64::MIN), clock(-20, i64::MIN));
        let clocks = Clocks { there: Some(&there), here: Some(&here) };
        let taken = take_over(&tried(PendingState::Queued), clocks);
        let moments =
            (taken.first_attempt_ms, taken.last_attempt_ms, taken.not_before_ms, taken.expires_at_ms);
        assert_eq!(moments, (Some(30), Some(130), 230, Some(830)));
        assert_eq!((taken.created_ms, taken.device.as_deref()), (5, Some("phone")));
        assert_eq!(take_over(&row(PendingState::Queued), clocks).not_before_ms, 0, "none was named");
    }

    #[test]
    fn an_attempt_of_unknown_age_is_of_no_device() {
        let there = clock(50, 150);
        let clocks = Clocks { there: Some(&there), here: None };
        assert_eq!(take_over(&tried(PendingState::Queued), clocks).device, None);
        let later = Pending { first_attempt_ms: Some(151), ..tried(PendingState::Queued) };
        assert_eq!(take_over(&later, clocks).device.as_deref(), Some("phone"));
    }

    #[test]
    fn what_is_held_back_returns_to_where_it_was() {
        let parent = |row: Pending| Pending { parent: Some(TxnId::new("p").unwrap()), ..row };
        let refused = PendingState::Parked(ParkReason::TooLarge);
        for (row, was) in [
            (row(PendingState::Queued), PendingState::Queued),
            (parent(row(PendingState::Blocked)), PendingState::Blocked),
            (row(refused), refused),
            (parent(row(refused)), refused),
            (row(PendingState::Sent), PendingState::Sent),
        ] {
            let held = hold_back(&row);
            assert_eq!(held.state == PendingState::Parked(ParkReason::Restored), was != PendingState::Sent);
            assert_eq!(let_go(&held, Some(was)), row);
        }
        assert_eq!(let_go(&hold_back(&row(refused)), None).state, PendingState::Queued, "the user decided");
        assert_eq!(let_go(&row(refused), None), row(refused), "it was not held back");
    }
}
