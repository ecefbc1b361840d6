//! A network that loses, delays, repeats and lies.

use async_trait::async_trait;
use haos_store_api::*;

use super::state::{SharedSim, Sim};
use super::store::peek;
use super::world::Group;
use haos_queue::machine::Class;
use haos_queue::{Answer, BackfillPage, Event, Lookup, Refusal, Session, SyncDelta, Transport, Verdict};
use haos_queue::{Body, Created};

/// How long a client that was told to be quiet may still have requests under way, in milliseconds.
const TAIL_MS: u64 = 2000;

/// A context's way to the server.
#[derive(Clone)]
pub struct Network {
    pub(super) state: SharedSim,
    pub(super) session: Session,
    pub(super) group: Group,
    /// The rows, to see what was written down before a request.
    pub(super) rows: MemoryStore,
}

/// The fate of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    Unsent,
    Lost,
    AnswerLost,
    Late,
    Truncated,
    Portal,
    Proxy,
    ProxyAfter,
    Limited,
}

impl Fate {
    fn name(self) -> &'static str {
        match self {
            Self::Arrives => "network: arrived",
            Self::Unsent => "network: no connection",
            Self::Lost => "network: reset before",
            Self::AnswerLost => "network: dropped after processing",
            Self::Late => "network: processed after the client gave up",
            Self::Truncated => "network: truncated",
            Self::Portal => "network: captive portal",
            Self::Proxy => "network: proxy error",
            Self::ProxyAfter => "network: proxy error after processing",
            Self::Limited => "network: rate limit",
        }
    }
}

impl Network {
    fn fate(&self) -> (Fate, u64) {
        let now = self.state.clock().mono_ms();
        self.state.with(|sim| {
            let faults = sim.faults;
            let mut roll = sim.chance.below(100);
            let mut fate = Fate::Arrives;
            for (percent, possible) in [
                (faults.unsent, Fate::Unsent),
                (faults.lost, Fate::Lost),
                (faults.answer_lost, Fate::AnswerLost),
                (faults.late, Fate::Late),
                (faults.truncated, Fate::Truncated),
                (faults.proxy, Fate::Proxy),
                (faults.proxy_after, Fate::ProxyAfter),
                (faults.limited, Fate::Limited),
            ] {
                if roll < percent {
                    fate = possible;
                    break;
                }
                roll -= percent;
            }
            if now < sim.portal_ms {
                fate = Fate::Portal;
            }
            if now < sim.offline_ms {
                fate = if sim.chance.percent(50) { Fate::Unsent } else { Fate::Lost };
            }
            sim.truth.count(fate.name());
            (fate, sim.chance.below(faults.latency_ms + 1))
        })
    }

    async fn wait(&self, ms: u64) {
        self.state.clock().sleep(ms).await;
    }

    /// Never ends: the client must give up by itself.
    async fn silence(&self) -> Answer {
        self.wait(u64::MAX / 4).await;
        Answer::NoAnswer
    }

