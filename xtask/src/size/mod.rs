//! How large a frontend's module becomes by this store and queue.

mod module;
mod names;

use std::fs;
use std::path::Path;

use crate::Result;
use crate::cmd::Cmd;
use crate::need::Need;
use crate::tools;

/// The package that is weighed, and what cargo makes of it.
const PACKAGE: &str = "haos-size";
const MODULE: &str = "haos_size";
/// Module and glue, compressed, in bytes.
const LIMIT: usize = 150 * 1024;
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

/// Builds it as it would be shipped and prints what it weighs, and what of.
pub(crate) fn run(root: &Path) -> Result {
    Need::meet_all(vec![Need::WasmTarget, Need::WasmBindgen, Need::Binaryen])?;
    let folder = root.join("target/size");
    fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    let made = root.join(format!("target/wasm32-unknown-unknown/release/{MODULE}.wasm"));
    let bindings = tools::WASM_BINDGEN.path_of(root, "wasm-bindgen");
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (bound, shipped, named) =
        (file(&format!("{MODULE}_bg.wasm")), file("shipped.wasm"), file("named.wasm"));
    let commands = [
        smallest(Cmd::cargo(&format!("build --release --target wasm32-unknown-unknown -p {PACKAGE}"))),
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
    let glue = file(&format!("{MODULE}.js"));
    let total = weigh("module", &shipped)? + weigh("glue", &glue)?;
    println!("{:24} {:>9} {total:>9}   of {LIMIT} allowed", "together", "");
    let bytes = read(&named)?;
    parts(&bytes)?;
    if total > LIMIT {
        return Err(format!("{total} bytes are more than the {LIMIT} that a frontend should have to load"));
    }
    Ok(())
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

/// Prints which crates the code is of, and what else there is.
fn parts(bytes: &[u8]) -> Result {
    let module = module::Module::read(bytes).ok_or("wasm-opt wrote a module that cannot be read")?;
    let mut parts = names::by_crate(&module);
    parts.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    println!("\nof the module, uncompressed:");
    let (large, small): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(_, size)| *size >= SMALL);
    for (name, size) in large {
        println!("  {name:30} {size:>9}");
    }
    println!(
        "  {:30} {:>9}",
        format!("{} smaller crates", small.len()),
        small.iter().map(|(_, n)| n).sum::<usize>()
    );
    println!("  {:30} {:>9}", "(data)", module.data);
    Ok(())
}
