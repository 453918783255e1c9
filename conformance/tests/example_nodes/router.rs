//! A ring of programs: starts them, hands their lines around, asks and waits.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use peerproof::control::{Envelope, KIT};
use serde_json::{Map, Value, json};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a trial gives, or why it failed.
pub(crate) type Worked<T = ()> = Result<T, String>;

struct Program {
    child: Child,
    input: ChildStdin,
}

/// Programs that are nodes of one ring, m = 7 with lists of three.
pub(crate) struct Ring {
    command: String,
    network: String,
    replicas: u64,
    /// Its nodes listen on 127.1.`number`.x.
    number: u16,
    programs: BTreeMap<String, Program>,
    said: Receiver<String>,
    sayer: Sender<String>,
    asked: u64,
}

impl Ring {
    /// A ring of nobody.
    pub(crate) fn new(command: &str, network: &str, replicas: u64) -> Worked<Self> {
        static RINGS: AtomicU16 = AtomicU16::new(1);
        let (sayer, said) = channel();
        Ok(Self {
            command: command.to_owned(),
            network: network.to_owned(),
            replicas,
            number: RINGS.fetch_add(1, Ordering::Relaxed),
            programs: BTreeMap::new(),
            said,
            sayer,
            asked: 0,
        })
    }

    fn address(&self, point: u64) -> Value {
        if self.network == "kit" {
            return Value::Null;
        }
        json!(format!("127.1.{}.{}:7000", self.number, point + 1))
    }

    /// Starts a node that joins through another one, unless that is itself.
    pub(crate) fn start(&mut self, point: u64, introducer: u64) -> Worked {
        let name = format!("n{point}");
        let mut child = Command::new("sh")
            .args(["-c", &self.command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let input = child.stdin.take().ok_or("no standard input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let sayer = self.sayer.clone();
        // It ends with the program.
        std::thread::spawn(move || {
            let mut lines = output.lines().map_while(Result::ok);
            while lines.next().is_some_and(|line| sayer.send(line).is_ok()) {}
        });
        self.programs.insert(name.clone(), Program { child, input });
        let (ids, through) = if point == introducer {
            (json!([name]), Value::Null)
        } else {
            let other = format!("n{introducer}");
            let through = json!({"node_id": other, "address": self.address(introducer)});
            (json!([name, other]), through)
        };
        let init = json!({
            "type": "init", "node_id": name, "node_ids": ids, "protocol": "chord", "network": self.network,
            "address": self.address(point), "introducer": through,
            "ring": {"bits": 7, "id": point, "successors": 3, "replicas": self.replicas, "stabilize_ms": 100, "timeout_ms": 1000},
        });
        self.expect(point, &init, "init_ok").map(drop)
    }

    /// Kills a node.
    pub(crate) fn crash(&mut self, point: u64) {
        if let Some(mut program) = self.programs.remove(&format!("n{point}")) {
            let _ = program.child.kill();
            let _ = program.child.wait();
        }
    }

    /// Asks, and hands lines around until the answer is there, which must be of that type.
    pub(crate) fn expect(
        &mut self,
        point: u64,
        request: &Value,
        kind: &str,
    ) -> Worked<Map<String, Value>> {
        self.asked += 1;
        let (name, number) = (format!("n{point}"), self.asked);
        let mut body = request.as_object().cloned().unwrap_or_default();
        body.insert("msg_id".to_owned(), json!(number));
        let (src, dest) = (KIT.to_owned(), name.clone());
        self.deliver(&Envelope { src, dest, body });
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.said.recv_timeout(left);
            let line = line.map_err(|_| format!("{name} did not answer {request}"))?;
            let said = Envelope::parse(&line).map_err(|error| format!("{line}: {error}"))?;
            if said.dest != KIT {
                self.deliver(&said);
            } else if said.src == name && said.in_reply_to() == Some(number) {
                if said.kind() == Some(kind) {
                    return Ok(said.body);
                }
                return Err(format!("{name} answered {request} with {line}"));
            }
        }
    }

    /// Asks again and again until the answer is as wished.
    pub(crate) fn until(
        &mut self,
        point: u64,
        request: &Value,
        wished: impl Fn(&Map<String, Value>) -> bool,
    ) -> Worked {
        let kind = format!("{}_ok", request["type"].as_str().unwrap_or_default());
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.expect(point, request, &kind)?;
            if wished(&answer) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("n{point} still answers {answer:?}"));
            }
        }
    }

    fn deliver(&mut self, envelope: &Envelope) {
        if let Some(program) = self.programs.get_mut(&envelope.dest) {
            // One that is gone is noticed by its silence.
            let _ = writeln!(program.input, "{}", envelope.line());
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        for program in self.programs.values_mut() {
            let _ = program.child.kill();
            let _ = program.child.wait();
        }
    }
}
