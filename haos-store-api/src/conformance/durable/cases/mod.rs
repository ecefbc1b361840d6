//! The cases, by their subject.

use std::path::{Path, PathBuf};

use super::sample::*;
use super::steps::*;
use super::{Damages, Durable, Opening, Sealing, Store, Tamper};
use crate::conformance::check::{fails, holds, same, some};
use crate::conformance::make::yield_now;
use crate::conformance::{Failure, Outcome};
use crate::*;

pub(crate) mod aside;
pub(crate) mod convert;
pub(crate) mod damage;
pub(crate) mod disk;
pub(crate) mod kill;
pub(crate) mod leftovers;
pub(crate) mod lifecycle;
#[cfg(unix)]
pub(crate) mod links;
pub(crate) mod maintain;
pub(crate) mod mirror;
pub(crate) mod open;
#[cfg(unix)]
pub(crate) mod planted;
#[cfg(unix)]
pub(crate) mod rights;
pub(crate) mod secrets;
