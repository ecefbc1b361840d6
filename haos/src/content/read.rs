//! Lenient reading of content: what is malformed counts as absent.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The longest text that is kept, in bytes: no event of Matrix is larger (specification, "Size limits").
pub(super) const MAX_TEXT_BYTES: usize = 65_536;

/// The longest name, in bytes: of a file, a room, a person, or an algorithm.
pub(super) const MAX_NAME_BYTES: usize = 1024;

/// The largest integer of Matrix's JSON (specification, "Canonical JSON").
const MAX_INTEGER: f64 = 9_007_199_254_740_991.0;

/// The members of a JSON object, by their names.
#[derive(Default)]
pub(super) struct Object<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Object<'a> {
    /// Reads an object, which has no lone surrogates; anything else is empty.
    pub(super) fn of(json: &'a str) -> Self {
        Self(serde_json::from_str(json).unwrap_or_default())
    }

    /// Returns a member; null counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|raw| raw.get()).filter(|json| *json != "null")
    }

    /// Returns the first member of that many names.
    fn first<T>(&self, names: &[&str], read: impl Fn(&Self, &str) -> Option<T>) -> Option<T> {
        names.iter().find_map(|name| read(self, name))
    }

    /// Returns an object member; without one, an empty object.
    pub(super) fn object(&self, name: &str) -> Object<'a> {
        self.get(name).map(Object::of).unwrap_or_default()
    }

    /// Returns the first object member of several names; without one, an empty object.
    pub(super) fn any_object(&self, names: &[&str]) -> Object<'a> {
        let object = |of: &Self, name: &str| of.get(name).filter(|json| json.starts_with('{'));
        self.first(names, object).map(Object::of).unwrap_or_default()
    }

    /// Returns the items of a list member.
    pub(super) fn list(&self, name: &str) -> Option<Vec<&'a str>> {
        let items: Vec<&RawValue> = serde_json::from_str(self.get(name)?).ok()?;
        Some(items.into_iter().map(RawValue::get).collect())
    }

    /// Returns a text member, cut to [`MAX_TEXT_BYTES`].
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(string).map(|text| cut(text, MAX_TEXT_BYTES))
    }

    /// Returns a text member that names something, cut to [`MAX_NAME_BYTES`]; an empty one counts as absent.
    pub(super) fn name(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.trim().is_empty()).map(short)
    }

    /// Returns the first text member of several names, as [`name`](Self::name) does.
    pub(super) fn any_name(&self, names: &[&str]) -> Option<String> {
        self.first(names, |of, name| of.name(name))
    }

    /// Returns an id, a uri, or whatever else a text member is.
    pub(super) fn parse<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        string(self.get(name)?)?.parse().ok()
    }

    /// Returns a number member as a whole number; one that is negative or too large for Matrix counts as absent.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let number: f64 = serde_json::from_str(self.get(name)?).ok()?;
        (0.0..=MAX_INTEGER).contains(&number).then_some(number as u64)
    }
}

/// Returns the text of a JSON string.
pub(super) fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// Cuts a text to [`MAX_NAME_BYTES`].
pub(super) fn short(text: String) -> String {
    cut(text, MAX_NAME_BYTES)
}

/// Cuts a text to at most `max` bytes, between characters.
pub(super) fn cut(mut text: String, max: usize) -> String {
    let end = (0..=max.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.truncate(end.unwrap_or_default());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_members_count_as_absent() {
        let object = Object::of(r#"{"a":null,"b":3,"c":"x","d":[1,"y"],"e":{"f":" "},"c":"z"}"#);
        assert_eq!(object.get("a"), None);
        assert_eq!(object.text("b"), None);
        assert_eq!(object.text("c").as_deref(), Some("z"), "the last one counts");
        assert_eq!(object.list("d").unwrap(), ["1", "\"y\""]);
        assert_eq!(object.list("c"), None);
        assert_eq!(object.object("e").name("f"), None);
        assert!(object.object("c").get("f").is_none());
        assert!(Object::of("[1]").get("a").is_none());
    }

    #[test]
    fn numbers() {
        for (json, number) in [
            ("0", Some(0)),
            ("12.9", Some(12)),
            ("1e3", Some(1000)),
            ("-1", None),
            ("9007199254740991", Some(9_007_199_254_740_991)),
            ("9007199254740993", None),
            ("1e999", None),
            ("\"3\"", None),
        ] {
            assert_eq!(Object::of(&format!(r#"{{"n":{json}}}"#)).number("n"), number, "{json}");
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("añb".to_owned(), 2), "a");
        assert_eq!(cut("añb".to_owned(), 3), "añ");
        let long = format!(r#"{{"body":"{}"}}"#, "é".repeat(MAX_TEXT_BYTES));
        assert_eq!(Object::of(&long).text("body").unwrap().len(), MAX_TEXT_BYTES);
        assert_eq!(Object::of(&long).name("body").unwrap().len(), MAX_NAME_BYTES);
    }
}
