//! The object stores of a database, and the upgrade of older versions.
//!
//! The browser's version of the database is the version of the format. A migration that has shipped is not
//! edited; a newer version adds one.

use haos_store_api::ErrorKind;

use crate::engine::kv::Table;
use crate::error::{Failure, NO_STORE, OPEN};
use crate::idb::{Database, Upgrade};

/// The version of the format that this library writes.
pub(crate) const FORMAT: u32 = 1;

/// The store's description: its head, its keys. String keys, unlike the others.
pub(crate) const META: &str = "meta";
/// The index of [`Table::Timeline`] over the ids of a segment's messages.
pub(crate) const IDS: &str = "ids";

/// All object stores.
pub(crate) const ALL: [&str; 1 + Table::ALL.len()] = {
    let mut all = [META; 1 + Table::ALL.len()];
    let mut nth = 0;
    while nth < Table::ALL.len() {
        all[1 + nth] = Table::ALL[nth].name();
        nth += 1;
    }
    all
};

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

const MIGRATIONS: [Migration; FORMAT as usize] = [format_1];

/// Makes the first version.
fn format_1(upgrade: &Upgrade<'_>) -> Result<(), Failure> {
    for name in ALL {
        upgrade.create_store(name, (name == Table::Timeline.name()).then_some(IDS))?;
    }
    Ok(())
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
