//! A module as it was compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;
use std::path::Path;

use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    DataSection, ElementSection, ExportSection, GlobalSection, ImportSection, MemorySection, TypeSection,
};
use wasmparser::{
    CompositeInnerType, DataSectionReader, ElementItems, ElementKind, ElementSectionReader, Export,
    ExternalKind, FromReader, FuncType, FunctionBody, Global, Import, MemoryType, Operator, Parser, Payload,
    RecGroup, SectionLimited, Table, TypeRef,
};

/// What is wrong with a module.
#[derive(Debug)]
pub struct Error(String);

/// The outcome of a step.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(what: &str) -> Self {
        Self(what.to_owned())
    }

    pub(crate) fn at(file: &Path, error: &std::io::Error) -> Self {
        Self(format!("{}: {error}", file.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no bundle: {}", self.0)
    }
}

impl std::error::Error for Error {}

impl From<wasmparser::Error> for Error {
    fn from(error: wasmparser::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<reencode::Error> for Error {
    fn from(error: reencode::Error) -> Self {
        Self(error.to_string())
    }
}

/// A module's sections.
pub(crate) struct Source<'a> {
    pub(crate) types: Vec<FuncType>,
    groups: Vec<RecGroup>,
    pub(crate) imports: Vec<Import<'a>>,
    /// The number of the type of each function, imported ones first.
    pub(crate) functions: Vec<u32>,
    pub(crate) tables: Vec<Table<'a>>,
    pub(crate) memory: MemoryType,
    pub(crate) globals: Vec<Global<'a>>,
    pub(crate) exports: Vec<Export<'a>>,
    elements: Option<ElementSectionReader<'a>>,
    pub(crate) bodies: Vec<FunctionBody<'a>>,
    data: Option<DataSectionReader<'a>>,
}

impl<'a> Source<'a> {
    pub(crate) fn read(wasm: &'a [u8]) -> Result<Self> {
        let mut source = Self {
            types: Vec::new(),
            groups: Vec::new(),
            imports: Vec::new(),
            functions: Vec::new(),
            tables: Vec::new(),
            memory: memory(wasm)?,
            globals: Vec::new(),
            exports: Vec::new(),
            elements: None,
            bodies: Vec::new(),
            data: None,
        };
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        let group = group?;
                        for ty in group.types() {
                            match &ty.composite_type.inner {
                                CompositeInnerType::Func(ty) => source.types.push(ty.clone()),
                                _ => return Err(Error::new("it has types that are not functions'")),
                            }
                        }
                        source.groups.push(group);
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        match import.ty {
                            TypeRef::Func(ty) => source.functions.push(ty),
                            _ => return Err(Error::new("it imports what is not a function")),
                        }
                        source.imports.push(import);
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        source.functions.push(ty?);
                    }
                }
                Payload::TableSection(section) => source.tables = all(section)?,
                Payload::GlobalSection(section) => source.globals = all(section)?,
                Payload::ExportSection(section) => source.exports = all(section)?,
                Payload::StartSection { .. } => {
                    return Err(Error::new("it has a function that runs at the start"));
                }
                Payload::ElementSection(section) => source.elements = Some(section),
                Payload::CodeSectionEntry(body) => source.bodies.push(body),
                Payload::DataSection(section) => source.data = Some(section),
                _ => {}
            }
        }
        Ok(source)
    }

    /// Returns how many functions are imported: theirs are the first numbers.
    pub(crate) fn imported(&self) -> u32 {
        count(self.imports.len())
    }

    pub(crate) fn type_of(&self, function: u32) -> Result<&FuncType> {
        let ty = self.functions.get(function as usize).and_then(|ty| self.types.get(*ty as usize));
        ty.ok_or_else(|| Error::new("a function has no type"))
    }

    /// Returns the exported functions, with their names.
    pub(crate) fn exported_functions(&self) -> impl Iterator<Item = (&'a str, u32)> {
        let functions = self.exports.iter().filter(|export| export.kind == ExternalKind::Func);
        functions.map(|export| (export.name, export.index))
    }

    /// Returns the functions that a body calls or refers to.
    pub(crate) fn mentioned(&self, body: &FunctionBody<'a>) -> Result<BTreeSet<u32>> {
        let mut mentioned = BTreeSet::new();
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                    mentioned.insert(function_index);
                }
                Operator::RefFunc { function_index } => _ = mentioned.insert(function_index),
                Operator::TableGrow { table: 0 }
                | Operator::TableInit { .. }
                | Operator::ElemDrop { .. }
                | Operator::MemoryInit { .. }
                | Operator::DataDrop { .. } => {
                    return Err(Error::new("it grows its table of functions, or fills memory by itself"));
                }
                _ => {}
            }
        }
        Ok(mentioned)
    }

    /// Returns the functions in the slots of the function table.
    pub(crate) fn slots(&self) -> Result<BTreeMap<u32, u32>> {
        let mut slots = BTreeMap::new();
        for element in self.elements.clone().into_iter().flatten() {
            let element = element?;
            let ElementKind::Active { table_index: None | Some(0), offset_expr } = element.kind else {
                return Err(Error::new("its functions are not in one table"));
            };
            let mut offset = offset_expr.get_operators_reader();
            let Operator::I32Const { value } = offset.read()? else {
                return Err(Error::new("its functions have no fixed place in their table"));
            };
            let ElementItems::Functions(functions) = element.items else {
                return Err(Error::new("its table is not of plain functions"));
            };
            for (slot, function) in (value.cast_unsigned()..).zip(functions) {
                slots.insert(slot, function?);
            }
        }
        Ok(slots)
    }

    /// Returns the length of the function table.
    pub(crate) fn function_table(&self) -> Result<u64> {
        let table = self.tables.first().ok_or_else(|| Error::new("it has no table of functions"))?;
        Ok(table.ty.initial)
    }

    pub(crate) fn types_section(&self, renumber: &mut Renumber) -> Result<TypeSection> {
        let mut types = TypeSection::new();
        for group in &self.groups {
            renumber.parse_recursive_type_group(types.ty(), group.clone())?;
        }
        Ok(types)
    }

    pub(crate) fn imports_section(&self, renumber: &mut Renumber) -> Result<ImportSection> {
        let mut imports = ImportSection::new();
        for import in &self.imports {
            renumber.parse_import(&mut imports, *import)?;
        }
        Ok(imports)
    }

    pub(crate) fn memories_section(&self, renumber: &mut Renumber) -> Result<MemorySection> {
        let mut memories = MemorySection::new();
        memories.memory(renumber.memory_type(self.memory)?);
        Ok(memories)
    }

    pub(crate) fn globals_section(&self, renumber: &mut Renumber) -> Result<GlobalSection> {
        let mut globals = GlobalSection::new();
        for global in &self.globals {
            renumber.parse_global(&mut globals, global.clone())?;
        }
        Ok(globals)
    }

    /// Returns the exports but those of these names.
    pub(crate) fn exports_section(
        &self,
        but: &BTreeMap<&str, u32>,
        renumber: &mut Renumber,
    ) -> Result<ExportSection> {
        let mut exports = ExportSection::new();
        for export in self.exports.iter().filter(|export| !but.contains_key(export.name)) {
            renumber.parse_export(&mut exports, *export)?;
        }
        Ok(exports)
    }

    pub(crate) fn elements_section(&self, renumber: &mut Renumber) -> Result<ElementSection> {
        let mut elements = ElementSection::new();
        if let Some(section) = &self.elements {
            renumber.parse_element_section(&mut elements, section.clone())?;
        }
        Ok(elements)
    }

    pub(crate) fn data_section(&self, renumber: &mut Renumber) -> Result<DataSection> {
        let mut data = DataSection::new();
        if let Some(section) = &self.data {
            renumber.parse_data_section(&mut data, section.clone())?;
        }
        Ok(data)
    }
}

/// Gives functions other numbers.
pub(crate) struct Renumber(pub(crate) BTreeMap<u32, u32>);

impl Reencode for Renumber {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> std::result::Result<u32, reencode::Error> {
        // One that has no number is mentioned by nothing that is written.
        Ok(self.0.get(&function).copied().unwrap_or(u32::MAX))
    }
}

/// Finds the one memory.
fn memory(wasm: &[u8]) -> Result<MemoryType> {
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::MemorySection(section) = payload?
            && let [memory] = all(section)?[..]
        {
            return Ok(memory);
        }
    }
    Err(Error::new("it has not one memory"))
}

fn all<'a, T: FromReader<'a>>(section: SectionLimited<'a, T>) -> Result<Vec<T>> {
    Ok(section.into_iter().collect::<std::result::Result<_, _>>()?)
}

/// Numbers in a module have 32 bits.
pub(crate) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
