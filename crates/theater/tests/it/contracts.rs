//! Declared types are kept to: by callers, by guests, by handlers, and before anything runs.

use pack_abi::Value;
use pack_abi::metadata::Metadata;
use pack_abi::types::{EnumCase, Function, Interface, Param, Type, TypeDef, TypeDefKind};
use theater::actor::CallFailure;
use theater::handler::{
    ActorContext, Answer, Call, ConfigError, Handler, HandlerFactory, HandlerRegistry, HostFault,
};
use theater::{LinkError, OneCall};
use theater_chain::{ExitReason, Kind, Outcome};

use crate::guest::{Step, actor_described, encoded, log, ok_state};
use crate::house::House;

fn bytes() -> Type {
    Type::Option(Box::new(Type::List(Box::new(Type::U8))))
}

fn function(name: &str, params: &[(&str, Type)], result: Option<Type>) -> Function {
    let params = params.iter().map(|(name, ty)| Param { name: (*name).to_owned(), ty: ty.clone() }).collect();
    Function { name: name.to_owned(), docs: String::new(), params, result }
}

fn interface(name: &str, functions: Vec<Function>) -> Interface {
    Interface { name: name.to_owned(), functions, ..Interface::default() }
}

/// `name(state, params: tuple<...>) -> result<tuple<state, ...>, string>`
fn callback(name: &str, params: Vec<Type>, results: Vec<Type>) -> Function {
    let ok = Type::Tuple([bytes()].into_iter().chain(results).collect());
    let result = Type::Result { ok: Some(Box::new(ok)), err: Some(Box::new(Type::String)) };
    function(name, &[("state", bytes()), ("params", Type::Tuple(params))], Some(result))
}

fn init() -> Interface {
    interface("theater:simple/actor", vec![callback("init", vec![Type::String], vec![])])
}

fn runtime(ty: Type) -> Interface {
    interface("theater:simple/runtime", vec![function("log", &[("a", ty)], None)])
}

/// An actor with an export that takes a number, logs and returns this.
fn actor(returned: Vec<u8>) -> Vec<u8> {
    let add = interface("my:app/it", vec![callback("add", vec![Type::U32], vec![Type::U32])]);
    actor_described(
        &[
            ("theater:simple/actor.init", &[Step::Return(ok_state(Some(b"s1")))]),
            ("my:app/it.add", &[log("called"), Step::Return(returned)]),
        ],
        &Metadata::new(vec![runtime(Type::String)], vec![init(), add]),
    )
}

fn sum(count: u32) -> Vec<u8> {
    encoded(&Ok::<_, String>((Some(b"s2".as_slice()), count)))
}

#[tokio::test]
async fn parameters_of_another_type_are_the_callers_error_and_reach_nobody() {
    let house = House::new(crate::stage::registry());
    let report = house
        .run_with("a", actor(sum(7)), None, async |handle| {
            for (params, expected) in [
                (Value::tuple(vec!["one".into()]), "my:app/it.add: params.0: expected u32, found string"),
                (Value::unit(), "my:app/it.add: params: expected 1 elements, found 0"),
                (Value::U32(1), "my:app/it.add: params: expected tuple<u32>, found u32"),
            ] {
                let failed = handle.call("my:app/it.add", params).await.unwrap_err();
                assert!(matches!(failed, CallFailure::Parameters(_)), "{failed}");
                assert_eq!(failed.to_string(), expected);
            }
            let output = handle.call("my:app/it.add", Value::tuple(vec![Value::U32(1)])).await.unwrap();
            assert_eq!(output, sum(7));
        })
        .await;
    assert_eq!(report.reason, ExitReason::Normal);
    let calls = house.events("a").iter().filter(|event| event.header.kind == Kind::Call).count();
    assert_eq!(calls, 1, "only the good call is in the chain");
}

#[tokio::test]
async fn a_result_that_the_guest_does_not_declare_is_its_error_and_changes_no_state() {
    let wrong = encoded(&Ok::<_, String>((Some(b"s2".as_slice()), "seven")));
    let house = House::new(crate::stage::registry());
    let report = house
        .run_with("a", actor(wrong), None, async |handle| {
            for _ in 0..2 {
                let params = Value::tuple(vec![Value::U32(1)]);
                let failed = handle.call("my:app/it.add", params).await.unwrap_err();
                assert_eq!(failed.to_string(), "my:app/it.add: result.ok.1: expected u32, found string");
            }
        })
        .await;
    assert_eq!(report.reason, ExitReason::Normal);
    let returns: Vec<Outcome> = house
        .events("a")
        .iter()
        .filter(|event| event.header.kind == Kind::Return)
        .map(|event| event.header.outcome)
        .collect();
    assert_eq!(returns, [Outcome::Error, Outcome::Error]);
}

