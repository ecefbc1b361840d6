//! `haos doctor`: what the store is, and whether it is sound.

use std::io::Write as _;

use haos_queue::machine::Class;
use haos_store::Capabilities;
use haos_store_api::{CarriedOver, Collection, Maintenance, PendingQuery, StorageAdapter, Usage};
use serde::Serialize;

use crate::args::DoctorArgs;
use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;
use crate::progress;
use crate::text::{bytes, clean, number, plural};

#[derive(Serialize)]
struct Doctor {
    version: &'static str,
    backend: &'static str,
    format: u32,
    location: Option<String>,
    persistent: bool,
    sealed: bool,
    shared: bool,
    read_only: bool,
    revision: u64,
    collections: Vec<CollectionFields>,
    unsent: Unsent,
    total_bytes: u64,
    free_bytes: u64,
    quota_bytes: Option<u64>,
    /// Copies of it that were set aside as damaged, now or earlier.
    set_aside: Vec<String>,
    /// The damage that was found when it was opened just now.
    recovery: Option<RecoveryFields>,
    /// The findings of the check, if it was asked for.
    check: Option<CheckFields>,
}

#[derive(Serialize)]
struct CollectionFields {
    name: &'static str,
    rows: u64,
    bytes: u64,
}

/// The rows of the outbox that can be read.
#[derive(Default, Serialize)]
struct Unsent {
    messages: u64,
    uploads: u64,
    /// Receipts, and signs of typing.
    signals: u64,
}

impl Unsent {
    async fn read(store: &dyn StorageAdapter) -> Result<Self> {
        let mut unsent = Self::default();
        for row in store.pending(PendingQuery { skip_damaged: true, ..PendingQuery::default() }).await? {
            *match Class::of(&row) {
                Class::Event => &mut unsent.messages,
                Class::Upload => &mut unsent.uploads,
                Class::Signal => &mut unsent.signals,
            } += 1;
        }
        Ok(unsent)
    }

    /// What a number of rows is, in words.
    fn words(&self, rows: u64) -> String {
        let unreadable = rows.saturating_sub(self.messages + self.uploads + self.signals);
        let counts = [
            (self.messages, "message"),
            (self.uploads, "upload"),
            (self.signals, "receipt"),
            (unreadable, "unreadable row"),
        ];
        let some = counts.into_iter().filter(|(count, _)| *count > 0);
        some.map(|(count, what)| plural(count, what)).collect::<Vec<_>>().join(", ")
    }
}

#[derive(Serialize)]
struct RecoveryFields {
    set_aside: Option<String>,
    salvaged: u64,
    unreadable: u64,
    collections: Vec<CarriedFields>,
    cause: String,
}

/// The rows of a collection of a damaged store.
#[derive(Serialize)]
struct CarriedFields {
    name: &'static str,
    rows: u64,
    unreadable: u64,
}

#[derive(Serialize)]
struct CheckFields {
    healthy: bool,
    rows: u64,
    findings: Vec<String>,
    more_findings: u64,
}

pub(crate) async fn run(store: &Target, args: &DoctorArgs, out: &mut Out) -> Result<()> {
    let opened = if args.recover { store.checked().await? } else { store.existing().await? };
    let check = if args.check { Some(check(&*opened.store, out.json).await?) } else { None };
    let usage = opened.store.usage().await?;
    let revision = opened.store.changes().start().0;
    let mut doctor = doctor(opened.capabilities, revision, &usage, check);
    doctor.set_aside = opened.store.info().set_aside;
    doctor.unsent = Unsent::read(&*opened.store).await?;
    opened.store.close().await?;
    out.tell(&doctor, |out| print(&doctor, out))?;
    match &doctor.check {
        Some(check) if !check.healthy => Err(Error::Unhealthy(format!(
            "the check has {}: copy the store, and import your files into a fresh one",
            plural(check.findings.len() as u64 + check.more_findings, "finding")
        ))),
        _ => Ok(()),
    }
}

async fn check(store: &dyn StorageAdapter, quiet: bool) -> Result<CheckFields> {
    let check = async |progress| store.maintain(Maintenance::Check, progress).await;
    let report = progress::chore("checking", quiet, check).await?;
    Ok(CheckFields {
        healthy: report.findings.is_empty(),
        rows: report.rows,
        findings: report.findings,
        more_findings: report.more_findings,
    })
}

