//! The log of a case: everything that the kit saw of the nodes it drives, as docs/judging.md says.

use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use crate::fleet::{Event, write_log};

/// Writes the log of one case into `directory`.
///
/// # Errors
/// What the file system says.
pub fn write_file(directory: &Path, case: &str, seed: u64, events: &[Event]) -> io::Result<()> {
    let path = directory.join(super::file_of_case(case, seed, "ndjson"));
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    write_log(None, events, &mut file)?;
    file.flush()
}
