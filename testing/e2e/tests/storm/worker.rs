use haos_e2e::worker::{To, WorkerCommand as C};
use haos_e2e::{StoreKind, Worker, WorkerPlan};

use crate::device::CLIENT;
use crate::scene::{PASSWORD, Scene};

/// The worker itself: each command does what it says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_worker_does_what_it_is_told() {
    let scene = Scene::set(1).await;
    let folder = tempfile::tempdir().unwrap();
    let room = scene.rooms[0].clone();
    let plan = WorkerPlan {
        store: StoreKind::Sqlite.url(folder.path()),
        homeserver: scene.synapse.url(),
        user: "ada".to_owned(),
        password: PASSWORD.to_owned(),
        ..WorkerPlan::default()
    };
    let worker = Worker::start(CLIENT, &plan).await.unwrap();
    assert_eq!(worker.ready().await.unwrap()["resumed"], false);
    let path = folder.path().join("picture.bin").to_string_lossy().into_owned();
    std::fs::write(&path, vec![7; 300_000]).unwrap();
    let to = To::Txn(worker.write(&room, "one").await.unwrap().txn_id);
    let body = || "two".to_owned();
    worker.call(C::React { room: room.clone(), to: to.clone(), body: body() }).await.unwrap();
    worker.call(C::Edit { room: room.clone(), to: to.clone(), body: body() }).await.unwrap();
    worker.call(C::Redact { room: room.clone(), to }).await.unwrap();
    worker.call(C::Clock { offset_ms: 3_600_000 }).await.unwrap();
    let file = C::File { room: room.clone(), path: path.clone(), mime: None, thumbnail: Some(path) };
    worker.call(file).await.unwrap();
    worker.settle().await.unwrap();
    worker.fill().await.unwrap();
    assert_eq!(worker.call(C::State).await.unwrap()["live"], true);
    let history = scene.ada.history(&room).await.unwrap();
    let stored = worker.dump().await.unwrap();
    assert_eq!(
        stored.ids(&room).collect::<Vec<_>>(),
        history.iter().map(|h| &*h.event_id).collect::<Vec<_>>()
    );
    let kinds: Vec<_> = history.iter().rev().take(5).map(|happening| &*happening.kind).collect();
    assert_eq!(
        kinds,
        ["m.room.message", "m.room.redaction", "m.room.message", "m.reaction", "m.room.message"]
    );
    let uri = history.last().unwrap().content["url"].as_str().unwrap().to_owned();
    let media = C::Media { uri, start: Some(10), end: Some(30), into: None };
    let media = worker.call(media).await.unwrap();
    assert_eq!((&media["size"], &media["length"]), (&300_000.into(), &20.into()));
    assert_eq!(worker.rows().await.unwrap(), []);
    worker.stop().await.unwrap();
}
