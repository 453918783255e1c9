//! The fast extension's offers (BEP 6), the extension handshake (BEP 10) and the metadata (BEP 9).

use std::net::IpAddr;

use super::{Act, Address, Peer};
use crate::bittorrent::message::{ExtensionHandshake, MetadataMessage, PeerMessage};
use crate::bittorrent::mutant::Mutant;
use crate::bittorrent::wire::extension::{
    METADATA_BLOCK, decode_handshake_tolerant, decode_metadata_tolerant, encode_handshake,
    encode_metadata,
};
use crate::bittorrent::wire::fast::allowed_fast_set;

/// The name of the metadata exchange in an extension handshake.
pub(super) const METADATA: &[u8] = b"ut_metadata";

/// The id under which this peer wants to be sent metadata messages.
const METADATA_ID: u8 = 1;

impl Peer {
    /// Offers the pieces of the generated set that are here, so that a new neighbour has something to begin with.
    pub(super) fn grant_allowed_fast(&mut self, to: Address, act: &mut Act) {
        let config = self.config();
        let (IpAddr::V4(ip), k) = (to.ip(), config.allowed_fast) else {
            return;
        };
        let info_hash = config.torrent.metainfo.info_hash();
        let set = allowed_fast_set(ip, &info_hash, self.have.count(), k);
        let wrong = self.is(Mutant::WrongAllowedFast);
        let pieces = self.have.count();
        let granted = set
            .into_iter()
            .map(|piece| if wrong { (piece + 1) % pieces } else { piece })
            .filter(|piece| self.have.contains(*piece))
            .collect();
        if let Some(link) = self.links.get_mut(&to).filter(|link| link.fast) {
            link.granted = granted;
            for piece in &link.granted {
                act.say(to, PeerMessage::AllowedFast(*piece));
            }
        }
    }

    pub(super) fn send_extension_handshake(&self, to: Address, act: &mut Act) {
        let extended = self.links.get(&to).is_some_and(|link| link.extended);
        if !extended && !self.is(Mutant::ExtendsUninvited) {
            return;
        }
        let config = self.config();
        let handshake = ExtensionHandshake {
            m: [(METADATA.to_vec(), METADATA_ID)].into(),
            p: Some(config.listen_port),
            v: Some(b"peerproof".to_vec()),
            reqq: u32::try_from(config.most_requests).ok(),
            metadata_size: Some(self.metadata_size()),
            ..ExtensionHandshake::default()
        };
        let payload = encode_handshake(&handshake);
        act.say(to, PeerMessage::Extended { id: 0, payload });
    }

    fn metadata_size(&self) -> u32 {
        let size = self.config().torrent.metainfo.raw_info().len();
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        if self.is(Mutant::WrongMetadataSize) {
            size.saturating_add(1)
        } else {
            size
        }
    }

    pub(super) fn on_extended(&mut self, from: Address, id: u8, payload: &[u8], act: &mut Act) {
        if !self.links.get(&from).is_some_and(|link| link.extended) {
            return;
        }
        match id {
            0 => self.on_extension_handshake(from, payload),
            METADATA_ID => self.on_metadata(from, payload, act),
            // The neighbour was told no other id.
            _ => {}
        }
    }

    fn on_extension_handshake(&mut self, from: Address, payload: &[u8]) {
        let Ok((handshake, _)) = decode_handshake_tolerant(payload) else {
            return;
        };
        let Some(link) = self.links.get_mut(&from) else {
            return;
        };
        link.keeps = handshake.reqq.or(link.keeps);
        // Later handshakes add to earlier ones; 0 takes an extension back.
        if let Some(id) = handshake.m.get(METADATA) {
            link.metadata_id = *id;
        }
    }

    fn on_metadata(&mut self, from: Address, payload: &[u8], act: &mut Act) {
        let id = self.links.get(&from).map_or(0, |link| link.metadata_id);
        let Ok((MetadataMessage::Request { piece }, _)) = decode_metadata_tolerant(payload) else {
            return;
        };
        if id == 0 {
            return;
        }
        let answer = match self.metadata_block(piece) {
            Some(data) => {
                let total_size = self.metadata_size();
                MetadataMessage::Data {
                    piece,
                    total_size,
                    data,
                }
            }
            None if self.is(Mutant::NeverRejectsMetadata) => return,
            None => MetadataMessage::Reject { piece },
        };
        let payload = encode_metadata(&answer);
        act.say(from, PeerMessage::Extended { id, payload });
    }

    fn metadata_block(&self, piece: u32) -> Option<Vec<u8>> {
        let info = self.config().torrent.metainfo.raw_info();
        let begin = piece.checked_mul(METADATA_BLOCK)? as usize;
        let rest = info.get(begin..).filter(|rest| !rest.is_empty())?;
        let mut data = rest.get(..METADATA_BLOCK as usize).unwrap_or(rest).to_vec();
        if self.is(Mutant::WrongMetadata)
            && let Some(byte) = data.first_mut()
        {
            *byte ^= 0xff;
        }
        Some(data)
    }
}
