//! The collections: reading each from the tree, and writing it into a layer with its indexes.

mod gap;
mod media;
mod message;
mod pending;
mod room;
mod state;
