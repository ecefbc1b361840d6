//! `haos sync`: what waits is sent, what comes is shown.

mod idle;
mod news;
mod state;
mod view;

use std::time::Duration;

use haos_matrix::{Client, ClientOptions, FillOptions};
use haos_queue::{ConnectionState, Observer};
use haos_store_api::StorageAdapter;
use tokio::time::{Instant, sleep_until};

use self::idle::Idle;
use self::news::News;
use self::view::{End, View};
use super::{Leading, Runs, account_fault};
use crate::args::SyncArgs;
use crate::chat::desk::Desk;
use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;

/// The time between two requests for the lead, and between two drawings of the connection's line.
const TICK: Duration = Duration::from_secs(1);
/// `--once` gives up when the homeserver was not reached for so long.
const UNREACHED: Duration = Duration::from_secs(30);
/// No command waits longer than a month.
const LONGEST: u32 = 31 * 24 * 3600;

pub(crate) async fn sync(store: &Target, args: &SyncArgs, out: &mut Out) -> Result<()> {
    let mut options = ClientOptions::default();
    if args.once {
        options.sync.fill = FillOptions::off();
    }
    let desk = Desk::with(store, options).await?;
    let client = desk.logged_in()?.clone();
    let mut view = View::new(out, &client)?;
    let mut turn = Turn {
        rows: client.outbox().observe(None),
        news: News::start(&*desk.store).await?,
        idle: Idle::new(),
        runs: None,
    };
    let looped = turn.show(&desk, &client, args, &mut view).await;
    // The rest of what came is shown, also of what came in the last moment.
    let stopped = match turn.runs.take() {
        Some(runs) => runs.stop().await,
        None => Ok(()),
    };
    let end = looped?;
    turn.news.catch_up(&*desk.store, &mut view).await?;
    let left = client.outbox().rows(None).await?;
    view.end(end, &left)?;
    desk.close().await?;
    stopped?;
    match end {
        End::Unreached => Err(Error::Later(
            "the homeserver was not reached: check the network, then run the same command again".to_owned(),
        )),
        End::Late => Err(Error::Later("not all was done in time: run the same command again".to_owned())),
        End::Once | End::Time | End::Interrupted => Ok(()),
    }
}

/// The sources that are watched.
struct Turn {
    rows: Observer,
    news: News,
    idle: Idle,
    runs: Option<Runs>,
}

impl Turn {
    /// Shows what happens until there is a reason to end.
    async fn show(
        &mut self,
        desk: &Desk,
        client: &Client,
        args: &SyncArgs,
        view: &mut View<'_>,
    ) -> Result<End> {
        let store: &dyn StorageAdapter = &*desk.store;
        let seconds = args.seconds.unwrap_or(LONGEST).min(LONGEST);
        let deadline = Instant::now() + Duration::from_secs(seconds.into());
        let mut connection = client.connection();
        // The state before the first try is no news.
        connection.mark_unchanged();
        let mut unreached: Option<Instant> = None;
        let mut tick = tokio::time::interval(TICK);
        let interrupted = interrupted()?;
        tokio::pin!(interrupted);
        self.lead(desk, client, args, view)?;
        loop {
            tokio::select! {
                () = &mut interrupted => return Ok(End::Interrupted),
                () = sleep_until(deadline) => return Ok(if args.once { End::Late } else { End::Time }),
                error = ended(&mut self.runs) => return Err(error),
                changed = connection.changed() => {
                    if changed.is_err() {
                        continue;
                    }
                    let state = connection.borrow_and_update().clone();
                    unreached = match &state {
                        ConnectionState::Degraded { .. } | ConnectionState::Offline => unreached.or(Some(Instant::now())),
                        _ => None,
                    };
                    view.connection(&state)?;
                    match state {
                        ConnectionState::Paused(reason) if args.once => return Err(account_fault(&reason)),
                        state => self.idle.connection(&state),
                    }
                }
                update = self.rows.next() => match update? {
                    Some(update) => {
                        view.update(&update)?;
                        self.idle.update(&update);
                    }
                    None => return Err(closed()),
                },
                change = self.news.next() => match change {
                    Some(rooms) => self.news.show(store, rooms, view).await?,
                    None => return Err(closed()),
                },
                _ = tick.tick() => {
                    if self.runs.is_none() {
                        self.lead(desk, client, args, view)?;
                    }
                    view.tick()?;
                }
            }
            if args.once && self.idle.is_done() {
                return Ok(End::Once);
            }
            if args.once && unreached.is_some_and(|since| since.elapsed() >= UNREACHED) {
                return Ok(End::Unreached);
            }
        }
    }

    /// Sends and syncs, unless another process does.
    fn lead(&mut self, desk: &Desk, client: &Client, args: &SyncArgs, view: &mut View<'_>) -> Result<()> {
        match Leading::try_take(&desk.target)? {
            Some(leading) => {
                self.runs = Some(Runs::start(client, leading));
                view.connection(&ConnectionState::Connecting)
            }
            None if args.once => Err(Error::Later(
                "another process syncs this store already: it sends what waits; end it, or wait for it"
                    .to_owned(),
            )),
            None => view.led_elsewhere(),
        }
    }
}

/// Ends with a client that is not stopped; never, without one.
async fn ended(runs: &mut Option<Runs>) -> Error {
    match runs {
        Some(runs) => runs.ended().await,
        None => std::future::pending().await,
    }
}

fn closed() -> Error {
    Error::Failed("the store was closed: run the same command again".to_owned())
}

/// Listens for whoever wants the command to end, from the call on.
pub(in crate::chat::online) fn interrupted() -> Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |e: std::io::Error| Error::Failed(format!("signals cannot be heard: {e}"));
        let mut pressed = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminated = signal(SignalKind::terminate()).map_err(failed)?;
        Ok(async move {
            tokio::select! {
                _ = pressed.recv() => {}
                _ = terminated.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
