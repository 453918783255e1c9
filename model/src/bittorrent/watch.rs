//! Judges what is seen of a peer, moment by moment, also when nobody knows what it has read so far.
//!
//! In the model a message is told when it is delivered, and every moment has one explanation. On a socket the
//! observer knows what it *sent*: how much of that the subject had read when it spoke is unknown. So what was
//! sent stays pending until an answer, or a settled link, proves that it was read, and a moment counts as
//! broken only when it is broken whatever the subject had read.

use std::collections::BTreeMap;

use super::message::{MetadataMessage, PeerMessage};
use super::view::{Expected, Frame, Link, Moment, Observation, PeerView};
use super::wire::extension::decode_metadata_tolerant;
use super::wire::torrent_bounds::has_bit;
use crate::property::{Judgement, Property};

/// An observer with questions.
#[derive(Clone, Debug)]
pub struct Watch {
    view: PeerView,
    pending: BTreeMap<Link, Vec<Frame>>,
    asked: Vec<(&'static Property<Moment>, Judgement)>,
}

impl Watch {
    /// Asks `properties` about a subject of which `view` is known.
    pub fn new(
        view: PeerView,
        properties: impl IntoIterator<Item = &'static Property<Moment>>,
    ) -> Self {
        Self {
            view,
            pending: BTreeMap::new(),
            asked: properties
                .into_iter()
                .map(|property| (property, Judgement::Unknown))
                .collect(),
        }
    }

    /// Enters what is known beforehand of the neighbour on a link.
    pub fn expect(&mut self, link: Link, expected: Expected) {
        self.view.expected.insert(link, expected);
    }

    /// What is known, without what is pending.
    pub fn view(&self) -> &PeerView {
        &self.view
    }

    /// What is known if everything that was sent on every link has been read.
    pub fn view_if_read(&self) -> PeerView {
        let mut view = self.view.clone();
        for (link, frames) in &self.pending {
            for frame in frames {
                view.apply(&told(*link, frame.clone()));
            }
        }
        view
    }

    /// What each property says of everything seen so far.
    pub fn judgements(&self) -> impl Iterator<Item = (&'static str, &Judgement)> {
        self.asked
            .iter()
            .map(|(property, judgement)| (property.name, judgement))
    }

    /// What the property of that name says; `Unknown` when it was not asked.
    pub fn judgement(&self, name: &str) -> Judgement {
        self.judgements()
            .find(|(asked, _)| *asked == name)
            .map_or(Judgement::Unknown, |(_, judgement)| judgement.clone())
    }

    /// Sees something. What the neighbours say (`Told`) is taken as sent, not yet as read.
    pub fn observe(&mut self, observation: Observation) {
        match observation {
            Observation::Told { link, frame } => self.pending.entry(link).or_default().push(frame),
            Observation::Heard { link, frame } => self.on_heard(link, frame),
            Observation::Quiet(link) | Observation::ClosedBySubject(link) => {
                self.settle(link);
                self.enter(observation);
            }
            // A tracker hears of everything that was read, and nobody knows how much that is.
            Observation::Announced(_) => {
                let view = self.view_if_read();
                let moment = Moment {
                    view,
                    now: observation,
                };
                let judgements = judge_all(&self.asked, &moment);
                self.record(judgements);
                self.view.apply(&moment.now);
            }
            other => self.enter(other),
        }
    }

    /// Everything sent on the link so far is known to have been read.
    pub fn settle(&mut self, link: Link) {
        for frame in self.pending.remove(&link).unwrap_or_default() {
            self.enter(told(link, frame));
        }
    }

    fn on_heard(&mut self, link: Link, frame: Frame) {
        let pending = self.pending.remove(&link).unwrap_or_default();
        let answered = pending.iter().rposition(|sent| answers(&frame, sent));
        let enabled = self.enabled_by(link, &frame, &pending);
        let read = answered.max(enabled).map_or(0, |last| last + 1);
        let mut pending = pending.into_iter();
        for sent in pending.by_ref().take(read) {
            self.enter(told(link, sent));
        }
        let rest: Vec<Frame> = pending.collect();
        self.read_elsewhere(link, &frame);
        let heard = Observation::Heard { link, frame };
        // Every prefix of what is pending is one explanation of this moment.
        let mut moment = Moment {
            view: self.view.clone(),
            now: heard.clone(),
        };
        let mut explanations: Vec<Judgement> = judge_all(&self.asked, &moment);
        for sent in &rest {
            moment.view.apply(&told(link, sent.clone()));
            for (known, other) in explanations.iter_mut().zip(judge_all(&self.asked, &moment)) {
                *known = std::mem::replace(known, Judgement::Unknown).either(other);
            }
        }
        self.record(explanations);
        self.view.apply(&heard);
        if !rest.is_empty() {
            self.pending.insert(link, rest);
        }
    }

