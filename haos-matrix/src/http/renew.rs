//! New tokens for old ones (specification, client-server API, "Refreshing access tokens").

use haos_queue::{Answer, PauseReason, Refusal};
use haos_store_api::{Json, WriteBatch};
use serde::{Deserialize, Serialize};
use tracing::{debug, warn};

use super::answer::soft_logout;
use super::path::Path;
use super::request::Request;
use super::tokens::HeldSession;
use super::{Homeserver, Response, read_as};
use crate::parse::number::lenient;
use crate::session::{Claim, Stored};
use crate::{MatrixSession, Reply, Tokens};

/// How often the store is asked while another context refreshes.
const LOOK_MS: u64 = 250;
/// How much longer than the request itself a claim lasts.
const SLACK_MS: u64 = 5_000;

/// The reason why new tokens are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The token at hand will do for a while: nothing is waited for.
    Early,
    /// The server refused it, and said that a refresh token helps.
    Expired,
    /// The server refused it for good. Another context may have a newer one.
    Void,
}

#[derive(Serialize)]
struct Ask<'a> {
    refresh_token: &'a str,
}

/// The answer to a login or a refresh.
#[derive(Deserialize)]
pub(super) struct Given {
    access_token: String,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    expires_in_ms: Option<i64>,
}

impl Given {
    /// `old`: the refresh token that stays where the server gives no new one.
    pub(super) fn tokens(self, old: Option<String>, now_ms: i64) -> Tokens {
        Tokens {
            access: self.access_token,
            refresh: self.refresh_token.or(old),
            expires_at_ms: self.expires_in_ms.map(|ms| now_ms.saturating_add(ms)),
        }
    }
}

/// The outcome of asking for the right to refresh.
enum Turn {
    /// It is ours.
    Ours(Claim),
    /// Somebody else gave the store other tokens meanwhile.
    Adopted(String),
    /// The session has ended.
    Over,
}

impl Homeserver {
    /// Returns another access token than the one that the server refused; `None` without one, so that the
    /// refusal stands.
    ///
    /// # Errors
    /// `Unsent` where no answer came to a refresh (the request itself was refused, and not processed), what
    /// the server said else.
    pub(super) async fn renew(&self, refused: &str, why: Why) -> Reply<Option<String>> {
        let Some(held_session) = &self.held_session else { return Ok(None) };
        let _one = match why {
            Why::Early => held_session.renewing.try_lock().map_err(|_| Answer::Unsent)?,
            _ => held_session.renewing.lock().await,
        };
        match held_session.tokens() {
            Some(tokens) if tokens.access != refused => return Ok(Some(tokens.access)),
            _ => {}
        }
        let claim = match self.turn(held_session, refused, why).await? {
            Turn::Adopted(token) => return Ok(Some(token)),
            Turn::Over => return Ok(None),
            Turn::Ours(claim) => claim,
        };
        let Some(old) = held_session.tokens().and_then(|tokens| tokens.refresh) else { return Ok(None) };
        let renewed = match self.refresh(&old).await {
            Ok(tokens) => self.keep(held_session, &claim, refused, tokens).await,
            Err(answer) => Err(answer),
        };
        if !matches!(renewed, Ok(Some(_))) {
            let mut batch = WriteBatch::relaxed();
            if claim.end(&mut batch).is_ok() {
                // If that fails, it ends by itself.
                let _ = held_session.store.apply(batch).await;
            }
        }
        debug!(target: "haos::http", renewed = matches!(renewed, Ok(Some(_))), ?why, "the tokens were to be renewed");
        renewed
    }

