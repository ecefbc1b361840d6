//! sled as a backend of the shell of native stores.

use std::path::Path;
use std::sync::Arc;

use haos_store_api::backend::kv::{self, FORMAT};
use haos_store_api::backend::native::{Backend, Found, Opened, Options, Shell, Stop, ended};
use haos_store_api::backend::{ChangeHub, Form, files};
use haos_store_api::{Progress, Report, Result};

use crate::db::Db;
use crate::error::guarded;
use crate::home::MIRROR;
use crate::open::open;
use crate::shared::Shared;
use crate::writer::Writer;

/// A store that is open, on the thread that writes it.
#[derive(Debug)]
pub(crate) struct Sled(Writer);

impl Backend for Sled {
    const NAME: &'static str = "sled";
    const FORMAT: u32 = FORMAT;
    const SHARED: bool = false;
    const PLACE: &'static str = "folder";
    const MIRROR: &'static str = MIRROR;
    const FORM: Form = Form::Binary;
    const BUSY_MS: u32 = 2000;
    type Readers = Shared;
    type Writer = Writer;

    fn open(options: &Options) -> Result<Opened<Self>> {
        guarded("open", || {
            let (opened, recovery) = open(options)?;
            let shared = Arc::new(Shared::new(opened.files.clone(), opened.codec.clone()));
            let copies = files::set_asides(options.path(), opened.home().id());
            let found = Found {
                codec: opened.codec.clone(),
                id: Some(opened.home().id()),
                revision: opened.head.revision,
                recovery,
                set_aside: copies.iter().map(|folder| folder.display().to_string()).collect(),
                read_only: false,
            };
            Ok(Opened { backend: Self(Writer::new(opened, shared.clone())), readers: shared, found })
        })
    }

    fn writer(&mut self, _: &ChangeHub) -> Result<&mut Writer> {
        Ok(&mut self.0)
    }

    fn finish(self) {
        self.0.release();
    }

    /// Flushes and frees nothing: sled cleans its log by itself and cannot be asked to.
    async fn compact(shell: &Shell<Self>, progress: &Progress) -> Result<Report> {
        shell.call("maintain", |writer| writer.flush(true)).await?;
        progress.step(1, 1);
        Ok(Report::default())
    }

    /// Checks a few rows at a time.
    fn check(shared: &Shared, progress: &Progress, stop: &Stop) -> Result<Report> {
        let read = |look: &mut dyn FnMut(Db<'_>) -> Result<()>| match stop.is_set() {
            true => Err(ended("maintain")),
            false => shared.read("maintain", look),
        };
        kv::check(&read, progress)
    }

    fn bytes_beside(path: &Path) -> u64 {
        bytes_in(path)
    }
}

/// Counts the bytes in a folder; a file that vanishes meanwhile counts nothing.
fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => bytes_in(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}
