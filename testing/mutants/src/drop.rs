//! Which places to leave alone, since they do not compile.

use std::collections::BTreeSet;

use crate::site::{Source, Woven};
use crate::tree::Fault;

/// The innermost place that a fault lies in; where it lies in none, all of the function that it lies in.
pub(crate) fn blamed(
    sources: &[Source],
    woven: &[Vec<Woven>],
    faults: &[Fault],
) -> Result<BTreeSet<(usize, usize)>, String> {
    let mut blamed = BTreeSet::new();
    for fault in faults {
        let Some(file) = sources.iter().position(|source| source.path == fault.path) else {
            return Err(format!("{} does not compile, and has no mistakes in it:\n{}", fault.path, fault.text));
        };
        let inner = woven[file].iter().filter(|place| place.range.contains(&fault.byte)).min_by_key(|place| place.range.len());
        match inner {
            Some(place) => drop(blamed.insert((file, place.site))),
            None => {
                let before = woven[file].iter().filter(|place| place.range.start <= fault.byte);
                let Some(near) = before.max_by_key(|place| place.range.start) else {
                    return Err(format!("{} does not compile:\n{}", fault.path, fault.text));
                };
                let function = &sources[file].sites[near.site].function;
                let all = woven[file].iter().filter(|place| &sources[file].sites[place.site].function == function);
                blamed.extend(all.map(|place| (file, place.site)));
            }
        }
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
        let fault = |path: &str, byte| Fault { path: path.into(), byte, text: String::new() };
        let blame = |fault| blamed(std::slice::from_ref(&source), std::slice::from_ref(&woven), &[fault]);
        let plus = source.sites.iter().position(|site| site.changes[0].contains("`b + c` with")).unwrap();
        assert_eq!(blame(fault("a.rs", text.find("l - r").unwrap())), Ok([(0, plus)].into()));
        let all = blame(fault("a.rs", text.find("h(").unwrap())).unwrap();
        assert!(all.len() > 3 && !all.iter().any(|(_, site)| source.sites[*site].function == "k"), "{all:?}");
        assert!(blame(fault("b.rs", 0)).is_err());
    }
}
