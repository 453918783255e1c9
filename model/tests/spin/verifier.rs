//! A verifier that SPIN makes of a Promela model, and what it says. The benchmark of the explorer uses it too.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A built verifier.
pub(crate) struct Verifier {
    folder: TempDir,
}

impl Verifier {
    /// Builds the model of that name in `benches`, with these definitions, and these flags for gcc.
    pub(crate) fn build(model: &str, definitions: &[&str], flags: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("benches")
            .join(model);
        let source = source.to_string_lossy().into_owned();
        let verifier = Self { folder };
        let asked = ["-a"].iter().chain(definitions).copied();
        let asked: Vec<&str> = asked.chain([source.as_str()]).collect();
        verifier.command("spin", &asked)?;
        let asked = flags.split(' ').chain(["-o", "pan", "pan.c"]);
        verifier.command("gcc", &asked.collect::<Vec<_>>())?;
        Ok(verifier)
    }

    /// Runs it to the end: what it said, if it found no error and left nothing out.
    pub(crate) fn run(&self, flags: &str) -> Result<Said, String> {
        let pan = self.folder.path().join("pan");
        let flags: Vec<&str> = flags.split(' ').collect();
        let said = self.command(&pan.to_string_lossy(), &flags)?;
        // A search that was cut short counts as none.
        let whole = said.contains("errors: 0") && !said.contains("error: max search depth");
        let whole = whole && !said.contains("Search not completed");
        if whole { Ok(Said(said)) } else { Err(said) }
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(program);
        let output = command
            .args(arguments)
            .current_dir(self.folder.path())
            .output();
        let output = output.map_err(|error| format!("{program}: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let more = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{program} failed: {said}{more}"));
        }
        Ok(said)
    }
}

/// What a verifier said at its end.
#[derive(Debug)]
pub(crate) struct Said(String);

impl Said {
    /// The number before these words.
    pub(crate) fn number(&self, words: &str) -> Result<f64, String> {
        let line = self.0.lines().find(|line| line.contains(words));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| format!("no {words} in {}", self.0))
    }
}
