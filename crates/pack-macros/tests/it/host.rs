//! The host side of an interface.

use runtime::{Call, CallError, ChainEntry, results};

mod runtime {
    pack_macros::host! { path: "../../wit/theater-simple", interface: "theater:simple/runtime" }
}

mod shapes {
    pack_macros::host! { path: "tests/it/wit", interface: "all:things/shapes" }
}

fn encoded(value: &impl pack_abi::Encode) -> Vec<u8> {
    pack_abi::encode(value).expect("encodes")
}

#[test]
fn calls_are_read_with_their_arguments_and_borrow_from_the_bytes() {
    let input = encoded(&"hello");
    let call = Call::read("log", &input).expect("a call");
    assert_eq!(call, Call::Log { msg: "hello" });
    assert_eq!(call.function(), "log");
    assert_eq!(Call::read("self", &encoded(&())), Ok(Call::Self_));
    let input = encoded(&Some(vec![1_u8, 2]));
    assert_eq!(Call::read("shutdown", &input), Ok(Call::Shutdown { data: Some(&[1, 2]) }));
}

#[test]
fn what_is_no_call_is_the_callers_mistake() {
    let unknown = Call::read("fly", &encoded(&())).expect_err("no such function");
    assert_eq!(unknown.to_string(), "`theater:simple/runtime` has no function `fly`");
    let wrong = Call::read("get-chain", &encoded(&"first")).expect_err("not a number");
    assert!(matches!(wrong, CallError::Arguments { function: "get-chain", .. }));
    assert!(wrong.to_string().contains("expected u64, found string"), "{wrong}");
}

#[test]
fn results_have_the_types_that_the_interface_says() {
    let entry = ChainEntry { seq: 1, kind: 2, function: 3, input_len: 4, output_len: 5, hash: (6, 7, 8, 9) };
    let answer: results::GetChain = Ok(vec![entry]);
    assert_eq!(pack_abi::decode::<results::GetChain>(&encoded(&answer)), Ok(answer));
    let () = results::Log::default();
}

#[test]
fn the_description_is_that_of_the_interface_text() {
    for (folder, interface) in [
        ("../../wit/theater-simple/runtime.wit", runtime::interface()),
        ("tests/it/wit/shapes.wit", shapes::interface()),
    ] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let text = std::fs::read_to_string(path).expect("the interface file");
        let document = pack_wit::parse(&[pack_wit::Source::new(folder, text)]).expect("parses");
        assert_eq!(document.interface(&interface.name), Some(&interface));
    }
}

#[test]
fn every_kind_of_type_is_read() {
    use shapes::{Call, Expr, Perms, Shape};
    let expr = Expr::Negated(Box::new(Expr::Number(1)));
    let tags = std::collections::BTreeMap::from([("a".to_owned(), std::collections::BTreeSet::from([1_u8]))]);
    let input = encoded(&(Perms::READ | Perms::WRITE, &expr, &tags, Shape::Empty, Ok::<&str, char>("x")));
    let call = Call::read("weigh", &input).expect("a call");
    let Call::Weigh { perms, expr: read, tags: read_tags, shape, text } = call else { panic!("{call:?}") };
    assert_eq!((perms, read, read_tags, shape, text), (Perms::all(), expr, tags, Shape::Empty, Ok("x")));
}
