use std::io::{self, Write};

use haos_store_api::{Error, MaybeSend, Result};

/// The target of an export: files below one folder.
pub trait Folder: MaybeSend {
    /// Makes a file, with the folders it is in. `name` has `/` between its parts, and no part is `..`.
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Written>>;
}

/// A file that is written.
pub trait Written: Write + MaybeSend {}
impl<W: Write + MaybeSend> Written for W {}

/// Writes a whole file.
pub(super) fn write(folder: &mut dyn Folder, name: &str, text: &str) -> Result<()> {
    let write = |folder: &mut dyn Folder| {
        let mut file = folder.create(name)?;
        file.write_all(text.as_bytes())?;
        file.flush()
    };
    write(folder).map_err(|error| failed(name, error))
}

pub(super) fn failed(name: &str, error: io::Error) -> Error {
    Error::io("export", format!("{name} cannot be written"), error)
}

#[cfg(not(target_arch = "wasm32"))]
pub use native::Directory;

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::fs::{self, File};
    use std::io::{self, BufWriter};
    use std::path::{Path, PathBuf};

    use haos_store_api::{Error, ErrorKind, Result};

    use super::{Folder, Written};

    /// A folder of the file system that was empty or absent.
    #[derive(Debug)]
    pub struct Directory {
        path: PathBuf,
    }

    impl Directory {
        /// Makes the folder, or takes one that is empty: an export never mixes with other files.
        ///
        /// # Errors
        /// `Invalid` for a folder with files in it, `Io` and others where it cannot be made.
        pub fn new(path: impl Into<PathBuf>) -> Result<Self> {
            let path = path.into();
            let cannot = |e| Error::io("export", format!("the folder {} cannot be made", path.display()), e);
            fs::create_dir_all(&path).map_err(cannot)?;
            if fs::read_dir(&path).map_err(cannot)?.next().is_some() {
                let message = format!("the folder {} is not empty: name a new one", path.display());
                return Err(Error::new(ErrorKind::Invalid, "export", message));
            }
            Ok(Self { path })
        }

        /// Returns its path.
        pub fn path(&self) -> &Path {
            &self.path
        }
    }

    impl Folder for Directory {
        fn create(&mut self, name: &str) -> io::Result<Box<dyn Written>> {
            let path = self.path.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            Ok(Box::new(BufWriter::new(File::create_new(path)?)))
        }
    }
}
