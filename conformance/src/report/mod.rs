//! Reports of a run: for people on a terminal, for machines, for course systems, for Wireshark.
