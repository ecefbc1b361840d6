//! A module of WebAssembly in two: the *first*, with what a page needs at once, and the *rest*, loaded after it.
//!
//! Both are one program: the rest has the first's memory, tables and globals, and fills its slots of the function table.
//! In the first, a function of the rest is a *stub*, which loads the rest if it is not there yet, and calls the slot.
//! So a split by a poor choice is slower and not wrong.

use std::collections::{BTreeMap, BTreeSet};

use wasm_encoder::reencode::Reencode as _;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, Function,
    FunctionSection, GlobalType, ImportSection, Instruction, Module, StartSection, TableSection, ValType,
};
use wasmparser::{FuncType, TypeRef};

use crate::source::{Error, Renumber, Result, Source, count};

/// The namespace of the import by which the first module has the rest loaded, and its name.
pub const LOADER: (&str, &str) = ("rest", "load");
/// The namespace of what the rest imports of the first.
pub const FIRST: &str = "first";
/// A function of no more bytes of code is no larger than its stub.
const STUB_BYTES: u64 = 20;

/// The two modules.
#[derive(Debug)]
pub struct Halves {
    /// What is loaded first.
    pub first: Vec<u8>,
    /// What is loaded after it.
    pub rest: Vec<u8>,
}

/// Splits a module; the functions `kept`, by their numbers, stay in the first.
///
/// # Errors
/// For a module that cannot be read, and for what compilers of Rust do not make: several memories, or a table of
/// functions that is grown.
pub fn split(wasm: &[u8], kept: &BTreeSet<u32>) -> Result<Halves> {
    let source = Source::read(wasm)?;
    let cut = Cut::new(&source, kept)?;
    Ok(Halves { first: cut.first()?, rest: cut.rest()? })
}

/// Which function is where.
struct Cut<'s, 'a> {
    source: &'s Source<'a>,
    /// The functions of the rest.
    rest: BTreeSet<u32>,
    /// The functions of the rest that the first mentions.
    stubs: BTreeSet<u32>,
    /// The slots of the function table that the rest fills.
    slots: BTreeMap<u32, u32>,
    /// The functions of the first that the rest calls.
    lent: BTreeSet<u32>,
    /// The length of the function table.
    table: u64,
}

impl<'s, 'a> Cut<'s, 'a> {
    fn new(source: &'s Source<'a>, kept: &BTreeSet<u32>) -> Result<Self> {
        let imported = source.imported();
        let mut rest = BTreeSet::new();
        for (number, body) in (imported..).zip(&source.bodies) {
            let is_kept = kept.contains(&number) || body.range().end - body.range().start <= STUB_BYTES;
            if !is_kept && source.start != Some(number) {
                rest.insert(number);
            }
        }
        let (mut stubs, mut lent) = (BTreeSet::new(), BTreeSet::new());
        for (number, body) in (imported..).zip(&source.bodies) {
            let of_rest = rest.contains(&number);
            for mentioned in source.mentioned(body)? {
                match (of_rest, rest.contains(&mentioned)) {
                    (true, false) if mentioned >= imported => _ = lent.insert(mentioned),
                    (false, true) => _ = stubs.insert(mentioned),
                    _ => {}
                }
            }
        }
        stubs.extend(source.exported_functions().filter(|number| rest.contains(number)));
        let in_table = source.slots()?;
        stubs.extend(in_table.values().filter(|number| rest.contains(number)));
        let mut slots: BTreeMap<u32, u32> = BTreeMap::new();
        let mut taken: BTreeSet<u32> = BTreeSet::new();
        for (slot, number) in in_table.iter().filter(|(_, number)| rest.contains(number)) {
            taken.insert(*slot);
            slots.insert(*slot, *number);
        }
        let mut table = source.function_table()?;
        let placed: BTreeSet<u32> = slots.values().copied().collect();
        for number in stubs.difference(&placed) {
            let slot = u32::try_from(table).map_err(|_| Error::new("its table of functions is too long"))?;
            slots.insert(slot, *number);
            table += 1;
        }
        Ok(Self { source, rest, stubs, slots, lent, table })
    }

    /// Returns the slot of a function of the rest.
    fn slot_of(&self) -> BTreeMap<u32, u32> {
        self.slots.iter().rev().map(|(slot, number)| (*number, *slot)).collect()
    }

    /// Whether the rest is there.
    fn is_loaded(&self) -> u32 {
        count(self.source.globals.len())
    }

