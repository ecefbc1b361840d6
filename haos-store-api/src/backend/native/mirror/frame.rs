//! The bytes of the mirror: a head, then frames. Each part has a checksum; a reader goes on behind a damaged frame.

use crate::files::StoreId;
use crate::kv::Cut;
use crate::{Codec, Crc32, Key, Pending, PendingColumns, Result, Revision};

/// The format of the file. A later layout takes the next number.
pub(super) const FORMAT: u32 = 1;
/// The first bytes of every mirror.
const MAGIC: [u8; 8] = *b"HAOSOUT\n";
/// The first bytes of every frame.
const START: [u8; 4] = [0xF7, b'H', b'O', 0x0B];
/// Start, kind and length stand before a frame's body, and the checksum after it.
const AROUND: usize = START.len() + 1 + 4 + 4;
/// A reader checks at most this many times the bytes of the file, whatever the file pretends.
const EFFORT: usize = 4;

/// The beginning of a mirror, which is written whole: with it stand all rows of one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) id: Option<StoreId>,
    /// Tells under which keys the rows are.
    pub(super) check: Key,
    pub(super) keyring: Option<Vec<u8>>,
    pub(super) mark: Mark,
    /// The latest sequence number given.
    pub(super) last_seq: u64,
    /// The number of rows that follow at once.
    pub(super) rows: u32,
}

/// The state of the store that the mirror knows of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The system's run, a number of chance, or 0.
    pub(super) boot: u64,
    pub(super) revision: Revision,
    /// True if the store was closed, and nothing was to follow.
    pub(super) closed: bool,
}

/// An outbox row as the store has it: columns, and the codec's payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPending {
    /// Its transaction's key.
    pub key: Key,
    /// Its sequence number.
    pub seq: u64,
    /// The earliest moment of its next attempt.
    pub not_before_ms: i64,
    /// The revision of its latest change.
    pub revision: Revision,
    /// The other fields.
    pub payload: Vec<u8>,
}

impl StoredPending {
    /// Reads the row.
    pub(super) fn read(&self, codec: &Codec) -> Result<Pending> {
        let Self { seq, not_before_ms, revision, .. } = *self;
        let columns = PendingColumns { seq, room: None, not_before_ms, revision };
        codec.pending(&self.key, columns, &self.payload)
    }
}

/// An entry of the log. `by` is the number of chance of the handle that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame {
    /// The row stands in the store.
    Row { by: u64, row: StoredPending },
    /// The store has no such row as of a revision.
    Gone { by: u64, key: Key, revision: Revision },
    /// The next commit may change or remove the row; the same handle then tells what became of it.
    Intent { by: u64, key: Key },
    /// The mirror knows all up to a revision.
    Known(Mark),
}

const ROW: u8 = 1;
const GONE: u8 = 2;
const INTENT: u8 = 3;
const KNOWN: u8 = 4;

impl Head {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_be_bytes());
        bytes.extend(Crc32::of(&bytes).to_be_bytes());
        let mut body = self.id.map_or([0; 16], |id| id.0).to_vec();
        body.push(self.id.is_some().into());
        body.extend(self.check.as_bytes());
        self.mark.encode(&mut body);
        body.extend(self.last_seq.to_be_bytes());
        body.extend(self.rows.to_be_bytes());
        body.push(self.keyring.is_some().into());
        body.extend(self.keyring.iter().flatten());
        let start = bytes.len();
        bytes.extend(length(&body));
        bytes.extend(body);
        bytes.extend(Crc32::of(&bytes[start..]).to_be_bytes());
        bytes
    }

    fn parse(body: &[u8]) -> Result<Self> {
        let mut cut = Cut(body);
        let id = StoreId(*cut.key()?.as_bytes());
        let id = (cut.byte()? != 0).then_some(id);
        let check = cut.key()?;
        let (mark, last_seq, rows) = (Mark::cut(&mut cut)?, cut.count()?, cut.nr()?);
        let keyring = (cut.byte()? != 0).then(|| cut.0.to_vec());
        Ok(Self { id, check, keyring, mark, last_seq, rows })
    }
}

impl Mark {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.boot.to_be_bytes());
        bytes.extend(self.revision.0.to_be_bytes());
        bytes.push(self.closed.into());
    }

    fn cut(cut: &mut Cut<'_>) -> Result<Self> {
        Ok(Self { boot: cut.count()?, revision: cut.revision()?, closed: cut.byte()? != 0 })
    }
}

