//! The contract of a node: a refused input leaves no trace, whatever was done before.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::{Config, Message, Peer, Request, Timer};
use super::room::{address, handshake, peer_id, small, torrent};
use crate::bittorrent::message::{
    AnnounceRequest, AnnounceResponse, AnnounceSuccess, BlockRequest, PeerMessage, Peers, Reserved,
};
use crate::bittorrent::view::Frame;
use crate::choose::Seeded;
use crate::node::{Input, Node, Output, rejects_without_trace};

const TRACKER: u8 = 200;

fn message() -> impl Strategy<Value = PeerMessage> {
    let block = (0..4_u32, 0..4_u32, 0..3_u32).prop_map(|(index, begin, length)| BlockRequest {
        index,
        begin,
        length,
    });
    prop_oneof![
        Just(PeerMessage::Choke),
        Just(PeerMessage::Unchoke),
        Just(PeerMessage::Interested),
        Just(PeerMessage::NotInterested),
        Just(PeerMessage::HaveAll),
        (0..4_u32).prop_map(PeerMessage::Have),
        (0..6_u8, prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(id, payload)| PeerMessage::Extended { id, payload }),
        (any::<u32>(), any::<u32>(), any::<u32>()).prop_map(|(index, begin, length)| {
            PeerMessage::Request(BlockRequest {
                index,
                begin,
                length,
            })
        }),
        any::<u32>().prop_map(PeerMessage::SuggestPiece),
        any::<u8>().prop_map(|id| PeerMessage::Unknown {
            id,
            payload: vec![id]
        }),
        (0..4_u32).prop_map(PeerMessage::AllowedFast),
        any::<u8>().prop_map(|bits| PeerMessage::Bitfield(vec![bits & 0xe0])),
        block.clone().prop_map(PeerMessage::Request),
        block.clone().prop_map(PeerMessage::Cancel),
        block.prop_map(PeerMessage::RejectRequest),
        (0..4_u32, 0..2_u32).prop_map(|(index, begin)| PeerMessage::Piece {
            index,
            begin,
            data: vec![(index * 2 + begin) as u8],
        }),
    ]
}

fn input() -> impl Strategy<Value = Input<Peer>> {
    let who = || prop_oneof![6 => (1..4_u8).boxed(), 1 => Just(TRACKER).boxed()].prop_map(address);
    let from = |frame: Message| {
        (who(), Just(frame)).prop_map(|(from, message)| Input::Receive { from, message })
    };
    let hello = (1..4_u8, any::<bool>()).prop_map(|(number, fast)| {
        let reserved = if fast {
            Reserved::NONE.with_fast().with_extension_protocol()
        } else {
            Reserved::NONE
        };
        let frame = Frame::Handshake(handshake(&torrent(3), number, reserved));
        Input::Receive {
            from: address(number),
            message: Message::Frame(frame),
        }
    });
    let answer = AnnounceSuccess {
        interval: 9,
        peers: Some(Peers::Compact(vec![
            "10.0.0.3:6881".parse().expect("an address"),
        ])),
        ..AnnounceSuccess::default()
    };
    prop_oneof![
        1 => Just(Input::Ask(Request::Start)),
        1 => Just(Input::Ask(Request::Stop)),
        2 => who().prop_map(|address| Input::Ask(Request::Dial { address, peer_id: Some(peer_id(1)) })),
        4 => who().prop_map(Input::Opened),
        2 => who().prop_map(Input::Closed),
        6 => hello,
        24 => (who(), message()).prop_map(|(from, message)| Input::Receive {
            from,
            message: Message::Frame(Frame::Message(message)),
        }),
        1 => from(Message::Announced(AnnounceResponse::Success(answer))),
        1 => from(Message::Announce(AnnounceRequest::default())),
        1 => Just(Input::Expire(Timer::Rechoke)),
        1 => Just(Input::Expire(Timer::Optimistic)),
        1 => Just(Input::Expire(Timer::Upload)),
        2 => who().prop_map(|address| Input::Expire(Timer::Answer(address))),
        1 => who().prop_map(|address| Input::Expire(Timer::KeepAlive(address))),
    ]
}

proptest! {
    #[test]
    fn a_refused_input_leaves_no_trace(
        inputs in prop::collection::vec(input(), 1..60),
        seed in any::<u64>(),
        fast in any::<bool>(),
    ) {
        let mut config = small(&torrent(3), 9);
        config.timing = super::super::Timing::default();
        config.tracker = Some(address(TRACKER));
        if fast {
            let reserved = Reserved::NONE.with_fast().with_extension_protocol();
            config = Config { reserved, pipeline: 3, ..config };
        }
        let mut peer = Peer::new(Arc::new(config));
        let mut choose = Seeded::new(seed);
        peer.step(Input::Ask(Request::Start), &mut choose, &mut Vec::new()).expect("it starts");
        for input in inputs {
            prop_assert_ne!(rejects_without_trace(&peer, input.clone(), &mut choose), Some(false));
            let mut out = Vec::new();
            let _ = peer.step(input, &mut choose, &mut out);
            // Nothing is said on a link that does not stand, nor to somebody who is gone.
            for output in &out {
                if let Output::Send { to, message: Message::Frame(_) } = output {
                    let closed = out.contains(&Output::Close(*to));
                    prop_assert!(closed || peer.neighbours().any(|neighbour| neighbour == *to));
                }
            }
        }
    }
}
