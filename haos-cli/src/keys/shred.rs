//! `haos shred`: nobody opens the store any more.

use std::io::Write as _;

use haos_store::KeyChange;
use serde::Serialize;

use super::{ShredArgs, StoreArg, sealed};
use crate::error::Result;
use crate::open::Target;
use crate::out::Out;

#[derive(Serialize)]
struct Shredded {
    shredded: bool,
}

/// Destroys the keys of a sealed store; its rows are noise then.
pub(crate) async fn shred(target: Target, args: &ShredArgs, out: &mut Out) -> Result<()> {
    let target = target.at(&StoreArg { url: Some(args.url.clone()) });
    let (opened, _) = sealed(&target).await?;
    opened.store.change_keys(KeyChange::Shred).await?;
    if out.json {
        return Ok(out.json(&Shredded { shredded: true })?);
    }
    Ok(writeln!(
        out,
        "shredded: nothing opens {} any more, and the file can be deleted. Backups and snapshots of it still \
         open with what opened them.",
        target.url
    )?)
}
