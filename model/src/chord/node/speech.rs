//! What a node hears of its user, what it tells, and why it refuses.

use crate::space::circle::Id;

/// What the local user may ask.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// Make a ring of one.
    Create,
    /// Set the timers of a member that was built as one.
    Start,
    /// Become a member, by way of this one.
    Join(Id),
    /// Hand everything over and go.
    Leave,
    /// Who owns the key?
    Find(Id),
    /// Store a value under the key.
    Put(Id, Vec<u8>),
    /// What is under the key?
    Get(Id),
    /// Take away what is under the key.
    Delete(Id),
}

/// What a lookup is for; a node has at most one of each at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Errand {
    /// The place to join at.
    Join,
    /// A finger, by exponent.
    Finger(u32),
    /// The last node whose finger of that exponent may be this one.
    Update(u32),
    /// The user's question.
    Find(Id),
    /// Storing a value.
    Put(Id),
    /// Reading a value.
    Get(Id),
    /// Deleting a value.
    Delete(Id),
    /// Sending an entry that nobody renews to its owner.
    Return(Id),
}

/// The timers of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The next round of stabilization is due.
    Stabilize,
    /// The predecessor is to be looked after.
    CheckPredecessor,
    /// The next finger is to be looked up.
    FixFingers,
    /// Replicas are to be renewed.
    Repair,
    /// The answer to the question of stabilization is overdue.
    Round,
    /// The predecessor's sign of life is overdue.
    Check,
    /// An answer to that errand is overdue.
    Errand(Errand),
    /// The receiver of keys has not said that it keeps them.
    Handover(Id),
}

/// What a node tells its user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// It is a member now.
    Joined,
    /// It could not become a member.
    JoinFailed,
    /// It is no member any more, and its keys are kept elsewhere as far as it could see to that.
    Left,
    /// Its neighbours have changed.
    Neighbours {
        /// Whether it is a member.
        member: bool,
        /// Its predecessor.
        predecessor: Option<Id>,
        /// Its successors, nearest first.
        successors: Vec<Id>,
    },
    /// It took this node for dead.
    Suspected(Id),
    /// The last successor was silent: it knows nobody any more.
    Isolated,
    /// The answer to [`Request::Find`].
    Found {
        /// The key.
        key: Id,
        /// Its owner.
        owner: Id,
        /// The nodes that were asked, in order, as far as the origin knows them.
        path: Vec<Id>,
    },
    /// The value is stored on as many nodes as the node was told to keep it on, or on all it knows.
    Stored(Id),
    /// The value is deleted.
    Deleted(Id),
    /// What is under the key.
    Fetched(Id, Option<Vec<u8>>),
    /// The errand could not be done.
    Failed(Errand),
}

/// Why an input was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The node is no member.
    #[error("this node is no member of a ring")]
    NotAMember,
    /// The node takes part already.
    #[error("this node takes part already")]
    TakesPart,
    /// The input belongs to a protocol with connections.
    #[error("Chord has no connections")]
    NoConnections,
    /// A node does not speak to itself.
    #[error("a node does not speak to itself")]
    Itself,
    /// The identifier has more bits than the circle.
    #[error("{0} is not on the circle")]
    OffTheCircle(Id),
    /// A list is longer than this node takes.
    #[error("{what}: {count} is more than {most}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many may be.
        most: usize,
    },
    /// There is no finger of that number.
    #[error("there is no finger number {0}")]
    NoSuchFinger(u32),
    /// Nobody waits for this answer.
    #[error("nobody waits for this answer of {0}")]
    Unasked(Id),
    /// The answer names a node that is not nearer to the key, or one that was said to have failed.
    #[error("{next} is no step towards {key}")]
    NoProgress {
        /// The key.
        key: Id,
        /// Who was named.
        next: Id,
    },
    /// The answer names an owner from which the key is not the next after the answering node.
    #[error("{key} does not lie between the answering node and {owner}")]
    NotTheOwner {
        /// The key.
        key: Id,
        /// Who was named.
        owner: Id,
    },
    /// An answer names nobody where somebody must be named.
    #[error("the answer names no successor")]
    Nobody,
    /// That errand is under way already.
    #[error("{0:?} is under way already")]
    UnderWay(Errand),
    /// The timer is not set.
    #[error("{0:?} is not set")]
    NotSet(Timer),
}
