use haos_store_api::Progress;

/// The progress, in bytes of rows and media.
#[derive(Debug)]
pub(super) struct Meter {
    progress: Progress,
    done: u64,
    total: u64,
}

impl Meter {
    pub(super) fn new(progress: Progress, total: u64) -> Self {
        Self { progress, done: 0, total }
    }

    pub(super) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        self.progress.step(self.done.min(self.total), self.total);
    }

    pub(super) fn end(&self) {
        self.progress.step(self.total, self.total);
    }
}
