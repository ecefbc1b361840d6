//! A small program, split in every way, beside itself as a whole.

use wasmi::{Caller, Engine, Extern, Instance, Linker, Module, Store};

use super::*;
use crate::{RAN, watch};

/// Calls of every kind: direct and through the table, up and down, with memory, globals and imports.
const PROGRAM: &str = r#"(module
    (type $step (func (param i32) (result i32)))
    (import "env" "note" (func $note (param i32)))
    (import "env" "twice" (func $twice (param i32) (result i32)))
    (memory (export "memory") 1)
    (table 5 5 funcref)
    (global $count (export "count") (mut i32) (i32.const 5))
    (data (i32.const 8) "\2a")
    (elem (i32.const 1) $even $odd $twice $even)
    (func $even (export "even") (type $step)
        (if (result i32) (i32.eqz (local.get 0))
            (then (call $note (i32.const 100)) (i32.const 1))
            (else (call $odd (i32.sub (local.get 0) (i32.const 1))))))
    (func $odd (type $step)
        (if (result i32) (i32.eqz (local.get 0))
            (then (call $keep (i32.const 7)) (i32.const 0))
            (else (call_indirect (type $step) (i32.sub (local.get 0) (i32.const 1)) (i32.const 4)))))
    (func $keep (param i32)
        (global.set $count (i32.add (global.get $count) (local.get 0)))
        (i32.store (i32.const 16) (i32.add (i32.load8_u (i32.const 8)) (global.get $count))))
    (func $tiny (param i32) (result i32) (local.get 0))
    (func $lost (param i64 f64) (result i64)
        (i64.add (local.get 0) (i64.trunc_f64_s (f64.add (local.get 1) (f64.const 1)))))
    (func (export "run") (param i32) (result i64)
        (call $note (call_indirect (type $step) (call $tiny (local.get 0)) (i32.const 2)))
        (call $note (call $twice (local.get 0)))
        (call $note (call_indirect (type $step) (local.get 0) (i32.const 3)))
        (call $keep (i32.const 30))
        (call $lost (i64.extend_i32_u (i32.load (i32.const 16))) (f64.const 2.5))))"#;
/// The functions of the program by their numbers: two are imported, and one is too small to be anywhere but in the first half.
const FUNCTIONS: [u32; 6] = [2, 3, 4, 5, 6, 7];

/// What the program's surroundings know.
#[derive(Default)]
struct World {
    notes: Vec<i32>,
    first: Option<Instance>,
    rest: Option<Module>,
    loads: u32,
}

