use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use haos_e2e::worker::{Dump, Entry};
use serde_json::Value;

use crate::scene::{LIMIT, Scene};

/// The stored timeline, and that of a sync from the stored token, is the true one, in order, with
/// nothing left out but where a gap is, and no gap but where more was missed than a sync brings.
pub(crate) async fn check(scene: &Scene, dump: &Dump, what: &str) {
    // The server keeps answers for a while, by what was asked: the time to wait makes each another question.
    static ASKED: AtomicU64 = AtomicU64::new(1);
    let wait = Duration::from_millis(ASKED.fetch_add(1, Ordering::Relaxed));
    let answer = scene.ada.sync(dump.token.as_deref(), wait).await.unwrap();
    for (room, truth) in &scene.truth {
        let mut line: Vec<Option<&str>> = Vec::new();
        for entry in &dump.rooms[room] {
            match entry {
                Entry::Event { id, provisional, .. } => {
                    assert!(!provisional, "{what}: {entry:?}");
                    line.push(Some(id));
                }
                _ => line.push(None),
            }
        }
        let allowed = scene.left_out(room);
        assert!(dump.gaps(room) <= allowed, "{what}: {room} may have {allowed} gaps: {line:?}");
        if let Some(timeline) = answer.pointer(&format!("/rooms/join/{room}/timeline")) {
            if timeline["limited"] == true {
                line.push(None);
            }
            let events = timeline["events"].as_array().unwrap();
            line.extend(events.iter().map(|event| event.get("event_id").and_then(Value::as_str)));
        }
        if let Err(e) = covers(&line, truth) {
            panic!("{what}: {room}, token {:?}: {e}; {line:?} of {truth:?}", dump.token);
        }
    }
}

/// Everything that happened is stored, and there is no gap.
pub(crate) fn whole(scene: &Scene, dump: &Dump, what: &str) {
    for (room, truth) in &scene.truth {
        assert_eq!(dump.gaps(room), 0, "{what}: {room}");
        let stored: Vec<_> = dump.ids(room).collect();
        assert!(stored == *truth, "{what}: {room}: {stored:?} is not {truth:?}");
    }
    assert_eq!(dump.rows, [], "{what}");
}

/// `None` stands for any number of events, one at least; for none only before as many as a sync brings, of which
/// a server may say that it left something out where it did not.
fn covers(line: &[Option<&str>], truth: &[String]) -> Result<(), String> {
    let (mut next, mut gap) = (0, false);
    for (nth, id) in line.iter().enumerate() {
        let Some(id) = id else {
            gap = true;
            continue;
        };
        let at = truth.iter().skip(next).position(|event| event == id);
        let skipped = at.ok_or_else(|| format!("{id} is there twice, or in the wrong place"))?;
        if skipped > 0 && !gap {
            return Err(format!("{skipped} events before {id} are lost"));
        }
        let brought = line[nth..].iter().take_while(|id| id.is_some()).count();
        if skipped == 0 && gap && brought < LIMIT as usize {
            return Err(format!("the gap before {id} hides nothing"));
        }
        (next, gap) = (next + skipped + 1, false);
    }
    match truth.len() - next {
        0 if !gap => Ok(()),
        left => Err(format!("{left} events at the end are lost")),
    }
}

#[test]
fn what_is_lost_or_invented_is_found() {
    let truth: Vec<_> = ["a", "b", "c", "d"].map(str::to_owned).into();
    let check = |line: &str| {
        let ids: Vec<_> = line.split(' ').map(|id| Some(id).filter(|id| *id != "-")).collect();
        covers(&ids, &truth).is_ok()
    };
    assert!(["a b c d", "a - c d", "- d", "- c d", "a - d"].into_iter().all(check));
    let wrong = ["a c d", "b c d", "a b c", "a b - c d", "a b c d -", "a c b d", "a b b c d", "- a b c d"];
    assert!(!wrong.into_iter().any(check));
}
