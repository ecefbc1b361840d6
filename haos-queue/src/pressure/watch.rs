use tokio::sync::watch;

use super::Level;

/// A store's level, watched. Levels that come and go while nobody looks are not told.
#[derive(Debug, Clone)]
pub struct LevelWatch(pub(super) watch::Receiver<Level>);

impl LevelWatch {
    /// The level now.
    pub fn level(&self) -> Level {
        *self.0.borrow()
    }

    /// Waits for another level; `None` once the kept store is gone.
    pub async fn changed(&mut self) -> Option<Level> {
        self.0.changed().await.ok()?;
        Some(*self.0.borrow_and_update())
    }
}
