//! Rows into chunks, cut where their ids say so: a row that comes, goes or changes leaves the chunks around it alone.

use crate::format::Tag;

/// A chunk has at least that many rows, unless it is long or the last.
const FEWEST: usize = 64;
/// A chunk has at most that many.
const MOST: usize = 512;
/// A chunk ends once it has that many bytes; a row that would exceed them begins the next.
const BYTES: usize = 256 << 10;
/// One of that many ids ends a chunk.
const ONE_OF: u32 = 128;

/// Rows on their way into chunks.
#[derive(Debug)]
pub(super) struct Cutter {
    tag: Tag,
    raw: Vec<u8>,
    rows: usize,
}

impl Cutter {
    pub(super) fn new(tag: Tag) -> Self {
        Self { tag, raw: Vec::new(), rows: 0 }
    }

    /// Adds a row with its id; gives the chunks that end.
    pub(super) fn push(&mut self, id: &[u8], row: &[u8]) -> impl Iterator<Item = Vec<u8>> + use<> {
        let before = (self.rows > 0 && self.raw.len() + row.len() >= BYTES).then(|| self.end()).flatten();
        match self.rows {
            0 => self.raw.extend_from_slice(&[self.tag as u8, b'[']),
            _ => self.raw.push(b','),
        }
        self.raw.extend_from_slice(row);
        self.rows += 1;
        let is_end = self.rows >= FEWEST && crc32fast::hash(id).is_multiple_of(ONE_OF);
        let is_full = self.rows == MOST || self.raw.len() >= BYTES;
        let after = (is_end || is_full).then(|| self.end()).flatten();
        before.into_iter().chain(after)
    }

    /// Ends the last chunk.
    pub(super) fn end(&mut self) -> Option<Vec<u8>> {
        if self.rows == 0 {
            return None;
        }
        self.rows = 0;
        self.raw.push(b']');
        // The next chunk is about as long.
        let next = Vec::with_capacity(self.raw.len().min(BYTES));
        Some(std::mem::replace(&mut self.raw, next))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn cut(ids: &[u32]) -> Vec<Vec<u8>> {
        let mut cutter = Cutter::new(Tag::State);
        let rows = ids.iter().map(|id| (id.to_be_bytes(), format!("\"{id:0>100}\"")));
        let mut chunks: Vec<_> = rows.flat_map(|(id, row)| cutter.push(&id, row.as_bytes())).collect();
        chunks.extend(cutter.end());
        chunks
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50))]
        #[test]
        fn another_row_changes_few_chunks(from in 0..u32::MAX - 9000, at in 0..4000_usize) {
            let mut ids: Vec<u32> = (from..from + 4000).collect();
            let before = cut(&ids);
            ids.insert(at, from + 8000);
            let after = cut(&ids);
            let known: HashSet<_> = before.iter().collect();
            let new = after.iter().filter(|chunk| !known.contains(chunk)).count();
            prop_assert!(new <= 4, "{new} of {}", after.len());
        }
    }

    #[test]
    fn chunks_are_bounded_and_hold_every_row() {
        let ids: Vec<u32> = (0..5000).collect();
        let chunks = cut(&ids);
        let lists = chunks.iter().map(|chunk| serde_json::from_slice::<Vec<String>>(&chunk[1..]).unwrap());
        let lists: Vec<_> = lists.collect();
        assert!(lists[..lists.len() - 1].iter().all(|list| (FEWEST..=MOST).contains(&list.len())));
        assert_eq!(lists.concat().len(), 5000);
        let mut cutter = Cutter::new(Tag::State);
        let huge = vec![b'1'; 3 * BYTES];
        assert_eq!(cutter.push(b"a", b"1").count(), 0);
        let chunks: Vec<_> = cutter.push(b"b", &huge).collect();
        assert_eq!(
            chunks.iter().map(Vec::len).collect::<Vec<_>>(),
            [4, 3 * BYTES + 3],
            "a huge row stands alone"
        );
        assert_eq!(cutter.end(), None);
    }
}
