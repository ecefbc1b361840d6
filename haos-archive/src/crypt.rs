//! Encryption by age (<https://age-encryption.org/v1>): an encrypted archive is an ordinary age file.

use std::fmt;
use std::io::{self, BufRead, Write};

use age::secrecy::SecretString;
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor, scrypt, x25519};
use haos_store_api::{Error, ErrorKind, Result};

use crate::format::corrupt;

/// The first bytes of an age file.
pub(crate) const MAGIC: &[u8] = b"age-encryption.org/";
/// The longest header of an age file: its parser takes memory for all of it before anything vouches for it.
pub(crate) const MOST_HEADER: usize = 64 << 10;
/// The cost of a passphrase, 2^17 rounds of scrypt: about a second of a slow device, and 128 MiB for its length.
const WORK: u8 = 17;
/// The highest cost that is accepted: 256 MiB. The `age` tool's own default.
const MOST_WORK: u8 = 18;

/// The way to encrypt an archive.
#[derive(Clone)]
pub struct Encryption(To);

#[derive(Clone)]
enum To {
    Passphrase(SecretString, u8),
    Recipients(Vec<x25519::Recipient>),
}

impl Encryption {
    /// Encrypts under a passphrase. An interrupted backup under the same one is resumed.
    pub fn passphrase(passphrase: impl Into<String>) -> Self {
        Self(To::Passphrase(SecretString::from(passphrase.into()), WORK))
    }

    /// Encrypts to the holders of keys, given as `age1…`. Any of them can read it; an interrupted backup is resumed
    /// only where [`Backup::identity`](crate::Backup::identity) gives one of them.
    ///
    /// # Errors
    /// `Invalid` for a text that is no such key, and if there is none.
    pub fn recipients<'a>(keys: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let keys = keys.into_iter().map(|key| {
            key.parse::<x25519::Recipient>()
                .map_err(|_| invalid("a recipient is a text that begins with `age1`"))
        });
        let keys: Vec<_> = keys.collect::<Result<_>>()?;
        match keys.is_empty() {
            true => Err(invalid("give one recipient or several")),
            false => Ok(Self(To::Recipients(keys))),
        }
    }

    /// Sets the cost of a passphrase: 2^`log_n` rounds of scrypt, each of which takes a KiB of memory. 17 unless set;
    /// readers refuse more than 18 unless told otherwise.
    #[must_use]
    pub fn work(self, log_n: u8) -> Self {
        match self.0 {
            To::Passphrase(passphrase, _) => Self(To::Passphrase(passphrase, log_n.clamp(1, 30))),
            To::Recipients(_) => self,
        }
    }

    /// Returns the identity that reads what this writes; absent for recipients.
    pub(crate) fn own_identity(&self) -> Option<Identity> {
        match &self.0 {
            To::Passphrase(passphrase, work) => {
                Some(Identity(With::Passphrase(passphrase.clone(), MOST_WORK.max(*work))))
            }
            To::Recipients(_) => None,
        }
    }

    /// Begins an age file.
    pub(crate) fn wrap<W: Write>(&self, out: W) -> Result<StreamWriter<W>> {
        let encryptor = match &self.0 {
            To::Passphrase(passphrase, work) => {
                let mut recipient = scrypt::Recipient::new(passphrase.clone());
                recipient.set_work_factor(*work);
                Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
            }
            To::Recipients(keys) => {
                Encryptor::with_recipients(keys.iter().map(|key| key as &dyn age::Recipient))
            }
        };
        let encryptor = encryptor.map_err(|e| {
            Error::new(ErrorKind::Other, "backup", "age refuses these recipients").with_source(e.to_string())
        })?;
        encryptor.wrap_output(out).map_err(|e| Error::io("backup", "the archive cannot be written", e))
    }
}

/// The means to read an encrypted archive.
#[derive(Clone)]
pub struct Identity(With);

#[derive(Clone)]
enum With {
    Passphrase(SecretString, u8),
    Keys(Vec<x25519::Identity>),
}

impl Identity {
    /// Reads what was encrypted under a passphrase.
    pub fn passphrase(passphrase: impl Into<String>) -> Self {
        Self(With::Passphrase(SecretString::from(passphrase.into()), MOST_WORK))
    }

    /// Reads what was encrypted to one of the keys, given as `AGE-SECRET-KEY-1…`.
    ///
    /// # Errors
    /// `Invalid` for a text that is no such key, and if there is none.
    pub fn keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let keys = keys.into_iter().map(|key| {
            key.trim()
                .parse::<x25519::Identity>()
                .map_err(|_| invalid("a secret key is a text that begins with `AGE-SECRET-KEY-1`"))
        });
        let keys: Vec<_> = keys.collect::<Result<_>>()?;
        match keys.is_empty() {
            true => Err(invalid("give one secret key or several")),
            false => Ok(Self(With::Keys(keys))),
        }
    }

    /// Makes a new pair of keys: the secret one, and the recipient to encrypt to. Keep the secret key apart from the
    /// archives.
    pub fn generate() -> (String, String) {
        use age::secrecy::ExposeSecret;
        let key = x25519::Identity::generate();
        (key.to_string().expose_secret().to_owned(), key.to_public().to_string())
    }

    /// Accepts a passphrase of a higher cost, 2^`log_n` rounds of scrypt, each of which takes a KiB of memory; 18 unless
    /// set. A hostile file can name any cost.
    #[must_use]
    pub fn most_work(self, log_n: u8) -> Self {
        match self.0 {
            With::Passphrase(passphrase, _) => Self(With::Passphrase(passphrase, log_n)),
            With::Keys(_) => self,
        }
    }

    /// Opens an age file, whose header is known to be of bounded length.
    pub(crate) fn unwrap<R: BufRead>(&self, from: R) -> Result<StreamReader<R>> {
        let decryptor = Decryptor::new_buffered(from).map_err(failed)?;
        let reader = match &self.0 {
            With::Passphrase(passphrase, most) => {
                let mut identity = scrypt::Identity::new(passphrase.clone());
                identity.set_max_work_factor(*most);
                decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity))
            }
            With::Keys(keys) => decryptor.decrypt(keys.iter().map(|key| key as &dyn age::Identity)),
        };
        reader.map_err(failed)
    }
}

/// Makes the error of age's reader.
pub(crate) fn failed(error: DecryptError) -> Error {
    match error {
        DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            let message =
                "the archive is encrypted under another passphrase or to another key: give that one";
            Error::new(ErrorKind::WrongKey, "archive", message)
        }
        DecryptError::ExcessiveWork { required, .. } => {
            let message = format!(
                "the archive's passphrase costs 2^{required} rounds, more than is accepted: if you trust the file, accept \
                 that many"
            );
            Error::new(ErrorKind::Unsupported, "archive", message)
        }
        DecryptError::Io(error) if !is_of_the_content(&error) => {
            Error::io("archive", "the archive cannot be read", error)
        }
        error => corrupt("its encryption is invalid").with_source(error.to_string()),
    }
}

/// Tells whether an error is about the bytes that were read, rather than about reading.
pub(crate) fn is_of_the_content(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | Other | UnexpectedEof)
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "archive", message)
}

impl fmt::Debug for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            To::Passphrase(..) => "Encryption(passphrase)",
            To::Recipients(_) => "Encryption(recipients)",
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            With::Passphrase(..) => "Identity(passphrase)",
            With::Keys(_) => "Identity(keys)",
        })
    }
}
