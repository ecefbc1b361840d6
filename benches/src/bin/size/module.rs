/// The weighed parts of a WebAssembly module.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// How many functions are imported: they come first in the numbering.
    imports: usize,
    /// The bytes of each function's code.
    code: Vec<usize>,
    /// Names by number.
    names: Vec<(usize, String)>,
    /// The bytes of the data section.
    pub(super) data: usize,
}

impl Module {
    /// None if it is no module, or one of no kind that is known here.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut module = Self::default();
        let mut rest = Reader(bytes.strip_prefix(b"\0asm\x01\0\0\0")?);
        while !rest.0.is_empty() {
            let kind = rest.byte()?;
            let size = rest.number()?;
            let mut section = Reader(rest.take(size)?);
            match kind {
                0 if section.text()? == "name" => module.names = section.function_names()?,
                2 => module.imports = section.imported_functions()?,
                10 => {
                    for _ in 0..section.number()? {
                        let size = section.number()?;
                        section.take(size)?;
                        module.code.push(size);
                    }
                }
                11 => module.data = size,
                _ => {}
            }
        }
        Some(module)
    }

    /// Number, name and size of every function that has code.
    pub(super) fn functions(&self) -> impl Iterator<Item = (u32, &str, usize)> {
        self.code.iter().enumerate().map(|(n, size)| {
            let number = n + self.imports;
            let found = self.names.binary_search_by_key(&number, |(number, _)| *number);
            let name = found.map_or("", |at| self.names[at].1.as_str());
            (u32::try_from(number).unwrap_or(u32::MAX), name, *size)
        })
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        Some(bytes)
    }

    /// LEB128, of 32 bits.
    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'a str> {
        let size = self.number()?;
        std::str::from_utf8(self.take(size)?).ok()
    }

    fn function_names(&mut self) -> Option<Vec<(usize, String)>> {
        let mut names = Vec::new();
        while !self.0.is_empty() {
            let kind = self.byte()?;
            let size = self.number()?;
            let mut part = Reader(self.take(size)?);
            if kind == 1 {
                for _ in 0..part.number()? {
                    names.push((part.number()?, part.text()?.to_owned()));
                }
            }
        }
        names.sort();
        Some(names)
    }

    fn imported_functions(&mut self) -> Option<usize> {
        let mut functions = 0;
        for _ in 0..self.number()? {
            self.text()?;
            self.text()?;
            match self.byte()? {
                0 => {
                    self.number()?;
                    functions += 1;
                }
                1 => {
                    self.byte()?;
                    self.limits()?;
                }
                2 => self.limits()?,
                3 => drop(self.take(2)?),
                _ => return None,
            }
        }
        Some(functions)
    }

    fn limits(&mut self) -> Option<()> {
        let has_most = self.byte()? & 1 == 1;
        self.number()?;
        if has_most {
            self.number()?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_their_names_and_sizes() {
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        // One imported function and one imported memory; two functions of 3 and 2 bytes; the second's name.
        bytes.extend(b"\x02\x0e\x02\x01a\x01b\x00\x00\x01a\x01m\x02\x00\x01");
        bytes.extend(b"\x0a\x08\x02\x03\x00\x01\x0b\x02\x00\x0b");
        bytes.extend(b"\x0b\x01\x00");
        bytes.extend(b"\x00\x0d\x04name\x01\x06\x01\x02\x03x::");
        let module = Module::read(&bytes).unwrap();
        assert_eq!(module.functions().collect::<Vec<_>>(), [(1, "", 3), (2, "x::", 2)]);
        assert_eq!(module.data, 1);
    }

    #[test]
    fn what_is_cut_short_is_no_module() {
        assert!(Module::read(b"\0asm\x01\0\0\0\x0a\x7f").is_none());
        assert!(Module::read(b"text").is_none());
    }
}
