use std::time::Duration;

use futures_util::future::join_all;
use haos_e2e::{Device, Fault, FaultKind, Plain, Proxy, Rule, StoreKind, Synapse, SynapseOptions, hurried};
use haos_matrix::{ClientOptions, compose};
use haos_queue::Enqueued;
use haos_store_api::{Membership, Message, Page, RoomId};
use tokio::sync::OnceCell;

pub(crate) const PASSWORD: &str = "secret";

/// A server for those who let it run and need nothing special of it. It ends with this process.
pub(crate) async fn shared() -> &'static Synapse {
    static SHARED: OnceCell<Synapse> = OnceCell::const_new();
    SHARED.get_or_init(async || Synapse::start(SynapseOptions::default()).await.unwrap()).await
}

/// The same on every store, at the same time.
pub(crate) async fn on_every_store(scenario: impl AsyncFn(StoreKind)) {
    join_all(StoreKind::ALL.map(|kind| scenario(kind))).await;
}

/// A user with a device under test behind a proxy, and a plain device for the truth.
pub(crate) struct Party {
    pub(crate) user: String,
    pub(crate) plain: Plain,
    pub(crate) proxy: Proxy,
    pub(crate) device: Device,
}

impl Party {
    pub(crate) async fn new(synapse: &Synapse, kind: StoreKind, name: &str) -> Self {
        Self::with(synapse, kind, name, hurried()).await
    }

    pub(crate) async fn with(synapse: &Synapse, kind: StoreKind, name: &str, options: ClientOptions) -> Self {
        let user = format!("{name}-{}", kind.name());
        let plain = Plain::register(synapse.address(), &user, PASSWORD).await.unwrap();
        let proxy = Proxy::start(synapse.address()).await.unwrap();
        let device = Device::login(kind, &proxy.url(), &user, PASSWORD, options).await.unwrap();
        Self { user, plain, proxy, device }
    }

    /// A room of the user's own.
    pub(crate) async fn room(&self, name: &str) -> RoomId {
        room(&self.plain, name, &[]).await
    }

    /// Writes a text into the outbox.
    pub(crate) async fn write(&self, room: &RoomId, body: &str) -> Enqueued {
        self.device.client().outbox().enqueue(compose::text(room, body).unwrap()).await.unwrap()
    }

    /// The texts of a room, as the server has them.
    pub(crate) async fn texts(&self, room: &RoomId) -> Vec<String> {
        texts(&self.plain, room).await
    }

    /// From now on requests of this kind are counted, and nothing else happens to any.
    pub(crate) fn count(&self, method: &str, path: &str) {
        self.proxy.set_rules([Rule::new(Fault::Latency(Duration::ZERO)).method(method).path(path)]);
    }

    /// Those that were counted.
    pub(crate) fn counted(&self) -> u64 {
        self.proxy.fired(FaultKind::Latency)
    }

    /// How the store has the user in a room.
    pub(crate) async fn membership(&self, room: &RoomId) -> Option<Membership> {
        self.device.client().store().room(room).await.unwrap().map(|room| room.membership)
    }

    pub(crate) async fn until_membership(&self, room: &RoomId, wanted: Membership) {
        let what = format!("{wanted:?} shows");
        self.device.until(&what, async || self.membership(room).await == Some(wanted)).await.unwrap();
    }

    /// The texts of a room's newest messages, as the store has them.
    pub(crate) async fn stored(&self, room: &RoomId) -> Vec<String> {
        let texts = messages(&self.device, room).await.into_iter();
        texts
            .filter(|message| message.kind.as_str() == "m.room.message")
            .map(|message| text(&message))
            .collect()
    }
}

pub(crate) fn text(message: &Message) -> String {
    message.content.text("body").unwrap_or_default()
}

/// The newest messages of a room, as the store has them, state events included.
pub(crate) async fn messages(device: &Device, room: &RoomId) -> Vec<Message> {
    let slice = device.client().store().timeline(room, Page::newest(1000)).await.unwrap();
    slice.messages().cloned().collect()
}

pub(crate) async fn room(plain: &Plain, name: &str, invite: &[&str]) -> RoomId {
    RoomId::new(plain.create_room(name, invite).await.unwrap()).unwrap()
}

pub(crate) async fn texts(plain: &Plain, room: &RoomId) -> Vec<String> {
    let messages = plain.messages(room.as_str()).await.unwrap();
    messages.iter().map(|message| message.body().unwrap_or("?").to_owned()).collect()
}
