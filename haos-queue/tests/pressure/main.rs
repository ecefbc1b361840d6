//! Storage under pressure, over every backend.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clear;
mod common;
mod disk;
mod keeper;
mod tight;
