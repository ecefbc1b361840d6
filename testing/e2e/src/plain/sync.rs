use std::time::Duration;

use serde_json::Value;

use super::Plain;
use super::account::CLIENT;
use super::request::Ask;
use crate::Result;

impl Plain {
    /// One sync as the server gives it: since `since` or from nothing, waiting up to `wait` for something
    /// to happen. The same question again within two minutes gets Synapse's first answer again.
    ///
    /// # Errors
    /// No answer, or the server refuses.
    pub async fn sync(&self, since: Option<&str>, wait: Duration) -> Result<Value> {
        let wait_ms = wait.as_millis().to_string();
        let mut ask = Ask::new("GET", CLIENT, &["sync"]).token(&self.access_token).query("timeout", &wait_ms);
        if let Some(since) = since {
            ask = ask.query("since", since);
        }
        ask.patient(wait).send(self.address).await?.json()
    }
}
