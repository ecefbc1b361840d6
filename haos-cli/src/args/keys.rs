//! The options that name secrets. None takes a secret itself: arguments and variables of a process are
//! for everybody to see.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

const SEAL: &str = "Seal a plain store: from then on it opens with a passphrase or a key alone.

Nobody may have the store open meanwhile. It is written once more beside the old one, which it replaces when it \
is whole; cut off, whatever the reason, the same command finishes it. Plain bytes of before may remain in \
blocks that the disk has set free, in snapshots and in backups. A store that `haos import` makes with --passphrase-file or --key-file is sealed \
from its first byte.";

const REKEY: &str = "Change who can open a sealed store. Without options: ask for a new passphrase.

No row is touched: it takes milliseconds at any size. An old copy of the store opens with its old \
passphrase still, and whoever has both can read later copies, too. Against that only new keys help: `haos \
unseal` and `haos seal`, or a fresh store.";

/// The options that open a sealed store.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct KeyArgs {
    /// The passphrase of a sealed store: the first line of this file. Without it, a terminal is asked
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "key_file")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The key of a sealed store: 32 bytes, or 64 hex digits
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Hide the lengths of rows that are written to a sealed store: for an eighth more bytes (padme), or for up to
    /// twice as many (buckets). `haos rotate` pads what is there
    #[arg(long, global = true, value_enum, value_name = "HOW", default_value_t)]
    pub(crate) pad: Pad,
    /// Open a store whatever memory and time its passphrase asks for
    #[arg(long, global = true)]
    pub(crate) any_kdf_cost: bool,
}

/// The lengths of sealed rows, as others see them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pad {
    /// The length of each, to the byte
    #[default]
    None,
    /// A few bits of it
    Padme,
    /// The next power of two, from 256 bytes on
    Buckets,
}

/// The store of a command that changes all of it.
#[derive(Debug, Args)]
pub(crate) struct StoreArg {
    /// The store, instead of --store
    #[arg(value_name = "STORE")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Args)]
#[command(long_about = SEAL)]
pub(crate) struct SealArgs {
    #[command(flatten)]
    pub(crate) store: StoreArg,
    /// The new passphrase: the first line of this file. Without it, a terminal is asked
    #[arg(long, value_name = "FILE", conflicts_with = "new_key_file")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
    /// A new key instead of a passphrase: 32 bytes, or 64 hex digits. Its name in the store is `key`
    #[arg(long, value_name = "FILE")]
    pub(crate) new_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct UnsealArgs {
    #[command(flatten)]
    pub(crate) store: StoreArg,
    /// Do not ask whether it is meant
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
#[command(long_about = REKEY)]
pub(crate) struct RekeyArgs {
    #[command(flatten)]
    pub(crate) store: StoreArg,
    /// The new passphrase: the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "remove_passphrase")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
    /// Let a key open the store too, under this name; a key of the name is replaced
    #[arg(long, value_name = "NAME", requires = "new_key_file")]
    pub(crate) add_key: Option<String>,
    /// The key to add: 32 bytes, or 64 hex digits
    #[arg(long, value_name = "FILE", requires = "add_key")]
    pub(crate) new_key_file: Option<PathBuf>,
    /// The key of this name opens the store no more
    #[arg(long, value_name = "NAME")]
    pub(crate) remove_key: Option<String>,
    /// No passphrase opens the store any more: keys alone
    #[arg(long)]
    pub(crate) remove_passphrase: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShredArgs {
    /// The store to destroy
    #[arg(value_name = "STORE")]
    pub(crate) url: String,
    /// Nothing is asked, and nothing is left
    #[arg(long, required = true)]
    pub(crate) yes_destroy_everything: bool,
}