#[test]
fn arguments_of_one_call_that_do_not_fit_its_signature_are_refused_and_nothing_is_recorded() {
    let house = House::new(crate::stage::registry());
    let double = function("double", &[("n", Type::U32)], Some(Type::U32));
    let join = function("join", &[("a", Type::String), ("times", Type::U8)], Some(Type::String));
    let wasm = actor_described(
        &[
            ("my:app/it.double", &[Step::Return(encoded(&42_u32))]),
            ("my:app/it.join", &[Step::Return(encoded("aa"))]),
        ],
        &Metadata::new(vec![], vec![interface("my:app/it", vec![double, join])]),
    );
    let call = |symbol: &str, input| {
        house.link_call(wasm.clone(), OneCall { symbol: symbol.to_owned(), input }).map(drop)
    };
    call("my:app/it.double", encoded(&21_u32)).unwrap();
    call("my:app/it.join", encoded(&("a", 2_u8))).unwrap();
    let refused = [
        ("my:app/it.double", encoded("21")),
        ("my:app/it.double", encoded(&())),
        ("my:app/it.join", encoded(&("a", 2_u32))),
        ("my:app/it.join", encoded(&("a",))),
        ("my:app/it.join", b"no value".to_vec()),
    ]
    .map(|(symbol, input)| {
        let error = call(symbol, input).unwrap_err();
        assert!(matches!(error, LinkError::Arguments(_)), "{error}");
        error.to_string()
    });
    let expected = [
        "my:app/it.double: n: expected u32, found string",
        "my:app/it.double: n: expected u32, found nothing",
        "my:app/it.join: times: expected u8, found u32",
        "my:app/it.join: expected 2 arguments, found 1",
        "my:app/it.join: not an encoded value (it does not begin with \"CGRF\") at byte 0",
    ];
    assert_eq!(refused, expected);
    assert_eq!(std::fs::read_dir(house.dir.path()).unwrap().count(), 0, "no run has begun");
}

/// A handler that reads no types: it answers every call with the same bytes.
#[derive(Clone)]
struct Parrot {
    answer: Vec<u8>,
    is_slow: bool,
}

impl HandlerFactory for Parrot {
    fn kind(&self) -> &'static str {
        "runtime"
    }

    fn interfaces(&self) -> Vec<Interface> {
        vec![interface(
            "theater:simple/runtime",
            vec![function("log", &[("msg", Type::String)], Some(Type::U8))],
        )]
    }

    fn open(&self, _: &toml::Table, _: &ActorContext) -> Result<Box<dyn Handler>, ConfigError> {
        Ok(Box::new(self.clone()))
    }
}

impl Handler for Parrot {
    fn call(&mut self, _: Call<'_>, reply: &mut Vec<u8>) -> Answer {
        if self.is_slow {
            let answer = self.answer.clone();
            return Answer::Request(Box::pin(async move { Ok::<_, HostFault>(answer) }));
        }
        reply.extend_from_slice(&self.answer);
        Answer::Reply
    }
}

#[tokio::test]
async fn a_handler_without_types_is_held_to_its_description() {
    let good = encoded(&1_u8);
    for (input, answer, expected) in [
        (encoded("x"), &good, None),
        (encoded(&5_u8), &good, Some("theater:simple/runtime.log: msg: expected string, found u8")),
        (encoded("x"), &encoded("y"), Some("theater:simple/runtime.log: result: expected u8, found string")),
    ] {
        for is_slow in [false, true] {
            let house = House::new(HandlerRegistry::new().with(Parrot { answer: answer.clone(), is_slow }));
            let call =
                Step::Import { interface: "theater:simple/runtime", function: "log", input: input.clone() };
            let wasm = crate::guest::actor(&[call, Step::Return(ok_state(None))]);
            let report = house.run("a", wasm, None).await;
            let Some(expected) = expected else {
                assert_eq!(report.reason, ExitReason::Normal);
                continue;
            };
            // The caller's mistake is a refusal, after which this guest traps; the handler's is a host fault.
            let is_refused = house.events("a").iter().any(|event| {
                event.header.outcome == Outcome::Refused
                    && event.payload.output() == Some(expected.as_bytes())
            });
            match &report.reason {
                ExitReason::HostFault(text) => assert_eq!(text, expected),
                ExitReason::Trap(_) => assert!(is_refused, "{report:?}"),
                other => panic!("{other:?}"),
            }
        }
    }
}

