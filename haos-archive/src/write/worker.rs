use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};

use haos_store_api::{Error, ErrorKind, Result};

use super::packing::Chunk;
use crate::format::{Frame, Packer};

/// The most threads that pack.
const MOST: usize = 3;

/// A thread that packs chunks, one after the other.
pub(super) struct Worker {
    /// Absent once the thread ends.
    chunks: Option<Sender<Chunk>>,
    frames: Receiver<Result<Frame>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread for each processor but one, which reads rows; none if there is one processor, or if the system
    /// gives no thread.
    pub(super) fn several(level: i32) -> Result<Vec<Self>> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let mut workers = Vec::new();
        while workers.len() < (processors - 1).min(MOST) {
            match Self::start(Packer::new(level)?) {
                Some(worker) => workers.push(worker),
                None => break,
            }
        }
        Ok(workers)
    }

    fn start(mut packer: Packer) -> Option<Self> {
        let (chunks, inbox) = channel::<Chunk>();
        let (outbox, frames) = channel();
        let thread = thread::Builder::new().name("haos-backup-pack".to_owned());
        let thread = thread.spawn(move || {
            // It ends where nobody wants the frames any more.
            let _ = inbox.iter().try_for_each(|chunk| outbox.send(chunk.pack(&mut packer)));
        });
        let thread =
            thread.inspect_err(|error| tracing::debug!(%error, "chunks are packed without a thread"));
        Some(Self { chunks: Some(chunks), frames, thread: Some(thread.ok()?) })
    }

    /// Gives it the next chunk.
    pub(super) fn give(&self, chunk: Chunk) -> Result<()> {
        let given = self.chunks.as_ref().and_then(|chunks| chunks.send(chunk).ok());
        given.ok_or_else(ended)
    }

    /// Takes the next frame; if it is not packed yet, `waits` for it or returns none.
    pub(super) fn take(&self, waits: bool) -> Result<Option<Frame>> {
        let frame = match waits {
            true => self.frames.recv().map_err(|_| TryRecvError::Disconnected),
            false => self.frames.try_recv(),
        };
        match frame {
            Ok(frame) => frame.map(Some),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(ended()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.chunks = None;
        if let Some(thread) = self.thread.take() {
            // A panic was told by the frame that did not come.
            let _ = thread.join();
        }
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Other, "backup", "a thread that packs has panicked: report it, and try again")
}
