//! The acknowledged rows, the server's messages, and the store in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use haos_sim::{Ciphertext, ENCRYPTED, ModelServer};
use haos_store_api::*;

use crate::child::encrypted;

/// The children's words.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// Acknowledged by `enqueue`.
    pub(crate) taken: BTreeSet<TxnId>,
    /// The place of each row, also of those whose acknowledgement was cut off by the kill.
    pub(crate) rows: BTreeMap<TxnId, (RoomId, u64)>,
}

impl Book {
    pub(crate) fn note(&mut self, said: &[String]) {
        for line in said {
            let words: Vec<_> = line.split(' ').collect();
            let ["taken" | "found", room, seq, txn] = words[..] else {
                assert!(["ready", "drained"].contains(&line.as_str()), "{line}");
                continue;
            };
            let txn_id = TxnId::new(txn).unwrap();
            let place = (RoomId::new(room).unwrap(), seq.parse().unwrap());
            let before = self.rows.insert(txn_id.clone(), place.clone());
            assert!(before.is_none_or(|before| before == place), "{txn_id} moved");
            if words[0] == "taken" {
                self.taken.insert(txn_id);
            }
        }
    }
}

/// Every acknowledged row is on the server once, in the order of its room, with ids that the server knows, and encrypted
/// where its room is; nothing is left, and the store shows what the server has.
pub(crate) async fn compare(book: &Book, model: &ModelServer, store: &Arc<dyn StorageAdapter>) {
    let mut arrived: BTreeMap<TxnId, RoomId> = BTreeMap::new();
    let (mut media, mut places) = (BTreeSet::new(), BTreeSet::new());
    for (id, room) in &model.rooms {
        let (mut known, mut last) = (BTreeSet::new(), 0);
        for kept in room.events.iter().filter(|kept| kept.event.state_key.is_none()) {
            let txn_id = kept.event.txn_id.clone().unwrap();
            let (of, seq) = book.rows.get(&txn_id).unwrap_or_else(|| panic!("nobody wrote {txn_id}"));
            assert_eq!(of, id, "{txn_id}");
            assert!(*seq > last, "{id}: {seq} after {last}");
            last = *seq;
            let mut content = kept.event.content.clone();
            let is_sealed = kept.event.kind.as_str() == ENCRYPTED;
            let in_clear = kept.event.kind.as_str() == "m.reaction" || !encrypted().contains(id);
            assert_eq!(is_sealed, !in_clear, "{txn_id} in {id}");
            if is_sealed {
                let inner: Ciphertext = content.parse().unwrap();
                assert!(places.insert(inner.place), "{txn_id} is not the only one at its place");
                content = Json::new(inner.content).unwrap();
            }
            let text = content.as_str();
            assert!(!text.contains("~haos") && !text.contains("haos-local"), "{text}");
            for name in ["edits", "answers", "to"] {
                if let Some(target) = content.text(name) {
                    assert!(known.contains(&target), "{txn_id} is about {target}, which did not come before");
                }
            }
            for uri in ["url", "thumbnail"].iter().filter_map(|name| content.text(name)) {
                let bytes = model.media.get(&MediaUri::new(&*uri).unwrap()).unwrap();
                assert_eq!(bytes.as_ref().map(Vec::len), Some(400), "{uri} is whole before its event");
                assert!(media.insert(uri), "two events with one file");
            }
            known.insert(kept.event.id.to_string());
            assert_eq!(arrived.insert(txn_id.clone(), id.clone()), None, "{txn_id} arrived twice");
        }
    }
    for txn_id in &book.taken {
        assert!(arrived.contains_key(txn_id), "{txn_id} was acknowledged and did not arrive");
    }
    assert_eq!(model.media.values().flatten().count(), media.len(), "bytes were uploaded twice");
    assert_eq!(store.pending(PendingQuery::default()).await.unwrap(), []);
    for (txn_id, room) in &arrived {
        let stored = store.messages(MessageQuery::Txn(txn_id.clone())).await.unwrap();
        let rooms: Vec<_> = stored.iter().map(|message| &message.room).collect();
        assert_eq!(rooms, [room], "{txn_id} in the timeline");
    }
    let left = store.media_index(MediaQuery::default()).await.unwrap();
    let left: Vec<_> = left.iter().filter(|info| info.key.uri.as_str().starts_with("haos-local")).collect();
    // A draft that was killed before it was enqueued leaves what it had staged; nothing else does.
    assert!(left.iter().all(|info| info.pinned), "{left:?}");
}
