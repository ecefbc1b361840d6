//! What the program says to who asks for what it does not do.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

#[test]
fn an_argument_is_refused_before_anything_is_built() {
    let said = Command::new(env!("CARGO_BIN_EXE_haos-weigh")).arg("--help").output().unwrap();
    assert_eq!(said.status.code(), Some(2));
    assert_eq!(String::from_utf8(said.stderr).unwrap(), "usage: haos-weigh [--front] [--bless]\n");
}
