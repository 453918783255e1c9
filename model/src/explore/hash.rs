//! Where a packed state belongs: its hash decides the place to look, its bytes decide whether it is the same.
//!
//! The function is written out here, not taken from a crate, because among equally short traces the hash decides
//! which is found: a trace must not change with the version of a dependency. It need not withstand an attacker:
//! a bad hash costs time and never an answer.

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const MIX: u64 = 0xd6e8_feb8_6659_fd93;

/// The hash of some bytes, the same on every machine.
#[inline]
pub(crate) fn hash_of(bytes: &[u8]) -> u64 {
    let length = bytes.len() as u64;
    let (low, high) = if bytes.len() <= 16 {
        ends(bytes)
    } else {
        let mut sum = SEED;
        let mut rest = bytes;
        while rest.len() > 16 {
            sum = folded(word(rest) ^ MIX, word(&rest[8..]) ^ sum);
            rest = &rest[16..];
        }
        // The last sixteen bytes overlap what is summed already.
        let tail = &bytes[bytes.len() - 16..];
        (word(tail) ^ sum, word(&tail[8..]))
    };
    let once = folded(low ^ SEED, high ^ MIX ^ length);
    folded(once ^ SEED, MIX)
}

/// Whether the bytes are the same; the short slices of packed states are compared word by word.
#[inline]
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    if one.len() <= 16 {
        ends(one) == ends(other)
    } else {
        one == other
    }
}

/// Two words that hold all of at most sixteen bytes; of the same length, only the same bytes give the same words.
#[inline]
fn ends(bytes: &[u8]) -> (u64, u64) {
    match bytes.len() {
        8.. => (word(bytes), word(&bytes[bytes.len() - 8..])),
        _ => (last_word(bytes), 0),
    }
}

/// Fewer than eight bytes as a word, the first byte the lowest.
#[inline]
pub(super) fn last_word(bytes: &[u8]) -> u64 {
    match bytes.len() {
        // The two halves overlap in bytes that are the same.
        4.. => half(bytes) | half(&bytes[bytes.len() - 4..]) << (8 * (bytes.len() - 4)),
        _ => bytes
            .iter()
            .rfold(0, |sum, byte| (sum << 8) | u64::from(*byte)),
    }
}

#[inline]
fn word(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk()
        .map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

#[inline]
fn half(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk()
        .map_or(0, |chunk| u64::from(u32::from_le_bytes(*chunk)))
}

/// Both halves of the product, folded into one word.
#[inline]
#[allow(
    clippy::cast_possible_truncation,
    reason = "both halves are used, one after the other"
)]
fn folded(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn only_the_same_bytes_are_the_same() {
        for length in 0..40 {
            let bytes: Vec<u8> = (0..length).collect();
            assert!(same(&bytes, &bytes.clone()));
            assert!(!same(&bytes, &[bytes.clone(), vec![0]].concat()));
            for at in 0..bytes.len() {
                let mut other = bytes.clone();
                other[at] ^= 0x40;
                assert!(!same(&bytes, &other), "length {length}, byte {at}");
                assert_ne!(hash_of(&bytes), hash_of(&other));
            }
        }
    }

    #[test]
    fn small_states_spread_over_the_places() {
        // The top bits choose a slot, the lowest a shard: neighbours must not crowd.
        let hashes: Vec<u64> = (0u32..100_000).map(|n| hash_of(&n.to_le_bytes())).collect();
        for places in [
            hashes.iter().map(|hash| hash >> 47).collect::<HashSet<_>>(),
            hashes.iter().map(|hash| hash & 0x1_ffff).collect(),
        ] {
            // Throwing 100,000 balls into 131,072 boxes leaves about 131,072 * (1 - e^-0.763) = 69,964 with a ball.
            assert!(places.len().abs_diff(69_964) < 700, "{}", places.len());
        }
    }
}
