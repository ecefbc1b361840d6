use std::time::{Duration, Instant};

use haos_matrix::{Client, FetchError, Fill, Server as _, SyncFilter, SyncRequest};
use haos_queue::ConnectionState;
use haos_store_api::{Membership, RoomQuery, StorageAdapterExt as _};
use serde_json::{Value, json};

use super::act::odd;
use super::client::Active;
use super::dump::outbox;
use crate::{Error, Result};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

impl Active {
    pub(super) fn state(&self, client: &Client) -> Value {
        let connection = client.connection().borrow().clone();
        let live = connection == ConnectionState::Live;
        json!({ "connection": format!("{connection:?}"), "live": live })
    }

    fn limit(&self) -> Duration {
        Duration::from_millis(self.plan.limit_ms)
    }

    /// Waits until everything is sent and everything is synced.
    pub(super) async fn settle(&self, client: &Client) -> Result<Value> {
        let began = Instant::now();
        let mut asked = 0;
        loop {
            asked += 1;
            let missing = match self.missing(client, asked).await? {
                None => return Ok(json!({})),
                Some(missing) => missing,
            };
            if began.elapsed() > self.limit() {
                return Err(Error::new("settle", format!("after {} ms: {missing}", self.plan.limit_ms)));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The reason why it is not settled.
    async fn missing(&self, client: &Client, asked: u64) -> Result<Option<String>> {
        let state = client.connection().borrow().clone();
        if state != ConnectionState::Live {
            return Ok(Some(format!("the connection is {state:?}")));
        }
        let mut left = outbox(&**client.store()).await.map_err(odd)?;
        // A row that the server took may wait for its echo, which may be behind a gap.
        left.retain(|row| row.state != "Sent");
        if !left.is_empty() {
            let first = left.first().map(|row| format!("{row:?}")).unwrap_or_default();
            return Ok(Some(format!("{} rows unsent, the first is {first}", left.len())));
        }
        let since = client.store().sync_token().await.map_err(odd)?;
        // A server keeps answers by what was asked, the time to wait included.
        let filter = Some(SyncFilter::default().to_json().as_str().to_owned());
        let request = SyncRequest { since, timeout_ms: asked, filter, quiet: true };
        let Ok(body) = client.homeserver().sync(&request).await else {
            return Ok(Some("the server does not say whether there are news".to_owned()));
        };
        let answer: Value = serde_json::from_slice(&body).map_err(odd)?;
        let news = answer.pointer("/rooms/join").and_then(Value::as_object).map(|rooms| {
            let told = |room: &&Value| {
                room.pointer("/timeline/events").and_then(Value::as_array).is_some_and(|e| !e.is_empty())
            };
            rooms.values().filter(told).count()
        });
        Ok(news.filter(|news| *news > 0).map(|news| format!("{news} rooms have news")))
    }

    /// Fills until no gap is left in any room that is joined.
    pub(super) async fn fill(&self, client: &Client) -> Result<Value> {
        let (began, mut pages) = (Instant::now(), 0_u64);
        loop {
            let mut left = Vec::new();
            let query = RoomQuery { membership: Some(Membership::Join), ..RoomQuery::default() };
            for room in client.store().rooms(query).await.map_err(odd)? {
                let Some(gap) = client.store().gaps(&room.id).await.map_err(odd)?.pop() else { continue };
                match client.engine().fill(&room.id, &gap).await {
                    Ok(Fill::Page { .. }) => {
                        pages += 1;
                        left.push(format!("{}: more", room.id));
                    }
                    Ok(_) => left.push(format!("{}: changed", room.id)),
                    Err(FetchError::Store(e)) => return Err(odd(e)),
                    Err(e) => {
                        left.push(format!("{}: {e}", room.id));
                        tokio::time::sleep(LOOK).await;
                    }
                }
            }
            let Some(first) = left.first() else { return Ok(json!({ "pages": pages })) };
            if began.elapsed() > self.limit() {
                let cause = format!("{} rooms after {} ms, {first}", left.len(), self.plan.limit_ms);
                return Err(Error::new("fill", cause));
            }
        }
    }
}
