//! A stretch of time in which a context stands for leadership, or leads: until the page is frozen, or the end.

use std::pin::Pin;

use haos_store_api::{Changes, ErrorKind, Result};
use haos_web::{Channel, Lock, Trigger, is_online, locks_available};
use tokio::sync::{mpsc, watch};

use super::drive::Heard;
use super::left::take_back;
use super::signal::Signal;
use super::wait::{asked, changed, or_never};
use super::{DriveOptions, Role};
use crate::driver::Running;
use crate::leader::Lead;
use crate::{Driver, Sleep};

pub(super) type Local<T> = Pin<Box<dyn Future<Output = T>>>;

/// The reason why a term is over.
pub(super) enum End {
    /// The browser is about to freeze the page. Everything is let go of.
    Frozen,
    /// For good.
    Over(Result<()>),
}

/// An event within a term.
enum Event {
    Heard(Heard),
    Granted(Option<Lock>),
    Ran(Result<()>),
    /// Time to look whether a leader is missed; whether anything is left to send.
    Look(bool),
    /// Something was written, by whatever context; or the store was closed.
    Changed(bool),
    Nudged,
    /// The word that there is no network is not believed any longer.
    Doubted,
    Stop(u64),
}

pub(super) struct Term<'a> {
    pub(super) driver: &'a Driver,
    pub(super) options: &'a DriveOptions,
    roles: &'a watch::Sender<Role>,
    pub(super) channel: Option<Channel>,
    /// This engine keeps contexts apart by locks.
    pub(super) locks: bool,
    request: Option<Local<Option<Lock>>>,
    pub(super) lock: Option<Lock>,
    /// Sends beside a leader that gives no sign of life.
    pub(super) deputy: bool,
    /// Somebody else does, and what it has under way is not left behind.
    pub(super) deputies: bool,
    /// Questions in a row that nobody answered.
    pub(super) asked: u32,
    pub(super) look: Option<Local<bool>>,
    changes: Option<Changes>,
    pub(super) nudges: watch::Receiver<u64>,
    pub(super) run: Option<Running>,
    /// The run was asked to end.
    pub(super) stopping: bool,
    /// The next run takes back what others were sending; it begins without backoff.
    take_back: bool,
    pub(super) reset: bool,
    /// There is no network, as the browser says.
    pub(super) offline: Option<Sleep>,
    ending: Option<u64>,
}

impl<'a> Term<'a> {
    pub(super) fn begin(
        driver: &'a Driver,
        options: &'a DriveOptions,
        roles: &'a watch::Sender<Role>,
        hear: &mpsc::UnboundedSender<Heard>,
    ) -> Self {
        let hear = hear.clone();
        let channel = Channel::open(&options.lock(), move |message| {
            let signal = Signal::read(&message);
            drop(signal.map(|signal| hear.send(Heard::Signal(signal))));
        });
        let locks = locks_available();
        let name = options.lock();
        // A refusal leaves the context without a lock, as an engine without locks does.
        let request: Local<Option<Lock>> = Box::pin(async move { Lock::acquire(&name).await.ok() });
        let mut term = Self {
            driver,
            options,
            roles,
            channel,
            locks,
            request: locks.then_some(request),
            lock: None,
            deputy: false,
            deputies: false,
            asked: 0,
            look: None,
            changes: locks.then(|| driver.outbox.store().changes()),
            nudges: driver.outbox.nudges(),
            run: None,
            stopping: false,
            take_back: false,
            reset: true,
            offline: None,
            ending: None,
        };
        // As a nudge, whoever sends elsewhere hears of it too: the application was opened here.
        term.network(is_online());
        Signal::Ask.post(term.channel.as_ref());
        term.look_later();
        term
    }

