//! How a leecher comes to fetch the torrent of a story: started in this process, started as a program,
//! or handed the torrent by a watched folder.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use nix::sys::signal::Signal;
use peerproof_model::bittorrent::view::Torrent;

use crate::case::Stop;
use crate::program::{Program, filled, free_address};
use crate::serve::bittorrent::leecher::{Leecher, Leeching};

/// Where the target comes from.
#[derive(Clone, Debug)]
pub(crate) enum How {
    /// The reference leecher, sound or broken by name.
    Embedded(Option<String>),
    /// A command line with placeholders.
    Command(String),
    /// A running client that takes torrents out of a folder.
    Watching {
        /// Where it listens.
        address: SocketAddr,
        /// The folder.
        folder: PathBuf,
    },
}

/// A target at work on one torrent. Dropping it ends that.
#[derive(Debug)]
pub(crate) enum Started {
    /// The reference leecher.
    Embedded(Option<Leecher>),
    /// A program.
    Program(Mutex<Program>),
    /// A file in the folder of a running client.
    Watching {
        /// Where the client listens.
        address: SocketAddr,
        /// The file.
        file: PathBuf,
    },
}

impl How {
    /// Has the target fetch the torrent; `complete` lays the content out for it beforehand.
    pub(super) fn start(
        &self,
        torrent: &Torrent,
        tracker: &str,
        home: &Path,
        complete: bool,
    ) -> Result<Started, Stop> {
        match self {
            Self::Embedded(bug) => {
                let leeching = Leeching {
                    metainfo: torrent.metainfo.clone(),
                    content: torrent.content.clone().filter(|_| complete),
                    bug: bug.clone(),
                    seed: 1,
                    listen: (Ipv4Addr::LOCALHOST, 0).into(),
                };
                let leecher =
                    Leecher::start(&leeching).map_err(|error| Stop::Kit(error.to_string()))?;
                Ok(Started::Embedded(Some(leecher)))
            }
            Self::Command(line) => {
                let (file, dir) = lay_out(torrent, home, complete).map_err(here)?;
                let port = free_address().map_err(here)?.port().to_string();
                let places = [
                    ("torrent", &*file.to_string_lossy()),
                    ("dir", &*dir.to_string_lossy()),
                    ("port", &port),
                    ("tracker", tracker),
                ];
                let mut program = Program::start(&filled(line, &places), home).map_err(here)?;
                program.skip_farewell();
                Ok(Started::Program(Mutex::new(program)))
            }
            Self::Watching { .. } if complete => Err(Stop::Silent(
                "a running client cannot be given the content beforehand: start it with --node"
                    .to_owned(),
            )),
            Self::Watching { address, folder } => {
                let name = format!("peerproof-{}.torrent", torrent.metainfo.info_hash());
                let file = folder.join(&name);
                // Written aside and renamed, so that the client never sees half a file.
                let aside = folder.join(format!(".{name}.part"));
                fs::write(&aside, torrent.metainfo.encode()).map_err(here)?;
                fs::rename(&aside, &file).map_err(here)?;
                Ok(Started::Watching {
                    address: *address,
                    file,
                })
            }
        }
    }
}

impl Started {
    /// The address of the machine that it runs on.
    pub(super) fn ip(&self) -> IpAddr {
        match self {
            Self::Embedded(_) | Self::Program(_) => Ipv4Addr::LOCALHOST.into(),
            Self::Watching { address, .. } => address.ip(),
        }
    }

    /// Whether it has ended without being asked to.
    pub(super) fn has_ended(&self) -> bool {
        match self {
            Self::Program(program) => program.lock().is_ok_and(|mut program| program.has_ended()),
            Self::Embedded(_) | Self::Watching { .. } => false,
        }
    }

    /// Asks it to leave and waits until it has.
    pub(super) fn end(&mut self, patience: Duration) -> Result<(), Stop> {
        match self {
            Self::Embedded(leecher) => {
                drop(leecher.take());
                Ok(())
            }
            Self::Program(program) => {
                let program = program
                    .get_mut()
                    .map_err(|_| Stop::Kit("a thread panicked".to_owned()))?;
                // First as the keyboard asks, then as the machine does.
                if program.end(&[Signal::SIGINT, Signal::SIGTERM], patience) {
                    Ok(())
                } else {
                    Err(Stop::Silent(format!(
                        "the target did not leave within {patience:?}"
                    )))
                }
            }
            Self::Watching { .. } => Err(Stop::Silent(
                "a running client cannot be asked to leave: start it with --node".to_owned(),
            )),
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Self::Watching { file, .. } = self {
            // The client may have taken it away itself.
            let _ = fs::remove_file(file);
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "an argument of map_err")]
fn here(error: io::Error) -> Stop {
    Stop::Kit(format!("cannot set the scene: {error}"))
}

/// The metainfo file and the directory of the content below `home`.
fn lay_out(torrent: &Torrent, home: &Path, complete: bool) -> io::Result<(PathBuf, PathBuf)> {
    let dir = home.join("content");
    fs::create_dir_all(&dir)?;
    let file = home.join("story.torrent");
    fs::write(&file, torrent.metainfo.encode())?;
    if let (true, Some(content)) = (complete, &torrent.content) {
        let name = String::from_utf8_lossy(&torrent.metainfo.info().name).into_owned();
        fs::write(dir.join(name), content)?;
    }
    Ok((file, dir))
}
