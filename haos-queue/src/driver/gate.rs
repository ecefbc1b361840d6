use haos_store_api::backend::{SortedMap, SortedSet};
use haos_store_api::{
    EventType, Membership, Result, RoomId, Scope, StateEntry, StateQuery, StorageAdapterExt as _,
};

use crate::account::Gate;
use crate::outbox::Shared;
use crate::schedule::Schedule;
use crate::{Answer, Verdict};

/// The number of failures in a row after which a success means that the network is back: everything is due.
const OUTAGE: u32 = 3;

/// The consequence of an attempt for the network and the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Net {
    /// The server answered.
    Heard,
    /// Nothing answered, or somebody else did.
    Silent(String),
    /// The server wants quiet until this moment.
    Quiet(i64),
    /// The account cannot send, and that is written down.
    Paused,
}

impl Net {
    /// Reads the answer to a question that is about no row.
    pub(super) fn of(answer: &Answer, now_ms: i64) -> Self {
        match answer.verdict(false) {
            Verdict::Transient { offline: true, error, .. } => Self::Silent(error),
            Verdict::RateLimited { wait_ms } => Self::Quiet(now_ms.saturating_add_unsigned(wait_ms)),
            _ => Self::Heard,
        }
    }
}

/// The obstacles of every row.
#[derive(Debug, Default)]
pub(super) struct Gates {
    account: Gate,
    /// Requests in a row that nothing answered.
    failures: u32,
    until_ms: i64,
    token: Option<String>,
    /// How often the sync token changed while we looked.
    tokens: u64,
    /// The state that decides who may write, in rooms with refused rows.
    rights: SortedMap<RoomId, Option<Rights>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Rights {
    membership: Option<Membership>,
    state: Vec<StateEntry>,
}

impl Gates {
    /// Reads the stored gates and the sync token.
    pub(super) async fn read(&mut self, shared: &Shared, schedule: &mut Schedule) -> Result<()> {
        let (account, rooms) = Gate::read_all(&*shared.store).await?;
        let paused: SortedSet<RoomId> =
            rooms.into_iter().filter(|(_, gate)| gate.paused.is_some()).map(|(room, _)| room).collect();
        // A pause that could not be written down still holds, unless somebody resumed the account.
        let heard_ms = if account.resumed == self.account.resumed { self.account.not_before_ms } else { 0 };
        self.account = Gate { not_before_ms: account.not_before_ms.max(heard_ms), ..account };
        schedule.pause(paused);
        let token = shared.store.sync_token().await?;
        if token != self.token {
            (self.token, self.tokens) = (token, self.tokens + 1);
        }
        shared.connection.paused(self.account.paused.clone());
        Ok(())
    }

    /// How often the account was resumed.
    pub(super) fn resumed(&self) -> u64 {
        self.account.resumed
    }

    pub(super) fn tokens(&self) -> u64 {
        self.tokens
    }

    /// The earliest moment at which anything may be sent, as far as the clock decides.
    pub(super) fn opens_ms(&self) -> i64 {
        match self.account.paused {
            Some(_) => i64::MAX,
            None => self.until_ms.max(self.account.not_before_ms),
        }
    }

    pub(super) fn is_open(&self, now_ms: i64) -> bool {
        now_ms >= self.opens_ms()
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Takes note of what an attempt says. Whether everything is due now: the network is back.
    pub(super) fn heard(&mut self, shared: &Shared, net: Net, now_ms: i64) -> bool {
        match net {
            Net::Silent(error) => {
                self.failures = self.failures.saturating_add(1);
                let delay_ms = shared.options.retry.delay_ms(self.failures, 0, shared.host.random());
                self.until_ms = now_ms.saturating_add_unsigned(delay_ms);
                shared.connection.failing(Some((error, shared.on_the_wall(self.until_ms))));
                return false;
            }
            Net::Heard | Net::Paused => {}
            Net::Quiet(until_ms) => self.account.not_before_ms = self.account.not_before_ms.max(until_ms),
        }
        let back = self.failures >= OUTAGE;
        if self.failures > 0 {
            shared.nudge();
        }
        self.reset(shared);
        back
    }

    /// Forgets that nothing answered.
    pub(super) fn reset(&mut self, shared: &Shared) {
        (self.failures, self.until_ms) = (0, 0);
        shared.connection.failing(None);
    }

    /// Rights in this room are of interest from now on.
    pub(super) fn watch(&mut self, room: &RoomId) {
        self.rights.or_default(room.clone());
    }

    pub(super) fn is_watched(&self, room: &RoomId) -> bool {
        self.rights.contains_key(room)
    }

    /// Tells if the user takes part in a room, as far as the store knows.
    pub(super) async fn may_speak(&self, shared: &Shared, room: &RoomId) -> Result<bool> {
        Ok(shared.store.room(room).await?.is_none_or(|room| room.membership == Membership::Join))
    }

    /// Tells if membership or rights are other than when this was asked last.
    pub(super) async fn rights_changed(&mut self, shared: &Shared, room: &RoomId) -> Result<bool> {
        let membership = shared.store.room(room).await?.map(|room| room.membership);
        let mut state = Vec::new();
        for kind in shared.protocol.rights() {
            let query = StateQuery::kind(Scope::Room(room.clone()), EventType::new(kind)?);
            state.extend(shared.store.state(query).await?);
        }
        let now = Some(Rights { membership, state });
        let seen = self.rights.or_default(room.clone());
        let changed = *seen != now;
        *seen = now;
        Ok(changed)
    }
}
