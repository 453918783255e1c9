use super::*;
use proptest::prelude::*;

fn class_at(input: &[u8]) -> (ErrorClass, usize) {
    let error = decode(input).expect_err("the input is malformed");
    (error.class, error.offset)
}

#[test]
fn the_examples_of_bep_3_decode_and_encode() {
    let spam = || Value::from("spam");
    let eggs = || Value::from("eggs");
    let examples: [(&[u8], Value); 7] = [
        (b"4:spam", spam()),
        (b"i3e", Value::Integer(3)),
        (b"i-3e", Value::Integer(-3)),
        (b"i0e", Value::Integer(0)),
        (b"l4:spam4:eggse", Value::List(vec![spam(), eggs()])),
        (
            b"d3:cow3:moo4:spam4:eggse",
            Value::dict([("cow", Value::from("moo")), ("spam", eggs())]),
        ),
        (
            b"d4:spaml1:a1:bee",
            Value::dict([(
                "spam",
                Value::List(vec![Value::from("a"), Value::from("b")]),
            )]),
        ),
    ];
    for (bytes, value) in examples {
        assert_eq!(decode(bytes).as_ref(), Ok(&value));
        assert_eq!(value.encode(), bytes);
    }
}

#[test]
fn malformed_inputs_name_class_and_offset() {
    use ErrorClass::*;
    let cases: [(&[u8], ErrorClass, usize); 27] = [
        (b"", UnexpectedEnd, 0),
        (b"i-0e", NegativeZero, 1),
        (b"i03e", IntegerLeadingZero, 1),
        (b"i-03e", IntegerLeadingZero, 2),
        (b"i00e", IntegerLeadingZero, 1),
        (b"ie", EmptyInteger, 1),
        (b"i-e", EmptyInteger, 2),
        (b"i", UnexpectedEnd, 1),
        (b"i12", UnexpectedEnd, 3),
        (b"i1x2e", InvalidInteger, 2),
        (b"i+1e", InvalidInteger, 1),
        (b"i--1e", InvalidInteger, 2),
        (b"i9223372036854775808e", IntegerOverflow, 1),
        (b"i-9223372036854775809e", IntegerOverflow, 1),
        (b"04:spam", LengthLeadingZero, 0),
        (b"00:", LengthLeadingZero, 0),
        (b"5:spam", UnexpectedEnd, 6),
        (b"4-spam", InvalidLength, 1),
        (b"99999999999999999999999:a", LengthOverflow, 0),
        (b"-1:a", UnexpectedByte, 0),
        (b"l4:spam", UnexpectedEnd, 7),
        (b"di1ei2ee", NonStringKey, 1),
        (b"d3:cowe", MissingValue, 6),
        (b"d1:bi1e1:ai2ee", UnsortedKey, 7),
        (b"d1:ai1e1:ai2ee", DuplicateKey, 7),
        (b"i1ei2e", TrailingBytes, 3),
        (b"e", UnexpectedByte, 0),
    ];
    for (input, class, offset) in cases {
        assert_eq!(class_at(input), (class, offset), "{}", input.escape_ascii());
    }
}

#[test]
fn the_largest_integers_decode() {
    assert_eq!(
        decode(b"i9223372036854775807e"),
        Ok(Value::Integer(i64::MAX))
    );
    assert_eq!(
        decode(b"i-9223372036854775808e"),
        Ok(Value::Integer(i64::MIN))
    );
    assert_eq!(Value::Integer(i64::MIN).encode(), b"i-9223372036854775808e");
}

#[test]
fn an_error_names_offset_and_expectation() {
    let text = decode(b"d3:cowe")
        .expect_err("a value is missing")
        .to_string();
    assert_eq!(
        text,
        "missing-value at byte 6: expected a value for the key"
    );
}

#[test]
fn nesting_beyond_the_limit_is_refused_at_its_opening_byte() {
    let deep = |depth: usize| [vec![b'l'; depth], vec![b'e'; depth]].concat();
    assert!(decode(&deep(100)).is_ok());
    assert_eq!(class_at(&deep(101)), (ErrorClass::DepthLimit, 100));
    assert_eq!(
        class_at(&vec![b'l'; 1_000_000]),
        (ErrorClass::DepthLimit, 100)
    );
    assert_eq!(
        class_at(&b"d1:a".repeat(1000)),
        (ErrorClass::DepthLimit, 400)
    );
}

