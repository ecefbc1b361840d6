//! Polls (MSC3381), in their stable form and in the one that clients sent before.

use haos_store_api::EventId;
use serde::Serialize;

use super::read::{Object, short, string};

/// The most answers of a poll: what is beyond does not count.
const MAX_ANSWERS: usize = 20;

/// A question with answers to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Poll {
    /// Its question.
    pub question: String,
    /// Its answers, at most 20.
    pub answers: Vec<Answer>,
    /// The number of answers that one person may choose.
    pub max_selections: u64,
    /// True if the votes are shown before it ends.
    pub is_disclosed: bool,
}

/// An answer of a poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "PollAnswer"))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Its id, by which votes name it.
    pub id: String,
    /// Its text.
    pub text: String,
}

/// A vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Vote {
    /// The poll's event.
    pub poll: EventId,
    /// The ids of the chosen answers; none takes an earlier vote back.
    pub selections: Vec<String>,
}

/// The end of a poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PollEnd {
    /// The poll's event.
    pub poll: EventId,
    /// Its outcome in words, as the sender saw it.
    pub body: Option<String>,
}

impl Poll {
    /// Reads a poll; none without a question or answers.
    pub(super) fn of(content: &Object<'_>) -> Option<Self> {
        let poll = content.any_object(&["m.poll", "m.poll.start", "org.matrix.msc3381.poll.start"]);
        let answer = |json| {
            let answer = Object::of(json);
            let id = answer.any_name(&["m.id", "id"])?;
            Some(Answer { id, text: text(&answer)? })
        };
        let answers = poll.list("answers")?;
        let answers: Vec<Answer> = answers.into_iter().filter_map(answer).take(MAX_ANSWERS).collect();
        let kind = poll.name("kind");
        (!answers.is_empty()).then_some(Self {
            question: text(&poll.object("question"))?,
            max_selections: poll.number("max_selections").unwrap_or(1).min(answers.len() as u64).max(1),
            is_disclosed: matches!(
                kind.as_deref(),
                Some("m.disclosed" | "m.poll.disclosed" | "org.matrix.msc3381.poll.disclosed")
            ),
            answers,
        })
    }
}

impl Vote {
    /// Reads a vote; none if it names no poll.
    pub(super) fn of(content: &Object<'_>) -> Option<Self> {
        let before = content.any_object(&["m.poll.response", "org.matrix.msc3381.poll.response"]);
        let selections = content.list("m.selections").or_else(|| before.list("answers")).unwrap_or_default();
        let selections = selections.into_iter().filter_map(string).take(MAX_ANSWERS);
        Some(Self { poll: poll(content)?, selections: selections.map(short).collect() })
    }
}

impl PollEnd {
    /// Reads the end of a poll; none if it names no poll.
    pub(super) fn of(content: &Object<'_>) -> Option<Self> {
        Some(Self { poll: poll(content)?, body: text(content) })
    }
}

/// Returns the poll that a vote or an end is about.
fn poll(content: &Object<'_>) -> Option<EventId> {
    content.object("m.relates_to").parse("event_id")
}