    /// Carries a request to the server, or not.
    async fn ask(
        &self,
        what: &'static str,
        counted: Option<&TxnId>,
        late: Option<&Pending>,
        serve: impl Fn(&mut Sim, u64) -> Result<Answer>,
    ) -> Answer {
        let (fate, latency) = self.fate();
        self.state
            .say(|| format!("  net {}: {what} {} {fate:?}", self.group, counted.map_or("", TxnId::as_str)));
        self.wait(latency).await;
        let now = self.state.clock().mono_ms();
        let processed = || self.state.with(|sim| serve(sim, now)).unwrap_or(Answer::NoAnswer);
        let error = |status| {
            if let Some(txn_id) = counted {
                self.state.with(|sim| *sim.truth.counted.entry(txn_id.clone()).or_default() += 1);
            }
            Answer::Refused(Refusal { status, ..Refusal::default() })
        };
        match fate {
            Fate::Unsent => return Answer::Unsent,
            Fate::Lost => return if latency % 2 == 0 { Answer::NoAnswer } else { self.silence().await },
            Fate::AnswerLost => {
                processed();
                return if latency % 2 == 0 { Answer::NoAnswer } else { self.silence().await };
            }
            Fate::Late => {
                if let Some(row) = late {
                    let at = now + 20_000 + latency * 40;
                    self.state.with(|sim| sim.late.push((at, self.session.clone(), row.clone())));
                }
                return self.silence().await;
            }
            Fate::Truncated => {
                processed();
                return Answer::Unreadable;
            }
            Fate::Portal => return Answer::Unreadable,
            Fate::Proxy => return error([502, 503, 504, 408, 404][(latency % 5) as usize]),
            Fate::ProxyAfter => {
                processed();
                return error(504);
            }
            Fate::Limited => {
                let wait_ms = 500 + latency * 20;
                let after = self.state.clock().mono_ms();
                self.state.with(|sim| sim.quiet.push((self.group, after + TAIL_MS, after + wait_ms)));
                let refusal =
                    Refusal { retry_after_ms: Some(wait_ms), ..Refusal::new(429, "M_LIMIT_EXCEEDED") };
                return Answer::Refused(refusal);
            }
            Fate::Arrives => {}
        }
        let answer = processed();
        self.wait(latency / 2).await;
        answer
    }

    /// A request before the server's quiet is over breaks its wish.
    fn polite(&self, what: &str) {
        let now = self.state.clock().mono_ms();
        self.state.with(|sim| {
            let told = |(group, from, until): &(Group, u64, u64)| {
                *group == self.group && (*from..*until).contains(&now)
            };
            if sim.quiet.iter().any(told) {
                sim.truth.broken("answers", format!("{what} was sent while the server wanted quiet"));
            }
        });
    }

    /// A request goes out only for what is written down as being sent.
    fn noted(&self, row: &Pending) {
        let stored = peek(&self.rows, &row.txn_id);
        let noted = stored.as_ref().is_none_or(|stored| stored.first_attempt_ms.is_some());
        if !noted {
            self.state.with(|sim| {
                sim.truth.broken("I2", format!("{} was sent before that was written down", row.txn_id));
            });
        }
    }

    /// Asks the server something about a room, as what its devices need to read its next event.
    pub(super) async fn tell(&self, room: &RoomId) -> Answer {
        self.polite(room.as_str());
        let serve = |sim: &mut Sim, _| {
            let is_member = sim.server.rooms.get(room).is_some_and(|room| room.member);
            let forbidden = || Answer::Refused(Refusal::new(403, "M_FORBIDDEN"));
            let answer = if is_member { Answer::Done } else { forbidden() };
            Ok(sim.server.refuses(&self.session).unwrap_or(answer))
        };
        let answer = self.ask("tell", None, None, serve).await;
        if matches!(answer.verdict(false), Verdict::Transient { counts: true, .. }) {
            self.state.with(|sim| *sim.truth.untold.entry(room.clone()).or_default() += 1);
        }
        answer
    }

    /// The answer to a sync; none: there was none.
    pub(super) async fn sync(
        &self,
        since: Option<u64>,
        limit: usize,
    ) -> std::result::Result<SyncDelta, Answer> {
        let (fate, latency) = self.fate();
        self.wait(latency).await;
        match fate {
            Fate::Unsent | Fate::Lost | Fate::AnswerLost | Fate::Late => Err(Answer::NoAnswer),
            Fate::Truncated | Fate::Portal => Err(Answer::Unreadable),
            Fate::Proxy | Fate::ProxyAfter | Fate::Limited => {
                Err(Answer::Refused(Refusal { status: 503, ..Refusal::default() }))
            }
            Fate::Arrives => {
                let refused = self.state.with(|sim| sim.server.refuses(&self.session));
                if let Some(refused) = refused {
                    return Err(refused);
                }
                let delta = self.state.with(|sim| sim.server.sync(&self.session, since, limit));
                self.wait(latency / 2).await;
                Ok(delta)
            }
        }
    }
}

