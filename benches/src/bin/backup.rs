//! A backup of a large store: its memory, and its speed beside the floors of the same run: to read the store's file from
//! its device, zstd over the file's bytes, and to write what that packs until the device has it. All are in bytes of the
//! store. On many devices the last is the slowest: `--archives /dev/shm` takes it out of the figure.
//!
//! `cargo run --release -p haos-benches --bin backup -- --messages 1000000 --media-mib 2048`

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark may panic")]

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Parser;
use haos_archive::{Archive, Backup, Encryption, Identity};
use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};

const ROOMS: usize = 200;
const MEDIA_BYTES: usize = 1 << 20;

#[derive(Parser, Clone)]
struct Args {
    /// Messages of the store
    #[arg(long, default_value_t = 100_000)]
    messages: usize,
    /// MiB of media, of which no byte can be packed
    #[arg(long, default_value_t = 205)]
    media_mib: usize,
    /// Level of zstd
    #[arg(long, default_value_t = 3)]
    level: i32,
    /// Encrypt
    #[arg(long)]
    encrypt: bool,
    /// Folder, in which a store that is there already is used
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Folder of the archives, if not the same
    #[arg(long)]
    archives: Option<PathBuf>,
    /// The step that a child does
    #[arg(long, hide = true)]
    step: Option<String>,
}

fn main() {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    match (&args.step, &args.folder) {
        (Some(step), Some(folder)) => runtime.block_on(run(step, folder, &args)),
        _ => steps(&args),
    }
}

/// Each step is a process of its own, so that its memory is its own.
fn steps(args: &Args) {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = args.folder.as_deref().unwrap_or(temporary.path());
    for step in ["make", "floor", "backup", "increment", "check"] {
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child.arg("--step").arg(step).arg("--folder").arg(folder);
        child.arg("--messages").arg(args.messages.to_string());
        child.arg("--media-mib").arg(args.media_mib.to_string());
        child.arg("--level").arg(args.level.to_string());
        if args.encrypt {
            child.arg("--encrypt");
        }
        if let Some(archives) = &args.archives {
            child.arg("--archives").arg(archives);
        }
        assert!(child.status().expect("a process").success(), "{step} failed");
    }
}

async fn run(step: &str, folder: &Path, args: &Args) {
    let db = folder.join("s.db");
    let archives = args.archives.as_deref().unwrap_or(folder);
    let archive = archives.join("a.haos");
    match step {
        "make" if db.exists() => {}
        "make" => make(&db, args).await,
        "floor" => floor(&db, &archives.join("floor"), args.level),
        "backup" => backup(&db, &archive, None, args).await,
        "increment" => backup(&db, &archives.join("b.haos"), Some(&archive), args).await,
        _ => check(&archive, args),
    }
}

async fn open(db: &Path) -> SqliteStore {
    SqliteStore::open(SqliteOptions::new(db)).await.expect("a store")
}

