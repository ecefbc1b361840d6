//! Sealed stores: what opens them, and the commands that change that.

mod convert;
mod file;
mod prompt;
mod rekey;
mod rotate;
mod shred;

pub(crate) use convert::{seal, unseal};
pub use file::line as secret_line;
pub use prompt::{hidden as ask_hidden, is_possible as can_ask};
pub(crate) use prompt::{passphrase as ask, word as ask_word};
pub(crate) use rekey::rekey;
pub(crate) use rotate::rotate;
pub(crate) use shred::shred;

use std::io::Write as _;

use haos_store::{KdfLimits, OpenOptions, Opened, Padding, Secret};

use crate::args::{KeyArgs, Pad};
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

/// Reads the secret that the options name, if they name one.
pub(crate) fn given(args: &KeyArgs) -> Result<Option<Given>> {
    let (secret, path) = match (&args.passphrase_file, &args.key_file) {
        (Some(path), _) => (file::passphrase(path)?, path),
        (None, Some(path)) => (file::key(path)?, path),
        (None, None) => return Ok(None),
    };
    Ok(Some(Given { secret, from: path.display().to_string() }))
}

/// How a store is opened, but for the secret.
pub(crate) fn options(args: &KeyArgs) -> OpenOptions {
    let padding = match args.pad {
        Pad::None => Padding::None,
        Pad::Padme => Padding::Padme,
        Pad::Buckets => Padding::Buckets,
    };
    let kdf_limits = if args.any_kdf_cost { KdfLimits::MAX } else { KdfLimits::default() };
    OpenOptions { padding, kdf_limits, ..OpenOptions::default() }
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
