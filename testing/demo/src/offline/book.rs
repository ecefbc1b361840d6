//! The acknowledged messages: the promise that is checked.

use haos_cli::parts::{Error, Result};
use haos_queue::UPLOAD;
use haos_store_api::{Pending, PendingState, TxnId};

use super::part::Said;
use super::script::{SCRIPT, Write};

/// A line of the script that became a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) txn: TxnId,
    pub(super) seq: u64,
}

/// By place in the script; none: it changed another.
#[derive(Debug, Default)]
pub(super) struct Book(Vec<Option<Taken>>);

impl Book {
    pub(super) fn note(&mut self, said: Said) -> Result<()> {
        let (write, taken) = match said {
            Said::Taken { write, txn, seq } => (write, Some(Taken { txn, seq })),
            Said::Changed { write } => (write, None),
            Said::Written { .. } | Said::Drained => return Ok(()),
        };
        if write != self.0.len() {
            return Err(Error::Failed(format!("WRONG: line {write} of the script came out of turn")));
        }
        self.0.push(taken);
        Ok(())
    }

    pub(super) fn is_complete(&self) -> bool {
        self.0.len() == SCRIPT.len()
    }

    pub(super) fn row(&self, at: usize) -> Option<&Taken> {
        self.0.get(at)?.as_ref()
    }

    /// Tells if a text was taken back before anything of it went out.
    pub(super) fn is_cancelled(&self, of: usize) -> bool {
        let by = SCRIPT.iter().position(|(_, write)| matches!(write, Write::TakeBack(at) if *at == of));
        by.is_some_and(|by| self.row(by).is_none())
    }

    /// The rows that must arrive, with their places in the script.
    pub(super) fn expected(&self) -> impl Iterator<Item = (usize, &Taken)> {
        let rows = self.0.iter().enumerate().filter_map(|(at, taken)| Some((at, taken.as_ref()?)));
        rows.filter(|(at, _)| !self.is_cancelled(*at))
    }

    /// How the story calls a row.
    pub(super) fn name(&self, txn: &TxnId) -> Option<String> {
        let at = self.0.iter().position(|taken| taken.as_ref().is_some_and(|taken| taken.txn == *txn))?;
        Some(SCRIPT[at].1.name())
    }

    /// A blocked row, and what it waits for.
    pub(super) fn blocked(&self, row: &Pending) -> Option<String> {
        let parent = row.parent.as_ref().filter(|_| row.state == PendingState::Blocked)?;
        let upload = row.kind.as_str() == UPLOAD;
        let name = if upload { "its bytes".to_owned() } else { self.name(&row.txn_id)? };
        Some(match self.name(parent) {
            // Names of what is about another say which one.
            Some(_) => name,
            None if upload => format!("{name} (after the thumbnail's)"),
            None => format!("{name} (after its bytes)"),
        })
    }
}
