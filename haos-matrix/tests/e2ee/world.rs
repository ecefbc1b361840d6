//! What the tests share.

use std::sync::Arc;
use std::time::Duration;

use haos_matrix::{Client, ClientOptions, Credentials, FillOptions, MatrixSession, compose};
use haos_queue::{Lead, TokioHost};
use haos_store_api::{
    EventType, MemoryStore, Message, Page, RoomId, Scope, StateKey, StateQuery, StorageAdapter,
};
use haos_stub::town::Town;
use tokio::task::JoinHandle;

pub(crate) const ROOM: &str = "!room:x";

/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn room() -> RoomId {
    RoomId::new(ROOM).unwrap()
}

/// Somebody with a device.
pub(crate) struct Person {
    pub(crate) client: Client,
    running: JoinHandle<haos_store_api::Result<()>>,
}

pub(crate) fn options() -> ClientOptions {
    let mut options = ClientOptions::default();
    options.sync.retry.base_ms = 20;
    options.sync.poll_ms = 2000;
    options.sync.fill = FillOptions::off();
    options.outbox.retry.base_ms = 20;
    options
}

/// A client of whoever is logged in on the store, or else of this user.
pub(crate) async fn client(town: &Town, name: &str, store: Arc<dyn StorageAdapter>) -> Client {
    let host = Arc::new(TokioHost);
    match Client::resume(store.clone(), host, &options()).await.unwrap() {
        Some(client) => client,
        None => logged_in(town, name, store).await,
    }
}

async fn logged_in(town: &Town, name: &str, store: Arc<dyn StorageAdapter>) -> Client {
    logged_in_with(town, name, store, &options()).await
}

async fn logged_in_with(
    town: &Town,
    name: &str,
    store: Arc<dyn StorageAdapter>,
    options: &ClientOptions,
) -> Client {
    let credentials = Credentials::Password { user: name.to_owned(), password: "secret".to_owned() };
    Client::login(store, Arc::new(TokioHost), &town.url, credentials, None, options).await.unwrap()
}

impl Person {
    pub(crate) async fn on(town: &Town, name: &str, store: Arc<dyn StorageAdapter>) -> Self {
        Self::with(town, name, store, Lead::Alone).await
    }

    pub(crate) async fn with(town: &Town, name: &str, store: Arc<dyn StorageAdapter>, lead: Lead) -> Self {
        let client = client(town, name, store).await;
        let running = tokio::spawn(client.run(lead));
        Self { client, running }
    }

    /// Somebody who logs in with these options.
    pub(crate) async fn logged_in(town: &Town, name: &str, options: &ClientOptions) -> Self {
        let client = logged_in_with(town, name, Arc::new(MemoryStore::new()), options).await;
        let running = tokio::spawn(client.run(Lead::Alone));
        Self { client, running }
    }

    /// Somebody whose device has its keys on the server.
    pub(crate) async fn new(town: &Town, name: &str) -> Self {
        Self::with_keys(town, name, Arc::new(MemoryStore::new())).await
    }

    /// The same on a store that is given.
    pub(crate) async fn with_keys(town: &Town, name: &str, store: Arc<dyn StorageAdapter>) -> Self {
        let person = Self::on(town, name, store).await;
        until("the keys of a device are uploaded", async || town.one_time_keys(name) > 0).await;
        person
    }

    pub(crate) async fn says(&self, text: &str) {
        let outbox = self.client.outbox();
        // Nobody writes in a room that is not there.
        until("the room is known", async || outbox.is_encrypted(&room()).await.unwrap()).await;
        let draft = compose::text(&room(), text).unwrap();
        outbox.enqueue(draft).await.unwrap();
    }

    /// Logs out, and in again on the same store.
    pub(crate) async fn logs_in_again(self, town: &Town, name: &str, store: Arc<dyn StorageAdapter>) -> Self {
        self.client.logout().await.unwrap();
        self.dies().await;
        let client = logged_in(town, name, store).await;
        let running = tokio::spawn(client.run(Lead::Alone));
        Self { client, running }
    }

    /// Hears nothing of the server from now on but answers.
    pub(crate) async fn only_sends(&mut self) {
        self.running.abort();
        let _ = (&mut self.running).await;
        self.running = tokio::spawn(self.client.driver().run(Lead::Alone));
    }

    /// Syncs again.
    pub(crate) fn runs(&mut self) {
        self.running.abort();
        self.running = tokio::spawn(self.client.run(Lead::Alone));
    }

    /// Ends as a process that is killed does.
    pub(crate) async fn dies(mut self) {
        self.running.abort();
        let _ = (&mut self.running).await;
    }

    pub(crate) async fn messages(&self) -> Vec<Message> {
        let slice = self.client.store().timeline(&room(), Page::newest(200)).await.unwrap();
        slice.messages().cloned().collect()
    }

    /// What is read in the room, oldest first.
    pub(crate) async fn reads(&self) -> Vec<String> {
        let messages = self.messages().await;
        messages.iter().filter_map(|message| message.content.text("body")).collect()
    }

    pub(crate) async fn until_reads(&self, wanted: &[&str]) {
        until(&format!("{wanted:?} is read"), async || self.reads().await == wanted).await;
    }

    /// The store knows somebody's membership.
    pub(crate) async fn until_member(&self, user: &str, wanted: &str) {
        let (kind, key) = (EventType::new("m.room.member").unwrap(), StateKey::new(user).unwrap());
        let query = StateQuery::one(Scope::Room(room()), kind, key);
        until(&format!("{user} is {wanted}"), async || {
            let member = self.client.store().state(query.clone()).await.unwrap().pop();
            let content = member.and_then(|member| member.value.member("content"));
            content.is_some_and(|content| content.text("membership").as_deref() == Some(wanted))
        })
        .await;
    }

    /// The user's own messages are on the server, and came back.
    pub(crate) async fn until_sent(&self) {
        until("all is sent", async || self.client.outbox().rows(None).await.unwrap().is_empty()).await;
    }

    pub(crate) async fn session(&self) -> MatrixSession {
        MatrixSession::load(&**self.client.store()).await.unwrap().unwrap()
    }
}

/// A server with an encrypted room, and two people in it.
pub(crate) async fn two() -> (Town, Person, Person) {
    let town = Town::start();
    town.encrypted_room(ROOM, &["ada", "bob"]);
    let (ada, bob) = (Person::new(&town, "ada").await, Person::new(&town, "bob").await);
    (town, ada, bob)
}

impl Drop for Person {
    fn drop(&mut self) {
        self.running.abort();
    }
}

pub(crate) async fn until(what: &str, mut is: impl AsyncFnMut() -> bool) {
    let waits = async {
        while !is().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.unwrap_or_else(|_| panic!("in vain: {what}"));
}
