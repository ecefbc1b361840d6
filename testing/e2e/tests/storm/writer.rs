use std::sync::Arc;
use std::time::Duration;

use haos_e2e::worker::{To, WorkerCommand};

use crate::chance::Chance;
use crate::device::{Device, Line};

/// Writers of a device, each in rooms of its own, and so the writes under way when it is killed.
pub(crate) const WRITERS: usize = 3;
/// Rows in an outbox, from which on nothing more is written.
const MOST_UNSENT: usize = 40;
const LOOK: Duration = Duration::from_millis(50);

/// Writes until `share` messages were taken.
pub(crate) async fn write(
    device: Arc<Device>,
    rooms: Arc<Vec<String>>,
    writer: usize,
    share: usize,
    seed: u64,
) {
    let mut chance = Chance::new(seed, writer as u64 + 1);
    let mine: Vec<usize> = (0..rooms.len()).filter(|room| room % WRITERS == writer).collect();
    let (mut taken, mut given) = (0, 0);
    while taken < share {
        let worker = device.worker();
        match worker.rows().await {
            Ok(rows) if rows.iter().filter(|row| row.state != "Sent").count() > MOST_UNSENT => {
                tokio::time::sleep(LOOK).await;
                continue;
            }
            Ok(_) => {}
            Err(_) => {
                device.another(&worker).await;
                continue;
            }
        }
        let number = mine[chance.below(mine.len())];
        let body = format!("{} {writer}:{given}", device.name);
        given += 1;
        let room = rooms[number].clone();
        let earlier = device.books[number].lock().unwrap().iter().rev().find_map(|line| line.taken.clone());
        let command = match earlier {
            // An answer to an own message, which may be unsent, on its way, or there.
            Some(txn) if chance.below(10) == 0 => {
                WorkerCommand::Reply { room, to: To::Txn(txn), body: body.clone() }
            }
            _ => WorkerCommand::Write { room, body: body.clone() },
        };
        let answer = worker.call(command).await;
        let txn_id = answer.as_ref().ok().map(|done| done["txn_id"].as_str().unwrap().to_owned());
        taken += usize::from(txn_id.is_some());
        device.books[number].lock().unwrap().push(Line { body, taken: txn_id });
        if let Err(e) = answer {
            assert!(
                e.to_string().contains("ended") || e.to_string().contains("pipe"),
                "{}: {e}",
                device.name
            );
            device.another(&worker).await;
        }
    }
}
