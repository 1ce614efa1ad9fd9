//! Which export of which package is called with what, and what it must come to.

use std::collections::{BTreeMap, BTreeSet};

use pack_abi::{Encode, Value, WireType};
use pack_macros::GraphValue;

use crate::call::Outcome;

/// What makes a package an actor.
pub(crate) const INIT: &str = "theater:simple/actor.init";

/// What a package is built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sdk {
    /// `packr-guest`, as published.
    Pack,
    /// `theater-guest`, from this repository.
    Theater,
}

impl Sdk {
    pub(crate) const ALL: [Self; 2] = [Self::Pack, Self::Theater];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pack => "pack",
            Self::Theater => "theater",
        }
    }
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// What the package is built with.
    pub(crate) sdk: Sdk,
    /// The package's name.
    pub(crate) package: &'static str,
    /// The export.
    pub(crate) export: &'static str,
    /// What the call is about.
    pub(crate) shape: &'static str,
    /// The encoded arguments.
    pub(crate) input: Vec<u8>,
    /// What it must come to.
    pub(crate) expected: Outcome,
    /// The host that makes something else of it, as it must.
    pub(crate) difference: Option<Difference>,
}

/// What one host makes of a call in another way than the other, and why this is known and right.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) host: Host,
    pub(crate) outcome: Outcome,
    pub(crate) reason: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Ours,
    Pack,
}

impl Case {
    /// Returns the file name of the package.
    pub(crate) fn file(&self) -> String {
        format!("{}_{}.wasm", self.sdk.name(), self.package)
    }

    /// Returns the export without its interface.
    pub(crate) fn function(&self) -> &'static str {
        self.export.rsplit(['.', '/']).next().unwrap_or(self.export)
    }

    /// Returns what a host must make of it.
    pub(crate) fn expected_in(&self, host: Host) -> &Outcome {
        match &self.difference {
            Some(difference) if difference.host == host => &difference.outcome,
            Some(_) | None => &self.expected,
        }
    }

    fn differs(&mut self, host: Host, outcome: Outcome, reason: &'static str) {
        self.difference = Some(Difference { host, outcome, reason });
    }
}

/// Ours answers the second call with an error, or at once if it need not wait.
const ONE_IN_FLIGHT: &str = "it asserts that no second call is in flight";
/// Pack's host leaves it to the guest to find that arguments do not fit.
const CHECKED: &str = "they do not fit the declared types";

/// Returns bytes in which every place looks different.
pub(crate) fn pattern(bytes: u32) -> Vec<u8> {
    (0..bytes).map(|at| (at % 251) as u8).collect()
}

#[derive(Clone, GraphValue)]
struct ChatMsg {
    last_msg: String,
    sent_at: u64,
}

#[derive(GraphValue)]
enum Color {
    DarkRed,
    PaleGreen,
}

#[derive(GraphValue)]
enum Body {
    Empty,
    PlainText(String),
    Quoted(ChatMsg),
}

#[derive(GraphValue)]
struct Holder {
    name: Option<String>,
    count: Option<u32>,
}

#[derive(GraphValue)]
enum Sexpr {
    Sym(String),
    Num(i64),
    Lst(Vec<Self>),
}

#[derive(GraphValue)]
struct Counter {
    total: i64,
}

#[derive(GraphValue)]
enum Title {
    Doctor,
    Professor,
}

#[derive(GraphValue)]
struct Person {
    name: String,
    title: Option<Title>,
}

/// Every case, those of one package together.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for sdk in Sdk::ALL {
        values(sdk, &mut cases);
        shapes(sdk, &mut cases);
        lists(sdk, &mut cases);
        options(sdk, &mut cases);
        collections(sdk, &mut cases);
        trees(sdk, &mut cases);
        states(sdk, &mut cases);
        failures(sdk, &mut cases);
        imports(sdk, &mut cases);
        actors(sdk, &mut cases);
    }
    world(&mut cases);
    tasks(&mut cases);
    scalars(&mut cases);
    shared(&mut cases);
    cases
}

fn encoded<T: Encode + ?Sized>(value: &T) -> Vec<u8> {
    pack_abi::encode(value).expect("a value of the matrix encodes")
}

fn value<T: Encode + ?Sized>(value: &T) -> Outcome {
    Outcome::Value(encoded(value))
}

/// A package, and where its cases go.
struct Group<'a> {
    sdk: Sdk,
    package: &'static str,
    cases: &'a mut Vec<Case>,
}

