//! Successors that wait for their shard.

use super::hash::last_word;
use super::limits::{Budget, Full};
use super::shard::{Id, Mark};

/// Bytes of the mark and the parent, before the state.
const HEAD: usize = 8;

/// Candidates for one shard, in the order in which they were found: of each the mark, the parent and the state.
#[derive(Debug)]
pub(super) struct Batch {
    width: Option<usize>,
    len: usize,
    /// Where all states have one width, it is rounded up to whole words here: those are quick to write.
    records: Vec<u8>,
    /// Where each record ends, where the widths of states differ.
    ends: Vec<u32>,
}

impl Batch {
    pub(super) fn new(width: Option<usize>) -> Self {
        Self {
            width,
            len: 0,
            records: Vec::new(),
            ends: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.records.clear();
        self.ends.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The bytes that it holds, as the budget counts them.
    pub(super) fn bytes(&self) -> usize {
        self.records.capacity() + self.ends.capacity() * size_of::<u32>()
    }

    #[inline]
    pub(super) fn mark(&self, at: usize) -> Mark {
        Mark((self.head(at) >> 32) as u32)
    }

    #[inline]
    pub(super) fn parent(&self, at: usize) -> Id {
        Id(self.head(at) as u32)
    }

    #[inline]
    fn head(&self, at: usize) -> u64 {
        let record = self.records[self.start(at)..].first_chunk();
        u64::from_le_bytes(*record.unwrap_or(&[0; HEAD]))
    }

    #[inline]
    fn start(&self, at: usize) -> usize {
        match self.width {
            Some(width) => at * (HEAD + width.next_multiple_of(8)),
            None if at == 0 => 0,
            None => self.ends[at - 1] as usize,
        }
    }

    #[inline]
    pub(super) fn state(&self, at: usize) -> &[u8] {
        let start = self.start(at) + HEAD;
        let end = match self.width {
            Some(width) => start + width,
            None => self.ends[at] as usize,
        };
        &self.records[start..end]
    }

    #[inline]
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        mark: Mark,
        parent: Id,
        budget: &Budget,
    ) -> Result<(), Full> {
        let head = (u64::from(mark.0) << 32 | u64::from(parent.0)).to_le_bytes();
        if let Some(width) = self.width {
            assert_eq!(bytes.len(), width, "a packed state has the width of all");
            let record = HEAD + width.next_multiple_of(8);
            budget.make_room(&mut self.records, record, false)?;
            self.records.extend_from_slice(&head);
            let (words, rest) = bytes.as_chunks::<8>();
            for word in words {
                self.records.extend_from_slice(word);
            }
            if !rest.is_empty() {
                self.records
                    .extend_from_slice(&last_word(rest).to_le_bytes());
            }
        } else {
            let end = self.records.len() + HEAD + bytes.len();
            let end = u32::try_from(end).map_err(|_| Full::Numbers("bytes of states that wait"))?;
            budget.make_room(&mut self.records, HEAD + bytes.len(), false)?;
            budget.make_room(&mut self.ends, 1, false)?;
            self.records.extend_from_slice(&head);
            self.records.extend_from_slice(bytes);
            self.ends.push(end);
        }
        self.len += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_every_width_come_back() {
        let budget = Budget::new(None);
        for width in 0..20 {
            let mut fixed = Batch::new(Some(width));
            let mut varied = Batch::new(None);
            let states: Vec<Vec<u8>> = (0..50u8)
                .map(|n| (0..width as u8).map(|at| n ^ at.wrapping_mul(37)).collect())
                .collect();
            for (n, state) in states.iter().enumerate() {
                let (mark, parent) = (Mark(n as u32 + 7), Id::new(n, 3 * n));
                let pushed = fixed.push(state, mark, parent, &budget);
                assert_eq!(pushed, varied.push(state, mark, parent, &budget));
            }
            for batch in [fixed, varied] {
                assert_eq!(batch.len(), states.len());
                for (n, state) in states.iter().enumerate() {
                    assert_eq!(batch.state(n), state);
                    assert_eq!(batch.mark(n), Mark(n as u32 + 7));
                    assert_eq!(batch.parent(n), Id::new(n, 3 * n));
                }
            }
        }
    }
}
