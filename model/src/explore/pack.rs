//! States as bytes: what the exact explorer keeps of a state.

use stateright::Model;

use super::hash;

/// A model whose states can be written as bytes and read back.
///
/// The bytes are exact: two states have the same bytes if and only if they are equal, and
/// [`unpack`](Pack::unpack) of what [`pack`](Pack::pack) wrote is the state again.
pub trait Pack: Model {
    /// How many bytes every state takes, where all take the same; `None` where they differ.
    /// A fixed width saves the explorer an offset for every state.
    fn width(&self) -> Option<usize> {
        None
    }

    /// Appends the bytes of a state.
    fn pack(&self, state: &Self::State, bytes: &mut Vec<u8>);

    /// The state that [`pack`](Pack::pack) wrote as these bytes.
    fn unpack(&self, bytes: &[u8]) -> Self::State;

    /// The hash of packed bytes: the same for the same state in every run. It says where a state is looked for,
    /// never which state it is. Override it only where the bytes themselves differ from run to run.
    fn hash(&self, bytes: &[u8]) -> u64 {
        hash::hash_of(bytes)
    }

    /// How many bytes the model itself holds for the packed states, such as tables that the bytes refer to.
    fn held(&self) -> usize {
        0
    }
}
