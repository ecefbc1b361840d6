use std::path::{Path, PathBuf};

use haos_e2e::{Worker, WorkerPlan, until};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::world::{PASSWORD, path, shared};

/// The path of the program that is the peer, instead of node's.
const PROGRAM: &str = "HAOS_PEER";

/// Somebody with a client of another project: matrix-js-sdk in `js/test/peer.mjs`, or what `HAOS_PEER` names, as
/// matrix-sdk in `benches/rivals/peer`.
pub(crate) struct Peer {
    worker: Worker,
    user: String,
    // Last, so that the process is ended before its store goes.
    _folder: TempDir,
}

/// An event as the peer reads it.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) event: String,
    pub(crate) sender: String,
    /// Its type as the server has it.
    pub(crate) wire_kind: String,
    /// Its type, decrypted.
    pub(crate) kind: String,
    pub(crate) body: Option<String>,
    pub(crate) content: Value,
    /// What it relates to, as the server sees it.
    pub(crate) relation: Value,
    /// Why it could not be decrypted.
    pub(crate) failure: Option<String>,
}

impl Peer {
    /// A new device of a user.
    pub(crate) async fn login(user: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plan = WorkerPlan {
            store: path(folder.path()),
            homeserver: shared().await.url(),
            user: user.to_owned(),
            password: PASSWORD.to_owned(),
            device_name: "peer".to_owned(),
            ..WorkerPlan::default()
        };
        let worker = Worker::run(program(), &plan).await.unwrap();
        let ready = worker.ready().await.unwrap();
        Self { worker, user: ready["user"].as_str().unwrap().to_owned(), _folder: folder }
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    async fn call(&self, command: Value) -> Value {
        let done = self.worker.call(&command).await;
        done.unwrap_or_else(|e| panic!("{}: {command}: {e}", self.user))
    }

    /// An event is sent by this command; its id.
    async fn sends(&self, command: Value) -> String {
        self.call(command).await["event"].as_str().unwrap().to_owned()
    }

    /// An encrypted room.
    pub(crate) async fn create(&self, invite: &[&str]) -> String {
        let made = self.call(json!({ "do": "create", "name": "Harbour", "invite": invite })).await;
        made["room"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn invites(&self, room: &str, user: &str) {
        self.call(json!({ "do": "invite", "room": room, "user": user })).await;
    }

    pub(crate) async fn joins(&self, room: &str) {
        self.call(json!({ "do": "join", "room": room })).await;
    }

    pub(crate) async fn leaves(&self, room: &str) {
        self.call(json!({ "do": "leave", "room": room })).await;
    }

    pub(crate) async fn sees_member(&self, room: &str, user: &str, membership: &str) {
        self.call(json!({ "do": "member", "room": room, "user": user, "membership": membership })).await;
    }

    /// Waits until the server has the keys of a device.
    pub(crate) async fn knows_device(&self, user: &str, device: &str) {
        self.call(json!({ "do": "device", "user": user, "device": device })).await;
    }

    pub(crate) async fn says(&self, room: &str, body: &str) -> String {
        self.sends(json!({ "do": "text", "room": room, "body": body })).await
    }

    pub(crate) async fn edits(&self, room: &str, event: &str, body: &str) -> String {
        self.sends(json!({ "do": "edit", "room": room, "event": event, "body": body })).await
    }

    pub(crate) async fn answers(&self, room: &str, event: &str, body: &str) -> String {
        self.sends(json!({ "do": "reply", "room": room, "event": event, "body": body })).await
    }

    pub(crate) async fn reacts(&self, room: &str, event: &str, key: &str) -> String {
        self.sends(json!({ "do": "react", "room": room, "event": event, "key": key })).await
    }

    pub(crate) async fn redacts(&self, room: &str, event: &str) -> String {
        self.sends(json!({ "do": "redact", "room": room, "event": event })).await
    }

    /// Sends a picture with a thumbnail.
    pub(crate) async fn sends_file(
        &self,
        room: &str,
        name: &str,
        (file, thumbnail): (&Path, &Path),
    ) -> String {
        let (file, thumbnail) = (path(file), path(thumbnail));
        let command = json!({
            "do": "file", "room": room, "path": file, "name": name, "mime": "image/png", "thumbnail": thumbnail,
        });
        self.sends(command).await
    }

    /// Fetches and decrypts the file of an event, and its thumbnail.
    pub(crate) async fn fetches(&self, room: &str, event: &str, folder: &Path) -> [Vec<u8>; 2] {
        let [file, small]: [PathBuf; 2] = ["fetched", "fetched.small"].map(|name| folder.join(name));
        let command = json!({
            "do": "fetch", "room": room, "event": event, "into": path(&file), "into_thumbnail": path(&small),
        });
        self.call(command).await;
        [file, small].map(|path| std::fs::read(path).unwrap())
    }

    /// Fetches and decrypts a file by what an event says of it.
    pub(crate) async fn decrypts(&self, file: &Value, folder: &Path) -> Vec<u8> {
        let into = folder.join("decrypted");
        self.call(json!({ "do": "decrypt", "file": file, "into": path(&into) })).await;
        std::fs::read(into).unwrap()
    }

    /// All that it reads in a room, oldest first.
    pub(crate) async fn reads(&self, room: &str) -> Vec<Read> {
        let done = self.call(json!({ "do": "read", "room": room })).await;
        done["events"].as_array().unwrap().iter().map(Read::of).collect()
    }

    /// The encrypted messages of a room that it can read.
    pub(crate) async fn messages(&self, room: &str) -> Vec<Read> {
        let mut all = self.reads(room).await;
        all.retain(|read| read.wire_kind == "m.room.encrypted" && read.failure.is_none());
        all
    }

    /// The texts of them.
    pub(crate) async fn bodies(&self, room: &str) -> Vec<String> {
        self.messages(room).await.into_iter().filter_map(|read| read.body).collect()
    }

    /// Waits until it can read a message with this text.
    pub(crate) async fn until_reads(&self, room: &str, body: &str) -> Read {
        let mut found = None;
        let what = format!("{} reads {body:?}", self.user);
        let looked = until(&what, async || {
            found = self.messages(room).await.into_iter().find(|read| read.body.as_deref() == Some(body));
            found.is_some()
        });
        if let Err(e) = looked.await {
            panic!("{e}: {:#?}", self.reads(room).await);
        }
        found.unwrap()
    }

    /// Waits until it has an event.
    pub(crate) async fn until_has(&self, room: &str, what: &str, is: impl Fn(&Read) -> bool) -> Read {
        let mut found = None;
        until(&format!("{} has {what}", self.user), async || {
            found = self.reads(room).await.into_iter().find(&is);
            found.is_some()
        })
        .await
        .unwrap();
        found.unwrap()
    }
}

fn program() -> Command {
    if let Some(program) = std::env::var_os(PROGRAM).filter(|program| !program.is_empty()) {
        return Command::new(program);
    }
    let mut node = Command::new("node");
    node.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../js/test/peer.mjs"));
    node
}

impl Read {
    fn of(read: &Value) -> Self {
        let text = |name: &str| read[name].as_str().map(str::to_owned);
        Self {
            event: text("event").unwrap(),
            sender: text("sender").unwrap(),
            wire_kind: text("wire_type").unwrap(),
            kind: text("type").unwrap(),
            body: text("body"),
            content: read["content"].clone(),
            relation: read["relation"].clone(),
            failure: text("failure"),
        }
    }
}
