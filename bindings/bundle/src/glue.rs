//! The glue of a module in two halves.

use crate::source::{Error, Result};
use crate::split::LOADER;
use crate::watch::RAN;

/// How the rest is loaded.
const LOADING: &str = include_str!("glue.js");

/// Adds to the glue of a watched module how it tells the numbers of the functions that ran.
pub(crate) fn watched(glue: &str) -> String {
    format!(
        "{glue}\n/** The numbers of the functions that ran. */\nexport function ran() {{\n    \
         const names = Object.keys(wasm).filter((name) => name.startsWith(\"{RAN}\") && wasm[name].value === 1);\n    \
         return names.map((name) => Number(name.slice({})));\n}}\n",
        RAN.len()
    )
}

/// Adds to wasm-bindgen's glue of the module `name` how the rest is loaded, from the file `rest` beside it.
pub(crate) fn halved(glue: &str, name: &str, rest: &str) -> Result<String> {
    let quoted = |text: &str| format!("\"{text}\"");
    let namespace = quoted(&format!("./{name}_bg.js"));
    let imports = format!("{namespace}: import0,\n");
    if glue.matches(&imports).count() != 1 {
        return Err(Error::new(
            "its glue has another form than wasm-bindgen 0.2.130 writes: look at glue.rs",
        ));
    }
    let (module, function) = LOADER;
    let loader = format!("{imports}        {module}: {{ {function}: loadRestNow }},\n");
    // As a computed key and as a value.
    let loading = LOADING.replace("GLUE:", &format!("{namespace}:")).replace("GLUE", &namespace);
    Ok(glue.replace(&imports, &loader) + &loading.replace("REST", &quoted(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glue_of_two_halves_names_both() {
        let glue = "    return {\n        \"./chat_bg.js\": import0,\n    };\n";
        let halved = halved(glue, "chat", "chat_rest.wasm").unwrap();
        assert!(halved.contains("\"./chat_bg.js\": import0,\n        rest: { load: loadRestNow },\n"));
        assert!(halved.contains("first: wasm, \"./chat_bg.js\": __wbg_get_imports()[\"./chat_bg.js\"]"));
        assert!(halved.contains("new URL(\"chat_rest.wasm\", import.meta.url)") && !halved.contains("GLUE"));
    }

    #[test]
    fn glue_of_another_form_is_refused() {
        assert!(halved("return { other: import0 };", "chat", "chat_rest.wasm").is_err());
    }
}
