//! The reference node of a ring, behind the control plane: the model's node, and nothing that the model has not.
//!
//! | file | holds |
//! |---|---|
//! | `desk.rs` | lines and expired alarms in, lines and alarms out: no thread, no clock, no socket |
//! | `member.rs` | the model's host behind names, numbers and words |
//! | `mail.rs` | how its messages travel: through the kit, or over sockets |
//! | `words.rs` | the model's questions and replies in the words of the control plane |
//! | `figures.rs` | the figures of `init` as those of the model's node |
//! | `breaks.rs` | the seeded violations, and which case catches which |
//! | `flaw.rs` | those of the violations that are not the model's |
//! | `life.rs` | the thread in which one lives |
//! | `embedded.rs` | nodes within this process |
//! | `stdio.rs` | one over standard input and output |

mod breaks;
mod desk;
mod embedded;
pub(crate) mod figures;
mod flaw;
mod life;
mod mail;
mod member;
mod stdio;
pub(crate) mod words;

pub use breaks::{BREAKS, Bug};
pub use desk::{Alarm, Deed, Desk};
pub use embedded::Reference;
pub use stdio::Ring;