    /// Waits until nobody else refreshes, and takes the right to.
    async fn turn(&self, held_session: &HeldSession, refused: &str, why: Why) -> Reply<Turn> {
        let claim_ms = self.options.request_ms.saturating_add(SLACK_MS);
        let mut waited_ms = 0;
        loop {
            let stored = self.stored().await?;
            if let Some(tokens) = self.adopt(&stored, Some(refused)) {
                return Ok(Turn::Adopted(tokens.access));
            }
            let held = held_session.session();
            let session = stored.session.as_ref().filter(|session| session.is_same_device(&held));
            let tokens = session.and_then(|session| session.tokens.clone());
            if why == Why::Void || tokens.as_ref().is_none_or(|tokens| tokens.refresh.is_none()) {
                return Ok(Turn::Over);
            }
            let now_ms = self.now_ms();
            // Another context's note beside the same access token counts.
            held_session.hold(tokens, self.options.refresh_early_ms, now_ms);
            let until_ms = now_ms.saturating_add_unsigned(claim_ms);
            let claim = Claim { owner: held_session.owner.clone(), until_ms };
            match claim.take(&*held_session.store, stored, now_ms).await {
                Ok(true) => return Ok(Turn::Ours(claim)),
                Ok(false) if waited_ms <= claim_ms && why != Why::Early => {
                    waited_ms += LOOK_MS;
                    self.host.sleep(LOOK_MS).await;
                }
                Ok(false) => return Err(Answer::Unsent),
                Err(e) => {
                    warn!(target: "haos::http", reason = %e, "the store takes no claim, so nothing is refreshed");
                    return Err(Answer::Unsent);
                }
            }
        }
    }

    /// Writes the new tokens down, before anything uses them: from their first use on the old ones are void.
    async fn keep(
        &self,
        held_session: &HeldSession,
        claim: &Claim,
        refused: &str,
        tokens: Tokens,
    ) -> Reply<Option<String>> {
        let stored = self.stored().await?;
        let is_ours = stored.session.as_ref().is_some_and(|session| {
            session.is_same_device(&held_session.session())
                && session.tokens.as_ref().is_some_and(|tokens| tokens.access == refused)
        });
        if !is_ours {
            // Somebody logged in or out meanwhile.
            return Ok(self.adopt(&stored, Some(refused)).map(|tokens| tokens.access));
        }
        if let Err(e) = self.write(held_session, claim, stored, &tokens).await {
            warn!(target: "haos::http", reason = %e, "the new tokens cannot be kept, so they are not used");
            return Err(Answer::Unsent);
        }
        let access = tokens.access.clone();
        held_session.hold(Some(tokens), self.options.refresh_early_ms, self.now_ms());
        Ok(Some(access))
    }

    async fn write(
        &self,
        held_session: &HeldSession,
        claim: &Claim,
        stored: Stored,
        tokens: &Tokens,
    ) -> haos_store_api::Result<()> {
        let mut batch = WriteBatch::strict();
        stored.expect(&mut batch)?;
        MatrixSession { tokens: Some(tokens.clone()), ..held_session.session() }.put(&mut batch)?;
        claim.end(&mut batch)?;
        held_session.store.apply(batch).await.map(drop)
    }

    /// `POST /_matrix/client/v3/refresh`. Asked again with the same token after a lost answer, a server
    /// gives new tokens again, as long as those of the lost answer were not used.
    async fn refresh(&self, old: &str) -> Reply<Tokens> {
        let Ok(body) = Json::of(&Ask { refresh_token: old }) else { return Err(Answer::Unsent) };
        let request = Request::post("refresh", Path::new("/_matrix/client/v3/refresh"), &body);
        // As a whole: a claim must outlast it.
        let asked = self.within(self.options.request_ms, self.exchange(&request, None)).await;
        match asked.unwrap_or(Err(Answer::NoAnswer)) {
            Ok(response) => self.refreshed(response, old),
            Err(Answer::NoAnswer | Answer::Unreadable) => Err(Answer::Unsent),
            Err(answer) => Err(answer),
        }
    }

    fn refreshed(&self, response: Response, old: &str) -> Reply<Tokens> {
        let (status, now_ms) = (response.status, self.now_ms());
        let soft = soft_logout(response.whole());
        match response.success(now_ms) {
            Ok(body) => match read_as::<Given>(&body) {
                Ok(given) => Ok(given.tokens(Some(old.to_owned()), now_ms)),
                Err(_) => Err(Answer::Unsent),
            },
            // A code shows that it was the homeserver that refused.
            Err(Answer::Refused(Refusal { code: Some(code), .. }))
                if matches!(status, 400 | 401 | 403..406) =>
            {
                let over = if soft == Some(false) { PauseReason::LoggedOut } else { PauseReason::SoftLogout };
                Err(Answer::Refused(Refusal { account: Some(over), ..Refusal::new(status, &code) }))
            }
            Err(answer) => Err(answer),
        }
    }
}
