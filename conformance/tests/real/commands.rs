//! The command lines and configuration files of the real clients.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::json;

use crate::clients::{Job, Software, free_port};
use crate::process::{Process, eventually};

/// Prints `libtorrent` and the version of the binding.
pub(crate) const LIBTORRENT_VERSION: &str =
    "import libtorrent; print('libtorrent', libtorrent.__version__)";

/// Where the port of transmission's control interface is kept inside its home.
const RPC_PORT: &str = "rpc-port";

/// libtorrent's client: one session, one torrent, every alert printed. Arguments: metainfo, directory, port.
const LIBTORRENT: &str = r"
import signal
import sys
import libtorrent as lt

# Leaving through the interpreter destroys the session, which announces `stopped`.
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
metainfo, directory, port = sys.argv[1:4]
session = lt.session({
    'listen_interfaces': '127.0.0.1:' + port,
    'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
    'enable_incoming_utp': False, 'enable_outgoing_utp': False,
    'in_enc_policy': int(lt.enc_policy.pe_disabled), 'out_enc_policy': int(lt.enc_policy.pe_disabled),
    'allow_multiple_connections_per_ip': True,
    'min_reconnect_time': 1, 'min_announce_interval': 1,
    'ssrf_mitigation': False,
    'alert_mask': int(lt.alert.category_t.all_categories) & 0x7fffffff,
})
torrent = session.add_torrent({'ti': lt.torrent_info(metainfo), 'save_path': directory})
while True:
    session.wait_for_alert(1000)
    for alert in session.pop_alerts():
        if not isinstance(alert, lt.session_stats_alert):
            print(type(alert).__name__, alert.message(), flush=True)
";

/// The command of a client; its configuration files are written into `home`.
pub(crate) fn client(software: Software, job: &Job, home: &Path) -> io::Result<Command> {
    match software {
        Software::Aria2 => Ok(aria2(job)),
        Software::Transmission => transmission(job, home),
        Software::Libtorrent => libtorrent(job, home),
        Software::Rtorrent => rtorrent(job, home),
        Software::Ctorrent => Ok(ctorrent(job)),
        Software::Opentracker => Err(io::Error::other("opentracker is a tracker, not a client")),
    }
}

fn aria2(job: &Job) -> Command {
    let mut command = Command::new("aria2c");
    command
        .args([
            "--no-conf=true",
            "--interface=127.0.0.1",
            "--disable-ipv6=true",
            "--async-dns=false",
        ])
        .args([
            "--enable-dht=false",
            "--enable-dht6=false",
            "--bt-enable-lpd=false",
            "--enable-peer-exchange=false",
        ])
        .args([
            "--bt-min-crypto-level=plain",
            "--bt-require-crypto=false",
            "--bt-force-encryption=false",
        ])
        // A ratio of zero means: seed for ever.
        .args([
            "--seed-ratio=0.0",
            "--check-integrity=true",
            "--file-allocation=none",
            "--allow-overwrite=true",
        ])
        .args([
            "--summary-interval=0",
            "--console-log-level=info",
            "--enable-color=false",
        ])
        .arg(format!("--dir={}", job.directory.display()))
        .arg(format!("--listen-port={}", job.port))
        .arg(&job.metainfo);
    command
}

fn transmission(job: &Job, home: &Path) -> io::Result<Command> {
    let rpc_port = free_port();
    let settings = json!({
        "bind-address-ipv4": "127.0.0.1", "bind-address-ipv6": "::1",
        "peer-port": job.port, "peer-port-random-on-start": false, "port-forwarding-enabled": false,
        "rpc-bind-address": "127.0.0.1", "rpc-port": rpc_port,
        "rpc-authentication-required": false, "rpc-whitelist-enabled": false,
        "dht-enabled": false, "lpd-enabled": false, "pex-enabled": false, "utp-enabled": false,
        // 0 prefers plaintext; encrypted peers would still be accepted.
        "encryption": 0,
        "download-dir": job.directory, "incomplete-dir-enabled": false, "start-added-torrents": true,
        "ratio-limit-enabled": false, "idle-seeding-limit-enabled": false, "blocklist-enabled": false,
        "message-level": 2,
    });
    let configuration = home.join("configuration");
    fs::create_dir_all(&configuration)?;
    fs::write(configuration.join("settings.json"), settings.to_string())?;
    fs::write(home.join(RPC_PORT), rpc_port.to_string())?;
    let mut command = Command::new("transmission-daemon");
    command
        .args(["--foreground", "--config-dir"])
        .arg(configuration);
    Ok(command)
}

