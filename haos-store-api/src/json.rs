//! Content as JSON text: validated once, kept byte for byte.

mod held;
mod scan;

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

use crate::{Error, Result, without_lone_surrogates};
use held::Held;

/// The deepest nesting of arrays and objects in a [`Json`].
///
/// Every reader of a store can then read all of it, within the few levels that a row or a request puts around content:
/// serde_json ends at 128 levels, SQLite's functions at 1000, and a single row beyond that would make them refuse a
/// whole query.
pub const MAX_JSON_DEPTH: usize = 100;

/// A JSON value as the text it came in. Big integers, odd escapes and key order survive.
#[derive(Clone)]
pub struct Json(Held);

impl Json {
    /// Validates `text`.
    ///
    /// # Errors
    /// `Invalid` if it is not one JSON value, or nested deeper than [`MAX_JSON_DEPTH`].
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let held = Held::new(text.into());
        held.map_err(|e| Error::invalid("json", format!("content is not JSON: {e}")))?.try_into()
    }

    /// Makes the JSON of a serializable value.
    ///
    /// # Errors
    /// `Invalid` if the value has no JSON form (a map with keys that are not text), or one that is nested deeper than
    /// [`MAX_JSON_DEPTH`].
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let raw = serde_json::value::to_raw_value(value)
            .map_err(|e| Error::invalid("json", format!("the value has no JSON form: {e}")))?;
        Held::from(raw).try_into()
    }

    /// Tells whether valid JSON text is nested deeper than [`MAX_JSON_DEPTH`].
    pub fn is_too_deep(text: &str) -> bool {
        let begins = |byte: &u8| matches!(byte, b'[' | b'{');
        // Most texts are short, or have fewer brackets altogether.
        if text.len() <= 2 * MAX_JSON_DEPTH
            || text.as_bytes().iter().filter(|b| begins(b)).count() <= MAX_JSON_DEPTH
        {
            return false;
        }
        let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
        for byte in text.as_bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = !in_text,
                _ if in_text => {}
                b'[' | b'{' if depth == MAX_JSON_DEPTH => return true,
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        false
    }

    /// Returns the empty object.
    pub fn empty() -> Self {
        Self(Held::empty())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Reads the value as `T`. A lone surrogate reads as U+FFFD, here and below.
    ///
    /// # Errors
    /// `Invalid` if the shape is another one.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&without_lone_surrogates(self.as_str()))
            .map_err(|e| Error::invalid("json", format!("content has another shape: {e}")))
    }

    /// Returns the member `name`, if the value is an object that has it.
    pub fn member(&self, name: &str) -> Option<Json> {
        let mut found = None;
        scan::parts(self.as_str(), '{', &mut |key, value| {
            if scan::string(key)? == name {
                found = Some(value);
            }
            Some(())
        })?;
        Self::new(found?).ok()
    }

    /// Returns the text, if the value is one. A lone surrogate reads as U+FFFD.
    pub fn to_text(&self) -> Option<String> {
        scan::string(self.as_str())
    }

    /// Returns the number, if the value is a whole one.
    pub fn to_int(&self) -> Option<i64> {
        self.as_str().parse().ok()
    }

    /// Returns the items, if the value is an array.
    pub fn to_items(&self) -> Option<Vec<Json>> {
        let mut items = Vec::new();
        scan::parts(self.as_str(), '[', &mut |_, item| {
            items.push(Self::new(item).ok()?);
            Some(())
        })?;
        Some(items)
    }

    /// Returns what most readers refuse in this value though it is JSON, if there is something: half of a character, or
    /// a number beyond those that a double holds.
    pub fn unreadable(&self) -> Option<&'static str> {
        if matches!(without_lone_surrogates(self.as_str()), std::borrow::Cow::Owned(_)) {
            return Some("a text has half of a character in it: cut it between characters");
        }
        let mut is_beyond = false;
        scan::numbers(self.as_str(), &mut |number| is_beyond |= scan::is_beyond_double(number));
        is_beyond.then_some("a number is too large: write it as text")
    }

    /// Returns the text member `name` of an object, such as `body`.
    pub fn text(&self, name: &str) -> Option<String> {
        self.member(name)?.to_text()
    }
}

impl TryFrom<Box<RawValue>> for Json {
    type Error = Error;

    fn try_from(raw: Box<RawValue>) -> Result<Self> {
        Held::from(raw).try_into()
    }
}

impl TryFrom<Held> for Json {
    type Error = Error;

    fn try_from(held: Held) -> Result<Self> {
        if Self::is_too_deep(held.as_str()) {
            let message = format!(
                "content is nested deeper than {MAX_JSON_DEPTH} levels: flatten it, or send it as text"
            );
            return Err(Error::invalid("json", message));
        }
        Ok(Self(held))
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

impl fmt::Debug for Json {
    /// Shows the size alone: content never appears in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({} bytes)", self.as_str().len())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            self.0.serialize(serializer)
        } else {
            serializer.serialize_str(self.as_str())
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let held = if deserializer.is_human_readable() {
            Held::deserialize(deserializer)?
        } else {
            Held::new(String::deserialize(deserializer)?).map_err(de::Error::custom)?
        };
        held.try_into().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_text() {
        let text = r#"{"n": 123456789012345678901234567890, "a":1.50}"#;
        let json = Json::new(text).unwrap();
        assert_eq!(json.as_str(), text);
        assert_eq!(json.member("a").unwrap().as_str(), "1.50");
        assert_eq!(json.member("b"), None);
        assert_eq!(Json::new("[1]").unwrap().member("a"), None);
        assert_eq!(Json::new(r#"{"a":1,"\u0061":2}"#).unwrap().member("a").unwrap().as_str(), "2");
        assert!(!format!("{json:?}").contains('n'.to_string().repeat(3).as_str()));
        assert!(Json::new("{").is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}1{}", r#"[{"a":"#.repeat(depth / 2), "}]".repeat(depth / 2));
        let deepest = nested(MAX_JSON_DEPTH);
        assert!(Json::new(&*deepest).unwrap().parse::<serde_json::Value>().is_ok());
        for text in [format!("[{deepest}]"), nested(MAX_JSON_DEPTH + 2), nested(100_000)] {
            assert_eq!(Json::new(&*text).unwrap_err().kind(), crate::ErrorKind::Invalid);
            assert!(serde_json::from_str::<Json>(&text).is_err());
        }
        let value: serde_json::Value = serde_json::from_str(&nested(MAX_JSON_DEPTH + 2)).unwrap();
        assert_eq!(Json::of(&value).unwrap_err().kind(), crate::ErrorKind::Invalid);
        // Width is not depth, and a bracket within a text does not count.
        let wide = format!("[{}[]]", "[],".repeat(1000));
        let quoted = format!(r#"{{"a":"\"{}","\\":[]}}"#, "[".repeat(1000));
        for text in [wide, quoted] {
            assert_eq!(Json::new(&*text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn lone_surrogates_read_as_replacement_characters() {
        let json = Json::new(r#"{"\ud83d":1,"body":"cut \ud83d"}"#).unwrap();
        assert_eq!(json.text("body").as_deref(), Some("cut \u{fffd}"));
        assert_eq!(json.parse::<serde_json::Value>().unwrap()["body"], "cut \u{fffd}");
    }
}
