//! Whoever looks on at a swarm, and asks the properties of peers and trackers of every step.
//!
//! For each honest peer it keeps the same [`PeerView`] that the harness keeps of a foreign peer, fed at delivery
//! and emission. A model has no delays: when a peer has taken a step, everything that it owes on the links where
//! hands were shaken has been said (`Quiet`), and when nothing is under way any more, everything that it owes to
//! anybody (`Calm`).

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::participant::{Participant, Said, Timer};
use crate::bittorrent::message::AnnounceRequest;
use crate::bittorrent::node::{self, Message};
use crate::bittorrent::properties;
use crate::bittorrent::tracker_view::{Answer, Exchange, Question, TrackerMoment, TrackerView};
use crate::bittorrent::view::{Link, LinkView, Moment, Observation, PeerView};
use crate::node::{Input, Output};
use crate::property::{Judgement, Property};
use crate::system::{Findings, Observe, Place, Seen, Shared};

/// Looks on at the peers and the tracker of a swarm.
#[derive(Clone, Debug)]
pub struct Onlooker {
    /// What is known of each participant before anything happens; nothing of those it does not look at.
    pub(super) watched: Vec<Option<Watched>>,
    /// Whether blocks are sent when a timer expires: then nobody knows from outside what a peer owes by now, and
    /// what is judged only of peers that had their time is not asked.
    pub(super) paced: bool,
    /// The addresses of all, by place.
    pub(super) addresses: Vec<SocketAddr>,
    /// The properties of peers it asks.
    pub(super) of_peers: Vec<&'static Property<Moment>>,
    /// The properties of trackers it asks.
    pub(super) of_trackers: Vec<&'static Property<TrackerMoment>>,
}

/// What is known of one participant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Watched {
    /// Of a peer.
    Peer(Shared<PeerView>),
    /// Of the tracker, with the announce that it is about to answer.
    Tracker(
        Shared<TrackerView>,
        Option<Box<(SocketAddr, AnnounceRequest)>>,
    ),
}

/// What the onlooker remembers, by place.
pub type Memory = Vec<Option<Watched>>;

impl Onlooker {
    fn link(&self, address: &SocketAddr) -> Option<Link> {
        let place = self.addresses.iter().position(|known| known == address)?;
        Link::try_from(place).ok()
    }

    /// What an input tells of the peer that takes it.
    fn taken(&self, input: &Input<Participant>, dialled: bool) -> Option<Observation> {
        Some(match input {
            Input::Opened(with) => Observation::Opened {
                link: self.link(with)?,
                by_subject: dialled,
            },
            Input::Receive { from, message } => match &message.0 {
                Message::Frame(frame) => Observation::Told {
                    link: self.link(from)?,
                    frame: frame.clone(),
                },
                Message::Announced(answer) => Observation::Answered(answer.clone()),
                _ => return None,
            },
            Input::Closed(with) => Observation::ClosedByNeighbour(self.link(with)?),
            Input::Expire(Timer::Peer(node::Timer::Announce)) => Observation::AnnounceDue,
            Input::Expire(_) | Input::Ask(_) => return None,
        })
    }

    /// What an output tells of the peer that does it.
    fn done(&self, output: &Output<Participant>) -> Option<Observation> {
        Some(match output {
            Output::Send { to, message } => match &message.0 {
                Message::Frame(frame) => Observation::Heard {
                    link: self.link(to)?,
                    frame: frame.clone(),
                },
                Message::Announce(announce) => Observation::Announced(announce.clone()),
                _ => return None,
            },
            Output::Close(with) => Observation::ClosedBySubject(self.link(with)?),
            Output::Open(_)
            | Output::SetTimer { .. }
            | Output::CancelTimer(_)
            | Output::Tell(()) => return None,
        })
    }

    fn see_peer(&self, view: &mut Shared<PeerView>, now: Observation, findings: &mut Findings) {
        let mut moment = Moment {
            view: (**view).clone(),
            now,
        };
        judge(&self.of_peers, &moment, findings);
        moment.view.apply(&moment.now);
        if moment.view != **view {
            view.set(moment.view);
        }
    }

    /// The peer has done all that follows from its last input.
    fn see_quiet_links(&self, view: &mut Shared<PeerView>, findings: &mut Findings) {
        let shaken =
            |link: &LinkView| link.told.handshake.is_some() && link.heard.handshake.is_some();
        let open = view.links.iter();
        let open = open.filter(|(_, link)| link.is_open() && shaken(link));
        let open: Vec<Link> = open.map(|(link, _)| *link).collect();
        for link in open {
            self.see_peer(view, Observation::Quiet(link), findings);
        }
    }

    fn see_exchange(
        &self,
        view: &mut Shared<TrackerView>,
        (from, announce): (SocketAddr, AnnounceRequest),
        answer: Answer,
        findings: &mut Findings,
    ) {
        let mut moment = TrackerMoment {
            view: (**view).clone(),
            now: Exchange {
                from,
                question: Question::Announce(announce),
                answer,
                departure: None,
            },
        };
        judge(&self.of_trackers, &moment, findings);
        moment.view.apply(&moment.now);
        view.set(moment.view);
    }

