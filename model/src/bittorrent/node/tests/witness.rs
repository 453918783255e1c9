//! Looks on while one peer is stepped, and asks every fact about peers of everything it does.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::{Address, Config, Message, Peer, Request, Timer};
use crate::bittorrent::properties;
use crate::bittorrent::view::{Expected, Link, Moment, Observation, PeerView};
use crate::node::{Input, Output};
use crate::property::Judgement;

pub(super) type Judgements = BTreeMap<&'static str, Judgement>;

pub(super) struct Witness {
    view: PeerView,
    links: BTreeMap<Address, Link>,
    opened: Link,
    dialled: Vec<(Address, Expected)>,
    judgements: Judgements,
}

impl Witness {
    pub(super) fn new(config: &Config) -> Self {
        let slots = u32::try_from(config.slots()).ok();
        Self {
            view: PeerView::new(config.torrent.clone(), config.initial.clone(), slots),
            links: BTreeMap::new(),
            opened: 0,
            dialled: Vec::new(),
            judgements: properties::peer()
                .map(|fact| (fact.name, Judgement::Unknown))
                .collect(),
        }
    }

    fn see(&mut self, now: Observation) {
        let mut moment = Moment {
            view: self.view.clone(),
            now,
        };
        for fact in properties::peer() {
            let known = self
                .judgements
                .entry(fact.name)
                .or_insert(Judgement::Unknown);
            let before = std::mem::replace(known, Judgement::Unknown);
            *known = before.and_then((fact.judge)(&moment));
        }
        moment.view.apply(&moment.now);
        self.view = moment.view;
    }

    /// The peer is about to take the input.
    pub(super) fn took(&mut self, input: &Input<Peer>) {
        match input {
            Input::Opened(address) => self.opened(*address),
            Input::Closed(address) => {
                if let Some(link) = self.links.remove(address) {
                    self.see(Observation::ClosedByNeighbour(link));
                }
            }
            Input::Receive { from, message } => match (message, self.links.get(from)) {
                (Message::Frame(frame), Some(link)) => {
                    let told = Observation::Told {
                        link: *link,
                        frame: frame.clone(),
                    };
                    self.see(told);
                }
                (Message::Announced(response), _) => {
                    self.see(Observation::Answered(response.clone()));
                }
                _ => {}
            },
            Input::Ask(Request::Dial { address, peer_id }) => {
                let expected = Expected {
                    ip: None,
                    peer_id: *peer_id,
                };
                self.dialled.push((*address, expected));
            }
            Input::Expire(Timer::Announce) => self.see(Observation::AnnounceDue),
            Input::Expire(_) | Input::Ask(_) => {}
        }
    }

    fn opened(&mut self, address: Address) {
        let link = self.opened;
        self.opened += 1;
        self.links.insert(address, link);
        let place = self
            .dialled
            .iter()
            .position(|(dialled, _)| *dialled == address);
        let dialled = place.map(|place| self.dialled.remove(place).1);
        let mut expected = dialled.unwrap_or_default();
        if let IpAddr::V4(ip) = address.ip() {
            expected.ip = Some(ip);
        }
        self.view.expected.insert(link, expected);
        let by_subject = dialled.is_some();
        self.see(Observation::Opened { link, by_subject });
    }

    /// The peer took the input and did that.
    pub(super) fn did(&mut self, input: &Input<Peer>, outputs: &[Output<Peer>]) {
        for output in outputs {
            match output {
                Output::Send {
                    to,
                    message: Message::Frame(frame),
                } => {
                    if let Some(link) = self.links.get(to) {
                        let heard = Observation::Heard {
                            link: *link,
                            frame: frame.clone(),
                        };
                        self.see(heard);
                    }
                }
                Output::Send {
                    message: Message::Announce(announce),
                    ..
                } => {
                    self.see(Observation::Announced(announce.clone()));
                }
                Output::Open(address) => self.dials(*address),
                Output::Close(address) => {
                    if let Some(link) = self.links.remove(address) {
                        self.see(Observation::ClosedBySubject(link));
                    }
                }
                _ => {}
            }
        }
        match input {
            Input::Expire(Timer::Rechoke) => self.see(Observation::ChokeRound),
            Input::Ask(Request::Stop) => self.see(Observation::Left),
            _ => {}
        }
    }

    fn dials(&mut self, address: Address) {
        if !self.dialled.iter().any(|(dialled, _)| *dialled == address) {
            self.dialled.push((address, Expected::default()));
        }
    }

    /// Everything that the peer owes had its time.
    pub(super) fn quiet(&mut self) {
        let links: Vec<Link> = self.links.values().copied().collect();
        for link in links {
            self.see(Observation::Quiet(link));
        }
    }

    /// The same, and the neighbours gave what they owe.
    pub(super) fn calm(&mut self) {
        self.quiet();
        self.see(Observation::Calm);
    }

    pub(super) fn judgements(&self) -> &Judgements {
        &self.judgements
    }
}
