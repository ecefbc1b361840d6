//! Stores with one deliberate defect each, which the suite must notice by its cases and scripts.

mod adapter;
mod defect;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use haos_store_api::conformance::{CASES, Harness, Scripts, scripts};
use haos_store_api::{MemoryStore, Result, StorageAdapter};

use self::adapter::Mutant;
use self::defect::Defect;

struct Hospital {
    store: MemoryStore,
    defect: Defect,
    leftovers: Arc<std::sync::Mutex<Vec<haos_store_api::StateEntry>>>,
}

impl Hospital {
    fn with(defect: Defect) -> Self {
        Self { store: MemoryStore::new(), defect, leftovers: Arc::default() }
    }

    fn mutant(&self) -> Arc<dyn StorageAdapter> {
        let leftovers = self.leftovers.clone();
        Arc::new(Mutant { leftovers, ..Mutant::new(self.store.clone(), self.defect) })
    }
}

#[async_trait(?Send)]
impl Harness for Hospital {
    async fn open(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        self.store = MemoryStore::new();
        self.leftovers = Arc::default();
        Ok(self.mutant())
    }

    async fn reopen(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        self.store = match self.defect {
            Defect::ForgetsRelaxedWrites => MemoryStore::new(),
            _ => self.store.reopen(),
        };
        Ok(self.mutant())
    }
}

/// Lists the cases that fail.
async fn failing(defect: Defect) -> Vec<&'static str> {
    let mut names = Vec::new();
    for case in CASES {
        if (case.run)(&mut Hospital::with(defect)).await.is_err() {
            names.push(case.name);
        }
    }
    names
}

#[tokio::test]
async fn a_sound_store_passes() {
    assert_eq!(failing(Defect::Sound).await, [""; 0]);
    let few = Scripts { count: 100, ..Scripts::default() };
    assert_eq!(scripts(&mut Hospital::with(Defect::Sound), few).await, Ok(()));
}

#[tokio::test]
async fn the_cases_notice_every_defect() {
    let mut missed = Vec::new();
    for defect in Defect::ALL {
        let found = failing(*defect).await;
        println!("{defect:?}: {found:?}");
        if found.is_empty() {
            missed.push(defect);
        }
    }
    assert!(missed.is_empty(), "no case notices {missed:?}");
}

#[tokio::test]
async fn the_scripts_notice_every_defect_they_look_for() {
    let mut missed = Vec::new();
    for defect in Defect::ALL.iter().filter(|defect| !defect.is_beyond_scripts()) {
        match scripts(&mut Hospital::with(*defect), Scripts::default()).await {
            Err(failure) => println!("{defect:?}: {failure}\n"),
            Ok(()) => missed.push(defect),
        }
    }
    assert!(missed.is_empty(), "no script notices {missed:?}");
}

/// A failing script comes back short enough to read.
#[tokio::test]
async fn scripts_shrink() {
    let outcome = scripts(&mut Hospital::with(Defect::GapLosesToken), Scripts::default()).await;
    let text = outcome.unwrap_err().to_string();
    assert!(text.contains("1. Apply") && text.contains("[Gap {"), "{text}");
    assert!(!text.contains("2. "), "{text}");
}
