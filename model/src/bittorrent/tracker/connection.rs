//! Connection ids (BEP 15): the proof that whoever asks over UDP can hear the answers.
//!
//! An id is not stored. It is the hash of a secret and the holder's address, and the secret changes, so that asking
//! for many ids costs a tracker nothing and an id ends by itself.

use std::collections::VecDeque;
use std::net::IpAddr;

use sha1::{Digest, Sha1};

/// The secrets from which ids are derived, the current one first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Secrets {
    known: VecDeque<[u8; 20]>,
    /// Whether an id was ever given out: until then nothing needs to change.
    begun: bool,
}

impl Secrets {
    pub(super) fn new(first: [u8; 20]) -> Self {
        Self {
            known: [first].into(),
            begun: false,
        }
    }

    /// Whether the change of secrets must be started now.
    pub(super) fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.begun, true)
    }

    /// The current secret becomes a past one, of which `past` are kept.
    pub(super) fn change(&mut self, past: usize) {
        let last = self.known.front().copied().unwrap_or_default();
        self.known.push_front(Sha1::digest(last).into());
        self.known.truncate(past.saturating_add(1));
    }

    /// The id for a holder.
    pub(super) fn issue(&self, holder: IpAddr) -> u64 {
        self.known
            .front()
            .map_or(0, |secret| derive(secret, holder))
    }

    /// Whether the id was given to the holder and has not ended.
    pub(super) fn accepts(&self, id: u64, holder: IpAddr) -> bool {
        self.known.iter().any(|secret| derive(secret, holder) == id)
    }
}

fn derive(secret: &[u8; 20], holder: IpAddr) -> u64 {
    let mut hash = Sha1::new();
    hash.update(secret);
    match holder {
        IpAddr::V4(ip) => hash.update(ip.octets()),
        IpAddr::V6(ip) => hash.update(ip.octets()),
    }
    let digest: [u8; 20] = hash.finalize().into();
    digest
        .first_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
