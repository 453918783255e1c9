//! States that are numbers, packed for the explorer.

/// Packs the states of a model, which are `u32`.
macro_rules! pack_number {
    ($model:ty) => {
        impl peerproof_model::explore::Pack for $model {
            fn width(&self) -> Option<usize> {
                Some(4)
            }

            fn pack(&self, state: &u32, bytes: &mut Vec<u8>) {
                bytes.extend(state.to_le_bytes());
            }

            fn unpack(&self, bytes: &[u8]) -> u32 {
                u32::from_le_bytes(bytes.try_into().expect("four bytes"))
            }
        }
    };
}
