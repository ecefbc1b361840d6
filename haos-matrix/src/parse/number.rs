//! Numbers as servers write them: `300000`, `300000.0`, `3e5`, `"300000"`.

#[cfg(feature = "http")]
use std::fmt;

#[cfg(feature = "http")]
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The number that a JSON number or text is, as an integer: fractions are cut, what is too large ends at the ends of
/// `i64`.
pub(crate) fn integer(raw: &RawValue) -> Option<i64> {
    let text = raw.get();
    integer_of(text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text))
}

/// The number as a count; `None` below zero.
pub(crate) fn count(raw: &RawValue) -> Option<u64> {
    integer(raw).map(|number| u64::try_from(number).unwrap_or_default())
}

fn integer_of(text: &str) -> Option<i64> {
    let text = text.trim();
    let text = text.strip_prefix('+').unwrap_or(text);
    if !text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().or_else(|| text.parse::<f64>().ok().and_then(cut))
}

#[expect(clippy::cast_possible_truncation, reason = "the cut is what is asked for; `as` saturates")]
fn cut(number: f64) -> Option<i64> {
    (!number.is_nan()).then_some(number as i64)
}

/// The same for a member of a struct: `deserialize_with`. Anything but a number is absent.
#[cfg(feature = "http")]
pub(crate) fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    struct Number;
    impl<'de> Visitor<'de> for Number {
        type Value = Option<i64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number")
        }

        fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
            Ok(Some(number))
        }

        fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Some(i64::try_from(number).unwrap_or(i64::MAX)))
        }

        fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
            Ok(cut(number))
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(integer_of(text))
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(None)
        }
    }
    deserializer.deserialize_any(Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_servers_write_them() {
        for (text, number) in [
            ("1.9", Some(1)),
            ("-3", Some(-3)),
            ("300000.0", Some(300_000)),
            ("3e5", Some(300_000)),
            ("3E+5", Some(300_000)),
            ("\"300000\"", Some(300_000)),
            ("\" +50 \"", Some(50)),
            ("\"3e5\"", Some(300_000)),
            ("1e400", Some(i64::MAX)),
            ("-1e400", Some(i64::MIN)),
            ("123456789012345678901234567890", Some(i64::MAX)),
            ("\"\"", None),
            ("\"x\"", None),
            ("\"-\"", None),
            ("\"NaN\"", None),
            ("\"inf\"", None),
            ("\".5\"", None),
            ("\"5.\"", Some(5)),
            ("true", None),
            ("[1]", None),
        ] {
            assert_eq!(integer(serde_json::from_str(text).unwrap()), number, "{text}");
        }
        #[cfg(feature = "http")]
        for (text, number) in [
            ("3e5", Some(300_000)),
            ("\"300000\"", Some(300_000)),
            ("18446744073709551615", Some(i64::MAX)),
            ("-7", Some(-7)),
            ("[]", None),
            ("[1,2]", None),
            ("{}", None),
            ("{\"a\":1,\"b\":2}", None),
            ("null", None),
            ("false", None),
        ] {
            assert_eq!(lenient(&mut serde_json::Deserializer::from_str(text)).unwrap(), number, "{text}");
        }
        for (text, number) in [("-3", Some(0)), ("-1e400", Some(0)), ("3", Some(3)), ("\"x\"", None)] {
            assert_eq!(count(serde_json::from_str(text).unwrap()), number, "{text}");
        }
    }
}
