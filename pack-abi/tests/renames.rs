//! Fields, cases and types under other names than Rust's.
//!
//! The published derive renames fields only: it passes over the names of types and cases, and over a name that
//! shares its attribute with a tag. There the published encoder gets the value as it should be, made by hand.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use pack_abi::{Decode, DecodeErrorKind, Encode, Value, decode, encode};
use pack_macros::GraphValue;
use packr_abi::{Value as Theirs, ValueType};
use proptest::prelude::*;

/// Types whose fields have other names, which both derives can express.
macro_rules! fields {
    ($derive:path) => {
        use $derive;

        #[derive(GraphValue, Clone, Debug, PartialEq)]
        pub(crate) struct Message {
            #[graph(rename = "last-msg")]
            pub(crate) last: String,
            #[graph(rename = "type")]
            pub(crate) kind: u8,
            #[graph(rename = "größe · 大きさ")]
            pub(crate) size: u64,
            #[graph(rename = "")]
            pub(crate) unnamed: Option<bool>,
            // The name of one field is the identifier of another.
            #[graph(rename = "kind")]
            pub(crate) parts: Vec<Part>,
        }

        #[derive(GraphValue, Clone, Debug, PartialEq)]
        pub(crate) enum Part {
            Text {
                #[graph(rename = "the text")]
                text: String,
            },
            Span {
                #[graph(rename = "to")]
                from: i32,
                #[graph(rename = "from")]
                to: i32,
            },
        }

        pub(crate) fn message(parts: &super::Fields) -> Message {
            let (last, kind, size, unnamed, spans) = parts.clone();
            let part = |(text, span): (Option<String>, (i32, i32))| match text {
                Some(text) => Part::Text { text },
                None => Part::Span { from: span.0, to: span.1 },
            };
            Message { last, kind, size, unnamed, parts: spans.into_iter().map(part).collect() }
        }
    };
}

type Fields = (String, u8, u64, Option<bool>, Vec<(Option<String>, (i32, i32))>);

mod ours {
    fields!(pack_macros::GraphValue);
}

mod theirs {
    fields!(packr_abi::GraphValue);
}

/// The same types without any attribute: what the published derive writes of the renamed ones.
mod plain {
    use packr_abi::GraphValue;

    #[derive(GraphValue)]
    pub(crate) struct Ticket {
        pub(crate) r#type: u8,
        pub(crate) owner: String,
    }

    #[derive(GraphValue)]
    pub(crate) enum State {
        #[graph(tag = 7)]
        NotYet,
        Done(u8, String),
        #[graph(tag = 3)]
        Failed {
            reason: String,
        },
    }
}

#[derive(GraphValue, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[graph(rename = "support-ticket")]
struct Ticket {
    r#type: u8,
    owner: String,
}

#[derive(GraphValue, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[graph(rename = "ticket-state")]
enum State {
    #[graph(rename = "not-yet", tag = 7)]
    NotYet,
    #[graph(rename = "done")]
    Done(u8, String),
    #[graph(tag = 3, rename = "gone wrong")]
    Failed {
        #[graph(rename = "why")]
        reason: String,
    },
}

/// Every place in which the name of a type is written into a type term.
#[derive(GraphValue, Clone, Debug, PartialEq)]
#[graph(rename = "")]
struct Everywhere {
    list: Vec<Ticket>,
    option: Option<State>,
    outcome: Result<Ticket, State>,
    map: BTreeMap<State, Ticket>,
}

