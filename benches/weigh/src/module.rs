use wasmparser::{KnownCustom, Name, NameSectionReader, Parser, Payload, TypeRef};

/// The weighed parts of a WebAssembly module.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// How many functions are imported: they come first in the numbering.
    imports: usize,
    /// The bytes of each function's code.
    code: Vec<usize>,
    /// Names by number.
    names: Vec<(usize, String)>,
    /// The bytes of the data section.
    pub(crate) data: usize,
}

impl Module {
    pub(crate) fn read(bytes: &[u8]) -> wasmparser::Result<Self> {
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        module.imports += usize::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::CodeSectionEntry(body) => module.code.push(body.as_bytes().len()),
                Payload::DataSection(data) => {
                    let range = data.range();
                    module.data = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
                }
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(names) = section.as_known() {
                        module.names = functions(names)?;
                    }
                }
                _ => {}
            }
        }
        Ok(module)
    }

    /// Number, name and size of every function that has code.
    pub(crate) fn functions(&self) -> impl Iterator<Item = (u32, &str, usize)> {
        self.code.iter().enumerate().map(|(n, size)| {
            let number = n + self.imports;
            let found = self.names.binary_search_by_key(&number, |(number, _)| *number);
            let name = found.map_or("", |at| self.names[at].1.as_str());
            (u32::try_from(number).unwrap_or(u32::MAX), name, *size)
        })
    }
}

/// The names of functions, by number.
fn functions(names: NameSectionReader<'_>) -> wasmparser::Result<Vec<(usize, String)>> {
    let mut all = Vec::new();
    for part in names {
        if let Name::Function(map) = part? {
            for naming in map {
                let naming = naming?;
                all.push((naming.index as usize, naming.name.to_owned()));
            }
        }
    }
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_their_names_and_sizes() {
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        // A type; one imported function and one imported memory; two functions of 3 and 2 bytes; the second's name.
        bytes.extend(b"\x01\x04\x01\x60\x00\x00");
        bytes.extend(b"\x02\x0e\x02\x01a\x01b\x00\x00\x01a\x01m\x02\x00\x01");
        bytes.extend(b"\x03\x03\x02\x00\x00");
        bytes.extend(b"\x0a\x08\x02\x03\x00\x01\x0b\x02\x00\x0b");
        bytes.extend(b"\x0b\x01\x00");
        bytes.extend(b"\x00\x0d\x04name\x01\x06\x01\x02\x03x::");
        let module = Module::read(&bytes).unwrap();
        assert_eq!(module.functions().collect::<Vec<_>>(), [(1, "", 3), (2, "x::", 2)]);
        assert_eq!(module.data, 1);
    }

    #[test]
    fn what_is_cut_short_is_no_module() {
        assert!(Module::read(b"\0asm\x01\0\0\0\x0a\x7f").is_err());
        assert!(Module::read(b"text").is_err());
    }
}
