//! The relations of events, where the room's state decides them.

use super::*;
use crate::{NotRead, RoomState};

/// An event of the kind `begin` redacts the event that the room's state names.
struct ByState;

impl Protocol for ByState {
    fn is_unsettled(&self, event: &Event) -> bool {
        event.kind.as_str() == "begin"
    }

    fn relation(&self, _: &Event, state: &RoomState<'_>) -> std::result::Result<Option<Relation>, NotRead> {
        let target = state.entry("target", "")?.and_then(|target| target.parse::<String>().ok());
        Ok(target.map(|target| Relation { kind: RelationKind::Redaction, target: id(&target), key: None }))
    }
}

fn target(name: &str) -> StateEntry {
    let (scope, kind) = (Scope::Room(room()), kind("target"));
    StateEntry {
        scope,
        kind,
        key: StateKey::new("").unwrap(),
        event_id: None,
        value: Json::of(&name).unwrap(),
    }
}

/// Wherever such an event stands in an answer, and whatever stands beside it, the state of the answer decides, else the
/// stored one.
#[test]
fn an_event_relates_to_what_the_state_says() {
    for beside in ["r!", "x r!", "r! x", "x r! y"] {
        for by_page in [false, true] {
            let store = store("|t a b");
            apply(&store, |batch| {
                batch.put_state(target("a"));
            });
            if by_page {
                now(apply_page(&store, &gap(&store), &page(events(beside), Some("u")), None, &ByState))
                    .unwrap();
            } else {
                now(apply_sync(&store, &delta(events(beside)), None, &ByState)).unwrap();
            }
            assert_eq!(message(&store, "a").redacted_by, Some(id("r")), "{beside} {by_page}");
            assert_eq!(message(&store, "b").redacted_by, None);
        }
        let store = store("a b");
        apply(&store, |batch| {
            batch.put_state(target("a"));
        });
        let mut brought = delta(events(beside));
        brought.rooms[0].state = vec![target("b")];
        now(apply_sync(&store, &brought, None, &ByState)).unwrap();
        assert_eq!(
            (message(&store, "a").redacted_by, message(&store, "b").redacted_by),
            (None, Some(id("r")))
        );
    }
}
