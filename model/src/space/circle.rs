//! The identifier circle: the numbers 0 to 2^m - 1, clockwise, with 0 after the last.
//!
//! [`between`] and its closed forms are the only place where the circle's order is decided. They ask for an
//! order and nothing else, so a tiny model may use bytes as identifiers and a real node [`Id`]s of 160 bits.

use std::fmt;
use std::net::IpAddr;

use ruint::aliases::U160;
use sha1::{Digest, Sha1};

/// Whether `x` lies in the open arc (`a`, `b`), clockwise. (a, a) holds everything but a.
pub fn between<T: Ord + Copy>(a: T, x: T, b: T) -> bool {
    if a < b {
        a < x && x < b
    } else {
        a < x || x < b
    }
}

/// Whether `x` lies in (`a`, `b`]. (a, a] is the whole circle: whoever is alone owns every key.
pub fn between_or_last<T: Ord + Copy>(a: T, x: T, b: T) -> bool {
    x == b || between(a, x, b)
}

/// Whether `x` lies in [`a`, `b`). [a, a) is the whole circle.
pub fn between_or_first<T: Ord + Copy>(a: T, x: T, b: T) -> bool {
    x == a || between(a, x, b)
}

/// Whether `x` lies in [`a`, `b`]. [a, a] is the whole circle, as it holds (a, a) and a.
pub fn between_or_ends<T: Ord + Copy>(a: T, x: T, b: T) -> bool {
    x == a || x == b || between(a, x, b)
}

/// An identifier of a node or a key: a point of the circle.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Id(U160);

impl Id {
    /// The number as 20 bytes, the most significant first.
    pub fn to_bytes(self) -> [u8; 20] {
        self.0.to_be_bytes()
    }

    /// The number, when it fits 64 bits.
    pub fn small(self) -> Option<u64> {
        u64::try_from(self.0).ok()
    }

    /// The number of these 40 hexadecimal digits, the form of large numbers in texts.
    pub fn from_digits(digits: &str) -> Option<Self> {
        let plain = digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = plain.then(|| U160::from_str_radix(digits, 16).ok())??;
        Some(Self(number))
    }

    /// The number as 40 hexadecimal digits.
    pub fn digits(self) -> String {
        format!("{:040x}", self.0)
    }
}

impl From<u64> for Id {
    fn from(number: u64) -> Self {
        Self(U160::from(number))
    }
}

impl fmt::Display for Id {
    /// Decimal up to 64 bits, else 40 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.small() {
            Some(small) => write!(f, "{small}"),
            None => f.write_str(&self.digits()),
        }
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why there is no such circle, or no such point on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CircleError {
    /// SHA-1 gives 160 bits.
    #[error("a circle has 1 to 160 bits, not {bits}")]
    Bits {
        /// The number that was asked for.
        bits: u32,
    },
    /// The number has more bits than the circle.
    #[error("{number} does not fit {bits} bits")]
    TooLarge {
        /// The number, in hexadecimal digits.
        number: String,
        /// The bits of the circle.
        bits: u32,
    },
}

/// A circle of 2^m identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Circle {
    bits: u32,
}

impl Circle {
    /// The circle of SHA-1.
    pub const SHA1: Self = Self { bits: 160 };

    /// The circle of `bits` bits.
    ///
    /// # Errors
    /// There are no bits, or more than 160.
    pub fn new(bits: u32) -> Result<Self, CircleError> {
        match bits {
            1..=160 => Ok(Self { bits }),
            _ => Err(CircleError::Bits { bits }),
        }
    }

    /// How many bits an identifier has: m.
    pub fn bits(self) -> u32 {
        self.bits
    }

    /// The point of that number, taken modulo 2^m.
    pub fn point(self, number: u64) -> Id {
        Id(U160::from(number) & self.mask())
    }

    /// The point that these 20 bytes name, the most significant first.
    ///
    /// # Errors
    /// The number is 2^m or more.
    pub fn from_bytes(self, bytes: [u8; 20]) -> Result<Id, CircleError> {
        let number = U160::from_be_bytes(bytes);
        if number > self.mask() {
            return Err(CircleError::TooLarge {
                number: format!("{number:x}"),
                bits: self.bits,
            });
        }
        Ok(Id(number))
    }

    /// Where a node lives: SHA-1 of `<address>.<port>.<virtual node>` as text, the first m bits.
    ///
    /// The paper says only that address and port are hashed; this text is what MIT's implementation hashes.
    pub fn of_node(self, address: IpAddr, port: u16, virtual_node: u16) -> Id {
        self.truncated(format!("{address}.{port}.{virtual_node}").as_bytes())
    }

    /// Where a name lives: SHA-1 of its bytes, the first m bits.
    pub fn of_name(self, name: &str) -> Id {
        self.truncated(name.as_bytes())
    }

    /// The point 2^`exponent` further clockwise: where finger number `exponent` of `from` begins.
    pub fn add_power(self, from: Id, exponent: u32) -> Id {
        let step = match exponent {
            0..160 => U160::from(1) << exponent as usize,
            _ => U160::ZERO,
        };
        Id(from.0.wrapping_add(step) & self.mask())
    }

    /// The point 2^`exponent` back, anticlockwise.
    pub fn subtract_power(self, from: Id, exponent: u32) -> Id {
        let step = match exponent {
            0..160 => U160::from(1) << exponent as usize,
            _ => U160::ZERO,
        };
        Id(from.0.wrapping_sub(step) & self.mask())
    }

    /// How far `to` is from `from`, clockwise: 0 to 2^m - 1.
    pub fn distance(self, from: Id, to: Id) -> Id {
        Id(to.0.wrapping_sub(from.0) & self.mask())
    }

    fn truncated(self, bytes: &[u8]) -> Id {
        let digest: [u8; 20] = Sha1::digest(bytes).into();
        Id(U160::from_be_bytes(digest) >> (160 - self.bits) as usize)
    }

    fn mask(self) -> U160 {
        U160::MAX >> (160 - self.bits) as usize
    }
}
