//! What holds in every context of a browser, over the memory store: two outboxes over one store stand for two
//! contexts, which share locks and channels as two pages do.

mod background;
pub(crate) mod context;
mod example;
mod lead;
mod send;
pub(crate) mod server;
