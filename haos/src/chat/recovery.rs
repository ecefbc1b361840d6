use std::fmt;

use haos_store_api::{Collection, Recovery, StorageAdapter as _};
use serde::Serialize;

use super::Chat;

/// What became of a store that was found damaged when the chat was opened. Its text is for the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RecoveryReport {
    /// The defect.
    pub cause: String,
    /// Unsent messages, with their signals and uploads, that were carried over.
    pub unsent: u64,
    /// Those that could not be read; they are still in the copy that was set aside.
    pub unsent_lost: u64,
    /// What became of the rest.
    pub carried: Vec<CarriedRows>,
    /// The path of the damaged copy, if one was set aside.
    pub set_aside: Option<String>,
    /// True if nothing is missing. Else the next sync brings what was lost, but for what was unsent.
    pub is_whole: bool,
    /// The same in sentences.
    pub words: Vec<String>,
}

/// The rows of one kind that were carried over from a damaged store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CarriedRows {
    /// The kind, such as `messages`.
    pub kind: &'static str,
    /// Carried over.
    pub rows: u64,
    /// Not readable.
    pub lost: u64,
}

impl Chat {
    /// What became of the store, if it was found damaged when it was opened: tell the user. What is not there any more
    /// comes again with the next sync, but for what was unsent.
    pub fn recovery(&self) -> Option<RecoveryReport> {
        self.core.store.info().recovery.as_ref().map(RecoveryReport::from)
    }
}

impl From<&Recovery> for RecoveryReport {
    fn from(recovery: &Recovery) -> Self {
        let rest = recovery.collections.iter().filter(|(which, _)| *which != Collection::Pending);
        let carried: Vec<_> = rest
            .map(|(which, over)| CarriedRows { kind: which.name(), rows: over.rows, lost: over.unreadable })
            .collect();
        let (unsent, unsent_lost) = (recovery.salvaged, recovery.unreadable);
        let mut words = vec![format!("the store was damaged: {}", recovery.cause)];
        if unsent > 0 {
            words.push(format!("{} carried over", were(unsent, "unsent message")));
        }
        if unsent_lost > 0 {
            words.push(format!("{} not readable", were(unsent_lost, "unsent message")));
        }
        let sum = |count: fn(&CarriedRows) -> u64| carried.iter().map(count).sum::<u64>();
        let (rows, lost) = (sum(|rows| rows.rows), sum(|rows| rows.lost));
        if rows > 0 {
            words.push(format!("{} carried over", were(rows, "other row")));
        }
        if lost > 0 {
            words.push(format!("{} not readable", were(lost, "other row")));
        }
        if let Some(path) = &recovery.set_aside {
            words.push(format!("what was damaged is set aside at {path}"));
        }
        if recovery.is_whole {
            words.push("nothing is missing".to_owned());
        }
        Self {
            cause: recovery.cause.clone(),
            unsent,
            unsent_lost,
            carried,
            set_aside: recovery.set_aside.clone(),
            is_whole: recovery.is_whole,
            words,
        }
    }
}

fn were(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what} was"),
        count => format!("{count} {what}s were"),
    }
}

impl fmt::Display for RecoveryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::CarriedOver;

    use super::*;

    #[test]
    fn a_report_says_what_was_carried_over_and_what_was_lost() {
        let over = |rows, unreadable| CarriedOver { rows, unreadable };
        let recovery = Recovery {
            set_aside: Some("/chat.db.damaged".to_owned()),
            salvaged: 10,
            unreadable: 1,
            collections: vec![(Collection::Messages, over(70, 2)), (Collection::Pending, over(10, 1))],
            is_whole: false,
            cause: "a page is torn".to_owned(),
        };
        let report = RecoveryReport::from(&recovery);
        assert_eq!(report.carried, [CarriedRows { kind: "messages", rows: 70, lost: 2 }]);
        assert_eq!(
            report.words,
            [
                "the store was damaged: a page is torn",
                "10 unsent messages were carried over",
                "1 unsent message was not readable",
                "70 other rows were carried over",
                "2 other rows were not readable",
                "what was damaged is set aside at /chat.db.damaged",
            ]
        );
        let mended = Recovery {
            set_aside: None,
            salvaged: 0,
            unreadable: 0,
            collections: vec![],
            is_whole: true,
            ..recovery
        };
        let report = RecoveryReport::from(&mended);
        assert_eq!(report.words, ["the store was damaged: a page is torn", "nothing is missing"]);
    }
}
