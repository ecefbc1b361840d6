//! `haos backup`.

use haos_archive::Backup;
use haos_store::ErrorKind;

use super::report::ArchiveFields;
use super::{keys, of_the_file};
use crate::args::BackupArgs;
use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;
use crate::progress;

pub(crate) async fn run(store: &Target, args: &BackupArgs, out: &mut Out) -> Result<()> {
    let encryption = keys::encryption(args)?;
    let identity = keys::identity(&args.keys)?;
    let mut backup = Backup::new().level(args.level).replace(args.replace).time_ms(now_ms());
    if !args.bases.is_empty() {
        backup = backup.base(keys::open(&args.bases, identity.as_ref())?);
    }
    if let Some(identity) = identity.filter(|_| encryption.is_some()) {
        backup = backup.identity(identity);
    }
    let is_encrypted = encryption.is_some();
    if let Some(encryption) = encryption {
        backup = backup.encryption(encryption);
    }
    if args.session {
        backup = backup.session(true);
    }
    let opened = store.existing().await?;
    let run = async |progress| backup.progress(progress).run_to_file(&*opened.store, &args.file).await;
    let done = progress::chore("backing up", out.json, run).await;
    opened.store.close().await?;
    let summary = done.map_err(|error| match error.kind() {
        ErrorKind::Invalid if args.file.exists() && !args.replace => {
            Error::Input(format!("{} exists: name another file, or add --replace", args.file.display()))
        }
        ErrorKind::Invalid => of_the_file(error),
        _ => error.into(),
    })?;
    let fields = ArchiveFields::new(args.file.display().to_string(), &summary, is_encrypted);
    out.tell(&fields, |out| fields.print(out))
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
