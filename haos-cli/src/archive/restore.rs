//! `haos restore`.

use std::sync::Arc;

use haos_archive::{Archive, Outbox, Restore, RestoreOptions, Restored};
use haos_matrix::MatrixProtocol;
use haos_store::{Progress, StorageAdapter};

use super::report::{ArchiveFields, RestoredFields};
use super::{keys, of_the_file};
use crate::args::RestoreArgs;
use crate::error::Result;
use crate::open::Target;
use crate::out::Out;
use crate::progress;

pub(crate) async fn run(store: &Target, args: &RestoreArgs, out: &mut Out) -> Result<()> {
    let mut archive = keys::open(&args.files, keys::identity(&args.keys)?.as_ref())?;
    if args.check {
        return check(archive, args, out).await;
    }
    let outbox = if args.send_unsent { Outbox::TakeOver } else { Outbox::HoldBack };
    let options =
        RestoreOptions::default().outbox(outbox).session(args.session).protocol(Arc::new(MatrixProtocol));
    let opened = store.or_create().await?;
    let fill = async |progress| fill(&*opened.store, &mut archive, options, &progress).await;
    let done = progress::chore("restoring", out.json, fill).await;
    opened.store.close().await?;
    let fields = RestoredFields::from(&done?);
    out.tell(&fields, |out| fields.print(out))
}

/// Merges the records, and counts chunks of them.
async fn fill(
    store: &dyn StorageAdapter,
    archive: &mut Archive,
    options: RestoreOptions,
    progress: &Progress,
) -> Result<Restored> {
    let mut restore = Restore::into(store, options).await?;
    let total = archive.record_count();
    for (done, record) in (1..).zip(archive.records()) {
        restore.take(record.map_err(of_the_file)?).await?;
        progress.step(done, total);
    }
    Ok(restore.finish().await?)
}

async fn check(mut archive: Archive, args: &RestoreArgs, out: &mut Out) -> Result<()> {
    let check = async |progress| archive.check(&progress).map_err(of_the_file);
    progress::chore("checking", out.json, check).await?;
    let file = args.files.last().map(|file| file.display().to_string()).unwrap_or_default();
    let fields = ArchiveFields::new(file, archive.summary(), archive.is_encrypted());
    out.tell(&fields, |out| fields.print(out))
}
