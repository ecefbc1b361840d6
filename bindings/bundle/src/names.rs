//! What the functions of a module are called.

use std::collections::BTreeMap;

use wasmparser::{KnownCustom, Name, Parser, Payload};

use crate::source::{Result, Source};

/// The functions that have code, by their numbers; one without a name is called nothing.
pub(crate) fn functions(wasm: &[u8]) -> Result<BTreeMap<u32, String>> {
    let source = Source::read(wasm)?;
    let mut functions: BTreeMap<u32, String> =
        (source.imported()..).zip(&source.bodies).map(|(number, _)| (number, String::new())).collect();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CustomSection(section) = payload? else { continue };
        let KnownCustom::Name(names) = section.as_known() else { continue };
        for part in names {
            let Name::Function(all) = part? else { continue };
            for naming in all {
                let naming = naming?;
                if let Some(name) = functions.get_mut(&naming.index) {
                    *name = without_marks(naming.name);
                }
            }
        }
    }
    Ok(functions)
}

/// Takes the marks of crates' versions out of a name, as in `core[0123456789abcdef]::fmt`.
fn without_marks(name: &str) -> String {
    let mut parts = name.split('[');
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mark = part
            .find(']')
            .filter(|end| *end >= 12 && part[..*end].bytes().all(|byte| byte.is_ascii_hexdigit()));
        match mark {
            Some(end) => made.push_str(&part[end + 1..]),
            None => made.extend(["[", part]),
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_marks_of_versions() {
        let name =
            "<[alloc[c5930c85a12de822]::string::String; 3] as core[ce686deaa9ea72d5]::fmt::Debug>::fmt";
        assert_eq!(without_marks(name), "<[alloc::string::String; 3] as core::fmt::Debug>::fmt");
    }

    #[test]
    fn functions_have_numbers_behind_the_imported_ones() {
        let program = r#"(module (import "a" "b" (func $b)) (memory 1) (func $first) (func))"#;
        let functions = functions(&wat::parse_str(program).unwrap()).unwrap();
        assert_eq!(functions, BTreeMap::from([(1, "first".to_owned()), (2, String::new())]));
    }
}
