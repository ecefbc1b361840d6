//! The contenders: ours, and the floors that do the same job without a contract.

mod floor;
mod haos;
mod kv;
mod packed;
mod redb;
mod rowid;
mod sled;

use haos_contest::{Made, room_id};
use sha2::{Digest, Sha256};

pub use floor::{Floor, Layout};
pub use haos::{Haos, Kind, Memory, SealedSled, SealedSqlite, Sled, Sqlite, stored};
pub use kv::{Kv, Raw, Writes};
pub use packed::Packed;
pub use redb::RawRedb;
pub use rowid::Rowid;
pub use sled::RawSled;

/// The contender of a name does something.
#[macro_export]
macro_rules! with_contender {
    ($name:expr, $call:ident($($arg:expr),*)) => {
        match $name {
            "floor" => $call::<$crate::Floor<$crate::Packed>>($($arg),*),
            "rowid" => $call::<$crate::Floor<$crate::Rowid>>($($arg),*),
            "raw-sled" => $call::<$crate::Raw<$crate::RawSled>>($($arg),*),
            "redb" => $call::<$crate::Raw<$crate::RawRedb>>($($arg),*),
            "memory" => $call::<$crate::Haos<$crate::Memory>>($($arg),*),
            "sqlite" => $call::<$crate::Haos<$crate::Sqlite>>($($arg),*),
            "sqlite-sealed" => $call::<$crate::Haos<$crate::SealedSqlite>>($($arg),*),
            "sled" => $call::<$crate::Haos<$crate::Sled>>($($arg),*),
            "sled-sealed" => $call::<$crate::Haos<$crate::SealedSled>>($($arg),*),
            other => panic!("no contender is called {other}"),
        }
    };
}

/// The names that `with_contender!` knows, in the order of the tables.
pub const CONTENDERS: [&str; 9] =
    ["floor", "rowid", "sqlite", "sqlite-sealed", "memory", "raw-sled", "sled", "sled-sealed", "redb"];

/// The most messages that are read of those that relate to one.
const RELATED: usize = 100;

/// Bytes of a file in a row.
const CHUNK: usize = 64 << 10;

/// The rows that the floors commit: messages, and a sync's other parts.
#[derive(Debug)]
pub struct Rows {
    messages: Vec<Made>,
    token: Option<String>,
    strict: bool,
}

/// 16 bytes that stand for an event of a room.
fn key(room: usize, id: &str) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(&Sha256::new().chain_update(room_id(room)).chain_update(id).finalize()[..16]);
    key
}
