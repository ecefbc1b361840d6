//! Archives of a store, and stores moved into others.

mod backup;
mod keys;
mod move_store;
mod report;
mod restore;

pub(crate) use backup::run as backup;
pub(crate) use move_store::run as move_store;
pub(crate) use restore::run as restore;

use haos_store::{Error as StoreError, ErrorKind};

use crate::error::Error;

/// An error about a file that the command names, rather than about the store.
fn of_the_file(error: StoreError) -> Error {
    use ErrorKind::{Corrupt, Invalid, NewerSchema, NotSealed, Sealed, Unsupported, WrongKey};
    match error.kind() {
        Corrupt | Invalid | NewerSchema | NotSealed | Sealed | Unsupported | WrongKey => {
            Error::Input(error.to_string())
        }
        _ => error.into(),
    }
}
