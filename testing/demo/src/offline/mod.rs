//! The second act: written offline, killed, reopened, sent through a network that fails, compared.

mod book;
mod check;
mod model;
mod part;
mod process;
mod real;
mod script;
mod server;

use std::collections::HashSet;
use std::path::Path;
use std::time::Instant;

use haos_cli::parts::{Error, Result, plural};
use haos_queue::UPLOAD;
use haos_store_api::{PendingQuery, TxnId};
use serde::Serialize;

use super::story::Story;
use super::verify;
use book::Book;
use model::Model;
use part::{Said, open};
use process::Process;
use server::{Place, Server};

pub(crate) use part::run as run_part;
pub(super) use real::Real;

/// How often the sender is killed.
const KILLS: usize = 3;

/// The figures of this act.
#[derive(Debug, Default, Serialize)]
pub(super) struct Figures {
    written: u64,
    offline_attempts: u64,
    kills: u64,
    delivered: u64,
    media_bytes: u64,
    requests: u64,
    lost: u64,
    answers_lost: u64,
    proxy_errors: u64,
    rate_limited: u64,
    slow: u64,
    seconds: f64,
}

impl Figures {
    /// The line of the totals.
    pub(super) fn total(&self) -> String {
        let failed = self.lost + self.answers_lost + self.proxy_errors + self.rate_limited;
        let failed = match self.requests {
            0 => String::new(),
            all => format!(" {failed} of {all} requests in vain,"),
        };
        format!(
            "{} written offline and delivered once, in order: {} kills survived,{failed} {:.1} s",
            plural(self.delivered, "message"),
            self.kills,
            self.seconds
        )
    }
}

/// With a real homeserver, or the model on the loopback.
pub(super) async fn run(folder: &Path, real: Option<&mut Real>, story: &mut Story<'_>) -> Result<()> {
    match real {
        Some(real) => act(folder, real, story).await,
        None => act(folder, &mut Model::new()?, story).await,
    }
}

async fn act(folder: &Path, server: &mut impl Server, story: &mut Story<'_>) -> Result<()> {
    let begun = Instant::now();
    story.say(format_args!("\n7. Offline: writing while nothing is reachable"))?;
    let book = write(folder, server, story).await?;
    story.say(format_args!("\n8. Reopened: what the outbox holds"))?;
    reopened(folder, &book, server.places(), story).await?;
    send(folder, &book, server, story).await?;
    story.say(format_args!("\n10. Compared with the server, message by message"))?;
    check::run(folder, &book, server, story).await?;
    story.figures.outbox.seconds = begun.elapsed().as_secs_f64();
    Ok(())
}

/// A process writes all of the script, and is killed when all of it is acknowledged.
async fn write(folder: &Path, server: &mut impl Server, story: &mut Story<'_>) -> Result<Book> {
    let mut book = Book::default();
    let mut process = Process::start("write", folder, &server.unplug(folder).await?)?;
    let attempts = loop {
        match process.listen()? {
            Some(Said::Written { attempts }) => break attempts,
            Some(said) => book.note(said)?,
            None => return Err(Error::Failed("the process that writes ended early".to_owned())),
        }
    };
    let pid = process.kill_when(async || Ok(true)).await?.ok_or_else(no_kill)?;
    if !book.is_complete() {
        return Err(Error::Failed("WRONG: not everything that was written is acknowledged".to_owned()));
    }
    let figures = &mut story.figures.outbox;
    (figures.written, figures.offline_attempts) = (script::SCRIPT.len() as u64, attempts);
    figures.kills += 1;
    story.say(format_args!(
        "   {} acknowledged in {}: texts, answers, a reaction, an edit, a file; one text reworded, one taken back",
        plural(script::SCRIPT.len() as u64, "thing"),
        plural(server.places().len() as u64, "room")
    ))?;
    story.say(format_args!("   {} to send failed; killed process {pid}", plural(attempts, "attempt")))?;
    Ok(book)
}

