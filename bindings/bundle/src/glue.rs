//! The glue of a module in parts.

use crate::source::{Error, Result};
use crate::split::LOADER;
use crate::watch::RAN;

/// How parts are loaded, and one of them.
const LOADING: &str = include_str!("glue.js");
const PART: &str = include_str!("glue_part.js");

/// Adds to the glue of a watched module how it tells the numbers of the functions that ran.
pub(crate) fn watched(glue: &str) -> String {
    format!(
        "{glue}\n/** The numbers of the functions that ran. */\nexport function ran() {{\n    \
         const names = Object.keys(wasm).filter((name) => name.startsWith(\"{RAN}\") && wasm[name].value === 1);\n    \
         return names.map((name) => Number(name.slice({})));\n}}\n",
        RAN.len()
    )
}

/// Adds to wasm-bindgen's glue of the module `name` how other parts of it are loaded, each by a function such as
/// `loadRest`, and from the file beside it that is named for the part; each is loaded after the one before it.
pub(crate) fn parted(glue: &str, name: &str, parts: &[&str]) -> Result<String> {
    let imports = format!("\"./{name}_bg.js\": import0,\n");
    if glue.matches(&imports).count() != 1 {
        return Err(Error::new(
            "its glue has another form than wasm-bindgen 0.2.130 writes: look at glue.rs",
        ));
    }
    let loaders: String =
        parts.iter().map(|part| format!("        {part}: {{ {LOADER}: () => {part}.now() }},\n")).collect();
    let befores = [&"undefined"].into_iter().chain(parts);
    let loading: String = parts
        .iter()
        .zip(befores)
        .map(|(part, before)| {
            let (initial, end) = part.split_at(1);
            let load = format!("load{}{end}", initial.to_ascii_uppercase());
            let file = format!("{name}_{part}.wasm");
            PART.replace("PART", part).replace("LOAD", &load).replace("FILE", &file).replace("BEFORE", before)
        })
        .collect();
    Ok(glue.replace(&imports, &(imports.clone() + &loaders)) + LOADING + &loading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glue_of_parts_names_each() {
        let glue = "    return {\n        \"./chat_bg.js\": import0,\n    };\n";
        let parted = parted(glue, "chat", &["rest", "keys"]).unwrap();
        let loaders = "\"./chat_bg.js\": import0,\n        rest: { load: () => rest.now() },\n        keys: { load: () => keys.now() },\n";
        assert!(parted.contains(loaders), "{parted}");
        for (load, file) in [("loadRest", "chat_rest.wasm"), ("loadKeys", "chat_keys.wasm")] {
            assert!(parted.contains(&format!("export function {load}(")));
            assert!(parted.contains(&format!("new URL(\"{file}\", import.meta.url)")));
        }
        assert!(!["PART", "LOAD", "FILE", "BEFORE"].iter().any(|word| parted.contains(word)));
    }

    #[test]
    fn glue_of_another_form_is_refused() {
        assert!(parted("return { other: import0 };", "chat", &["rest"]).is_err());
    }
}
