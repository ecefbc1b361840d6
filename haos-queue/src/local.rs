//! Ids of what is not on the server yet, and their replacement once it is.

use haos_store_api::{EventId, Json, MediaUri, Result, TxnId};

/// The id that an unsent message goes by: what an edit, an answer or a reaction to it names in its
/// content. Replaced by the server's when the message is sent.
pub fn local_event_id(txn_id: &TxnId) -> Result<EventId> {
    EventId::new(format!("~{txn_id}"))
}

/// How the uris of bytes begin that are staged for an upload.
pub const STAGED: &str = "haos-local:";

/// Returns the uri of an upload's bytes until the server has them.
pub fn local_media_uri(txn_id: &TxnId) -> Result<MediaUri> {
    MediaUri::new(format!("{STAGED}{txn_id}"))
}

/// Replaces by `to` every JSON string of a content that is exactly `from`; returns `None` without one.
///
/// It works on the text, so that everything else stays byte for byte. A quote that no backslash precedes
/// begins or ends a string, and `from` holds nothing that JSON escapes, so that a match between two such
/// quotes is a whole string.
pub fn rewrite(content: &Json, from: &str, to: &str) -> Result<Option<Json>> {
    let text = content.as_str();
    let needle = format!("\"{from}\"");
    if from.is_empty() || !from.chars().all(|c| c.is_ascii_graphic() && c != '"' && c != '\\') {
        return Ok(None);
    }
    let (mut out, mut rest_from) = (String::new(), 0);
    for (at, _) in text.match_indices(&needle) {
        if text[..at].ends_with('\\') {
            continue;
        }
        out.push_str(&text[rest_from..at]);
        out.push_str(Json::of(to)?.as_str());
        rest_from = at + needle.len();
    }
    if rest_from == 0 {
        return Ok(None);
    }
    out.push_str(&text[rest_from..]);
    Json::new(out).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> Option<String> {
        let content = Json::new(text).unwrap();
        rewrite(&content, "~t1", "$a\"b").unwrap().map(|json| json.as_str().to_owned())
    }

    #[test]
    fn whole_strings_only() {
        let swapped = rewritten(r#"{"event_id":"~t1","body":"~t1 is mine","l":["~t1", "~t12"]}"#);
        let expected = r#"{"event_id":"$a\"b","body":"~t1 is mine","l":["$a\"b", "~t12"]}"#;
        assert_eq!(swapped.as_deref(), Some(expected));
        assert_eq!(rewritten(r#"{"body":"he said \"~t1\""}"#), None);
        assert_eq!(
            rewritten(r#"{"body":"x\\","id":"~t1"}"#).as_deref(),
            Some(r#"{"body":"x\\","id":"$a\"b"}"#)
        );
        assert_eq!(rewritten("{}"), None);
    }
}
