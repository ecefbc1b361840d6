use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;
use haos_e2e::worker::WorkerCommand;
use haos_e2e::{Device, Fault, FaultKind, Plain, Proxy, Rule, StoreKind, Worker, WorkerPlan, hurried, until};
use haos_matrix::MediaRequest;
use haos_store_api::MediaUri;
use serde_json::Value;

use super::world::{PASSWORD, bytes, count_downloads, downloads, shared};

const CLIENT: &str = env!("CARGO_BIN_EXE_haos-e2e-client");
/// The upload itself; asking for its place is a POST elsewhere.
const UPLOAD: &str = "/_matrix/media/v3/upload/*";
/// Longer than any test waits: what meets it is still under way when the process is killed.
const LONG: Duration = Duration::from_secs(300);

fn file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A process on the store, killed once `fault` has befallen something.
async fn killed_by(plan: &WorkerPlan, proxy: &Proxy, fault: FaultKind) {
    let before = proxy.fired(fault);
    let worker = Worker::start(CLIENT, plan).await.unwrap();
    worker.ready().await.unwrap();
    until("the upload is under way", async || proxy.fired(fault) > before).await.unwrap();
    worker.kill().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_file_queued_offline_and_killed_on_its_way_arrives_once() {
    join_all(StoreKind::ALL.map(arrives_once)).await;
}

async fn arrives_once(kind: StoreKind) {
    let synapse = shared().await;
    let user = format!("sender-{}", kind.name());
    let plain = Plain::register(synapse.address(), &user, PASSWORD).await.unwrap();
    let room = plain.create_room("Gallery", &[]).await.unwrap();
    let proxy = Proxy::start(synapse.address()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [picture, small] = [bytes(5 << 20, 5), bytes(40_000, 7)];
    let path = file(folder.path(), "picture.png", &picture);
    let thumbnail = file(folder.path(), "small.png", &small);
    let plan = WorkerPlan {
        store: kind.url(folder.path()),
        key_hex: kind.key_hex(),
        homeserver: proxy.url(),
        user,
        password: PASSWORD.to_owned(),
        request_ms: 20_000,
        ..WorkerPlan::default()
    };

    // Queued offline; the file itself is gone afterwards, as a picked one may be.
    let worker = Worker::start(CLIENT, &plan).await.unwrap();
    worker.ready().await.unwrap();
    worker.settle().await.unwrap();
    proxy.offline(true).await.unwrap();
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let send = WorkerCommand::File {
        room: room.clone(),
        path: text(&path),
        mime: Some("image/png".to_owned()),
        thumbnail: Some(text(&thumbnail)),
    };
    worker.call(send).await.unwrap();
    worker.kill().await.unwrap();
    std::fs::remove_file(path).unwrap();
    std::fs::remove_file(thumbnail).unwrap();

    // The thumbnail arrives; the file stands still on its way.
    let put = |fault| Rule::new(fault).method("PUT").path(UPLOAD);
    proxy.set_rules([put(Fault::Latency(LONG)).every(2)]);
    proxy.offline(false).await.unwrap();
    killed_by(&plan, &proxy, FaultKind::Latency).await;
    // The file arrives; nobody hears of it.
    proxy.set_rules([put(Fault::HangAfter { at_most: LONG })]);
    killed_by(&plan, &proxy, FaultKind::HangAfter).await;
    assert_eq!(plain.messages(&room).await.unwrap(), []);

    // A file that is there is not uploaded again.
    proxy.set_rules([put(Fault::Latency(Duration::ZERO))]);
    let before = proxy.fired(FaultKind::Latency);
    let worker = Worker::start(CLIENT, &plan).await.unwrap();
    worker.ready().await.unwrap();
    worker.settle().await.unwrap();
    assert_eq!(proxy.fired(FaultKind::Latency) - before, 0, "{}: uploaded again", kind.name());
    let messages = plain.messages(&room).await.unwrap();
    assert_eq!(messages.len(), 1, "{}", kind.name());
    let content = &messages[0].content;
    assert_eq!((&content["msgtype"], &content["body"]), (&"m.image".into(), &"picture.png".into()));
    assert_eq!(
        (&content["info"]["size"], &content["info"]["mimetype"]),
        (&picture.len().into(), &"image/png".into())
    );
    let uri = |value: &Value| value.as_str().unwrap().to_owned();
    assert!(plain.download(&uri(&content["url"])).await.unwrap() == picture, "{}", kind.name());
    assert!(plain.download(&uri(&content["info"]["thumbnail_url"])).await.unwrap() == small);

    // Another device of the same user shows it, and asks for it once.
    let there = Proxy::start(synapse.address()).await.unwrap();
    count_downloads(&there);
    let other = Device::login(kind, &there.url(), &plan.user, PASSWORD, hurried()).await.unwrap();
    let request = MediaRequest::new(MediaUri::new(uri(&content["url"])).unwrap());
    for _ in 0..2 {
        assert!(other.client().media().get(&request).await.unwrap().bytes == picture, "{}", kind.name());
    }
    assert_eq!(downloads(&there), 1);

    // The bytes that were sent are the bytes that are shown: nothing is downloaded.
    proxy.offline(true).await.unwrap();
    let into = folder.path().join("again.png");
    let read =
        WorkerCommand::Media { uri: uri(&content["url"]), start: None, end: None, into: Some(text(&into)) };
    assert_eq!(worker.call(read).await.unwrap()["stored"], true);
    assert!(std::fs::read(into).unwrap() == picture);
    worker.stop().await.unwrap();
}
