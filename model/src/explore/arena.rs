//! Packed states and their parents, in chunks: growth copies nothing and wastes at most part of a chunk.

use super::limits::{Budget, Full};

/// Rows of a chunk, as a power of two.
const CHUNK: u32 = 12;
const ROWS: usize = 1 << CHUNK;

/// Rows of equal width, numbered from 0.
#[derive(Debug)]
pub(super) struct Rows<T> {
    width: usize,
    len: usize,
    chunks: Vec<Vec<T>>,
}

impl<T: Copy> Rows<T> {
    pub(super) fn new(width: usize) -> Self {
        Self {
            width,
            len: 0,
            chunks: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> &[T] {
        if self.width == 0 {
            return &[];
        }
        let at = (row & (ROWS - 1)) * self.width;
        &self.chunks[row >> CHUNK][at..at + self.width]
    }

    /// Appends a row, which must have the width of all.
    pub(super) fn push(&mut self, row: &[T], budget: &Budget) -> Result<(), Full> {
        debug_assert_eq!(row.len(), self.width);
        if self.width > 0 {
            if self.len & (ROWS - 1) == 0 {
                budget.make_room(&mut self.chunks, 1, false)?;
                self.chunks.push(Vec::new());
            }
            let last = self.chunks.len() - 1;
            let chunk = &mut self.chunks[last];
            if chunk.len() == chunk.capacity() {
                // Only the first chunk begins small, so that small models need little.
                let rows = match last {
                    0 => (self.len.max(2)).min(ROWS - self.len),
                    _ => ROWS,
                };
                budget.make_room(chunk, rows * self.width, true)?;
            }
            chunk.extend_from_slice(row);
        }
        self.len += 1;
        Ok(())
    }

    #[cfg(test)]
    fn capacity(&self) -> usize {
        let rows: usize = self.chunks.iter().map(Vec::capacity).sum();
        rows * size_of::<T>() + self.chunks.capacity() * size_of::<Vec<T>>()
    }
}

/// Bytes of a chunk of states of different widths, as a power of two.
const TEXT: u32 = 16;
/// What a shard runs out of when its states are long.
const BYTES: &str = "bytes of states in a shard";

/// Packed states, numbered from 0.
#[derive(Debug)]
pub(super) enum Arena {
    /// All have the same width.
    Fixed(Rows<u8>),
    /// Each stands behind its length; `starts` says where: the chunk, and the place in it.
    Varied {
        starts: Rows<u32>,
        chunks: Vec<Vec<u8>>,
    },
}

impl Arena {
    pub(super) fn new(width: Option<usize>) -> Self {
        match width {
            Some(width) => Self::Fixed(Rows::new(width)),
            None => Self::Varied {
                starts: Rows::new(1),
                chunks: Vec::new(),
            },
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Fixed(rows) => rows.len(),
            Self::Varied { starts, .. } => starts.len(),
        }
    }

    #[inline]
    pub(super) fn get(&self, number: usize) -> &[u8] {
        match self {
            Self::Fixed(rows) => rows.get(number),
            Self::Varied { starts, chunks } => {
                let start = starts.get(number)[0] as usize;
                behind_length(&chunks[start >> TEXT][start & ((1 << TEXT) - 1)..])
            }
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8], budget: &Budget) -> Result<(), Full> {
        match self {
            Self::Fixed(rows) => rows.push(bytes, budget),
            Self::Varied { starts, chunks } => {
                let needed = bytes.len() + length_of_length(bytes.len());
                let full = |chunk: &Vec<u8>| chunk.len() + needed > 1 << TEXT;
                if chunks.last().is_none_or(full) {
                    if chunks.len() == 1 << (u32::BITS - TEXT) {
                        return Err(Full::Numbers(BYTES));
                    }
                    budget.make_room(chunks, 1, false)?;
                    chunks.push(Vec::new());
                }
                let at = chunks.len() - 1;
                let chunk = &mut chunks[at];
                if chunk.capacity() - chunk.len() < needed {
                    let whole = (1 << TEXT) - chunk.len();
                    let room = if at == 0 {
                        needed.max(chunk.capacity()).min(whole.max(needed))
                    } else {
                        needed.max(whole)
                    };
                    budget.make_room(chunk, room, true)?;
                }
                let start =
                    u32::try_from((at << TEXT) | chunk.len()).map_err(|_| Full::Numbers(BYTES))?;
                starts.push(&[start], budget)?;
                put_length(bytes.len(), chunk);
                chunk.extend_from_slice(bytes);
                Ok(())
            }
        }
    }
}

/// A length is written in groups of seven bits, the lowest first; all but the last have the top bit.
fn put_length(mut length: usize, chunk: &mut Vec<u8>) {
    while length >= 0x80 {
        chunk.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    chunk.push(length as u8);
}

fn length_of_length(length: usize) -> usize {
    (1..)
        .take_while(|groups| *groups == 1 || length >> (7 * (groups - 1)) > 0)
        .count()
}

#[inline]
fn behind_length(bytes: &[u8]) -> &[u8] {
    let (mut length, mut groups) = (0, 0);
    loop {
        let group = bytes[groups];
        length |= usize::from(group & 0x7f) << (7 * groups);
        groups += 1;
        if group & 0x80 == 0 {
            return &bytes[groups..groups + length];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_any_length_come_back() {
        let budget = Budget::new(None);
        let mut arena = Arena::new(None);
        let lengths = [
            0, 1, 5, 127, 128, 129, 16_383, 16_384, 65_534, 65_536, 200_000, 3,
        ];
        let state = |n: usize| vec![n as u8; lengths[n % lengths.len()]];
        for n in 0..100 {
            arena.push(&state(n), &budget).expect("no limit");
        }
        for n in 0..100 {
            assert_eq!(arena.get(n), state(n), "{n}");
        }
        let Arena::Varied { starts, chunks } = &arena else {
            panic!("lengths differ");
        };
        let text: usize = chunks.iter().map(Vec::capacity).sum();
        let counted = text + chunks.capacity() * size_of::<Vec<u8>>() + starts.capacity();
        assert_eq!(budget.used(), counted);
    }

    #[test]
    fn every_byte_of_rows_is_counted() {
        let budget = Budget::new(None);
        let mut rows = Rows::new(7);
        for n in 0..3 * ROWS + 5 {
            let row: [u8; 7] = std::array::from_fn(|at| (n >> at) as u8);
            rows.push(&row, &budget).expect("no limit");
            assert_eq!(rows.get(n), row);
            assert_eq!(budget.used(), rows.capacity());
        }
        assert_eq!(rows.get(ROWS - 1)[0], 0xff);
        // Nothing is wasted but a part of the last chunk.
        assert!(rows.capacity() < (4 * ROWS) * 7 + 200);
    }

    #[test]
    fn a_limit_is_kept() {
        let budget = Budget::new(Some(10_000));
        let mut rows = Rows::new(8);
        let pushed = (0..).take_while(|_| rows.push(&[0u8; 8], &budget).is_ok());
        assert!(pushed.count() >= 500);
        assert!(rows.capacity() <= 10_000 && budget.used() == rows.capacity());
    }
}
