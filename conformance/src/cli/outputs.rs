//! Files that the user names: checked before anything runs, so that no run is for nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Failure;
use super::progress::Keep;
use crate::report::{Report, html, json, junit};

/// Where the reports go.
#[derive(clap::Args)]
pub(super) struct Outputs {
    /// Write the report for programs (docs/reports.md); `-` is standard output
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    json: Option<PathBuf>,
    /// Write a JUnit report for continuous integration; `-` is standard output
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    junit: Option<PathBuf>,
    /// Write a page for people, with a time diagram of every case
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    html: Option<PathBuf>,
    /// Write a capture of each case that Wireshark opens
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    pub(super) captures: Option<PathBuf>,
    /// Write what the kit saw in each case, for `peerproof judge` (docs/judging.md)
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    pub(super) logs: Option<PathBuf>,
}

impl Outputs {
    fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.json, &self.junit, &self.html]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
    }

    /// Whether a report takes standard output, so that nothing else may go there.
    pub(super) fn take_stdout(&self) -> bool {
        self.files().any(is_stdout)
    }

    /// Which recordings the reports show.
    pub(super) fn keep(&self) -> Keep {
        match (&self.html, &self.json) {
            (Some(_), _) => Keep::Everything,
            (None, Some(_)) => Keep::Failures,
            (None, None) => Keep::Nothing,
        }
    }

    /// Whether everything can be written.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.files().filter(|path| is_stdout(path)).count() > 1 {
            return Err(Failure::usage(
                "only one report can go to standard output; give the others a file",
            ));
        }
        for path in self.files().filter(|path| !is_stdout(path)) {
            writable(path)?;
        }
        let directories = [&self.captures, &self.logs];
        directories
            .into_iter()
            .flatten()
            .try_for_each(|directory| writable_directory(directory))
    }

    /// Writes every report that was asked for. `conclusion` is the sentence that the program ends with.
    pub(super) fn write(
        &self,
        reports: &[Report],
        conclusion: &str,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        if let Some(path) = &self.json {
            put(path, out, &json::write(reports))?;
        }
        if let Some(path) = &self.junit {
            let text = junit::write(reports).map_err(io::Error::other)?;
            put(path, out, &text)?;
        }
        if let Some(path) = &self.html {
            put(path, out, &html::write(reports, conclusion))?;
        }
        Ok(())
    }
}

pub(super) fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

pub(super) fn put(path: &Path, out: &mut dyn Write, text: &str) -> Result<(), Failure> {
    if is_stdout(path) {
        return Ok(out.write_all(text.as_bytes())?);
    }
    std::fs::write(path, text).map_err(|error| unwritable(path, &error, super::KIT))
}

/// Whether a file can be written, leaving it as it is.
pub(super) fn writable(path: &Path) -> Result<(), Failure> {
    let existed = path.exists();
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .map_err(|error| unwritable(path, &error, super::USAGE))?;
    if !existed {
        // It was made a moment ago, empty, to see whether it can be.
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

/// Whether files can be made in a directory, which is made if it is not there.
pub(super) fn writable_directory(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|error| unwritable(path, &error, super::USAGE))?;
    match tempfile::tempfile_in(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(unwritable(path, &error, super::USAGE)),
    }
}

fn unwritable(path: &Path, error: &io::Error, status: u8) -> Failure {
    Failure {
        status,
        message: format!("cannot write {}: {error}", path.display()),
    }
}

/// Whether an input file is there and can be read.
pub(super) fn readable(what: &str, path: &Path) -> Result<(), Failure> {
    let refuse =
        |why: &str| Failure::usage(format!("cannot read the {what} {}: {why}", path.display()));
    let file = File::open(path).map_err(|error| refuse(&error.to_string()))?;
    let metadata = file
        .metadata()
        .map_err(|error| refuse(&error.to_string()))?;
    if metadata.is_dir() {
        return Err(refuse("it is a directory"));
    }
    Ok(())
}
