//! The parts of the command that the demo of the repository uses. No API: it changes as the command does.

pub use crate::clean::clean;
pub use crate::error::{Error, Result};
pub use crate::find::label;
pub use crate::import::recorded_lines;
pub use crate::message::{Fields, body};
pub use crate::notice::notice;
pub use crate::out::Out;
pub use crate::run::{command, haos};
pub use crate::secret::file::line as secret_line;
pub use crate::secret::prompt::{hidden as ask_hidden, is_possible as can_ask};
pub use crate::text::{bytes, number, plural, shorten, why};
