//! Lenient reading: JSON objects and lists as slices of the text they came in.
//!
//! Each step skips over its values without building them, and without recursion: depth cannot overflow.

use std::borrow::Cow;
use std::fmt;

use haos_store_api::Json;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::ParseError;

/// The longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 4096;

/// The members of an object, in their order.
pub(crate) struct Members<'a>(Vec<Member<'a>>);

/// A member of an object.
#[derive(Clone)]
pub(crate) struct Member<'a> {
    /// The key as JSON text, with its quotes.
    pub(crate) key: &'a str,
    /// The key; none if it is no Unicode text, as a lone surrogate in a text that was not [decoded](super::decoded).
    pub(crate) name: Option<Cow<'a, str>>,
    /// The value.
    pub(crate) value: &'a RawValue,
}

impl<'a> Members<'a> {
    /// The members of `raw`, if it is an object.
    pub(crate) fn of(raw: &'a RawValue) -> Option<Self> {
        Self::of_text(raw.get())
    }

    /// The members of `text`, if it is an object.
    pub(crate) fn of_text(text: &'a str) -> Option<Self> {
        text.trim_start().starts_with('{').then(|| serde_json::from_str(text).ok())?
    }

    /// The last member called `name`; null counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let member = self.0.iter().rev().find(|member| member.name.as_deref() == Some(name))?;
        (member.value.get() != "null").then_some(member.value)
    }

    /// The text member `name`.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(text)
    }

    /// The object member `name`.
    pub(crate) fn object(&self, name: &str) -> Option<Members<'a>> {
        self.get(name).and_then(Members::of)
    }

    /// The list member `name`.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&'a RawValue>> {
        self.get(name).and_then(list)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Member<'a>> {
        self.0.iter()
    }
}

impl Member<'_> {
    /// How long key and value are.
    pub(crate) fn bytes(&self) -> usize {
        self.key.len() + self.value.get().len()
    }

    /// The name, for comparison with known ones.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.key)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
                    members.push(Member { key: key.get(), name: text(key), value });
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Reads a whole body as a JSON value.
pub(crate) fn body(text: &str) -> Result<&RawValue, ParseError> {
    serde_json::from_str(text).map_err(|e| ParseError::syntax(text, &e))
}

/// The members of a whole body.
pub(crate) fn body_members(text: &str) -> Result<Members<'_>, ParseError> {
    let raw = body(text)?;
    Members::of(raw).ok_or_else(|| ParseError::shape("", "an object", Some(raw.get())))
}

/// The text, if it is one; borrowed unless it holds escapes.
pub(crate) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(raw.get()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// Tells if a server can be asked with it: it goes into a url, whose length servers bound.
pub(crate) fn is_token(text: &str) -> bool {
    (1..=MAX_TOKEN_BYTES).contains(&text.len())
}

/// The items, if it is a list.
pub(crate) fn list(raw: &RawValue) -> Option<Vec<&RawValue>> {
    raw.get().starts_with('[').then(|| serde_json::from_str(raw.get()).ok())?
}

/// The value as it came; what is nested too deeply is kept as a text.
pub(crate) fn json(raw: &RawValue) -> Json {
    Json::try_from(raw.to_owned()).unwrap_or_else(|_| as_text(raw.get()))
}

fn as_text(value: &str) -> Json {
    Json::of(value).unwrap_or_else(|_| Json::empty())
}

/// An object of members, given as JSON texts of key and value; kept as a text if it is nested too deeply.
pub(crate) fn object<'t>(members: impl IntoIterator<Item = (&'t str, &'t str)>) -> Json {
    let mut text = String::from("{");
    for (key, value) in members {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(key);
        text.push(':');
        text.push_str(value);
    }
    text.push('}');
    match Json::is_too_deep(&text) {
        true => as_text(&text),
        false => Json::new(text).unwrap_or_else(|_| Json::empty()),
    }
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Members<'_> {
        body_members(text).unwrap()
    }

    #[test]
    fn odd_objects() {
        let text = r#"{"a":1,"a":2,"n":null,"\ud800":3,"\u0062":"\"x"}"#;
        let object = members(text);
        assert_eq!(object.get("a").unwrap().get(), "2", "the last one counts");
        assert!(object.get("n").is_none());
        assert_eq!(object.text("b").as_deref(), Some("\"x"));
        assert_eq!(object.iter().filter(|member| member.name.is_none()).count(), 1);
    }

    #[test]
    fn depth_is_skipped_without_recursion() {
        let depth = 200_000;
        let text = format!(r#"{{"deep":{}{},"b":"c"}}"#, "[".repeat(depth), "]".repeat(depth));
        assert_eq!(members(&text).text("b").as_deref(), Some("c"));
    }
}
