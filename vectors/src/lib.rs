//! Golden wire vectors: bytes, what they mean, and what is wrong with those that mean nothing.
//!
//! The vectors are JSON files that any language can read; `schema.json` describes their form. This crate embeds
//! them, so that one program carries them, and runs each through the wire formats of `peerproof-model` in both
//! directions: [`verify`] decodes the bytes and encodes the value of every case.

mod codec;
mod embedded;
mod file;
mod verify;

pub use codec::{DecodeFailure, Fault, decode, messages};
pub use embedded::{SCHEMA, files, load_all};
pub use file::{Case, Context, ExpectedError, Family, Source, VectorError, VectorFile, Verdict};
pub use verify::{Outcome, verify};
