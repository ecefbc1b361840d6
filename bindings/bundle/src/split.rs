//! A module of WebAssembly in two: the *first* half, with what a page needs at once, and the *rest*, loaded after it.
//!
//! Both are one program: the rest has the first half's memory, tables and globals, and fills slots of the table of
//! functions. In the first half, a function of the rest is a *stub*, which has the rest loaded if it is not there yet, and
//! calls the slot. So a poor choice makes a program that waits, and not one that is wrong.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use wasm_encoder::reencode::Reencode as _;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalType, ImportSection, Instruction, Module, StartSection, TableSection,
    TypeSection, ValType,
};

use crate::source::{Error, Renumber, Result, Source, count};

/// The import by which the first half has the rest loaded: its namespace and its name.
pub const LOADER: (&str, &str) = ("rest", "load");
/// The namespace of what the rest imports of the first half.
pub const FIRST: &str = "first";
/// A function with fewer bytes is no larger than its stub.
const STUB_BYTES: u64 = 14;
/// Whether the rest is there.
const LOADED: GlobalType = GlobalType { val_type: ValType::I32, mutable: true, shared: false };

/// The two modules.
#[derive(Debug)]
pub struct Halves {
    /// What is loaded first.
    pub first: Vec<u8>,
    /// What is loaded after it.
    pub rest: Vec<u8>,
}

/// Splits a module; the functions `kept`, by their numbers, stay in the first half.
///
/// # Errors
/// For a module that cannot be read, and for what a compiler of Rust makes none: several memories, a table of functions
/// that is grown, a function that runs at the start.
pub fn split(wasm: &[u8], kept: &BTreeSet<u32>) -> Result<Halves> {
    let source = Source::read(wasm)?;
    let cut = Cut::new(&source, kept)?;
    Ok(Halves { first: cut.first()?, rest: cut.rest()? })
}

/// Which function is where, by the numbers of the source.
struct Cut<'s, 'a> {
    source: &'s Source<'a>,
    /// The functions of the rest.
    rest: BTreeSet<u32>,
    /// The functions of the rest that the first half mentions, each with a slot of the table.
    stubs: BTreeMap<u32, u32>,
    /// The slots that the rest fills.
    slots: BTreeMap<u32, u32>,
    /// The functions of the first half that the rest calls.
    lent: BTreeSet<u32>,
    /// The imported functions that each half calls.
    imports: [BTreeSet<u32>; 2],
    /// The length of the table of functions.
    table: u64,
}

impl<'s, 'a> Cut<'s, 'a> {
    fn new(source: &'s Source<'a>, kept: &BTreeSet<u32>) -> Result<Self> {
        let imported = source.imported();
        let is_small = |bytes: Range<u64>| bytes.end - bytes.start < STUB_BYTES;
        let bodies = || (imported..).zip(&source.bodies);
        let rest: BTreeSet<u32> = bodies()
            .filter(|(number, body)| !kept.contains(number) && !is_small(body.range()))
            .map(|(number, _)| number)
            .collect();
        let (mut mentioned, mut lent, mut imports) =
            (BTreeSet::new(), BTreeSet::new(), <[BTreeSet<u32>; 2]>::default());
        for (number, body) in bodies() {
            let is_rest = rest.contains(&number);
            for called in source.mentioned(body)? {
                match called {
                    called if called < imported => _ = imports[usize::from(is_rest)].insert(called),
                    called if is_rest && !rest.contains(&called) => _ = lent.insert(called),
                    called if !is_rest && rest.contains(&called) => _ = mentioned.insert(called),
                    _ => {}
                }
            }
        }
        let in_table = source.slots()?;
        let outside = source.exported_functions().chain(in_table.values().copied());
        for number in outside {
            match number {
                number if number < imported => _ = imports[0].insert(number),
                number if rest.contains(&number) => _ = mentioned.insert(number),
                _ => {}
            }
        }
        let mut slots: BTreeMap<u32, u32> = in_table;
        slots.retain(|_, number| rest.contains(number));
        let mut stubs: BTreeMap<u32, u32> = slots.iter().map(|(slot, number)| (*number, *slot)).collect();
        let mut table = source.function_table()?;
        for number in mentioned {
            if let Entry::Vacant(stub) = stubs.entry(number) {
                let slot =
                    u32::try_from(table).map_err(|_| Error::new("its table of functions is too long"))?;
                stub.insert(slot);
                slots.insert(slot, number);
                table += 1;
            }
        }
        Ok(Self { source, rest, stubs, slots, lent, imports, table })
    }

