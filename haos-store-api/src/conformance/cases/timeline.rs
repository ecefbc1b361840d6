//! Pages of a timeline.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Failure, Harness, Outcome};
use crate::*;

/// Makes 25 messages and 5 gaps, unevenly placed.
async fn long_timeline(harness: &mut dyn Harness) -> Result<Store, Failure> {
    let store = with_messages(harness, (0..25).map(|n| n * n)).await?;
    put(&store, |batch| {
        [2, 17, 50, 300, 999].into_iter().fold(batch, |batch, n| batch.put_gap(gap(n, Some("t"))))
    })
    .await?;
    Ok(store)
}

/// Walks from an end to the other; returns the items oldest first.
async fn walk(store: &Store, direction: Direction, limit: usize) -> Result<Vec<Item>, Failure> {
    let mut all = Vec::new();
    let mut page = Page { start: Start::End, direction, limit };
    loop {
        let slice = store.timeline(&room(0), page.clone()).await?;
        holds(slice.items.len() <= limit, "a page has at most `limit` items")?;
        holds(
            slice.items.is_sorted_by_key(Item::position),
            "a page is oldest first, whichever way it was asked for",
        )?;
        let next = match direction {
            Direction::Older => slice.older(),
            Direction::Newer => slice.newer(),
        };
        let more = slice.more;
        holds(all.len() <= 30, "no item comes twice")?;
        match direction {
            Direction::Older => drop(all.splice(0..0, slice.items)),
            Direction::Newer => all.extend(slice.items),
        }
        match next {
            Some(cursor) if more => page.start = Start::Beyond(cursor),
            _ => return Ok(all),
        }
    }
}

async fn covers(harness: &mut dyn Harness, direction: Direction) -> Outcome {
    let store = long_timeline(harness).await?;
    let all = store.timeline(&room(0), Page::oldest(usize::MAX)).await?.items;
    same(all.len(), 30)?;
    for limit in [1, 2, 7, 29, 30, 31] {
        same(walk(&store, direction, limit).await?, all.clone())?;
    }
    Ok(())
}

pub(crate) async fn pages_older_cover_everything_once(harness: &mut dyn Harness) -> Outcome {
    covers(harness, Direction::Older).await
}

pub(crate) async fn pages_newer_cover_everything_once(harness: &mut dyn Harness) -> Outcome {
    covers(harness, Direction::Newer).await
}

pub(crate) async fn a_page_that_ends_at_the_end_has_no_more(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 3]).await?;
    put(&store, |batch| batch.put_gap(gap(0, None))).await?;
    for (limit, more) in [(3, true), (4, false), (5, false)] {
        same(store.timeline(&room(0), Page::newest(limit)).await?.more, more)?;
        same(store.timeline(&room(0), Page::oldest(limit)).await?.more, more)?;
    }
    let cursor = Cursor::of(&message(2));
    same(store.timeline(&room(0), Page::older_than(cursor.clone(), 2)).await?.more, false)?;
    same(store.timeline(&room(0), Page::older_than(cursor.clone(), 1)).await?.more, true)?;
    same(store.timeline(&room(0), Page::newer_than(cursor, 1)).await?.more, false)
}

pub(crate) async fn gaps_are_items_in_their_place(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 3]).await?;
    let commit = put(&store, |batch| batch.put_gap(gap(2, Some("t")))).await?;
    let slice = store.timeline(&room(0), Page::newest(2)).await?;
    let expected = Gap { revision: commit.revision, ..gap(2, Some("t")) };
    same(slice.items, [Item::Gap(expected), Item::Message(message(3))])
}

pub(crate) async fn newest_and_oldest_are_the_two_ends(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 3, 4]).await?;
    let ids = |slice: Slice| slice.messages().map(|message| message.id.clone()).collect::<Vec<_>>();
    same(ids(store.timeline(&room(0), Page::newest(2)).await?), [3, 4].map(event))?;
    same(ids(store.timeline(&room(0), Page::oldest(2)).await?), [1, 2].map(event))
}

