//! One process a store sends and syncs.

use haos_queue::{FileLeader, Lead};
use haos_store::Scheme;

use crate::error::{Error, Result};
use crate::open::Target;

/// That it is this one, as long as it lives.
#[derive(Debug)]
pub(in crate::chat) struct Leading(Option<FileLeader>);

impl Leading {
    /// Takes the lead; none while another process has it.
    pub(in crate::chat) fn try_take(target: &Target) -> Result<Option<Self>> {
        // A store in memory is this process's anyway.
        let scheme: Scheme = target.url.parse()?;
        let Some(path) = scheme.leader()? else { return Ok(Some(Self(None))) };
        let taken = FileLeader::try_acquire(&path).map_err(|e| {
            Error::Unhealthy(format!("{}: the lock of who sends cannot be made: {e}", path.display()))
        })?;
        Ok(taken.map(|leader| Self(Some(leader))))
    }

    /// The lead that the driver may rely on.
    pub(in crate::chat) fn lead(&self) -> Lead {
        let Self(_held) = self;
        Lead::Alone
    }
}