fn described(imports: Vec<Interface>, exports: Vec<Interface>) -> Vec<u8> {
    let steps = [log("x"), Step::Return(ok_state(None))];
    actor_described(&[("theater:simple/actor.init", &steps)], &Metadata::new(imports, exports))
}

#[tokio::test]
async fn a_package_built_for_other_types_is_told_what_differs() {
    let house = House::new(crate::stage::registry());
    let error = house.link(described(vec![runtime(Type::U32)], vec![init()])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`theater:simple/runtime.log` has another type here\n  \
         the package expects  log: func(a: u32)\n  \
         the handler provides log: func(a: string)\n  \
         a: expected u32, found string"
    );
    assert!(house.link(described(vec![runtime(Type::String)], vec![init()])).is_ok());
}

#[tokio::test]
async fn what_a_package_calls_it_must_declare_and_its_init_must_be_that_of_an_actor() {
    let house = House::new(crate::stage::registry());
    let undeclared = house.link(described(vec![], vec![init()])).unwrap_err();
    assert!(
        matches!(&undeclared, LinkError::Undeclared { function, .. } if function == "log"),
        "{undeclared}"
    );
    let numbers = interface("theater:simple/actor", vec![callback("init", vec![Type::U8], vec![])]);
    let other = house.link(described(vec![runtime(Type::String)], vec![numbers])).unwrap_err();
    assert!(matches!(other, LinkError::OtherInit(_)), "{other}");
    assert!(other.to_string().contains("params.0: expected u8, found string"), "{other}");
    // Upstream's actors say `value` where they take whatever comes.
    let any = function("init", &[("state", Type::Value)], Some(Type::Value));
    let loose = interface("theater:simple/actor", vec![any]);
    assert!(house.link(described(vec![runtime(Type::String)], vec![loose])).is_ok());
}

#[tokio::test]
async fn callback_of_other_types_is_refused_before_anything_runs() {
    let house = House::new(crate::stage::registry());
    let linked = |function: Function| {
        let own = interface("theater:simple/handle-send", vec![function]);
        let symbol = "theater:simple/handle-send.handle-send";
        let metadata = Metadata::new(vec![], vec![init(), own]);
        let steps = [Step::Return(ok_state(None))];
        house.link(actor_described(&[("theater:simple/actor.init", &steps), (symbol, &steps)], &metadata))
    };
    let data = Type::List(Box::new(Type::U8));
    assert!(linked(callback("handle-send", vec![data], vec![])).is_ok());
    let other = linked(callback("handle-send", vec![Type::String], vec![])).unwrap_err();
    assert!(matches!(other, LinkError::OtherCallback(_)), "{other}");
    assert!(other.to_string().contains("handle-send"), "{other}");
}

/// A factory whose one function takes a colour.
struct Painter(&'static [&'static str]);

fn painter(names: &[&str]) -> Interface {
    let cases = names.iter().map(|name| EnumCase { name: (*name).to_owned(), docs: String::new() }).collect();
    let colour = TypeDef { name: "colour".to_owned(), docs: String::new(), kind: TypeDefKind::Enum(cases) };
    let log = function("log", &[("colour", Type::Named("colour".to_owned()))], None);
    Interface { types: vec![colour], ..interface("theater:simple/runtime", vec![log]) }
}

impl HandlerFactory for Painter {
    fn kind(&self) -> &'static str {
        "runtime"
    }

    fn interfaces(&self) -> Vec<Interface> {
        vec![painter(self.0)]
    }

    fn open(&self, _: &toml::Table, _: &ActorContext) -> Result<Box<dyn Handler>, ConfigError> {
        Ok(Box::new(Parrot { answer: encoded(&()), is_slow: false }))
    }
}

// Cases in another order have the same hash, but other numbers on the wire: red would have arrived as green.
#[tokio::test]
async fn cases_in_another_order_are_refused_although_the_hashes_are_the_same() {
    let house = House::new(HandlerRegistry::new().with(Painter(&["green", "red"])));
    let turned = painter(&["red", "green"]);
    assert_eq!(turned.hash(), painter(&["green", "red"]).hash());
    let error = house.link(described(vec![turned], vec![init()])).unwrap_err();
    assert!(error.to_string().contains("colour: expected the cases in the order red, green"), "{error}");
    assert!(house.link(described(vec![painter(&["green", "red"])], vec![init()])).is_ok());
}
