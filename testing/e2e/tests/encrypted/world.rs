use std::path::Path;

use haos_e2e::{Plain, StoreKind, Synapse, SynapseOptions};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::own::Own;
use crate::peer::Peer;

pub(crate) const PASSWORD: &str = "secret";

/// The server of all these tests. It ends with this process.
pub(crate) async fn shared() -> &'static Synapse {
    static SHARED: OnceCell<Synapse> = OnceCell::const_new();
    SHARED.get_or_init(async || Synapse::start(SynapseOptions::default()).await.unwrap()).await
}

/// Two people in an encrypted room that the peer made: ours and the peer's.
pub(crate) struct Scene {
    pub(crate) own: Own,
    pub(crate) peer: Peer,
    pub(crate) room: String,
    /// For files.
    pub(crate) folder: TempDir,
}

impl Scene {
    /// The users are named after the test.
    pub(crate) async fn set(test: &str, kind: StoreKind) -> Self {
        let (ours, theirs) = (format!("{test}-ours"), format!("{test}-peer"));
        register(&ours).await;
        register(&theirs).await;
        let (own, peer) = tokio::join!(Own::login(&ours, kind), Peer::login(&theirs));
        peer.knows_device(own.user(), own.device()).await;
        let room = peer.create(&[own.user()]).await;
        own.enters(&room).await;
        peer.sees_member(&room, own.user(), "join").await;
        Self { own, peer, room, folder: tempfile::tempdir().unwrap() }
    }
}

pub(crate) async fn register(name: &str) -> Plain {
    Plain::register(shared().await.address(), name, PASSWORD).await.unwrap()
}

/// Bytes of which no part is like another.
pub(crate) fn bytes(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(size).collect()
}

pub(crate) fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
