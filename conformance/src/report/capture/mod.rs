//! Captures that Wireshark opens: the bytes of a recording in frames that could have carried them.
//!
//! The kit sees streams and datagrams, not packets. So the frames are made here: a handshake where a connection
//! begins, segments of at most [`SEGMENT`] bytes with the sequence numbers that follow, an acknowledgement
//! for every delivery, a farewell where it ends, and correct checksums, so that a dissector has nothing to complain of.
//! Times count from the beginning of the case. Every packet carries the case id as its comment.

mod frame;
mod stream;

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::{DataLink, PcapError};

use self::stream::Stream;
use crate::record::{Channel, Happening, Recording, Transport};

/// The most payload of one TCP segment: what fits an Ethernet frame.
pub const SEGMENT: usize = 1_400;

/// The file name of the capture of a case in the directory of captures.
pub fn file_name(case: &str, seed: u64) -> PathBuf {
    super::file_of_case(case, seed, "pcapng")
}

/// Writes the capture of one case into `directory` and returns where it is.
///
/// # Errors
/// What the file system says.
pub fn write_file(
    directory: &Path,
    case: &str,
    seed: u64,
    recording: &Recording,
) -> io::Result<PathBuf> {
    let path = directory.join(file_name(case, seed));
    let mut file = io::BufWriter::new(std::fs::File::create(&path)?);
    write(&mut file, case, recording)?;
    file.flush()?;
    Ok(path)
}

/// Writes the capture of one case.
///
/// # Errors
/// What the stream says.
pub fn write(out: &mut dyn Write, case: &str, recording: &Recording) -> io::Result<()> {
    let mut writer = PcapNgWriter::new(out).map_err(io_error)?;
    // The writer counts in nanoseconds, so the interface must say so: the format's default is microseconds.
    let mut interface = InterfaceDescriptionBlock::new(DataLink::ETHERNET, 0);
    interface
        .options
        .push(InterfaceDescriptionOption::IfTsResol(9));
    writer.write_pcapng_block(interface).map_err(io_error)?;
    let mut streams: Vec<Stream> = recording.channels.iter().map(Stream::new).collect();
    let mut first = true;
    for event in &recording.events {
        let Some(index) = event.channel else { continue };
        let (Some(channel), Some(stream)) = (recording.channels.get(index), streams.get_mut(index))
        else {
            continue;
        };
        for frame in frames(channel, stream, &event.what) {
            let comment = comment(case, &channel.name, recording, first);
            first = false;
            let block = EnhancedPacketBlock {
                interface_id: 0,
                timestamp: event.at,
                original_len: u32::try_from(frame.len()).unwrap_or(u32::MAX),
                data: Cow::Borrowed(&frame),
                options: vec![EnhancedPacketOption::Comment(Cow::Owned(comment))],
            };
            writer.write_pcapng_block(block).map_err(io_error)?;
        }
    }
    Ok(())
}

/// The frames that an event puts on the wire.
fn frames(channel: &Channel, stream: &mut Stream, what: &Happening) -> Vec<Vec<u8>> {
    match (channel.transport, what) {
        (Transport::Tcp, what) => stream.frames(what),
        (Transport::Udp, Happening::Sent(bytes)) => {
            vec![frame::udp(channel.kit, channel.target, bytes)]
        }
        (Transport::Udp, Happening::Received(bytes)) => {
            vec![frame::udp(channel.target, channel.kit, bytes)]
        }
        (Transport::Udp | Transport::Pipe, _) => Vec::new(),
    }
}

fn comment(case: &str, channel: &str, recording: &Recording, first: bool) -> String {
    let mut comment = format!("{case} ({channel})");
    if first && recording.dropped_bytes + recording.dropped_events > 0 {
        comment += &format!(
            "; incomplete: {} bytes and {} events were seen but not kept",
            recording.dropped_bytes, recording.dropped_events
        );
    }
    // An option holds 65535 bytes; a channel name of the kit is far shorter, but cut all the same.
    comment.chars().take(4_000).collect()
}

fn io_error(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
