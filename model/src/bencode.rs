//! Bencoding (BEP 3): strict, bounded.
