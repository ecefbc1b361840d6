//! Which places to leave alone, since they do not compile.

use std::collections::BTreeSet;

use crate::site::{Source, Woven};
use crate::tree::Fault;

/// The innermost place that a fault begins in; else the places within the fault; else all of the function
/// around it.
pub(crate) fn blamed(
    sources: &[Source],
    woven: &[Vec<Woven>],
    faults: &[Fault],
) -> Result<BTreeSet<(usize, usize)>, String> {
    let mut blamed = BTreeSet::new();
    for fault in faults {
        let Some(file) = sources.iter().position(|source| source.path == fault.path) else {
            return Err(format!(
                "{} does not compile, and has no mistakes in it:\n{}",
                fault.path, fault.text
            ));
        };
        let (places, start) = (&woven[file], fault.bytes.start);
        let around = places.iter().filter(|place| place.range.contains(&start));
        let mut sites: Vec<_> =
            around.min_by_key(|place| place.range.len()).map(|place| place.site).into_iter().collect();
        if sites.is_empty() {
            let inside = |place: &&Woven| start <= place.range.start && place.range.end <= fault.bytes.end;
            sites = places.iter().filter(inside).map(|place| place.site).collect();
        }
        if sites.is_empty() {
            let before = places.iter().filter(|place| place.range.start <= start);
            let function = |site: usize| &sources[file].sites[site].function;
            let near = before.max_by_key(|place| place.range.start).map(|place| function(place.site));
            let around = places.iter().filter(|place| near == Some(function(place.site)));
            sites = around.map(|place| place.site).collect();
        }
        if sites.is_empty() {
            return Err(format!("{} does not compile:\n{}", fault.path, fault.text));
        }
        blamed.extend(sites.into_iter().map(|site| (file, site)));
    }
    Ok(blamed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::find;

    #[test]
    fn the_innermost_place_is_blamed_else_the_function() {
        let source = find("a.rs", "fn f() { g(a < b + c); h(1) }\nfn k() { l(2); }".into()).unwrap();
        let (text, woven) = source.weave(&|site| Some(site as u32));
        let fault =
            |path: &str, byte| Fault { path: path.into(), bytes: byte..byte + 1, text: String::new() };
        let blame = |fault| blamed(std::slice::from_ref(&source), std::slice::from_ref(&woven), &[fault]);
        let plus = source.sites.iter().position(|site| site.changes[0].contains("`b + c` with")).unwrap();
        assert_eq!(blame(fault("a.rs", text.find("l - r").unwrap())), Ok([(0, plus)].into()));
        let all = blame(fault("a.rs", text.find("h(").unwrap())).unwrap();
        assert!(all.len() > 3 && !all.iter().any(|(_, site)| source.sites[*site].function == "k"), "{all:?}");
        assert!(blame(fault("b.rs", 0)).is_err());
    }
}
