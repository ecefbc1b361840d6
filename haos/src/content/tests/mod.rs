mod bounds;
#[cfg(feature = "html")]
mod html;
mod messages;
mod state;

use haos_store_api::{EventType, Json, UserId};

use super::Content;

const ADA: &str = "@ada:example.org";

/// Reads an event that is no state.
fn content(kind: &str, content: &str) -> Content {
    let (kind, sender) = (EventType::new(kind).unwrap(), UserId::new(ADA).unwrap());
    Content::of(&kind, &sender, None, &Json::new(content).unwrap(), None)
}
