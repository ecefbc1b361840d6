//! The properties of the fuzz targets: each module is one of bytes that nobody has checked yet.
//!
//! It is not a test of behaviour: `cargo xtask fuzz` looks for inputs that break a property, and the suites of the
//! crates define the right behaviour.

pub mod answers;
pub mod archive;
pub mod cursor;
pub mod decode_row;
pub mod frame;
pub mod hostile_store;
pub mod key_order;
pub mod open_sealed;
pub mod script;
pub mod sync_json;

/// Makes a folder in memory where the system has such a place: stores sync often.
fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::TempDir::new_in(memory) } else { tempfile::TempDir::new() };
    folder.expect("a temporary folder")
}

/// Runs a future to its end on this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}
