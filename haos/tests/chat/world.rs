//! What the tests share.

use std::sync::Arc;
use std::time::Duration;

use haos::{Chat, Connection, Credentials, Live, Membership, Opening, RoomId};
use haos_queue::PlainProtocol;
use haos_store_api::{Room, WriteBatch};
use haos_stub::Stub;

use haos_stub::server::{ROOM, Server};

/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder with a store in it.
pub(crate) struct World {
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.path("chat.db").display())
    }
}

pub(crate) fn lobby() -> RoomId {
    RoomId::new(ROOM).unwrap()
}

/// A chat over a transport within the process.
pub(crate) fn over(url: &str, stub: &Stub) -> Opening {
    Chat::open(url).transport(Arc::new(stub.clone()), Arc::new(PlainProtocol), Stub::session())
}

/// A chat in memory of somebody who has just logged in.
pub(crate) async fn logged_in(server: &Server) -> Chat {
    let chat = Chat::open("memory:").await.unwrap();
    chat.login(&server.url, password()).await.unwrap();
    chat
}

pub(crate) fn password() -> Credentials {
    Credentials::password("me", "secret")
}

/// Makes a room known to a store that no server fills.
pub(crate) async fn known(chat: &Chat, room: &RoomId) {
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(room.clone(), Membership::Join));
    chat.store().apply(batch).await.unwrap();
}

/// Waits until a value is as it is wanted.
pub(crate) async fn until<T: Clone + PartialEq + std::fmt::Debug>(
    mut live: Live<T>,
    wanted: impl Fn(&T) -> bool,
) -> T {
    let mut last = None;
    let found = async {
        while let Some(value) = live.next().await.unwrap() {
            if wanted(&value) {
                return value;
            }
            last = Some(value);
        }
        panic!("it ended")
    };
    match tokio::time::timeout(PATIENCE, found).await {
        Ok(value) => value,
        Err(_) => panic!("it stayed at {last:?}"),
    }
}

pub(crate) async fn connected(chat: &Chat) {
    until(chat.connection(), |now| now.connection == Connection::Live).await;
}

/// Waits until nothing is unsent.
pub(crate) async fn sent(chat: &Chat) {
    until(chat.connection(), |now| now.unsent == 0).await;
}

/// Waits for what nothing tells of.
pub(crate) async fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waited).await.is_ok(), "{what}");
}
