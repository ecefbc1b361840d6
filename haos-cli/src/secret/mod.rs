//! Secrets: from files, or typed at the terminal.

pub(crate) mod file;
pub(crate) mod prompt;

use haos_store::{KdfLimits, OpenOptions, Padding, Secret};

use crate::args::{KeyArgs, Pad};
use crate::error::Result;

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
