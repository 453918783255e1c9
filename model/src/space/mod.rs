//! Where identifiers live: the circle of Chord and Pastry, and who owns a point of it.
//!
//! | file | holds |
//! |---|---|
//! | `circle.rs` | identifiers of up to 160 bits, their arithmetic, and the one rule of what lies between what |
//! | `hashing.rs` | consistent hashing: the owner of a key, with or without virtual nodes |

pub mod circle;
pub mod hashing;

#[cfg(test)]
mod circle_tests;
