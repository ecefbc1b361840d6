//! A contender's process.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use haos_contest::{Order, Told};
use tempfile::TempDir;

/// It runs as long as the value lives.
pub(crate) struct Rival {
    child: Child,
    orders: ChildStdin,
    told: BufReader<ChildStdout>,
    folder: TempDir,
    /// The most it ever had in memory, in bytes.
    pub(crate) peak_bytes: u64,
}

impl Rival {
    /// `program name folder rooms`, on an empty folder.
    pub(crate) fn start(program: &Path, name: &str, rooms: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.arg(name).arg(folder.path()).arg(rooms.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (orders, told) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, orders, told: BufReader::new(told), folder, peak_bytes: 0 }
    }

    /// Has it do something.
    pub(crate) fn tell(&mut self, order: &Order) -> Told {
        writeln!(self.orders, "{}", serde_json::to_string(order).unwrap()).unwrap();
        let mut line = String::new();
        self.told.read_line(&mut line).unwrap();
        let told: Told = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{order:?}: {line:?}: {e}"));
        self.peak_bytes = self.peak_bytes.max(told.peak_bytes);
        told
    }

    /// Ends it; tells the size of its files, in bytes.
    pub(crate) fn end(mut self) -> u64 {
        self.tell(&Order::End);
        assert!(self.child.wait().unwrap().success());
        size(self.folder.path())
    }
}

impl Drop for Rival {
    /// Nothing happens if it has ended.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path: PathBuf| if path.is_dir() { size(&path) } else { path.metadata().unwrap().len() }).sum()
}
