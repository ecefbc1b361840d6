//! Content as JSON text: validated once, kept byte for byte.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

use crate::{Error, Result};

/// A JSON value as the text it came in. Big integers, odd escapes and key order survive.
#[derive(Clone)]
pub struct Json(Arc<RawValue>);

impl Json {
    /// Validates `text`.
    ///
    /// # Errors
    /// `Invalid` if it is not one JSON value.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        RawValue::from_string(text.into())
            .map(Self::from)
            .map_err(|e| Error::invalid("json", format!("content is not JSON: {e}")))
    }

    /// The JSON of a serializable value.
    ///
    /// # Errors
    /// `Invalid` if the value has no JSON form (a map with keys that are not text).
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        serde_json::value::to_raw_value(value)
            .map(Self::from)
            .map_err(|e| Error::invalid("json", format!("the value has no JSON form: {e}")))
    }

    /// The empty object.
    pub fn empty() -> Self {
        Self(RawValue::from_string("{}".to_owned()).unwrap_or_default().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Reads the value as `T`.
    ///
    /// # Errors
    /// `Invalid` if the shape is another one.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.as_str())
            .map_err(|e| Error::invalid("json", format!("content has another shape: {e}")))
    }

    /// The member `name` of an object, if it is one and has it.
    pub fn member(&self, name: &str) -> Option<Json> {
        let mut json = serde_json::Deserializer::from_str(self.as_str());
        json.deserialize_map(Member(name)).ok()?.map(Self::from)
    }

    /// The text member `name` of an object, such as `body`.
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

impl From<Box<RawValue>> for Json {
    fn from(raw: Box<RawValue>) -> Self {
        Self(raw.into())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

impl fmt::Debug for Json {
    /// The size alone: content never shows in logs.
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
        if deserializer.is_human_readable() {
            Box::<RawValue>::deserialize(deserializer).map(Self::from)
        } else {
            let text = String::deserialize(deserializer)?;
            RawValue::from_string(text).map(Self::from).map_err(de::Error::custom)
        }
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
}
