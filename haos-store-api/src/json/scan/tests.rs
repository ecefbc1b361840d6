use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

use super::*;
use crate::Json;

fn is_json(text: &str) -> bool {
    RawValue::from_string(text.to_owned()).is_ok()
}

/// Makes JSON out of pieces, and nearly JSON.
fn nearly_json() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"é\\\\\"",
        "\"\\n\\\"\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\n\"",
        "0",
        "-",
        "12",
        "01",
        "1.5",
        "1.",
        ".5",
        "1e9",
        "1E-2",
        "1e",
        "true",
        "false",
        "null",
        "nul",
        " ",
        "\t\n\r",
        "\u{a0}",
        "{\"a\":1}",
        "[1,2]",
        "{}",
        "[]",
        "\"a\":",
    ]);
    prop::collection::vec(piece, 1..9).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        "\\PC{0,6}|[\u{0}-\u{7f}\"\\\\/]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-c\"\\\\\u{1}é]{0,2}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_json_is_what_serde_takes_for_it(text in nearly_json()) {
        prop_assert_eq!(check(&text).is_ok(), is_json(&text), "{}", text);
    }

    #[test]
    fn values_are_read_as_serde_reads_them(value in value(), is_pretty: bool) {
        let to = if is_pretty { serde_json::to_string_pretty } else { serde_json::to_string::<Value> };
        let text = to(&value).unwrap();
        prop_assert_eq!(check(&text), Ok(()));
        let json = Json::new(&*text).unwrap();
        prop_assert_eq!(json.to_text(), value.as_str().map(str::to_owned));
        prop_assert_eq!(json.to_int(), value.as_i64());
        let parsed = |json: Json| json.parse::<Value>().unwrap();
        let items = json.to_items().map(|items| items.into_iter().map(parsed).collect::<Vec<_>>());
        prop_assert_eq!(items.as_ref(), value.as_array());
        for name in value.as_object().into_iter().flat_map(|members| members.keys()) {
            prop_assert_eq!(json.member(name).map(parsed), value.get(name).cloned());
        }
        prop_assert_eq!(json.member("none"), None);
        prop_assert_eq!(json.unreadable(), None);
    }
}

#[test]
fn depth_does_not_matter() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(check(&deep), Ok(()));
    assert_eq!(check(&deep[..deep.len() - 1]), Err(deep.len() - 1));
}

#[test]
fn strings_are_those_of_serde() {
    for text in [
        r#""\ud83d\ude00 \ud83d \ude00\ud83d""#,
        r#""\ud83d\ud83d\ude00""#,
        r#""\\\\n\\\n\"\/\b\f\r\t\u0041x\\""#,
        r#""\\""#,
        r#""\u00e9é""#,
        r#""""#,
    ] {
        let theirs: String = serde_json::from_str(&crate::without_lone_surrogates(text)).unwrap();
        assert_eq!(string(text).as_deref(), Some(&*theirs), "{text}");
    }
    assert_eq!(string("1"), None);
    assert_eq!(string("[\"a\"]"), None);
}

/// serde refuses a number that no double holds.
#[test]
fn numbers_beyond_doubles_are_those_that_serde_refuses() {
    for number in [
        "0",
        "-0.0",
        "1e308",
        "1.7976931348623157e308",
        "1.8e308",
        "-1.8e308",
        "1e309",
        "1e999",
        "-1e999",
        "0e999",
        "0.0e999",
        "1e-999",
        "0.001e311",
        "0.001e312",
        "123456789e300",
        "123456789e301",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "0e99999999999999999999",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([
        format!("1{}", "0".repeat(308)),
        format!("1{}", "0".repeat(309)),
        format!("2{}.5", "0".repeat(308)),
    ]) {
        let is_refused = serde_json::from_str::<f64>(&number).is_err();
        assert_eq!(is_beyond_double(&number), is_refused, "{number}");
        let within = format!(r#"{{"a":["1e999",{number}]}}"#);
        assert_eq!(Json::new(within).unwrap().unreadable().is_some(), is_refused, "{number}");
    }
    assert!(Json::new(r#"{"a":"\ud83d"}"#).unwrap().unreadable().is_some());
}