    /// The number of the global that tells whether the rest is there.
    fn loaded(&self) -> u32 {
        count(self.source.globals.len())
    }

    fn first(&self) -> Result<Vec<u8>> {
        let source = self.source;
        let imported = source.imported();
        let mut numbers = Numbers::default();
        self.imports[0].iter().for_each(|number| numbers.give(*number));
        // Behind the other imports, and before the other functions.
        let loader = numbers.skip();
        let ensure = numbers.skip();
        let here = |number: &u32| !self.rest.contains(number) || self.stubs.contains_key(number);
        let bodies = || (imported..).zip(&source.bodies).filter(|(number, _)| here(number));
        bodies().for_each(|(number, _)| numbers.give(number));
        let mut renumber = Renumber(numbers.given);

        let (types, nothing) = self.types(&mut renumber)?;
        let mut imports = ImportSection::new();
        self.import(&mut imports, 0);
        imports.import(LOADER.0, LOADER.1, EntityType::Function(nothing));

        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        functions.function(nothing);
        code.function(&function(&[
            Instruction::GlobalGet(self.loaded()),
            Instruction::I32Eqz,
            Instruction::If(BlockType::Empty),
            Instruction::Call(loader),
            Instruction::End,
        ]));
        for (number, body) in bodies() {
            let of_type = source.functions[number as usize];
            functions.function(of_type);
            match self.stubs.get(&number) {
                Some(slot) => {
                    let mut stub = vec![Instruction::Call(ensure)];
                    let parameters = (0..).zip(source.type_of(number)?.params());
                    stub.extend(parameters.map(|(number, _)| Instruction::LocalGet(number)));
                    stub.push(Instruction::I32Const(slot.cast_signed()));
                    stub.push(Instruction::CallIndirect { type_index: of_type, table_index: 0 });
                    code.function(&function(&stub));
                }
                None => renumber.parse_function_body(&mut code, body.clone())?,
            }
        }
        let mut tables = TableSection::new();
        for ty in self.tables(&mut renumber)? {
            tables.table(ty);
        }
        let mut globals = source.globals_section(&mut renumber)?;
        globals.global(LOADED, &ConstExpr::i32_const(0));
        let mut exports = source.exports_section(&mut renumber)?;
        self.lend(&mut exports, &renumber);

        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&tables);
        module.section(&source.memories_section(&mut renumber)?).section(&globals).section(&exports);
        module.section(&source.elements_section(&mut renumber)?);
        module.section(&code).section(&source.data_section(&mut renumber)?);
        Ok(module.finish())
    }

    fn rest(&self) -> Result<Vec<u8>> {
        let source = self.source;
        let mut numbers = Numbers::default();
        self.imports[1].iter().chain(&self.lent).chain(&self.rest).for_each(|number| numbers.give(*number));
        let begin = numbers.skip();
        let mut renumber = Renumber(numbers.given);

        let (types, nothing) = self.types(&mut renumber)?;
        let mut imports = ImportSection::new();
        self.import(&mut imports, 1);
        self.borrow(&mut imports, &mut renumber)?;

        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        for (number, body) in (source.imported()..).zip(&source.bodies) {
            if self.rest.contains(&number) {
                functions.function(source.functions[number as usize]);
                renumber.parse_function_body(&mut code, body.clone())?;
            }
        }
        functions.function(nothing);
        code.function(&function(&[Instruction::I32Const(1), Instruction::GlobalSet(self.loaded())]));
        let mut elements = ElementSection::new();
        for (slot, run) in runs(&self.slots) {
            let run: Vec<u32> = run.iter().map(|number| renumber.0[number]).collect();
            elements.active(None, &ConstExpr::i32_const(slot.cast_signed()), Elements::Functions(run.into()));
        }

        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions);
        module.section(&StartSection { function_index: begin }).section(&elements).section(&code);
        Ok(module.finish())
    }

    /// Returns the types, and the number of the one of a function that takes and gives nothing.
    fn types(&self, renumber: &mut Renumber) -> Result<(TypeSection, u32)> {
        let mut types = self.source.types_section(renumber)?;
        types.ty().function([], []);
        Ok((types, count(self.source.types.len())))
    }

    /// Adds the imports that a half calls.
    fn import(&self, imports: &mut ImportSection, half: usize) {
        for number in &self.imports[half] {
            let import = &self.source.imports[*number as usize];
            let ty = self.source.functions[*number as usize];
            imports.import(import.module, import.name, EntityType::Function(ty));
        }
    }

    /// Returns the types of the tables, the one of functions as long as it has to be.
    fn tables(&self, renumber: &mut Renumber) -> Result<Vec<wasm_encoder::TableType>> {
        let mut tables = Vec::new();
        for table in &self.source.tables {
            let mut ty = renumber.table_type(table.ty)?;
            if tables.is_empty() {
                ty.minimum = self.table;
                ty.maximum = ty.maximum.map(|most| most.max(self.table));
            }
            tables.push(ty);
        }
        Ok(tables)
    }

    /// Exports what the rest needs, by short names.
    fn lend(&self, exports: &mut ExportSection, renumber: &Renumber) {
        for (nth, number) in self.lent.iter().enumerate() {
            exports.export(&lent("f", nth), ExportKind::Func, renumber.0[number]);
        }
        exports.export(MEMORY, ExportKind::Memory, 0);
        (0..self.source.tables.len())
            .for_each(|nth| _ = exports.export(&lent("t", nth), ExportKind::Table, count(nth)));
        (0..=self.source.globals.len())
            .for_each(|nth| _ = exports.export(&lent("g", nth), ExportKind::Global, count(nth)));
    }

    /// Imports it by these names.
    fn borrow(&self, imports: &mut ImportSection, renumber: &mut Renumber) -> Result<()> {
        for (nth, number) in self.lent.iter().enumerate() {
            let ty = self.source.functions[*number as usize];
            imports.import(FIRST, &lent("f", nth), EntityType::Function(ty));
        }
        imports.import(FIRST, MEMORY, EntityType::Memory(renumber.memory_type(self.source.memory)?));
        for (nth, ty) in self.tables(renumber)?.into_iter().enumerate() {
            imports.import(FIRST, &lent("t", nth), EntityType::Table(ty));
        }
        for (nth, global) in self.source.globals.iter().enumerate() {
            imports.import(FIRST, &lent("g", nth), EntityType::Global(renumber.global_type(global.ty)?));
        }
        imports.import(FIRST, &lent("g", self.source.globals.len()), EntityType::Global(LOADED));
        Ok(())
    }
}

