//! `haos seal` and `haos unseal`.

use std::io::Write as _;

use haos_store::OpenOptions;
use serde::Serialize;

use super::{name_copies, sealed};
use crate::args::{SealArgs, UnsealArgs};
use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;
use crate::progress;
use crate::secret::{file, prompt};
use crate::text::plural;

#[derive(Serialize)]
struct Converted {
    sealed: bool,
    rows: u64,
    /// Copies of before that were set aside as damaged and are as they were.
    set_aside: Vec<String>,
}

/// Seals a plain store.
pub(crate) async fn seal(target: Target, args: &SealArgs, out: &mut Out) -> Result<()> {
    if target.given.is_some() {
        let message = "a plain store has no secret yet: give the new one with --new-passphrase-file FILE or \
                       --new-key-file FILE";
        return Err(Error::Usage(message.to_owned()));
    }
    let target = target.at(&args.store);
    let given = match (&args.new_passphrase_file, &args.new_key_file) {
        (Some(path), _) => Some(file::passphrase(path)?),
        (None, Some(path)) => Some(file::key(path)?),
        (None, None) => None,
    };
    target.must_be_plain().await?;
    let secret = match given {
        Some(secret) => secret,
        None => prompt::new_passphrase("give --new-passphrase-file FILE or --new-key-file FILE")?,
    };
    let options = OpenOptions { create: false, secret: Some(secret), ..target.options.clone() };
    let seal = async |progress| haos_store::seal(&target.url, &options, progress).await;
    let report = progress::chore("sealing", out.json, seal).await?;
    let done = Converted { sealed: true, rows: report.rows, set_aside: report.set_aside };
    if out.json {
        return Ok(out.json(&done)?);
    }
    writeln!(out, "{} sealed: nothing opens the store now but what you gave", plural(done.rows, "row"))?;
    name_copies(&done.set_aside, "is not sealed by this", out)?;
    Ok(writeln!(
        out,
        "Plain bytes of before may remain in blocks that the disk has set free, in snapshots and in backups: \
         delete those backups, and have the free space of the disk trimmed or overwritten."
    )?)
}

/// Makes a sealed store a plain one.
pub(crate) async fn unseal(target: Target, args: &UnsealArgs, out: &mut Out) -> Result<()> {
    let target = target.at(&args.store);
    // A command that will be refused asks for no confirmation.
    let (opened, options) = sealed(&target).await?;
    opened.store.close().await?;
    if !args.yes {
        let question = format!("Everybody who has the file can read {} then. Unseal it?", target.url);
        prompt::confirm(&question)?;
    }
    let unseal = async |progress| haos_store::unseal(&target.url, &options, progress).await;
    let report = progress::chore("unsealing", out.json, unseal).await?;
    let done = Converted { sealed: false, rows: report.rows, set_aside: report.set_aside };
    let rows = plural(done.rows, "row");
    out.tell(&done, |out| Ok(writeln!(out, "{rows} unsealed: everybody who has the file can read it")?))
}
