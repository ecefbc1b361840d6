/// How much of one answer is read, and how much is kept of what cannot be.
///
/// Memory follows from it: an entry takes up to 2.3 KiB and a few times its bytes until it is stored, however few
/// bytes it came in. So the defaults bound what one answer takes to 1.1 GiB and a few times its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerLimits {
    /// Rooms, events, members, receipts, and whatever else becomes an entry of the store (500,000). With more,
    /// the answer is [`ParseError::TooMuch`](crate::ParseError::TooMuch), and nothing of it is applied. A first
    /// sync of 5,000 rooms has about 300,000.
    pub entries: usize,
    /// The bytes of one event as it came (1 MiB; the specification allows 64 KiB and what the server adds). A
    /// larger one is left out and counted.
    pub event_bytes: usize,
    /// Different things that cannot be read and are kept, an answer (50). The others are counted.
    pub unreadable: usize,
    /// Their bytes, an answer (256 KiB).
    pub unreadable_bytes: usize,
}

impl Default for AnswerLimits {
    fn default() -> Self {
        Self { entries: 500_000, event_bytes: 1 << 20, unreadable: 50, unreadable_bytes: 256 << 10 }
    }
}

impl AnswerLimits {
    /// For devices with little memory: 50,000 entries.
    pub fn low_memory() -> Self {
        Self { entries: 50_000, ..Self::default() }
    }
}
