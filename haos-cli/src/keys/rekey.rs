//! `haos rekey`: who can open a store.

use std::io::Write as _;

use haos_store::{KdfParams, KeyChange};
use serde::Serialize;

use super::{name_copies, sealed};
use crate::args::RekeyArgs;
use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;
use crate::secret::{file, prompt};
use crate::text::clean;

#[derive(Serialize)]
struct Rekeyed {
    changes: Vec<String>,
    /// Copies that were set aside as damaged, and open with what opened them then.
    set_aside: Vec<String>,
}

/// Makes the changes that are asked for, each a commit: first what lets somebody in, then what keeps
/// somebody out.
pub(crate) async fn rekey(target: Target, args: &RekeyArgs, out: &mut Out) -> Result<()> {
    let target = target.at(&args.store);
    // Before the store is opened: a file that cannot be read changes nothing.
    let given = changes(args)?;
    let (opened, _) = sealed(&target).await?;
    let changes = if given.is_empty() { vec![asked()?] } else { given };
    let mut done = Rekeyed { changes: Vec::new(), set_aside: opened.store.info().set_aside };
    for (told, change) in changes {
        let changed = opened.store.change_keys(change).await;
        changed.map_err(|error| Error::Unhealthy(format!("{error}{}", before(&done))))?;
        done.changes.push(told);
    }
    opened.store.close().await?;
    out.tell(&done, |out| {
        for told in &done.changes {
            writeln!(out, "{}", clean(told))?;
        }
        name_copies(&done.set_aside, "opens with what opened it before", out)
    })
}

type Told = (String, KeyChange);

fn changes(args: &RekeyArgs) -> Result<Vec<Told>> {
    let mut changes = Vec::new();
    if let (Some(name), Some(path)) = (&args.add_key, &args.new_key_file) {
        let change = KeyChange::AddKey(name.clone(), file::key(path)?);
        changes.push((format!("the key {name:?} opens the store"), change));
    }
    if let Some(path) = &args.new_passphrase_file {
        changes.push(passphrase(file::passphrase(path)?));
    }
    if let Some(name) = &args.remove_key {
        let told = format!("the key {name:?} opens the store no more");
        changes.push((told, KeyChange::RemoveKey(name.clone())));
    }
    if args.remove_passphrase {
        changes.push(("no passphrase opens the store any more".to_owned(), KeyChange::RemovePassphrase));
    }
    Ok(changes)
}

fn asked() -> Result<Told> {
    let instead = "give --new-passphrase-file FILE, --add-key, --remove-key or --remove-passphrase";
    prompt::new_passphrase(instead).map(passphrase)
}

fn passphrase(secret: haos_store::Secret) -> Told {
    let told = "the new passphrase opens the store, and no other".to_owned();
    (told, KeyChange::SetPassphrase(secret, KdfParams::default()))
}

/// Lists the changes before one that failed.
fn before(done: &Rekeyed) -> String {
    if done.changes.is_empty() {
        return "; nothing was changed".to_owned();
    }
    format!("; before that: {}", done.changes.join(", "))
}
