//! Names of files, of names that strangers chose.

use sha2::{Digest as _, Sha256};

/// The most characters of a name that a file's name keeps.
const LONGEST: usize = 40;
/// The most characters of an extension.
const LONGEST_EXTENSION: usize = 8;

/// Makes a name of letters and digits. The end, a hash over `id`, makes it unique, and other than any name that a system
/// reserves.
pub(super) fn slug(name: &str, id: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().filter(|c| !c.is_control()) {
        if c.is_alphanumeric() {
            slug.extend(c.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.chars().count() >= LONGEST {
            break;
        }
    }
    let hash: [u8; 32] = Sha256::digest(id.as_bytes()).into();
    let end: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    match slug.trim_end_matches('-') {
        "" => end,
        slug => format!("{slug}-{end}"),
    }
}

/// Makes the name of a file that keeps the extension, if it is a usual one.
pub(super) fn file(name: &str, id: &str) -> String {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_usual = (1..=LONGEST_EXTENSION).contains(&extension.len())
        && extension.chars().all(|c| c.is_ascii_alphanumeric());
    match is_usual {
        true => format!("{}.{}", slug(stem, id), extension.to_ascii_lowercase()),
        false => slug(name, id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_strangers_stay_in_their_folder() {
        assert_eq!(slug("Café & Küche", "!a"), format!("café-küche-{}", slug("", "!a")));
        assert_ne!(slug("x", "!a"), slug("x", "!b"), "the same name twice");
        for hostile in
            ["../../etc/passwd", "..", "con", "a/b\\c:d*e", "\u{202e}gpj.exe", "<script>", &"x".repeat(300)]
        {
            let name = file(hostile, "mxc://a/b");
            let is_safe = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
            assert!(name.chars().all(is_safe) && !name.starts_with('.') && name.len() < 200, "{name}");
            assert!(name.matches('.').count() <= 1, "{name}");
        }
        assert!(file("Photo.JPG", "m").ends_with(".jpg"));
        assert!(!file("x.a b", "m").contains('.'), "no usual extension");
    }
}
