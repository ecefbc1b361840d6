use super::files::File;
use super::finding::Finding;

/// The crates that only tests may name: they are not shipped.
const NOT_SHIPPED: [&str; 7] =
    ["haos-backends", "haos-demo", "haos-e2e", "haos-mutants", "haos-sim", "haos-skip", "haos-stub"];

/// No crate depends on one above or beside it, and none that is shipped on one that is not.
pub(super) fn check(files: &[File], findings: &mut Vec<Finding>) {
    let crates: Vec<&str> = files.iter().filter_map(crate_of).collect();
    for file in files {
        let (Some(name), Some(text)) = (crate_of(file), file.text()) else { continue };
        // Keys know the contract alone, and are tested over every store.
        let place = if name == "haos-crypto" { Where::Shipped } else { Where::Anywhere };
        for other in crates.iter().filter(|other| may_not_know(name, other)) {
            if let Some(line) = mention(text, other, place) {
                findings
                    .push(Finding::error(&file.path, format!("{name} may not depend on {other}")).at(line));
            }
        }
        for other in NOT_SHIPPED {
            if let Some(line) = mention(text, other, Where::Shipped) {
                let message = format!("{name} is shipped and may not depend on {other}: only its tests may");
                findings.push(Finding::error(&file.path, message).at(line));
            }
        }
    }
}

/// The folder of a manifest right below the root: it bears the name of its crate.
fn crate_of(file: &File) -> Option<&str> {
    file.path
        .strip_suffix("/Cargo.toml")
        .filter(|folder| (folder.starts_with("haos-") || *folder == "haos") && !folder.contains('/'))
}

/// The arrows of ARCHITECTURE.md, read backwards. Dev-dependencies count for backends and the contract.
fn may_not_know(name: &str, other: &str) -> bool {
    const ABOVE: [&str; 7] =
        ["haos-store", "haos-queue", "haos-archive", "haos-crypto", "haos-matrix", "haos", "haos-cli"];
    const BELOW: [&str; 2] = ["haos-store-api", "haos-store-seal"];
    let is_backend = |name: &str| name.starts_with("haos-store-") && !BELOW.contains(&name);
    match name {
        _ if name == other => false,
        "haos-web" | "haos-store-seal" => true,
        // The ciphers are reached through the codec alone.
        _ if other == "haos-store-seal" => name != "haos-store-api",
        // Only Matrix knows keys, and keys know the contract alone.
        "haos-crypto" => other != "haos-store-api",
        _ if other == "haos-crypto" => !["haos-matrix", "haos", "haos-cli"].contains(&name),
        "haos-store-api" => ABOVE.contains(&other) || is_backend(other) || other == "haos-web",
        _ if is_backend(name) => ABOVE.contains(&other) || is_backend(other),
        "haos-store" => ["haos-queue", "haos-matrix", "haos", "haos-cli"].contains(&other),
        "haos-queue" => ["haos-store", "haos-archive", "haos-matrix", "haos", "haos-cli"].contains(&other),
        "haos-archive" => ["haos-store", "haos-matrix", "haos", "haos-cli"].contains(&other),
        "haos-matrix" => ["haos", "haos-cli"].contains(&other),
        "haos" => other == "haos-cli",
        _ => false,
    }
}

/// Where in a manifest a name counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Anywhere,
    /// Not as a dependency of tests.
    Shipped,
}

/// The line of the manifest, from 1, that names `other` outside of comments and `[package]`.
fn mention(manifest: &str, other: &str, place: Where) -> Option<usize> {
    let mut is_left_out = false;
    for (line, number) in manifest.lines().zip(1..) {
        let line = line.split_once('#').map_or(line, |(code, _)| code);
        if line.starts_with('[') {
            is_left_out = line.trim() == "[package]" || place == Where::Shipped && is_of_tests(line);
        }
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
        if !is_left_out && words.any(|word| word == other) {
            return Some(number);
        }
    }
    None
}