impl Group<'_> {
    fn call<T: Encode + ?Sized>(
        &mut self,
        export: &'static str,
        shape: &'static str,
        input: &T,
        expected: Outcome,
    ) -> &mut Case {
        let (sdk, package, input) = (self.sdk, self.package, encoded(input));
        self.cases.push(Case { sdk, package, export, shape, input, expected, difference: None });
        self.cases.last_mut().expect("it was just pushed")
    }
}

fn values(sdk: Sdk, cases: &mut Vec<Case>) {
    let mut group = Group { sdk, package: "values", cases };
    let export = "interop:guest/values.echo";
    let mixed = Value::tuple(vec![
        Value::Char('\u{1F600}'),
        Value::F64(-0.0),
        Value::list(WireType::S8, vec![Value::S8(-1)]),
        Value::option(WireType::String, None),
    ]);
    group.call(export, "value: a scalar", &7_u16, value(&7_u16));
    group.call(export, "value: a tuple of several kinds", &mixed, value(&mixed));
    group.call(export, "value: unit", &(), value(&()));
    let text = "\u{e4}\u{f6}\u{fc} \u{1F600}".repeat(10_000);
    group.call(export, "value: a long text", &text, value(&text));
}

fn shapes(sdk: Sdk, cases: &mut Vec<Case>) {
    let mut group = Group { sdk, package: "shapes", cases };
    let msg = ChatMsg { last_msg: "hello".to_owned(), sent_at: 5 };
    let quoted = ChatMsg { last_msg: "> hello".to_owned(), sent_at: 6 };
    group.call("interop:guest/shapes.quote", "record in, record out", &msg, value(&quoted));
    group.call("interop:guest/shapes.quote", "record in a tuple of one", &(&msg,), value(&quoted));
    let three = vec![msg.clone(), msg.clone(), msg.clone()];
    group.call("interop:guest/shapes.repeat", "two params, list of records", &(&msg, 3_u32), value(&three));
    group.call(
        "interop:guest/shapes.repeat",
        "an empty list of records",
        &(&msg, 0_u32),
        value(&Vec::<ChatMsg>::new()),
    );
    group.call(
        "interop:guest/shapes.paint",
        "variant without payload, enum",
        &Body::Empty,
        value(&Color::PaleGreen),
    );
    let text = Body::PlainText("x".to_owned());
    group.call("interop:guest/shapes.paint", "variant with payload, enum", &text, value(&Color::DarkRed));
    group.call("interop:guest/shapes.wrap", "variant with a record", &msg, value(&Body::Quoted(msg.clone())));
    let color = Value::of(&Color::PaleGreen).expect("a value of the matrix encodes");
    let fields = vec![("author", "Ada".into()), ("perms", Value::Flags(0b10)), ("color", color)];
    let entry = Value::record("Entry", fields);
    group.call("interop:guest/shapes.enter", "record with flags and an enum", &entry, value(&entry));
    let refusal = "interop:guest/shapes.quote: msg: expected record `chat-msg`, found string";
    let text = match sdk {
        Sdk::Pack => "failed to convert parameter",
        Sdk::Theater => "decode error: arguments: expected record, found string at byte 16",
    };
    group
        .call(
            "interop:guest/shapes.quote",
            "an argument of another type",
            "no record",
            Outcome::Error(text.to_owned()),
        )
        .differs(Host::Ours, Outcome::Refused(refusal.to_owned()), CHECKED);
}

fn lists(sdk: Sdk, cases: &mut Vec<Case>) {
    let mut group = Group { sdk, package: "bytes", cases };
    let export = "interop:guest/bytes.reverse";
    for (shape, size) in [("list<u8>, empty", 0), ("list<u8> of 100", 100), ("list<u8> of 1 MiB", 1 << 20)] {
        let bytes = pattern(size);
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        group.call(export, shape, &bytes, value(&reversed));
    }
    let mut group = Group { sdk, package: "nested", cases: group.cases };
    let rows = vec![vec!["a", "b"], vec![], vec!["c"]];
    let backwards = vec![vec!["c"], vec![], vec!["b", "a"]];
    group.call("interop:guest/nested.backwards", "list<list<string>>", &rows, value(&backwards));
    let (rows, sums) = (vec![vec![1_u16, 2], vec![], vec![65_000]], vec![3_u16, 0, 65_000]);
    group.call("interop:guest/nested.sums", "list<list<u16>>", &rows, value(&sums));
}

