//! A module of WebAssembly in two: the *first* half, with what a page needs at once, and the *rest*, loaded after it.
//!
//! Both are one program: the rest has the first half's memory, tables and globals, and fills slots of the table of
//! functions. In the first half, a function of the rest is a *stub*, which has the rest loaded if it is not there yet, and
//! calls the slot. So a poor choice makes a program that waits, and not one that is wrong.
//!
//! A first half can be split again, by another name: so a program comes in three parts. What the part that was split off before
//! borrows is then the first half's, or the rest's: that part is loaded after both.

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

/// The import by which the first half has another part loaded; the part's name is its namespace.
pub const LOADER: &str = "load";
/// The namespace of what the rest imports of the first half.
pub const FIRST: &str = "first";
/// What the name of a thing begins with that a first half lends: no name of Rust has it.
const LENT: char = '$';
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
    /// The numbers that the source's functions have in the first half, those of stubs as well.
    pub numbers: BTreeMap<u32, u32>,
    /// The stubs that are in the first half's table of functions, by their numbers there. They stay in it when it is split
    /// again: another part that had one would fill its slot with it, after this rest had filled that.
    pub stubs: BTreeSet<u32>,
}

/// Splits a module; the functions `kept`, by their numbers, stay in the first half, and the rest goes by the name `part`.
///
/// # Errors
/// For a module that cannot be read, and for what a compiler of Rust makes none: several memories, a table of functions
/// that is grown, a function that runs at the start.
pub fn split(wasm: &[u8], kept: &BTreeSet<u32>, part: &str) -> Result<Halves> {
    let source = Source::read(wasm)?;
    let cut = Cut::new(&source, kept, part)?;
    let (first, numbers) = cut.first()?;
    let in_table: BTreeSet<u32> = source.slots()?.into_values().collect();
    let in_table = cut.stubs.keys().filter(|number| in_table.contains(number));
    let stubs = in_table.filter_map(|number| numbers.get(number).copied()).collect();
    Ok(Halves { first, rest: cut.rest()?, numbers, stubs })
}

/// Which function is where, by the numbers of the source.
struct Cut<'s, 'a> {
    source: &'s Source<'a>,
    /// The name of the rest.
    part: &'s str,
    /// The functions of the rest.
    rest: BTreeSet<u32>,
    /// The functions of the rest that the first half mentions, each with a slot of the table.
    stubs: BTreeMap<u32, u32>,
    /// The slots that the rest fills.
    slots: BTreeMap<u32, u32>,
    /// The functions of the first half that the rest calls.
    lent: BTreeSet<u32>,
    /// The functions of the rest that a part calls which was split off before, by their names for it.
    passed_on: BTreeMap<&'a str, u32>,
    /// The imported functions that each half calls.
    imports: [BTreeSet<u32>; 2],
    /// The length of the table of functions.
    table: u64,
}

impl<'s, 'a> Cut<'s, 'a> {
    fn new(source: &'s Source<'a>, kept: &BTreeSet<u32>, part: &'s str) -> Result<Self> {
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
        let is_passed_on = |(name, number): &(&str, u32)| name.starts_with(LENT) && rest.contains(number);
        let passed_on: BTreeMap<&str, u32> = source.exported_functions().filter(is_passed_on).collect();
        let exported = source.exported_functions().filter(|export| !is_passed_on(export));
        let outside = exported.map(|(_, number)| number).chain(in_table.values().copied());
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
        Ok(Self { source, part, rest, stubs, slots, lent, passed_on, imports, table })
    }

    /// The number of the global that tells whether the rest is there.
    fn loaded(&self) -> u32 {
        count(self.source.globals.len())
    }

    /// The first half, and the numbers that functions have in it.
    fn first(&self) -> Result<(Vec<u8>, BTreeMap<u32, u32>)> {
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
        imports.import(self.part, LOADER, EntityType::Function(nothing));

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
        let mut exports = source.exports_section(&self.passed_on, &mut renumber)?;
        self.lend(&mut exports, &renumber);

        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&tables);
        module.section(&source.memories_section(&mut renumber)?).section(&globals).section(&exports);
        module.section(&source.elements_section(&mut renumber)?);
        module.section(&code).section(&source.data_section(&mut renumber)?);
        Ok((module.finish(), renumber.0))
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
        let mut exports = ExportSection::new();
        for (name, number) in &self.passed_on {
            exports.export(name, ExportKind::Func, renumber.0[number]);
        }
        let mut elements = ElementSection::new();
        for (slot, run) in runs(&self.slots) {
            let run: Vec<u32> = run.iter().map(|number| renumber.0[number]).collect();
            elements.active(None, &ConstExpr::i32_const(slot.cast_signed()), Elements::Functions(run.into()));
        }

        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&exports);
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

    /// The name of the nth thing of a kind that the first half lends; no two parts begin alike.
    fn name(&self, kind: &str, nth: usize) -> String {
        format!("{LENT}{}{kind}{nth:x}", self.part.get(..1).unwrap_or_default())
    }

    /// Exports what the rest needs, by short names.
    fn lend(&self, exports: &mut ExportSection, renumber: &Renumber) {
        for (nth, number) in self.lent.iter().enumerate() {
            exports.export(&self.name("f", nth), ExportKind::Func, renumber.0[number]);
        }
        exports.export(&self.name("m", 0), ExportKind::Memory, 0);
        (0..self.source.tables.len())
            .for_each(|nth| _ = exports.export(&self.name("t", nth), ExportKind::Table, count(nth)));
        (0..=self.source.globals.len())
            .for_each(|nth| _ = exports.export(&self.name("g", nth), ExportKind::Global, count(nth)));
    }

    /// Imports it by these names.
    fn borrow(&self, imports: &mut ImportSection, renumber: &mut Renumber) -> Result<()> {
        for (nth, number) in self.lent.iter().enumerate() {
            let ty = self.source.functions[*number as usize];
            imports.import(FIRST, &self.name("f", nth), EntityType::Function(ty));
        }
        imports.import(
            FIRST,
            &self.name("m", 0),
            EntityType::Memory(renumber.memory_type(self.source.memory)?),
        );
        for (nth, mut ty) in self.tables(renumber)?.into_iter().enumerate() {
            // Split again, the first half has a longer one.
            ty.maximum = None;
            imports.import(FIRST, &self.name("t", nth), EntityType::Table(ty));
        }
        for (nth, global) in self.source.globals.iter().enumerate() {
            imports.import(FIRST, &self.name("g", nth), EntityType::Global(renumber.global_type(global.ty)?));
        }
        imports.import(FIRST, &self.name("g", self.source.globals.len()), EntityType::Global(LOADED));
        Ok(())
    }
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
