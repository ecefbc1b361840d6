//! The connection's state in words, and for programs.

use haos::Connection;
use haos_queue::UploadProgress;
use serde_json::{Value, json};

use crate::error::what_to_do;
use crate::text::{bytes, clean, time};

/// The state for programs: a field that it does not have is null.
pub(super) fn fields(state: &Connection) -> Value {
    let hint = match state {
        Connection::Paused { cause, .. } => Some(what_to_do(cause)),
        _ => None,
    };
    let mut fields = json!({
        "type": "connection", "done": null, "total": null, "error": null, "next_try_ms": null, "hint": hint
    });
    if let (Value::Object(fields), Ok(Value::Object(own))) = (&mut fields, serde_json::to_value(state)) {
        fields.extend(own);
        // Named as all fields of this program's are.
        if let Some(next) = fields.remove("nextTryMs") {
            fields.insert("next_try_ms".to_owned(), next);
        }
    }
    fields
}

/// The state in a few words. `now_ms`: with it, the next try is told in seconds from now.
pub(super) fn words(state: &Connection, now_ms: Option<i64>) -> String {
    match state {
        Connection::LoggedOut => format!("{state}: `haos login` does that"),
        Connection::Degraded { next_try_ms, .. } => {
            let next = match now_ms {
                Some(now_ms) if *next_try_ms <= now_ms => "trying".to_owned(),
                Some(now_ms) => {
                    let left = next_try_ms.saturating_sub(now_ms).unsigned_abs();
                    format!("next try in {} s", left.div_ceil(1000))
                }
                None => format!("next try at {}", time(*next_try_ms)),
            };
            format!("{}: {next}", clean(&state.to_string()))
        }
        Connection::Paused { cause, .. } => format!("paused: {}", clean(&what_to_do(cause))),
        _ => state.to_string(),
    }
}

/// The uploads under way, in a few words.
pub(super) fn uploads(uploads: &[UploadProgress]) -> String {
    let shown =
        uploads.iter().map(|upload| format!("; uploading {} of {}", bytes(upload.sent), bytes(upload.total)));
    shown.collect()
}

#[cfg(test)]
mod tests {
    use haos::PauseReason;

    use super::*;

    #[test]
    fn states_say_what_to_expect_and_what_to_do() {
        let failing = Connection::Degraded { error: "no answer".to_owned(), next_try_ms: 5_500 };
        assert_eq!(words(&failing, Some(1_000)), "not reached (no answer): next try in 5 s");
        assert_eq!(words(&failing, Some(6_000)), "not reached (no answer): trying");
        assert!(words(&failing, None).contains("next try at 1970-01-01T00:00:05Z"));
        let catching_up = Connection::CatchingUp { done: 3, total: Some(9) };
        assert_eq!(words(&catching_up, None), "catching up: 3 of 9");
        let paused = Connection::Paused { cause: PauseReason::LoggedOut, reason: String::new() };
        assert!(words(&paused, None).contains("haos login"));
        let fields = fields(&paused);
        assert_eq!((&fields["state"], &fields["done"]), (&json!("paused"), &Value::Null));
        assert!(fields["hint"].as_str().is_some_and(|hint| hint.contains("haos login")));
    }
}
