//! A set of pieces of one torrent, as the bitfield on the wire and in a peer's memory.

/// Which pieces of a torrent somebody has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pieces {
    count: u32,
    bits: Vec<u8>,
}

/// Why bytes are not a bitfield of a torrent (BEP 3, "bitfield").
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BitfieldError {
    /// Not `ceil(pieces / 8)` bytes.
    #[error("a bitfield of {pieces} pieces has {expected} bytes, not {found}")]
    Length {
        /// Pieces of the torrent.
        pieces: u32,
        /// Bytes it must have.
        expected: usize,
        /// Bytes it has.
        found: usize,
    },
    /// A bit behind the last piece is set.
    #[error("spare bits behind piece {last} are set in the last byte {byte:#04x}")]
    SpareBits {
        /// The last piece of the torrent.
        last: u32,
        /// The last byte.
        byte: u8,
    },
}

impl Pieces {
    /// None of `count` pieces.
    pub fn none(count: u32) -> Self {
        Self {
            count,
            bits: vec![0; count.div_ceil(8) as usize],
        }
    }

    /// All of `count` pieces.
    pub fn all(count: u32) -> Self {
        let mut all = Self::none(count);
        (0..count).for_each(|piece| {
            all.insert(piece);
        });
        all
    }

    /// Reads the payload of a bitfield message: high bit first, exact length, spare bits clear.
    ///
    /// # Errors
    /// The length or a spare bit is wrong.
    pub fn from_bitfield(count: u32, bytes: &[u8]) -> Result<Self, BitfieldError> {
        let expected = count.div_ceil(8) as usize;
        if bytes.len() != expected {
            return Err(BitfieldError::Length {
                pieces: count,
                expected,
                found: bytes.len(),
            });
        }
        let spare = (8 - count % 8) % 8;
        match bytes.last() {
            Some(&byte) if byte.trailing_zeros() < spare && byte != 0 => {
                Err(BitfieldError::SpareBits {
                    last: count.saturating_sub(1),
                    byte,
                })
            }
            _ => Ok(Self {
                count,
                bits: bytes.to_vec(),
            }),
        }
    }

    /// The payload of a bitfield message.
    pub fn bitfield(&self) -> &[u8] {
        &self.bits
    }

    /// How many pieces the torrent has.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// How many of them are here.
    pub fn len(&self) -> u32 {
        self.bits.iter().map(|byte| byte.count_ones()).sum()
    }

    /// Whether none is here.
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|byte| *byte == 0)
    }

    /// Whether every piece is here.
    pub fn is_complete(&self) -> bool {
        self.len() == self.count
    }

    /// Whether the piece is here; a piece that the torrent lacks is not.
    pub fn contains(&self, piece: u32) -> bool {
        piece < self.count && self.bits[(piece / 8) as usize] & (0x80 >> (piece % 8)) != 0
    }

    /// Adds a piece; false when it was there or the torrent lacks it.
    pub fn insert(&mut self, piece: u32) -> bool {
        let new = piece < self.count && !self.contains(piece);
        if new {
            self.bits[(piece / 8) as usize] |= 0x80 >> (piece % 8);
        }
        new
    }

    /// The pieces that are here, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.count).filter(|piece| self.contains(*piece))
    }

    /// The pieces that are not here, ascending.
    pub fn missing(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.count).filter(|piece| !self.contains(*piece))
    }

    /// Whether `other` has a piece that is not here.
    pub fn lacks_some_of(&self, other: &Self) -> bool {
        self.bits
            .iter()
            .zip(&other.bits)
            .any(|(own, others)| others & !own != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_reads_high_bit_first() {
        let pieces = Pieces::from_bitfield(9, &[0xb0, 0x80]).expect("nine pieces");
        assert_eq!(pieces.iter().collect::<Vec<_>>(), [0, 2, 3, 8]);
        assert_eq!(pieces.len(), 4);
    }

    #[test]
    fn spare_bits_and_wrong_lengths_are_refused() {
        assert!(matches!(
            Pieces::from_bitfield(9, &[0xb0, 0xc0]),
            Err(BitfieldError::SpareBits { byte: 0xc0, .. })
        ));
        assert!(matches!(
            Pieces::from_bitfield(9, &[0xb0]),
            Err(BitfieldError::Length { expected: 2, found: 1, .. })
        ));
        assert!(Pieces::from_bitfield(8, &[0x01]).is_ok());
        assert!(Pieces::from_bitfield(0, &[]).is_ok());
    }

    #[test]
    fn all_of_them_leaves_the_spare_bits_clear() {
        assert_eq!(Pieces::all(11).bitfield(), [0xff, 0xe0]);
        assert!(Pieces::all(11).is_complete());
        assert!(!Pieces::all(11).contains(11));
    }
}
