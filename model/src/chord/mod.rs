//! Chord: a ring of nodes on the identifier circle, where a key lives at the first node at or clockwise of it.
//!
//! Sources: Stoica et al., SIGCOMM 2001 and ToN 2003; Liben-Nowell, Balakrishnan, Karger, PODC 2002; P. Zave,
//! *Reasoning about Identifier Spaces: How to Make Chord Correct*, TSE 2017; the lecture texts.
//!
//! | file | holds |
//! |---|---|
//! | `claims.rs` | the statements Chord is held to |
//! | `rules.rs` | the decisions of a node, each once: whom to adopt, whom to believe, where to send a lookup |
//! | `view.rs` | what an observer knows of a ring: members, pointers, keys |
//! | `run_view.rs` | what an observer knows of a whole run: who came and went, what was asked and answered |
//! | `properties` | the facts a ring is held to, over that view |
//! | `message.rs` | what nodes say to each other |
//! | `profile.rs` | the same as JSON, for nodes that let the kit read along |
//! | `node` | one node with messages, timers and keys |
//! | `host.rs` | a node and those who ask it: what waits, what is answered |
//! | `judge.rs` | what an observer sees of a host, for the judge of traces |
//! | `system` | nodes with a network between them, as models |
//! | `ring` | the ring with atomic operations, in every published generation, as models |
//! | `mutant.rs` | seeded violations, for the models and for nodes alike |

pub mod claims;
pub mod host;
pub mod judge;
pub mod message;
pub mod mutant;
pub mod node;
pub mod profile;
pub mod properties;
pub mod ring;
pub mod rules;
pub mod run_view;
pub mod system;
pub mod view;
