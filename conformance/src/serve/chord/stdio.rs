//! One reference node over standard input and output.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::Arc;

use super::breaks::{BREAKS, Bug};
use super::desk::Desk;
use super::life::{Inbox, live};
use crate::control::MOST_LINE;
use crate::serve::Speaker;
use crate::suite::{Break, OpenError};

/// `peerproof serve chord`.
#[derive(Clone, Copy, Debug)]
pub struct Ring;

impl Speaker for Ring {
    fn name(&self) -> &'static str {
        "chord"
    }

    fn about(&self) -> &'static str {
        "a node of a Chord ring, on the control plane"
    }

    fn breaks(&self) -> &'static [Break] {
        BREAKS
    }

    fn converse(
        &self,
        bug: Option<&str>,
        input: Box<dyn Read + Send>,
        output: &mut dyn Write,
    ) -> Result<(), OpenError> {
        let bug = match bug {
            None => None,
            Some(name) => Some(Bug::by_name(name).ok_or_else(|| {
                OpenError::Usage(format!("the ring node has no break called `{name}`"))
            })?),
        };
        let inbox = Arc::new(Inbox::default());
        let told = Arc::clone(&inbox);
        // It waits for input that may never come: nobody waits for it.
        std::thread::spawn(move || {
            read(BufReader::new(input), &told);
            told.close();
        });
        live(Desk::new(bug), &inbox, |line| {
            let written = writeln!(output, "{line}").and_then(|()| output.flush());
            written.is_ok()
        });
        let last = inbox.complaints();
        if !last.is_empty() {
            eprint!("{last}");
        }
        Ok(())
    }
}

/// Hands every line over; one that is too long is cut, and so no envelope.
fn read(mut input: impl BufRead, inbox: &Inbox) {
    let most = MOST_LINE as u64 + 2;
    let mut line = Vec::new();
    loop {
        line.clear();
        match input.by_ref().take(most).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if line.last() != Some(&b'\n')
            && line.len() as u64 == most
            && input.skip_until(b'\n').is_err()
        {
            return;
        }
        while line
            .last()
            .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
        {
            line.pop();
        }
        if !line.is_empty() && !inbox.push(String::from_utf8_lossy(&line).into_owned()) {
            return;
        }
    }
}
