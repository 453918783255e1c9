//! Sequence diagrams for Mermaid.

use std::fmt::Write;

/// One line of a sequence diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Somebody causes something at somebody.
    Message {
        /// Who.
        from: String,
        /// At whom.
        to: String,
        /// What.
        what: String,
    },
    /// Something happens at somebody.
    Note {
        /// At whom.
        over: String,
        /// What.
        what: String,
    },
}

/// A sequence diagram of these participants, from left to right.
pub fn sequence_diagram<'a>(
    participants: impl IntoIterator<Item = &'a str>,
    lines: impl IntoIterator<Item = Line>,
) -> String {
    let mut text = String::from("sequenceDiagram\n");
    for name in participants {
        let _ = writeln!(text, "    participant {}", plain(name));
    }
    for line in lines {
        let _ = match line {
            Line::Message { from, to, what } => {
                let (from, to, what) = (plain(&from), plain(&to), plain(&what));
                writeln!(text, "    {from}->>{to}: {what}")
            }
            Line::Note { over, what } => {
                writeln!(text, "    Note over {}: {}", plain(&over), plain(&what))
            }
        };
    }
    text
}

/// Text that Mermaid takes as text: its own separators are replaced.
pub(super) fn plain(text: &str) -> String {
    text.replace([';', '#'], ",").replace('\n', " ")
}
