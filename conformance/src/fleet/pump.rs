//! What is done with everything that arrives: lines are read, answers entered, messages posted and delivered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::books::Entry;
use super::mistakes::short;
use super::network::Parcel;
use super::{Fleet, MOST_MESSAGE, What, Wrong};
use crate::control::ring::Network;
use crate::control::{Arrival, Envelope, KIT, LineError, News};

/// How many arrivals are read before messages that are due are delivered again.
const BATCH: usize = 64;

/// How long what has come in time is still read when time is over.
const GRACE: Duration = Duration::from_secs(1);

/// The longest sleep, so that a clock that jumps does no harm.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

impl Fleet {
    /// Handles what comes until it is `done`, or until then. What has come by then is handled in any case.
    pub(super) fn pump_until(&mut self, until: Instant, done: impl Fn(&Self) -> bool) {
        loop {
            self.deliver();
            if done(self) {
                return;
            }
            let now = Instant::now();
            if self.take_in_batch() {
                // An answer may stand behind a flood, but a flood does not keep the caller for ever.
                if now < until + GRACE {
                    continue;
                }
                return;
            }
            if now >= until {
                return;
            }
            let next = self.network.next_due().map_or(until, |due| due.min(until));
            let sleep = next.saturating_duration_since(now).min(LONGEST_SLEEP);
            if let Ok(arrival) = self.inbox.recv_timeout(sleep) {
                self.take_in(arrival);
            }
        }
    }

    /// Handles what has come, but not for ever: whether anything had, so that what is waited for may be there.
    fn take_in_batch(&mut self) -> bool {
        for count in 0..BATCH {
            let Ok(arrival) = self.inbox.try_recv() else {
                return count > 0;
            };
            self.take_in(arrival);
        }
        true
    }

    fn take_in(&mut self, arrival: Arrival) {
        let Arrival { from, at, news } = arrival;
        let Some(member) = self.members.get_mut(&from) else {
            return;
        };
        match news {
            News::Ended(how) => {
                member.set_said_all();
                if self.ended(&from, &how, What::Ended) {
                    self.mistake(&from, Wrong::Ended(how));
                }
            }
            News::Overused(how) => {
                member.set_said_all();
                if self.ended(&from, &how, What::Ended) {
                    self.mistake(&from, Wrong::Overused(how));
                }
            }
            // What a crashed node had said before reaches nobody: the kit ended it, and does not wait for it.
            News::Line(_) | News::LineTooLong if member.life().is_none() => {}
            News::Line(line) => match member.spend(at, line.len()) {
                Ok(()) => self.read(&from, &line),
                Err(how) => self.end_flood(&from, how),
            },
            News::LineTooLong => {
                let number = member.lines + 1;
                let spent = member.spend(at, crate::control::MOST_LINE);
                let error = LineError::TooLong;
                self.mistake(&from, Wrong::Line { number, error });
                if let Err(how) = spent {
                    self.end_flood(&from, how);
                }
            }
        }
    }

    fn end_flood(&mut self, node: &str, how: String) {
        if self.ended(node, &how, What::Ended) {
            self.mistake(node, Wrong::Overused(how));
        }
    }

    /// The node is gone: whether that is news.
    fn ended(&mut self, node: &str, how: &str, what: What) -> bool {
        let ended = self.members.get_mut(node).is_some_and(|it| it.end(how));
        if ended {
            self.books.lose(node, how);
            self.note(what, node, how.to_owned());
        }
        ended
    }

    fn read(&mut self, from: &str, line: &str) {
        let number = self.members.get(from).map_or(0, |member| member.lines);
        let envelope = match Envelope::parse(line) {
            Ok(envelope) => envelope,
            Err(error) => return self.mistake(from, Wrong::Line { number, error }),
        };
        if envelope.src != from {
            let said = short(&envelope.src);
            return self.mistake(from, Wrong::Source { number, said });
        }
        if envelope.dest != KIT {
            return self.post(envelope, line, number);
        }
        let entry = self.books.enter(from, &envelope);
        if entry == Entry::Unasked {
            let in_reply_to = envelope.in_reply_to();
            self.mistake(
                from,
                Wrong::Unasked {
                    number,
                    in_reply_to,
                },
            );
        }
        if entry != Entry::Unasked
            && let Some(member) = self.members.get_mut(from)
        {
            member.answered = Some(Instant::now());
        }
        let note = match entry {
            Entry::Taken => "",
            Entry::Late => "late",
            Entry::Unasked => "unasked",
        };
        let body = Arc::new(envelope.body);
        self.saw(What::Answered, from, None, body, line.len(), note);
    }

    /// A message for another node.
    fn post(&mut self, envelope: Envelope, line: &str, number: u64) {
        let Envelope { src, dest, body } = envelope;
        let bytes = if line.len() > MOST_MESSAGE {
            serde_json::to_string(&body).unwrap_or_default().len()
        } else {
            0
        };
        if bytes > MOST_MESSAGE {
            return self.mistake(&src, Wrong::Message { number, bytes });
        }
        let body = Arc::new(body);
        let bytes = line.len();
        self.saw(
            What::Sent,
            &src,
            Some(&short(&dest)),
            Arc::clone(&body),
            bytes,
            "",
        );
        if self.plan.network == Network::Sockets {
            let why = "lost: nodes talk over sockets here";
            return self.saw(What::Lost, &src, Some(&short(&dest)), body, 0, why);
        }
        if !self.members.contains_key(&dest) {
            let why = "lost: nobody has that name";
            return self.saw(What::Lost, &src, Some(&short(&dest)), body, 0, why);
        }
        let parcel = Parcel {
            src: src.clone(),
            dest: dest.clone(),
            line: line.into(),
            body: Arc::clone(&body),
        };
        if let Err(loss) = self.network.post(Instant::now(), &parcel) {
            self.saw(What::Lost, &src, Some(&dest), body, 0, loss.words());
        }
    }

    /// Hands over every message that is due.
    fn deliver(&mut self) {
        let now = Instant::now();
        while let Some((parcel, arrives)) = self.network.take(now) {
            let Parcel {
                src,
                dest,
                line,
                body,
            } = parcel;
            let lost = match arrives {
                Err(loss) => Some(loss.words()),
                Ok(()) => match self.members.get(&dest).map(|it| it.say(&line)) {
                    Some(Ok(true)) => None,
                    Some(Ok(false)) => Some("lost: the node does not read"),
                    Some(Err(_)) | None => Some("lost: the node is gone"),
                },
            };
            match lost {
                None => self.saw(What::Delivered, &dest, Some(&src), body, 0, ""),
                Some(why) => self.saw(What::Lost, &src, Some(&dest), body, 0, why),
            }
        }
    }
}
