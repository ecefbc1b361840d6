//! How a value is written: with the version of its form, as JSON.

use haos_store_api::Json;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The version that this library writes. Pickles have none of their own; their fields are matrix-sdk-crypto's.
const VERSION: u8 = 1;

#[derive(Serialize)]
struct Written<T> {
    v: u8,
    d: T,
}

/// Content of a stranger's device may be nested deeper than a store takes, and must not keep what came along from being
/// stored: it is then text within the JSON.
#[derive(Serialize)]
struct Folded<'a> {
    v: u8,
    t: &'a str,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Read<T> {
    v: u8,
    d: Option<T>,
    t: Option<String>,
}

#[derive(Deserialize)]
struct Version {
    v: u8,
    #[serde(rename = "d")]
    _data: Option<IgnoredAny>,
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Json> {
    if let Ok(json) = Json::of(&Written { v: VERSION, d: value }) {
        return Ok(json);
    }
    let text = serde_json::to_string(value).map_err(|_| Error::Unreadable("a value without a JSON form"))?;
    Ok(Json::of(&Folded { v: VERSION, t: &text })?)
}

pub(crate) fn decode<T: DeserializeOwned>(what: &'static str, json: &Json) -> Result<T> {
    // By the text: what this crate writes has no lone surrogate to be looked for.
    let read = serde_json::from_str::<Read<T>>(json.as_str());
    match read {
        Ok(Read { v: VERSION, d: Some(data), t: None }) => Ok(data),
        Ok(Read { v: VERSION, d: None, t: Some(text) }) => {
            serde_json::from_str(&text).map_err(|_| Error::Unreadable(what))
        }
        Ok(Read { v, .. }) if v > VERSION => Err(Error::Newer(v)),
        Ok(_) => Err(Error::Unreadable(what)),
        // A newer form need not have the shape of this one.
        Err(_) => match serde_json::from_str::<Version>(json.as_str()) {
            Ok(Version { v, .. }) if v > VERSION => Err(Error::Newer(v)),
            _ => Err(Error::Unreadable(what)),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for value in [json!(null), json!(true), json!({"a": [1, "é\u{0}"]}), json!("text")] {
            let json = encode(&Some(value.clone())).unwrap();
            assert_eq!(decode::<Value>("x", &json).ok(), (!value.is_null()).then_some(value));
        }
    }

    #[test]
    fn what_is_nested_deeper_than_a_store_takes_is_kept() {
        let deep = (0..120).fold(json!(1), |inner, _| json!({ "a": inner }));
        let json = encode(&deep).unwrap();
        assert_eq!(decode::<Value>("x", &json).unwrap(), deep);
    }

    #[test]
    fn another_version_is_told_from_damage() {
        let decode = |text: &str| decode::<u64>("x", &Json::new(text).unwrap()).unwrap_err();
        assert!(matches!(decode(r#"{"v":2,"d":1}"#), Error::Newer(2)));
        assert!(matches!(decode(r#"{"v":3,"d":{"other":1},"x":2}"#), Error::Newer(3)));
        assert!(matches!(decode(r#"{"v":1,"d":"1"}"#), Error::Unreadable("x")));
        assert!(matches!(decode(r#"{"v":1}"#), Error::Unreadable("x")));
        assert!(matches!(decode("[]"), Error::Unreadable("x")));
    }
}
