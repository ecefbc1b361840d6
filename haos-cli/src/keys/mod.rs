//! Sealed stores: what opens them, and the commands that change that.

mod args;
mod convert;
mod file;
mod prompt;
mod rekey;
mod rotate;
mod shred;

pub(crate) use args::{KeyArgs, REKEY, RekeyArgs, SEAL, SealArgs, ShredArgs, StoreArg, UnsealArgs};
pub(crate) use convert::{seal, unseal};
pub use file::line as secret_line;
pub use prompt::{hidden as ask_hidden, is_possible as can_ask};
pub(crate) use prompt::{passphrase as ask, word as ask_word};
pub(crate) use rekey::rekey;
pub(crate) use rotate::rotate;
pub(crate) use shred::shred;

use std::io::Write as _;

use haos_store::{OpenOptions, Opened, Secret};

use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;
use crate::text::clean;

/// A secret and where it is from, for messages.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) secret: Secret,
    pub(crate) from: String,
}

impl KeyArgs {
    /// What was given, if anything.
    pub(crate) fn read(&self) -> Result<Option<Given>> {
        let (secret, path) = match (&self.passphrase_file, &self.key_file) {
            (Some(path), _) => (file::passphrase(path)?, path),
            (None, Some(path)) => (file::key(path)?, path),
            (None, None) => return Ok(None),
        };
        Ok(Some(Given { secret, from: path.display().to_string() }))
    }
}

/// Names the damaged copies of a store that a command has left as they were.
fn name_copies(copies: &[String], how: &str, out: &mut Out) -> Result<()> {
    for copy in copies {
        writeln!(
            out,
            "{} is a copy that was set aside as damaged, and {how}: delete it if you need no more of it",
            clean(copy)
        )?;
    }
    Ok(())
}

/// Opens a store that has to be sealed, and gives what opened it.
async fn sealed(target: &Target) -> Result<(Opened, OpenOptions)> {
    let (opened, options) = target.unlocked().await?;
    if !opened.capabilities.sealed {
        opened.store.close().await?;
        let url = &target.url;
        return Err(Error::Unhealthy(format!(
            "{url} is plain and has no keys: seal it with `haos seal {url}`"
        )));
    }
    Ok((opened, options))
}