    pub(super) async fn run(
        mut self,
        heard: &mut mpsc::UnboundedReceiver<Heard>,
        stopped: &mut watch::Receiver<Option<u64>>,
    ) -> End {
        loop {
            self.settle();
            if self.run.is_none() && self.ending.is_some() {
                return End::Over(Ok(()));
            }
            match self.event(heard, stopped).await {
                Event::Heard(Heard::Trigger(Trigger::Freeze | Trigger::PageHide { persisted: true })) => {
                    return End::Frozen;
                }
                Event::Heard(Heard::Trigger(trigger)) => self.trigger(trigger),
                Event::Heard(Heard::Signal(signal)) => self.signal(&signal),
                Event::Granted(lock) => self.granted(lock),
                Event::Ran(result) => {
                    self.run = None;
                    let closed = result.as_ref().is_err_and(|e| e.kind() == ErrorKind::Closed);
                    if !std::mem::take(&mut self.stopping) || self.ending.is_some() || closed {
                        return End::Over(result);
                    }
                }
                Event::Look(left) => self.look(left),
                Event::Changed(true) => self.look_later(),
                Event::Changed(false) => return End::Over(Ok(())),
                Event::Nudged => self.nudged(),
                Event::Doubted => self.offline = None,
                // A run that is ending already hears of the other grace, too.
                Event::Stop(grace_ms) => (self.ending, self.stopping) = (Some(grace_ms), false),
            }
        }
    }

    /// Waits for the first of all that can happen. Signals of the browser come before what they may end.
    async fn event(
        &mut self,
        heard: &mut mpsc::UnboundedReceiver<Heard>,
        stopped: &mut watch::Receiver<Option<u64>>,
    ) -> Event {
        let ends = self.ending.is_none();
        tokio::select! {
            biased;
            Some(heard) = heard.recv() => Event::Heard(heard),
            grace_ms = asked(stopped), if ends => Event::Stop(grace_ms),
            lock = or_never(&mut self.request) => { self.request = None; Event::Granted(lock) }
            result = or_never(&mut self.run) => Event::Ran(result),
            Ok(()) = self.nudges.changed() => Event::Nudged,
            open = changed(&mut self.changes), if self.look.is_none() => Event::Changed(open),
            left = or_never(&mut self.look) => { self.look = None; Event::Look(left) }
            () = or_never(&mut self.offline) => Event::Doubted,
        }
    }

    /// Tells if this context may send.
    pub(super) fn sends(&self) -> bool {
        self.lock.is_some() || self.deputy || !self.locks
    }

    /// Begins or ends the run, as things stand.
    fn settle(&mut self) {
        let wanted = self.sends() && self.offline.is_none() && self.ending.is_none();
        if self.run.is_none() && wanted {
            self.run = Some(self.start());
        } else if self.run.is_some() && !wanted && !self.stopping {
            self.stopping = true;
            self.driver.outbox.stop(self.ending.unwrap_or(self.options.grace_ms));
        }
        let role = match self.sends() {
            false => Role::Waiting,
            true if self.lock.is_some() => Role::Leading,
            true => Role::Sharing,
        };
        self.roles.send_if_modified(|shown| std::mem::replace(shown, role) != role);
    }

    /// A run, and what goes before it.
    fn start(&mut self) -> Running {
        let outbox = self.driver.outbox.clone();
        // Leases decide, also for the lock's holder: see `take_back`.
        let run = self.driver.run(Lead::Shared);
        if std::mem::take(&mut self.reset) {
            outbox.try_now();
        }
        let take_back_first = std::mem::take(&mut self.take_back);
        Box::pin(async move {
            if take_back_first && let Err(e) = take_back(&outbox.shared).await {
                tracing::warn!(error = %e, "rows of an earlier leader wait for their leases to run out");
            }
            run.await
        })
    }

    fn granted(&mut self, lock: Option<Lock>) {
        if let Some(lock) = lock {
            self.lock = Some(lock);
            // A deputy goes on with what it does: the leases of the one it stood in for run out soon.
            self.take_back = !std::mem::take(&mut self.deputy) && !self.deputies;
            self.alive();
        } else {
            self.locks = false;
        }
        // No leader is missed from now on.
        (self.asked, self.look, self.changes) = (0, None, None);
    }
}
