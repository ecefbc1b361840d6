//! A damaged file: its pages, its counters and its keyring.

use std::convert::Infallible;
use std::path::Path;

use haos_store_api::backend::files::StoreId;
use haos_store_api::{Error, Result, Revision};

use crate::log::{self, Mark};
use crate::migration::{APPLICATION_ID, SEALED_ID};
use crate::pages::{Index, Plan, Roots, Shape, Source, Step, Told, Value, decode, entries, plan, rows};

/// The rows of `meta`, as far as readable.
#[derive(Debug, Default)]
pub(super) struct Meta {
    pub(super) revision: Option<u64>,
    pub(super) last_seq: Option<u64>,
    pub(super) message_rows: Option<u64>,
    pub(super) id: Option<StoreId>,
    mark: Option<Mark>,
}

impl Meta {
    fn of(source: &Source, roots: &Roots) -> (u32, Self) {
        for root in roots.of_name(Index::Meta.name()).into_iter().flatten() {
            let mut meta = Self::default();
            entries(source, Index::Meta, Some(root), &mut |values| meta.take(values));
            if meta.mark.is_some() || meta.revision.is_some() {
                return (root, meta);
            }
        }
        (0, Self::default())
    }

    fn take(&mut self, values: &[Value<'_>]) {
        let [Value::Text(name), value] = *values else { return };
        let count = || value.int().and_then(|value| u64::try_from(value).ok());
        match name {
            b"revision" => self.revision = count(),
            b"last_seq" => self.last_seq = count(),
            b"message_rows" => self.message_rows = count(),
            b"id" => self.id = value.bytes().and_then(|bytes| bytes.try_into().ok()).map(StoreId),
            b"commit" => self.mark = value.bytes().and_then(|bytes| bytes.try_into().ok()),
            _ => {}
        }
    }

    /// Returns the latest revision; zero if that is lost.
    pub(super) fn revision(&self) -> Revision {
        Revision(self.revision.unwrap_or(0))
    }

    /// Tells whether the counters are known.
    pub(super) fn is_whole(&self) -> bool {
        self.revision.is_some() && self.last_seq.is_some()
    }
}

/// Reads the id of a store in its file alone; it never changes.
pub(super) fn id(path: &Path) -> Option<StoreId> {
    let source = Source::open(path, false).ok()?;
    Meta::of(&source, &Roots::of(&source).ok()?).1.id
}

/// Reads the mark of the latest commit in a file alone, and its page.
pub(crate) fn readable_mark(path: &Path) -> Option<(u32, Mark)> {
    let source = Source::open(path, false).ok()?;
    let (page, meta) = Meta::of(&source, &Roots::of(&source).ok()?);
    Some((page, meta.mark?))
}

/// A damaged store.
#[derive(Debug)]
pub(super) struct Damaged {
    pub(super) source: Source,
    pub(super) roots: Roots,
    pub(super) plans: Vec<Plan>,
    pub(super) meta: Meta,
    /// The record of the keyring; absent in a plain store, and where it is unreadable.
    pub(super) keyring: Option<Vec<u8>>,
}

impl Damaged {
    /// Opens a file, with its log if that was written on top of it.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let io = |e| Error::io("open", "the damaged store cannot be read", e);
        let alone = Source::open(path, false).map_err(io)?;
        let source = if log::fits(path) { Source::open(path, true).map_err(io)? } else { alone };
        let roots = Roots::of(&source)?;
        let (_, meta) = Meta::of(&source, &roots);
        let plans = plan(&source, &roots, &Shape::TABLES);
        let mut found = Self { source, roots, plans, meta, keyring: None };
        let mut keyring = None;
        found.each(Shape::Keyring, &mut |step| {
            if let Step::Row(_, record) = step {
                keyring = decode(record).and_then(|values| Some(values.get(1)?.bytes()?.to_vec()));
            }
            Ok::<_, Infallible>(())
        });
        found.keyring = keyring;
        Ok(found)
    }

    /// Visits the rows of a table; stops at an error.
    pub(super) fn visit<E>(
        &self,
        shape: Shape,
        visit: &mut dyn FnMut(Step<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.plans.iter().find(|plan| plan.is_of(shape)) {
            Some(plan) => rows(&self.source, plan, visit),
            None => Ok(()),
        }
    }

    /// Visits the rows of a table.
    pub(super) fn each(&self, shape: Shape, visit: &mut dyn FnMut(Step<'_>) -> Result<(), Infallible>) {
        let Ok(()) = self.visit(shape, visit);
    }

    /// Counts the rows that an index names, and visits its entries.
    pub(super) fn index(&self, index: Index, visit: &mut dyn FnMut(&[Value<'_>])) -> Told {
        // The second page is tried only if there is nothing at the first.
        let roots = self.roots.of_name(index.name()).into_iter();
        let mut found = roots.map(|root| entries(&self.source, index, root, visit));
        found.find(|told| told.rows > 0).unwrap_or_default()
    }

    /// Counts the rows that several indexes of a table name, and visits the entries of none.
    pub(super) fn told<const N: usize>(&self, indexes: [Index; N]) -> [Told; N] {
        indexes.map(|index| self.index(index, &mut |_| {}))
    }
}

/// Tells the application id that a file without a readable header had, if its pages are those of a store.
pub(crate) fn recognise(path: &Path) -> Option<i32> {
    let damaged = Damaged::open(path).ok()?;
    let Meta { revision, mark, .. } = &damaged.meta;
    (revision.is_some() && mark.is_some()).then_some(if damaged.is_sealed() {
        SEALED_ID
    } else {
        APPLICATION_ID
    })
}

impl Damaged {
    /// Tells whether a keyring or a row says that the store is sealed.
    fn is_sealed(&self) -> bool {
        if self.keyring.is_some() {
            return true;
        }
        let mut sealed = false;
        for shape in [Shape::Room, Shape::State, Shape::Pending] {
            self.each(shape, &mut |step| {
                if let Step::Row(_, record) = step {
                    // Plain payloads are text.
                    let values = decode(record).unwrap_or_default();
                    let column = if shape == Shape::Room { 4 } else { 5 };
                    sealed |= matches!(values.get(column), Some(Value::Blob(_)));
                }
                Ok(())
            });
        }
        sealed
    }
}
