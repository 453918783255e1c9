//! Executable specifications of peer-to-peer protocols.
//!
//! Every protocol is a folder of pure state machines and named properties. The same code is checked
//! exhaustively at small scope, simulated at scale, served on sockets, and asked about foreign nodes.
//! Nothing in this crate opens a socket or reads a clock.

pub mod bencode;
pub mod bittorrent;
pub mod choose;
pub mod chord;
pub mod claim;
pub mod explore;
pub mod judge;
pub mod node;
pub mod property;
pub mod space;
pub mod system;
