use haos_queue::Retries;
use haos_store_api::{
    Error, ErrorKind, EventType, Json, Result, Scope, StateEntry, StateKey, StateQuery, StorageAdapter,
    WriteBatch,
};

use super::{MatrixSession, SESSION};

/// A session as it stands in the store, with the very value, for writes that expect it.
pub(crate) struct Stored {
    pub(crate) session: Option<MatrixSession>,
    value: Option<Json>,
}

impl Stored {
    /// # Errors
    /// Those of the store; `Corrupt` if what is there is no session.
    pub(crate) async fn read(store: &dyn StorageAdapter) -> Result<Self> {
        let query = StateQuery::one(Scope::Account, EventType::new(SESSION)?, StateKey::new("")?);
        let value = store.state(query).await?.into_iter().next().map(|entry| entry.value);
        // The reader's own words could quote a token.
        let broken =
            |_| Error::new(ErrorKind::Corrupt, "session", "what is stored is no session: log in again");
        let session = value.as_ref().map(Json::parse).transpose().map_err(broken)?;
        Ok(Self { session, value })
    }

    /// Lets a batch fail where the session is another one by then.
    pub(crate) fn expect(self, batch: &mut WriteBatch) -> Result<()> {
        batch.expect_state(Scope::Account, EventType::new(SESSION)?, StateKey::new("")?, self.value);
        Ok(())
    }
}

impl MatrixSession {
    /// The store's session.
    ///
    /// # Errors
    /// Those of the store; `Corrupt` if what is there cannot be read.
    pub async fn load(store: &dyn StorageAdapter) -> Result<Option<Self>> {
        Ok(Stored::read(store).await?.session)
    }

    /// Makes this the store's session, whatever it was, in a `Strict` commit: after a login.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn save(&self, store: &dyn StorageAdapter) -> Result<()> {
        let mut batch = WriteBatch::strict();
        self.put(&mut batch)?;
        store.apply(batch).await.map(drop)
    }

    /// Takes the tokens out of the store's session, in a `Strict` commit: after a logout. Homeserver, user
    /// and device stay, so that a login can go on on the same device. Nothing happens without a session.
    ///
    /// # Errors
    /// Those of the store; `Corrupt` if the session cannot be read.
    pub async fn forget_tokens(store: &dyn StorageAdapter) -> Result<()> {
        let mut retries = Retries::default();
        loop {
            let stored = Stored::read(store).await?;
            let Some(session) = stored.session.clone().filter(|session| session.tokens.is_some()) else {
                return Ok(());
            };
            let mut batch = WriteBatch::strict();
            stored.expect(&mut batch)?;
            Self { tokens: None, ..session }.put(&mut batch)?;
            if retries.committed(store.apply(batch).await)?.is_some() {
                return Ok(());
            }
        }
    }

    /// Adds the session to a batch.
    pub(crate) fn put(&self, batch: &mut WriteBatch) -> Result<()> {
        batch.put_state(StateEntry {
            scope: Scope::Account,
            kind: EventType::new(SESSION)?,
            key: StateKey::new("")?,
            event_id: None,
            value: Json::of(self)?,
        });
        Ok(())
    }
}
