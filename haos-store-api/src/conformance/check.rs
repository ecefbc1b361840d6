//! Assertions that return instead of panicking, so that a script can be shrunk.

use std::fmt::Debug;

use super::{Failure, Outcome};
use crate::{ErrorKind, Result};

#[track_caller]
pub(super) fn same<A: PartialEq<B> + Debug, B: Debug>(found: A, expected: B) -> Outcome {
    if found == expected {
        Ok(())
    } else {
        Err(Failure::new(format_args!("\n   found: {found:?}\nexpected: {expected:?}")))
    }
}

#[track_caller]
pub(super) fn holds(truth: bool, law: &str) -> Outcome {
    if truth { Ok(()) } else { Err(Failure::new(format_args!("broken: {law}"))) }
}

#[track_caller]
pub(super) fn fails<T: Debug>(result: Result<T>, kind: ErrorKind) -> Outcome {
    match result {
        Err(error) if error.kind() == kind => Ok(()),
        other => {
            Err(Failure::new(format_args!("\n   found: {other:?}\nexpected: an error of kind {kind:?}")))
        }
    }
}

#[track_caller]
pub(super) fn some<T>(option: Option<T>) -> Result<T, Failure> {
    option.ok_or_else(|| Failure::new("something was expected here, and nothing is"))
}
