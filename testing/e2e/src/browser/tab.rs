use serde_json::{Value, json};

use super::session::Browser;
use crate::{Error, Result};

/// A tab, or a window, of a browser.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tab(String);

impl Browser {
    /// The tab that commands go to.
    ///
    /// # Errors
    /// It was closed, or the browser is gone.
    pub async fn tab(&self) -> Result<Tab> {
        name(self.get("/window").await?)
    }

    /// A new tab. Commands still go to the one before: see [`switch`](Self::switch).
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn new_tab(&self) -> Result<Tab> {
        let mut made = self.post("/window/new", &json!({ "type": "tab" })).await?;
        name(made.get_mut("handle").map(Value::take).unwrap_or_default())
    }

    /// Lets commands go to this tab, and shows it.
    ///
    /// # Errors
    /// It was closed, or the browser is gone.
    pub async fn switch(&self, tab: &Tab) -> Result<()> {
        self.post("/window", &json!({ "handle": tab.0 })).await.map(drop)
    }

    /// Every tab that is open.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn tabs(&self) -> Result<Vec<Tab>> {
        let Value::Array(tabs) = self.get("/window/handles").await? else { return Ok(Vec::new()) };
        tabs.into_iter().map(name).collect()
    }

    /// Closes the tab that commands go to; the next one has to be chosen with [`switch`](Self::switch).
    /// With the last tab the browser may end.
    ///
    /// # Errors
    /// It was closed, or the browser is gone.
    pub async fn close_tab(&self) -> Result<()> {
        self.delete("/window").await.map(drop)
    }
}

fn name(value: Value) -> Result<Tab> {
    match value {
        Value::String(name) => Ok(Tab(name)),
        other => Err(Error::new("the driver names no tab", other)),
    }
}
