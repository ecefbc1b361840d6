//! Which events name which files: whoever has a file's uri finds the key in the event.

use haos_queue::Event;
use haos_store_api::{
    EventId, Json, MediaUri, MessageQuery, PendingQuery, Result, RoomId, Scope, StateEntry, StateKey,
    StateQuery,
};
use serde_json::json;

use super::Encryption;
use super::file::SealedFile;
use super::words::{file, of_account};
use crate::parse::digest;

/// Events that are looked at for one file.
const MOST: usize = 16;

impl Encryption {
    /// The keys that events, or rows of the outbox, give for a file. Most have one; none: it is not encrypted, or its
    /// event is gone.
    pub(crate) async fn keys_of(&self, uri: &MediaUri) -> Result<Vec<SealedFile>> {
        let store = &*self.inner.store;
        let mut found = Vec::new();
        for named in store.state(StateQuery::kind(Scope::Account, file(uri)?)).await?.into_iter().take(MOST) {
            let place = |name: &str| named.value.text(name);
            let Some((Ok(room), Ok(event))) =
                place("room").map(RoomId::new).zip(place("event").map(EventId::new))
            else {
                continue;
            };
            let asked = MessageQuery::Ids { room, events: vec![event] };
            for message in store.messages(asked).await? {
                found.extend(files(&message.content).into_iter().filter(|file| file.uri == *uri));
            }
        }
        if found.is_empty() {
            // What is on its way: its event does not exist yet, or has not come back.
            let query = PendingQuery { skip_damaged: true, ..PendingQuery::default() };
            for row in store.pending(query).await? {
                found.extend(files(&row.content).into_iter().filter(|file| file.uri == *uri));
            }
        }
        Ok(found)
    }
}

/// The entries by which the event is found that names a file.
pub(super) fn names(room: &RoomId, event: &Event) -> Result<Vec<StateEntry>> {
    let key = StateKey::new(digest(event.id.as_str()))?;
    let value = Json::of(&json!({ "room": room.as_str(), "event": event.id.as_str() }))?;
    let entry = |sealed: SealedFile| Ok(of_account(file(&sealed.uri)?, key.clone(), value.clone()));
    files(&event.content).into_iter().map(entry).collect()
}

/// The encrypted files that a content names, itself or as an edit.
fn files(content: &Json) -> Vec<SealedFile> {
    // Rarely is there any.
    if !content.as_str().contains("file\"") {
        return Vec::new();
    }
    let of = |content: &Json| {
        let info = content.member("info");
        let mime = |of: Option<&Json>| of.and_then(|of| of.text("mimetype"));
        let whole = content.member("file").map(|file| SealedFile::of(&file, mime(info.as_ref())));
        let small = info.as_ref().and_then(|info| info.member("thumbnail_file"));
        let small_info = info.as_ref().and_then(|info| info.member("thumbnail_info"));
        let small = small.map(|file| SealedFile::of(&file, mime(small_info.as_ref())));
        [whole, small].into_iter().flatten().flatten()
    };
    let edited = content.member("m.new_content");
    of(content).chain(edited.iter().flat_map(of)).collect()
}
