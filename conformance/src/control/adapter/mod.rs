//! Adapters: nodes that only have a text prompt, commands or HTTP, behind the control plane.
//!
//! A TOML file says how such a program is started, what is sent to it for each operation, and which regular
//! expressions read its answers. docs/adapters.md is the page for people who write such files.
//!
//! | file | holds |
//! |---|---|
//! | `file.rs` | reading a file: everything that is wrong is named with its line |
//! | `operation.rs` | what is asked of a node, and what that needs |
//! | `template.rs` | what is sent, with places that are filled in |
//! | `pattern.rs` | regular expressions whose named groups have a meaning |
//! | `reading.rs` | what the lines of an answer mean |
//! | `http.rs` | requests to a node with a server |
//! | `session.rs` | one node: its program, and what is done with it for each operation |
//! | `stage.rs` | its programs: started, listened to, asked |
//! | `life.rs` | such nodes as the fleet sees them |
//! | `rehearsal.rs` | every operation once, to see whether an adapter fits its program |

mod file;
mod http;
mod life;
mod operation;
mod pattern;
mod reading;
mod rehearsal;
mod session;
mod stage;
mod template;

pub use file::{Adapter, AdapterError};
pub use life::Adapted;
pub use operation::{Operation, Style};
pub use pattern::Found;
pub use reading::{Line, Match, Reading};
pub use rehearsal::{Step, rehearse};
pub use session::{Performed, Session};
pub use template::PLACES;

#[cfg(test)]
mod live_tests;
