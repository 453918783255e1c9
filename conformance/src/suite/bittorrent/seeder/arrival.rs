//! How a session reaches its target: a running peer, a program, or the reference.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use peerproof_model::bittorrent::pieces::Pieces;
use peerproof_model::bittorrent::view::Torrent;

use super::ground::{Ground, Traits};
use crate::case::Stop;
use crate::program::{Home, Program, filled, free_address};
use crate::serve::Running as _;
use crate::serve::bittorrent::content;
use crate::serve::bittorrent::peer::RunningSeeder;
use crate::suite::bittorrent::books::{Books, Exchange, Patience};
use crate::suite::bittorrent::peer::{KitPeer, Role, every_extension};
use crate::suite::{OpenError, Options};
use crate::target::Target;

/// How long a program may take until it serves.
const START: Duration = Duration::from_secs(30);

/// How long to rest before a program that does not serve yet is asked again.
const REST: Duration = Duration::from_millis(250);

/// How long the offers of the allowed-fast set may lag behind the declaration of the pieces.
const OFFERS: Duration = Duration::from_millis(300);

/// The announce address of torrents that the kit makes: some peers refuse a torrent without one, and nobody answers.
const NO_TRACKER: &str = "http://127.0.0.1:9/announce";

/// What a session holds until it ends.
pub(super) enum Keeper {
    Nothing,
    Embedded(#[allow(dead_code, reason = "held until the session ends")] RunningSeeder),
    Program(#[allow(dead_code, reason = "held until the session ends")] (Program, Home)),
}

pub(super) fn open(target: &Target, options: &Options) -> Result<(Ground, Keeper), OpenError> {
    match target {
        Target::Embedded { bug } => embedded(bug.as_deref(), options),
        Target::Address(address) => running(*address, options),
        Target::Command(line) => program(line, options),
        Target::Adapter(_) => Err(OpenError::takes_no_adapter()),
    }
}

fn embedded(bug: Option<&str>, options: &Options) -> Result<(Ground, Keeper), OpenError> {
    if options.torrent.is_some() {
        let why = "--torrent belongs to --target; the reference seeder makes its own torrent";
        return Err(OpenError::Usage(why.to_owned()));
    }
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let torrent = content::make(options.seed, None)?;
    let seeder = RunningSeeder::start(listen, Arc::clone(&torrent), bug, options.seed, None)?;
    let mut ground = Ground::new(
        seeder.address(),
        torrent,
        Patience::new(options),
        options.seed,
    );
    ground.stated_slots = Some(seeder.slots());
    // A broken seeder may be hard to meet: then the cases say so.
    if let Ok(traits) = meet(&ground) {
        ground.traits = traits;
    }
    Ok((ground, Keeper::Embedded(seeder)))
}

fn running(address: SocketAddr, options: &Options) -> Result<(Ground, Keeper), OpenError> {
    let Some(file) = &options.torrent else {
        let why = "--target needs --torrent FILE: the torrent that the target serves";
        return Err(OpenError::Usage(why.to_owned()));
    };
    let torrent = Arc::new(Torrent {
        metainfo: content::metainfo(file)?,
        content: None,
    });
    let mut ground = Ground::new(address, torrent, Patience::new(options), options.seed);
    ground.traits = match meet(&ground) {
        Ok(traits) => traits,
        Err(Unmet::Unreachable(why)) => return Err(OpenError::Unreachable(why)),
        Err(Unmet::Here(why)) => return Err(OpenError::Kit(why)),
        // It is there and not what is expected: the cases say what is wrong.
        Err(Unmet::Strange(_)) => Traits::default(),
    };
    Ok((ground, Keeper::Nothing))
}

fn program(line: &str, options: &Options) -> Result<(Ground, Keeper), OpenError> {
    if options.torrent.is_some() {
        let why = "--torrent belongs to --target; for --node the kit makes a torrent";
        return Err(OpenError::Usage(why.to_owned()));
    }
    let kit = |error: std::io::Error| OpenError::Kit(format!("cannot prepare `{line}`: {error}"));
    let home = Home::new().map_err(kit)?;
    let torrent = content::make(options.seed, Some(NO_TRACKER))?;
    let (file, data) = lay_out(&torrent, home.path()).map_err(kit)?;
    let address = free_address().map_err(kit)?;
    let port = address.port().to_string();
    let places = [
        ("torrent", file.as_str()),
        ("dir", data.as_str()),
        ("port", port.as_str()),
        ("tracker", NO_TRACKER),
    ];
    let mut program = Program::start(&filled(line, &places), home.path()).map_err(kit)?;
    let mut ground = Ground::new(address, torrent, Patience::new(options), options.seed);
    ground.traits = await_service(&ground, &mut program, line)?;
    Ok((ground, Keeper::Program((program, home))))
}

/// Writes the torrent and its content; the answer names the torrent file and the directory of the content.
fn lay_out(torrent: &Torrent, home: &Path) -> std::io::Result<(String, String)> {
    let file = home.join("peerproof.torrent");
    std::fs::write(&file, torrent.metainfo.encode())?;
    let data = home.join("data");
    std::fs::create_dir(&data)?;
    let content = torrent.content.as_deref().unwrap_or_default();
    std::fs::write(data.join(content::NAME), content)?;
    Ok((file.display().to_string(), data.display().to_string()))
}

fn await_service(ground: &Ground, program: &mut Program, line: &str) -> Result<Traits, OpenError> {
    let deadline = Instant::now() + START;
    loop {
        let why = match meet(ground) {
            Ok(traits) => return Ok(traits),
            Err(Unmet::Here(why)) => return Err(OpenError::Kit(why)),
            Err(Unmet::Unreachable(why) | Unmet::Strange(why)) => why,
        };
        let why = if program.has_ended() {
            "it has ended".to_owned()
        } else if Instant::now() >= deadline {
            format!(
                "it does not serve {} within {START:?}: {why}",
                ground.target
            )
        } else {
            std::thread::sleep(REST);
            continue;
        };
        return Err(OpenError::Unreachable(format!(
            "`{line}`: {why}; {}",
            program.last_words()
        )));
    }
}

/// Why the target could not be met.
enum Unmet {
    Unreachable(String),
    Strange(String),
    Here(String),
}

impl From<Stop> for Unmet {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Kit(why) => Self::Here(why),
            other => Self::Strange(other.to_string()),
        }
    }
}

/// Meets the target as a first peer: it must have every piece, and shows what it offers.
fn meet(ground: &Ground) -> Result<Traits, Unmet> {
    let everything = Pieces::all(ground.torrent.pieces());
    let exchange = Exchange::new(Arc::clone(&ground.torrent), everything, None, []);
    let books = exchange as Arc<dyn Books>;
    let role = Role {
        peer_id: ground.next_peer_id(),
        patience: ground.patience,
    };
    let peer = KitPeer::connect(&books, ground.target, ground.source(), role);
    let mut peer = peer.map_err(|stop| match stop {
        Stop::Gone(why) => Unmet::Unreachable(why),
        other => other.into(),
    })?;
    peer.greet(every_extension())?;
    peer.await_pieces()?;
    if !peer.view()?.heard.has.is_complete() {
        let why = "it does not have every piece (yet)".to_owned();
        return Err(Unmet::Strange(why));
    }
    peer.wait_until(OFFERS, |link| !link.heard.allowed_fast.is_empty())?;
    Ok(Traits {
        offers_fast: !peer.view()?.heard.allowed_fast.is_empty(),
    })
}
