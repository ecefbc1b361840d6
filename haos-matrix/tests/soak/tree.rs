//! JSON that need not be well behaved: members may be doubled, and a leaf is whatever text it is.

use std::fmt::Write as _;

use serde_json::Value;

#[derive(Debug, Clone)]
pub(crate) enum Tree {
    Object(Vec<(String, Tree)>),
    List(Vec<Tree>),
    /// As it is written.
    Leaf(String),
}

impl Tree {
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|(key, value)| (Value::from(key.as_str()).to_string(), Self::of(value)))
                    .collect(),
            ),
            Value::Array(items) => Self::List(items.iter().map(Self::of).collect()),
            leaf => Self::Leaf(leaf.to_string()),
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        match self {
            Self::Leaf(leaf) => text.push_str(leaf),
            Self::List(items) => {
                text.push('[');
                for (n, item) in items.iter().enumerate() {
                    text.push_str(if n > 0 { "," } else { "" });
                    item.write(text);
                }
                text.push(']');
            }
            Self::Object(members) => {
                text.push('{');
                for (n, (key, value)) in members.iter().enumerate() {
                    write!(text, "{}{key}:", if n > 0 { "," } else { "" }).unwrap();
                    value.write(text);
                }
                text.push('}');
            }
        }
    }

    pub(crate) fn children(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Object(members) => members.iter_mut().map(|(_, value)| value).collect(),
            Self::List(items) => items.iter_mut().collect(),
            Self::Leaf(_) => Vec::new(),
        }
    }
}