/// The server takes an event, and what must hold then is checked.
pub(super) fn deliver(sim: &mut Sim, session: &Session, row: &Pending, now: u64) -> Result<Answer> {
    let (answer, new) = sim.server.send(session, row, now)?;
    if let (Answer::Accepted(event_id), true) = (&answer, new) {
        sim.truth.say(|| format!("{now:>10}   server: {} is {event_id}", row.txn_id));
        sim.truth.arrived(row, event_id);
    }
    Ok(answer)
}

#[async_trait]
impl Transport for Network {
    async fn send(&self, row: &Pending) -> Answer {
        self.polite(row.txn_id.as_str());
        self.noted(row);
        self.state.with(|sim| sim.truth.sends(row));
        if Class::of(row) == Class::Signal {
            let serve = |sim: &mut Sim, _| Ok(sim.server.refuses(&self.session).unwrap_or(Answer::Done));
            return self.ask("signal", Some(&row.txn_id), None, serve).await;
        }
        self.ask("send", Some(&row.txn_id), Some(row), |sim, now| deliver(sim, &self.session, row, now)).await
    }

    async fn create_media(&self) -> Created {
        let answer = self.ask("create", None, None, |sim, _| {
            if let Some(refusal) = sim.server.refuses(&self.session) {
                return Ok(refusal);
            }
            Ok(Answer::Uploaded(sim.server.create_media()?))
        });
        match answer.await {
            Answer::Uploaded(uri) => Created::At(uri),
            failed => Created::Failed(failed),
        }
    }

    async fn upload(&self, body: Body<'_>, remote: Option<&MediaUri>) -> Answer {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < body.size {
            let start = bytes.len() as u64;
            match body.read(ByteRange { start, end: start + 256 }).await {
                Ok(more) if more.is_empty() => return Answer::Unsent,
                Ok(more) => bytes.extend(more),
                Err(_) => return Answer::Unsent,
            }
            body.sent(bytes.len() as u64);
            self.wait(50).await;
        }
        let serve = |sim: &mut Sim, _| sim.server.upload(&self.session, remote, bytes.clone());
        self.ask("upload", None, None, serve).await
    }

    async fn media_exists(&self, uri: &MediaUri) -> Lookup<()> {
        let answer = self
            .ask("media?", None, None, |sim, _| {
                let there = sim.server.media.get(uri).is_some_and(Option::is_some);
                Ok(if there { Answer::Done } else { Answer::Refused(Refusal::new(404, "M_NOT_FOUND")) })
            })
            .await;
        match answer {
            Answer::Done => Lookup::Found(()),
            Answer::Refused(refusal) if refusal.code.is_some() && refusal.status == 404 => Lookup::Missing,
            failed => Lookup::Failed(failed),
        }
    }

    async fn is_encrypted(&self, room: &RoomId) -> std::result::Result<bool, Answer> {
        match self.tell(room).await {
            Answer::Done => Ok(self.state.with(|sim| sim.server.is_encrypted(room))),
            failed => Err(failed),
        }
    }

    async fn event(&self, room: &RoomId, event: &EventId) -> Lookup<Event> {
        let (fate, latency) = self.fate();
        self.wait(latency).await;
        if fate != Fate::Arrives {
            return Lookup::Failed(Answer::NoAnswer);
        }
        self.state.with(|sim| {
            sim.truth.count("a sent row was asked for");
            sim.server.event(&self.session, room, event).map_or(Lookup::Missing, Lookup::Found)
        })
    }

    async fn history(
        &self,
        room: &RoomId,
        from: Option<&str>,
        limit: usize,
    ) -> std::result::Result<BackfillPage, Answer> {
        let (fate, latency) = self.fate();
        self.state.say(|| format!("  net {}: history of {room} {fate:?}", self.group));
        self.wait(latency).await;
        match fate {
            Fate::Arrives => {
                let refused = self.state.with(|sim| sim.server.refuses(&self.session));
                refused.map_or(Ok(()), Err)?;
                self.state.with(|sim| {
                    sim.truth.count("history was read");
                    Ok(sim.server.page(&self.session, room, from, limit))
                })
            }
            Fate::Unsent => Err(Answer::Unsent),
            _ => Err(Answer::NoAnswer),
        }
    }
}
