//! Lines and datagrams: what is asked, answered, and heard twice.

use super::*;

impl Node {
    pub(crate) fn send(&self, dest: &str, body: &Value) {
        let Some(config) = self.config.get() else {
            return;
        };
        match &config.socket {
            Some(socket) if dest != "kit" => {
                let envelope = json!({"src": config.me.1, "dest": dest, "body": body});
                // What cannot be sent is lost, as on a network.
                let _ = socket.send_to(envelope.to_string().as_bytes(), dest);
            }
            _ => println!(
                "{}",
                json!({"src": config.name, "dest": dest, "body": body})
            ),
        }
    }

    /// The answer of another node. Whoever is silent, or no member, counts as gone.
    pub(crate) fn call(&self, node: &Contact, kind: &str, fields: Value, patience: u32) -> Answer {
        let config = self.config()?;
        if *node == config.me {
            return self.peer(kind, &fields);
        }
        let question = self.questions.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = channel();
        lock(&self.waiting).insert(question, sender);
        let mut body = fields;
        body["type"] = json!(kind);
        body["msg_id"] = json!(question);
        let mut tries = 0..TRIES * patience;
        let answer = tries.find_map(|_| {
            self.send(&node.1, &body);
            receiver.recv_timeout(config.timeout / TRIES).ok()
        });
        lock(&self.waiting).remove(&question);
        match answer.filter(|answer| answer["type"] != "error") {
            Some(answer) => Ok(answer),
            None => {
                self.bury(node);
                Err(Trouble::Silent)
            }
        }
    }

    /// A line from the kit or from another node.
    pub(crate) fn receive(self: &Arc<Self>, line: &str) {
        let Ok(envelope) = serde_json::from_str::<Value>(line) else {
            return eprintln!("no envelope: {line}");
        };
        let (src, body) = (
            envelope["src"].as_str().unwrap_or_default(),
            envelope["body"].clone(),
        );
        if let Some(question) = body["in_reply_to"].as_u64() {
            if let Some(sender) = lock(&self.waiting).get(&question) {
                // Whoever asked may have given up meanwhile.
                let _ = sender.send(body);
            }
            return;
        }
        let Some(question) = body["msg_id"].as_u64() else {
            return;
        };
        let asked = (src.to_owned(), question);
        if src != "kit" {
            let mut answered = lock(&self.answered);
            if let Some(known) = answered.0.get(&asked) {
                if let Some(answer) = known {
                    self.send(src, answer);
                }
                return;
            }
            answered.0.insert(asked.clone(), None);
            answered.1.push_back(asked.clone());
            if answered.1.len() > ANSWERS
                && let Some(oldest) = answered.1.pop_front()
            {
                answered.0.remove(&oldest);
            }
        }
        let node = Arc::clone(self);
        thread::spawn(move || node.answer(&asked, &body));
    }

    pub(crate) fn answer(self: &Arc<Self>, asked: &Asked, body: &Value) {
        let kind = body["type"].as_str().unwrap_or_default();
        let (src, question) = (asked.0.clone(), asked.1);
        let answer = if src == "kit" {
            self.kit(kind, body)
        } else {
            self.foreign(kind, body)
        };
        let mut answer = match answer {
            Ok(mut body) => {
                body["type"] = json!(format!("{kind}_ok"));
                body
            }
            Err(Trouble::Refused(code, text)) => {
                json!({"type": "error", "code": code, "text": text})
            }
            Err(Trouble::Silent) => {
                json!({"type": "error", "code": 0, "text": "nobody who should know has answered"})
            }
        };
        answer["in_reply_to"] = json!(question);
        self.send(&src, &answer);
        if let Some(known) = lock(&self.answered).0.get_mut(asked) {
            *known = Some(answer);
        }
    }
}
