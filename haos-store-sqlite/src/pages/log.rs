//! The whole commits in a write-ahead log: see <https://sqlite.org/fileformat2.html#walformat>.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};

use super::PAGE;
use super::number::word;

const HEADER: usize = 32;
const FRAME: usize = 24;
/// The start of a log; its last bit tells the order of the bytes that the checksums run over.
const MAGIC: u32 = 0x377F_0682;

/// The latest place of each page in the log, and the number of pages that the database then has.
#[derive(Debug, Default)]
pub(super) struct Frames {
    pub(super) places: HashMap<u32, u64>,
    pub(super) pages: Option<u32>,
}

impl Frames {
    /// Reads the commits that SQLite would read: up to the first frame that is not of this log or not whole.
    pub(super) fn of(file: &File) -> Self {
        let mut found = Self::default();
        let mut log = BufReader::with_capacity(1 << 16, file);
        let mut header = [0; HEADER];
        if log.read_exact(&mut header).is_err() {
            return found;
        }
        let magic = word(&header, 0).unwrap_or_default();
        let size = word(&header, 8).unwrap_or_default();
        if magic & !1 != MAGIC || size as usize != PAGE {
            return found;
        }
        let mut sum = Sum { is_big: magic & 1 == 1, parts: [0, 0] };
        sum.add(&header[..24]);
        if !sum.is(&header[24..]) {
            return found;
        }
        let salts = &header[16..24];
        let (mut open, mut at) = (Vec::new(), HEADER as u64);
        let (mut frame, mut page) = ([0; FRAME], vec![0; PAGE]);
        while log.read_exact(&mut frame).is_ok() && log.read_exact(&mut page).is_ok() {
            sum.add(&frame[..8]);
            sum.add(&page);
            if &frame[8..16] != salts || !sum.is(&frame[16..]) {
                break;
            }
            open.push((word(&frame, 0).unwrap_or_default(), at + FRAME as u64));
            at += (FRAME + PAGE) as u64;
            // A frame that ends a commit has the size of the database.
            if let Some(pages) = word(&frame, 4).filter(|pages| *pages > 0) {
                found.places.extend(open.drain(..));
                found.pages = Some(pages);
            }
        }
        found
    }
}

/// The checksum of a log, which runs on from frame to frame.
struct Sum {
    is_big: bool,
    parts: [u32; 2],
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let [mut a, mut b] = self.parts;
        let read = if self.is_big { u32::from_be_bytes } else { u32::from_le_bytes };
        for pair in bytes.as_chunks::<8>().0 {
            let [x0, x1, x2, x3, y0, y1, y2, y3] = *pair;
            a = a.wrapping_add(read([x0, x1, x2, x3])).wrapping_add(b);
            b = b.wrapping_add(read([y0, y1, y2, y3])).wrapping_add(a);
        }
        self.parts = [a, b];
    }

    fn is(&self, stored: &[u8]) -> bool {
        (word(stored, 0), word(stored, 4)) == (Some(self.parts[0]), Some(self.parts[1]))
    }
}
