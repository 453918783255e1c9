//! Golden wire vectors.
