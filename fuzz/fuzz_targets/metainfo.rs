//! Metainfo that is read survives an encode; its paths stay inside and its pieces add up.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peerproof_model::bittorrent::metainfo::{Content, Metainfo};

fuzz_target!(|input: &[u8]| {
    let strict = Metainfo::parse(input);
    let Ok((metainfo, tolerances)) = Metainfo::parse_tolerant(input) else {
        assert!(strict.is_err(), "what is canonical is tolerable");
        return;
    };
    match strict {
        Ok(strict) => assert_eq!((strict, true), (metainfo.clone(), tolerances.is_empty())),
        Err(error) => assert!(!tolerances.is_empty() && error.offset <= input.len()),
    }
    let again = Metainfo::parse_tolerant(&metainfo.encode()).expect("our own encoding");
    assert_eq!(again.0, metainfo);
    let layout = metainfo.info().layout;
    assert_eq!(metainfo.info().pieces.len(), layout.pieces() as usize);
    let lengths = (0..layout.pieces())
        .filter_map(|index| layout.piece_len(index))
        .map(u64::from);
    assert_eq!(lengths.sum::<u64>(), metainfo.total_len());
    if let Content::Multi(files) = &metainfo.info().content {
        let components = files.iter().flat_map(|file| &file.path);
        assert!(
            components
                .into_iter()
                .all(|name| name != b".." && !name.contains(&b'/') && !name.contains(&0))
        );
    }
});