    /// What is said on one link may show that blocks were read on another.
    fn read_elsewhere(&mut self, link: Link, heard: &Frame) {
        let has = self.view.links.get(&link).map(|link| link.told.has.clone());
        let shows = |sent: &Frame| match (heard, sent) {
            (
                Frame::Message(PeerMessage::Have(verified)),
                Frame::Message(PeerMessage::Piece { index, .. }),
            ) => verified == index,
            (
                Frame::Message(PeerMessage::Cancel(block)),
                Frame::Message(PeerMessage::Piece { index, begin, .. }),
            ) => (block.index, block.begin) == (*index, *begin),
            (
                Frame::Message(PeerMessage::NotInterested),
                Frame::Message(PeerMessage::Piece { index, .. }),
            ) => has.as_ref().is_some_and(|has| has.contains(*index)),
            _ => false,
        };
        let others: Vec<Link> = self
            .pending
            .keys()
            .copied()
            .filter(|other| *other != link)
            .collect();
        for other in others {
            let Some(pending) = self.pending.get_mut(&other) else {
                continue;
            };
            let read = pending.iter().rposition(shows).map_or(0, |last| last + 1);
            for sent in pending.drain(..read).collect::<Vec<_>>() {
                self.enter(told(other, sent));
            }
        }
    }

    /// The first sentence without which the subject had no innocent reason to say `heard`, as far as it matters
    /// that it was read: the unchoke before a request, the announced piece before an interest.
    fn enabled_by(&self, link: Link, heard: &Frame, pending: &[Frame]) -> Option<usize> {
        let link = self.view.links.get(&link)?;
        let says = |sent: &Frame| match (heard, sent) {
            (Frame::Message(PeerMessage::Request(block)), Frame::Message(PeerMessage::Unchoke)) => {
                link.told.choking && !link.told.allowed_fast.contains(&block.index)
            }
            (
                Frame::Message(PeerMessage::Interested),
                Frame::Message(
                    PeerMessage::Bitfield(_) | PeerMessage::HaveAll | PeerMessage::Have(_),
                ),
            ) => link.told.has.is_empty(),
            _ => false,
        };
        pending.iter().position(says)
    }

    fn enter(&mut self, now: Observation) {
        let moment = Moment {
            view: self.view.clone(),
            now,
        };
        let judgements = judge_all(&self.asked, &moment);
        self.record(judgements);
        self.view = moment.view;
        self.view.apply(&moment.now);
    }

    fn record(&mut self, judgements: Vec<Judgement>) {
        for ((_, known), new) in self.asked.iter_mut().zip(judgements) {
            *known = std::mem::replace(known, Judgement::Unknown).and_then(new);
        }
    }
}

fn told(link: Link, frame: Frame) -> Observation {
    Observation::Told { link, frame }
}

fn judge_all(asked: &[(&'static Property<Moment>, Judgement)], moment: &Moment) -> Vec<Judgement> {
    asked
        .iter()
        .map(|(property, _)| (property.judge)(moment))
        .collect()
}

/// Whether hearing `heard` proves that the subject had read `sent`.
///
/// A subject that had not read it has no innocent reason to say that; where it is guilty, another sentence is.
fn answers(heard: &Frame, sent: &Frame) -> bool {
    let (heard, sent) = match (heard, sent) {
        (Frame::Message(heard), Frame::Message(sent)) => (heard, sent),
        (Frame::Message(heard), Frame::Handshake(_)) => return needs_a_bit(heard),
        _ => return false,
    };
    match (heard, sent) {
        (PeerMessage::Piece { index, begin, .. }, PeerMessage::Request(block)) => {
            (*index, *begin) == (block.index, block.begin)
        }
        (PeerMessage::RejectRequest(rejected), PeerMessage::Request(block)) => rejected == block,
        (PeerMessage::Request(wanted), PeerMessage::Have(piece)) => wanted.index == *piece,
        (PeerMessage::Request(wanted), PeerMessage::Bitfield(bits)) => has_bit(bits, wanted.index),
        (PeerMessage::Request(_), PeerMessage::HaveAll) => true,
        (PeerMessage::Have(verified), PeerMessage::Piece { index, .. }) => verified == index,
        (PeerMessage::NotInterested, PeerMessage::Piece { .. }) => true,
        // The id comes from the extension handshake, the block from the request.
        (
            PeerMessage::Extended { id: 1.., payload },
            PeerMessage::Extended { id, payload: sent },
        ) => *id == 0 || is_metadata_answer(payload, sent),
        _ => false,
    }
}

/// Whether nobody says this without having seen a reserved bit in the other end's handshake.
fn needs_a_bit(heard: &PeerMessage) -> bool {
    matches!(
        heard,
        PeerMessage::HaveAll
            | PeerMessage::HaveNone
            | PeerMessage::SuggestPiece(_)
            | PeerMessage::RejectRequest(_)
            | PeerMessage::AllowedFast(_)
            | PeerMessage::Extended { .. }
    )
}

/// Whether one metadata message answers the other.
fn is_metadata_answer(heard: &[u8], sent: &[u8]) -> bool {
    use MetadataMessage::{Data, Reject, Request};
    match (
        decode_metadata_tolerant(heard),
        decode_metadata_tolerant(sent),
    ) {
        (Ok((Data { piece, .. } | Reject { piece }, _)), Ok((Request { piece: requested }, _))) => {
            piece == requested
        }
        _ => false,
    }
}
