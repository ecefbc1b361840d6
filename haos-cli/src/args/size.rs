//! Sizes on the command line.

/// Reads `4096`, `64KiB`, `64MiB`, `1GiB` (`K`, `M`, `G` for short).
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kib" => 10,
        "m" | "mib" => 20,
        "g" | "gib" => 30,
        _ => return Err("write a size such as 4096, 512KiB, 64MiB or 1GiB".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| format!("{digits:?} is no number"))?;
    match number.checked_mul(1 << shift) {
        Some(size @ 1..) => Ok(size),
        Some(0) => Err("the size must not be 0".to_owned()),
        None => Err("the size is too large".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(bytes("4096"), Ok(4096));
        assert_eq!(bytes("64MiB"), Ok(64 << 20));
        assert_eq!(bytes("1g"), Ok(1 << 30));
        for text in ["", "x", "0", "1TB", "99999999999999999999", "999999999999G", "-1"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
