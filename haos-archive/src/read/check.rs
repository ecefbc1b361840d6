use haos_store_api::{Progress, Result};

use super::archive::{Archive, catalogue};
use crate::format::{Header, Trailer, corrupt};

/// Reads every byte of every file and every record.
pub(super) fn check(archive: &mut Archive, progress: &Progress) -> Result<()> {
    let files: u64 = archive.files.iter().map(|file| file.size).sum();
    let records: u64 = archive.entries().iter().map(|entry| u64::from(entry.length)).sum();
    let (mut done, total) = (0, files + records);
    for file in &mut archive.files {
        // Read for its checks alone: that of the archive itself is known.
        catalogue(file)?;
        let end = file.size - Trailer::BYTES as u64;
        let mut at = Header::BYTES as u64;
        while at < end {
            // Reading compares the checksum, which runs over all of it.
            let length = file.frame(at)?.head.frame_bytes();
            at += length;
            done += length;
            progress.step(done.min(total), total);
        }
        if at != end {
            return Err(corrupt("its parts do not end where its end begins"));
        }
    }
    done = files;
    let lengths: Vec<u64> = archive.entries().iter().map(|entry| u64::from(entry.length)).collect();
    let mut lengths = lengths.into_iter();
    for record in archive.records() {
        record?;
        done += lengths.next().unwrap_or_default();
        progress.step(done.min(total), total);
    }
    progress.step(total, total);
    Ok(())
}
