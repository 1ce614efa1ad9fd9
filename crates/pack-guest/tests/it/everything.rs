//! One world with every construct of the interface language.

use std::collections::{BTreeMap, BTreeSet};

use pack_guest::Value;
use pack_guest::testing::Host;

mod bindings {
    pack_guest::generate!({ path: "tests/it/wit", world: "everything" });
}

use bindings::all::things::shapes::{
    Anything, Expr, Form, Node, Perms, Point, Request, Shape, Type, draw, fetch, self_, turn, weigh,
};
use bindings::exports::all::things::{handler, shapes};

struct Component;

impl handler::Guest for Component {
    fn handle(
        state: Option<Vec<u8>>,
        (sender, request): (String, handler::Order),
    ) -> Result<(Vec<u8>,), String> {
        match request {
            handler::Order::Draw(point) => Ok((format!("{sender} {}", point.x).into_bytes(),)),
            handler::Order::Stop => state.map(|state| (state,)).ok_or_else(|| "nothing to stop".to_owned()),
        }
    }

    fn tick() {}
}

impl shapes::Guest for Component {
    fn draw(at: shapes::Point, form: shapes::Form) -> bool {
        at.x > 0 && form == shapes::Form::Empty
    }

    fn weigh(of: BTreeMap<String, u32>, _tags: BTreeSet<u8>, _any: Value, _expr: shapes::Expr) -> u64 {
        of.values().map(|weight| u64::from(*weight)).sum()
    }

    fn fetch(_request: shapes::Request, _perms: shapes::Perms) -> Result<Option<Vec<String>>, ()> {
        Err(())
    }

    fn self_() -> String {
        "root".to_owned()
    }

    fn turn(_kind: shapes::Type, _node: shapes::Node) -> Result<(), String> {
        Ok(())
    }
}

impl bindings::Guest for Component {
    fn run(id: bindings::Id, times: u8) -> Point {
        Point { x: i32::from(times), y: id.len() as i32 }
    }
}

bindings::export!(Component with_types_in bindings);

fn encoded(value: &impl pack_guest::abi::Encode) -> Value {
    let bytes = pack_guest::abi::encode(value).expect("encodes");
    pack_guest::abi::decode(&bytes).expect("decodes")
}

#[test]
fn records_and_variants_have_the_names_of_rust_on_the_wire() {
    let request = Request { read_only: true, type_: "x".to_owned(), self_: 1 };
    assert_eq!(
        encoded(&request).to_string(),
        r#"Request{read_only: true, type: "x", self: 1u8}"#,
        "fields keep their plain name even where Rust needs another"
    );
    assert_eq!(encoded(&Shape::PlainText("a".to_owned())), encoded(&("a",)).wrap("Shape", "PlainText", 1));
    assert_eq!(encoded(&Type::Self_), Value::variant("Type", "Self", 1, []));
}

trait Wrap {
    fn wrap(self, type_name: &str, case: &str, tag: u32) -> Value;
}

impl Wrap for Value {
    /// The variant whose payloads are the elements of this tuple.
    fn wrap(self, type_name: &str, case: &str, tag: u32) -> Self {
        let Self::Tuple(payload) = self else { panic!("a tuple") };
        Self::variant(type_name, case, tag, payload)
    }
}

#[test]
fn flags_are_sets_of_named_bits() {
    let mut perms = Perms::READ | Perms::EXECUTE_ALL;
    assert_eq!(perms.bits(), 0b101);
    assert!(perms.contains(Perms::READ) && !perms.contains(Perms::WRITE));
    perms.remove(Perms::READ);
    assert_eq!(perms, Perms::EXECUTE_ALL);
    assert_eq!(Perms::from_bits_truncate(u64::MAX), Perms::all());
    assert_eq!(encoded(&perms), Value::Flags(0b100));
    assert!(matches!(encoded(&vec![perms]), Value::List(_)));
}

#[test]
fn types_that_hold_themselves_are_boxed() {
    let node = Node { value: 1.5, next: Some(Box::new(Node { value: 2.5, next: None })) };
    let expr = Expr::Sum(vec![Expr::Number(1), Expr::Negated(Box::new(Expr::Number(2)))]);
    let bytes = pack_guest::abi::encode(&(&node, &expr)).expect("encodes");
    assert_eq!(pack_guest::abi::decode::<(Node, Expr)>(&bytes), Ok((node, expr)));
}

#[test]
fn types_are_copied_and_compared_where_they_can_be() {
    fn plain<T: Copy + Ord>() {}
    plain::<Point>();
    plain::<Type>();
    plain::<Perms>();
    fn ordered<T: Clone + Ord + std::hash::Hash>() {}
    ordered::<Request>();
    let (form, any): (Form, Anything) = (Shape::Empty, Value::Bool(true));
    assert_ne!(encoded(&form), any);
}

#[test]
fn imports_lend_what_can_be_lent_and_carry_it_as_the_convention_says() {
    let host = Host::new()
        .on("all:things/shapes.draw", |(at, form): (Point, Shape)| at.x == 3 && form == Shape::Empty)
        .on(
            "all:things/shapes.weigh",
            |(of, tags, any, _): (BTreeMap<String, u32>, BTreeSet<u8>, Value, Expr)| {
                u64::from(of["a"]) + tags.len() as u64 + u64::from(any == Value::U8(9))
            },
        )
        .on(
            "all:things/shapes.fetch",
            |(request, perms): (Request, Perms)| -> Result<Option<Vec<String>>, ()> {
                if perms.is_empty() { Err(()) } else { Ok(Some(vec![request.type_])) }
            },
        )
        .on("all:things/shapes.self", |(): ()| "root/me".to_owned())
        .on(
            "all:things/shapes.turn",
            |(kind, _): (Type, Node)| {
                if kind == Type::Self_ { Ok(()) } else { Err("no".to_owned()) }
            },
        )
        .on("log", |(level, text, tail): (u8, String, Option<Vec<u8>>)| {
            assert_eq!((level, text.as_str(), tail), (1, "hello", Some(vec![1, 2])));
        })
        .on("tools.sum", |numbers: Vec<u32>| numbers.iter().sum::<u32>());
    host.run(|| {
        assert!(draw(Point { x: 3, y: 0 }, &Shape::Empty));
        let weights = BTreeMap::from([("a".to_owned(), 5)]);
        assert_eq!(weigh(&weights, &BTreeSet::from([1, 2]), &Value::U8(9), &Expr::Number(1)), 8);
        let request = Request { read_only: true, type_: "x".to_owned(), self_: 1 };
        assert_eq!(fetch(&request, Perms::READ), Ok(Some(vec!["x".to_owned()])));
        assert_eq!(fetch(&request, Perms::empty()), Err(()));
        assert_eq!(self_(), "root/me");
        assert_eq!(turn(Type::Plain, &Node { value: 0.0, next: None }), Err("no".to_owned()));
        bindings::log(1, "hello", Some(&[1, 2]));
        assert_eq!(bindings::tools::sum(&[1, 2, 3]), 6);
    });
}

#[test]
fn exports_get_owned_values() {
    use handler::{Guest as _, Order};
    let drawn = Component::handle(None, ("root".to_owned(), Order::Draw(Point { x: 7, y: 0 })));
    assert_eq!(drawn, Ok((b"root 7".to_vec(),)));
    assert!(Component::handle(None, (String::new(), Order::Stop)).is_err());
    assert_eq!(<Component as bindings::Guest>::run("ab".to_owned(), 3), Point { x: 3, y: 2 });
}
