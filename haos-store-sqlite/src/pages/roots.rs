//! The pages at which tables and indexes begin: by the file's schema, and as the migrations make them.

use std::collections::HashMap;

use haos_store_api::Result;
use rusqlite::Connection;

use super::record::{Value, decode};
use super::rows::{Step, rows};
use super::shape::Shape;
use super::source::Source;
use super::tree::Walk;
use crate::error::fault;
use crate::migration::migrate;

/// The roots of a file.
#[derive(Debug)]
pub(crate) struct Roots {
    found: HashMap<String, u32>,
    made: HashMap<String, u32>,
}

impl Roots {
    /// Reads the schema of a file, as far as it is readable.
    ///
    /// # Errors
    /// Those of making a schema in memory, to compare with.
    pub(crate) fn of(source: &Source) -> Result<Self> {
        let mut walk = Walk::of(source);
        walk.tree(Shape::Schema, 1);
        let mut found = HashMap::new();
        for plan in walk.finish() {
            let read = rows(source, &plan, &mut |step| {
                if let Step::Row(_, record) = step
                    && let Some((name, root)) = decode(record).as_deref().and_then(object)
                {
                    found.entry(name).or_insert(root);
                }
                Ok::<_, std::convert::Infallible>(())
            });
            let Ok(()) = read;
        }
        Ok(Self { found, made: made().map_err(|e| fault("open", e))? })
    }

    /// Returns the pages at which a table or an index may begin, the likelier one first.
    pub(crate) fn of_name(&self, name: &str) -> [Option<u32>; 2] {
        // Where the schema names another table, ours is not; of two at one page, one is named wrongly.
        let is_free = |page: &u32| self.found.iter().all(|(other, root)| other == name || root != page);
        let [found, made] = [&self.found, &self.made].map(|roots| roots.get(name).copied());
        match (found, made.filter(is_free)) {
            (Some(found), Some(made)) if !is_free(&found) => [Some(made), Some(found)],
            likely => likely.into(),
        }
    }
}

/// Reads name and root of a row of the schema.
fn object(values: &[Value<'_>]) -> Option<(String, u32)> {
    let name = std::str::from_utf8(values.get(1)?.bytes()?).ok()?;
    let root = u32::try_from(values.get(3)?.int()?).ok().filter(|root| *root > 0)?;
    Some((name.to_owned(), root))
}

fn made() -> rusqlite::Result<HashMap<String, u32>> {
    let mut conn = Connection::open_in_memory()?;
    migrate(&mut conn)?;
    let mut statement = conn.prepare("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0")?;
    statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
