//! A set of pieces of one torrent, as the bitfield on the wire and in a peer's memory.

use super::wire::WireError;
use super::wire::torrent_bounds::{check_bitfield, has_bit};

/// Which pieces of a torrent somebody has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pieces {
    count: u32,
    bits: Vec<u8>,
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
    pub fn from_bitfield(count: u32, bytes: &[u8]) -> Result<Self, WireError> {
        check_bitfield(bytes, count)?;
        Ok(Self {
            count,
            bits: bytes.to_vec(),
        })
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
        piece < self.count && has_bit(&self.bits, piece)
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
        assert!(Pieces::from_bitfield(9, &[0xb0, 0xc0]).is_err());
        assert!(Pieces::from_bitfield(9, &[0xb0]).is_err());
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
