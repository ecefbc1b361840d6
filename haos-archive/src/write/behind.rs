use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

/// The writes that wait for the thread, at most: of media, some MiB.
const WAITING: usize = 4;
/// The bytes after which the device is to have what was written, so that little is left to wait for at the end.
const SYNC_BYTES: usize = 32 << 20;

/// A file that a thread of its own writes: packing goes on meanwhile.
#[derive(Debug)]
pub(super) struct Behind {
    /// Absent once the thread ends.
    to: Option<SyncSender<Vec<u8>>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Behind {
    pub(super) fn begin(file: File) -> io::Result<Self> {
        let (to, from) = sync_channel(WAITING);
        let thread = thread::Builder::new().name("haos-backup".to_owned());
        let thread = thread.spawn(move || write(&file, &from))?;
        Ok(Self { to: Some(to), thread: Some(thread) })
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// That of the first write that failed.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.join()
    }

    fn join(&mut self) -> io::Result<()> {
        self.to = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(written)) => written,
            Some(Err(_)) => Err(io::Error::other("the thread that writes has panicked")),
            None => Ok(()),
        }
    }
}

/// Writes what comes. A thread beside waits for the device: it would hold up the next writes.
fn write(mut file: &File, from: &Receiver<Vec<u8>>) -> io::Result<()> {
    thread::scope(|scope| {
        let (sync, due) = sync_channel(1);
        let thread = thread::Builder::new().name("haos-backup-sync".to_owned());
        let synced = thread.spawn_scoped(scope, move || due.iter().try_for_each(|()| file.sync_data()))?;
        let mut unsynced = 0;
        for bytes in from {
            file.write_all(&bytes)?;
            unsynced += bytes.len();
            if unsynced >= SYNC_BYTES {
                match sync.try_send(()) {
                    Ok(()) => unsynced = 0,
                    Err(TrySendError::Full(())) => {}
                    Err(TrySendError::Disconnected(())) => break,
                }
            }
        }
        drop(sync);
        synced.join().unwrap_or_else(|_| Err(io::Error::other("the thread that syncs has panicked")))
    })
}

impl Write for Behind {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(to) = &self.to
            && to.send(bytes.to_vec()).is_ok()
        {
            return Ok(bytes.len());
        }
        // The thread ended by itself.
        self.join().and(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What was handed over before an interruption is written: it is taken up from there.
impl Drop for Behind {
    fn drop(&mut self) {
        let _ = self.join();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_written_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut behind = Behind::begin(File::create(&path).unwrap()).unwrap();
        let mut expected = Vec::new();
        for n in 0..200_u8 {
            let bytes = vec![n; usize::from(n) * 1000];
            behind.write_all(&bytes).unwrap();
            expected.extend(bytes);
        }
        behind.end().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), expected);
    }

    #[test]
    fn a_write_that_fails_is_told_by_the_next_or_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"").unwrap();
        let begin = || Behind::begin(File::open(&path).unwrap()).unwrap();
        let mut behind = begin();
        behind.write_all(b"x").unwrap();
        let expected = behind.end().unwrap_err().kind();
        let mut behind = begin();
        let told = (0..1000).find_map(|_| behind.write_all(b"x").err()).unwrap();
        assert_eq!(told.kind(), expected, "{told}");
        assert_ne!(expected, io::ErrorKind::BrokenPipe);
    }
}