/// Hands the torrent to a started transmission through its control interface.
pub(crate) fn add_to_transmission(
    job: &Job,
    process: &mut Process,
    deadline: Instant,
) -> Result<(), String> {
    let mut said = String::new();
    let added = eventually(deadline.saturating_duration_since(Instant::now()), || {
        if !process.alive() {
            return true;
        }
        let add = [
            "--download-dir".as_ref(),
            job.directory.as_os_str(),
            "--add".as_ref(),
            job.metainfo.as_os_str(),
        ];
        match tell_transmission(process.home(), &add) {
            Ok(()) => true,
            Err(answer) => {
                said = answer;
                false
            }
        }
    });
    if added {
        Ok(())
    } else {
        Err(format!("transmission did not take the torrent: {said}"))
    }
}

/// Has a started transmission stop its torrent: it announces `stopped` then, and not when it is ended.
pub(crate) fn stop_in_transmission(home: &Path) -> Result<(), String> {
    tell_transmission(
        home,
        &["--torrent".as_ref(), "all".as_ref(), "--stop".as_ref()],
    )
}

fn tell_transmission(home: &Path, arguments: &[&OsStr]) -> Result<(), String> {
    let port = fs::read_to_string(home.join(RPC_PORT)).map_err(|error| error.to_string())?;
    let output = Command::new("transmission-remote")
        .arg(format!("127.0.0.1:{port}"))
        .args(arguments)
        .env("HOME", home)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("transmission-remote: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        let said = [output.stdout, output.stderr].concat();
        Err(String::from_utf8_lossy(&said).into_owned())
    }
}

fn libtorrent(job: &Job, home: &Path) -> io::Result<Command> {
    let script = home.join("client.py");
    fs::write(&script, LIBTORRENT)?;
    let mut command = Command::new("/usr/bin/python3");
    command
        .arg(script)
        .arg(&job.metainfo)
        .arg(&job.directory)
        .arg(job.port.to_string());
    Ok(command)
}

fn rtorrent(job: &Job, home: &Path) -> io::Result<Command> {
    let session = home.join("session");
    fs::create_dir_all(&session)?;
    let port = job.port;
    let settings = format!(
        "system.daemon.set=true\n\
         network.bind_address.set=127.0.0.1\n\
         network.port_range.set={port}-{port}\n\
         network.port_random.set=no\n\
         network.port_open.set=yes\n\
         dht.mode.set=disable\n\
         protocol.pex.set=no\n\
         trackers.use_udp.set=no\n\
         protocol.encryption.set=none\n\
         directory.default.set={directory}\n\
         session.path.set={session}\n\
         network.scgi.open_local={home}/control\n\
         log.open_file=\"log\",{home}/log\n\
         log.add_output=\"info\",\"log\"\n\
         load.start={metainfo}\n",
        directory = job.directory.display(),
        session = session.display(),
        home = home.display(),
        metainfo = job.metainfo.display(),
    );
    let file = home.join("rtorrent.rc");
    fs::write(&file, settings)?;
    let mut command = Command::new("rtorrent");
    command
        .args(["-n", "-o"])
        .arg(format!("import={}", file.display()));
    Ok(command)
}

fn ctorrent(job: &Job) -> Command {
    let mut command = Command::new("ctorrent");
    command
        .args(["-i", "127.0.0.1", "-p"])
        .arg(job.port.to_string());
    // It wants the name of the file itself, not of its directory.
    command
        .arg("-s")
        .arg(job.directory.join(&job.name))
        .arg(&job.metainfo);
    command
}

/// The command of opentracker: HTTP and UDP on one port of 127.0.0.1.
pub(crate) fn opentracker(info_hashes: &[[u8; 20]], port: u16, home: &Path) -> io::Result<Command> {
    let mut whitelist = String::new();
    for info_hash in info_hashes {
        // Writing into a string cannot fail.
        let _ = writeln!(whitelist, "{}", hex::encode(info_hash));
    }
    fs::write(home.join("whitelist"), whitelist)?;
    // It reads the whitelist after it changed its root to rootdir, hence the relative path.
    let settings = format!(
        "access.whitelist whitelist\n\
         tracker.rootdir {home}\n\
         listen.tcp 127.0.0.1:{port}\n\
         listen.udp 127.0.0.1:{port}\n",
        home = home.display(),
    );
    let file = home.join("opentracker.conf");
    fs::write(&file, settings)?;
    let mut command = Command::new("opentracker");
    command.arg("-f").arg(file);
    Ok(command)
}
