//! Makes what a browser loads of a crate: WebAssembly and its glue, in two halves, or with a third part.
//!
//! A page needs little of a program at once. So a [`Bundle`] is built, a copy of it notes which functions run until the
//! first page is there ([`Bundle::watched`]), and with these in the first half it is split ([`Bundle::halves`]). What most
//! users never need can be a third part ([`Bundle::thirds`]).

mod apart;
mod glue;
mod names;
mod ran;
mod source;
mod split;
mod watch;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

pub use apart::Seldom;
use names::functions;
pub use ran::ran;
pub use source::{Error, Result};
pub use split::{FIRST, Halves, LOADER, split};
pub use watch::{RAN, watch};

const TARGET: &str = "wasm32-unknown-unknown";
/// The profile of the workspace by which all is built that browsers load.
const PROFILE: &str = "web";
/// The name of what is not in the first half.
const REST: &str = "rest";
/// What to do without an optimiser.
const ADVICE: &str = "npm ci in a copy of bindings/bundle, and its node_modules/.bin in the path";
/// What the engines of today have and rustc uses.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// A crate as a browser loads it.
#[derive(Debug)]
pub struct Bundle {
    /// The name of its files.
    name: String,
    /// Glue, as wasm-bindgen wrote it.
    glue: String,
    /// The module, optimised, without names.
    pub module: Vec<u8>,
    /// The same code with the names of its functions.
    pub named: Vec<u8>,
}

impl Bundle {
    /// Builds the package with its features into the target folder, by the programs `CARGO`, `WASM_BINDGEN`,
    /// `WASM_OPT` and `TERSER`, or what the path has by their names.
    ///
    /// # Errors
    /// When one of the programs fails or is missing.
    pub fn build(target: &Path, package: &str, features: &[&str]) -> Result<Self> {
        let name = package.replace('-', "_");
        let folder = target.join("bundle").join([&[package], features].concat().join("+"));
        fs::create_dir_all(&folder).map_err(|e| Error::at(&folder, &e))?;
        let mut cargo = program("CARGO", "cargo");
        cargo.args(["build", "--profile", PROFILE, "--target", TARGET, "--package", package]);
        cargo.arg("--target-dir").arg(target).args(["--features", &features.join(",")]);
        cargo.args(["--config", &flags()]);
        // Cargo's settings for the program that calls this are not meant for that one.
        run(cargo.env_remove("CARGO_MANIFEST_DIR"), "run this through cargo")?;
        let made = target.join(TARGET).join(PROFILE).join(format!("{name}.wasm"));
        let mut bindgen = program("WASM_BINDGEN", "wasm-bindgen");
        bindgen.args(["--target", "web", "--no-typescript", "--out-dir"]).arg(&folder).arg(made);
        run(&mut bindgen, "cargo install wasm-bindgen-cli, in the version of Cargo.lock")?;
        let (bound, named) = (folder.join(format!("{name}_bg.wasm")), folder.join("named.wasm"));
        let module = folder.join("module.wasm");
        // A function with one caller stays one: a half has what it needs, and what is alike compresses.
        let apart = ["--one-caller-inline-max-function-size", "0"];
        optimise(&bound, &named, &[&["-Oz", "--debuginfo"], &apart[..]].concat())?;
        optimise(&named, &module, &["--strip-debug", "--strip-producers"])?;
        let glue = folder.join(format!("{name}.js"));
        Ok(Self {
            name,
            glue: String::from_utf8(read(&glue)?).map_err(|_| Error::new("its glue is no text"))?,
            module: read(&module)?,
            named: read(&named)?,
        })
    }

