//! Stores that fail: as a plan says, at a write of one's choice, when they are full.

mod brittle;
mod faulty;
mod tight;

pub use brittle::{Blow, Blows, Brittle};
pub use faulty::FaultyStore;
pub(crate) use faulty::{Log, classes, peek};
pub use tight::Tight;