impl Frame {
    /// Appends the frame's bytes.
    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        let mut body = Vec::new();
        let kind = match self {
            Self::Row { by, row } => {
                body.extend(by.to_be_bytes());
                body.extend(row.key.as_bytes());
                body.extend(row.seq.to_be_bytes());
                body.extend(row.not_before_ms.to_be_bytes());
                body.extend(row.revision.0.to_be_bytes());
                body.extend(&row.payload);
                ROW
            }
            Self::Gone { by, key, revision } => {
                body.extend(by.to_be_bytes());
                body.extend(key.as_bytes());
                body.extend(revision.0.to_be_bytes());
                GONE
            }
            Self::Intent { by, key } => {
                body.extend(by.to_be_bytes());
                body.extend(key.as_bytes());
                INTENT
            }
            Self::Known(mark) => {
                mark.encode(&mut body);
                KNOWN
            }
        };
        bytes.extend(START);
        let checked = bytes.len();
        bytes.push(kind);
        bytes.extend(length(&body));
        bytes.extend(body);
        let sum = Crc32::of(&bytes[checked..]);
        bytes.extend(sum.to_be_bytes());
    }

    fn parse(kind: u8, body: &[u8]) -> Result<Option<Self>> {
        let mut cut = Cut(body);
        Ok(Some(match kind {
            ROW => {
                let (by, key, seq) = (cut.count()?, cut.key()?, cut.count()?);
                let (not_before_ms, revision) = (cut.int()?, cut.revision()?);
                let payload = cut.0.to_vec();
                Self::Row { by, row: StoredPending { key, seq, not_before_ms, revision, payload } }
            }
            GONE => Self::Gone { by: cut.count()?, key: cut.key()?, revision: cut.revision()? },
            INTENT => Self::Intent { by: cut.count()?, key: cut.key()? },
            KNOWN => Self::Known(Mark::cut(&mut cut)?),
            _ => return Ok(None),
        }))
    }
}

fn length(body: &[u8]) -> [u8; 4] {
    // No payload comes near that: `files` are read up to a limit below it.
    u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// The kind of a file, as its first bytes tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A mirror of this format.
    Ours(Head),
    /// A mirror of a later format.
    Later(u32),
    /// A mirror whose head is damaged.
    Damaged,
    /// Nothing that this library has written.
    Foreign,
}

/// The readable part of a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) kind: Kind,
    pub(super) frames: Vec<Frame>,
    /// True if bytes between the frames or behind them are none of ours.
    pub(super) has_holes: bool,
}

/// Reads all readable parts.
pub(super) fn scan(bytes: &[u8]) -> Scan {
    let (kind, start) = head(bytes);
    if let Kind::Later(_) = kind {
        return Scan { kind, frames: Vec::new(), has_holes: false };
    }
    let (mut frames, mut has_holes, mut at) = (Vec::new(), false, start);
    let mut effort = bytes.len().saturating_mul(EFFORT);
    while at < bytes.len() && effort > 0 {
        match frame(&bytes[at..], &mut effort) {
            Some((frame, used)) => {
                frames.extend(frame);
                at += used;
            }
            None => {
                has_holes = true;
                let rest = bytes.get(at + 1..).unwrap_or_default();
                at += 1 + rest.windows(START.len()).position(|part| part == START).unwrap_or(rest.len());
            }
        }
    }
    let kind = match kind {
        Kind::Foreign if !frames.is_empty() || bytes.is_empty() => Kind::Damaged,
        kind => kind,
    };
    Scan { kind, frames, has_holes: has_holes || at < bytes.len() }
}

/// Reads the head; gives the place behind it, if that is known.
fn head(bytes: &[u8]) -> (Kind, usize) {
    let Some((first, rest)) = bytes.split_first_chunk::<12>() else { return (Kind::Foreign, 0) };
    let damaged = || if first.starts_with(&MAGIC) { Kind::Damaged } else { Kind::Foreign };
    let Some((sum, rest)) = rest.split_first_chunk::<4>() else { return (damaged(), 0) };
    if !first.starts_with(&MAGIC) || u32::from_be_bytes(*sum) != Crc32::of(first) {
        return (damaged(), 0);
    }
    let format = first.last_chunk::<4>().map_or(0, |format| u32::from_be_bytes(*format));
    if format > FORMAT {
        return (Kind::Later(format), 0);
    }
    let parse = || {
        let body = rest.split_first_chunk::<4>().map(|(len, body)| (u32::from_be_bytes(*len) as usize, body));
        let (body, rest) = body.and_then(|(len, body)| body.split_at_checked(len))?;
        let (sum, _) = rest.split_first_chunk::<4>()?;
        let is_sound = u32::from_be_bytes(*sum) == Crc32::of(&bytes[16..16 + 4 + body.len()]);
        let head = is_sound.then(|| Head::parse(body).ok())??;
        Some((Kind::Ours(head), 16 + 4 + body.len() + 4))
    };
    parse().unwrap_or((Kind::Damaged, 0))
}

/// Reads the frame at the start of the bytes, and its length. A frame of an unknown kind is passed over.
fn frame(bytes: &[u8], effort: &mut usize) -> Option<(Option<Frame>, usize)> {
    let rest = bytes.strip_prefix(&START)?;
    let (&[kind, a, b, c, d], rest) = rest.split_first_chunk::<5>()?;
    let len = u32::from_be_bytes([a, b, c, d]) as usize;
    let (body, rest) = rest.split_at_checked(len)?;
    let sum = rest.first_chunk::<4>()?;
    *effort = effort.saturating_sub(AROUND + len);
    let checked = &bytes[START.len()..START.len() + 5 + len];
    if u32::from_be_bytes(*sum) != Crc32::of(checked) {
        return None;
    }
    Some((Frame::parse(kind, body).ok()?, AROUND + len))
}
