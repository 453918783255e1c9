//! The control plane: how the kit drives a node that speaks its own language to its own kind, and looks into it.
//!
//! docs/control-plane.md is the page for people who write such nodes; its examples are tested against this code.
//!
//! | file | holds |
//! |---|---|
//! | `adapter` | nodes that only have a text prompt, commands or HTTP |
//! | `envelope.rs` | lines, envelopes and errors, as Maelstrom has them |
//! | `ring.rs` | what is asked of rings and answered |
//! | `allowance.rs` | how much a node may say in a second |
//! | `process` | programs as nodes, contained |
//! | `namespace.rs` | network namespaces, and what is done within them |
//! | `life.rs` | a node that lives: what can be said and done to it, and what it brings |

pub mod adapter;
pub mod allowance;
pub mod envelope;
pub mod life;
pub mod namespace;
pub mod process;
pub mod ring;

pub use envelope::{Envelope, ErrorCode, LineError, MOST_LINE};
pub use life::{Arrival, Life, News, Place, StartError, Starter};

/// The name of the kit in envelopes.
pub const KIT: &str = "kit";
