use std::path::{Path, PathBuf};

use haos_archive::{Archive, Encryption, Identity};
use haos_store::ErrorKind;

use super::of_the_file;
use crate::args::{ArchiveKeys, BackupArgs};
use crate::error::{Error, Result};
use crate::secret::{file, prompt};

/// The way to encrypt a new archive, if it is to be.
pub(super) fn encryption(args: &BackupArgs) -> Result<Option<Encryption>> {
    if let Some(path) = &args.keys.archive_passphrase_file {
        return Ok(Some(Encryption::passphrase(file::line(path, "passphrase")?.as_str())));
    }
    if !args.recipients.is_empty() {
        let recipients = args.recipients.iter().map(String::as_str);
        return Ok(Some(Encryption::recipients(recipients).map_err(of_the_file)?));
    }
    if !args.encrypt {
        return Ok(None);
    }
    let words = prompt::new_words("give it with --archive-passphrase-file")?;
    Ok(Some(Encryption::passphrase(words.as_str())))
}

/// The means to read an archive that the options name.
pub(super) fn identity(keys: &ArchiveKeys) -> Result<Option<Identity>> {
    if let Some(path) = &keys.identity_file {
        let key = file::line(path, "secret key")?;
        return Ok(Some(Identity::keys([key.as_str()]).map_err(of_the_file)?));
    }
    let Some(path) = &keys.archive_passphrase_file else { return Ok(None) };
    Ok(Some(Identity::passphrase(file::line(path, "passphrase")?.as_str())))
}

/// Opens an archive, and asks for its passphrase if it has one that is not given.
pub(super) fn open(files: &[PathBuf], given: Option<&Identity>) -> Result<Archive> {
    let error = match Archive::open_files(files, given) {
        Ok(archive) => return Ok(archive),
        Err(error) => error,
    };
    let name = files.last().map_or(Path::new(""), PathBuf::as_path).display();
    if error.kind() != ErrorKind::Sealed || given.is_some() {
        return Err(match of_the_file(error) {
            Error::Input(words) => Error::Input(format!("{name}: {words}")),
            error => error,
        });
    }
    if !prompt::is_possible() {
        return Err(Error::Input(format!(
            "{name} is encrypted: give --archive-passphrase-file FILE or --identity-file FILE, or run this in a \
             terminal, which asks for the passphrase"
        )));
    }
    let words = prompt::hidden(&format!("Passphrase of {name}:"), "passphrase")?;
    Archive::open_files(files, Some(&Identity::passphrase(words.as_str()))).map_err(of_the_file)
}
