//! A page of older events as one batch.

use haos_store_api::WriteBatch;

use super::PlanError;
use super::derive::{SpacesAfter, patched, shown, state_after};
use super::gather::FillView;
use super::redactions::Redactions;
use super::room::segment_ops;
use super::splice::Older;
use super::sync::confirm;
use crate::{BackfillPage, Protocol};

/// The batch that works a page, fetched with the gap's token, into the timeline: its events go below
/// the gap's newer edge; the gap closes where the page meets what is stored or the beginning of
/// history, and else moves to the older side of the page with the page's token.
///
/// The batch expects the gap as it was read, so that of two fills of one gap only one is applied.
///
/// # Errors
/// [`PlanError::Narrow`] if more of the timeline must be read first.
pub(super) fn fill(
    page: &BackfillPage,
    view: &FillView,
    protocol: &dyn Protocol,
) -> Result<WriteBatch, PlanError> {
    let mut batch = WriteBatch::relaxed();
    batch.expect_gap(&view.gap).expect_room(&page.room, Some(view.room.room.revision));
    let older = match &page.end {
        Some(_) if view.at_beginning => Older::Start,
        Some(token) => Older::Token(Some(token.clone())),
        None => Older::Start,
    };
    let gap = Some(view.gap.position);
    segment_ops(&mut batch, &page.room, Some(&view.room), &page.events, (older, gap), protocol)?;
    confirm(&mut batch, &view.confirmed)?;
    let redactions = Redactions::of(&page.events, Some(&view.room));
    let after = state_after(&view.state, &view.room.state, &redactions, protocol);
    let patch = shown(&after, Some(&view.room.read), view.own.as_ref(), protocol)?;
    let spaces = SpacesAfter::of(&after, &view.spaces, protocol)?;
    let mut row = patched(view.room.room.clone(), patch);
    if let Some(spaces) = spaces.of_room(&page.room) {
        row.spaces.clone_from(spaces);
    }
    if row != view.room.room {
        batch.put_room(row);
    }
    spaces.put(&mut batch, &view.spaces)?;
    for entry in after {
        batch.put_state(entry.into_owned());
    }
    Ok(batch)
}
