//! A backend of the HAOS offline store, as an engineer outside its workspace would write one.

mod rows;
mod store;

pub use store::ShelfStore;