/// Returns the plain text of an extensible event or of a part of one.
pub(super) fn text(of: &Object<'_>) -> Option<String> {
    let is_plain = |part: &Object<'_>| part.name("mimetype").is_none_or(|mime| mime == "text/plain");
    let parts = of.list("m.text").unwrap_or_default();
    let listed = parts.into_iter().map(Object::of).find(is_plain).and_then(|part| part.text("body"));
    listed
        .or_else(|| of.text("m.text"))
        .or_else(|| of.text("org.matrix.msc1767.text"))
        .or_else(|| of.text("body"))
        .filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STABLE: &str = r#"{"m.text":[{"body":"What should we order?\n1. Pizza\n2. Poutine"}],
        "m.poll":{"kind":"m.disclosed","max_selections":2,"question":{"m.text":[{"body":"What should we order?"}]},
            "answers":[{"m.id":"pizza","m.text":[{"mimetype":"text/html","body":"<b>P</b>"},{"body":"Pizza"}]},
                {"m.id":"poutine","m.text":[{"body":"Poutine"}]},{"m.text":[{"body":"no id"}]},7]}}"#;
    const BEFORE: &str = r#"{"org.matrix.msc3381.poll.start":{"kind":"org.matrix.msc3381.poll.undisclosed",
            "question":{"org.matrix.msc1767.text":"Tea?","body":"Tea?","msgtype":"m.text"},"max_selections":0,
            "answers":[{"id":"y","org.matrix.msc1767.text":"Yes"},{"id":"n","org.matrix.msc1767.text":"No"}]},
        "org.matrix.msc1767.text":"Tea? 1. Yes 2. No"}"#;

    fn answers(poll: &Poll) -> Vec<(&str, &str)> {
        poll.answers.iter().map(|answer| (&*answer.id, &*answer.text)).collect()
    }

    #[test]
    fn both_forms_are_read() {
        let poll = Poll::of(&Object::of(STABLE)).unwrap();
        assert_eq!(poll.question, "What should we order?");
        assert_eq!(answers(&poll), [("pizza", "Pizza"), ("poutine", "Poutine")]);
        assert_eq!((poll.max_selections, poll.is_disclosed), (2, true));
        let poll = Poll::of(&Object::of(BEFORE)).unwrap();
        assert_eq!(poll.question, "Tea?");
        assert_eq!(answers(&poll), [("y", "Yes"), ("n", "No")]);
        assert_eq!((poll.max_selections, poll.is_disclosed), (1, false));
    }

    #[test]
    fn a_poll_needs_a_question_and_answers() {
        for poll in [
            r#"{}"#,
            r#"{"m.poll":{"question":{"m.text":"a"},"answers":[]}}"#,
            r#"{"m.poll":{"question":{"m.text":"a"},"answers":[{"m.id":"x"}]}}"#,
            r#"{"m.poll":{"question":{},"answers":[{"m.id":"x","m.text":"y"}]}}"#,
            r#"{"m.poll":{"question":{"m.text":" "},"answers":[{"m.id":"x","m.text":"y"}]}}"#,
        ] {
            assert_eq!(Poll::of(&Object::of(poll)), None, "{poll}");
        }
        let answer = r#"{"m.id":"x","m.text":"y"},"#.repeat(30);
        let many = format!(
            r#"{{"m.poll":{{"question":{{"m.text":"a"}},"max_selections":1e15,"answers":[{}1]}}}}"#,
            answer
        );
        let many = Poll::of(&Object::of(&many)).unwrap();
        assert_eq!((many.answers.len(), many.max_selections), (MAX_ANSWERS, 20));
    }

    #[test]
    fn votes_and_ends() {
        let about = r#""m.relates_to":{"rel_type":"m.reference","event_id":"$p"}"#;
        for (selections, found) in [
            (r#""m.selections":["a","b",3]"#, &["a", "b"][..]),
            (r#""org.matrix.msc3381.poll.response":{"answers":["c"]}"#, &["c"]),
            (r#""m.selections":[]"#, &[]),
            (r#""m.selections":"a""#, &[]),
        ] {
            let vote = Vote::of(&Object::of(&format!("{{{selections},{about}}}"))).unwrap();
            assert_eq!(vote.poll.as_str(), "$p", "{selections}");
            assert_eq!(vote.selections, found, "{selections}");
        }
        assert_eq!(Vote::of(&Object::of(r#"{"m.selections":["a"]}"#)), None);
        let end = format!(r#"{{{about},"m.text":[{{"body":"Poutine won"}}]}}"#);
        assert_eq!(PollEnd::of(&Object::of(&end)).unwrap().body.as_deref(), Some("Poutine won"));
        assert_eq!(PollEnd::of(&Object::of("{}")), None);
    }
}
