//! `Homeserver` against a scripted server on the loopback interface.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by panicking")]

mod client;
mod doubt;
mod faults;
mod limits;
mod login;
mod media;
mod odd;
mod reads;
mod refresh;
mod secrets;
mod support;
mod writes;
