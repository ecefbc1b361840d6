use haos_queue::EnqueueError;

/// The reason why something was not done. What was written before stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] haos_store_api::Error),
    /// The message can never be sent; it was not taken.
    #[error(transparent)]
    Unsendable(#[from] EnqueueError),
    /// It is not there.
    #[error("{what} is not here: {hint}")]
    NotFound {
        /// What was asked for.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// It cannot be done with this.
    #[error("{0}")]
    Refused(&'static str),
}

/// The outcome of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;
