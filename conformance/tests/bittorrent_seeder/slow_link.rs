//! A way to the target on which its first bytes arrive one at a time, as on any slow link: whatever a story needs
//! must be waited for, however the messages are cut.

use std::io::{Read, Write, copy};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::spawn;
use std::time::Duration;

/// Bytes that come one by one: the handshakes, the pieces, and the offers that follow them.
const TRICKLE: usize = 400;

/// Between two of these bytes.
const PAUSE: Duration = Duration::from_millis(2);

/// Leads to the target; its threads live until the test does.
pub(crate) fn to(target: SocketAddr) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    spawn(move || {
        for near in listener.incoming() {
            // Whoever hangs up early gets no link.
            let _ = near.and_then(|near| lay(near, TcpStream::connect(target)?));
        }
    });
    Ok(address)
}

fn lay(near: TcpStream, far: TcpStream) -> std::io::Result<()> {
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (back_from, back_to) = (far.try_clone()?, near.try_clone()?);
    spawn(move || carry(near, far, 0));
    spawn(move || carry(back_from, back_to, TRICKLE));
    Ok(())
}

fn trickle(from: &mut TcpStream, to: &mut TcpStream, bytes: usize) -> std::io::Result<()> {
    for _ in 0..bytes {
        let mut byte = [0];
        if from.read(&mut byte)? == 0 {
            break;
        }
        std::thread::sleep(PAUSE);
        to.write_all(&byte)?;
    }
    Ok(())
}

/// Carries what arrives until an end is seen, and the end with it.
fn carry(mut from: TcpStream, mut to: TcpStream, slow: usize) {
    let carried = trickle(&mut from, &mut to, slow).and_then(|()| copy(&mut from, &mut to));
    let how = match carried {
        Ok(_) => Shutdown::Write,
        Err(_) => Shutdown::Both,
    };
    let _ = to.shutdown(how);
    if carried.is_err() {
        let _ = from.shutdown(Shutdown::Both);
    }
}