    fn first(&self) -> Result<Vec<u8>> {
        let source = self.source;
        let imported = source.imported();
        // The import of the loader comes behind the others.
        let mut numbers: BTreeMap<u32, u32> = (0..imported).map(|number| (number, number)).collect();
        let mut next = imported + 1;
        for number in (imported..).take(source.bodies.len()) {
            if !self.rest.contains(&number) || self.stubs.contains(&number) {
                numbers.insert(number, next);
                next += 1;
            }
        }
        let mut renumber = Renumber(numbers.clone());
        let mut types = source.types_section(&mut renumber)?;
        let nothing = count(source.types.len());
        types.ty().function([], []);

        let mut imports = source.imports_section(&mut renumber)?;
        imports.import(LOADER.0, LOADER.1, EntityType::Function(nothing));

        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        let slots = self.slot_of();
        for (number, body) in (imported..).zip(&source.bodies) {
            if !numbers.contains_key(&number) {
                continue;
            }
            let of_type = source.functions[number as usize];
            functions.function(of_type);
            if self.rest.contains(&number) {
                let slot = slots.get(&number).ok_or_else(|| Error::new("a function has no slot"))?;
                code.function(&self.stub(source.type_of(number)?, of_type, *slot, imported));
            } else {
                renumber.parse_function_body(&mut code, body.clone())?;
            }
        }

        let mut tables = TableSection::new();
        for (number, table) in source.tables.iter().enumerate() {
            let mut ty = renumber.table_type(table.ty)?;
            if number == 0 {
                ty.minimum = self.table;
                ty.maximum = ty.maximum.map(|most| most.max(self.table));
            }
            tables.table(ty);
        }

        let mut globals = source.globals_section(&mut renumber)?;
        globals.global(
            GlobalType { val_type: ValType::I32, mutable: true, shared: false },
            &ConstExpr::i32_const(0),
        );

        let mut exports = source.exports_section(&mut renumber)?;
        for number in &self.lent {
            exports.export(&format!("f{number}"), ExportKind::Func, numbers[number]);
        }
        exports.export("m", ExportKind::Memory, 0);
        for number in 0..count(source.tables.len()) {
            exports.export(&format!("t{number}"), ExportKind::Table, number);
        }
        for number in 0..=self.is_loaded() {
            exports.export(&format!("g{number}"), ExportKind::Global, number);
        }

        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&tables);
        module.section(&source.memories_section(&mut renumber)?).section(&globals).section(&exports);
        if let Some(start) = source.start {
            module.section(&StartSection { function_index: numbers[&start] });
        }
        module.section(&source.elements_section(&mut renumber)?);
        module.section(&code).section(&source.data_section(&mut renumber)?);
        Ok(module.finish())
    }

    /// The code of a stub.
    fn stub(&self, ty: &FuncType, of_type: u32, slot: u32, loader: u32) -> Function {
        let mut stub = Function::new([]);
        stub.instruction(&Instruction::GlobalGet(self.is_loaded()));
        stub.instruction(&Instruction::I32Eqz);
        stub.instruction(&Instruction::If(BlockType::Empty));
        stub.instruction(&Instruction::Call(loader));
        stub.instruction(&Instruction::End);
        for (number, _) in (0..).zip(ty.params()) {
            stub.instruction(&Instruction::LocalGet(number));
        }
        stub.instruction(&Instruction::I32Const(slot.cast_signed()));
        stub.instruction(&Instruction::CallIndirect { type_index: of_type, table_index: 0 });
        stub.instruction(&Instruction::End);
        stub
    }

    fn rest(&self) -> Result<Vec<u8>> {
        let source = self.source;
        let imported = source.imported();
        let mut used: BTreeSet<u32> = BTreeSet::new();
        for (number, body) in (imported..).zip(&source.bodies) {
            if self.rest.contains(&number) {
                used.extend(source.mentioned(body)?.into_iter().filter(|number| *number < imported));
            }
        }
        let mut numbers = BTreeMap::new();
        for number in used.iter().chain(&self.lent).chain(&self.rest) {
            numbers.insert(*number, count(numbers.len()));
        }
        let mut renumber = Renumber(numbers.clone());
        let mut types = source.types_section(&mut renumber)?;
        let nothing = count(source.types.len());
        types.ty().function([], []);

        let mut imports = ImportSection::new();
        for (number, import) in (0..).zip(source.function_imports()) {
            if used.contains(&number)
                && let TypeRef::Func(ty) = import.ty
            {
                imports.import(import.module, import.name, EntityType::Function(ty));
            }
        }
        for number in &self.lent {
            let ty = source.functions[*number as usize];
            imports.import(FIRST, &format!("f{number}"), EntityType::Function(ty));
        }
        let [memory] = source.memories[..] else { return Err(Error::new("it has not one memory")) };
        imports.import(FIRST, "m", EntityType::Memory(renumber.memory_type(memory)?));
        for (number, table) in source.tables.iter().enumerate() {
            let mut ty = renumber.table_type(table.ty)?;
            if number == 0 {
                ty.minimum = self.table;
                ty.maximum = ty.maximum.map(|most| most.max(self.table));
            }
            imports.import(FIRST, &format!("t{number}"), EntityType::Table(ty));
        }
        for (number, global) in source.globals.iter().enumerate() {
            let ty = renumber.global_type(global.ty)?;
            imports.import(FIRST, &format!("g{number}"), EntityType::Global(ty));
        }
        let loaded = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        imports.import(FIRST, &format!("g{}", self.is_loaded()), EntityType::Global(loaded));

        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        for (number, body) in (imported..).zip(&source.bodies) {
            if self.rest.contains(&number) {
                functions.function(source.functions[number as usize]);
                renumber.parse_function_body(&mut code, body.clone())?;
            }
        }
        functions.function(nothing);
        let mut begin = Function::new([]);
        begin.instruction(&Instruction::I32Const(1));
        begin.instruction(&Instruction::GlobalSet(self.is_loaded()));
        begin.instruction(&Instruction::End);
        code.function(&begin);
        let begin = count(numbers.len());

        let mut elements = ElementSection::new();
        for (slot, run) in runs(&self.slots) {
            let run: Vec<u32> = run.iter().map(|number| numbers[number]).collect();
            elements.active(None, &ConstExpr::i32_const(slot.cast_signed()), Elements::Functions(run.into()));
        }

        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions);
        module.section(&StartSection { function_index: begin }).section(&elements).section(&code);
        Ok(module.finish())
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
