use std::path::Path;

use haos_store_api::backend::native::{Options, Profile};

/// The location of a store, a folder, and the way to open it.
///
/// Opening waits for another holder of the folder for 2000 ms, unless [`busy_ms`](Options::busy_ms) is given; also a
/// store of this process that was dropped holds it for a moment.
/// [`Profile::Default`] is 64 MiB of page cache, [`Profile::LowMemory`] 4 MiB, and sled's mode for less space on disk.
///
/// A folder that sled cannot open at all, the most common damage, cannot be read for its outbox: with
/// [`OnDamage::SetAside`](crate::OnDamage::SetAside) the rows are then in the folder that was set aside, and nowhere
/// else. If sled comes up at an older commit, the store continues from there and reports it. Also with
/// [`OnDamage::Refuse`](crate::OnDamage::Refuse), sled itself may have cut off unreadable data.
///
/// ```
/// use haos_store_sled::{OnDamage, SledOptions};
///
/// let options = SledOptions::new("chat").low_memory().busy_ms(500).on_damage(OnDamage::Refuse);
/// assert_eq!(options.path(), std::path::Path::new("chat"));
/// ```
pub type SledOptions = Options;

/// Makes sled's settings for the database in `folder`.
pub(crate) fn settings(profile: Profile, folder: &Path) -> sled::Config {
    // The thread that sled runs every half second also cleans its log: without it the file only grows.
    let config = sled::Config::new().path(folder).flush_every_ms(Some(500));
    match profile {
        Profile::LowMemory => config.cache_capacity(4 << 20).mode(sled::Mode::LowSpace),
        _ => config.cache_capacity(64 << 20).mode(sled::Mode::HighThroughput),
    }
}