/// Tells if a header, of a target or a single dependency too, is one of `dev-dependencies`.
fn is_of_tests(header: &str) -> bool {
    header.split(['[', ']', '.']).any(|part| part.trim() == "dev-dependencies")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(manifests: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> =
            manifests.iter().map(|(name, text)| File::of(&format!("{name}/Cargo.toml"), text)).collect();
        let mut findings = Vec::new();
        check(&files, &mut findings);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn backends_know_only_the_contract() {
        let found = messages(&[
            ("haos-store-api", "[dependencies]\n"),
            ("haos-store-sled", "[dependencies]\nhaos-store-api.workspace = true\n"),
            ("haos-store-sqlite", "[dev-dependencies]\nhaos-store-sled = { path = \"x\" }\n"),
            ("haos-queue", "[dev-dependencies]\nhaos-store-sqlite.workspace = true\n"),
            ("haos-store", "[dependencies]\nhaos-store-sqlite.workspace = true\n"),
        ]);
        assert_eq!(
            found,
            ["error: haos-store-sqlite/Cargo.toml:2: haos-store-sqlite may not depend on haos-store-sled"]
        );
    }

    #[test]
    fn every_way_to_name_a_dependency_is_seen() {
        for line in [
            "[dependencies.haos-queue]",
            "queue = { package = \"haos-queue\" }",
            "f = [\"haos-queue/x\"]",
            "haos-queue = \"1\"",
        ] {
            assert_eq!(
                mention(&format!("[package]\n\n[features]\n{line}\n"), "haos-queue", Where::Anywhere),
                Some(4),
                "{line}"
            );
        }
    }

    #[test]
    fn comments_descriptions_and_longer_names_are_no_dependency() {
        let manifest =
            "[package]\ndescription = \"no haos-queue\"\n[dependencies]\nhaos-queue-x = 1 # haos-queue\n";
        assert_eq!(mention(manifest, "haos-queue", Where::Anywhere), None);
    }

    #[test]
    fn what_is_not_shipped_is_for_tests() {
        let good = [
            ("haos-queue", "[dev-dependencies]\nhaos-sim.workspace = true\n"),
            ("haos-matrix", "[target.'cfg(unix)'.dev-dependencies]\nhaos-sim = { path = \"x\" }\n"),
            ("haos-store", "[dev-dependencies.haos-sim]\npath = \"x\"\n"),
            ("testing/demo", "[dependencies]\nhaos-sim.workspace = true\nhaos-cli.workspace = true\n"),
        ];
        assert_eq!(messages(&good), Vec::<String>::new());
        let bad = [
            ("haos-cli", "[dev-dependencies]\nhaos-skip = 1\n[dependencies]\nhaos-demo.workspace = true\n"),
            ("haos-queue", "[dependencies.haos-sim]\npath = \"x\"\n"),
            ("haos-store", "[features]\nsim = [\"dep:haos-sim\"]\n"),
            ("haos-web", "[target.'cfg(unix)'.build-dependencies]\nsim = { package = \"haos-sim\" }\n"),
        ];
        let not = |name: &str, line: u32, other: &str| {
            let what = format!("{name} is shipped and may not depend on {other}: only its tests may");
            format!("error: {name}/Cargo.toml:{line}: {what}")
        };
        assert_eq!(
            messages(&bad),
            [
                not("haos-cli", 4, "haos-demo"),
                not("haos-queue", 1, "haos-sim"),
                not("haos-store", 2, "haos-sim"),
                not("haos-web", 2, "haos-sim"),
            ]
        );
    }

    #[test]
    fn the_contract_knows_nobody() {
        for other in ["haos-store", "haos-store-sqlite", "haos-queue", "haos-matrix", "haos-cli"] {
            assert!(may_not_know("haos-store-api", other), "{other}");
        }
        assert!(!may_not_know("haos-cli", "haos-matrix"));
        assert!(may_not_know("haos-store-seal", "haos-store-api"));
        assert!(!may_not_know("haos-store-api", "haos-store-seal"));
        assert!(
            may_not_know("haos-store-idb", "haos-store-seal") && may_not_know("haos-cli", "haos-store-seal")
        );
    }
}
