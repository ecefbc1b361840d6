//! A chat of the front door in a process of its own, which can be killed: a person acts by it, and what they see is
//! kept by the steps alone that its lists give.
//!
//! `haos-e2e-screen` speaks as a [worker](crate::worker) does, and [`Worker`](crate::Worker) is the other end of it: the
//! first line in is a [`WorkerPlan`](crate::WorkerPlan), every later one a command.
//!
//! | `do` | and | done |
//! |---|---|---|
//! | `watch` | `room`, `want` | its timeline is followed from now on, with its newest `want` items |
//! | `act` | `room`, `deed`, `pick`, `text` | `item`: the id of the item that it was done to or is; none if there is no fitting one |
//! | `enter` | `room` | joined |
//! | `remove`, `invite` | `room`, `user` | |
//! | `older` | `room`, `want` | `is_end`, `stopped` |
//! | `read` | `room` | the latest event is marked as read |
//! | `typing` | `room`, `is_typing` | |
//! | `sent` | | `refused`: when nothing is unsent; what the server refuses is tried again, then cancelled |
//! | `sees` | `room`, `event` | when the event shows |
//! | `reads` | `room`, `user` | when it shows that the user has read the latest event |
//! | `types` | `room`, `users` | when these are typing there, by the room and by the list |
//! | `screen` | `path` | writes a [`Screen`] there |
//! | `stop` | | the chat is closed, and it ends |
//!
//! A deed is done to the `pick`th of the newest items on the screen that it fits.

mod act;
mod client;
mod command;
mod flicker;
mod line;
mod mirror;
mod rest;
mod wait;

use std::process::ExitCode;

pub use self::command::{Deed, ScreenCommand};
pub use self::line::{Line, Quoted, RoomLine, Screen};

/// Runs this process as a chat, until its input ends or it is told to stop.
pub fn serve() -> ExitCode {
    crate::worker::run::<client::Watcher>()
}
