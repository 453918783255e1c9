//! BitTorrent.
