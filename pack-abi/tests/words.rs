//! What errors, types and nodes say of themselves.

use std::error::Error as _;

use pack_abi::hash::TypeHash;
use pack_abi::metadata::{HashMismatch, Metadata, MetadataError};
use pack_abi::types::{Function, Param, Type};
use pack_abi::{ConvertError, DecodeError, DecodeErrorKind, Encode, EncodeError, Encoder, GraphType, Items};
use pack_abi::{Kind, Limits, NodeRef, TypeWriter, Value, View, WireType, decode, encode};

#[test]
fn every_cause_of_a_decode_error_has_words() {
    use DecodeErrorKind as Cause;
    for (cause, words) in [
        (Cause::Truncated, "value is truncated"),
        (Cause::BadMagic, "not an encoded value (it does not begin with \"CGRF\")"),
        (Cause::UnsupportedVersion(2), "unsupported version 2"),
        (Cause::ReservedBits, "reserved bits are set"),
        (Cause::TooLarge, "value is too large"),
        (Cause::TooManyNodes, "value claims too many nodes"),
        (Cause::TooDeep, "value is nested too deeply"),
        (Cause::TrailingBytes, "bytes after the end of the value"),
        (Cause::LengthMismatch, "node length does not match its contents"),
        (Cause::UnknownKind(0x18), "unknown node kind 0x18"),
        (Cause::UnknownType(0x15), "unknown type tag 0x15"),
        (Cause::BadUtf8, "text is not UTF-8"),
        (Cause::BadBool, "bool is neither 0 nor 1"),
        (Cause::BadChar, "char is not a Unicode scalar value"),
        (Cause::BadPresence, "presence byte is neither 0 nor 1"),
        (Cause::ChildOutOfOrder, "child node is shared, missing or out of order"),
        (Cause::UnreferencedNodes, "node belongs to no other node"),
        (Cause::WrongListForm, "list is in the wrong form for its element type"),
        (Cause::UnexpectedKind { expected: Kind::U8, found: Kind::Map }, "expected u8, found map"),
        (Cause::WrongCount { expected: 2, found: 3 }, "expected 2 elements, found 3"),
        (Cause::MissingField("size"), "field `size` is missing"),
        (Cause::UnknownTag(9), "no case has the tag 9"),
        (Cause::DuplicateKey, "key is there twice"),
        (Cause::Custom("not a name"), "not a name"),
    ] {
        assert_eq!(cause.to_string(), words);
        assert_eq!(DecodeError { kind: cause, offset: 7 }.to_string(), format!("{words} at byte 7"));
    }
}

#[test]
fn every_cause_of_an_encode_error_has_words() {
    for (cause, words) in [
        (EncodeError::TooDeep, "value is nested deeper than 512 levels"),
        (EncodeError::TooLarge, "value is too large to encode"),
        (EncodeError::ElementMismatch { declared: Kind::U16 }, "list of u16 holds an item of another type"),
        (EncodeError::RootNotLast, "value did not write its own node last"),
    ] {
        assert_eq!(cause.to_string(), words);
    }
}

#[test]
fn a_conversion_that_fails_says_what_its_cause_says() {
    let mixed = Value::list(WireType::U8, [Value::U8(1), Value::Bool(true)]);
    let error = mixed.to::<Vec<u8>>().unwrap_err();
    assert_eq!(error, ConvertError::Encode(EncodeError::ElementMismatch { declared: Kind::U8 }));
    assert_eq!(error.to_string(), "list of u8 holds an item of another type");
    let error = Value::U8(1).to::<u16>().unwrap_err();
    assert_eq!(error.to_string(), "expected u16, found u8 at byte 16");
}

#[test]
fn what_is_wrong_with_metadata_is_said_with_its_cause() {
    let unreadable = Metadata::decode(b"ELF").unwrap_err();
    assert_eq!(
        unreadable.to_string(),
        "metadata cannot be read: not an encoded value (it does not begin with \"CGRF\") at byte 0"
    );
    assert!(unreadable.source().unwrap().is::<DecodeError>());
    for (error, words) in [
        (MetadataError::Malformed("hash"), "metadata is malformed: hash"),
        (MetadataError::SeveralResults { function: "f".into() }, "function `f` has more than one result"),
        (MetadataError::TooManyTypes { interface: "a:b/c".into() }, "interface `a:b/c` has too many types"),
    ] {
        assert_eq!(error.to_string(), words);
        assert!(error.source().is_none());
    }
}

