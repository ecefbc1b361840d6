//! A database of maps, whose transactions are copies.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use futures_util::future::ready;
use haos_store_api::{Error, ErrorKind, Result};

use super::super::kv::{Answer, Kv, Span, Table};

#[derive(Debug, Clone, Default)]
pub(super) struct Maps {
    pub(super) named: BTreeMap<&'static str, Vec<u8>>,
    pub(super) tables: BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>,
    pub(super) log: BTreeMap<u64, Vec<u8>>,
    /// The greatest number that the log gave.
    pub(super) given: u64,
}

impl Maps {
    fn table(&mut self, table: Table) -> &mut BTreeMap<Vec<u8>, Vec<u8>> {
        self.tables.entry(table).or_default()
    }

    /// Lists every record, as a fixture has it: table, key, value.
    pub(super) fn all(&self) -> Vec<Parts> {
        let meta = self.named.iter();
        let meta = meta.map(|(name, value)| ("meta".to_owned(), name.as_bytes().to_vec(), value.clone()));
        let log = self.log.iter();
        let log = log.map(|(nr, value)| ("log".to_owned(), nr.to_be_bytes().to_vec(), value.clone()));
        let tables = self.tables.iter().flat_map(|(table, records)| {
            records.iter().map(|(key, value)| (table.name().to_owned(), key.clone(), value.clone()))
        });
        meta.chain(log).chain(tables).collect()
    }

    /// Makes the database of such records.
    pub(super) fn of(records: impl IntoIterator<Item = Parts>) -> Self {
        let tx = MapTx::new(Self::default(), None, u32::MAX);
        for (table, key, value) in records {
            if table == "meta" {
                let known = ["head", "keyring", "id"].into_iter().find(|name| name.as_bytes() == key);
                tx.put_named(known.unwrap(), &value).unwrap();
            } else if table == "log" {
                tx.add_as(u64::from_be_bytes(key.try_into().unwrap()), &value).unwrap();
            } else {
                let table = Table::ALL.into_iter().find(|one| one.name() == table).unwrap();
                tx.put(table, &key, &value).unwrap();
            }
        }
        tx.maps.into_inner()
    }
}

type Parts = (String, Vec<u8>, Vec<u8>);

/// The object stores of a transaction.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) tables: BTreeSet<Table>,
    pub(super) meta: bool,
}

/// One transaction.
#[derive(Debug)]
pub(super) struct MapTx {
    pub(super) maps: RefCell<Maps>,
    pub(super) scope: Option<Scope>,
    /// The writes after which it is killed.
    pub(super) writes: Cell<u32>,
}

fn now<T: 'static>(value: T) -> Answer<T> {
    ready(Ok(value)).boxed_local()
}

impl MapTx {
    pub(super) fn new(maps: Maps, scope: Option<Scope>, writes: u32) -> Self {
        Self { maps: RefCell::new(maps), scope, writes: Cell::new(writes) }
    }

    fn write(&self) -> Result<RefMut<'_, Maps>> {
        match self.writes.get().checked_sub(1) {
            Some(left) => self.writes.set(left),
            None => return Err(Error::new(ErrorKind::Closed, "test", "killed")),
        }
        Ok(self.maps.borrow_mut())
    }

    /// Refuses, as a browser does, stores that a transaction was not begun with.
    fn begun_with(&self, table: Table) {
        assert!(
            self.scope.as_ref().is_none_or(|scope| scope.tables.contains(&table)),
            "{table:?} is out of scope"
        );
    }

    fn begun_with_meta(&self) {
        assert!(self.scope.as_ref().is_none_or(|scope| scope.meta), "the named records are out of scope");
    }

    fn in_range<T>(&self, table: Table, span: &Span, pick: impl Fn(&Vec<u8>, &Vec<u8>) -> T) -> Vec<T> {
        self.begun_with(table);
        let mut maps = self.maps.borrow_mut();
        let range = maps.table(table).range(span.low.clone()..=span.high.clone());
        range.map(|(key, value)| pick(key, value)).collect()
    }
}

impl Kv for MapTx {
    fn named(&self, name: &'static str) -> Answer<Option<Vec<u8>>> {
        self.begun_with_meta();
        now(self.maps.borrow().named.get(name).cloned())
    }

    fn get(&self, table: Table, key: &[u8]) -> Answer<Option<Vec<u8>>> {
        self.begun_with(table);
        now(self.maps.borrow_mut().table(table).get(key).cloned())
    }

    fn range(&self, table: Table, span: &Span, limit: Option<u32>) -> Answer<Vec<Vec<u8>>> {
        let mut all = self.in_range(table, span, |_, value| value.clone());
        all.truncate(limit.unwrap_or(u32::MAX) as usize);
        now(all)
    }

    fn keys(&self, table: Table, span: &Span, limit: Option<u32>) -> Answer<Vec<Vec<u8>>> {
        let mut all = self.in_range(table, span, |key, _| key.clone());
        all.truncate(limit.unwrap_or(u32::MAX) as usize);
        now(all)
    }

    fn last(&self, table: Table, span: &Span) -> Answer<Option<Vec<u8>>> {
        now(self.in_range(table, span, |_, value| value.clone()).pop())
    }

    fn log(&self, after: u64) -> Answer<Vec<Vec<u8>>> {
        now(self.maps.borrow().log.range(after + 1..).map(|(_, value)| value.clone()).collect())
    }

    fn put(&self, table: Table, key: &[u8], value: &[u8]) -> Result<()> {
        self.begun_with(table);
        self.write()?.table(table).insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn put_named(&self, name: &'static str, value: &[u8]) -> Result<()> {
        self.begun_with_meta();
        self.write()?.named.insert(name, value.to_vec());
        Ok(())
    }

    fn delete_named(&self, name: &'static str) -> Result<()> {
        self.begun_with_meta();
        self.write()?.named.remove(name);
        Ok(())
    }

    fn delete(&self, table: Table, key: &[u8]) -> Result<()> {
        self.begun_with(table);
        self.write()?.table(table).remove(key);
        Ok(())
    }

    fn clear(&self, table: Table, span: &Span) -> Result<()> {
        self.begun_with(table);
        self.write()?.table(table).retain(|key, _| !span.has(key));
        Ok(())
    }

    fn add(&self, record: &[u8]) -> Answer<u64> {
        let mut maps = match self.write() {
            Ok(maps) => maps,
            Err(error) => return ready(Err(error)).boxed_local(),
        };
        maps.given += 1;
        let number = maps.given;
        maps.log.insert(number, record.to_vec());
        now(number)
    }

    fn add_as(&self, number: u64, record: &[u8]) -> Result<()> {
        let mut maps = self.write()?;
        maps.given = maps.given.max(number);
        assert!(maps.log.insert(number, record.to_vec()).is_none(), "{number} is taken");
        Ok(())
    }

    fn trim(&self, last: u64) -> Result<()> {
        self.write()?.log.retain(|number, _| *number > last);
        Ok(())
    }

    fn trim_from(&self, first: u64) -> Result<()> {
        self.write()?.log.retain(|number, _| *number < first);
        Ok(())
    }
}
