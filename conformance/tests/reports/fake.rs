//! A small suite with one case of every verdict, to test the program and its reports on.

use std::time::Duration;

use peerproof::case::{CaseInfo, Level, Outcome, Verdict};
use peerproof::record::{Channel, Happening, Recorder, Transport};
use peerproof::suite::{Break, OpenError, Options, Session, Suite};
use peerproof::target::Target;
use peerproof_model::claim::{Claim, Source, Strength};

/// What a hostile target says: markup, terminal control, text direction.
pub(crate) const HOSTILE: &str = "<script>alert('x')</script> ]]> \u{1b}[31m \u{202e} & \0";

pub(crate) struct Fake;

static CLAIMS: [Claim; 1] = [Claim {
    id: "paper/answer",
    source: Source {
        document: "The Paper",
        section: "answers",
    },
    wording: "Every question is answered.",
    strength: Strength::Must,
    optional: true,
}];

const fn case(id: &'static str, level: Level) -> CaseInfo {
    CaseInfo {
        id,
        story: "The kit asks a question.",
        expected: "an answer",
        level,
        claims: &["paper/answer"],
        property: "every_question_is_answered",
        slow: false,
        alone: false,
    }
}

const CASES: [CaseInfo; 8] = [
    case("fake/ask/pass", Level::Must),
    case("fake/ask/fail", Level::Must),
    case("fake/ask/non-strict", Level::Should),
    case("fake/odd/unimplemented", Level::Must),
    case("fake/odd/inconclusive", Level::Must),
    case("fake/odd/error", Level::May),
    CaseInfo {
        slow: true,
        ..case("fake/odd/pass-slowly", Level::Must)
    },
    case("fake/seed/pass-when-even", Level::Must),
];

impl Suite for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn about(&self) -> &'static str {
        "a node that does everything wrong in turn"
    }

    fn cases(&self) -> Vec<CaseInfo> {
        CASES.to_vec()
    }

    fn claims(&self) -> &'static [Claim] {
        &CLAIMS
    }

    fn properties(&self) -> Vec<&'static str> {
        vec!["every_question_is_answered"]
    }

    fn breaks(&self) -> &'static [Break] {
        &[Break {
            name: "deaf",
            what: "does not answer",
            caught_by: "fake/ask/fail",
        }]
    }

    fn open(&self, target: &Target, _: &Options) -> Result<Box<dyn Session>, OpenError> {
        match target {
            Target::Address(address) if address.port() == 1 => Err(OpenError::Unreachable(
                format!("nobody answers at {address}"),
            )),
            target => Ok(Box::new(Opened(target.name()))),
        }
    }
}

struct Opened(String);

impl Session for Opened {
    fn play(&self, case: &CaseInfo, seed: u64) -> Outcome {
        let recorder = Recorder::new();
        let channel = recorder.channel(Channel {
            name: "asker".to_owned(),
            transport: Transport::Tcp,
            kit: "127.0.0.1:40000".parse().unwrap(),
            target: "127.0.0.1:6881".parse().unwrap(),
            peer: None,
            opened_by_target: false,
        });
        recorder.event(Some(channel), Happening::Opened, "connects");
        recorder.event(
            Some(channel),
            Happening::Sent(b"question".to_vec()),
            "question",
        );
        recorder.event(
            Some(channel),
            Happening::Received(HOSTILE.as_bytes().to_vec()),
            HOSTILE,
        );
        recorder.event(Some(channel), Happening::ClosedByTarget, "");
        let name = case.id.rsplit('/').next().unwrap();
        let verdict = match name {
            "pass-slowly" => Verdict::Pass,
            "pass-when-even" if seed.is_multiple_of(2) => Verdict::Pass,
            "pass-when-even" => Verdict::NonStrict,
            name => *Verdict::ALL
                .iter()
                .find(|verdict| verdict.word() == name)
                .unwrap(),
        };
        Outcome::new(
            verdict,
            format!("it said {HOSTILE}"),
            recorder.take(),
            Duration::from_millis(12),
        )
    }

    fn concurrency(&self) -> usize {
        2
    }

    fn target(&self) -> String {
        self.0.clone()
    }
}
