//! Types that refer to each other in circles: the bytes of the published derive, and the way back.

use pack_abi::{EncodeError, Value, decode, encode, wire_type_of};
use packr_abi::Value as Theirs;
use proptest::prelude::*;

/// A small language, whose types need each other directly, boxed, in lists, options, results and maps; once with our
/// derive and once with the published one. Each is made of the same [`Seed`].
macro_rules! language {
    ($derive:path, $pointer:ident) => {
        use super::Seed;
        use std::collections::BTreeMap;
        use $derive;

        #[derive(GraphValue, Clone, Debug, PartialEq)]
        pub(crate) struct Block {
            pub(crate) label: Option<String>,
            pub(crate) statements: Vec<Statement>,
            pub(crate) by_name: BTreeMap<String, Expression>,
        }

        #[derive(GraphValue, Clone, Debug, PartialEq)]
        pub(crate) enum Statement {
            Let { name: String, value: Expression },
            Do($pointer<Block>),
            Either(Result<$pointer<Block>, Call>),
            Nothing,
        }

        #[derive(GraphValue, Clone, Debug, PartialEq)]
        pub(crate) enum Expression {
            Number(i64),
            Call(Call),
            Lambda(Parameters, $pointer<Block>),
        }

        #[derive(GraphValue, Clone, Debug, PartialEq)]
        pub(crate) struct Parameters(pub(crate) Vec<String>, pub(crate) Option<$pointer<Expression>>);

        #[derive(GraphValue, Clone, Debug, PartialEq)]
        pub(crate) struct Call {
            pub(crate) callee: Option<$pointer<Expression>>,
            pub(crate) arguments: Vec<Expression>,
        }

        pub(crate) fn block(seed: &Seed) -> Block {
            let by_name = |seed: &Seed| (seed.text.clone(), expression(seed));
            Block {
                label: (seed.number % 2 == 0).then(|| seed.text.clone()),
                statements: seed.children.iter().map(statement).collect(),
                by_name: seed.children.iter().skip(2).map(by_name).collect(),
            }
        }

        pub(crate) fn statement(seed: &Seed) -> Statement {
            match seed.number.rem_euclid(5) {
                0 => Statement::Let { name: seed.text.clone(), value: expression(seed) },
                1 => Statement::Do($pointer::new(block(seed))),
                2 => Statement::Either(Ok($pointer::new(block(seed)))),
                3 => Statement::Either(Err(call(seed))),
                _ => Statement::Nothing,
            }
        }

        pub(crate) fn expression(seed: &Seed) -> Expression {
            match seed.number.rem_euclid(3) {
                0 => Expression::Number(seed.number),
                1 => Expression::Call(call(seed)),
                _ => Expression::Lambda(parameters(seed), $pointer::new(block(seed))),
            }
        }

        pub(crate) fn parameters(seed: &Seed) -> Parameters {
            let names = seed.children.iter().map(|child| child.text.clone()).collect();
            Parameters(names, seed.children.last().map(|last| $pointer::new(expression(last))))
        }

        pub(crate) fn call(seed: &Seed) -> Call {
            let callee = seed.children.first().map(|first| $pointer::new(expression(first)));
            Call { callee, arguments: seed.children.iter().skip(1).map(expression).collect() }
        }
    };
}

mod ours {
    language!(pack_macros::GraphValue, Box);
}

mod theirs {
    use packr_abi::Rec;
    language!(packr_abi::GraphValue, Rec);
}

/// What a value of any of the types is made of.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    number: i64,
    text: String,
    children: Vec<Self>,
}

fn seed() -> impl Strategy<Value = Seed> {
    let leaf = (any::<i64>(), ".{0,4}").prop_map(|(number, text)| Seed { number, text, children: vec![] });
    leaf.prop_recursive(8, 40, 4, |inner| {
        (any::<i64>(), ".{0,4}", prop::collection::vec(inner, 0..4))
            .prop_map(|(number, text, children)| Seed { number, text, children })
    })
}

/// A value made of the seed has the same bytes in both codecs, and comes back in both.
macro_rules! assert_same {
    ($make:ident, $type:ident, $seed:expr) => {{
        let value = ours::$make($seed);
        let bytes = encode(&value).unwrap();
        prop_assert_eq!(&bytes, &packr_abi::encode(&Theirs::from(theirs::$make($seed))).unwrap());
        prop_assert_eq!(&decode::<ours::$type>(&bytes).unwrap(), &value);
        prop_assert_eq!(&encode(&decode::<Value>(&bytes).unwrap()).unwrap(), &bytes);
        let back = theirs::$type::try_from(packr_abi::decode(&bytes).unwrap()).unwrap();
        prop_assert_eq!(&back, &theirs::$make($seed));
    }};
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn types_that_refer_to_each_other_have_the_bytes_of_the_published_derive(seed in seed()) {
        assert_same!(block, Block, &seed);
        assert_same!(statement, Statement, &seed);
        assert_same!(expression, Expression, &seed);
        assert_same!(parameters, Parameters, &seed);
        assert_same!(call, Call, &seed);
    }

    #[test]
    fn altered_bytes_of_types_that_refer_to_each_other_never_panic(
        seed in seed(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = encode(&ours::block(&seed)).unwrap();
        for (place, byte) in edits {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(read) = decode::<ours::Block>(&bytes) {
            let again = encode(&read).unwrap();
            prop_assert_eq!(decode::<ours::Block>(&again).map(|read| encode(&read).unwrap()), Ok(again));
        }
    }
}

/// A name ends the type term, so the circle is not followed.
#[test]
fn the_type_term_of_a_type_in_a_circle_is_its_name() {
    assert_eq!(wire_type_of::<Vec<ours::Block>>().unwrap().to_string(), "list<Block>");
    let both = wire_type_of::<Result<ours::Statement, ours::Expression>>().unwrap().to_string();
    assert_eq!(both, "result<variant Statement, variant Expression>");
    // A tuple struct has no name on the wire; what it holds has.
    let parameters = wire_type_of::<ours::Parameters>().unwrap().to_string();
    assert_eq!(parameters, "tuple<list<string>, option<variant Expression>>");
}

#[test]
fn a_circle_of_types_is_written_as_deep_as_a_single_type_and_no_deeper() {
    // A block, its list, the statement and again a block: three levels a turn.
    let nested = |turns: usize| {
        (0..turns)
            .fold(ours::block(&Seed { number: 1, text: String::new(), children: vec![] }), |inner, _| {
                ours::Block { statements: vec![ours::Statement::Do(Box::new(inner))], ..empty() }
            })
    };
    // The innermost block is one level and its empty list another.
    let deepest = encode(&nested(170)).unwrap();
    assert_eq!(encode(&decode::<ours::Block>(&deepest).unwrap()).unwrap(), deepest);
    assert_eq!(encode(&nested(171)), Err(EncodeError::TooDeep));
}

fn empty() -> ours::Block {
    ours::Block { label: None, statements: vec![], by_name: std::collections::BTreeMap::new() }
}
