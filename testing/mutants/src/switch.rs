//! The module that a crate with mistakes in it gets: which one is made, and which places were reached.

/// The variable for the file in which a test process notes the places that it reached.
pub(crate) const SEEN: &str = "HAOS_MUTANTS_SEEN";
/// The mistake that a process makes.
pub(crate) const MADE: &str = "HAOS_MUTANT";

/// Its source; `count` is one more than the largest number of a mistake.
pub(crate) fn module(count: u32) -> String {
    format!(
        r#"
/// Which mistake is made.
#[allow(missing_docs, dead_code, clippy::all)]
#[doc(hidden)]
pub mod __mutants {{
    use std::sync::OnceLock;
    use std::sync::atomic::{{AtomicBool, Ordering}};

    static MADE: OnceLock<u32> = OnceLock::new();
    static SEEN: OnceLock<Option<(std::path::PathBuf, Vec<AtomicBool>)>> = OnceLock::new();

    pub fn pick(first: u32, count: u32) -> u32 {{
        let made = *MADE.get_or_init(|| std::env::var("{MADE}").ok().and_then(|n| n.parse().ok()).unwrap_or(u32::MAX));
        if made == u32::MAX {{
            see(first);
            return 0;
        }}
        if made >= first && made < first + count {{ made - first + 1 }} else {{ 0 }}
    }}

    fn see(first: u32) {{
        let seen = SEEN.get_or_init(|| {{
            let folder = std::env::var_os("{SEEN}")?;
            Some((folder.into(), (0..{count}).map(|_| AtomicBool::new(false)).collect()))
        }});
        let Some((folder, seen)) = seen else {{ return }};
        if !seen[first as usize].swap(true, Ordering::Relaxed) {{
            let _ = std::fs::write(folder.join(first.to_string()), "");
        }}
    }}
}}
"#
    )
}