pub(crate) async fn unknown_and_empty_rooms_have_empty_pages(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    for n in [0, 1] {
        for page in [Page::newest(5), Page::oldest(5), Page::newer_than(Cursor::of(&message(1)), 5)] {
            same(store.timeline(&room(n), page).await?, Slice::default())?;
        }
    }
    Ok(())
}

pub(crate) async fn a_limit_of_nothing_tells_whether_there_is_more(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    same(store.timeline(&room(0), Page::newest(0)).await?, Slice { items: vec![], more: true })?;
    same(store.timeline(&room(1), Page::newest(0)).await?, Slice::default())
}

pub(crate) async fn the_greatest_limit_is_no_overflow(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2]).await?;
    for page in [Page::newest(usize::MAX), Page::oldest(usize::MAX)] {
        let slice = store.timeline(&room(0), page).await?;
        same((slice.items.len(), slice.more), (2, false))?;
    }
    Ok(())
}

pub(crate) async fn beyond_the_ends_is_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2]).await?;
    let newest = Cursor::of(&message(2));
    same(store.timeline(&room(0), Page::newer_than(newest, 5)).await?, Slice::default())?;
    let oldest = Cursor::of(&message(1));
    same(store.timeline(&room(0), Page::older_than(oldest, 5)).await?, Slice::default())
}

pub(crate) async fn the_lowest_and_highest_positions_are_places(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let lowest = Message { position: Position::MIN, ..message(1) };
    let highest = Message { position: Position::MAX, ..message(2) };
    put(&store, |batch| batch.put_message(lowest.clone()).put_message(highest.clone())).await?;
    let page = Page::newest(9);
    same(store.timeline(&room(0), page).await?.messages().count(), 2)?;
    let beyond = Page::older_than(Cursor::of(&lowest), 9);
    same(store.timeline(&room(0), beyond).await?, Slice::default())?;
    let beyond = Page::newer_than(Cursor::of(&highest), 9);
    same(store.timeline(&room(0), beyond).await?, Slice::default())?;
    let between = Page::newer_than(Cursor::of(&lowest), 9);
    same(store.timeline(&room(0), between).await?.items, [Item::Message(highest)])?;
    same(store.count(&room(0), Some(&event(1))).await?, 1)?;
    same(store.count(&room(0), Some(&event(2))).await?, 0)
}

pub(crate) async fn several_pages_come_in_their_order(harness: &mut dyn Harness) -> Outcome {
    let store = long_timeline(harness).await?;
    let other = Message { room: room(1), ..message(7) };
    put(&store, |batch| batch.put_room(a_room(1)).put_message(other)).await?;
    let pages = [
        (room(1), Page::newest(3)),
        (room(0), Page::oldest(2)),
        (room(9), Page::newest(3)),
        (room(0), Page::newest(2)),
        (room(0), Page::newest(0)),
    ];
    let mut slices = Vec::new();
    for (room, page) in &pages {
        slices.push(store.timeline(room, page.clone()).await?);
    }
    same(slices.iter().map(|slice| slice.items.len()).collect::<Vec<_>>(), [1, 2, 0, 2, 0])?;
    same(store.timelines(pages.to_vec()).await?, slices)?;
    same(store.timelines(Vec::new()).await?.len(), 0)
}

pub(crate) async fn rooms_do_not_mix(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2]).await?;
    let other = Message { room: room(1), ..message(3) };
    let other_gap = Gap { room: room(1), ..gap(4, None) };
    put(&store, |batch| batch.put_room(a_room(1)).put_message(other).put_gap(other_gap)).await?;
    same(places(&store).await?, [(1, false), (2, false)])?;
    let slice = store.timeline(&room(1), Page::newest(1)).await?;
    same((slice.gaps().count(), slice.more), (1, true))
}
