//! The object stores of a database, and the upgrade of older versions.
//!
//! The browser's version of the database is the version of the format. A migration that has shipped is not
//! edited; a newer version adds one.

use haos_store_api::ErrorKind;

use crate::engine::kv::Table;
use crate::error::{Failure, NO_STORE, OPEN};
use crate::idb::{Database, Upgrade};

/// The version of the format that this library writes.
pub(crate) const FORMAT: u32 = crate::engine::head::FORMAT;

/// The store's description: its head, its keys. String keys, unlike the tables.
pub(crate) const META: &str = "meta";
/// The commits that are not folded into the tables yet. Its keys are numbers that it gives.
pub(crate) const LOG: &str = "log";

/// All object stores.
pub(crate) const ALL: [&str; 2 + Table::ALL.len()] = {
    let mut all = [META; 2 + Table::ALL.len()];
    all[1] = LOG;
    let mut nth = 0;
    while nth < Table::ALL.len() {
        all[2 + nth] = Table::ALL[nth].name();
        nth += 1;
    }
    all
};

/// An object store that only format 1 had, which was never released.
const OF_FORMAT_1: &str = "timeline";

/// A step from one version to the next, within the transaction of the upgrade. It is synchronous: after an await it
/// would be committed even if it failed.
pub(crate) type Migration = fn(&Upgrade<'_>) -> Result<(), Failure>;

/// A version and the way to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema {
    /// `migrations[n]` makes version `n + 1` of version `n`.
    pub(crate) migrations: &'static [Migration],
}

/// The schema of this library.
pub(crate) const CURRENT: Schema = Schema { migrations: &MIGRATIONS };

const MIGRATIONS: [Migration; FORMAT as usize] = [format_1, format_2];

/// Makes nothing: format 1 was never released.
fn format_1(_: &Upgrade<'_>) -> Result<(), Failure> {
    Ok(())
}

/// Makes the first released version.
fn format_2(upgrade: &Upgrade<'_>) -> Result<(), Failure> {
    ALL.into_iter().try_for_each(|name| upgrade.create_store(name, name == LOG))
}

impl Schema {
    /// Returns the version that the migrations lead to.
    #[allow(clippy::cast_possible_truncation, reason = "there are a handful")]
    pub(crate) fn version(&self) -> u32 {
        self.migrations.len() as u32
    }

    /// Upgrades a database. An absent one is made only if `create` is set, and one that is not ours is refused, so that
    /// the upgrade is aborted and nothing has changed.
    pub(crate) fn upgrade(&self, upgrade: &Upgrade<'_>, create: bool) -> Result<(), Failure> {
        let old = upgrade.old_version();
        if old == 0 && !create {
            return Err(Failure::named(OPEN, NO_STORE, "the database is missing"));
        }
        if old > 0 && upgrade.has_store(OF_FORMAT_1) && upgrade.has_store(META) {
            return Err(Failure::new(ErrorKind::Invalid, UNRELEASED));
        }
        if old > 0 && !ALL.iter().all(|name| upgrade.has_store(name)) {
            return Err(Failure::new(ErrorKind::Invalid, FOREIGN));
        }
        self.migrations.iter().skip(old as usize).try_for_each(|migrate| migrate(upgrade))
    }

    /// Refuses a database of this version that is not ours.
    pub(crate) fn check(&self, database: &Database) -> Result<(), Failure> {
        match ALL.iter().all(|name| database.has_store(name)) {
            true => Ok(()),
            false => Err(Failure::new(ErrorKind::Invalid, FOREIGN)),
        }
    }
}

const FOREIGN: &str = "the database of this name is not a store: use another name";
const UNRELEASED: &str = "the database is of a version of this library that was never released: delete it, or use \
                          another name";
