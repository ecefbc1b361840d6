//! A chat in a terminal: it shows a room as it changes, and sends each line that is written.
//!
//! ```sh
//! cargo run -p haos --example chat -- sqlite:chat.db https://matrix.example.org ada '#lobby:example.org'
//! ```
//!
//! Lines that begin with a slash do more: `/edit TEXT` for the own latest message, `/react EMOJI` to the latest, `/older`,
//! `/retry`, `/quit`.

use std::io::IsTerminal as _;
use std::sync::Arc;

use haos::{Chat, Content, Credentials, Timeline, TimelineItem, TimelineItemKind};
use tokio::sync::mpsc;

type Fault = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, server, user, room] = args.as_slice() else {
        return Err("name a store, a homeserver, a user and a room".into());
    };
    let chat = Chat::open(url).name("terminal").await?;
    if !chat.account().is_some_and(|account| account.is_logged_in) {
        println!("password of {user}, which shows as you type it:");
        let mut password = String::new();
        std::io::stdin().read_line(&mut password)?;
        chat.login(server, Credentials::password(user, password.trim_end())).await?;
    }
    let room = match haos::RoomId::new(room) {
        Ok(id) if room.starts_with('!') => chat.room(&id),
        _ => chat.join(room).await?,
    };
    let timeline = room.timeline(30).await?;
    let (mut items, mut diffs) = timeline.subscribe().await?;
    let mut connection = chat.connection();
    let (mut lines, mut state, mut told) = (lines(), String::new(), String::new());
    loop {
        draw(&items, &[&state, &told]);
        tokio::select! {
            steps = diffs.next() => {
                let Some(steps) = steps? else { break };
                for step in steps {
                    step.apply(&mut items)?;
                }
            }
            summary = connection.next() => match summary? {
                Some(summary) => state = format!("{}; {} unsent", summary.connection, summary.unsent),
                None => break,
            },
            line = lines.recv() => match line.as_deref() {
                None | Some("/quit") => break,
                Some("") => told.clear(),
                Some(line) => {
                    let done = match line.strip_prefix('/') {
                        Some(command) => act(&timeline, &items, command).await,
                        None => room.send(line).await.map(drop).map_err(Fault::from),
                    };
                    // What cannot be done is told, and the chat goes on.
                    told = done.err().map(|error| error.to_string()).unwrap_or_default();
                }
            },
        }
    }
    chat.close().await?;
    Ok(())
}

async fn act(timeline: &Timeline, items: &[Arc<TimelineItem>], command: &str) -> Result<(), Fault> {
    let (command, text) = command.split_once(' ').unwrap_or((command, ""));
    let posts = || items.iter().rev().filter(|item| item.post().is_some());
    let own = posts().find(|item| item.post().is_some_and(|post| post.is_own));
    let latest = posts().next();
    match (command, own, latest) {
        ("older", ..) => match items.iter().rfind(|item| matches!(item.kind, TimelineItemKind::Gap)) {
            Some(gap) => drop(timeline.fill(gap).await?),
            None => drop(timeline.older(30).await?),
        },
        ("edit", Some(own), _) => timeline.edit(own, text).await?,
        ("retry", Some(own), _) => timeline.retry(own).await?,
        ("react", _, Some(latest)) => timeline.react(latest, text).await?,
        _ => return Err("/edit TEXT, /react EMOJI, /older, /retry and /quit are known here".into()),
    }
    Ok(())
}

/// Shows the timeline, and the lines below it. What is longer than the screen is above it, where a terminal scrolls to.
fn draw(items: &[Arc<TimelineItem>], below: &[&str]) {
    if std::io::stdout().is_terminal() {
        print!("\x1b[2J\x1b[3J\x1b[H");
    }
    for item in items {
        match &item.kind {
            TimelineItemKind::Day { date, .. } => println!("— {date} —"),
            TimelineItemKind::Gap => println!("⋯ older messages are on the server: /older"),
            TimelineItemKind::ReadMarker => println!("— unread —"),
            TimelineItemKind::Local(local) => println!("{} [{}]", plain(item), local.status),
            TimelineItemKind::Event(_) => println!("{}", plain(item)),
            _ => {}
        }
    }
    for line in below.iter().filter(|line| !line.is_empty()) {
        println!("[{}]", safe(line));
    }
}

fn plain(item: &TimelineItem) -> String {
    let Some(post) = item.post() else { return String::new() };
    let name = post.sender.name.as_deref().unwrap_or(post.sender.id.as_str());
    let mut line = match &post.content {
        _ if post.is_redacted => format!("{name}: (removed)"),
        Content::State(change) => change.sentence(name, None),
        content => format!("{name}: {}", content.plain()),
    };
    line.extend(post.reactions.iter().map(|reaction| format!(" [{} {}]", reaction.key, reaction.count)));
    safe(&line)
}

/// A stranger's text does not steer the terminal, and does not turn the line around.
fn safe(text: &str) -> String {
    let turns = |char| matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|char| if char.is_control() || turns(char) { ' ' } else { char }).collect()
}

/// The lines that are written, read on a thread of their own.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
