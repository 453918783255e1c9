//! The extension protocol (BEP 10) and the metadata exchange (BEP 9).

use crate::bittorrent::message::{MetadataMessage, PeerMessage};
use crate::bittorrent::view::{LinkView, Moment};
use crate::bittorrent::wire::extension::{
    METADATA_BLOCK, decode_handshake_tolerant, decode_metadata_tolerant,
};
use crate::property::Judgement::{self, Broken, Holds, Unknown};

facts! {
    extended_messages_only_when_both_have_the_bit ["bep10/negotiated"];
    the_extension_handshake_is_sent ["bep10/handshake"];
    the_extension_handshake_is_well_formed ["bep10/handshake"];
    the_metadata_size_is_that_of_the_info ["bep9/metadata-size"];
    metadata_blocks_are_those_of_the_info ["bep9/data"];
    metadata_requests_are_answered ["bep9/data"];
    metadata_requests_beyond_the_end_are_rejected ["bep9/reject"];
}

/// The extended message that the subject says now.
fn extended(moment: &Moment) -> Option<(&LinkView, u8, &[u8])> {
    match moment.heard()? {
        (link, PeerMessage::Extended { id, payload }) => Some((link, *id, payload)),
        _ => None,
    }
}

fn extended_messages_only_when_both_have_the_bit(moment: &Moment) -> Judgement {
    if let Some((link, _, _)) = extended(moment) {
        return Judgement::check(link.extended(), || {
            "an extended message was said without the extension protocol".to_owned()
        });
    }
    let plain = |link: &&LinkView| link.stands() && !link.extended();
    moment.quiet().filter(plain).map_or(Unknown, |_| Holds)
}

fn the_extension_handshake_is_sent(moment: &Moment) -> Judgement {
    match moment.quiet() {
        Some(link) if link.extended() && link.stands() => {
            Judgement::check(link.heard.extends, || {
                "no extension handshake was sent".to_owned()
            })
        }
        _ => Unknown,
    }
}

fn the_extension_handshake_is_well_formed(moment: &Moment) -> Judgement {
    let Some((_, 0, payload)) = extended(moment) else {
        return Unknown;
    };
    match decode_handshake_tolerant(payload) {
        Ok(_) => Holds,
        Err(why) => Broken(format!(
            "an extension handshake that does not decode: {why}"
        )),
    }
}

fn the_metadata_size_is_that_of_the_info(moment: &Moment) -> Judgement {
    let Some((_, 0, payload)) = extended(moment) else {
        return Unknown;
    };
    let handshake = decode_handshake_tolerant(payload).ok();
    let Some(size) = handshake.and_then(|(handshake, _)| handshake.metadata_size) else {
        return Unknown;
    };
    let right = moment.view.torrent.metainfo.raw_info().len();
    Judgement::check(size as usize == right, || {
        format!("the metadata size {size} is announced, where the info has {right} bytes")
    })
}

/// The metadata message that the subject says now; `None` where it says something else.
fn metadata(moment: &Moment) -> Option<Result<MetadataMessage, String>> {
    let (link, id, payload) = extended(moment)?;
    if id == 0 || id != link.told.metadata_id {
        return None;
    }
    let message = decode_metadata_tolerant(payload);
    Some(
        message
            .map(|(message, _)| message)
            .map_err(|why| why.to_string()),
    )
}

/// The bytes of a block of the metadata; nothing behind its end.
fn block(moment: &Moment, piece: u32) -> Option<&[u8]> {
    let info = moment.view.torrent.metainfo.raw_info();
    let begin = piece.checked_mul(METADATA_BLOCK)? as usize;
    let rest = info.get(begin..).filter(|rest| !rest.is_empty())?;
    Some(rest.get(..METADATA_BLOCK as usize).unwrap_or(rest))
}

fn metadata_blocks_are_those_of_the_info(moment: &Moment) -> Judgement {
    let total = moment.view.torrent.metainfo.raw_info().len();
    match metadata(moment) {
        Some(Err(why)) => Broken(format!("a metadata message that does not decode: {why}")),
        Some(Ok(MetadataMessage::Data {
            piece,
            total_size,
            data,
        })) => {
            let right = block(moment, piece) == Some(&data) && total_size as usize == total;
            Judgement::check(right, || {
                format!("metadata block {piece} of {total_size} bytes is not that of the info")
            })
        }
        _ => Unknown,
    }
}

fn metadata_requests_are_answered(moment: &Moment) -> Judgement {
    if let Some(Ok(MetadataMessage::Data { piece, .. })) = metadata(moment) {
        return if block(moment, piece).is_some() {
            Holds
        } else {
            Unknown
        };
    }
    let Some(link) = moment
        .quiet()
        .filter(|link| link.extended() && link.told.metadata_id != 0)
    else {
        return Unknown;
    };
    let mut due = link
        .told
        .metadata_requests
        .iter()
        .filter(|piece| block(moment, **piece).is_some());
    due.next().map_or(Unknown, |piece| {
        Broken(format!(
            "metadata block {piece} was requested, and not answered"
        ))
    })
}

fn metadata_requests_beyond_the_end_are_rejected(moment: &Moment) -> Judgement {
    let beyond = |piece: u32| block(moment, piece).is_none();
    match metadata(moment) {
        Some(Ok(MetadataMessage::Reject { piece })) if beyond(piece) => return Holds,
        Some(Ok(MetadataMessage::Data { piece, .. })) if beyond(piece) => {
            return Broken(format!(
                "metadata block {piece} was sent, which does not exist"
            ));
        }
        _ => {}
    }
    let Some(link) = moment
        .quiet()
        .filter(|link| link.extended() && link.told.metadata_id != 0)
    else {
        return Unknown;
    };
    let mut due = link
        .told
        .metadata_requests
        .iter()
        .filter(|piece| beyond(**piece));
    due.next().map_or(Unknown, |piece| {
        Broken(format!(
            "metadata block {piece} does not exist, and its request was not rejected"
        ))
    })
}
