use crate::RetryPolicy;

const SECOND_MS: u64 = 1000;
const HOUR_MS: u64 = 3600 * SECOND_MS;

/// How an outbox behaves. The defaults fit a chat client of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxOptions {
    /// When a row is tried again.
    pub retry: RetryPolicy,
    /// The effect of a parked row on those behind it.
    pub order: Order,
    /// Rooms that are sent to at once (4).
    pub parallel_rooms: usize,
    /// Uploads at once (2).
    pub parallel_uploads: usize,
    /// How long a lease lasts without renewal (30 s).
    pub lease_ms: u64,
    /// How often a lease is renewed (10 s).
    pub renew_ms: u64,
    /// When an unsent row parks as expired (7 days).
    pub expiry_ms: u64,
    /// How long after the first attempt the server surely knows the transaction id (20 h).
    pub ambiguity_ms: u64,
    /// How long after an attempt without an answer it may still be processed (2 minutes).
    pub settle_ms: u64,
    /// How many pages of history a proof of absence may read (50).
    pub proof_pages: u32,
    /// The size of such a page, in events (100).
    pub proof_page: usize,
    /// Bytes of content that the server takes (60,000: Matrix takes 65,536 with all around it).
    pub max_content_bytes: usize,
    /// Bytes of content that it takes in an encrypted room (44,000: the ciphertext is a third longer).
    pub max_sealed_bytes: usize,
    /// How long a request may take (30 s).
    pub request_ms: u64,
    /// How long it may take until a row of an encrypted room is sealed, requests included (2 minutes).
    pub prepare_ms: u64,
    /// How long an upload may go without progress (60 s).
    pub stall_ms: u64,
    /// How long a sent row may wait for its echo before the server is asked for the event (60 s).
    pub echo_ms: u64,
}

impl Default for OutboxOptions {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            order: Order::Strict,
            parallel_rooms: 4,
            parallel_uploads: 2,
            lease_ms: 30 * SECOND_MS,
            renew_ms: 10 * SECOND_MS,
            expiry_ms: 7 * 24 * HOUR_MS,
            ambiguity_ms: 20 * HOUR_MS,
            settle_ms: 120 * SECOND_MS,
            proof_pages: 50,
            proof_page: 100,
            max_content_bytes: 60_000,
            max_sealed_bytes: 44_000,
            request_ms: 30 * SECOND_MS,
            prepare_ms: 120 * SECOND_MS,
            stall_ms: 60 * SECOND_MS,
            echo_ms: 60 * SECOND_MS,
        }
    }
}

/// The effect of a parked row on those behind it in its room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// They wait: messages arrive in the order in which they were written, or not yet.
    #[default]
    Strict,
    /// They overtake it.
    SkipParked,
}
