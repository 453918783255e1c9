//! How the content is cut into pieces.

/// The length of a piece and of the whole. Small and `Copy`, for states that need no hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PieceLayout {
    piece_length: u32,
    total_len: u64,
}

impl PieceLayout {
    /// None if `piece_length` is zero or there would be more pieces than a message can name.
    pub fn new(piece_length: u32, total_len: u64) -> Option<Self> {
        let pieces =
            total_len.checked_next_multiple_of(u64::from(piece_length))? / u64::from(piece_length);
        u32::try_from(pieces).ok().map(|_| Self {
            piece_length,
            total_len,
        })
    }

    /// Bytes of every piece but the last.
    pub fn piece_length(&self) -> u32 {
        self.piece_length
    }

    /// Bytes of the content.
    pub fn total_len(&self) -> u64 {
        self.total_len
    }

    /// Number of pieces.
    pub fn pieces(&self) -> u32 {
        u32::try_from(self.total_len.div_ceil(u64::from(self.piece_length))).unwrap_or(u32::MAX)
    }

    /// Where a piece starts within the content, if there is one of this index.
    pub fn piece_start(&self, index: u32) -> Option<u64> {
        let start = u64::from(index) * u64::from(self.piece_length);
        (start < self.total_len).then_some(start)
    }

    /// Bytes of a piece, if there is one of this index; the last may be shorter than the others.
    pub fn piece_len(&self, index: u32) -> Option<u32> {
        let rest = self.total_len - self.piece_start(index)?;
        Some(u32::try_from(rest).map_or(self.piece_length, |rest| rest.min(self.piece_length)))
    }
}
