//! Tells whether the log beside a store was written on top of it.
//!
//! SQLite does not check: after an unclean end it lays any log that is whole over any file, such as a copy that was
//! restored meanwhile. So each commit leaves a random number in `meta`, beside that of the commit before it. The file
//! itself is always as some commit of its log left it, or as the log's first commit found it.

use std::fs::File;
use std::io::{BufReader, Read, Result};
use std::path::Path;

use haos_store_api::backend::files::beside;

use crate::probe::peek;
use crate::salvage::readable_mark;

/// The number of the commit before, and that of the commit: 8 bytes each.
pub(crate) type Mark = [u8; 16];

/// The next mark, in SQL, where the present one is `value`.
macro_rules! next_mark {
    () => {
        "CAST(substr(value, 9) || randomblob(8) AS BLOB)"
    };
}
pub(crate) use next_mark;

/// The number of attempts to read a file, under another process's writes, until it stands still.
const LOOKS: usize = 8;
/// The size of a store's pages (`docs/format.md`).
const PAGE: usize = 4096;
/// The start of the mark's row: payload length, header length, a text of 6 bytes, a blob of 16, the text.
const ROW: &[u8] = b"\x19\x03\x19\x2ccommit";

/// Returns `false` if the log, laid over the file, would make a state of it that never existed. An undecidable log is
/// trusted.
pub(crate) fn fits(path: &Path) -> bool {
    let log = beside(path, "-wal");
    for _ in 0..LOOKS {
        let Some((page, file)) = mark_of_file(path) else { return true };
        let Ok((salts, marks)) = marks_of_log(&log, page) else { return true };
        // If another process copies its log into the file meanwhile, and begins a new one, the two do not belong
        // together.
        let stands_still = mark_of_file(path) == Some((page, file)) && salts_of(&log).ok() == Some(salts);
        if stands_still {
            return is_on_top(&marks, &file);
        }
    }
    true
}

fn is_on_top(marks: &[Mark], file: &Mark) -> bool {
    let [before, _] = halves(marks.first().unwrap_or(file));
    let [_, now] = halves(file);
    marks.is_empty() || now == before || marks.iter().any(|mark| halves(mark)[1] == now)
}

fn halves(mark: &Mark) -> [&[u8]; 2] {
    let (before, now) = mark.split_at(8);
    [before, now]
}

/// Reads the mark in the file alone, and its page. SQLite would lay a log over a damaged file too: there the page
/// itself is read.
fn mark_of_file(path: &Path) -> Option<(u32, Mark)> {
    sound_mark(path).or_else(|| readable_mark(path))
}

fn sound_mark(path: &Path) -> Option<(u32, Mark)> {
    let conn = peek(path).ok()?;
    let sql =
        "SELECT rootpage, value FROM meta, sqlite_schema AS s WHERE meta.name = 'commit' AND s.name = 'meta'";
    conn.query_row(sql, (), |row| Ok((row.get(0)?, row.get(1)?))).ok()
}

/// Reads the salts of the log's header; see <https://sqlite.org/fileformat2.html#walformat>.
fn salts_of(log: &Path) -> Result<[u8; 8]> {
    salts(&mut File::open(log)?)
}

fn salts(log: &mut impl Read) -> Result<[u8; 8]> {
    let mut header = [0; 32];
    log.read_exact(&mut header)?;
    let mut salts = [0; 8];
    salts.copy_from_slice(&header[16..24]);
    Ok(salts)
}

/// Reads the marks that the log's commits left on `page`, in order.
fn marks_of_log(path: &Path, page: u32) -> Result<([u8; 8], Vec<Mark>)> {
    let mut log = BufReader::with_capacity(1 << 16, File::open(path)?);
    let salts = salts(&mut log)?;
    let (mut marks, mut frame) = (Vec::new(), [0; 24]);
    // Frames of an older log may stand behind those of this one.
    while log.read_exact(&mut frame).is_ok() && frame[8..16] == salts {
        if frame[..4] != page.to_be_bytes() {
            log.seek_relative(PAGE as i64)?;
            continue;
        }
        let mut image = [0; PAGE];
        if log.read_exact(&mut image).is_err() {
            break;
        }
        marks.extend(mark_on(&image));
    }
    Ok((salts, marks))
}

/// Reads the mark on a leaf of `meta`.
fn mark_on(page: &[u8; PAGE]) -> Option<Mark> {
    let number = |at: usize| Some(usize::from(u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?])));
    let rows = (0..number(3)?).map_while(|nr| page.get(number(8 + 2 * nr)?..));
    let mut found = rows.filter_map(|row| row.strip_prefix(ROW)?.first_chunk().copied());
    found.next()
}