const MEMORY: &str = "$m";

/// The name of the nth thing of a kind that the first half lends; no name of Rust has that sign in it.
fn lent(kind: &str, nth: usize) -> String {
    format!("${kind}{nth:x}")
}

/// Returns the code of a function without locals.
fn function(instructions: &[Instruction<'_>]) -> Function {
    let mut function = Function::new([]);
    instructions.iter().chain([&Instruction::End]).for_each(|each| _ = function.instruction(each));
    function
}

/// The numbers that functions have in a half.
#[derive(Default)]
struct Numbers {
    given: BTreeMap<u32, u32>,
    next: u32,
}

impl Numbers {
    fn give(&mut self, number: u32) {
        let next = self.skip();
        self.given.insert(number, next);
    }

    /// Leaves out a number, for what the source does not have.
    fn skip(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }
}

/// Returns slots that follow one another with what is in them.
fn runs(slots: &BTreeMap<u32, u32>) -> Vec<(u32, Vec<u32>)> {
    let mut runs: Vec<(u32, Vec<u32>)> = Vec::new();
    for (slot, number) in slots {
        match runs.last_mut() {
            Some((first, run)) if *first as usize + run.len() == *slot as usize => run.push(*number),
            _ => runs.push((*slot, vec![*number])),
        }
    }
    runs
}

#[cfg(test)]
mod tests;
