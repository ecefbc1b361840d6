//! Damage costs what was damaged: pages of a long store are spoiled at random, and all that lies elsewhere is still
//! there. `HAOS_DAMAGE=1000` makes a long run of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod judge;
mod make;
mod named;
mod outbox;
mod random;
