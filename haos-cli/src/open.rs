//! The store of a command.

use std::io::Write as _;

use haos_store::{OpenOptions, Opened};

use crate::error::{Error, Result};
use crate::text::plural;

/// Opens a store that has to be there.
pub(crate) async fn existing(url: &str) -> Result<Opened> {
    let path = url.strip_prefix("sqlite:").unwrap_or_default();
    if !path.is_empty() && std::fs::metadata(path).is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound) {
        return Err(Error::Unhealthy(format!(
            "there is no store at {path}: fill one with `haos import`, or name another with --store"
        )));
    }
    open(url, false).await
}

/// Opens a store, or makes one.
pub(crate) async fn or_create(url: &str) -> Result<Opened> {
    open(url, true).await
}

async fn open(url: &str, create: bool) -> Result<Opened> {
    let opened = haos_store::open_with(url, &OpenOptions { create, ..OpenOptions::default() }).await?;
    if let Some(recovery) = &opened.capabilities.recovery {
        let notice = match &recovery.set_aside {
            Some(place) => format!(
                "warning: the store was damaged ({}) and is set aside at {place}; {} of the outbox carried \
                 over, {} could not be read. Import your files again to fill the fresh store.",
                recovery.cause,
                plural(recovery.salvaged, "row"),
                recovery.unreadable,
            ),
            None => format!(
                "warning: the store was damaged ({}). Import your files again to fill what is missing.",
                recovery.cause
            ),
        };
        // A closed stderr must not stop the command.
        let _ = writeln!(std::io::stderr(), "{notice}");
    }
    Ok(opened)
}
