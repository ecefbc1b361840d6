//! The tests' grip on a connection.

use std::rc::Rc;

use super::Connection;
use crate::idb::End;

/// The way in which a connection is lost.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Loss {
    /// The browser reports that it closed it.
    Told,
    /// It is closed, without a report.
    Silent,
}

impl Connection {
    /// Loses the connection.
    pub(crate) fn lose(&self, loss: Loss) {
        if let Some(line) = self.0.line() {
            match loss {
                Loss::Told => line.end(End::Forced),
                Loss::Silent => line.database.close(),
            }
        }
    }

    /// Tells the database of an event.
    pub(crate) fn fire(&self, event: &str) {
        if let Some(line) = self.0.line() {
            line.database.fire(event);
        }
    }

    /// Tells whether both came of one opening.
    pub(crate) fn shares_line(&self, other: &Self) -> bool {
        match (self.0.line(), other.0.line()) {
            (Some(one), Some(other)) => Rc::ptr_eq(&one, &other),
            _ => false,
        }
    }
}
