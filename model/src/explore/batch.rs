//! Successors that wait for their shard.

use super::limits::{Budget, Full};
use super::shard::Id;

/// Candidates for one shard, in the order in which they were found.
#[derive(Debug)]
pub(super) struct Batch {
    width: Option<usize>,
    bytes: Vec<u8>,
    /// Where each ends in `bytes`, where their widths differ.
    ends: Vec<u32>,
    hashes: Vec<u64>,
    parents: Vec<Id>,
}

impl Batch {
    pub(super) fn new(width: Option<usize>) -> Self {
        Self {
            width,
            bytes: Vec::new(),
            ends: Vec::new(),
            hashes: Vec::new(),
            parents: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.hashes.clear();
        self.parents.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    #[inline]
    pub(super) fn hash(&self, at: usize) -> u64 {
        self.hashes[at]
    }

    #[inline]
    pub(super) fn parent(&self, at: usize) -> Id {
        self.parents[at]
    }

    #[inline]
    pub(super) fn state(&self, at: usize) -> &[u8] {
        if let Some(width) = self.width {
            return &self.bytes[at * width..(at + 1) * width];
        }
        let start = if at == 0 {
            0
        } else {
            self.ends[at - 1] as usize
        };
        &self.bytes[start..self.ends[at] as usize]
    }

    #[inline]
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        hash: u64,
        parent: Id,
        budget: &Budget,
    ) -> Result<(), Full> {
        budget.make_room(&mut self.bytes, bytes.len(), false)?;
        self.bytes.extend_from_slice(bytes);
        match self.width {
            Some(width) => assert_eq!(bytes.len(), width, "a packed state has the width of all"),
            None => {
                let end = u32::try_from(self.bytes.len()).map_err(|_| Full::Numbers)?;
                budget.make_room(&mut self.ends, 1, false)?;
                self.ends.push(end);
            }
        }
        budget.make_room(&mut self.hashes, 1, false)?;
        budget.make_room(&mut self.parents, 1, false)?;
        self.hashes.push(hash);
        self.parents.push(parent);
        Ok(())
    }
}
