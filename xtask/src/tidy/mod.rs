//! The house style, as far as a program can check it.

mod arrows;
mod data;
mod files;
mod finding;
mod migrations;
mod rust;
mod text;

use std::path::Path;

use crate::Result;
use finding::{Finding, Level};

/// Checks every file that is or would be committed. `bless` first writes the hashes of new migrations.
pub(crate) fn run(root: &Path, bless: bool) -> Result {
    if bless {
        migrations::bless(root, &files::list(root)?)?;
    }
    let files = files::list(root)?;
    let mut findings = Vec::new();
    for file in &files {
        text::check(file, &mut findings);
        rust::check(file, &mut findings);
    }
    migrations::check(&files, &mut findings);
    arrows::check(&files, &mut findings);
    data::check(&files, &mut findings);
    report(findings, files.len())
}

fn report(mut findings: Vec<Finding>, files: usize) -> Result {
    findings.sort();
    findings.iter().for_each(|finding| println!("{finding}"));
    let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
    println!("tidy: {files} files, {errors} errors, {} warnings", findings.len() - errors);
    match errors {
        0 => Ok(()),
        n => Err(format!("tidy found {n} errors, listed above")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_pass_and_errors_fail() {
        assert_eq!(report(vec![Finding::warning("a.rs", "long")], 1), Ok(()));
        assert!(report(vec![Finding::warning("a.rs", "long"), Finding::error("b.rs", "tab")], 2).is_err());
    }
}
