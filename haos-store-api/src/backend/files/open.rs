use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{ErrorKind as IoKind, Seek as _, Write as _};
use std::path::Path;

use super::{beside, random_name};
use crate::{Error, Result};

/// The kind of entry that may stand at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A regular file.
    File,
    /// A folder.
    Folder,
}

/// Makes a file for reading and writing that only its owner can read.
///
/// # Errors
/// `AlreadyExists` if the path is taken, be it by a link; those of the file system.
pub fn create(path: &Path) -> std::io::Result<File> {
    private(File::options().read(true).write(true).create_new(true)).open(path)
}

/// Makes a folder that only its owner can look into.
///
/// # Errors
/// `AlreadyExists` if the path is taken, be it by a link; those of the file system.
pub fn create_folder(path: &Path) -> std::io::Result<()> {
    #[allow(unused_mut, reason = "elsewhere there is no mode to set")]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens a file of a fixed name for reading and writing, and makes it if it is absent, readable for its owner alone.
///
/// # Errors
/// `Invalid` if it is not a regular file, and those of the file system.
pub fn open(operation: &'static str, path: &Path) -> Result<File> {
    refuse_odd(operation, path, Expected::File)?;
    let fault = |e| fault(operation, path, e);
    let mut options = File::options();
    private(options.read(true).write(true).create(true).truncate(false));
    // The path may have become a link or a pipe since: neither is followed nor waited for.
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits().cast_signed());
    }
    let file = options.open(path).map_err(fault)?;
    if file.metadata().map_err(fault)?.is_file() {
        Ok(file)
    } else {
        Err(odd(operation, path, Expected::File))
    }
}

/// Tells whether a path is taken, by an entry of the expected kind.
///
/// # Errors
/// `Invalid` if the entry is of another kind, such as a link; `Io` where the system does not tell.
pub fn refuse_odd(operation: &'static str, path: &Path, expected: Expected) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(about) if expected.is_met(&about) => Ok(true),
        Ok(_) => Err(odd(operation, path, expected)),
        Err(e) if e.kind() == IoKind::NotFound => Ok(false),
        Err(e) => Err(fault(operation, path, e)),
    }
}

impl Expected {
    fn is_met(self, about: &Metadata) -> bool {
        match self {
            Self::File => about.is_file(),
            Self::Folder => about.is_dir(),
        }
    }
}

/// Replaces the bytes of a file, whole or not at all, and keeps its rights; only the owner can read a new one.
///
/// # Errors
/// `Invalid` if the path is taken by anything but a regular file, and those of the file system.
pub fn replace(operation: &'static str, path: &Path, bytes: &[u8]) -> Result<()> {
    let is_there = refuse_odd(operation, path, Expected::File)?;
    let fault = |e| fault(operation, path, e);
    let new = beside(path, format!(".{}", random_name()?));
    let write = || {
        let mut file = create(&new)?;
        file.write_all(bytes)?;
        if is_there {
            keep_rights(path, &new)?;
        }
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().inspect_err(|_| drop(fs::remove_file(&new))).map_err(fault)?;
    sync_folder(path.parent().unwrap_or(path));
    Ok(())
}

/// Gives `to` the mode and, if possible, the group of `from`. A group that cannot be set has no rights.
///
/// # Errors
/// Those of the file system.
#[cfg(unix)]
pub fn keep_rights(from: &Path, to: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let (old, new) = (fs::symlink_metadata(from)?, fs::symlink_metadata(to)?);
    let same = old.gid() == new.gid() || std::os::unix::fs::lchown(to, None, Some(old.gid())).is_ok();
    let mode = old.permissions().mode() & if same { 0o777 } else { 0o707 };
    fs::set_permissions(to, fs::Permissions::from_mode(mode))
}

/// Does nothing: files inherit their rights from the folder.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn keep_rights(_: &Path, _: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Writes zeros over a file, as far as the device allows.
///
/// # Errors
/// Those of the file system.
pub fn overwrite(mut file: File) -> std::io::Result<()> {
    let (zeros, mut left) = (vec![0; 1 << 16], file.metadata()?.len());
    file.rewind()?;
    while left > 0 {
        let step = zeros.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        file.write_all(&zeros[..step])?;
        left -= step as u64;
    }
    file.sync_all()
}

/// Makes new names in a folder survive power loss, where the system knows how.
pub fn sync_folder(path: &Path) {
    if cfg!(unix) {
        // A file system whose folders cannot be synced syncs them itself.
        let _ = File::open(path).and_then(|folder| folder.sync_all());
    }
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn odd(operation: &'static str, path: &Path, expected: Expected) -> Error {
    let shown = path.display();
    let found = match fs::symlink_metadata(path) {
        Ok(about) if about.is_symlink() => "a symbolic link",
        Ok(about) if about.is_dir() => "a folder",
        Ok(about) if about.is_file() => "a file",
        _ => "a pipe or a device",
    };
    let wanted = match expected {
        Expected::File => "a regular file",
        Expected::Folder => "a folder",
    };
    let text = format!(
        "{shown} is {found} where the store has {wanted}, and is not used: look whether it is yours, and remove it"
    );
    Error::invalid(operation, text)
}

fn fault(operation: &'static str, path: &Path, error: std::io::Error) -> Error {
    Error::io(operation, format!("{} cannot be used", path.display()), error)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use crate::ErrorKind;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_private_and_never_over_anything() {
        let folder = tempfile::tempdir().unwrap();
        let (file, dir, link) = ("f", "d", "l");
        let at = |name: &str| folder.path().join(name);
        create(&at(file)).unwrap();
        create_folder(&at(dir)).unwrap();
        symlink("victim", at(link)).unwrap();
        assert_eq!((mode(&at(file)), mode(&at(dir))), (0o600, 0o700));
        for name in [file, dir, link] {
            assert_eq!(create(&at(name)).unwrap_err().kind(), IoKind::AlreadyExists);
            assert_eq!(create_folder(&at(name)).unwrap_err().kind(), IoKind::AlreadyExists);
        }
        assert!(!at("victim").exists());
    }

    #[test]
    fn only_a_regular_file_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("victim"), "untouched").unwrap();
        symlink("victim", at("link")).unwrap();
        symlink("nothing", at("gone")).unwrap();
        fs::create_dir(at("dir")).unwrap();
        let pipe = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), pipe, 0o600.into(), 0).unwrap();
        for (name, what) in
            [("link", "symbolic link"), ("gone", "symbolic link"), ("dir", "folder"), ("pipe", "pipe")]
        {
            for error in [open("test", &at(name)).unwrap_err(), replace("test", &at(name), b"x").unwrap_err()]
            {
                assert_eq!(error.kind(), ErrorKind::Invalid, "{name}");
                let text = error.to_string();
                assert!(text.contains(what) && text.contains(name) && text.contains("remove it"), "{text}");
            }
        }
        assert_eq!(fs::read(at("victim")).unwrap(), b"untouched");
        assert!(!at("nothing").exists());
        open("test", &at("new")).unwrap();
        assert_eq!(mode(&at("new")), 0o600);
        open("test", &at("new")).unwrap().write_all(b"kept").unwrap();
        assert_eq!(open("test", &at("new")).unwrap().metadata().unwrap().len(), 4);
    }

    #[test]
    fn what_is_replaced_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        replace("test", &path, b"one").unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace("test", &path, b"two").unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o640, b"two".to_vec()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left over");
    }
}
