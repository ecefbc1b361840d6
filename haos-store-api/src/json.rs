//! Content as JSON text: validated once, kept byte for byte.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

use crate::{Error, Result, without_lone_surrogates};

/// The deepest nesting of arrays and objects in a [`Json`].
///
/// Every reader of a store can then read all of it, within the few levels that a row or a request puts around content:
/// serde_json ends at 128 levels, SQLite's functions at 1000, and a single row beyond that would make them refuse a
/// whole query.
pub const MAX_JSON_DEPTH: usize = 100;

/// A JSON value as the text it came in. Big integers, odd escapes and key order survive.
#[derive(Clone)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "unknown"))]
pub struct Json(Arc<RawValue>);

impl Json {
    /// Validates `text`.
    ///
    /// # Errors
    /// `Invalid` if it is not one JSON value, or nested deeper than [`MAX_JSON_DEPTH`].
    pub fn new(text: impl Into<String>) -> Result<Self> {
        RawValue::from_string(text.into())
            .map_err(|e| Error::invalid("json", format!("content is not JSON: {e}")))?
            .try_into()
    }

    /// Makes the JSON of a serializable value.
    ///
    /// # Errors
    /// `Invalid` if the value has no JSON form (a map with keys that are not text), or one that is nested deeper than
    /// [`MAX_JSON_DEPTH`].
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        serde_json::value::to_raw_value(value)
            .map_err(|e| Error::invalid("json", format!("the value has no JSON form: {e}")))?
            .try_into()
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
        Self(RawValue::from_string("{}".to_owned()).unwrap_or_default().into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        self.0.get()
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
        let text = without_lone_surrogates(self.as_str());
        let mut json = serde_json::Deserializer::from_str(&text);
        json.deserialize_map(Member(name)).ok()?.map(|raw| Self(raw.into()))
    }

    /// Returns the text member `name` of an object, such as `body`.
    pub fn text(&self, name: &str) -> Option<String> {
        self.member(name)?.parse().ok()
    }
}

/// Finds the member of an object; of several with one name the last counts.
struct Member<'a>(&'a str);

impl<'de> de::Visitor<'de> for Member<'_> {
    type Value = Option<Box<RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: de::MapAccess<'de>>(self, mut members: M) -> Result<Self::Value, M::Error> {
        let mut found = None;
        while let Some(name) = members.next_key::<String>()? {
            match name == self.0 {
                true => found = Some(members.next_value()?),
                false => drop(members.next_value::<de::IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

impl TryFrom<Box<RawValue>> for Json {
    type Error = Error;

    fn try_from(raw: Box<RawValue>) -> Result<Self> {
        if Self::is_too_deep(raw.get()) {
            let message = format!(
                "content is nested deeper than {MAX_JSON_DEPTH} levels: flatten it, or send it as text"
            );
            return Err(Error::invalid("json", message));
        }
        Ok(Self(raw.into()))
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
            self.0.serialize(serializer).map_err(ser::Error::custom)
        } else {
            serializer.serialize_str(self.as_str())
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = if deserializer.is_human_readable() {
            Box::<RawValue>::deserialize(deserializer)?
        } else {
            RawValue::from_string(String::deserialize(deserializer)?).map_err(de::Error::custom)?
        };
        raw.try_into().map_err(de::Error::custom)
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
