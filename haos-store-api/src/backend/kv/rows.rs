//! The rows of one batch, as the laws see them.

use super::layer::Layer;
use super::reader::Reader;
use super::tree::Tree;
use crate::*;

/// One batch under way: the rows of a tree, changed in a layer.
#[derive(Debug)]
pub struct Transaction<'t, T: Tree> {
    reader: Reader<'t, T>,
    pub(super) codec: &'t Codec,
    pub(super) layer: &'t mut Layer<T::Bytes>,
    /// The revision that the batch makes.
    pub(super) revision: Revision,
    /// Messages come in runs of one room.
    pub(super) latest: Option<(RoomId, u32)>,
}

impl<'t, T: Tree> Transaction<'t, T> {
    /// Begins a batch that makes `revision`.
    pub fn new(tree: &'t T, codec: &'t Codec, layer: &'t mut Layer<T::Bytes>, revision: Revision) -> Self {
        Self { reader: Reader::new(tree, codec, "apply"), codec, layer, revision, latest: None }
    }

    pub(super) fn reader(&self) -> Reader<'_, T> {
        self.reader.through(&self.layer.changes)
    }

    pub(super) fn set(&mut self, key: Vec<u8>, value: impl Into<T::Bytes>) {
        self.layer.set(key, Some(value.into()));
    }

    pub(super) fn remove(&mut self, key: Vec<u8>) {
        self.layer.set(key, None);
    }

    pub(super) fn grow(&mut self, of: Collection, bytes: usize) {
        self.layer.head.sums.grow(of, bytes as u64);
    }

    pub(super) fn shrink(&mut self, of: Collection, bytes: usize) {
        self.layer.head.sums.shrink(of, bytes as u64);
    }

    pub(super) fn nr(&mut self, room: &RoomId) -> Result<Option<u32>> {
        if let Some((id, nr)) = &self.latest
            && id == room
        {
            return Ok(Some(*nr));
        }
        let nr = self.reader().room_nr(room)?;
        self.latest = nr.map(|nr| (room.clone(), nr));
        Ok(nr)
    }

    /// Returns the number of a room that the laws have seen to.
    pub(super) fn known(&mut self, room: &RoomId) -> Result<u32> {
        self.nr(room)?.ok_or_else(|| self.reader().corrupt("a room's rows came without the room"))
    }
}