fn doctor(store: Capabilities, revision: u64, usage: &Usage, check: Option<CheckFields>) -> Doctor {
    let collections = usage.collections.iter().map(|(collection, size)| CollectionFields {
        name: collection.name(),
        rows: size.rows,
        bytes: size.bytes,
    });
    Doctor {
        version: env!("CARGO_PKG_VERSION"),
        backend: store.backend,
        format: store.format,
        location: store.location,
        persistent: store.persistent,
        sealed: store.sealed,
        shared: store.shared,
        read_only: store.read_only,
        revision,
        collections: collections.collect(),
        unsent: Unsent::default(),
        total_bytes: usage.total_bytes,
        free_bytes: usage.free_bytes,
        quota_bytes: usage.quota_bytes,
        set_aside: Vec::new(),
        recovery: store.recovery.map(|recovery| RecoveryFields {
            set_aside: recovery.set_aside,
            salvaged: recovery.salvaged,
            unreadable: recovery.unreadable,
            collections: recovery.collections.into_iter().map(carried).collect(),
            cause: recovery.cause,
        }),
        check,
    }
}

fn carried((of, counts): (Collection, CarriedOver)) -> CarriedFields {
    CarriedFields { name: of.name(), rows: counts.rows, unreadable: counts.unreadable }
}

fn print(doctor: &Doctor, out: &mut Out) -> Result<()> {
    let yes = |yes| if yes { "yes" } else { "no" };
    let rows = |collection: Collection| {
        let found = doctor.collections.iter().find(|fields| fields.name == collection.name());
        found.map_or(0, |fields| fields.rows)
    };
    let location = doctor.location.as_deref().map_or("nowhere: gone with the process".to_owned(), clean);
    writeln!(out, "haos         {}", doctor.version)?;
    writeln!(out, "backend      {}, format {}", doctor.backend, doctor.format)?;
    writeln!(out, "location     {location}")?;
    writeln!(out, "persistent   {}", yes(doctor.persistent))?;
    writeln!(out, "sealed       {}", yes(doctor.sealed))?;
    if doctor.read_only {
        writeln!(out, "read-only    yes: its file, its folder or the media cannot be written")?;
    }
    writeln!(out, "revision     {}", doctor.revision)?;
    writeln!(out, "size         {}, {} of it free", bytes(doctor.total_bytes), bytes(doctor.free_bytes))?;
    if let Some(quota) = doctor.quota_bytes {
        writeln!(out, "quota        {}", bytes(quota))?;
    }
    writeln!(out, "\n{:12} {:>12} {:>12}", "COLLECTION", "ROWS", "BYTES")?;
    for fields in &doctor.collections {
        writeln!(out, "{:12} {:>12} {:>12}", fields.name, number(fields.rows), number(fields.bytes))?;
    }
    writeln!(out)?;
    match rows(Collection::Gaps) {
        0 => writeln!(out, "no gaps")?,
        n => writeln!(out, "{}: older messages that were not fetched", plural(n, "gap"))?,
    }
    match rows(Collection::Pending) {
        0 => writeln!(out, "the outbox is empty")?,
        n => writeln!(out, "{} in the outbox, not confirmed by the server", doctor.unsent.words(n))?,
    }
    if let Some(recovery) = &doctor.recovery {
        match &recovery.set_aside {
            Some(place) => writeln!(out, "damaged: set aside at {}", clean(place))?,
            None => writeln!(out, "damaged: {}", clean(&recovery.cause))?,
        }
        if !recovery.collections.is_empty() {
            writeln!(out, "\n{:12} {:>12} {:>12}", "CARRIED OVER", "ROWS", "UNREADABLE")?;
        }
        for fields in &recovery.collections {
            let (rows, unreadable) = (number(fields.rows), number(fields.unreadable));
            writeln!(out, "{:12} {rows:>12} {unreadable:>12}", fields.name)?;
        }
    }
    for copy in &doctor.set_aside {
        writeln!(out, "a damaged copy is kept at {}", clean(copy))?;
    }
    let Some(check) = &doctor.check else { return Ok(()) };
    for finding in &check.findings {
        writeln!(out, "finding: {}", clean(finding))?;
    }
    if check.more_findings > 0 {
        writeln!(out, "and {} more", plural(check.more_findings, "finding"))?;
    }
    let verdict = if check.healthy { "sound" } else { "not sound" };
    writeln!(out, "checked {}: {verdict}", plural(check.rows, "row"))?;
    Ok(())
}
