//! The host side of an interface.

use runtime::{Call, CallError, ChainEntry, results};

mod runtime {
    pack_macros::host! { path: "../../wit/theater-simple", interface: "theater:simple/runtime" }
}

mod shapes {
    pack_macros::host! { path: "tests/it/wit", interface: "all:things/shapes" }
}

/// What a runtime gives to handlers, as small as it can be.
mod stage {
    #![expect(unreachable_pub, reason = "as a runtime's are")]

    pub struct Call<'a> {
        pub function: &'a str,
        pub input: &'a [u8],
    }

    #[derive(Debug, PartialEq)]
    pub enum Answer {
        Reply,
        Refused(String),
    }

    pub enum Reply<T> {
        Now(T),
    }

    impl<T: pack_abi::Encode> Reply<T> {
        pub fn into_answer(self, reply: &mut Vec<u8>) -> Answer {
            let Self::Now(result) = self;
            pack_abi::encode_into(&result, reply).expect("encodes");
            Answer::Reply
        }
    }

    pub trait Handler {
        fn call(&mut self, call: Call<'_>, reply: &mut Vec<u8>) -> Answer;
        fn is_typed(&self) -> bool;
    }
}

mod handled {
    pack_macros::host! {
        path: "../../wit/theater-simple",
        interface: "theater:simple/runtime",
        handler: super::stage,
    }
}

#[derive(Default)]
struct Actor {
    logged: Vec<String>,
}

impl handled::Handler for Actor {
    fn log(&mut self, call: &stage::Call<'_>, msg: &str) -> stage::Reply<()> {
        self.logged.push(format!("{}: {msg}", call.function));
        stage::Reply::Now(())
    }

    fn self_(&mut self, _: &stage::Call<'_>) -> stage::Reply<String> {
        stage::Reply::Now(format!("after {}", self.logged.len()))
    }

    fn shutdown(&mut self, _: &stage::Call<'_>, data: Option<&[u8]>) -> stage::Reply<Result<(), String>> {
        stage::Reply::Now(data.map(drop).ok_or_else(|| "denied: no data".to_owned()))
    }

    fn get_chain(
        &mut self,
        _: &stage::Call<'_>,
        start: u64,
    ) -> stage::Reply<Result<Vec<handled::ChainEntry>, String>> {
        stage::Reply::Now(Err(format!("not-found: {start}")))
    }

    fn get_event(&mut self, _: &stage::Call<'_>, _: u64) -> stage::Reply<Result<(Vec<u8>, Vec<u8>), String>> {
        stage::Reply::Now(Ok((vec![1], vec![2])))
    }
}

fn asked(handler: &mut dyn stage::Handler, function: &str, input: &[u8]) -> (stage::Answer, Vec<u8>) {
    let mut reply = Vec::new();
    (handler.call(stage::Call { function, input }, &mut reply), reply)
}

#[test]
fn a_handler_has_one_method_for_each_function() {
    let mut handler = handled::handler(Actor::default());
    assert!(handler.is_typed());
    let (answer, reply) = asked(&mut *handler, "log", &encoded(&"hello"));
    assert_eq!((answer, reply), (stage::Answer::Reply, encoded(&())));
    let (_, reply) = asked(&mut *handler, "self", &encoded(&()));
    assert_eq!(pack_abi::decode(&reply), Ok("after 1"));
    let (_, reply) = asked(&mut *handler, "shutdown", &encoded(&None::<Vec<u8>>));
    assert_eq!(pack_abi::decode(&reply), Ok(Err::<(), _>("denied: no data")));
}

#[test]
fn a_call_with_other_arguments_reaches_no_method_and_is_told_why() {
    let mut actor = Actor::default();
    for (function, input, expected) in [
        ("log", encoded(&1_u8), "theater:simple/runtime.log: msg: expected string, found u8"),
        (
            "shutdown",
            encoded(&Some("x")),
            "theater:simple/runtime.shutdown: data?: expected list<u8>, found string",
        ),
        ("fly", encoded(&()), "`theater:simple/runtime` has no function `fly`"),
    ] {
        let answer = handled::answer(&mut actor, stage::Call { function, input: &input }, &mut Vec::new());
        assert_eq!(answer, stage::Answer::Refused(expected.to_owned()));
    }
    assert_eq!(actor.logged, Vec::<String>::new());
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
    assert!(matches!(&wrong, CallError::Arguments(violation) if violation.path == "start"));
    assert_eq!(wrong.to_string(), "theater:simple/runtime.get-chain: start: expected u64, found string");
    let several = Call::read("get-chain", b"CGRF").expect_err("not a value");
    assert!(several.to_string().starts_with("theater:simple/runtime.get-chain: "), "{several}");
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
