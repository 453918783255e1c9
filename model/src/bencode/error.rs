//! What can be wrong with bencoded bytes, and where.

use std::fmt;

/// The kind of a decoding error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// The input ends inside a value.
    UnexpectedEnd,
    /// A byte that starts no value.
    UnexpectedByte,
    /// `ie` or `i-e`.
    EmptyInteger,
    /// A byte that is no digit inside an integer.
    InvalidInteger,
    /// A leading zero, as in `i03e`.
    IntegerLeadingZero,
    /// `i-0e`.
    NegativeZero,
    /// An integer outside of 64 signed bits.
    IntegerOverflow,
    /// A byte that is neither digit nor colon in a string length.
    InvalidLength,
    /// A leading zero in a string length, as in `04:spam`.
    LengthLeadingZero,
    /// A string length larger than the address space.
    LengthOverflow,
    /// A dictionary key that is not a string.
    NonStringKey,
    /// A dictionary key without a value.
    MissingValue,
    /// A dictionary key that sorts before the key in front of it.
    UnsortedKey,
    /// A dictionary key that occurs twice.
    DuplicateKey,
    /// Lists and dictionaries nested deeper than the limit.
    DepthLimit,
    /// More values and keys than the limit.
    ItemLimit,
    /// An input longer than the limit.
    InputLimit,
    /// Bytes after the value.
    TrailingBytes,
}

impl ErrorClass {
    /// Every class, in order of declaration.
    pub const ALL: [Self; 18] = [
        Self::UnexpectedEnd,
        Self::UnexpectedByte,
        Self::EmptyInteger,
        Self::InvalidInteger,
        Self::IntegerLeadingZero,
        Self::NegativeZero,
        Self::IntegerOverflow,
        Self::InvalidLength,
        Self::LengthLeadingZero,
        Self::LengthOverflow,
        Self::NonStringKey,
        Self::MissingValue,
        Self::UnsortedKey,
        Self::DuplicateKey,
        Self::DepthLimit,
        Self::ItemLimit,
        Self::InputLimit,
        Self::TrailingBytes,
    ];

    /// The stable name of the class, as the golden vectors spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnexpectedEnd => "unexpected-end",
            Self::UnexpectedByte => "unexpected-byte",
            Self::EmptyInteger => "empty-integer",
            Self::InvalidInteger => "invalid-integer",
            Self::IntegerLeadingZero => "integer-leading-zero",
            Self::NegativeZero => "negative-zero",
            Self::IntegerOverflow => "integer-overflow",
            Self::InvalidLength => "invalid-length",
            Self::LengthLeadingZero => "length-leading-zero",
            Self::LengthOverflow => "length-overflow",
            Self::NonStringKey => "non-string-key",
            Self::MissingValue => "missing-value",
            Self::UnsortedKey => "unsorted-key",
            Self::DuplicateKey => "duplicate-key",
            Self::DepthLimit => "depth-limit",
            Self::ItemLimit => "item-limit",
            Self::InputLimit => "input-limit",
            Self::TrailingBytes => "trailing-bytes",
        }
    }

    /// What the decoder expected instead.
    pub fn expected(self) -> &'static str {
        match self {
            Self::UnexpectedEnd => "more bytes",
            Self::UnexpectedByte => "`i`, `l`, `d` or a digit",
            Self::EmptyInteger => "at least one digit",
            Self::InvalidInteger => "a digit or `e`",
            Self::IntegerLeadingZero => "an integer without leading zeros",
            Self::NegativeZero => "zero without a sign",
            Self::IntegerOverflow => "an integer of 64 signed bits",
            Self::InvalidLength => "a digit or `:`",
            Self::LengthLeadingZero => "a string length without leading zeros",
            Self::LengthOverflow => "a string length that fits in memory",
            Self::NonStringKey => "a string as dictionary key",
            Self::MissingValue => "a value for the key",
            Self::UnsortedKey => "keys in ascending order of their bytes",
            Self::DuplicateKey => "every key once",
            Self::DepthLimit => "fewer nested lists and dictionaries",
            Self::ItemLimit => "fewer values",
            Self::InputLimit => "a shorter input",
            Self::TrailingBytes => "the end of the input",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why bytes are not the bencoding of a value.
///
/// The offset is that of the first byte at fault: the length of the input where it ends too early, the opening
/// byte where a limit is exceeded, the first byte of the key where keys are out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{class} at byte {offset}: expected {}", class.expected())]
pub struct DecodeError {
    /// What is wrong.
    pub class: ErrorClass,
    /// Where, in bytes from the start of the input.
    pub offset: usize,
}

/// A departure from the canonical form that deployed software reads with a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ToleranceKind {
    /// A dictionary key sorts before the key in front of it.
    UnsortedKey,
    /// A dictionary key occurs twice; the first value counts.
    DuplicateKey,
    /// A string length has leading zeros.
    LengthLeadingZero,
}

impl ToleranceKind {
    /// The error a strict decoder reports instead.
    pub fn class(self) -> ErrorClass {
        match self {
            Self::UnsortedKey => ErrorClass::UnsortedKey,
            Self::DuplicateKey => ErrorClass::DuplicateKey,
            Self::LengthLeadingZero => ErrorClass::LengthLeadingZero,
        }
    }
}

/// A tolerated departure and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tolerance {
    /// What was tolerated.
    pub kind: ToleranceKind,
    /// Where, in bytes from the start of the input.
    pub offset: usize,
}
