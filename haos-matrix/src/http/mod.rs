//! A homeserver over HTTP: natively through rustls, in a browser through fetch.

mod agent;
mod answer;
mod base;
mod body;
mod discovery;
mod download;
mod exchange;
mod features;
mod login;
mod mxc;
mod options;
mod pace;
mod path;
mod reads;
mod renew;
mod request;
mod retry_after;
mod rooms;
mod tokens;
mod transport;
mod upload;

use std::fmt;
use std::sync::{Arc, Mutex};

use haos_queue::{Answer, Refusal, SharedHost};
use haos_store_api::{Json, StorageAdapter};
use tracing::debug;

use self::agent::Agent;
use self::answer::refused_token;
use self::base::Base;
pub use self::base::{ConnectError, is_cleartext_url};
use self::exchange::Response;
use self::features::Features;
pub use self::login::{Credentials, Login, WhoAmI};
pub use self::options::HttpOptions;
use self::renew::Why;
use self::request::Request;
use self::tokens::HeldSession;
use crate::parse::decoded::decoded;
use crate::{MatrixSession, Reply};

/// A homeserver, and the session on it: one implementation of [`Transport`](haos_queue::Transport) for the
/// outbox and of [`Server`](crate::Server) for everything that reads.
///
/// One call is one request, never tried again, with two exceptions, where a request was refused for its access
/// token and surely not processed: if the token has expired, it goes out once more with a new one; if the session
/// is refused, it goes out again a moment later, twice at most ([`HttpOptions::doubt_ms`]), and the last answer
/// counts. New tokens are in the store before they are used. A session that another context renewed, or that a
/// new login on the same device stored, is taken up by itself.
///
/// No token is ever shown, logged or put into a url.
pub struct Homeserver {
    base: Base,
    agent: Agent,
    host: SharedHost,
    options: HttpOptions,
    held_session: Option<HeldSession>,
    /// The server's features, and when it told them.
    features: Mutex<Option<(i64, Arc<Features>)>>,
}

impl Homeserver {
    /// A homeserver that nobody is logged in on, for [`Homeserver::login`]. Makes no request yet. `url`: its
    /// base url; [`Homeserver::discover`] finds it for a server name.
    ///
    /// # Errors
    /// If the url is no base url, or if the system has no certificates to trust.
    pub fn connect(url: &str, host: SharedHost, options: HttpOptions) -> Result<Self, ConnectError> {
        let base = Base::parse(url)?;
        #[cfg(not(target_arch = "wasm32"))]
        let agent = Agent::new(base.is_https(), &options)?;
        #[cfg(target_arch = "wasm32")]
        let agent = Agent::new();
        Ok(Self { base, agent, host, options, held_session: None, features: Mutex::default() })
    }

    /// A homeserver with the session that `store` holds ([`MatrixSession::load`], or
    /// [`MatrixSession::save`] after a login). Makes no request yet.
    ///
    /// # Errors
    /// Those of [`Homeserver::connect`].
    pub fn resume(
        session: MatrixSession,
        store: Arc<dyn StorageAdapter>,
        host: SharedHost,
        options: HttpOptions,
    ) -> Result<Self, ConnectError> {
        let mut homeserver = Self::connect(&session.homeserver, host, options)?;
        let owner = format!("{:016x}{:016x}", homeserver.host.random(), homeserver.host.random());
        let tokens = session.tokens.clone();
        let held_session = HeldSession::new(session, store, owner);
        held_session.hold(tokens, homeserver.options.refresh_early_ms, homeserver.host.now_ms());
        homeserver.held_session = Some(held_session);
        Ok(homeserver)
    }

    /// The base url, without a slash at its end.
    pub fn url(&self) -> &str {
        self.base.as_str()
    }

    fn now_ms(&self) -> i64 {
        self.host.now_ms()
    }

    /// Makes a request in the session's name. A refusal of the session counts once it is repeated: a homeserver
    /// that shuts down refuses good tokens.
    async fn authed(&self, request: &Request<'_>) -> Reply<Response> {
        let doubt_ms = self.options.doubt_ms;
        for wait_ms in [doubt_ms, doubt_ms.saturating_mul(3)] {
            let reply = self.authed_once(request).await;
            if !refuses_session(&reply) {
                return reply;
            }
            debug!(target: "haos::http", request = request.name, wait_ms, "the session is refused: asked again");
            self.host.sleep(wait_ms).await;
        }
        self.authed_once(request).await
    }

    async fn authed_once(&self, request: &Request<'_>) -> Reply<Response> {
        let token = self.token().await?;
        let response = self.exchange(request, Some(&token)).await?;
        let Some(is_soft) = refused_token(response.status, response.whole()) else { return Ok(response) };
        let why = if is_soft { Why::Expired } else { Why::Void };
        match self.renew(&token, why).await? {
            Some(other) => self.exchange(request, Some(&other)).await,
            None => Ok(response),
        }
    }

    /// Returns the body of a read.
    async fn ask(&self, request: &Request<'_>) -> Reply<Vec<u8>> {
        self.authed(request).await?.success(self.now_ms())
    }

    /// Returns the body of a read, if it begins like a JSON object. Whoever reads it finds out if it is one.
    async fn ask_json(&self, request: &Request<'_>) -> Reply<Vec<u8>> {
        let body = self.ask(request).await?;
        match body.trim_ascii_start().first() {
            Some(b'{') => Ok(body),
            _ => Err(Answer::Unreadable),
        }
    }

    /// Returns the body of a read as `T`.
    async fn ask_for<T: serde::de::DeserializeOwned>(&self, request: &Request<'_>) -> Reply<T> {
        read_as(&self.ask(request).await?)
    }
}

/// Tells if the server refused the access token, and a refresh token, where there is one, as well.
fn refuses_session(reply: &Reply<Response>) -> bool {
    match reply {
        Ok(response) => refused_token(response.status, response.whole()).is_some(),
        Err(Answer::Refused(refusal)) => {
            refusal.status == 401 && refusal.code.as_deref() == Some(answer::UNKNOWN_TOKEN)
        }
        Err(_) => false,
    }
}

fn read_as<T: serde::de::DeserializeOwned>(body: &[u8]) -> Reply<T> {
    let text = decoded(body).map_err(|_| Answer::Unreadable)?;
    serde_json::from_str(&text).map_err(|_| Answer::Unreadable)
}

/// The JSON of a body that is always one.
fn json<T: serde::Serialize>(body: &T) -> Reply<Json> {
    let refusal = Refusal::new(400, "M_BAD_JSON");
    Json::of(body).map_err(|_| Answer::Refused(refusal))
}

impl fmt::Debug for Homeserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Homeserver")
            .field("url", &self.base.as_str())
            .field("session", &self.session())
            .finish_non_exhaustive()
    }
}