    fn see_tracker(
        &self,
        view: &mut Shared<TrackerView>,
        asked: &mut Option<Box<(SocketAddr, AnnounceRequest)>>,
        seen: &Seen<'_, Participant>,
        findings: &mut Findings,
    ) {
        match seen {
            Seen::Took {
                input:
                    Input::Receive {
                        from,
                        message: Said(Message::Announce(announce)),
                    },
                ..
            } => *asked = Some(Box::new((*from, announce.clone()))),
            Seen::Did {
                output:
                    Output::Send {
                        message: Said(Message::Announced(answer)),
                        ..
                    },
                ..
            } => {
                if let Some(question) = asked.take() {
                    let answer = Answer::Announced(answer.clone());
                    self.see_exchange(view, *question, answer, findings);
                }
            }
            Seen::Stepped { .. } => {
                if let Some(question) = asked.take() {
                    self.see_exchange(view, *question, Answer::Nothing, findings);
                }
            }
            _ => {}
        }
    }
}

/// Asks the properties of a moment.
fn judge<V>(asked: &[&'static Property<V>], moment: &V, findings: &mut Findings) {
    for property in asked {
        match (property.judge)(moment) {
            Judgement::Unknown => {}
            Judgement::Holds => findings.tested.push(property.name),
            Judgement::Broken(why) => {
                findings.tested.push(property.name);
                findings.broken.push((property.name, why));
            }
        }
    }
}

/// At which place something is seen.
fn place(seen: &Seen<'_, Participant>) -> Option<Place> {
    match seen {
        Seen::Took { node, .. }
        | Seen::Refused { node, .. }
        | Seen::Did { node, .. }
        | Seen::Stepped { node, .. }
        | Seen::Departed { node, .. }
        | Seen::Joined(node) => Some(*node),
        Seen::Quiet => None,
    }
}

impl Observe<Participant> for Onlooker {
    type Memory = Memory;

    fn properties(&self) -> Vec<&'static str> {
        let peers = self.of_peers.iter().map(|property| property.name);
        let trackers = self.of_trackers.iter().map(|property| property.name);
        peers.chain(trackers).collect()
    }

    fn begin(&self) -> Memory {
        self.watched.clone()
    }

    fn see(&self, memory: &mut Memory, seen: &Seen<'_, Participant>, findings: &mut Findings) {
        let Some(place) = place(seen) else {
            for watched in memory.iter_mut().flatten() {
                if let Watched::Peer(view) = watched
                    && !self.paced
                {
                    self.see_peer(view, Observation::Calm, findings);
                }
            }
            return;
        };
        let at = usize::from(place);
        if let Seen::Joined(_) = seen {
            // A peer that joins again is a new one to everybody.
            memory[at].clone_from(&self.watched[at]);
        }
        let Some(watched) = &mut memory[at] else {
            return;
        };
        let view = match watched {
            Watched::Tracker(view, asked) => {
                return self.see_tracker(view, asked, seen, findings);
            }
            Watched::Peer(view) => view,
        };
        match seen {
            Seen::Took { input, dialled, .. } => {
                if let Some(now) = self.taken(input, *dialled) {
                    self.see_peer(view, now, findings);
                }
            }
            Seen::Did { output, .. } => {
                if let Some(now) = self.done(output) {
                    self.see_peer(view, now, findings);
                }
            }
            Seen::Stepped { expired, .. } => {
                if *expired == Some(&Timer::Peer(node::Timer::Rechoke)) {
                    self.see_peer(view, Observation::ChokeRound, findings);
                }
                if !self.paced {
                    self.see_quiet_links(view, findings);
                }
            }
            Seen::Departed { crashed, .. } => {
                if !crashed {
                    self.see_peer(view, Observation::Left, findings);
                }
                memory[at] = None;
            }
            Seen::Joined(_) | Seen::Refused { .. } | Seen::Quiet => {}
        }
    }
}

/// The properties of peers but for those with these names.
pub(super) fn of_peers(without: &BTreeSet<&'static str>) -> Vec<&'static Property<Moment>> {
    properties::peer()
        .filter(|property| !without.contains(property.name))
        .collect()
}

/// The properties of trackers but for those with these names.
pub(super) fn of_trackers(
    without: &BTreeSet<&'static str>,
) -> Vec<&'static Property<TrackerMoment>> {
    properties::of_trackers()
        .filter(|property| !without.contains(property.name))
        .collect()
}

/// A view that states share.
pub(super) fn watch_peer(view: PeerView) -> Watched {
    Watched::Peer(Shared::new(view))
}

/// A view that states share.
pub(super) fn watch_tracker() -> Watched {
    Watched::Tracker(Shared::new(TrackerView::new(true)), None)
}
