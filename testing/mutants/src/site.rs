//! A place in a source file where mistakes can be made, and how the place looks with all of them compiled in.

use std::ops::Range;

/// A piece of a switched place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text that the weaver adds.
    Text(&'static str),
    /// Text that the weaver adds and that only this place knows.
    Owned(String),
    /// A part of the source, itself with its places woven in.
    Part(Range<usize>),
    /// The number of the mistake that is made here: 0 for none, else 1 and so on.
    Pick,
}

/// One place.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// The bytes that it replaces.
    pub(crate) range: Range<usize>,
    pub(crate) pieces: Vec<Piece>,
    /// The change of each mistake, in words: the n-th is made when `Pick` is n + 1.
    pub(crate) changes: Vec<String>,
    /// The path of the function that it is in.
    pub(crate) function: String,
    pub(crate) line: usize,
}

/// The source of a file with its places, outer ones before those within them.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root of the workspace.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) sites: Vec<Site>,
}

/// A place in the woven text.
#[derive(Debug, Clone)]
pub(crate) struct Woven {
    pub(crate) site: usize,
    pub(crate) range: Range<usize>,
}

impl Source {
    /// Weaving goes through the places as they stand; the arms of a match are found before what is in them.
    pub(crate) fn sort(&mut self) {
        self.sites.sort_by_key(|site| (site.range.start, std::cmp::Reverse(site.range.end)));
    }

    /// The text with every place switched; `number` gives the first mistake of a place, or none where it stays
    /// as it is.
    pub(crate) fn weave(&self, number: &dyn Fn(usize) -> Option<u32>) -> (String, Vec<Woven>) {
        let mut out = Weave { source: self, number, text: String::new(), woven: Vec::new() };
        out.part(0..self.text.len(), 0);
        (out.text, out.woven)
    }
}

struct Weave<'a> {
    source: &'a Source,
    number: &'a dyn Fn(usize) -> Option<u32>,
    text: String,
    woven: Vec<Woven>,
}

impl Weave<'_> {
    /// A part of the source with the places from the one with number `from` on that lie in it.
    fn part(&mut self, range: Range<usize>, from: usize) {
        let source = self.source;
        let mut at = range.start;
        for (index, site) in source.sites.iter().enumerate().skip(from) {
            let inside = site.range.start >= at && site.range.end <= range.end;
            let Some(first) = (self.number)(index).filter(|_| inside) else { continue };
            self.text.push_str(&source.text[at..site.range.start]);
            let start = self.text.len();
            for piece in &site.pieces {
                match piece {
                    Piece::Text(text) => self.text.push_str(text),
                    Piece::Owned(text) => self.text.push_str(text),
                    Piece::Part(part) => self.part(part.clone(), index + 1),
                    Piece::Pick => {
                        self.text
                            .push_str(&format!("crate::__mutants::pick({first}, {})", site.changes.len()));
                    }
                }
            }
            self.woven.push(Woven { site: index, range: start..self.text.len() });
            at = site.range.end;
        }
        self.text.push_str(&source.text[at..range.end]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(range: Range<usize>, pieces: Vec<Piece>) -> Site {
        Site { range, pieces, changes: vec!["x".into()], function: String::new(), line: 1 }
    }

    #[test]
    fn places_within_places_are_woven() {
        use Piece::*;
        let outer =
            site(0..6, vec![Text("("), Pick, Text(" "), Part(0..2), Text("|"), Part(4..6), Text(")")]);
        let inner = site(4..6, vec![Text("<"), Part(4..6), Text(">")]);
        let source = Source { path: String::new(), text: "ab+-cd;".into(), sites: vec![outer, inner] };
        let (text, woven) = source.weave(&|index| Some(index as u32 * 10));
        assert_eq!(text, "(crate::__mutants::pick(0, 1) ab|<cd>);");
        assert_eq!(woven.len(), 2);
        assert_eq!(&text[woven[0].range.clone()], "<cd>");
        let (text, _) = source.weave(&|index| (index == 1).then_some(0));
        assert_eq!(text, "ab+-<cd>;");
        assert_eq!(source.weave(&|_| None).0, source.text);
    }
}