fn options(sdk: Sdk, cases: &mut Vec<Case>) {
    let mut group = Group { sdk, package: "optional", cases };
    let (nothing, nobody) =
        (Holder { name: None, count: None }, Holder { name: Some("nobody".to_owned()), count: None });
    group.call("interop:guest/optional.fill", "option fields, none", &nothing, value(&nobody));
    let given = Holder { name: Some("Ada".to_owned()), count: Some(1) };
    let counted = Holder { name: Some("Ada".to_owned()), count: Some(2) };
    group.call("interop:guest/optional.fill", "option fields, some", &given, value(&counted));
    group.call("interop:guest/optional.find", "option result, some", &1_u32, value(&Some("one")));
    group.call("interop:guest/optional.find", "option result, none", &9_u32, value(&None::<String>));
    if sdk == Sdk::Theater {
        // Pack's SDK has no option or result as a parameter.
        let export = "interop:guest/optional.flip";
        let (some, ok): (Option<u32>, Result<u32, String>) = (Some(1), Ok(2));
        group.call(export, "option and result params", &(some, ok), value(&Ok::<_, String>(Some(3_u32))));
        let (none, err): (Option<u32>, Result<u32, String>) = (None, Err("no".to_owned()));
        group.call(
            export,
            "option and result params, err",
            &(none, err),
            value(&Err::<Option<u32>, _>("no")),
        );
    }
}

fn collections(sdk: Sdk, cases: &mut Vec<Case>) {
    let mut group = Group { sdk, package: "collections", cases };
    let counts = BTreeMap::from([("a".to_owned(), 2_u32), ("b".to_owned(), 1)]);
    group.call("interop:guest/collections.count", "map result", &vec!["a", "b", "a"], value(&counts));
    let (more, known) =
        (BTreeSet::from(["c".to_owned()]), BTreeSet::from(["a", "b", "c"].map(str::to_owned)));
    group.call(
        "interop:guest/collections.known",
        "map and set params, set result",
        &(&counts, more),
        value(&known),
    );
    let none = (BTreeMap::<String, u32>::new(), BTreeSet::<String>::new());
    group.call(
        "interop:guest/collections.known",
        "empty map and set",
        &none,
        value(&BTreeSet::<String>::new()),
    );
}

fn trees(sdk: Sdk, cases: &mut Vec<Case>) {
    let mut group = Group { sdk, package: "tree", cases };
    let export = "interop:guest/tree.mirror";
    let tree = Sexpr::Lst(vec![
        Sexpr::Sym("add".to_owned()),
        Sexpr::Num(1),
        Sexpr::Lst(vec![Sexpr::Num(i64::MAX), Sexpr::Lst(Vec::new())]),
    ]);
    let mirrored = Sexpr::Lst(vec![
        Sexpr::Lst(vec![Sexpr::Lst(Vec::new()), Sexpr::Num(-i64::MAX)]),
        Sexpr::Num(-1),
        Sexpr::Sym("dda".to_owned()),
    ]);
    group.call(export, "recursive variant", &tree, value(&mirrored));
    let nested = |leaf: i64| (0..60).fold(Sexpr::Num(leaf), |inner, _| Sexpr::Lst(vec![inner]));
    group.call(export, "recursive variant, 60 deep", &nested(1), value(&nested(-1)));
}

fn states(sdk: Sdk, cases: &mut Vec<Case>) {
    let mut group = Group { sdk, package: "counter", cases };
    let export = "interop:guest/counter.add";
    let added = Value::tuple(vec![Value::record("Counter", vec![("total", Value::S64(6))]), Value::S64(6)]);
    // Pack's SDK has placeholders for the types of what a state export returns.
    let (ok, failed_ok) = match sdk {
        Sdk::Pack => (WireType::Tuple(vec![WireType::Bool, WireType::Bool]), WireType::Bool),
        Sdk::Theater => {
            let ok = WireType::Tuple(vec![WireType::Record("Counter".into()), WireType::S64]);
            (ok.clone(), ok)
        }
    };
    let result = Value::result(ok, WireType::String, Ok(added));
    group.call(export, "state export, ok", &(Counter { total: 1 }, 5_i64), value(&result));
    let refused = Value::result(failed_ok, WireType::String, Err("only up".into()));
    group.call(export, "state export, err", &(Counter { total: 1 }, -5_i64), value(&refused));
}

fn failures(sdk: Sdk, cases: &mut Vec<Case>) {
    let mut group = Group { sdk, package: "failing", cases };
    group.call("interop:guest/failing.half", "result, ok", &42_i64, value(&Ok::<_, String>(21_i64)));
    group.call("interop:guest/failing.half", "result, err", &7_i64, value(&Err::<i64, _>("7 is odd")));
    group.call("interop:guest/failing.explode", "panic", &1_i64, Outcome::Trap);
}

