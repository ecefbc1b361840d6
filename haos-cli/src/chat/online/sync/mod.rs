//! `haos sync`: what waits is sent, what comes is shown.

mod news;
mod state;
mod view;

use std::time::Duration;

use haos::{Chat, ClientOptions, Connection};
use haos_matrix::FillOptions;
use haos_queue::Update;
use tokio::time::{Instant, sleep_until};

use self::news::News;
use self::view::{End, View};
use crate::args::SyncArgs;
use crate::chat::desk::logged_in;
use crate::error::{Error, Result, what_to_do};
use crate::open::Target;
use crate::out::Out;

/// The time between two drawings of the connection's line.
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
    let chat = store.chat_with(options).await?;
    let session = logged_in(&chat)?.session();
    if chat.store().info().read_only {
        return Err(Error::Unhealthy(format!(
            "{}: the store can only be read: give this user the right to write to it and to its folder",
            store.url
        )));
    }
    let mut view = View::new(out, &chat, &session)?;
    let mut news = News::start(&**chat.store()).await?;
    let shown = show(&chat, &mut news, args, &mut view).await;
    chat.stop().await;
    let end = shown?;
    // The rest of what came is shown, also of what came in the last moment.
    news.catch_up(&**chat.store(), &mut view).await?;
    let left = chat.outbox_handle().rows(None).await?;
    view.update(&Update::Reset(left.clone()))?;
    view.end(end, &left)?;
    chat.close().await?;
    match end {
        End::Unreached => Err(Error::Later(
            "the homeserver was not reached: check the network, then run the same command again".to_owned(),
        )),
        End::Late => Err(Error::Later("not all was done in time: run the same command again".to_owned())),
        End::Once | End::Time | End::Interrupted => Ok(()),
    }
}

/// Sends, syncs and shows what happens until there is a reason to end.
async fn show(chat: &Chat, news: &mut News, args: &SyncArgs, view: &mut View<'_>) -> Result<End> {
    let seconds = args.seconds.unwrap_or(LONGEST).min(LONGEST);
    let deadline = Instant::now() + Duration::from_secs(seconds.into());
    let interrupted = interrupted()?;
    tokio::pin!(interrupted);
    let (mut rows, mut connection) = (chat.outbox_handle().observe(None), chat.connection());
    let (mut unreached, mut is_settled): (Option<Instant>, bool) = (None, false);
    let mut tick = tokio::time::interval(TICK);
    view.connection(&connection.now().await?.connection)?;
    chat.start();
    loop {
        tokio::select! {
            () = &mut interrupted => return Ok(End::Interrupted),
            () = sleep_until(deadline) => return Ok(if args.once { End::Late } else { End::Time }),
            summary = connection.next() => {
                let summary = summary?.ok_or_else(closed)?;
                is_settled = summary.is_settled;
                unreached = match &summary.connection {
                    Connection::Degraded { .. } | Connection::Offline => unreached.or(Some(Instant::now())),
                    _ => None,
                };
                match &summary.connection {
                    Connection::Elsewhere if args.once => return Err(Error::Later(
                        "another process syncs this store already: it sends what waits; end it, or wait for it"
                            .to_owned(),
                    )),
                    Connection::Paused { cause, .. } if args.once => return Err(Error::Input(what_to_do(cause))),
                    connection => view.connection(connection)?,
                }
            }
            update = rows.next() => view.update(&update?.ok_or_else(closed)?)?,
            rooms = news.next() => news.show(&**chat.store(), rooms.ok_or_else(closed)?, view).await?,
            _ = tick.tick() => view.tick()?,
        }
        if args.once && is_settled {
            return Ok(End::Once);
        }
        if args.once && unreached.is_some_and(|since| since.elapsed() >= UNREACHED) {
            return Ok(End::Unreached);
        }
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
