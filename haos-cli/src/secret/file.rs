//! Secrets in files.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use haos_store::Secret;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::text::why;

/// The most that is read of a file.
const LONGEST: u64 = 64 << 10;

/// The first line of a file.
pub(crate) fn passphrase(path: &Path) -> Result<Secret> {
    Ok(Secret::passphrase(line(path, "passphrase")?.as_str()))
}

/// The first line of a file that nobody else can read.
pub fn line(path: &Path, what: &str) -> Result<Zeroizing<String>> {
    let bytes = read(path)?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let words = std::str::from_utf8(line).map_err(|_| bad(path, "the first line is not UTF-8 text"))?;
    if words.is_empty() {
        return Err(bad(path, &format!("the first line is empty: write the {what} there")));
    }
    Ok(Zeroizing::new(words.to_owned()))
}

/// 32 bytes, or 64 hex digits with white space around them.
pub(crate) fn key(path: &Path) -> Result<Secret> {
    let bytes = read(path)?;
    let mut key = Zeroizing::new([0; 32]);
    if bytes.len() == key.len() {
        key.copy_from_slice(&bytes);
        return Ok(Secret::key(*key));
    }
    let hex = bytes.trim_ascii();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = hex.as_chunks::<2>();
    let wrong = || bad(path, "a key is 32 bytes or 64 hex digits: make one with `openssl rand -hex 32`");
    if pairs.len() != key.len() || !rest.is_empty() {
        return Err(wrong());
    }
    for (byte, [high, low]) in key.iter_mut().zip(pairs) {
        *byte = digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low).ok_or_else(wrong)?;
    }
    Ok(Secret::key(*key))
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |e: std::io::Error| bad(path, &format!("cannot be read: {}", why(&e)));
    let file = File::open(path).map_err(failed)?;
    private(path, &file)?;
    // With room from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LONGEST {
        return Err(bad(path, "is longer than any passphrase or key: name another file"));
    }
    Ok(bytes)
}

/// Refuses a file that somebody else can read. A pipe is nobody else's.
#[cfg(unix)]
fn private(path: &Path, file: &File) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let about = file.metadata().map_err(|e| bad(path, &format!("cannot be read: {e}")))?;
    if about.is_dir() {
        return Err(bad(path, "is a folder: name a file"));
    }
    if about.is_file() && about.permissions().mode() & 0o077 != 0 {
        let reason = format!("others can read this secret: run `chmod 600 {}` first", path.display());
        return Err(bad(path, &reason));
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_: &Path, _: &File) -> Result<()> {
    Ok(())
}

fn bad(path: &Path, reason: &str) -> Error {
    Error::Input(format!("{}: {reason}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(bytes: &[u8], read: impl Fn(&Path) -> Result<T>) -> Result<T> {
        let file = tempfile::NamedTempFile::new().map_err(Error::Output)?;
        std::fs::write(file.path(), bytes).map_err(Error::Output)?;
        read(file.path())
    }

    #[test]
    fn a_passphrase_is_the_first_line() {
        for bytes in [&b"red  green"[..], b"red  green\n", b"red  green\r\n", b"red  green\nmore\n"] {
            assert!(with(bytes, passphrase).unwrap() == Secret::passphrase("red  green"));
        }
        assert!(with(b" red ", passphrase).unwrap() == Secret::passphrase(" red "), "spaces count");
        for bytes in [&b""[..], b"\nred", b"\xff\xfe"] {
            assert_eq!(with(bytes, passphrase).unwrap_err().code(), 3);
        }
    }

    #[test]
    fn a_key_is_bytes_or_hex() {
        let wanted = Secret::key([0xab; 32]);
        assert!(with(&[0xab; 32], key).unwrap() == wanted);
        assert!(with("ab".repeat(32).as_bytes(), key).unwrap() == wanted);
        assert!(with(format!("{}\n", "AB".repeat(32)).as_bytes(), key).unwrap() == wanted);
        let (short, long, word) = ("ab".repeat(31), "ab".repeat(33), "xy".repeat(32));
        for text in ["", "ab", &short, &long, &word, &format!("{short}a")] {
            assert!(with(text.as_bytes(), key).unwrap_err().to_string().contains("64 hex digits"), "{text}");
        }
        assert!(with(&[b'x'; 70_000], key).unwrap_err().to_string().contains("longer than"));
    }
}
