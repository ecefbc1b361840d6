//! Cursors: a place to continue from, under any changes in between.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Harness, Outcome};
use crate::*;

pub(crate) async fn a_cursor_needs_no_message(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 3]).await?;
    let nowhere = Cursor::at_position(at(2));
    let older = store.timeline(&room(0), Page::older_than(nowhere.clone(), 9)).await?;
    same(older.items, [Item::Message(message(1))])?;
    let newer = store.timeline(&room(0), Page::newer_than(nowhere, 9)).await?;
    same(newer.items, [Item::Message(message(3))])
}

pub(crate) async fn a_cursor_survives_as_text(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 3]).await?;
    let cursor = some(store.timeline(&room(0), Page::newest(2)).await?.older())?;
    let kept: Cursor = cursor.to_string().parse()?;
    same(&kept, &cursor)?;
    let slice = store.timeline(&room(0), Page::older_than(kept, 9)).await?;
    same(slice.items, [Item::Message(message(1))])
}

pub(crate) async fn a_cursor_survives_renumbering(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 3, 4]).await?;
    let cursor = some(store.timeline(&room(0), Page::newest(2)).await?.older())?;
    let moves = [1, 2, 3, 4].map(|n| (at(n), at(n + 100))).to_vec();
    put(&store, |batch| batch.renumber(room(0), moves)).await?;
    let ids = |slice: Slice| slice.messages().map(|message| message.id.clone()).collect::<Vec<_>>();
    same(ids(store.timeline(&room(0), Page::older_than(cursor.clone(), 9)).await?), [1, 2].map(event))?;
    same(ids(store.timeline(&room(0), Page::newer_than(cursor, 9)).await?), [event(4)])
}

pub(crate) async fn a_cursor_at_a_gap_survives_renumbering(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 3]).await?;
    put(&store, |batch| batch.put_gap(gap(2, None))).await?;
    let cursor = some(store.timeline(&room(0), Page::newest(2)).await?.older())?;
    let moves = [1, 2, 3].map(|n| (at(n), at(n + 50))).to_vec();
    put(&store, |batch| batch.renumber(room(0), moves)).await?;
    let older = store.timeline(&room(0), Page::older_than(cursor, 9)).await?;
    same(older.messages().map(|message| message.id.clone()).collect::<Vec<_>>(), [event(1)])
}

pub(crate) async fn a_cursor_outlives_its_message(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 3]).await?;
    let cursor = Cursor::of(&message(2));
    put(&store, |batch| batch.remove_message(room(0), event(2))).await?;
    let older = store.timeline(&room(0), Page::older_than(cursor.clone(), 9)).await?;
    same(older.items, [Item::Message(message(1))])?;
    let newer = store.timeline(&room(0), Page::newer_than(cursor, 9)).await?;
    same(newer.items, [Item::Message(message(3))])
}

pub(crate) async fn a_cursor_follows_a_confirmation(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 3]).await?;
    let guess = Message { provisional: true, ..message(2) };
    put(&store, |batch| batch.put_message(guess.clone())).await?;
    put(&store, |batch| batch.put_message(Message { position: at(4), ..message(2) })).await?;
    let older = store.timeline(&room(0), Page::older_than(Cursor::of(&guess), 9)).await?;
    same(older.messages().count(), 2)
}
