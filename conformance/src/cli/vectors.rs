//! `peerproof vectors`: the golden wire vectors, without Rust.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use peerproof_vectors::{Context, DecodeFailure, SCHEMA, VectorError, VectorFile, files, messages};

use super::{BROKEN, Failure, GOOD, KIT, USAGE, nearest, outputs};

/// The most that is read from standard input.
const INPUT: u64 = 64 << 20;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Read every vector in both directions, and say where wire format and vector disagree
    Verify,
    /// Decode a message, and print its value as JSON in the form of the vectors
    Decode(DecodeArgs),
    /// Write the vectors and their schema into a directory, for programs in any language
    Export {
        /// The directory; it is made if it is not there
        dir: PathBuf,
    },
}

#[derive(clap::Args)]
struct DecodeArgs {
    /// What the bytes are, such as bittorrent/handshake
    message: String,
    /// The bytes in hexadecimal digits; without them, standard input is read
    hex: Option<String>,
    /// Standard input is the bytes themselves, not their digits
    #[arg(long, conflicts_with = "hex")]
    raw: bool,
    /// How many pieces the torrent has
    #[arg(long, value_name = "N")]
    pieces: Option<u32>,
    /// How many bytes a piece of the torrent has
    #[arg(long, value_name = "BYTES")]
    piece_length: Option<u32>,
    /// How many bytes the torrent's content has
    #[arg(long, value_name = "BYTES")]
    total_length: Option<u64>,
    /// The only info-hash that the receiver serves
    #[arg(long, value_name = "HEX")]
    info_hash: Option<String>,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    match &args.what {
        What::Verify => verify(out),
        What::Decode(args) => decode(args, &mut std::io::stdin().lock(), out, err),
        What::Export { dir } => export(dir, out),
    }
}

fn verify(out: &mut dyn Write) -> Result<u8, Failure> {
    let embedded = |error: VectorError| Failure {
        status: KIT,
        message: error.to_string(),
    };
    let (mut cases, mut disagreements) = (0, 0);
    for (name, text) in files() {
        let file = VectorFile::parse(name, text).map_err(embedded)?;
        let outcomes = peerproof_vectors::verify(&file).map_err(embedded)?;
        writeln!(out, "{:4}  {name}", outcomes.len())?;
        cases += outcomes.len();
        for outcome in outcomes {
            if let Some(why) = outcome.disagreement {
                disagreements += 1;
                writeln!(out, "      {} {}", outcome.case, crate::report::plain(&why))?;
            }
        }
    }
    writeln!(out, "{cases} vectors, {disagreements} disagreements")?;
    Ok(if disagreements == 0 { GOOD } else { BROKEN })
}

fn decode(
    args: &DecodeArgs,
    input: &mut dyn Read,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    let name = args.message.as_str();
    let known: Vec<String> = messages()
        .map(|(protocol, message)| format!("{protocol}/{message}"))
        .collect();
    let Some((protocol, message)) = name
        .split_once('/')
        .filter(|_| known.iter().any(|it| it == name))
    else {
        let hint = nearest::hint(name, known.iter().map(String::as_str));
        return Err(Failure::usage(format!(
            "no message is called `{name}`; {hint}there are: {}",
            known.join(", ")
        )));
    };
    let context = Context {
        pieces: args.pieces,
        piece_length: args.piece_length,
        total_length: args.total_length,
        info_hash: args.info_hash.clone(),
        ..Context::default()
    };
    let bytes = bytes(args, input)?;
    match peerproof_vectors::decode(protocol, message, &bytes, &context) {
        Ok((value, tolerated)) => {
            for fault in tolerated {
                super::complain(
                    err,
                    &format!("tolerated, though a strict receiver refuses: {fault}"),
                );
            }
            let text = serde_json::to_string_pretty(&value).map_err(std::io::Error::other)?;
            writeln!(out, "{text}")?;
            Ok(GOOD)
        }
        Err(DecodeFailure::Fault(fault)) => Err(Failure {
            status: BROKEN,
            message: format!("this is no {name}: {fault}"),
        }),
        Err(unknown @ DecodeFailure::UnknownMessage { .. }) => Err(Failure {
            status: USAGE,
            message: unknown.to_string(),
        }),
    }
}

fn bytes(args: &DecodeArgs, input: &mut dyn Read) -> Result<Vec<u8>, Failure> {
    let digits = match &args.hex {
        Some(hex) => hex.clone().into_bytes(),
        None => {
            let mut read = Vec::new();
            input
                .take(INPUT + 1)
                .read_to_end(&mut read)
                .map_err(|error| Failure::usage(format!("cannot read standard input: {error}")))?;
            if u64::try_from(read.len()).unwrap_or(u64::MAX) > INPUT {
                return Err(Failure::usage(format!(
                    "standard input has more than {} MiB",
                    INPUT >> 20
                )));
            }
            if args.raw {
                return Ok(read);
            }
            read
        }
    };
    let digits: Vec<u8> = digits
        .into_iter()
        .filter(|digit| !digit.is_ascii_whitespace())
        .collect();
    hex::decode(digits).map_err(|error| {
        Failure::usage(format!(
            "the bytes are not in hexadecimal digits: {error}; --raw reads them as they are"
        ))
    })
}

fn export(dir: &Path, out: &mut dyn Write) -> Result<u8, Failure> {
    outputs::writable_directory(dir)?;
    let mut written = 0;
    for (name, text) in files().iter().chain(&[("schema.json", SCHEMA)]) {
        let path = dir.join(name);
        let folder = path.parent().unwrap_or(dir);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| Failure {
                status: KIT,
                message: format!("cannot write {}: {error}", path.display()),
            })?;
        written += 1;
    }
    writeln!(out, "{written} files in {}", dir.display())?;
    Ok(GOOD)
}