fn noise(bytes: &mut [u8], seed: &mut u64) {
    for eight in bytes.chunks_mut(8) {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (*seed ^ (*seed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        eight.copy_from_slice(&mixed.to_le_bytes()[..eight.len()]);
    }
}

fn message(room: &RoomId, n: usize) -> Message {
    const WORDS: [&str; 12] =
        ["the", "boat", "leaves", "at", "nine", "tomorrow", "and", "who", "brings", "bread", "or", "wine"];
    let body: Vec<&str> =
        (0..8 + n % 23).map(|word| WORDS[(n * 7 + word * word * 5 + n / 11) % WORDS.len()]).collect();
    let content = format!(r#"{{"msgtype":"m.text","body":"{} {n}"}}"#, body.join(" "));
    Message {
        room: room.clone(),
        id: EventId::new(format!("${:016x}{:016x}", n * 0x9e37_79b9, n)).expect("an id"),
        position: Position::FIRST.newer((n / ROOMS) as u64).expect("a position"),
        sender: UserId::new(format!("@user{}:example.org", n % 97)).expect("an id"),
        timestamp_ms: 1_700_000_000_000 + n as i64 * 977,
        kind: EventType::new("m.room.message").expect("a type"),
        state_key: None,
        content: Json::new(content).expect("JSON"),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

async fn make(db: &Path, args: &Args) {
    let store = open(db).await;
    let rooms: Vec<_> =
        (0..ROOMS).map(|n| RoomId::new(format!("!room{n}:example.org")).expect("an id")).collect();
    let mut batch = WriteBatch::relaxed();
    rooms.iter().for_each(|room| {
        batch.put_room(Room::new(room.clone(), Membership::Join));
    });
    store.apply(batch).await.expect("rooms");
    let all: Vec<usize> = (0..args.messages).collect();
    for part in all.chunks(5000) {
        let mut batch = WriteBatch::relaxed();
        part.iter().for_each(|n| {
            batch.put_message(message(&rooms[n % ROOMS], *n));
        });
        store.apply(batch).await.expect("messages");
    }
    let mut seed = 7;
    for n in 0..args.media_mib {
        let mut bytes = vec![0; MEDIA_BYTES];
        noise(&mut bytes, &mut seed);
        let uri = MediaUri::new(format!("mxc://example.org/{n}")).expect("a uri");
        let key = MediaKey { uri, format: MediaFormat::new("").expect("a format") };
        let info = MediaInfo {
            key,
            size: 0,
            mime: None,
            rooms: Vec::new(),
            last_access_ms: n as i64,
            fetched_at_ms: n as i64,
            pinned: false,
        };
        let mut batch = WriteBatch::relaxed();
        batch.put_media(info, bytes);
        store.apply(batch).await.expect("media");
    }
    store.close().await.expect("closed");
}

fn speed(bytes: u64, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}

/// Lets the system forget what it has of a file: what reads it next reads the device.
fn forget(path: &Path) {
    let file = File::open(path).expect("the store's file");
    file.sync_all().expect("synced");
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).expect("forgotten");
}

/// Reads the file, packs what was read, and writes what was packed; each is timed alone.
fn floor(db: &Path, to: &Path, level: i32) {
    forget(db);
    let mut file = File::open(db).expect("the store's file");
    let mut archive = File::create(to).expect("a file");
    let mut packer = zstd::bulk::Compressor::new(level).expect("zstd");
    let mut buffer = vec![0; 256 << 10];
    let (mut read, mut packed, mut written, mut bytes) = (Duration::ZERO, Duration::ZERO, Duration::ZERO, 0);
    loop {
        let start = Instant::now();
        let len = file.read(&mut buffer).expect("bytes");
        read += start.elapsed();
        if len == 0 {
            break;
        }
        let start = Instant::now();
        let payload = packer.compress(&buffer[..len]).expect("packed");
        packed += start.elapsed();
        let start = Instant::now();
        archive.write_all(&payload).expect("written");
        written += start.elapsed();
        bytes += len as u64;
    }
    let start = Instant::now();
    archive.sync_all().expect("synced");
    written += start.elapsed();
    std::fs::remove_file(to).expect("removed");
    let floors = [("read", read), (&*format!("zstd -{level}"), packed), ("write", written)];
    for (name, time) in floors {
        println!("{:<24}{:>10.0} MB/s", format!("floor: {name}"), speed(bytes, time));
    }
    println!("{:<24}{:>10.2} s of processor", "floor: all", cpu());
}

/// A number of `/proc/self/status`, in MiB.
fn status(name: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

/// The processor's time of this process, all threads: on a machine with other work, wall time tells of that too.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

fn keys(args: &Args) -> Option<(Encryption, Identity)> {
    args.encrypt.then(|| (Encryption::passphrase("p").work(10), Identity::passphrase("p")))
}

async fn backup(db: &Path, path: &Path, base: Option<&Path>, args: &Args) {
    forget(db);
    let store = open(db).await;
    // A page and a list, as a frontend has them.
    let rooms = store.rooms(RoomQuery::latest(50)).await.expect("rooms");
    for room in &rooms {
        store.timeline(&room.id, Page::newest(50)).await.expect("a page");
    }
    let usage = store.usage().await.expect("usage");
    let bytes: u64 = usage.collections.iter().map(|(_, size)| size.bytes).sum();
    let before = status("VmRSS");
    let _ =
        File::options().write(true).open("/proc/self/clear_refs").and_then(|mut file| file.write_all(b"5"));
    let keys = keys(args);
    let mut backup = Backup::new().level(args.level).replace(true);
    if let Some((encryption, _)) = &keys {
        backup = backup.encryption(encryption.clone());
    }
    if let Some(base) = base {
        let base = Archive::open_files([base], keys.as_ref().map(|(_, identity)| identity)).expect("a base");
        backup = backup.base(base);
    }
    let (start, cpu_before) = (Instant::now(), cpu());
    let summary = backup.run_to_file(&store, path).await.expect("an archive");
    let time = start.elapsed();
    let written = std::fs::metadata(path).map_or(0, |meta| meta.len());
    println!(
        "{:<24}{:>10.0} MB/s, {:.1} s ({:.2} s of processor), {} messages and {:.0} MB of media in {:.0} MB; {:.1} MiB above the store's {:.1}",
        if base.is_some() { "incremental, no change" } else { "full" },
        speed(bytes, time),
        time.as_secs_f64(),
        cpu() - cpu_before,
        summary.count(Collection::Messages),
        summary.media_bytes as f64 / 1e6,
        written as f64 / 1e6,
        status("VmHWM") - before,
        before,
    );
    store.close().await.expect("closed");
}

fn check(path: &Path, args: &Args) {
    let keys = keys(args);
    let start = Instant::now();
    let mut archive =
        Archive::open_files([path], keys.as_ref().map(|(_, identity)| identity)).expect("an archive");
    archive.check(&Progress::none()).expect("a sound archive");
    let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
    println!(
        "{:<24}{:>10.0} MB/s; {:.1} MiB in all",
        "check",
        speed(bytes, start.elapsed()),
        status("VmHWM")
    );
}
