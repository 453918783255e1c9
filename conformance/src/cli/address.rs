//! Addresses as people type them.

use std::net::{SocketAddr, ToSocketAddrs};

/// The address that `HOST:PORT` means.
///
/// # Errors
/// One line that says what is wrong with it.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let (host, port) = text
        .rsplit_once(':')
        .filter(|(host, _)| !host.is_empty())
        .ok_or_else(|| {
            format!("`{text}` is no address; write HOST:PORT, such as 127.0.0.1:6881")
        })?;
    if host.contains(':') && !host.starts_with('[') {
        return Err(format!(
            "`{text}` is no address; write [{host}]:{port} for IPv6"
        ));
    }
    if !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Err(format!("`{port}` is no port; ports go from 1 to 65535"));
    }
    let mut found = text
        .to_socket_addrs()
        .map_err(|error| format!("the host of `{text}` is unknown: {error}"))?;
    found
        .next()
        .ok_or_else(|| format!("the host of `{text}` has no address"))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_and_what_only_looks_like_one() {
        for good in ["127.0.0.1:6881", "[::1]:6881", "localhost:80"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("127.0.0.1", "HOST:PORT"),
            (":6881", "HOST:PORT"),
            ("127.0.0.1:0", "1 to 65535"),
            ("127.0.0.1:65536", "1 to 65535"),
            ("127.0.0.1:", "1 to 65535"),
            ("::1:6881", "[::1]:6881"),
        ] {
            let said = address(bad).unwrap_err();
            assert!(said.contains(why), "{bad}: {said}");
        }
    }
}