fn ticket() -> impl Strategy<Value = Ticket> {
    any::<(u8, String)>().prop_map(|(r#type, owner)| Ticket { r#type, owner })
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![
        Just(State::NotYet),
        any::<(u8, String)>().prop_map(|(code, text)| State::Done(code, text)),
        any::<String>().prop_map(|reason| State::Failed { reason }),
    ]
}

prop_compose! {
    fn everywhere()(
        list in prop::collection::vec(ticket(), 0..4),
        option in prop::option::of(state()),
        ok in ticket(),
        err in state(),
        is_ok in any::<bool>(),
        map in prop::collection::btree_map(state(), ticket(), 0..4),
    ) -> Everywhere {
        Everywhere { list, option, outcome: if is_ok { Ok(ok) } else { Err(err) }, map }
    }
}

const TICKET: &str = "support-ticket";
const STATE: &str = "ticket-state";

fn their_record(name: &str, fields: Vec<(&str, Theirs)>) -> Theirs {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Theirs::Record { type_name: name.to_owned(), fields }
}

fn their_ticket(ticket: &Ticket) -> Theirs {
    let fields = vec![("type", Theirs::U8(ticket.r#type)), ("owner", Theirs::String(ticket.owner.clone()))];
    their_record(TICKET, fields)
}

fn their_state(state: &State) -> Theirs {
    let case = |case: &str, tag, payload| Theirs::Variant {
        type_name: STATE.to_owned(),
        case_name: case.to_owned(),
        tag,
        payload,
    };
    match state {
        State::NotYet => case("not-yet", 7, vec![]),
        State::Done(code, text) => case("done", 1, vec![Theirs::U8(*code), Theirs::String(text.clone())]),
        State::Failed { reason } => {
            let record = their_record("gone wrong", vec![("why", Theirs::String(reason.clone()))]);
            case("gone wrong", 3, vec![record])
        }
    }
}

fn their_everywhere(value: &Everywhere) -> Theirs {
    let (ticket, state) = (ValueType::Record(TICKET.to_owned()), ValueType::Variant(STATE.to_owned()));
    let entry = |(key, value)| (their_state(key), their_ticket(value));
    let list =
        Theirs::List { elem_type: ticket.clone(), items: value.list.iter().map(their_ticket).collect() };
    let inner = value.option.as_ref().map(|state| Box::new(their_state(state)));
    let outcome = match &value.outcome {
        Ok(ticket) => Ok(Box::new(their_ticket(ticket))),
        Err(state) => Err(Box::new(their_state(state))),
    };
    let fields = vec![
        ("list", list),
        ("option", Theirs::Option { inner_type: state.clone(), value: inner }),
        ("outcome", Theirs::Result { ok_type: ticket.clone(), err_type: state.clone(), value: outcome }),
        (
            "map",
            Theirs::Map {
                key_type: state,
                value_type: ticket,
                entries: value.map.iter().map(entry).collect(),
            },
        ),
    ];
    their_record("", fields)
}

/// Reads back what was written, by its type and without.
fn comes_back<T>(value: &T, bytes: &[u8])
where
    T: Encode + for<'a> Decode<'a> + PartialEq + core::fmt::Debug,
{
    assert_eq!(decode::<T>(bytes).unwrap(), *value);
    assert_eq!(encode(&decode::<Value>(bytes).unwrap()).unwrap(), bytes);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn renamed_fields_have_the_bytes_of_the_published_derive(fields in any::<Fields>()) {
        let value = ours::message(&fields);
        let bytes = encode(&value).unwrap();
        let theirs = theirs::message(&fields);
        prop_assert_eq!(&bytes, &packr_abi::encode(&Theirs::from(theirs.clone())).unwrap());
        comes_back(&value, &bytes);
        prop_assert_eq!(theirs::Message::try_from(packr_abi::decode(&bytes).unwrap()).unwrap(), theirs);
    }

    #[test]
    fn renamed_types_and_cases_have_the_bytes_of_the_published_encoder(value in everywhere()) {
        let bytes = encode(&value).unwrap();
        prop_assert_eq!(&bytes, &packr_abi::encode(&their_everywhere(&value)).unwrap());
        comes_back(&value, &bytes);
    }

    /// Tags decide and names of types do not, so a rename does not lock out what was written before it.
    #[test]
    fn a_renamed_type_or_case_reads_what_was_written_under_the_name_of_rust(
        ticket in ticket(),
        state in state(),
    ) {
        // The published derive spells a raw identifier with its prefix; here it is as ours writes it.
        let plain = plain::Ticket { r#type: ticket.r#type, owner: ticket.owner.clone() };
        let Theirs::Record { type_name, mut fields } = Theirs::from(plain) else { panic!("a record") };
        prop_assert_eq!((type_name.as_str(), fields[0].0.as_str()), ("Ticket", "r#type"));
        fields[0].0 = "type".to_owned();
        let bytes = packr_abi::encode(&Theirs::Record { type_name, fields }).unwrap();
        prop_assert_eq!(decode::<Ticket>(&bytes).unwrap(), ticket);

        let plain = match &state {
            State::NotYet => plain::State::NotYet,
            State::Done(code, text) => plain::State::Done(*code, text.clone()),
            State::Failed { reason } => plain::State::Failed { reason: reason.clone() },
        };
        let read = decode::<State>(&packr_abi::encode(&Theirs::from(plain)).unwrap());
        match state {
            // A field is known by its name alone.
            State::Failed { .. } => {
                prop_assert_eq!(read.unwrap_err().kind, DecodeErrorKind::MissingField("why"));
            }
            State::NotYet | State::Done(..) => prop_assert_eq!(read.unwrap(), state),
        }
    }
}
