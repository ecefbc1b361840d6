//! How large a frontend's module becomes by this store and queue.

mod module;
mod names;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Result;
use crate::cmd::Cmd;
use crate::need::Need;
use crate::tools;

/// The package that is weighed, and what cargo makes of it.
const PACKAGE: &str = "haos-size";
const MODULE: &str = "haos_size";
/// Module and glue of store and queue, compressed, in bytes.
const LIMIT: usize = 150 * 1024;
/// What the front door may add to it.
const FRONT_LIMIT: usize = 60 * 1024;
/// Parts under this are told together.
const SMALL: usize = 2048;
/// The features that binaryen may use: what the engines of today have, and rustc uses.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Builds it as it would be shipped, without and with the front door, and prints what it weighs, and what of.
pub(crate) fn run(root: &Path) -> Result {
    Need::meet_all(vec![Need::WasmTarget, Need::WasmBindgen, Need::Binaryen])?;
    let store = Weighed::build(root, "store-and-queue", "")?;
    let front = Weighed::build(root, "front-door", "--features front")?;
    println!("\nstore and queue: {} bytes, gzip -9, of {LIMIT} allowed", store.packed);
    print_parts(&store.parts);
    let added = front.packed.saturating_sub(store.packed);
    println!("the front door adds: {added} bytes, gzip -9, of {FRONT_LIMIT} allowed");
    print_parts(&front.beyond(&store));
    let over: Vec<_> = [("store and queue", store.packed, LIMIT), ("the front door", added, FRONT_LIMIT)]
        .into_iter()
        .filter(|(_, bytes, limit)| bytes > limit)
        .map(|(what, bytes, limit)| format!("{what}: {bytes} bytes are more than the {limit} allowed"))
        .collect();
    if over.is_empty() { Ok(()) } else { Err(over.join("; ")) }
}

/// A module and what it is made of.
struct Weighed {
    /// Module and glue, compressed, in bytes.
    packed: usize,
    /// The bytes of each crate's code, and of the data, uncompressed.
    parts: BTreeMap<String, usize>,
}

impl Weighed {
    fn build(root: &Path, name: &str, features: &str) -> Result<Self> {
        let folder = root.join("target/size").join(name);
        fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
        let made = root.join(format!("target/wasm32-unknown-unknown/release/{MODULE}.wasm"));
        let bindings = tools::WASM_BINDGEN.path_of(root, "wasm-bindgen");
        let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let (bound, shipped, named) =
            (file(&format!("{MODULE}_bg.wasm")), file("shipped.wasm"), file("named.wasm"));
        let build = format!("build --release --target wasm32-unknown-unknown -p {PACKAGE} {features}");
        let commands = [
            smallest(Cmd::cargo(build.trim())),
            Cmd::new(
                &bindings,
                &["--target", "web", "--out-dir", &folder.to_string_lossy(), &made.to_string_lossy()],
            ),
            optimised(&bound, &shipped, &[]),
            // The same code once more, with the names of its functions, which are not shipped.
            optimised(&bound, &named, &["--debuginfo"]),
        ];
        for cmd in &commands {
            println!("$ {cmd}");
            if !cmd.run(root) {
                return Err(format!("failed: {cmd}"));
            }
        }
        let packed = weigh("module", &shipped)? + weigh("glue", &file(&format!("{MODULE}.js")))?;
        let module =
            module::Module::read(&read(&named)?).ok_or("wasm-opt wrote a module that cannot be read")?;
        let mut parts = names::by_crate(&module);
        parts.insert("(data)".to_owned(), module.data);
        Ok(Self { packed, parts })
    }

    /// Returns what each part has more than another module's.
    fn beyond(&self, other: &Self) -> BTreeMap<String, usize> {
        let more = |(name, size): (&String, &usize)| {
            let before = other.parts.get(name).copied().unwrap_or_default();
            Some((name.clone(), size.checked_sub(before).filter(|more| *more > 0)?))
        };
        self.parts.iter().filter_map(more).collect()
    }
}

/// As small as the compiler makes it. The variables stand for a profile, so that no other build changes.
fn smallest(cmd: Cmd) -> Cmd {
    cmd.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z")
        .env("CARGO_PROFILE_RELEASE_LTO", true)
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", 1)
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .env("CARGO_PROFILE_RELEASE_DEBUG", 0)
}

fn optimised(from: &str, to: &str, more: &[&str]) -> Cmd {
    let args = [&["-Oz"], &FEATURES[..], more, &[from, "-o", to]].concat();
    Cmd::new("wasm-opt", &args)
}

fn read(path: &str) -> Result<Vec<u8>> {
    fs::read(path).map_err(|e| format!("cannot read {path}: {e}"))
}

/// Prints the size of a file, as it is and compressed; gives the latter.
fn weigh(what: &str, path: &str) -> Result<usize> {
    let gzip = Cmd::new("gzip", &["-9", "-c", path]);
    let packed = gzip.bytes().ok_or_else(|| format!("install gzip, or look why this fails: {gzip}"))?.len();
    println!("{what:24} {:>9} {packed:>9}   bytes, gzip -9", read(path)?.len());
    Ok(packed)
}

/// Prints which crates the code is of, the largest first.
fn print_parts(parts: &BTreeMap<String, usize>) {
    let mut parts: Vec<_> = parts.iter().collect();
    parts.sort_by_key(|(_, size)| std::cmp::Reverse(**size));
    println!("of these, uncompressed:");
    let (large, small): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(_, size)| **size >= SMALL);
    for (name, size) in large {
        println!("  {name:30} {size:>9}");
    }
    let rest: usize = small.iter().map(|(_, size)| **size).sum();
    println!("  {:30} {rest:>9}", format!("{} smaller parts", small.len()));
}