    /// Writes it whole.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn whole(&self, folder: &Path) -> Result<()> {
        self.write(folder, &self.glue, &[("bg", &self.module)])
    }

    /// Writes a copy that notes which functions run: see [`watch`]. The glue has a function more, `ran`, which tells their
    /// numbers.
    ///
    /// # Errors
    /// When the folder cannot be written, or the module be read.
    pub fn watched(&self, folder: &Path) -> Result<()> {
        self.write(folder, &glue::watched(&self.glue), &[("bg", &watch(&self.module)?)])
    }

    /// Writes it in two halves: see [`split`]. The glue has a function more, `loadRest`.
    ///
    /// # Errors
    /// When the folder cannot be written, or the module be split.
    pub fn halves(&self, folder: &Path, kept: &BTreeSet<u32>) -> Result<()> {
        let halves = split(&self.module, kept, REST)?;
        let glue = glue::parted(&self.glue, &self.name, &[REST])?;
        self.write(folder, &glue, &[("bg", &halves.first), (REST, &halves.rest)])
    }

    /// Writes it in two halves, and without the functions `apart`: they are a third part, which goes by a name of its own.
    /// For the part `keys` the glue has `loadKeys`.
    ///
    /// # Errors
    /// When the folder cannot be written, or the module be split.
    pub fn thirds(
        &self,
        folder: &Path,
        kept: &BTreeSet<u32>,
        (part, apart): (&str, &BTreeSet<u32>),
    ) -> Result<()> {
        let all: BTreeSet<u32> = functions(&self.named)?.into_keys().collect();
        let outer = split(&self.module, &all.difference(apart).copied().collect(), part)?;
        let stays = |number: &u32| outer.numbers.get(number).copied();
        let kept = kept.difference(apart).filter_map(stays).chain(outer.stubs.iter().copied()).collect();
        let inner = split(&outer.first, &kept, REST)?;
        let glue = glue::parted(&self.glue, &self.name, &[REST, part])?;
        self.write(folder, &glue, &[("bg", &inner.first), (REST, &inner.rest), (part, &outer.rest)])
    }

    /// Chooses the functions that few users need, without those that `ran`: see [`Seldom`].
    ///
    /// # Errors
    /// When the module cannot be read.
    pub fn apart(&self, seldom: Seldom<'_>, ran: &BTreeSet<u32>) -> Result<BTreeSet<u32>> {
        apart::apart(&self.named, seldom, ran)
    }

    fn write(&self, folder: &Path, glue: &str, modules: &[(&str, &[u8])]) -> Result<()> {
        // Not what was here before.
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).map_err(|e| Error::at(folder, &e))?;
        let file = |name: String, bytes: &[u8]| {
            let file = folder.join(name);
            fs::write(&file, bytes).map_err(|e| Error::at(&file, &e))
        };
        let script = format!("{}.js", self.name);
        file(script.clone(), glue.as_bytes())?;
        let mut shorten = program("TERSER", "terser");
        let script = folder.join(script);
        shorten.arg(&script).args(["--module", "--compress", "--mangle", "--output"]).arg(&script);
        run(&mut shorten, ADVICE)?;
        modules.iter().try_for_each(|(half, module)| file(format!("{}_{half}.wasm", self.name), module))
    }
}

/// How the compiler names what it makes: functions by their crates, and files as they are on every machine.
fn flags() -> String {
    let home = |variable| env::var_os(variable).map(PathBuf::from);
    let cargo = home("CARGO_HOME").or_else(|| Some(home("HOME").or(home("USERPROFILE"))?.join(".cargo")));
    let from = cargo.map(|cargo| cargo.join("registry").join("src"));
    let remap = from.map(|from| format!("--remap-path-prefix={}=crates", from.display()));
    let all = ["-Csymbol-mangling-version=v0".to_owned()].into_iter().chain(remap);
    let all: Vec<String> = all.map(|flag| format!("{flag:?}")).collect();
    format!("target.{TARGET}.rustflags=[{}]", all.join(","))
}

fn optimise(from: &Path, to: &Path, how: &[&str]) -> Result<()> {
    let mut optimise = program("WASM_OPT", "wasm-opt");
    optimise.args(how).args(FEATURES).arg(from).arg("-o").arg(to);
    run(&mut optimise, ADVICE)
}

fn read(file: &PathBuf) -> Result<Vec<u8>> {
    fs::read(file).map_err(|e| Error::at(file, &e))
}

fn program(variable: &str, name: &str) -> Command {
    Command::new(env::var_os(variable).unwrap_or_else(|| name.into()))
}

fn run(command: &mut Command, advice: &str) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::new(&format!("{name} failed with {status}: what it said is above"))),
        Err(e) => Err(Error::new(&format!("{name}: {e}; {advice}"))),
    }
}
