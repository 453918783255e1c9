//! How a neighbour answers requests: rightly, wrongly, or later.

use peerproof_model::bittorrent::message::{BlockRequest, PeerMessage};

use super::neighbour::{Shared, State};
use super::plan::Serves;
use crate::case::Stop;

impl Shared {
    pub(super) fn serve_waiting(&self, state: &mut State) -> Result<(), Stop> {
        while state.serves != Serves::OnCue && state.pace.is_none() {
            let Some(block) = state.waiting.pop_front() else {
                break;
            };
            if state.serves == Serves::AfterHave {
                state.pace = Some(block.index);
            }
            self.answer(state, block)?;
        }
        Ok(())
    }

    /// Answers a request with the block; one that no torrent can answer is left alone.
    pub(super) fn answer(&self, state: &mut State, block: BlockRequest) -> Result<(), Stop> {
        let Some(mut data) = self.block(block) else {
            return Ok(());
        };
        match state.serves {
            Serves::Wrongly(piece)
                if piece == block.index && state.wrong < self.blocks_of(piece) =>
            {
                state.wrong += 1;
                data.iter_mut().for_each(|byte| *byte = !*byte);
            }
            Serves::TooShort if state.wrong == 0 => {
                state.wrong += 1;
                data.pop();
            }
            _ => {}
        }
        let (index, begin) = (block.index, block.begin);
        self.say(state, PeerMessage::Piece { index, begin, data })
    }

    fn blocks_of(&self, piece: u32) -> u32 {
        self.torrent.piece_len(piece).div_ceil(1 << 14)
    }

    fn block(&self, block: BlockRequest) -> Option<Vec<u8>> {
        if !self.torrent.contains(&block) || block.length > 1 << 17 {
            return None;
        }
        let content = self.torrent.content.as_ref()?;
        let piece_length = u64::from(self.torrent.metainfo.info().layout.piece_length());
        let start = u64::from(block.index) * piece_length + u64::from(block.begin);
        let end = start + u64::from(block.length);
        let range = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
        content.get(range).map(<[u8]>::to_vec)
    }
}