#[test]
fn items_and_length_are_bounded() {
    let limits = Limits {
        depth: 2,
        items: 3,
        length: 12,
    };
    let decoder = Decoder::strict(limits);
    assert!(decoder.decode(b"li1ei2ee").is_ok());
    let many = decoder.decode(b"li1ei2ei3ee").expect_err("four items");
    assert_eq!((many.class, many.offset), (ErrorClass::ItemLimit, 7));
    let long = decoder
        .decode(b"11:abcdefghijk")
        .expect_err("fourteen bytes");
    assert_eq!((long.class, long.offset), (ErrorClass::InputLimit, 12));
    let prefix = decoder
        .decode_prefix(b"11:abcdefghijk")
        .expect_err("fourteen bytes");
    assert_eq!((prefix.class, prefix.offset), (ErrorClass::InputLimit, 12));
    assert_eq!(
        decoder
            .decode_prefix(b"i1e0123456789abcdef")
            .map(|decoded| decoded.length),
        Ok(3)
    );
}

#[test]
fn tolerated_departures_are_listed_and_the_first_duplicate_counts() {
    let decoded = decode_tolerant(b"d1:bi1e1:ai2e1:bi3e01:ci4ee").expect("tolerable");
    let expected = Value::dict([
        ("a", Value::Integer(2)),
        ("b", Value::Integer(1)),
        ("c", Value::Integer(4)),
    ]);
    assert_eq!(decoded.value, expected);
    let listed: Vec<_> = decoded
        .tolerances
        .iter()
        .map(|tolerance| (tolerance.kind, tolerance.offset))
        .collect();
    assert_eq!(
        listed,
        [
            (ToleranceKind::UnsortedKey, 7),
            (ToleranceKind::DuplicateKey, 13),
            (ToleranceKind::LengthLeadingZero, 19)
        ]
    );
    assert_eq!(decoded.raw(b"b"), Some(&b"i1e"[..]));
}

#[test]
fn the_raw_bytes_of_outermost_entries_are_kept() {
    let input = b"d4:infod4:name1:xe3:zzzl1:aee";
    let decoded = Decoder::strict(Limits::FILE)
        .decode(input)
        .expect("canonical");
    assert_eq!(decoded.raw(b"info"), Some(&b"d4:name1:xe"[..]));
    assert_eq!(decoded.span(b"info"), Some(7..18));
    assert_eq!(decoded.raw(b"zzz"), Some(&b"l1:ae"[..]));
    assert_eq!(decoded.raw(b"name"), None);
}

#[test]
fn a_prefix_leaves_what_follows() {
    assert_eq!(
        decode_prefix(b"d1:ai1eeraw"),
        Ok((Value::dict([("a", Value::Integer(1))]), 8))
    );
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::Integer),
        prop::collection::vec(any::<u8>(), 0..24).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            prop::collection::btree_map(prop::collection::vec(any::<u8>(), 0..6), inner, 0..6)
                .prop_map(Value::Dict),
        ]
    })
}

/// Bytes that look enough like bencoding to get past the first byte.
fn nearly_bencoded() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"ilde0123-:ab".to_vec()), 0..40)
}

proptest! {
    #[test]
    fn decoding_inverts_encoding(value in any_value()) {
        prop_assert_eq!(decode(&value.encode()), Ok(value));
    }

    #[test]
    fn what_strict_accepts_encodes_to_the_same_bytes(input in nearly_bencoded()) {
        if let Ok(value) = decode(&input) {
            prop_assert_eq!(value.encode(), input);
        }
    }

    #[test]
    fn strict_accepts_exactly_what_tolerant_accepts_without_a_note(input in nearly_bencoded()) {
        match (decode(&input), decode_tolerant(&input)) {
            (Ok(value), Ok(decoded)) => {
                prop_assert_eq!(decoded.value, value);
                prop_assert!(decoded.tolerances.is_empty());
            }
            (Err(_), Ok(decoded)) => prop_assert!(!decoded.tolerances.is_empty()),
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => prop_assert!(false, "only tolerant refuses: {error}"),
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic_and_offsets_lie_inside(input in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Err(error) = decode(&input) {
            prop_assert!(error.offset <= input.len());
        }
    }
}