#[test]
fn a_hash_that_does_not_fit_is_named_with_both_sides() {
    let (one, two) = (TypeHash([0x11; 32]), TypeHash([0x22; 32]));
    let words = |stated, computed| HashMismatch { interface: "i".into(), stated, computed }.to_string();
    assert_eq!(words(None, Some(one)), "interface `i` has no hash");
    assert_eq!(words(Some(one), None), "there is a hash for `i` but no function of it");
    assert_eq!(
        words(Some(one), Some(two)),
        format!("interface `i` states the hash {one}, its functions have {two}")
    );
    assert_eq!(format!("{one:?}"), format!("TypeHash({})", "11".repeat(32)));
    assert_eq!("1".parse::<TypeHash>().unwrap_err().to_string(), "a hash is 64 hexadecimal digits");
}

#[test]
fn types_and_signatures_are_written_as_the_interface_language_writes_them() {
    let boxed = |ty: Type| Some(Box::new(ty));
    let result = |ok, err| Type::Result { ok, err };
    let map = Type::Map(Box::new(Type::String), Box::new(Type::Set(Box::new(Type::S16))));
    for (ty, text) in [
        (Type::Tuple(vec![Type::U64, Type::S64, Type::Value]), "tuple<u64, s64, value>"),
        (map, "map<string, set<s16>>"),
        (result(None, None), "result"),
        (result(boxed(Type::U8), None), "result<u8>"),
        (result(None, boxed(Type::U8)), "result<_, u8>"),
        (result(boxed(Type::Bool), boxed(Type::Named("why".into()))), "result<bool, why>"),
    ] {
        assert_eq!(ty.to_string(), text);
    }
    let param = |name: &str, ty| Param { name: name.into(), ty };
    let params = vec![param("a", Type::U8), param("b-c", Type::String)];
    let mut function = Function { name: "f".into(), docs: String::new(), params, result: Some(Type::Char) };
    assert_eq!(function.to_string(), "f: func(a: u8, b-c: string) -> char");
    function.result = None;
    assert_eq!(function.to_string(), "f: func(a: u8, b-c: string)");
}

#[test]
fn nodes_views_and_items_show_themselves_to_a_programmer() {
    let bytes = encode(&("x", 1u8)).unwrap();
    let view = View::parse(&bytes, &Limits::default()).unwrap();
    assert_eq!(format!("{view:?}"), "View(3 nodes in 58 bytes)");
    assert_eq!(format!("{:?}", view.root()), "tuple node 2 at byte 38");
    let items: Items = [Value::U8(1), Value::Bool(true)].into_iter().collect();
    assert_eq!(format!("{items:?}"), "[1u8, true]");
}

#[test]
fn the_type_that_a_value_shows_is_the_one_that_it_carries() {
    for (text, wire_type) in [
        ("set<u8>[1u8]", "set<u8>"),
        ("some<s16>(1s16)", "option<s16>"),
        ("P{x: 1u8}", "P"),
        ("V::c(1u8)", "variant V"),
        ("ok<u8, string>(1u8)", "result<u8, string>"),
        ("map<u8, bool>[1u8 => true]", "map<u8, bool>"),
        ("b\"a\"", "list<u8>"),
        ("(1u16, 2u32, 3u64, 4s8, 5s16, 6s32, 7s64)", "tuple<u16, u32, u64, s8, s16, s32, s64>"),
        ("(1.5f32, 1.5f64, 'c', \"s\", true, flags(0x1))", "tuple<f32, f64, char, string, bool, flags>"),
        ("[[1u16]]", "list<list<u16>>"),
    ] {
        let value: Value = text.parse().unwrap();
        assert_eq!(value.wire_type().unwrap().to_string(), wire_type, "{text}");
        // A list of such values needs no type beside it in the text, so it prints and reads without one.
        let list = Value::list(value.wire_type().unwrap(), [value.clone(), value]);
        assert_eq!(list.to_string().parse::<Value>().unwrap(), list, "{text}");
    }
}

#[test]
fn a_record_or_variant_tells_its_names() {
    let bytes = encode(&"(P{x: 1u8}, V::c#3(2u8))".parse::<Value>().unwrap()).unwrap();
    let view = View::parse(&bytes, &Limits::default()).unwrap();
    let [record, variant] = view.root().tuple_of().unwrap();
    assert_eq!(record.record().unwrap().type_name(), "P");
    let case = variant.variant().unwrap();
    assert_eq!((case.type_name(), case.name(), case.tag(), case.payloads().len()), ("V", "c", 3, 1));
}

#[test]
fn a_type_term_fills_its_bytes() {
    let read = |bytes: &[u8]| WireType::from_bytes(bytes).map_err(|error| (error.kind, error.offset));
    assert_eq!(read(&[0x07, 0x06]), Ok(WireType::List(Box::new(WireType::String))));
    assert_eq!(read(&[0x06, 0x06]), Err((DecodeErrorKind::TrailingBytes, 1)));
    assert_eq!(read(&[0x07, 0x00]), Err((DecodeErrorKind::UnknownType(0), 1)));
    assert_eq!(read(&[0x0A, 0x15]), Err((DecodeErrorKind::UnknownType(0x15), 1)));
    assert_eq!(read(&[0x0B, 2, 0, 0, 0, 0x06]), Err((DecodeErrorKind::Truncated, 5)));
    assert_eq!(read(&[]), Err((DecodeErrorKind::Truncated, 0)));
}

