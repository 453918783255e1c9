//! Rules about messages that need the torrent: sizes of bitfields, indices of pieces, ranges of blocks.

use super::{ErrorClass, WireError};
use crate::bittorrent::message::BlockRequest;
use crate::bittorrent::metainfo::PieceLayout;

/// A bitfield has one bit for each piece, rounded up to bytes, and its spare bits are zero (BEP 3).
///
/// The offset of an error counts within the bitfield.
pub fn check_bitfield(bits: &[u8], pieces: u32) -> Result<(), WireError> {
    let expected = (pieces as usize).div_ceil(8);
    if bits.len() != expected {
        return Err(WireError::new(
            ErrorClass::BitfieldLength,
            bits.len().min(expected),
        ));
    }
    let spare = if pieces.is_multiple_of(8) {
        0
    } else {
        0xFF_u8 >> (pieces % 8)
    };
    match bits.last() {
        Some(last) if last & spare != 0 => {
            Err(WireError::new(ErrorClass::SpareBits, bits.len() - 1))
        }
        _ => Ok(()),
    }
}

/// Whether the bitfield has the bit of `piece` set.
pub fn has_bit(bits: &[u8], piece: u32) -> bool {
    bits.get(piece as usize / 8)
        .is_some_and(|byte| byte & (0x80 >> (piece % 8)) != 0)
}

/// The bitfield with the bits of the given pieces set. Pieces out of range are left out.
pub fn bitfield_of(have: impl IntoIterator<Item = u32>, pieces: u32) -> Vec<u8> {
    let mut bits = vec![0; (pieces as usize).div_ceil(8)];
    for piece in have.into_iter().filter(|piece| *piece < pieces) {
        if let Some(byte) = bits.get_mut(piece as usize / 8) {
            *byte |= 0x80 >> (piece % 8);
        }
    }
    bits
}

/// A piece index names a piece of the torrent. The offset is that of the index in its message, behind length and id.
pub fn check_piece_index(index: u32, pieces: u32) -> Result<(), WireError> {
    if index < pieces {
        Ok(())
    } else {
        Err(WireError::new(ErrorClass::PieceIndex, 5))
    }
}

/// A request names a range of one piece, not empty and not longer than `max_length`.
///
/// The offset of an error is that of the field at fault in the message, behind length and id.
pub fn check_request(
    block: BlockRequest,
    layout: &PieceLayout,
    max_length: u32,
) -> Result<(), WireError> {
    check_piece_index(block.index, layout.pieces())?;
    if block.length == 0 {
        return Err(WireError::new(ErrorClass::EmptyBlock, 13));
    }
    if block.length > max_length {
        return Err(WireError::new(ErrorClass::BlockLength, 13));
    }
    let piece = layout.piece_len(block.index).unwrap_or(0);
    match block.begin.checked_add(block.length) {
        Some(end) if end <= piece => Ok(()),
        _ => Err(WireError::new(ErrorClass::BlockRange, 9)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bitfield_has_one_bit_for_each_piece() {
        assert_eq!(check_bitfield(&[0xB0, 0x80], 9), Ok(()));
        assert_eq!(check_bitfield(&[0xFF], 8), Ok(()));
        assert_eq!(check_bitfield(&[], 0), Ok(()));
        assert_eq!(
            check_bitfield(&[0xB0], 9),
            Err(WireError::new(ErrorClass::BitfieldLength, 1))
        );
        assert_eq!(
            check_bitfield(&[0xB0, 0x80, 0], 9),
            Err(WireError::new(ErrorClass::BitfieldLength, 2))
        );
        assert_eq!(
            check_bitfield(&[0xB0, 0x40], 9),
            Err(WireError::new(ErrorClass::SpareBits, 1))
        );
        assert_eq!(
            check_bitfield(&[0x01], 7),
            Err(WireError::new(ErrorClass::SpareBits, 0))
        );
    }

    #[test]
    fn bits_count_from_the_high_end() {
        assert_eq!(bitfield_of([0, 2, 3, 8], 9), [0xB0, 0x80]);
        let set: Vec<u32> = (0..20)
            .filter(|piece| has_bit(&[0xB0, 0x80], *piece))
            .collect();
        assert_eq!(set, [0, 2, 3, 8]);
        assert_eq!(bitfield_of([9, 100], 9), [0, 0]);
    }

    #[test]
    fn a_request_stays_within_its_piece() {
        let layout = PieceLayout::new(32768, 40000).expect("a layout");
        let check = |index, begin, length| {
            check_request(
                BlockRequest {
                    index,
                    begin,
                    length,
                },
                &layout,
                16384,
            )
            .map_err(|error| error.class)
        };
        assert_eq!(check(0, 16384, 16384), Ok(()));
        assert_eq!(check(1, 0, 7232), Ok(()));
        assert_eq!(check(1, 0, 7233), Err(ErrorClass::BlockRange));
        assert_eq!(check(0, 16385, 16384), Err(ErrorClass::BlockRange));
        assert_eq!(check(0, u32::MAX, 16384), Err(ErrorClass::BlockRange));
        assert_eq!(check(2, 0, 1), Err(ErrorClass::PieceIndex));
        assert_eq!(check(0, 0, 0), Err(ErrorClass::EmptyBlock));
        assert_eq!(check(0, 0, 16385), Err(ErrorClass::BlockLength));
    }
}
