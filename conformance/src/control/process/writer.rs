//! Writes to a node that may not read: who says something never waits.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

/// The most bytes that wait for a node to read them.
const MOST_WAITING: usize = 4 << 20;

/// Where lines for a node are put.
#[derive(Debug)]
pub(super) struct Writer {
    lines: Sender<String>,
    waiting: Arc<AtomicUsize>,
}

impl Writer {
    /// Writes to `pipe` until this value goes, or the pipe breaks.
    pub(super) fn start(mut pipe: impl Write + Send + 'static) -> std::io::Result<Self> {
        let (lines, queue) = channel::<String>();
        let waiting = Arc::new(AtomicUsize::new(0));
        let written = Arc::clone(&waiting);
        let write = move || {
            while let Ok(line) = queue.recv() {
                if pipe
                    .write_all(line.as_bytes())
                    .and_then(|()| pipe.flush())
                    .is_err()
                {
                    return;
                }
                written.fetch_sub(line.len(), Ordering::SeqCst);
            }
        };
        std::thread::Builder::new()
            .name("to a node".to_owned())
            .spawn(write)?;
        Ok(Self { lines, waiting })
    }

    /// Puts a line there; false when too much waits already, or nobody reads any more.
    pub(super) fn say(&self, line: &str) -> bool {
        let line = format!("{line}\n");
        let size = line.len();
        if self.waiting.fetch_add(size, Ordering::SeqCst) + size > MOST_WAITING {
            self.waiting.fetch_sub(size, Ordering::SeqCst);
            return false;
        }
        self.lines.send(line).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    /// A pipe that takes a line when the test lets it.
    struct Slow(Receiver<()>, SyncSender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let broken = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
            self.0.recv().map_err(broken)?;
            self.1
                .send(bytes.to_vec())
                .map_err(|_| std::io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_does_not_read_is_not_waited_for() {
        let (go, wait) = channel();
        let (written, arrived) = sync_channel(1_000);
        let writer = Writer::start(Slow(wait, written)).expect("a thread");
        let line = "x".repeat(1 << 20);
        let taken = (0..10).filter(|_| writer.say(&line)).count();
        assert_eq!(taken, 3, "of 4 MiB with the ends of lines");
        go.send(()).expect("it waits");
        assert_eq!(arrived.recv().map(|bytes| bytes.len()), Ok((1 << 20) + 1));
        drop(go);
    }
}
