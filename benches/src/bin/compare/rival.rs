//! A contender's process.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use haos_benches::measure::size;
use haos_contest::{Order, Told};
use tempfile::TempDir;

/// It runs as long as the value lives.
pub(crate) struct Rival {
    child: Child,
    orders: ChildStdin,
    told: BufReader<ChildStdout>,
    folder: TempDir,
}

impl Rival {
    /// `program name folder rooms`, on an empty folder.
    pub(crate) fn start(program: &Path, name: &str, rooms: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.arg(name).arg(folder.path()).arg(rooms.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (orders, told) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, orders, told: BufReader::new(told), folder }
    }

    /// Has it do something.
    pub(crate) fn tell(&mut self, order: &Order) -> Told {
        writeln!(self.orders, "{}", serde_json::to_string(order).unwrap()).unwrap();
        let mut line = String::new();
        self.told.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{order:?}: {line:?}: {e}"))
    }

    /// The size of its files, in bytes.
    pub(crate) fn size(&self) -> u64 {
        size(self.folder.path())
    }

    /// Ends it.
    pub(crate) fn end(mut self) {
        self.tell(&Order::End);
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Rival {
    /// Nothing happens if it has ended.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
