//! What is asked of the nodes of a ring, and what they answer. Points of the circle are numbers.

use serde::{Deserialize, Serialize};

/// The largest circle of the control plane, in bits: every JSON reader reads its points exactly.
pub const MOST_BITS: u32 = 32;

/// The longest value, in bytes.
pub const MOST_VALUE: usize = 1024;

/// The first thing a node is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Init {
    /// The node's name.
    pub node_id: String,
    /// Its own name, and its introducer's if it has one.
    pub node_ids: Vec<String>,
    /// Which protocol's operations follow.
    pub protocol: String,
    /// How messages to other nodes travel.
    pub network: Network,
    /// Where to listen, over sockets.
    pub address: Option<String>,
    /// A member through which to join.
    pub introducer: Option<Introducer>,
    /// The figures of the ring.
    pub ring: Figures,
}

/// How messages between nodes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// As lines, through the kit.
    Kit,
    /// Over sockets of their own.
    Sockets,
}

/// A member through which to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introducer {
    /// Its name.
    pub node_id: String,
    /// Where it listens, over sockets.
    pub address: Option<String>,
}

/// The figures of a ring, as a node is told them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// The circle has 2^`bits` points.
    pub bits: u32,
    /// The node's own point.
    pub id: u64,
    /// How long its successor list is.
    pub successors: usize,
    /// On how many nodes a key is kept, its owner included.
    pub replicas: usize,
    /// Between two rounds of stabilization, in milliseconds.
    pub stabilize_ms: u64,
    /// After how long a silent node counts as dead, in milliseconds.
    pub timeout_ms: u64,
}

/// What a node may say when it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitOk {
    /// The names of the operations that it has; nothing: all, perhaps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<String>>,
    /// The profile of its messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// What is asked of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// The first thing.
    Init(Init),
    /// Become a member.
    Join {
        /// Instead of the introducer of `init`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        introducer: Option<Introducer>,
    },
    /// Hand everything over and go.
    Leave,
    /// What do you know?
    State,
    /// Who owns the key?
    Lookup {
        /// The key.
        key: u64,
    },
    /// Store the value.
    Put {
        /// The key.
        key: u64,
        /// The value.
        value: String,
    },
    /// What is under the key?
    Get {
        /// The key.
        key: u64,
    },
    /// Take away what is under the key.
    Delete {
        /// The key.
        key: u64,
    },
}

/// What a node answers, unless it is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// It knows what it was told.
    InitOk(InitOk),
    /// It is a member.
    JoinOk,
    /// It takes no part any more.
    LeaveOk,
    /// What it knows.
    StateOk(State),
    /// Who owns the key.
    LookupOk(Lookup),
    /// The value is stored.
    PutOk,
    /// What is under the key.
    GetOk {
        /// The value.
        value: String,
    },
    /// Nothing is under the key any more.
    DeleteOk,
}

/// What a node says it knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Whether it is a member.
    pub member: bool,
    /// Its own point.
    pub id: u64,
    /// Its predecessor: not told, none, or that one.
    #[serde(default, with = "told", skip_serializing_if = "Option::is_none")]
    pub predecessor: Option<Option<u64>>,
    /// Its successors, nearest first.
    pub successors: Vec<u64>,
    /// Its fingers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingers: Option<Vec<Finger>>,
    /// The keys that it keeps, as owner or as replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<u64>>,
}

/// A finger, as a node says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finger {
    /// Where it begins.
    pub start: u64,
    /// The first node at or clockwise of it, if the node knows one.
    pub node: Option<u64>,
}

/// The answer to a lookup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// The first member at or clockwise of the key.
    pub owner: u64,
    /// How often it was passed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hops: Option<u32>,
    /// Every node that it visited, the asked one first and the owner last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Vec<u64>>,
}

/// A field that may be missing, or `null`, or there: three different things.
mod told {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        value: &Option<Option<u64>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.flatten().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<u64>>, D::Error> {
        Option::<u64>::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_predecessor_may_be_untold_none_or_there() {
        let read = |value| serde_json::from_value::<State>(value).expect("a state");
        let untold = json!({"member": true, "id": 1, "successors": [2]});
        assert_eq!(read(untold).predecessor, None);
        let none = json!({"member": true, "id": 1, "successors": [2], "predecessor": null});
        assert_eq!(read(none).predecessor, Some(None));
        let there = json!({"member": true, "id": 1, "successors": [2], "predecessor": 3});
        assert_eq!(read(there).predecessor, Some(Some(3)));
    }

    #[test]
    fn unknown_fields_are_ignored_and_wrong_ones_are_not() {
        let more = json!({"type": "lookup_ok", "in_reply_to": 3, "owner": 5, "mood": "good"});
        let reply: Reply = serde_json::from_value(more).expect("a reply");
        let lookup = Lookup {
            owner: 5,
            hops: None,
            path: None,
        };
        assert_eq!(reply, Reply::LookupOk(lookup));
        let wrong = json!({"type": "lookup_ok", "owner": "5"});
        assert!(serde_json::from_value::<Reply>(wrong).is_err());
    }
}
