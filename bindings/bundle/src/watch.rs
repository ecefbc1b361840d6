//! A module that notes which of its functions run.

use std::collections::BTreeMap;

use wasm_encoder::reencode::Reencode as _;
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, FunctionSection, GlobalType, Instruction, Module, TableSection,
    ValType,
};

use crate::source::{Renumber, Result, Source, count};

/// What the name of a global begins with that is 1 once the function of that number has run.
pub const RAN: &str = "ran";

/// Makes of a module one that exports a global for each function, 0 until the function runs, and 1 from then on.
///
/// # Errors
/// As [`split`](crate::split).
pub fn watch(wasm: &[u8]) -> Result<Vec<u8>> {
    let source = Source::read(wasm)?;
    let imported = source.imported();
    let functions = count(source.functions.len());
    let mut renumber = Renumber((0..functions).map(|number| (number, number)).collect::<BTreeMap<_, _>>());
    let mut globals = source.globals_section(&mut renumber)?;
    let mut exports = source.exports_section(&BTreeMap::new(), &mut renumber)?;
    let (mut declared, mut code) = (FunctionSection::new(), CodeSection::new());
    for (number, body) in (imported..).zip(&source.bodies) {
        let global = globals.len();
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(0));
        exports.export(&format!("{RAN}{number}"), ExportKind::Global, global);
        declared.function(source.functions[number as usize]);
        let mut watched = renumber.new_function_with_parsed_locals(body)?;
        watched.instruction(&Instruction::I32Const(1)).instruction(&Instruction::GlobalSet(global));
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            watched.instruction(&renumber.parse_instruction(&mut operators)?);
        }
        code.function(&watched);
    }
    let mut tables = TableSection::new();
    for table in &source.tables {
        tables.table(renumber.table_type(table.ty)?);
    }
    let mut module = Module::new();
    module.section(&source.types_section(&mut renumber)?).section(&source.imports_section(&mut renumber)?);
    module.section(&declared).section(&tables).section(&source.memories_section(&mut renumber)?);
    module.section(&globals).section(&exports);
    module.section(&source.elements_section(&mut renumber)?);
    module.section(&code).section(&source.data_section(&mut renumber)?);
    Ok(module.finish())
}
