//! The program.

use std::process::ExitCode;

fn main() -> ExitCode {
    peerproof::cli::main()
}