fn imports(sdk: Sdk, cases: &mut Vec<Case>) {
    let mut group = Group { sdk, package: "imports", cases };
    group.call("interop:guest/imports.ask-now", "import without params", &(), value(&1_760_000_000_001_u64));
    group.call("interop:guest/imports.ask-double", "import with one param, twice", &5_i64, value(&20_i64));
    let joined = "ab".repeat(3);
    group.call("interop:guest/imports.ask-join", "import with three params", &("a", "b"), value(&joined));
    for (shape, bytes) in [
        ("import reply of 1 KiB", 1024_u32),
        ("import reply of 100 KiB", 100 << 10),
        ("import reply of 2 MiB", 2 << 20),
    ] {
        let sum: u64 = pattern(bytes).into_iter().map(u64::from).sum();
        group.call("interop:guest/imports.ask-blob", shape, &bytes, value(&sum));
    }
    group.call(
        "interop:guest/imports.ask-check",
        "import result, ok",
        &3_i64,
        value(&Ok::<_, String>(3_i64)),
    );
    let negative = value(&Err::<i64, _>("negative"));
    group.call("interop:guest/imports.ask-check", "import result, err", &-3_i64, negative);
}

fn actors(sdk: Sdk, cases: &mut Vec<Case>) {
    let mut group = Group { sdk, package: "actor", cases };
    let export = INIT;
    for (shape, state) in
        [("theater:simple actor, no state", None), ("theater:simple actor, state", Some(b"state".to_vec()))]
    {
        let started = value(&Ok::<_, String>((state.clone(),)));
        group.call(export, shape, &(state, ("root",)), started);
    }
}

fn world(cases: &mut Vec<Case>) {
    let mut group = Group { sdk: Sdk::Pack, package: "world", cases };
    group.call("interop:guest/world.greet", "imports of world!", "Ada", value("Ada 42"));
}

fn tasks(cases: &mut Vec<Case>) {
    let mut group = Group { sdk: Sdk::Pack, package: "tasks", cases };
    group.call("none", "task without a call", &5_i64, value(&5_i64));
    group.call("one", "task with one call that waits", &5_i64, value(&10_i64));
    group.call("two", "task with two calls, one by one", &5_i64, value(&20_i64));
    let panics = Outcome::Failed("it panicked".to_owned());
    group.call("both", "task with two calls at a time", &5_i64, Outcome::Trap).differs(
        Host::Pack,
        panics.clone(),
        ONE_IN_FLIGHT,
    );
    let mixed = value(&(10_i64, 1_760_000_000_000_u64));
    group.call("mixed", "task, one call waits, one does not", &5_i64, mixed).differs(
        Host::Pack,
        panics,
        ONE_IN_FLIGHT,
    );
    let started = value(&Ok::<_, String>((Some(b"state".to_vec()),)));
    group.call(INIT, "theater:simple actor that waits", &(Some(b"state".to_vec()), ("root",)), started);
}

fn scalars(cases: &mut Vec<Case>) {
    let mut group = Group { sdk: Sdk::Theater, package: "scalars", cases };
    let fields = [
        Value::Bool(true),
        Value::U8(u8::MAX),
        Value::U16(u16::MAX),
        Value::U32(u32::MAX),
        Value::U64(u64::MAX),
        Value::S8(i8::MIN),
        Value::S16(i16::MIN),
        Value::S32(i32::MIN),
        Value::S64(i64::MIN),
        Value::F32(f32::MIN_POSITIVE),
        Value::F64(f64::NEG_INFINITY),
        Value::Char('\u{10FFFF}'),
    ];
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let all = Value::record("All", names.into_iter().zip(fields.clone()).collect::<Vec<_>>());
    group.call(
        "interop:guest/scalars.gather",
        "twelve params, every scalar",
        &Value::tuple(fields.to_vec()),
        value(&all),
    );
}

fn shared(cases: &mut Vec<Case>) {
    let mut group = Group { sdk: Sdk::Theater, package: "shared", cases };
    let export = "interop:guest/shared.promote";
    let person = |name: &str, title| Some(Person { name: name.to_owned(), title: Some(title) });
    group.call(
        export,
        "types through use, import result none",
        &("nobody", Title::Doctor),
        value(&None::<Person>),
    );
    group.call(
        export,
        "record and list of records to an import, ok",
        &("Grace", Title::Doctor),
        value(&person("Grace", Title::Doctor)),
    );
    group.call(
        export,
        "record and list of records to an import, err is a record",
        &("Ada", Title::Doctor),
        value(&person("Ada", Title::Professor)),
    );
}
