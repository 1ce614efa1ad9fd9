//! Values that are nested a million levels deep, made by hand: each operation works or is an error, on little stack.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pack_abi::{EncodeError, Value, WireType, diff, encode};

const LEVELS: usize = 1_000_000;
const STACK_BYTES: usize = 512 << 10;

fn on_little_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap().join().unwrap();
}

/// Nests a value in itself; every way to nest one takes its turn.
fn wrap(level: usize, inner: Value) -> Value {
    match level % 9 {
        0 => Value::tuple([Value::U8(1), inner]),
        1 => Value::list(WireType::String, [inner]),
        2 => Value::option(WireType::String, Some(inner)),
        3 => Value::result(WireType::String, WireType::String, Ok(inner)),
        4 => Value::result(WireType::String, WireType::String, Err(inner)),
        5 => Value::record("R", [("a", inner), ("b", Value::from("text"))]),
        6 => Value::variant("V", "c", 1, [inner]),
        7 => Value::map(WireType::String, WireType::U8, [(inner, Value::U8(1))]),
        _ => Value::set(WireType::String, [inner]),
    }
}

fn nested(levels: usize, innermost: Value) -> Value {
    (0..levels).fold(innermost, |inner, level| wrap(level, inner))
}

#[test]
fn a_value_of_any_depth_is_dropped() {
    on_little_stack(|| drop(nested(LEVELS, Value::unit())));
}

#[test]
fn a_value_of_any_depth_is_cloned_and_each_clone_dropped() {
    on_little_stack(|| {
        let value = nested(LEVELS, Value::unit());
        let clones = vec![value.clone(); 3];
        drop(value);
        drop(clones);
    });
}

#[test]
fn values_of_any_depth_are_compared() {
    on_little_stack(|| {
        let value = nested(LEVELS, Value::U8(1));
        assert!(value == value.clone());
        assert!(value == nested(LEVELS, Value::U8(1)));
        assert!(value != nested(LEVELS, Value::U8(2)));
        assert!(value != nested(LEVELS - 1, Value::U8(1)));
    });
}

#[test]
fn a_value_that_is_too_deep_is_not_encoded() {
    on_little_stack(|| {
        let value = nested(LEVELS, Value::unit());
        assert_eq!(encode(&value), Err(EncodeError::TooDeep));
        assert!(value.to::<Value>().is_err());
        assert_eq!(Value::of(&value), Err(EncodeError::TooDeep));
    });
}

#[test]
fn the_text_of_a_value_that_is_too_deep_is_cut_off_and_does_not_parse() {
    on_little_stack(|| {
        let text = nested(LEVELS, Value::unit()).to_string();
        assert!(text.contains("...") && text.len() < 20_000, "{} bytes", text.len());
        assert!(text.parse::<Value>().is_err());
        assert_eq!(format!("{:?}", nested(3, Value::U8(1))), nested(3, Value::U8(1)).to_string());
    });
}

#[test]
fn values_of_any_depth_differ_at_a_place() {
    on_little_stack(|| {
        let tuples = |innermost| (0..20_000).fold(innermost, |inner, _| Value::tuple([inner]));
        let found = diff(&tuples(Value::U8(1)), &tuples(Value::U8(2)));
        assert_eq!(found.len(), 1);
        assert!(found[0].path.starts_with(".0.0.0.0") && found[0].to_string().contains("..."));
    });
}

#[test]
fn the_type_of_a_tuple_that_is_too_deep_is_an_error() {
    on_little_stack(|| {
        let tuples = |levels| (0..levels).fold(Value::U8(1), |inner, _| Value::tuple([inner]));
        assert_eq!(tuples(LEVELS).wire_type(), Err(EncodeError::TooDeep));
        assert_eq!(tuples(2).wire_type().unwrap().to_string(), "tuple<tuple<u8>>");
    });
}

#[cfg(feature = "serde")]
#[test]
fn a_value_that_is_too_deep_is_no_json() {
    on_little_stack(|| {
        let error = serde_json::to_string(&nested(LEVELS, Value::unit())).unwrap_err();
        assert_eq!(error.to_string(), "value is nested deeper than 512 levels");
    });
}

/// A value that holds itself twice at each of 40 levels takes no room here and would take a tebibyte there.
#[test]
fn what_is_shared_is_written_only_as_long_as_there_is_room() {
    let value = (0..40).fold(Value::unit(), |inner, _| Value::tuple([inner.clone(), inner]));
    assert_eq!(encode(&value), Err(EncodeError::TooLarge));
    let large = Value::bytes(vec![7; 100 << 20]);
    let list = Value::list(WireType::List(Box::new(WireType::U8)), vec![large; 100_000]);
    assert_eq!(encode(&list), Err(EncodeError::TooLarge));
}

#[test]
fn a_value_is_small_and_a_clone_shares_what_is_inside() {
    assert!(size_of::<Value>() <= 32, "{} bytes", size_of::<Value>());
    let items = Value::list(WireType::String, vec![Value::from("text"); 3]);
    let (Value::List(list), Value::List(clone)) = (&items, &items.clone()) else { panic!("a list") };
    assert!(core::ptr::eq(list.items(), clone.items()));
}

#[test]
fn a_change_of_a_clone_leaves_the_others_as_they_are() {
    let value = Value::tuple([Value::U8(1), Value::from("x")]);
    let Value::Tuple(mut items) = value.clone() else { panic!("a tuple") };
    items.make_mut()[0] = Value::U8(2);
    assert_eq!(value.to_string(), "(1u8, \"x\")");
    assert_eq!(Value::tuple(items).to_string(), "(2u8, \"x\")");
    assert!(pack_abi::Items::new().make_mut().is_empty());
    let result = Value::result(WireType::U8, WireType::U8, Ok(Value::U8(1)));
    let Value::Result(mut changed) = result.clone() else { panic!("a result") };
    *changed.value_mut().unwrap() = Value::U8(2);
    assert_eq!((result.to_string().as_str(), changed.value()), ("ok<u8, u8>(1u8)", Ok(&Value::U8(2))));
    let Value::Result(mut changed) = Value::result(WireType::U8, WireType::U8, Err(Value::U8(1))) else {
        panic!("a result")
    };
    *changed.value_mut().unwrap_err() = Value::U8(3);
    assert_eq!(changed.value(), Err(&Value::U8(3)));
}

/// Ten thousand records of one shape hold their names once.
#[test]
fn decoded_records_of_one_shape_share_their_names() {
    let record = |id| Value::record("Row", [("id", Value::U32(id)), ("name", Value::from("x"))]);
    let rows: Vec<Value> = (0..10).map(record).collect();
    let list: Value = pack_abi::decode(&encode(&Value::tuple(rows)).unwrap()).unwrap();
    let Value::Tuple(rows) = &list else { panic!("a tuple") };
    let names: Vec<*const u8> = rows
        .iter()
        .map(|row| match row {
            Value::Record(record) => record.name().as_ptr(),
            other => panic!("{other}"),
        })
        .collect();
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
}