/// An `Encode` by hand may do what the derive never does.
struct Careless(fn(&mut Encoder<'_>) -> Result<u32, EncodeError>);

impl GraphType for Careless {
    const FIXED: Option<Kind> = Some(Kind::U8);

    fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
        types.leaf(Kind::U8)
    }
}

impl Encode for Careless {
    fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
        (self.0)(encoder)
    }
}

#[test]
fn an_encode_by_hand_that_breaks_the_rules_is_an_error() {
    let two_nodes = Careless(|encoder| {
        let first = 1u8.encode_node(encoder)?;
        2u8.encode_node(encoder)?;
        Ok(first)
    });
    assert_eq!(encode(&two_nodes), Err(EncodeError::RootNotLast));
    let mismatch = Err(EncodeError::ElementMismatch { declared: Kind::U8 });
    assert_eq!(encode(&vec![two_nodes]), mismatch);
    assert_eq!(encode(&vec![Careless(|encoder| 1u16.encode_node(encoder))]), mismatch);
    let honest = encode(&vec![Careless(|encoder| 7u8.encode_node(encoder))]).unwrap();
    assert_eq!(decode::<Vec<u8>>(&honest), Ok(vec![7]));
}

#[test]
fn a_difference_in_a_long_text_begins_and_ends_between_characters() {
    // The last byte of one `ä` differs, and its first is the same.
    let text = |middle: &str| Value::from(format!("{}{middle}{}", "ä".repeat(50), "ß".repeat(50)));
    let found = pack_abi::diff(&text("\u{e4}"), &text("\u{e5}"));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].path.as_str(), found[0].to_string().contains("\u{fffd}")), ("[100..102]", false));
    // Both end in the byte 0xA4, which is not a character of its own.
    let found = pack_abi::diff(&text("\u{e4}"), &text("\u{164}"));
    assert_eq!(found[0].path, "[100..102]");
    assert!(
        pack_abi::diff(&Value::from(vec![1; 90]), &Value::from(vec![2; 90]))[0].path.starts_with("[0..90")
    );
}

#[test]
fn items_that_differ_in_the_middle_of_a_list_are_compared_one_by_one() {
    let value = |text: &str| text.parse::<Value>().unwrap();
    let left = value("[(1u8, \"a\"), (2u8, \"b\"), (3u8, \"c\")]");
    let right = value("[(1u8, \"a\"), (2u8, \"x\"), (3u8, \"c\")]");
    let found = pack_abi::diff(&left, &right);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "[1].1");
    assert_eq!((found[0].left.as_ref(), found[0].right.as_ref()), (Some(&"b".into()), Some(&"x".into())));
}

#[test]
fn what_is_short_is_shown_whole() {
    for (left, right) in [(Value::from("ab"), Value::from("ac")), (Value::bytes([1]), Value::bytes([1, 2]))] {
        let found = pack_abi::diff(&left, &right);
        assert_eq!((found[0].path.as_str(), found[0].left.as_ref()), ("", Some(&left)));
    }
}

/// The names of a record and of a case are looked at only when they are read; the way to what is inside needs none.
#[test]
fn the_way_to_a_byte_leads_through_names_that_are_no_text() {
    let value = "(P{name: 1u8}, V::case(2u8))".parse::<Value>().unwrap();
    let mut bytes = encode(&value).unwrap();
    for name in [&b"name"[..], b"case"] {
        let place = bytes.windows(4).position(|window| window == name).unwrap();
        bytes[place] = 0xFF;
    }
    let view = View::parse(&bytes, &Limits::default()).unwrap();
    let [record, variant] = view.root().tuple_of().unwrap();
    let inner = |node: NodeRef<'_, '_>| node.children().next().unwrap().offset();
    assert_eq!(view.path_at(inner(record)), ".0.0");
    assert_eq!(view.path_at(inner(variant)), ".1(0)");
}

#[test]
fn a_node_that_no_decoder_takes_is_not_written() {
    let most = 128 << 20;
    assert_eq!(encode(&vec![0u8; most]), Err(EncodeError::TooLarge));
}

#[test]
fn a_value_that_is_there_is_not_equal_to_one_that_is_not() {
    let some = Value::option(WireType::U8, Some(Value::U8(1)));
    assert_ne!(some, Value::option(WireType::U8, None));
    let (ok, err) = (Ok(Value::U8(1)), Err(Value::U8(1)));
    let result = |value| Value::result(WireType::U8, WireType::U8, value);
    assert_ne!(result(ok), result(err));
}
