use std::fmt;

use haos_queue::{Answer, PauseReason, Refusal};
use haos_store_api::{Json, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::base::Base;
use super::path::Path;
use super::renew::Given;
use super::request::Request;
use super::{Homeserver, json as body_of, read_as};
use crate::{MatrixSession, Reply};

/// How a user logs in (specification, client-server API, "Login").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The proof of who it is.
    pub credentials: Credentials,
    /// The device to go on with, such as [`MatrixSession::device`] after a logout: its transaction ids
    /// hold. None: the server makes a new one.
    pub device: Option<String>,
    /// The name of a new device, for others.
    pub device_name: Option<String>,
}

/// The proof of who logs in.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// `m.login.password`.
    Password {
        /// The user, as `ada` or `@ada:example.org`.
        user: String,
        /// The password.
        password: String,
    },
    /// `m.login.token`, as single sign-on gives one.
    Token(String),
}

impl Credentials {
    /// A user, as `ada` or `@ada:example.org`, and their password.
    pub fn password(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Password { user: user.into(), password: password.into() }
    }

    /// A login token, as single sign-on gives one.
    pub fn token(token: impl Into<String>) -> Self {
        Self::Token(token.into())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, .. } => {
                f.debug_struct("Password").field("user", user).finish_non_exhaustive()
            }
            Self::Token(_) => f.write_str("Token(…)"),
        }
    }
}

/// Whom a server takes a session for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WhoAmI {
    /// The user.
    #[serde(rename = "user_id")]
    pub user: UserId,
    /// The device, where the session has one.
    #[serde(rename = "device_id", default)]
    pub device: Option<String>,
}

#[derive(Serialize)]
struct Ask<'a> {
    #[serde(flatten)]
    how: serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_device_display_name: Option<&'a str>,
    refresh_token: bool,
}

#[derive(Deserialize)]
struct Welcome {
    user_id: UserId,
    device_id: String,
    #[serde(flatten)]
    given: Given,
    #[serde(default)]
    well_known: Option<serde_json::Value>,
}

const LOGIN: &str = "/_matrix/client/v3/login";

impl Homeserver {
    /// The ways to log in that the server offers, such as `m.login.password`.
    ///
    /// # Errors
    /// The server's other answer.
    pub async fn login_flows(&self) -> Reply<Vec<String>> {
        #[derive(Deserialize)]
        struct Flows {
            flows: Vec<Flow>,
        }
        #[derive(Deserialize)]
        struct Flow {
            r#type: String,
        }
        let request = Request::read("login_flows", Path::new(LOGIN));
        let response = self.exchange(&request, None).await?;
        let flows: Flows = read_as(&response.success(self.now_ms())?)?;
        Ok(flows.flows.into_iter().map(|flow| flow.r#type).collect())
    }

    /// Logs in, and asks for tokens that are renewed. This homeserver stays as it is: save the session
    /// ([`MatrixSession::save`]) and [resume](Homeserver::resume) it. A homeserver that was resumed from
    /// the same store takes a login on its device up by itself.
    ///
    /// # Errors
    /// The server's other answer: `M_FORBIDDEN` for a wrong password.
    pub async fn login(&self, login: &Login) -> Reply<MatrixSession> {
        let how = match &login.credentials {
            Credentials::Password { user, password } => json!({
                "type": "m.login.password",
                "identifier": { "type": "m.id.user", "user": user },
                "password": password,
            }),
            Credentials::Token(token) => json!({ "type": "m.login.token", "token": token }),
        };
        let ask = body_of(&Ask {
            how,
            device_id: login.device.as_deref(),
            initial_device_display_name: login.device_name.as_deref(),
            refresh_token: true,
        })?;
        let response = self.exchange(&Request::post("login", Path::new(LOGIN), &ask), None).await?;
        let welcome: Welcome = read_as(&response.success(self.now_ms())?)?;
        Ok(MatrixSession {
            homeserver: self.told(welcome.well_known.as_ref()).unwrap_or_else(|| self.url().to_owned()),
            user: welcome.user_id,
            device: welcome.device_id,
            tokens: Some(welcome.given.tokens(None, self.now_ms())),
        })
    }

    /// The base url that the server wants to be used from now on, unless that would be less safe.
    fn told(&self, well_known: Option<&serde_json::Value>) -> Option<String> {
        let url = well_known?.get("m.homeserver")?.get("base_url")?.as_str()?;
        let base = Base::parse(url).ok()?;
        (base.is_private() || !self.base.is_private()).then(|| base.as_str().to_owned())
    }

    /// Ends the session on the server, and takes its tokens out of the store; user and device stay there.
    ///
    /// # Errors
    /// The server's other answer: the session may go on, and the tokens stay. To log out without a
    /// server, [`MatrixSession::forget_tokens`].
    pub async fn logout(&self) -> Reply<()> {
        let body = Json::empty();
        let ended = self.ask(&Request::post("logout", Path::new("/_matrix/client/v3/logout"), &body)).await;
        match ended {
            Ok(_) => {}
            // It had ended before.
            Err(Answer::Refused(Refusal { account: Some(PauseReason::LoggedOut), .. })) => {}
            Err(answer) => return Err(answer),
        }
        let Some(held_session) = &self.held_session else { return Ok(()) };
        MatrixSession::forget_tokens(&*held_session.store).await.map_err(|e| {
            tracing::warn!(target: "haos::http", reason = %e, "logged out, but the tokens are still stored");
            Answer::Unsent
        })?;
        held_session.hold(None, 0, 0);
        Ok(())
    }

    /// Whom the server takes this session for.
    ///
    /// # Errors
    /// The server's other answer.
    pub async fn whoami(&self) -> Reply<WhoAmI> {
        self.ask_for(&Request::read("whoami", Path::new("/_matrix/client/v3/account/whoami"))).await
    }
}
