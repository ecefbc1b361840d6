//! The timeline of a room.

mod gather;
mod item;
mod profiles;
mod reader;
mod window;

pub use item::{
    Edited, EventItem, LocalItem, Post, Profile, Quote, Reaction, Receipt, SendStatus, ThreadSummary,
    TimelineItem, TimelineItemKind,
};
