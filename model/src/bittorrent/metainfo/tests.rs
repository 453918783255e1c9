use super::*;
use crate::bittorrent::wire::ErrorClass;
use proptest::prelude::*;

fn class_at(bytes: &[u8]) -> (MetainfoErrorClass, usize) {
    let error = Metainfo::parse(bytes).expect_err("malformed metainfo");
    (error.class, error.offset)
}

/// One file of 5 bytes in pieces of 4, with the given bytes in place of the content's length.
fn single(info: &str) -> Vec<u8> {
    format!("d8:announce9:http://x/4:info{info}e").into_bytes()
}

const HASHES: &str = "6:pieces40:aaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbb";

#[test]
fn a_single_file_is_read() {
    let bytes = single(&format!(
        "d6:lengthi5e4:name1:f12:piece lengthi4e{HASHES}7:privatei1ee"
    ));
    let metainfo = Metainfo::parse(&bytes).expect("well-formed");
    assert_eq!(metainfo.announce.as_deref(), Some("http://x/"));
    assert_eq!(metainfo.info().content, Content::Single(5));
    assert_eq!(metainfo.info().pieces, [[b'a'; 20], [b'b'; 20]]);
    assert!(metainfo.info().private);
    assert_eq!(
        (
            metainfo.piece_len(0),
            metainfo.piece_len(1),
            metainfo.piece_len(2)
        ),
        (Some(4), Some(1), None)
    );
    assert_eq!(metainfo.encode(), bytes);
}

#[test]
fn several_files_are_read() {
    let files = "5:filesld6:lengthi2e4:pathl1:d1:feed6:lengthi3e4:pathl1:geee";
    let bytes = single(&format!("d{files}4:name1:n12:piece lengthi4e{HASHES}e"));
    let metainfo = Metainfo::parse(&bytes).expect("well-formed");
    let file = |length, path: &[&[u8]]| FileEntry {
        length,
        path: path.iter().map(|part| part.to_vec()).collect(),
    };
    assert_eq!(
        metainfo.info().content,
        Content::Multi(vec![file(2, &[b"d", b"f"]), file(3, &[b"g"])])
    );
    assert_eq!(metainfo.total_len(), 5);
}

#[test]
fn the_info_hash_is_that_of_the_raw_bytes() {
    // SHA-1 of `abc` is in FIPS 180; the hash of content `abc` as a single piece must be it.
    let metainfo = Metainfo::from_content(b"f", 4, b"abc", None).expect("a torrent");
    let abc = hex::decode("a9993e364706816aba3e25717850c26c9cd0d89d").expect("hex");
    assert_eq!(metainfo.info().pieces[0].as_slice(), abc);
    // An unknown key inside of `info` changes the hash and stays in the encoded file.
    let raw = [
        &b"d6:lengthi3e4:name1:f12:piece lengthi4e6:pieces20:"[..],
        &abc,
        b"1:zi1ee",
    ]
    .concat();
    let with_extra = Metainfo::from_raw_info(&raw).expect("well-formed");
    assert_eq!(with_extra.info(), metainfo.info());
    assert_ne!(with_extra.info_hash(), metainfo.info_hash());
    assert_eq!(
        with_extra.encode(),
        [b"d4:info", raw.as_slice(), b"e"].concat()
    );
}

