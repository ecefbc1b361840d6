//! The collections: how each is read from the tree, and written into a draft with its indexes.

mod gap;
mod media;
mod message;
mod pending;
mod room;
mod state;
