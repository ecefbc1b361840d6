//! Which functions only a few users need, by the crates they are of.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::functions;
use crate::source::{Result, Source};

/// The crates of what most users never need, and the way to it.
#[derive(Debug, Clone, Copy)]
pub struct Seldom<'a> {
    /// The crates.
    pub crates: &'a [&'a str],
    /// The paths of the code that calls them, once they are loaded.
    pub gates: &'a [&'a str],
}

/// A compiler makes one function of several with the same code, and calls it as it likes. Those of fewer bytes may be of any
/// crate, and so may those that are generic code of another crate.
const ALIKE_BYTES: u64 = 128;

/// What is known of a function by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is code of the crates.
    Own,
    /// It is code of other crates with types of these, and may be used for other types as well.
    Shared,
    /// It calls the crates' code, and has it loaded before.
    Gate,
    Other,
}

/// Chooses the functions of the crates that nobody can reach but through the gates, without those that `ran`.
pub(crate) fn apart(wasm: &[u8], seldom: Seldom<'_>, ran: &BTreeSet<u32>) -> Result<BTreeSet<u32>> {
    let source = Source::read(wasm)?;
    let outside: BTreeSet<u32> =
        source.slots()?.into_values().chain(source.exported_functions().map(|(_, n)| n)).collect();
    let names = functions(wasm)?;
    let bodies = || (source.imported()..).zip(&source.bodies);
    let mut kinds = BTreeMap::new();
    for (number, body) in bodies() {
        let is_small = body.range().end - body.range().start < ALIKE_BYTES;
        let kind = seldom.kind(names.get(&number).map_or("", String::as_str));
        kinds.insert(number, if kind == Kind::Own && is_small { Kind::Shared } else { kind });
    }
    let mut apart = BTreeSet::new();
    for (number, kind) in &kinds {
        let is_of_them = match kind {
            Kind::Own => true,
            Kind::Shared => !outside.contains(number),
            Kind::Gate | Kind::Other => false,
        };
        if is_of_them && !ran.contains(number) {
            apart.insert(*number);
        }
    }
    let mut calls = BTreeMap::new();
    for (number, body) in bodies() {
        calls.insert(number, source.mentioned(body)?);
    }
    // Whatever anybody else calls stays with them, and what that calls.
    loop {
        let stays = |number: &u32| !apart.contains(number) && kinds.get(number) != Some(&Kind::Gate);
        let called: Vec<u32> = calls
            .iter()
            .filter(|(number, _)| stays(number))
            .flat_map(|(_, called)| called.iter().copied())
            .collect();
        let before = apart.len();
        called.iter().for_each(|number| _ = apart.remove(number));
        if apart.len() == before {
            return Ok(apart);
        }
    }
}

impl Seldom<'_> {
    fn kind(self, name: &str) -> Kind {
        let paths: Vec<&str> = paths(name).collect();
        if paths.iter().any(|path| self.gates.iter().any(|gate| path.starts_with(gate))) {
            return Kind::Gate;
        }
        let is_own = |path: &&str| self.crates.contains(&path.split("::").next().unwrap_or_default());
        match paths.first() {
            Some(first) if is_own(first) => Kind::Own,
            _ if paths.iter().any(is_own) => Kind::Shared,
            _ => Kind::Other,
        }
    }
}

/// The paths in a name, without the marks of crates' versions: the first is that of the function, or of the type that it
/// belongs to.
fn paths(name: &str) -> impl Iterator<Item = &str> {
    let is_of_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    name.split(move |c| !is_of_path(c))
        .map(|path| path.trim_matches(':'))
        .filter(|path| !matches!(*path, "" | "mut" | "dyn" | "const"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELDOM: Seldom<'_> = Seldom { crates: &["secret"], gates: &["chat::keys"] };

    #[test]
    fn a_name_tells_whose_code_it_is() {
        for (name, kind) in [
            ("secret::open::{closure#0}", Kind::Own),
            ("<secret::Key as core::fmt::Debug>::fmt", Kind::Own),
            ("<&mut secret::Key as core::fmt::Debug>::fmt", Kind::Own),
            ("<secret::Machine>::turn::<chat::keys::Store>", Kind::Gate),
            ("<alloc::vec::Vec<secret::Key>>::push", Kind::Shared),
            ("core::ptr::drop_in_place::<secret::Key>", Kind::Shared),
            ("<chat::keys::Turn>::done::{closure#0}", Kind::Gate),
            ("core::ptr::drop_in_place::<<chat::keys::Turn>::done::{closure#0}>", Kind::Gate),
            ("<chat::Room>::send::{closure#0}", Kind::Other),
            ("secretive::open", Kind::Other),
            ("", Kind::Other),
        ] {
            assert_eq!(SELDOM.kind(name), kind, "{name}");
        }
    }

    /// A program whose functions have the names that are given, each with the numbers of those that it calls. Those that
    /// are large are so by what they do; the table has one.
    fn program(functions: &[(&str, bool, &[usize])], in_table: usize) -> Vec<u8> {
        use std::fmt::Write as _;
        let mut text = String::from("(module (memory 1) (table 1 funcref)");
        for (name, is_large, calls) in functions {
            let _ = write!(text, "(func (@name \"{name}\")");
            calls.iter().for_each(|called| _ = write!(text, "(call {called})"));
            (0..if *is_large { 60 } else { 0 }).for_each(|n| _ = write!(text, "(drop (i32.const {n}))"));
            text.push(')');
        }
        let _ = write!(text, "(elem (i32.const 0) {in_table}))");
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn what_only_the_gates_reach_is_apart() {
        let functions: [(&str, bool, &[usize]); 9] = [
            ("chat::keys::share", false, &[1, 3]),
            ("secret::encrypt", true, &[2]),
            ("<alloc::vec::Vec<secret::Key>>::push", false, &[]),
            ("secret::parse", true, &[4]),
            ("secret::parse::inner", true, &[]),
            ("chat::send", false, &[3]),
            ("core::ptr::drop_in_place::<secret::Key>", false, &[]),
            ("secret::ran", true, &[]),
            ("secret::in_table", true, &[]),
        ];
        let apart = |in_table| apart(&program(&functions, in_table), SELDOM, &BTreeSet::from([7])).unwrap();
        // 3 is called from elsewhere, and calls 4; 7 ran.
        assert_eq!(apart(8), [1, 2, 6, 8].into());
        assert_eq!(apart(6), [1, 2, 8].into(), "one with the same code may be called by the table");
    }
}
