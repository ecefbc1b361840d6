//! `haos shred`: nobody opens the store any more.

use std::io::Write as _;

use haos_store::KeyChange;
use serde::Serialize;

use super::sealed;
use crate::args::{ShredArgs, StoreArg};
use crate::error::Result;
use crate::open::Target;
use crate::out::Out;
use crate::text::clean;

#[derive(Serialize)]
struct Shredded {
    shredded: bool,
    /// Copies that had been set aside as damaged, which are overwritten and gone.
    removed: Vec<String>,
}

/// Destroys the keys of a sealed store; its rows are noise then.
pub(crate) async fn shred(target: Target, args: &ShredArgs, out: &mut Out) -> Result<()> {
    let target = target.at(&StoreArg { url: Some(args.url.clone()) });
    let (opened, _) = sealed(&target).await?;
    let removed = opened.store.info().set_aside;
    opened.store.change_keys(KeyChange::Shred).await?;
    if out.json {
        return Ok(out.json(&Shredded { shredded: true, removed })?);
    }
    for copy in &removed {
        writeln!(out, "{}, a copy that was set aside as damaged, is overwritten and removed", clean(copy))?;
    }
    Ok(writeln!(
        out,
        "shredded: nothing opens {} any more, and the file can be deleted. Backups and snapshots of it still \
         open with what opened them.",
        target.url
    )?)
}
