//! Mistakes that a test can make on purpose, to show that the simulation finds them.

/// A mistake that queues have made, here or elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mistake {
    /// The content of an attempted row is changed under its transaction id.
    ReuseTxn,
    /// Every attempt makes a new transaction id.
    NewTxnEachAttempt,
    /// A lease is taken without a new fence.
    SkipFence,
    /// Late errors count, whoever holds the row by then.
    LateErrorsCount,
    /// What the user writes may be lost with the power.
    RelaxedEnqueue,
    /// A failure to connect counts as an attempt.
    CountOffline,
    /// A refused row is removed.
    DeleteOnPermanentFailure,
    /// A row whose holder died is not marked as perhaps sent.
    LoseAmbiguous,
    /// What may have been sent is sent again however long ago that was.
    ResendPastWindow,
    /// A row is sent while an earlier one of its room waits.
    Overtake,
    /// The sync token is stored before its events.
    TokenFirst,
    /// An echo does not remove its row.
    IgnoreEcho,
    /// A row is sent without being marked first.
    SendBeforeLease,
    /// What waited for a sent row still names it by its local id.
    KeepLocalIds,
    /// The server's wish for quiet is ignored.
    IgnoreRetryAfter,
    /// An account that is logged out parks its rows.
    ParkOnLogout,
    /// A gap is dropped because what follows looks complete.
    DropGapByGuess,
    /// Rows left in `Sending` by a crash are never taken up.
    NeverRecover,
    /// An age is a difference of what the wall clock showed.
    BelieveTheWall,
}

impl Mistake {
    /// Every mistake.
    pub const ALL: [Self; 19] = [
        Self::ReuseTxn,
        Self::NewTxnEachAttempt,
        Self::SkipFence,
        Self::LateErrorsCount,
        Self::RelaxedEnqueue,
        Self::CountOffline,
        Self::DeleteOnPermanentFailure,
        Self::LoseAmbiguous,
        Self::ResendPastWindow,
        Self::Overtake,
        Self::TokenFirst,
        Self::IgnoreEcho,
        Self::SendBeforeLease,
        Self::KeepLocalIds,
        Self::IgnoreRetryAfter,
        Self::ParkOnLogout,
        Self::DropGapByGuess,
        Self::NeverRecover,
        Self::BelieveTheWall,
    ];
}

std::thread_local! {
    static MADE: std::cell::Cell<Option<Mistake>> = const { std::cell::Cell::new(None) };
}

/// Makes a mistake on this thread from now on; none: makes no more.
pub fn make(mistake: Option<Mistake>) {
    MADE.set(mistake);
}

pub(crate) fn is_made(mistake: Mistake) -> bool {
    MADE.get() == Some(mistake)
}