#[test]
fn hostile_metainfo_is_refused() {
    use MetainfoErrorClass::*;
    let cases = [
        (
            "d6:lengthi5e4:name1:f12:piece lengthi0e6:pieces0:e",
            Field(ErrorClass::OutOfRange("piece length")),
            64,
        ),
        (
            "d6:lengthi5e4:name1:f12:piece lengthi4e6:pieces3:abce",
            PiecesLength,
            75,
        ),
        (
            "d6:lengthi5e4:name1:f12:piece lengthi4e6:pieces0:e",
            PieceCount,
            75,
        ),
        (
            "d6:lengthi-5e4:name1:f12:piece lengthi4e6:pieces0:e",
            Field(ErrorClass::OutOfRange("length")),
            37,
        ),
        ("d4:name1:f12:piece lengthi4e6:pieces0:e", NoContent, 28),
        (
            "d4:name2:..12:piece lengthi4e6:pieces0:e",
            PathComponent,
            35,
        ),
        (
            "d4:name3:a/b12:piece lengthi4e6:pieces0:e",
            PathComponent,
            35,
        ),
        (
            "d5:filesle6:lengthi5e4:name1:f12:piece lengthi4e6:pieces0:e",
            LengthAndFiles,
            36,
        ),
        (
            "d5:filesle4:name1:f12:piece lengthi4e6:pieces0:e",
            NoFiles,
            36,
        ),
        (
            "d5:filesld6:lengthi1e4:pathl2:..eee4:name1:f12:piece lengthi4e6:pieces0:e",
            PathComponent,
            36,
        ),
        (
            "d5:filesld6:lengthi1e4:pathl0:eee4:name1:f12:piece lengthi4e6:pieces0:e",
            PathComponent,
            36,
        ),
        (
            "d5:filesld6:lengthi1e4:pathl3:a\0beee4:name1:f12:piece lengthi4e6:pieces0:e",
            PathComponent,
            36,
        ),
        (
            "d5:filesld6:lengthi1e4:pathleee4:name1:f12:piece lengthi4e6:pieces0:e",
            PathComponent,
            36,
        ),
        (
            "d6:lengthi9223372036854775807e4:name1:f12:piece lengthi1e6:pieces0:e",
            Field(ErrorClass::OutOfRange("piece length")),
            82,
        ),
    ];
    for (info, class, offset) in cases {
        assert_eq!(class_at(&single(info)), (class, offset), "{info}");
    }
    let length = "d6:lengthi9223372036854775807e4:pathl1:aee";
    let overflow = single(&format!(
        "d5:filesl{}e4:name1:f12:piece lengthi4e6:pieces0:e",
        length.repeat(3)
    ));
    assert_eq!(class_at(&overflow), (TotalLength, 36));
    assert_eq!(class_at(b"de"), (Field(ErrorClass::MissingKey("info")), 0));
    assert_eq!(class_at(b"le"), (Field(ErrorClass::NotDictionary), 0));
}

#[test]
fn unsorted_keys_are_tolerated_on_request_and_the_raw_info_is_kept() {
    let info = format!("d4:name1:f6:lengthi5e12:piece lengthi4e{HASHES}e");
    let bytes = single(&info);
    let unsorted =
        MetainfoErrorClass::Field(ErrorClass::Bencode(crate::bencode::ErrorClass::UnsortedKey));
    assert_eq!(class_at(&bytes), (unsorted, 38));
    let (metainfo, tolerances) = Metainfo::parse_tolerant(&bytes).expect("tolerable");
    assert_eq!(tolerances.len(), 1);
    assert_eq!(metainfo.raw_info(), info.as_bytes());
}

proptest! {
    #[test]
    fn parsing_inverts_encoding(
        content in prop::collection::vec(any::<u8>(), 0..200),
        piece_length in 1_u32..64,
        name in "[a-z]{1,8}",
        announce in prop::option::of("http://[a-z]{1,5}/announce"),
    ) {
        let built = Metainfo::from_content(name.as_bytes(), piece_length, &content, announce.as_deref());
        let built = built.expect("a positive piece length");
        let parsed = Metainfo::parse(&built.encode()).expect("our own encoding");
        prop_assert_eq!(&parsed, &built);
        for (index, piece) in content.chunks(piece_length as usize).enumerate() {
            prop_assert!(parsed.is_piece(u32::try_from(index).expect("small"), piece));
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = Metainfo::parse(&bytes);
        let _ = Metainfo::parse_tolerant(&bytes);
        let _ = Metainfo::parse(&[b"d4:info", bytes.as_slice(), b"e"].concat());
    }
}
