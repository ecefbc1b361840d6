//! The captured answers, carried by the binary.

use std::path::{Path, PathBuf};

use haos_cli::parts::{Error, Result};

macro_rules! capture {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../fixtures/matrix/big/", $name)).as_slice())
    };
}

type Capture = (&'static str, &'static [u8]);

/// Every event of the account in one sync: what the others are compared with, never imported.
pub(super) const UNLIMITED: Capture = capture!("initial_sync_unlimited.json.zst");
/// The same moment with the 20 newest events of each room.
pub(super) const INITIAL: Capture = capture!("initial_sync_limit20.json.zst");
/// The older events, page by page.
pub(super) const PAGES: Capture = capture!("messages_pages.jsonl.zst");
/// The later syncs.
pub(super) const SYNCS: Capture = capture!("incremental_syncs.jsonl.zst");

/// The captures to import, as files.
pub(super) struct Captures {
    pub(super) initial: PathBuf,
    pub(super) pages: PathBuf,
    pub(super) syncs: PathBuf,
}

impl Captures {
    pub(super) fn write(folder: &Path) -> Result<Self> {
        let write = |(name, bytes): Capture| {
            let path = folder.join(name);
            std::fs::write(&path, bytes)
                .map_err(|e| Error::Failed(format!("{} cannot be written: {e}", path.display())))?;
            Ok::<_, Error>(path)
        };
        Ok(Self { initial: write(INITIAL)?, pages: write(PAGES)?, syncs: write(SYNCS)? })
    }
}

/// A capture as it was before compression.
pub(super) fn text((name, bytes): Capture) -> Result<String> {
    let bytes = zstd::decode_all(bytes).map_err(|e| Error::Failed(format!("{name}: {e}")))?;
    String::from_utf8(bytes).map_err(|e| Error::Failed(format!("{name}: {e}")))
}
