//! States as bytes: what the exact explorer keeps of a state.

use stateright::Model;

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
}
