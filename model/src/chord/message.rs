//! What Chord nodes say to each other.
//!
//! A query is answered by the node it was sent to, under the same tag; a relayed lookup is answered by whoever
//! knows the owner. The rest is told and not answered. There is no common wire format for these messages:
//! `profile.rs` has the one of this project.

use serde::{Deserialize, Serialize};

use crate::space::circle::Id;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Message {
    /// Asks the receiver.
    Query {
        /// Comes back with the answer.
        tag: u32,
        /// What is asked.
        query: Query,
    },
    /// Answers a query or a relayed lookup.
    Answer {
        /// The tag of the question.
        tag: u32,
        /// What is said.
        answer: Answer,
    },
    /// A recursive lookup on its way: the receiver answers the origin, or passes it on.
    Relay {
        /// Comes back with the answer.
        tag: u32,
        /// Whose owner is looked for.
        key: Id,
        /// Who looks for it.
        origin: Id,
        /// How many nodes have had it, the receiver among them.
        hops: u32,
    },
    /// The sender believes that it is the receiver's predecessor.
    Notify,
    /// `node` may be finger number `finger` of the receiver, and of those before it.
    UpdateFinger {
        /// A node that has just joined.
        node: Id,
        /// Which finger.
        finger: u32,
    },
    /// The sender leaves, and names its neighbours to each other.
    Goodbye {
        /// Its predecessor.
        predecessor: Option<Id>,
        /// Its successors.
        successors: Vec<Id>,
    },
}

/// A question to one node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Query {
    /// Who owns the key, or who is closer to it? (`find_successor`, iteratively)
    Route {
        /// The key.
        key: Id,
        /// Nodes that did not answer: they are not to be named again.
        failed: Vec<Id>,
    },
    /// Who are your neighbours?
    Neighbours,
    /// Are you there?
    Ping,
    /// Keep this value under the key; none: delete what is there.
    Store {
        /// The key.
        key: Id,
        /// The value.
        #[serde(with = "super::profile::text")]
        value: Option<Vec<u8>>,
    },
    /// What is under the key?
    Fetch {
        /// The key.
        key: Id,
    },
    /// Keep these entries, as their owner or as a replica of the sender's.
    Hold {
        /// What is to be kept.
        entries: Vec<Entry>,
        /// Whether the receiver is thought to own them; else it keeps a replica.
        as_owner: bool,
    },
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// The key lies between the sender and the first of its successors, which owns it.
    Owner {
        /// The key.
        key: Id,
        /// The sender's successors without those that failed: the owner and those after it.
        successors: Vec<Id>,
        /// How many nodes a relayed lookup passed; 0 for a query.
        hops: u32,
    },
    /// This node is closer to the key.
    Closer {
        /// The key.
        key: Id,
        /// Whom to ask next.
        next: Id,
    },
    /// The sender knows nobody who could be asked about the key.
    Lost {
        /// The key.
        key: Id,
    },
    /// The sender's neighbours.
    Neighbours {
        /// Its predecessor, if it knows one.
        predecessor: Option<Id>,
        /// Its successors, nearest first.
        successors: Vec<Id>,
    },
    /// The sender is there.
    Alive,
    /// The value is stored, on every replica.
    Stored {
        /// The key.
        key: Id,
    },
    /// The sender does not own the key.
    NotMine {
        /// The key.
        key: Id,
    },
    /// What is under the key.
    Fetched {
        /// The key.
        key: Id,
        /// The value; none: nothing is stored there.
        #[serde(with = "super::profile::text")]
        value: Option<Vec<u8>>,
    },
    /// The sender keeps entries of these keys, in these versions or later ones.
    Held {
        /// Keys and versions.
        entries: Vec<(Id, u32)>,
    },
}

/// What is stored under a key, as nodes pass it on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The key.
    pub key: Id,
    /// Counts the changes; the larger one is the later one.
    pub version: u32,
    /// The value; none: it was deleted, and must not come back from an old replica.
    #[serde(with = "super::profile::text")]
    pub value: Option<Vec<u8>>,
}

impl Message {
    /// Whether somebody asks.
    pub fn is_query(&self) -> bool {
        matches!(self, Self::Query { .. })
    }

    /// Whether somebody answers.
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Answer { .. })
    }

    /// Every node that the message names, and every key.
    pub fn points(&self) -> Vec<Id> {
        match self {
            Self::Query { query, .. } => query.points(),
            Self::Answer { answer, .. } => answer.points(),
            Self::Relay { key, origin, .. } => vec![*key, *origin],
            Self::Notify => Vec::new(),
            Self::UpdateFinger { node, .. } => vec![*node],
            Self::Goodbye {
                predecessor,
                successors,
            } => predecessor.iter().chain(successors).copied().collect(),
        }
    }
}

impl Query {
    fn points(&self) -> Vec<Id> {
        match self {
            Self::Route { key, failed } => failed.iter().chain([key]).copied().collect(),
            Self::Neighbours | Self::Ping => Vec::new(),
            Self::Store { key, .. } | Self::Fetch { key } => vec![*key],
            Self::Hold { entries, .. } => entries.iter().map(|entry| entry.key).collect(),
        }
    }
}

impl Answer {
    fn points(&self) -> Vec<Id> {
        match self {
            Self::Owner {
                key, successors, ..
            } => successors.iter().chain([key]).copied().collect(),
            Self::Closer { key, next } => vec![*key, *next],
            Self::Neighbours {
                predecessor,
                successors,
            } => predecessor.iter().chain(successors).copied().collect(),
            Self::Alive => Vec::new(),
            Self::Lost { key }
            | Self::Stored { key }
            | Self::NotMine { key }
            | Self::Fetched { key, .. } => vec![*key],
            Self::Held { entries } => entries.iter().map(|(key, _)| *key).collect(),
        }
    }
}
