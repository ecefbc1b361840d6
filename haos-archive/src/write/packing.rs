//! Chunks on their way into frames: packed on threads beside where there are processors for them, and given back in the
//! order in which they came.

use std::collections::VecDeque;

use haos_store_api::Result;

#[cfg(not(target_arch = "wasm32"))]
use super::worker::Worker;
use crate::format::{Frame, Hash, Packer};

/// The bytes that are on their way at most, unless a single chunk has more.
const MOST_BYTES: usize = 2 << 20;
/// The chunks that are on their way at most.
const MOST_CHUNKS: usize = 64;

/// A chunk that is to be packed.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) kind: u8,
    pub(super) raw: Vec<u8>,
    pub(super) hash: Hash,
}

impl Chunk {
    pub(super) fn pack(&self, packer: &mut Packer) -> Result<Frame> {
        Frame::new(self.kind, &self.raw, self.hash, packer)
    }
}

/// A frame that is on its way.
enum Coming {
    Packed(Frame),
    /// The next one of a worker, and the bytes of its chunk.
    #[cfg(not(target_arch = "wasm32"))]
    From {
        worker: usize,
        bytes: usize,
    },
}

/// The frames that are on their way, each with the number that it was given.
pub(super) struct Packing {
    packer: Packer,
    #[cfg(not(target_arch = "wasm32"))]
    workers: Vec<Worker>,
    coming: VecDeque<(usize, Coming)>,
    bytes: usize,
    /// The number of chunks that came.
    came: usize,
}

impl Packing {
    /// Packs at a level of zstd's.
    pub(super) fn new(level: i32) -> Result<Self> {
        Ok(Self {
            packer: Packer::new(level)?,
            #[cfg(not(target_arch = "wasm32"))]
            workers: Worker::several(level)?,
            coming: VecDeque::new(),
            bytes: 0,
            came: 0,
        })
    }

    /// Returns the packer of this thread.
    pub(super) fn packer(&mut self) -> &mut Packer {
        &mut self.packer
    }

    /// Adds a chunk.
    pub(super) fn push(&mut self, nr: usize, chunk: Chunk) -> Result<()> {
        self.came += 1;
        #[cfg(not(target_arch = "wasm32"))]
        if !self.workers.is_empty() {
            // By turns: so each gives its frames in the order of all.
            let (worker, bytes) = (self.came % self.workers.len(), chunk.raw.len());
            self.workers[worker].give(chunk)?;
            self.bytes += bytes;
            self.coming.push_back((nr, Coming::From { worker, bytes }));
            return Ok(());
        }
        let frame = chunk.pack(&mut self.packer)?;
        self.push_packed(nr, frame);
        Ok(())
    }

    /// Adds a frame that is packed already.
    pub(super) fn push_packed(&mut self, nr: usize, frame: Frame) {
        self.coming.push_back((nr, Coming::Packed(frame)));
    }

    /// Gives the next frame. If it is not packed yet, waits for it if it `must` come, or if too much is on its way.
    pub(super) fn next(&mut self, must: bool) -> Result<Option<(usize, Frame)>> {
        let Some((nr, coming)) = self.coming.pop_front() else { return Ok(None) };
        let frame = match coming {
            Coming::Packed(frame) => frame,
            #[cfg(not(target_arch = "wasm32"))]
            Coming::From { worker, bytes } => {
                let is_full = self.bytes > MOST_BYTES || self.coming.len() >= MOST_CHUNKS;
                let Some(frame) = self.workers[worker].take(must || is_full)? else {
                    self.coming.push_front((nr, coming));
                    return Ok(None);
                };
                self.bytes -= bytes;
                frame
            }
        };
        Ok(Some((nr, frame)))
    }
}
