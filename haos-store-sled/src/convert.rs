//! Sealing a plain store and unsealing a sealed one: into a folder within its own, which then takes the place of its
//! content. Until that moment the store is unchanged; an interrupted conversion begins again.

use haos_store_api::backend::native::{Options, Stop, To, cut_off, unlock, wipe};
use haos_store_api::backend::*;
use haos_store_api::*;

use crate::backend::Sled;
use crate::error::guarded;
use crate::home::{Home, MIRROR};
use crate::open::{Opened, connect};
use crate::options::SledOptions;
use crate::store::SledStore;
use crate::switch::{Old, Scratch, switch};

impl SledStore {
    /// Seals the plain store at the options' path with the options' secret. Writes a new store beside the old one,
    /// whose files are then deleted; the content of their blocks may be read off the device until it reuses them. An
    /// interrupted call begins again when repeated. Copies of the store that were set aside as damaged stay plain:
    /// [`Report::set_aside`] names them.
    ///
    /// # Errors
    /// `Busy` while another handle has the store open, `Invalid` if it is sealed already or the secret is absent,
    /// `Corrupt` if a row cannot be read, `Full`, `Io`. The store is unchanged then.
    pub async fn seal(options: SledOptions, progress: Progress) -> Result<Report> {
        run(options, To::Sealed, progress).await
    }

    /// Unseals the store at the options' path, which the options' secret opens; see [`seal`](Self::seal).
    ///
    /// # Errors
    /// As [`seal`](Self::seal), `NotSealed` for a plain store, and `WrongKey`.
    pub async fn unseal(options: SledOptions, progress: Progress) -> Result<Report> {
        run(options, To::Plain, progress).await
    }
}

async fn run(options: SledOptions, to: To, progress: Progress) -> Result<Report> {
    to.run::<Sled, _>(options, move |options, stop| convert(options, to, &progress, stop)).await
}

fn convert(options: &Options, to: To, progress: &Progress, stop: &Stop) -> Result<Report> {
    let home = Home::take(options)?;
    let codec = to.source(&home, options)?;
    let (source, _) = connect(&options.clone().unlocked(codec), home).map_err(|(_, error)| error)?;
    let scratch = Scratch::create(source.home())?;
    let made = make(&source, to.target(options).at(scratch.path().to_owned()), progress, stop);
    let home = source.into_home();
    let Ok(mut report) = made else {
        // While the folder is still held.
        drop(scratch);
        return made;
    };
    // Its rows are in the form of the old store; the next opening writes it again.
    wipe(&files::beside(options.path(), MIRROR))?;
    switch(&home, scratch, Old::Removed)?;
    let copies = files::set_asides(options.path(), home.id());
    report.set_aside = copies.iter().map(|folder| folder.display().to_string()).collect();
    Ok(report)
}

/// Makes the new store, whole and closed.
fn make(source: &Opened, target: Options, progress: &Progress, stop: &Stop) -> Result<Report> {
    let home = Home::take(&target)?;
    let codec = unlock(&home, &target)?.codec;
    let (mut made, _) = connect(&target.unlocked(codec.clone()), home).map_err(|(_, error)| error)?;
    let report = guarded("convert", || copy(source, &mut made, &codec, progress, stop));
    made.release();
    report
}

fn copy(
    source: &Opened,
    made: &mut Opened,
    codec: &Codec,
    progress: &Progress,
    stop: &Stop,
) -> Result<Report> {
    let total = source.head.sums.rows();
    let mut report = Report::default();
    let (tree, head) = (made.files.tree.clone(), made.head);
    kv::copy(source.db(), &tree, codec, head, &mut |layer, rows| {
        if stop.is_set() {
            return Err(cut_off());
        }
        made.write(layer)?;
        report.rows += rows;
        progress.step(report.rows.min(total), total);
        Ok(())
    })?;
    progress.step(total, total);
    Ok(report)
}
