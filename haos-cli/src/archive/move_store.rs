//! `haos move`.

use std::io::Write as _;
use std::sync::Arc;

use haos_archive::{MoveOptions, Moved, RestoreOptions, copy, move_store};
use haos_matrix::MatrixProtocol;
use serde::Serialize;

use super::report::RestoredFields;
use crate::args::{KeyArgs, MoveArgs};
use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;
use crate::progress;
use crate::text::plural;

#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    restored: RestoredFields,
    /// Unsent messages that the other store has now.
    moved: u64,
    /// Those that stayed, since they are being sent.
    left: Vec<String>,
    /// Those that are held back in the other store.
    doubtful: Vec<String>,
}

pub(crate) async fn run(store: &Target, args: &MoveArgs, out: &mut Out) -> Result<()> {
    let keys = KeyArgs {
        passphrase_file: args.to_passphrase_file.clone(),
        key_file: args.to_key_file.clone(),
        ..KeyArgs::default()
    };
    let to = Target::new(args.to.clone(), &keys)?;
    if to.url == store.url {
        return Err(Error::Usage("both stores are the same: name another one".to_owned()));
    }
    let from = store.existing().await?;
    let to = to.or_create().await?;
    let options = RestoreOptions::default().session(args.session).protocol(Arc::new(MatrixProtocol));
    let handover = if args.take_sending { MoveOptions::TakeSending } else { MoveOptions::LeaveSending };
    let run = async |progress| {
        let (from, to) = (&*from.store, &*to.store);
        match args.copy {
            true => copy(from, to, options, progress).await.map(|restored| (restored, Moved::default())),
            false => move_store(from, to, options, handover, progress).await,
        }
    };
    let done = progress::chore("moving", out.json, run).await;
    from.store.close().await?;
    to.store.close().await?;
    let (restored, moved) = done?;
    let texts = |ids: &[haos_store::TxnId]| ids.iter().map(ToString::to_string).collect();
    let done = Done {
        restored: RestoredFields::from(&restored),
        moved: moved.moved,
        left: texts(&moved.left),
        doubtful: texts(&moved.doubtful),
    };
    out.tell(&done, |out| {
        done.restored.print(out)?;
        if done.moved > 0 {
            writeln!(out, "{} handed over", plural(done.moved, "unsent message"))?;
        }
        if !done.left.is_empty() {
            let left = plural(done.left.len() as u64, "unsent message");
            writeln!(out, "{left} stayed, since they are being sent: run this again later")?;
        }
        if !done.doubtful.is_empty() {
            let held = plural(done.doubtful.len() as u64, "message");
            writeln!(out, "{held} may be sent already, and are held back: `haos outbox` lists them")?;
        }
        Ok(())
    })
}
