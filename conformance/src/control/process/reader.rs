//! Reads what a node writes, line by line, and never keeps more of a line than a line may have.

use std::io::Read;

use super::super::MOST_LINE;

/// What a reader finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A line, without its end.
    Line(String),
    /// So many bytes of a line that is too long, which are not kept.
    Excess(usize),
}

/// Whether text after the last end of a line is a prompt: then it counts as a line.
pub(super) type IsPrompt = Box<dyn Fn(&str) -> bool + Send>;

/// The longest text that is looked at as a prompt, in bytes.
const MOST_PROMPT: usize = 256;

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    /// Whether the rest of the line is thrown away.
    skips: bool,
}

impl Lines {
    /// Takes bytes and hands on what is complete, until `take` has enough.
    pub(super) fn feed(&mut self, bytes: &[u8], take: &mut dyn FnMut(Piece) -> bool) -> bool {
        for chunk in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match chunk.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (chunk, false),
            };
            let goes_on = if self.skips {
                take(Piece::Excess(text.len()))
            } else if self.line.len() + text.len() > MOST_LINE {
                let excess = std::mem::take(&mut self.line).len() + text.len();
                self.skips = true;
                take(Piece::Excess(excess))
            } else {
                self.line.extend_from_slice(text);
                !ends || take(Piece::Line(self.finish()))
            };
            if ends {
                self.skips = false;
            }
            if !goes_on {
                return false;
            }
        }
        true
    }

    /// What stands after the last end of a line, if it is a prompt.
    fn prompt(&mut self, is_prompt: &IsPrompt) -> Option<Piece> {
        let short = !self.line.is_empty() && self.line.len() <= MOST_PROMPT;
        let text = short.then(|| String::from_utf8_lossy(&self.line).into_owned());
        text.filter(|text| is_prompt(text))
            .map(|_| Piece::Line(self.finish()))
    }

    /// What stands after the last end of a line.
    pub(super) fn rest(&mut self) -> Option<Piece> {
        (!self.line.is_empty()).then(|| Piece::Line(self.finish()))
    }

    fn finish(&mut self) -> String {
        let line = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        line
    }
}

/// Reads until the end, or until `take` has enough.
pub(super) fn read(mut pipe: impl Read, is_prompt: &IsPrompt, take: &mut dyn FnMut(Piece) -> bool) {
    let mut lines = Lines::default();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                let prompt = |lines: &mut Lines| lines.prompt(is_prompt);
                if !lines.feed(&buffer[..count], take) || !prompt(&mut lines).is_none_or(&mut *take)
                {
                    return;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    if let Some(rest) = lines.rest() {
        take(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(chunks: &[&[u8]]) -> Vec<Piece> {
        let mut lines = Lines::default();
        let mut pieces = Vec::new();
        for chunk in chunks {
            assert!(lines.feed(chunk, &mut |piece| {
                pieces.push(piece);
                true
            }));
        }
        pieces.extend(lines.rest());
        pieces
    }

    fn line(text: &str) -> Piece {
        Piece::Line(text.to_owned())
    }

    #[test]
    fn lines_do_not_depend_on_how_they_are_cut() {
        let expected = [line("one"), line(""), line("two"), line("three")];
        assert_eq!(pieces(&[b"one\n\ntwo\nthree"]), expected);
        assert_eq!(
            pieces(&[b"o", b"ne", b"\n", b"\ntwo\nth", b"ree"]),
            expected
        );
        assert_eq!(pieces(&[b"\xff\n"]), [line("\u{fffd}")]);
    }

    #[test]
    fn a_line_that_is_too_long_is_thrown_away_and_the_next_one_is_not() {
        let long = vec![b'x'; MOST_LINE];
        let found = pieces(&[&long, b"\n", &long, b"y", b"yy\nz\n"]);
        assert_eq!(found.len(), 4);
        assert_eq!(found[0], Piece::Line("x".repeat(MOST_LINE)));
        assert_eq!(
            found[1..],
            [Piece::Excess(MOST_LINE + 1), Piece::Excess(2), line("z")]
        );
    }

    #[test]
    fn a_prompt_is_a_line() {
        let text: &[u8] = b"hello\n> one\n> ";
        let mut pieces = Vec::new();
        let is_prompt: IsPrompt = Box::new(|text| text == "> ");
        read(text, &is_prompt, &mut |piece| {
            pieces.push(piece);
            true
        });
        assert_eq!(pieces, [line("hello"), line("> one"), line("> ")]);
        let mut cut = Lines::default();
        assert!(cut.feed(b"x\n> ", &mut |_| true));
        let is_prompt: IsPrompt = Box::new(|text| text == "> ");
        assert_eq!(cut.prompt(&is_prompt), Some(line("> ")));
        assert_eq!(cut.prompt(&is_prompt), None);
        assert_eq!(cut.rest(), None);
    }

    #[test]
    fn who_has_enough_is_not_given_more() {
        let mut lines = Lines::default();
        let mut count = 0;
        let goes_on = lines.feed(b"1\n2\n3\n", &mut |_| {
            count += 1;
            count < 2
        });
        assert!(!goes_on);
        assert_eq!(count, 2);
    }
}