fn no_kill() -> Error {
    Error::Failed("no kill hit a process in the middle: run the demo again".to_owned())
}

/// Every acknowledged row is there.
async fn reopened(folder: &Path, book: &Book, places: &[Place], story: &mut Story<'_>) -> Result<()> {
    let store = open(folder).await?;
    let rows = store.pending(PendingQuery::default()).await?;
    let sound = verify::sound(&*store).await?;
    store.close().await?;
    let held: HashSet<&TxnId> = rows.iter().map(|row| &row.txn_id).collect();
    for (at, taken) in book.expected() {
        if !held.contains(&taken.txn) {
            let name = script::SCRIPT[at].1.name();
            return Err(Error::Failed(format!("WRONG: {name} was acknowledged and is not in the outbox")));
        }
    }
    let uploads = rows.iter().filter(|row| row.kind.as_str() == UPLOAD).count();
    if rows.len() - uploads != book.expected().count() {
        return Err(Error::Failed("WRONG: the outbox holds what nobody wrote".to_owned()));
    }
    for Place { id, label } in places {
        let rows: Vec<_> = rows.iter().filter(|row| row.room == *id).collect();
        let blocked: Vec<String> = rows.iter().filter_map(|row| book.blocked(row)).collect();
        let waiting = rows.len() - blocked.len();
        story.say(format_args!("   {label}: {waiting} wait; blocked: {}", listed(&blocked)))?;
    }
    story.say(format_args!(
        "   nothing lost: {} with {}, {} sound",
        plural((rows.len() - uploads) as u64, "message"),
        plural(uploads as u64, "upload"),
        plural(sound, "row")
    ))
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// A process sends, is killed in the middle, again and again, and runs to its end.
async fn send(folder: &Path, book: &Book, server: &mut impl Server, story: &mut Story<'_>) -> Result<()> {
    let way = server.plug(folder).await?;
    let road = match server.fired() {
        Some(_) => "through a network that fails",
        None => "over the network as it is",
    };
    story.say(format_args!("\n9. Back online, {road}"))?;
    let all = book.expected().count();
    for kill in 1..=KILLS {
        server.others()?;
        let enough = all * kill / (KILLS + 1);
        let sending = Process::start("send", folder, &way)?;
        let killed = sending.kill_when(async || Ok(server.arrived().await? >= enough)).await?;
        // On a machine that stalls, the last one may be through before it is killed.
        let Some(pid) = killed else { break };
        story.figures.outbox.kills += 1;
        let store = open(folder).await?;
        let left = store.pending(PendingQuery::default()).await?.len() as u64;
        store.close().await?;
        let there = server.arrived().await?;
        story.say(format_args!(
            "   killed process {pid}: {there} of {all} messages on the server, {} left in the outbox",
            plural(left, "row")
        ))?;
    }
    // That of the process that wrote, and two of those that send.
    if story.figures.outbox.kills < 3 {
        return Err(no_kill());
    }
    server.others()?;
    let begun = Instant::now();
    Process::start("send", folder, &way)?.finish()?;
    story.say(format_args!(
        "   run again: the outbox is empty after {:.1} s",
        begun.elapsed().as_secs_f64()
    ))?;
    let Some(fired) = server.fired() else {
        return story.say(format_args!("   no request was made to fail: that is done on the loopback alone"));
    };
    let figures = &mut story.figures.outbox;
    figures.requests = fired.requests;
    (figures.lost, figures.answers_lost, figures.proxy_errors) = (fired.lost, fired.answer_lost, fired.proxy);
    (figures.rate_limited, figures.slow) = (fired.limited, fired.slow);
    story.say(format_args!(
        "   {}, {} of them in vain: {} lost, {} with the answer lost, {} a proxy's 502, {} a 429; {} slow",
        plural(fired.requests, "request"),
        fired.failed(),
        fired.lost,
        fired.answer_lost,
        fired.proxy,
        fired.limited,
        fired.slow
    ))
}
