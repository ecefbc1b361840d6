//! Sealing a plain store and unsealing a sealed one: into a folder within its own, which then takes the place of what is
//! there. Until that moment the store is as it was; cut off, it begins anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use haos_store_api::*;
use tokio::sync::oneshot;

use crate::engine::spawn;
use crate::error::{closed, guarded};
use crate::home::Home;
use crate::maintain::StopOnDrop;
use crate::open::{Opened, connect, folder_path};
use crate::options::{OnDamage, SledOptions};
use crate::seal::{not_sealed, read, unlock};
use crate::store::SledStore;
use crate::switch::{Old, Scratch, switch};

impl SledStore {
    /// Seals the plain store at the options' path with the options' secret. It is written anew beside the old one, whose
    /// files are then deleted; what their blocks held may be read off the device until it reuses them. Cut off, it
    /// begins anew when it is called again. Copies of the store that were set aside as damaged stay plain:
    /// [`Report::set_aside`] names them.
    ///
    /// # Errors
    /// `Busy` while somebody has the store open, `Invalid` if it is sealed already or no secret is given,
    /// `Corrupt` if a row cannot be read, `Full`, `Io`. The store is as it was then.
    pub async fn seal(options: SledOptions, progress: Progress) -> Result<Report> {
        if options.secret.is_none() {
            return Err(invalid("a store is sealed with a secret: give one in the options"));
        }
        run(options, true, progress).await
    }

    /// Unseals the store at the options' path, which the options' secret opens; see [`seal`](Self::seal).
    ///
    /// # Errors
    /// As [`seal`](Self::seal), `NotSealed` for a plain store, and `WrongKey`.
    pub async fn unseal(options: SledOptions, progress: Progress) -> Result<Report> {
        run(options, false, progress).await
    }
}

async fn run(options: SledOptions, seal: bool, progress: Progress) -> Result<Report> {
    let stop = StopOnDrop(Arc::default());
    let (reply, answer) = oneshot::channel();
    let stopped = stop.0.clone();
    spawn("haos-sled-convert", move || {
        // Nobody waits any more: the next call begins anew.
        let _ = reply.send(convert(&options, seal, &progress, &stopped));
    })?;
    answer.await.map_err(|_| closed("convert", "the conversion's thread ended unexpectedly"))?
}

fn convert(options: &SledOptions, seal: bool, progress: &Progress, stopped: &AtomicBool) -> Result<Report> {
    let path = folder_path(options.path())?;
    let options = options.clone().at(path.clone()).create(false).on_damage(OnDamage::Refuse);
    let home = Home::take(&options)?;
    let plain = options.clone().no_secret();
    let codec = match (seal, read(&home.keyring())?) {
        (true, Some(_)) => return Err(invalid("the store is sealed already: change its secret instead")),
        (true, None) => unlock(&home, &plain)?,
        (false, Some(_)) => unlock(&home, &options)?,
        (false, None) => return Err(not_sealed()),
    };
    let target = if seal { options.clone() } else { plain };
    let (source, _) = connect(&options.opened(codec), home).map_err(|(_, error)| error)?;
    let scratch = Scratch::create(source.home())?;
    let made = make(&source, target.create(true).at(scratch.path().to_owned()), progress, stopped);
    let home = source.into_home();
    let Ok(mut report) = made else {
        // While the folder is still held.
        drop(scratch);
        return made;
    };
    switch(&home, scratch, Old::Removed)?;
    let copies = files::set_asides(&path, home.id());
    report.set_aside = copies.iter().map(|folder| folder.display().to_string()).collect();
    Ok(report)
}

/// The new store, whole and closed.
fn make(source: &Opened, target: SledOptions, progress: &Progress, stopped: &AtomicBool) -> Result<Report> {
    let home = Home::take(&target)?;
    let codec = unlock(&home, &target)?;
    let (mut made, _) = connect(&target.opened(codec.clone()), home).map_err(|(_, error)| error)?;
    let report = guarded("convert", || copy(source, &mut made, &codec, progress, stopped));
    made.release();
    report
}

fn copy(
    source: &Opened,
    made: &mut Opened,
    codec: &Codec,
    progress: &Progress,
    stopped: &AtomicBool,
) -> Result<Report> {
    let total = source.head.sums.rows();
    let mut report = Report::default();
    let (tree, head) = (made.files.tree.clone(), made.head);
    kv::copy(source.db(), &tree, codec, head, &mut |draft, rows| {
        if stopped.load(Ordering::Relaxed) {
            return Err(closed("convert", "the conversion was cut off: start it again"));
        }
        made.write(draft)?;
        report.rows += rows;
        progress.step(report.rows.min(total), total);
        Ok(())
    })?;
    progress.step(total, total);
    Ok(report)
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "convert", message)
}