fn linker(engine: &Engine) -> Linker<World> {
    let mut linker = Linker::new(engine);
    linker
        .func_wrap("env", "note", |mut world: Caller<'_, World>, n: i32| world.data_mut().notes.push(n))
        .unwrap();
    linker.func_wrap("env", "twice", |n: i32| n * 2).unwrap();
    linker.func_wrap(LOADER.0, LOADER.1, load).unwrap();
    linker
}

fn load(mut world: Caller<'_, World>) {
    world.data_mut().loads += 1;
    let mut linker = linker(&world.engine().clone());
    let first = world.data().first.unwrap();
    let lent: Vec<(String, Extern)> =
        first.exports(&world).map(|export| (export.name().to_owned(), export.into_extern())).collect();
    lent.into_iter().for_each(|(name, what)| _ = linker.define(FIRST, &name, what).unwrap());
    let rest = world.data().rest.clone().unwrap();
    linker.instantiate_and_start(&mut world, &rest).unwrap();
}

/// Runs the program, and returns all that can be seen of it; and how often the rest was loaded.
fn run(first: &[u8], rest: Option<&[u8]>) -> (Vec<i64>, u32) {
    let engine = Engine::default();
    let module = |bytes: &[u8]| Module::new(&engine, bytes).unwrap();
    let mut store = Store::new(&engine, World { rest: rest.map(module), ..World::default() });
    let instance = linker(&engine).instantiate_and_start(&mut store, &module(first)).unwrap();
    store.data_mut().first = Some(instance);
    let mut seen = Vec::new();
    for n in [0, 1, 6, 7] {
        let even = instance.get_typed_func::<i32, i32>(&store, "even").unwrap();
        seen.push(even.call(&mut store, n).unwrap().into());
        let program = instance.get_typed_func::<i32, i64>(&store, "run").unwrap();
        seen.push(program.call(&mut store, n).unwrap());
        seen.push(instance.get_global(&store, "count").unwrap().get(&store).i32().unwrap().into());
    }
    let mut bytes = [0; 32];
    instance.get_memory(&store, "memory").unwrap().read(&store, 0, &mut bytes).unwrap();
    seen.extend(bytes.map(i64::from));
    seen.extend(store.data().notes.iter().map(|n| i64::from(*n)));
    (seen, store.data().loads)
}

fn program() -> Vec<u8> {
    wat::parse_str(PROGRAM).unwrap()
}

#[test]
fn halves_are_the_same_program_however_it_is_split() {
    let program = program();
    let (whole, _) = run(&program, None);
    for choice in 0..1 << FUNCTIONS.len() {
        let kept: BTreeSet<u32> = FUNCTIONS
            .into_iter()
            .enumerate()
            .filter(|(nth, _)| choice & (1 << nth) != 0)
            .map(|(_, number)| number)
            .collect();
        let halves = split(&program, &kept).unwrap();
        let (seen, loads) = run(&halves.first, Some(&halves.rest));
        assert_eq!(seen, whole, "{kept:?}");
        assert!(loads <= 1, "{kept:?}");
        let all = FUNCTIONS.into_iter().filter(|number| *number != 5).all(|number| kept.contains(&number));
        assert_eq!(loads == 0, all, "{kept:?}");
    }
}

#[test]
fn a_half_has_what_it_needs_alone() {
    let program = program();
    let halves = split(&program, &FUNCTIONS.into()).unwrap();
    assert!(halves.rest.len() < 200, "{}", halves.rest.len());
    let halves = split(&program, &BTreeSet::new()).unwrap();
    let has = |half: &[u8], name: &str| half.windows(name.len()).any(|part| part == name.as_bytes());
    // It is in the table, and noting is what the rest does.
    assert!(has(&halves.first, "twice") && !has(&halves.first, "note"));
    assert!(has(&halves.rest, "twice") && has(&halves.rest, "note"));
}

#[test]
fn a_watched_program_is_the_same_and_tells_what_ran() {
    let program = program();
    let watched = watch(&program).unwrap();
    assert_eq!(run(&watched, None).0, run(&program, None).0);
    let engine = Engine::default();
    let mut store = Store::new(&engine, World::default());
    let module = Module::new(&engine, &watched[..]).unwrap();
    let instance = linker(&engine).instantiate_and_start(&mut store, &module).unwrap();
    let ran = |store: &Store<World>| -> Vec<u32> {
        let is_set = |number: &u32| {
            let global = instance.get_global(store, &format!("{RAN}{number}")).unwrap();
            global.get(store).i32() == Some(1)
        };
        FUNCTIONS.into_iter().filter(is_set).collect()
    };
    assert_eq!(ran(&store), [0_u32; 0]);
    let even = instance.get_typed_func::<i32, i32>(&store, "even").unwrap();
    even.call(&mut store, 1).unwrap();
    assert_eq!(ran(&store), [2, 3, 4]);
}

#[test]
fn what_cannot_be_split_is_refused() {
    for (program, why) in [
        ("(module (table 0 funcref))", "it has not one memory"),
        (
            "(module (memory 1) (func $a) (start $a) (table 1 funcref))",
            "it has a function that runs at the start",
        ),
        ("(module (import \"a\" \"b\" (global i32)) (memory 1))", "it imports what is not a function"),
        ("(module (memory 1) (func))", "it has no table of functions"),
        (
            "(module (memory 1) (table 0 funcref) (func (drop (table.grow 0 (ref.null func) (i32.const 1)))))",
            "it grows its table of functions, or fills memory by itself",
        ),
    ] {
        let error = split(&wat::parse_str(program).unwrap(), &BTreeSet::new()).unwrap_err();
        assert_eq!(error.to_string(), format!("no bundle: {why}"));
    }
    assert!(split(b"text", &BTreeSet::new()).is_err());
}
