use std::net::SocketAddr;

use serde_json::{Value, json};

use super::Plain;
use super::request::Ask;
use crate::{Error, Result};

pub(super) const CLIENT: &str = "/_matrix/client/v3";

impl Plain {
    /// A new user, named without the server's name, with a first device.
    ///
    /// # Errors
    /// No answer, or the server refuses: the name is taken, or registration is not open.
    pub async fn register(address: SocketAddr, name: &str, password: &str) -> Result<Self> {
        let body = json!({ "username": name, "password": password, "auth": { "type": "m.login.dummy" } });
        Self::enter(address, Ask::new("POST", CLIENT, &["register"]).json(&body)).await
    }

    /// A session of a user that exists: on `device`, which loses its earlier session, or on a new one.
    ///
    /// # Errors
    /// No answer, or the server refuses.
    pub async fn login(
        address: SocketAddr,
        name: &str,
        password: &str,
        device: Option<&str>,
    ) -> Result<Self> {
        let mut body = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": name },
            "password": password,
        });
        if let Some(device) = device {
            body["device_id"] = device.into();
        }
        Self::enter(address, Ask::new("POST", CLIENT, &["login"]).json(&body)).await
    }

    async fn enter(address: SocketAddr, ask: Ask<'_>) -> Result<Self> {
        Self::restore(address, &ask.send(address).await?.json()?)
    }

    /// The session of a login's answer that somebody else received.
    ///
    /// # Errors
    /// The answer lacks `user_id`, `device_id` or `access_token`.
    pub fn restore(address: SocketAddr, answer: &Value) -> Result<Self> {
        let text = |key: &str| {
            let text = answer.get(key).and_then(Value::as_str).map(str::to_owned);
            text.ok_or_else(|| Error::new("login", format!("the answer has no {key}")))
        };
        let (user_id, device_id) = (text("user_id")?, text("device_id")?);
        Ok(Self { address, user_id, device_id, access_token: text("access_token")? })
    }

    /// Ends this session; the device is gone.
    ///
    /// # Errors
    /// No answer, or the server refuses.
    pub async fn logout(&self) -> Result<()> {
        self.call("POST", &["logout"], &json!({})).await.map(drop)
    }

    /// Any request under `/_matrix/client/v3`, as this device; `parts` of the path are encoded.
    ///
    /// # Errors
    /// No answer, one that is no JSON, or the server refuses.
    pub async fn call(&self, method: &'static str, parts: &[&str], body: &Value) -> Result<Value> {
        let ask = Ask::new(method, CLIENT, parts).token(&self.access_token);
        let ask = if method == "GET" { ask } else { ask.json(body) };
        ask.send(self.address).await?.json()
    }
}
