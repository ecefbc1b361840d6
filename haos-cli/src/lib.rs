//! `haos`: chat through an offline store, fill, browse and inspect it. The program is all of it; this library is for
//! the demo of the repository, and no API.

#![deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod archive;
mod args;
mod chat;
mod clean;
mod compact;
mod doctor;
mod error;
mod export;
mod find;
mod import;
mod keys;
mod message;
#[cfg(test)]
mod named;
mod notice;
mod open;
mod out;
#[doc(hidden)]
pub mod parts;
mod private;
mod progress;
mod rooms;
mod run;
mod secret;
mod show;
mod text;
mod timeline;
mod views;

use std::process::ExitCode;

/// The program `haos`.
pub fn main() -> ExitCode {
    run::haos(std::env::args_os())
}
