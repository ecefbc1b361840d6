//! The commands that change what opens a store.

mod convert;
mod rekey;
mod rotate;
mod shred;

pub(crate) use convert::{seal, unseal};
pub(crate) use rekey::rekey;
pub(crate) use rotate::rotate;
pub(crate) use shred::shred;

use std::io::Write as _;

use haos_store::{OpenOptions, Opened};

use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;
use crate::text::clean;

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
