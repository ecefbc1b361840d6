//! All mistakes that can be made, numbered, with names that later changes of a file leave alone.

use std::collections::HashMap;

use crate::named;
use crate::site::Source;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mutant {
    /// Its number in this build.
    pub(crate) number: u32,
    /// The file, by its place in the list of sources, and the place in that file.
    pub(crate) file: usize,
    pub(crate) site: usize,
    /// `file: function: change`, with a number behind it where that occurs again.
    pub(crate) name: String,
    pub(crate) line: usize,
    /// It is one of those with names.
    pub(crate) is_named: bool,
}

/// Numbers the mistakes of all files; the first of a place is what its switch is called with.
pub(crate) fn number(sources: &[Source]) -> Vec<Mutant> {
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut mutants = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        for (index, site) in source.sites.iter().enumerate() {
            for change in &site.changes {
                let name = format!("{}: {}: {change}", source.path, site.function);
                let seen = names.entry(name.clone()).or_default();
                *seen += 1;
                let name = if *seen == 1 { name } else { format!("{name} ({seen})") };
                let number = mutants.len() as u32;
                let is_named = named::is_one(site);
                mutants.push(Mutant { number, file, site: index, name, line: site.line, is_named });
            }
        }
    }
    mutants
}

/// A sample that `seed` decides: those with the least hashes.
pub(crate) fn sample(mut mutants: Vec<Mutant>, many: usize, seed: u64) -> Vec<Mutant> {
    mutants.sort_by_key(|mutant| hash(&mutant.name, seed));
    mutants.truncate(many);
    mutants
}

/// FNV-1a: the same on every machine and in every version of Rust.
pub(crate) fn hash(text: &str, seed: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::find;

    #[test]
    fn names_are_told_apart_and_samples_repeat() {
        let source = find("a.rs", "fn f(a: u8) { g(a < 2); g(a < 2); }".into()).unwrap();
        let mutants = number(&[source]);
        let names: std::collections::BTreeSet<_> = mutants.iter().map(|mutant| &mutant.name).collect();
        assert_eq!(names.len(), mutants.len());
        assert!(names.contains(&"a.rs: f: `a < 2` with `<=` (2)".to_owned()), "{names:?}");
        assert!(mutants.iter().zip(0..).all(|(mutant, number)| mutant.number == number));
        let sample_of = |seed| sample(mutants.clone(), 3, seed);
        assert_eq!(sample_of(1), sample_of(1));
        assert!((2..20).any(|seed| sample_of(seed) != sample_of(1)));
    }
}
