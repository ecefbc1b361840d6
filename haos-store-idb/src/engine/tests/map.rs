//! A database of maps, whose transactions are copies.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use futures_util::future::ready;
use haos_store_api::Result;

use super::super::kv::{Answer, Kv, Span, Table};

#[derive(Debug, Clone, Default)]
pub(super) struct Maps {
    pub(super) named: BTreeMap<&'static str, Vec<u8>>,
    pub(super) tables: BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>,
    /// Ids by record of the timeline, and records by id.
    ids: BTreeMap<Vec<u8>, Vec<String>>,
    index: BTreeSet<(String, Vec<u8>)>,
}

impl Maps {
    fn table(&mut self, table: Table) -> &mut BTreeMap<Vec<u8>, Vec<u8>> {
        self.tables.entry(table).or_default()
    }

    /// Lists every record, as a fixture has it: table, key, value, ids.
    pub(super) fn all(&self) -> Vec<Parts> {
        let named = self
            .named
            .iter()
            .map(|(name, value)| ("meta".to_owned(), name.as_bytes().to_vec(), value.clone(), Vec::new()));
        let tables = self.tables.iter().flat_map(|(table, records)| {
            records.iter().map(|(key, value)| {
                (
                    table.name().to_owned(),
                    key.clone(),
                    value.clone(),
                    self.ids.get(key).cloned().unwrap_or_default(),
                )
            })
        });
        named.chain(tables).collect()
    }

    /// Makes the database of such records.
    pub(super) fn of(records: impl IntoIterator<Item = Parts>) -> Self {
        let tx = MapTx(RefCell::default(), None);
        for (table, key, value, ids) in records {
            if table == "meta" {
                let known = ["head", "keyring", "id"].into_iter().find(|name| name.as_bytes() == key);
                tx.put_named(known.unwrap(), &value).unwrap();
                continue;
            }
            let table = Table::ALL.into_iter().find(|one| one.name() == table).unwrap();
            match ids.is_empty() {
                true => tx.put(table, &key, &value).unwrap(),
                false => tx.put_indexed(&key, &ids, &value).unwrap(),
            }
        }
        tx.0.into_inner()
    }

    fn forget_ids(&mut self, key: &[u8]) {
        for id in self.ids.remove(key).into_iter().flatten() {
            self.index.remove(&(id, key.to_vec()));
        }
    }
}

type Parts = (String, Vec<u8>, Vec<u8>, Vec<String>);

/// One transaction.
#[derive(Debug)]
pub(super) struct MapTx(pub(super) RefCell<Maps>, pub(super) Option<BTreeSet<Table>>);

fn now<T: 'static>(value: T) -> Answer<T> {
    ready(Ok(value)).boxed_local()
}

impl MapTx {
    /// Refuses, as a browser does, stores that a transaction was not begun with.
    fn begun_with(&self, table: Table) {
        assert!(self.1.as_ref().is_none_or(|scope| scope.contains(&table)), "{table:?} is out of scope");
    }

    fn in_range<T>(&self, table: Table, span: &Span, pick: impl Fn(&Vec<u8>, &Vec<u8>) -> T) -> Vec<T> {
        self.begun_with(table);
        let mut maps = self.0.borrow_mut();
        let range = maps.table(table).range(span.low.clone()..=span.high.clone());
        range.map(|(key, value)| pick(key, value)).collect()
    }
}

impl Kv for MapTx {
    fn named(&self, name: &'static str) -> Answer<Option<Vec<u8>>> {
        now(self.0.borrow().named.get(name).cloned())
    }

    fn get(&self, table: Table, key: &[u8]) -> Answer<Option<Vec<u8>>> {
        self.begun_with(table);
        now(self.0.borrow_mut().table(table).get(key).cloned())
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

    fn last_key(&self, span: &Span) -> Answer<Option<Vec<u8>>> {
        now(self.in_range(Table::Timeline, span, |key, _| key.clone()).pop())
    }

    fn last(&self, span: &Span) -> Answer<Option<Vec<u8>>> {
        now(self.in_range(Table::Timeline, span, |_, value| value.clone()).pop())
    }

    fn holders(&self, entry: &str) -> Answer<Vec<Vec<u8>>> {
        let maps = self.0.borrow();
        let range = maps.index.range((entry.to_owned(), Vec::new())..);
        now(range.take_while(|(id, _)| id == entry).map(|(_, key)| key.clone()).collect())
    }

    fn held(&self, entry: &str) -> Answer<Vec<Vec<u8>>> {
        let keys = self.holders(entry).now_or_never().unwrap().unwrap();
        let mut maps = self.0.borrow_mut();
        let table = maps.table(Table::Timeline);
        now(keys.iter().map(|key| table[key].clone()).collect())
    }

    fn put(&self, table: Table, key: &[u8], value: &[u8]) -> Result<()> {
        self.begun_with(table);
        self.0.borrow_mut().table(table).insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn put_indexed(&self, key: &[u8], ids: &[String], value: &[u8]) -> Result<()> {
        let mut maps = self.0.borrow_mut();
        maps.forget_ids(key);
        maps.index.extend(ids.iter().map(|id| (id.clone(), key.to_vec())));
        maps.ids.insert(key.to_vec(), ids.to_vec());
        maps.table(Table::Timeline).insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn put_named(&self, name: &'static str, value: &[u8]) -> Result<()> {
        self.0.borrow_mut().named.insert(name, value.to_vec());
        Ok(())
    }

    fn delete(&self, table: Table, key: &[u8]) -> Result<()> {
        self.begun_with(table);
        let mut maps = self.0.borrow_mut();
        if table == Table::Timeline {
            maps.forget_ids(key);
        }
        maps.table(table).remove(key);
        Ok(())
    }
}
