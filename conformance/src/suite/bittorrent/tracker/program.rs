//! A tracker that the kit starts, with a whitelist of the kit's torrents for those that demand one.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use peerproof_model::bittorrent::message::InfoHash;

use crate::program::{Home, Program, filled, free_address};
use crate::suite::OpenError;

/// A started tracker. Dropping it ends it.
pub(super) struct Started {
    program: Program,
    address: SocketAddr,
    _home: Home,
}

impl Started {
    /// Starts `line` by the shell; {port} is a free port, {whitelist} a file with the info hashes, {dir} its directory.
    pub(super) fn start(line: &str, info_hashes: &[InfoHash]) -> Result<Self, OpenError> {
        let kit =
            |error: std::io::Error| OpenError::Kit(format!("cannot prepare `{line}`: {error}"));
        let home = Home::new().map_err(kit)?;
        // A tracker that gives up its privileges must still read its directory.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(home.path(), open).map_err(kit)?;
        let whitelist = home.path().join("whitelist");
        let mut text = String::new();
        for info_hash in info_hashes {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{info_hash}");
        }
        std::fs::write(&whitelist, text).map_err(kit)?;
        let address = free_address().map_err(kit)?;
        let places = [
            ("port", &*address.port().to_string()),
            ("whitelist", &*whitelist.to_string_lossy()),
            ("dir", &*home.path().to_string_lossy()),
        ];
        Ok(Self {
            program: Program::start(&filled(line, &places), home.path()).map_err(kit)?,
            address,
            _home: home,
        })
    }

    /// Where it was told to listen.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        self.program.has_ended()
    }

    /// What it said last, for a report.
    pub(super) fn last_words(&self) -> String {
        self.program.last_words()
    }
}
