//! Datagrams to a tracker from one socket, with every byte recorded.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::case::Stop;
use crate::record::{Channel, Happening, Recorder, Transport};

/// The most datagrams that are read for one question; a flood ends there.
const READ_LIMIT: usize = 256;

/// A socket of one peer that talks to the tracker alone.
#[derive(Debug)]
pub(super) struct UdpLine {
    socket: UdpSocket,
    recorder: Recorder,
    channel: usize,
    local: SocketAddr,
}

impl UdpLine {
    /// Binds to the address `source`.
    pub(super) fn open(
        target: SocketAddr,
        source: IpAddr,
        name: String,
        recorder: &Recorder,
    ) -> Result<Self, Stop> {
        let kit = |error: std::io::Error| Stop::Kit(format!("a socket at {source}: {error}"));
        let socket = UdpSocket::bind((source, 0)).map_err(kit)?;
        socket.connect(target).map_err(kit)?;
        let local = socket.local_addr().map_err(kit)?;
        let channel = recorder.channel(Channel {
            name,
            transport: Transport::Udp,
            kit: local,
            target,
            peer: None,
            opened_by_target: false,
        });
        Ok(Self {
            socket,
            recorder: recorder.clone(),
            channel,
            local,
        })
    }

    /// The kit's end.
    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends one datagram.
    pub(super) fn send(&self, bytes: &[u8], label: &str) -> Result<(), Stop> {
        self.recorder
            .event(Some(self.channel), Happening::Sent(bytes.to_vec()), label);
        match self.socket.send(bytes) {
            Ok(_) => Ok(()),
            // The kernel tells of an earlier datagram that nobody took; this one was not sent.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => self
                .socket
                .send(bytes)
                .map(|_| ())
                .map_err(|error| Stop::Gone(error.to_string())),
            Err(error) => Err(Stop::Kit(format!("a datagram could not be sent: {error}"))),
        }
    }

    /// The first datagram within `patience` that `wanted` likes; the others are recorded and dropped.
    pub(super) fn receive(
        &self,
        patience: Duration,
        mut wanted: impl FnMut(&[u8]) -> bool,
    ) -> Option<Vec<u8>> {
        let deadline = Instant::now() + patience;
        let mut buffer = vec![0; 64 << 10];
        for _ in 0..READ_LIMIT {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let _ = self.socket.set_read_timeout(Some(left));
            // An error is the end of the time, or word that nobody listens: the deadline decides.
            let Ok(count) = self.socket.recv(&mut buffer) else {
                continue;
            };
            let bytes = buffer[..count].to_vec();
            let event = Happening::Received(bytes.clone());
            self.recorder.event(Some(self.channel), event, "answers");
            if wanted(&bytes) {
                return Some(bytes);
            }
        }
        None
    }
}
