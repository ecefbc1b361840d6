//! The timeline of a room.

mod item;

pub use item::{
    Edited, EventItem, LocalItem, Post, Profile, Quote, Reaction, Receipt, SendStatus, ThreadSummary,
    TimelineItem, TimelineItemKind,
};
