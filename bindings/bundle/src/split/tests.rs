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

/// The parts that are loaded later.
const PARTS: [&str; 2] = ["rest", "keys"];

/// What the program's surroundings know.
#[derive(Default)]
struct World {
    notes: Vec<i32>,
    /// What is there.
    instances: Vec<Instance>,
    parts: BTreeMap<&'static str, Module>,
    loads: Vec<&'static str>,
}

fn linker(engine: &Engine) -> Linker<World> {
    let mut linker = Linker::new(engine);
    linker
        .func_wrap("env", "note", |mut world: Caller<'_, World>, n: i32| world.data_mut().notes.push(n))
        .unwrap();
    linker.func_wrap("env", "twice", |n: i32| n * 2).unwrap();
    for part in PARTS {
        linker.func_wrap(part, LOADER, move |mut world: Caller<'_, World>| load(&mut world, part)).unwrap();
    }
    linker
}

fn load(world: &mut Caller<'_, World>, part: &'static str) {
    if part == "keys" && !world.data().loads.contains(&"rest") {
        load(world, "rest");
    }
    world.data_mut().loads.push(part);
    let mut linker = linker(&world.engine().clone());
    let mut lent: BTreeMap<String, Extern> = BTreeMap::new();
    for instance in world.data().instances.clone() {
        lent.extend(instance.exports(&*world).map(|export| (export.name().to_owned(), export.into_extern())));
    }
    lent.into_iter().for_each(|(name, what)| _ = linker.define(FIRST, &name, what).unwrap());
    let module = world.data().parts[part].clone();
    let instance = linker.instantiate_and_start(&mut *world, &module).unwrap();
    world.data_mut().instances.push(instance);
}

/// Runs the program, and returns all that can be seen of it; and which parts were loaded.
fn run(first: &[u8], parts: &[(&'static str, &[u8])]) -> (Vec<i64>, Vec<&'static str>) {
    let engine = Engine::default();
    let module = |bytes: &[u8]| Module::new(&engine, bytes).unwrap();
    let parts = parts.iter().map(|(part, bytes)| (*part, module(bytes))).collect();
    let mut store = Store::new(&engine, World { parts, ..World::default() });
    let instance = linker(&engine).instantiate_and_start(&mut store, &module(first)).unwrap();
    store.data_mut().instances.push(instance);
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
    (seen, store.data().loads.clone())
}

fn program() -> Vec<u8> {
    wat::parse_str(PROGRAM).unwrap()
}

#[test]
fn halves_are_the_same_program_however_it_is_split() {
    let program = program();
    let (whole, _) = run(&program, &[]);
    for choice in 0..1 << FUNCTIONS.len() {
        let kept = chosen(choice);
        let halves = split(&program, &kept, "rest").unwrap();
        let (seen, loads) = run(&halves.first, &[("rest", &halves.rest)]);
        assert_eq!(seen, whole, "{kept:?}");
        assert!(loads.len() <= 1, "{kept:?}");
        let all = FUNCTIONS.into_iter().filter(|number| *number != 5).all(|number| kept.contains(&number));
        assert_eq!(loads.is_empty(), all, "{kept:?}");
    }
}

/// Of the functions, those whose bit is set.
fn chosen(choice: u32) -> BTreeSet<u32> {
    let is_chosen = |(nth, _): &(usize, u32)| choice & (1 << nth) != 0;
    FUNCTIONS.into_iter().enumerate().filter(is_chosen).map(|(_, number)| number).collect()
}

#[test]
fn thirds_are_the_same_program_however_it_is_split() {
    let program = program();
    let (whole, _) = run(&program, &[]);
    let choices = 1 << FUNCTIONS.len();
    let kept = |stays| [0, stays & 0b01_0101, stays & 0b10_1010, stays].map(|kept| (kept, stays));
    for (kept, stays) in (0..choices).flat_map(kept) {
        let (kept, stays) = (chosen(kept), chosen(stays));
        let outer = split(&program, &stays, "keys").unwrap();
        let numbers = kept.iter().map(|number| outer.numbers[number]);
        let inner = split(&outer.first, &numbers.chain(outer.stubs).collect(), "rest").unwrap();
        let parts = [("rest", &inner.rest[..]), ("keys", &outer.rest[..])];
        let (seen, loads) = run(&inner.first, &parts);
        assert_eq!(seen, whole, "{kept:?}, {stays:?}");
        let is_once = |part| loads.iter().filter(|loaded| **loaded == part).count() <= 1;
        assert!(PARTS.into_iter().all(is_once), "{kept:?}, {stays:?}: {loads:?}");
    }
}

#[test]
fn a_half_has_what_it_needs_alone() {
    let program = program();
    let halves = split(&program, &FUNCTIONS.into(), "rest").unwrap();
    assert!(halves.rest.len() < 200, "{}", halves.rest.len());
    let halves = split(&program, &BTreeSet::new(), "rest").unwrap();
    let has = |half: &[u8], name: &str| half.windows(name.len()).any(|part| part == name.as_bytes());
    // It is in the table, and noting is what the rest does.
    assert!(has(&halves.first, "twice") && !has(&halves.first, "note"));
    assert!(has(&halves.rest, "twice") && has(&halves.rest, "note"));
}

#[test]
fn a_watched_program_is_the_same_and_tells_what_ran() {
    let program = program();
    let watched = watch(&program).unwrap();
    assert_eq!(run(&watched, &[]).0, run(&program, &[]).0);
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
        let error = split(&wat::parse_str(program).unwrap(), &BTreeSet::new(), "rest").unwrap_err();
        assert_eq!(error.to_string(), format!("no bundle: {why}"));
    }
    assert!(split(b"text", &BTreeSet::new(), "rest").is_err());
}
