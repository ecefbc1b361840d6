//! Mistakes with names, written down: what finds and makes all others does not know how to make them.

use crate::site::{Piece, Site, Source};

/// The common path of all their places.
pub(crate) const FUNCTION: &str = "mistake";

/// A mistake as it is written down.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    pub(crate) path: &'a str,
    behind: &'a str,
    old: &'a str,
    new: &'a str,
}

fn block<'a>(lines: &[&'a str]) -> Option<Named<'a>> {
    let [head, old, new] = *lines else { return None };
    let [name, path, behind] = head.split(" | ").collect::<Vec<_>>()[..] else { return None };
    Some(Named { name, path, behind, old: old.strip_prefix("- ")?, new: new.strip_prefix("+ ")? })
}

/// Reads blocks of three lines; what begins with `#` is a remark.
///
/// # Errors
/// An invalid block.
pub(crate) fn parse(text: &str) -> Result<Vec<Named<'_>>, String> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    lines
        .chunks(3)
        .map(|lines| block(lines).ok_or_else(|| format!("no block: {}", lines.join("\n"))))
        .collect()
}

/// Tells if a place is that of a mistake with a name.
pub(crate) fn is_one(site: &Site) -> bool {
    site.function == FUNCTION
}

impl Named<'_> {
    /// Puts its place among those of its file.
    ///
    /// # Errors
    /// If it is not there.
    pub(crate) fn add(&self, source: &mut Source) -> Result<(), String> {
        let text = &source.text;
        let start = text.find(self.behind).and_then(|from| Some(from + text[from..].find(self.old)?));
        let start = start.ok_or_else(|| {
            format!("{}: {} has no `{}` behind `{}`", self.name, self.path, self.old, self.behind)
        })?;
        let range = start..start + self.old.len();
        let pieces = vec![
            Piece::Text("(if "),
            Piece::Pick,
            Piece::Owned(format!(" == 1 {{ {} }} else {{ ", self.new)),
            Piece::Part(range.clone()),
            Piece::Text(" })"),
        ];
        let line = text[..start].lines().count();
        let (changes, function) = (vec![self.name.to_owned()], FUNCTION.to_owned());
        source.sites.push(Site { range, pieces, changes, function, line });
        source.sort();
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::mutant;

    #[test]
    fn a_block_is_a_place() {
        let all = parse("# Why\nOff | a.rs | fn g\n- a < 2\n+ true\n").unwrap();
        let mut source = crate::find::find("a.rs", "fn f() { a < 2 } fn g() { a < 2 }".into()).unwrap();
        all[0].add(&mut source).unwrap();
        let mutants = mutant::number(std::slice::from_ref(&source));
        let named = mutants.iter().find(|mutant| mutant.name == "a.rs: mistake: Off").unwrap();
        let (text, _) = source.weave(&|site| (site == named.site).then_some(5));
        assert_eq!(
            text,
            "fn f() { a < 2 } fn g() { (if crate::__mutants::pick(5, 1) == 1 { true } else { a < 2 }) }"
        );
        assert!(parse("Off | a.rs\n- a\n+ b").is_err());
        assert!(parse("Off | a.rs | x\n- a").is_err());
        let elsewhere = parse("Off | a.rs | fn h\n- a < 2\n+ true\n").unwrap();
        assert!(elsewhere[0].add(&mut source).unwrap_err().contains("behind `fn h`"));
    }
}
