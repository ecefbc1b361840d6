//! Ballast: bytes that a store keeps in order to have something to throw out. Over the quota a browser refuses every
//! transaction that puts anything, and each commit puts the store's counters, also one that only removes. A transaction
//! that only deletes succeeds. So the ballast goes first, which leaves room for the commits that free more.

use std::rc::Rc;

use haos_store_api::{Durability, Op, Result, WriteBatch};
use wasm_bindgen_futures::spawn_local;

use super::Inner;
use crate::idb::{Mode, to_js};
use crate::schema::META;

/// The named records: several, since none may be large; for the reason see `engine::tables::CHUNK`.
const BALLAST: [&str; 3] = ["ballast-1", "ballast-2", "ballast-3"];
/// The bytes of each. Together they are room for some hundred commits that remove, and for messages that the user
/// writes meanwhile.
const BYTES: usize = 40 << 10;

/// The present knowledge of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Ballast {
    /// Unknown since the store was opened.
    #[default]
    Unseen,
    There,
    Lacking,
}

/// Tells whether a batch is worth the ballast: it makes room, or stores user content.
pub(super) fn is_worth(batch: &WriteBatch) -> bool {
    batch.durability() == Durability::Strict || batch.ops().iter().any(makes_room)
}

fn makes_room(op: &Op) -> bool {
    matches!(
        op,
        Op::RemoveRoom(_)
            | Op::RemoveMessage(..)
            | Op::Prune(_)
            | Op::RemovePending(_)
            | Op::RemoveMedia(_)
            | Op::EvictMedia(..)
    )
}

/// Makes bytes that no engine compresses away.
fn bytes() -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(BYTES).collect()
}

impl Inner {
    /// Throws the ballast out; tells whether there was any.
    pub(super) async fn drop_ballast(&self) -> Result<bool> {
        let tx = self.connection.begin(&[META], Mode::Write(Durability::Relaxed), "apply").await?;
        let meta = tx.store(META)?;
        let is_there = !meta.get_named(BALLAST[0])?.await?.is_undefined();
        if is_there {
            BALLAST.iter().try_for_each(|name| meta.delete_named(name))?;
        }
        tx.done().await?;
        self.ballast.set(Ballast::Lacking);
        Ok(is_there)
    }

    /// Takes ballast on in the background after a commit, if it may be absent and the quota may allow it.
    pub(super) fn keep_ballast(self: &Rc<Self>, batch: &WriteBatch) {
        let is_due = match self.ballast.get() {
            Ballast::Unseen => true,
            Ballast::There => false,
            Ballast::Lacking => batch.ops().iter().any(makes_room),
        };
        if !is_due {
            return;
        }
        self.ballast.set(Ballast::There);
        let inner = Rc::clone(self);
        spawn_local(async move {
            if let Err(error) = inner.put_ballast().await {
                tracing::debug!(%error, "no ballast was taken on");
                inner.ballast.set(Ballast::Lacking);
            }
        });
    }

    async fn put_ballast(&self) -> Result<()> {
        let tx = self.connection.begin(&[META], Mode::Write(Durability::Relaxed), "apply").await?;
        let meta = tx.store(META)?;
        if meta.get_named(BALLAST[0])?.await?.is_undefined() {
            let bytes = to_js(&bytes());
            BALLAST.iter().try_for_each(|name| meta.put_named(name, &bytes))?;
        }
        tx.done().await
    }
}
