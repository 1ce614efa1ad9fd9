//! Types that grow: two releases of one type read each other's bytes, and do so as the published derive does.
//!
//! A `forward_compatible` struct passes over what it does not know and fills in what it misses. An enum never does:
//! an unknown case has no default, so it is an error wherever it comes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "corpus/values.rs"]
mod values;

use std::collections::BTreeMap;

use pack_abi::{Decode, DecodeErrorKind, Encode, Value, WireType, decode, encode};
use packr_abi::{ConversionError, Value as Theirs};
use proptest::prelude::*;

/// Two releases of the same types and how they are made; once with our derive and once with the published one.
macro_rules! releases {
    ($derive:path) => {
        pub(crate) mod older {
            use $derive;

            #[derive(GraphValue, Clone, Debug, Default, PartialEq)]
            #[graph(forward_compatible)]
            pub(crate) struct Place {
                pub(crate) x: i32,
            }

            #[derive(GraphValue, Clone, Debug, Default, PartialEq)]
            #[graph(forward_compatible)]
            pub(crate) struct Range(pub(crate) u8, pub(crate) String);

            #[derive(GraphValue, Clone, Debug, Default, PartialEq)]
            #[graph(forward_compatible)]
            pub(crate) struct Config {
                pub(crate) name: String,
                pub(crate) range: Range,
                pub(crate) sizes: Vec<u32>,
                pub(crate) places: Vec<Place>,
            }

            #[derive(GraphValue, Clone, Debug, PartialEq)]
            pub(crate) struct Strict {
                pub(crate) name: String,
                pub(crate) level: u8,
            }
        }

        pub(crate) mod newer {
            use std::collections::BTreeMap;
            use $derive;

            #[derive(GraphValue, Clone, Debug, Default, PartialEq)]
            #[graph(forward_compatible)]
            pub(crate) struct Place {
                pub(crate) y: Option<i64>,
                pub(crate) x: i32,
            }

            #[derive(GraphValue, Clone, Debug, Default, PartialEq)]
            #[graph(forward_compatible)]
            pub(crate) struct Range(pub(crate) u8, pub(crate) String, pub(crate) Vec<u16>, pub(crate) Place);

            #[derive(GraphValue, Clone, Debug, Default, PartialEq)]
            #[graph(forward_compatible)]
            pub(crate) struct Config {
                pub(crate) colour: Option<String>,
                pub(crate) places: Vec<Place>,
                pub(crate) sizes: Vec<u32>,
                pub(crate) range: Range,
                #[graph(rename = "level by name")]
                pub(crate) levels: BTreeMap<String, u8>,
                pub(crate) events: Vec<Event>,
                pub(crate) name: String,
            }

            #[derive(GraphValue, Clone, Debug, PartialEq)]
            pub(crate) enum Event {
                Start,
                Step(u8, String),
                #[graph(tag = 4)]
                Stop {
                    reason: Option<u16>,
                },
            }
        }

        pub(crate) fn older(parts: &super::Parts) -> older::Config {
            let super::Parts { name, sizes, places, range, .. } = parts.clone();
            let places = places.into_iter().map(|(x, _)| older::Place { x }).collect();
            older::Config { name, range: older::Range(range.0, range.1), sizes, places }
        }

        pub(crate) fn newer(parts: &super::Parts) -> newer::Config {
            let super::Parts { name, sizes, places, range, colour, levels } = parts.clone();
            let place = |(x, y)| newer::Place { x, y };
            let range = newer::Range(range.0, range.1, range.2, place(range.3));
            let places = places.into_iter().map(place).collect();
            let step = |(name, level): (&String, &u8)| newer::Event::Step(*level, name.clone());
            let events = levels.iter().map(step).collect();
            newer::Config { colour, places, sizes, range, levels, events, name }
        }
    };
}

mod ours {
    releases!(pack_macros::GraphValue);
}

mod theirs {
    releases!(packr_abi::GraphValue);
}

type Point = (i32, Option<i64>);

/// What a value of either release is made of.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    name: String,
    sizes: Vec<u32>,
    places: Vec<Point>,
    range: (u8, String, Vec<u16>, Point),
    colour: Option<String>,
    levels: BTreeMap<String, u8>,
}

impl Parts {
    /// Takes out what the older release does not know.
    fn without_news(&self) -> Self {
        let places = self.places.iter().map(|(x, _)| (*x, None)).collect();
        let range = (self.range.0, self.range.1.clone(), vec![], (0, None));
        Self { places, range, colour: None, levels: BTreeMap::new(), ..self.clone() }
    }
}

prop_compose! {
    fn parts()(
        name in any::<String>(),
        sizes in any::<Vec<u32>>(),
        places in prop::collection::vec(any::<Point>(), 0..4),
        range in any::<(u8, String, Vec<u16>, Point)>(),
        colour in any::<Option<String>>(),
        levels in any::<BTreeMap<String, u8>>(),
    ) -> Parts {
        Parts { name, sizes, places, range, colour, levels }
    }
}

/// A field that some release knows, of its type; or any value under a name that none knows.
fn field() -> impl Strategy<Value = (String, Value)> {
    let known = prop_oneof![
        any::<String>().prop_map(|name| ("name".to_owned(), name.into())),
        any::<u8>().prop_map(|level| ("level".to_owned(), Value::U8(level))),
        any::<Vec<u32>>().prop_map(|sizes| ("sizes".to_owned(), Value::of(&sizes).unwrap())),
        any::<Option<String>>().prop_map(|colour| ("colour".to_owned(), Value::of(&colour).unwrap())),
        any::<(u8, String)>().prop_map(|range| ("range".to_owned(), Value::of(&range).unwrap())),
    ];
    let unknown = ("[a-z]{0,2}", values::value());
    prop_oneof![3 => known, 2 => unknown]
}

/// A payload that a case of `Event` has, or any other.
fn payload() -> impl Strategy<Value = Value> {
    let reason = any::<Option<u16>>()
        .prop_map(|reason| Value::record("Stop", [("reason", Value::of(&reason).unwrap())]));
    prop_oneof![
        3 => any::<u8>().prop_map(Value::U8),
        3 => any::<String>().prop_map(Value::from),
        3 => reason,
        1 => values::value(),
    ]
}

/// What our typed reader makes of the bytes, written again.
fn we_read<T: Encode + for<'a> Decode<'a>>(bytes: &[u8]) -> Option<Vec<u8>> {
    decode::<T>(bytes).ok().map(|value| encode(&value).unwrap())
}

/// What the published derive makes of the bytes, written again.
fn they_read<T: TryFrom<Theirs, Error = ConversionError> + Into<Theirs>>(bytes: &[u8]) -> Option<Vec<u8>> {
    let value = T::try_from(packr_abi::decode(bytes).unwrap()).ok()?;
    Some(packr_abi::encode(&value.into()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn forward_compatible_types_have_the_bytes_of_the_published_derive(parts in parts()) {
        let (older, newer) = (ours::older(&parts), ours::newer(&parts));
        let older_bytes = encode(&older).unwrap();
        prop_assert_eq!(&older_bytes, &packr_abi::encode(&theirs::older(&parts).into()).unwrap());
        prop_assert_eq!(decode::<ours::older::Config>(&older_bytes).unwrap(), older);
        let newer_bytes = encode(&newer).unwrap();
        prop_assert_eq!(&newer_bytes, &packr_abi::encode(&theirs::newer(&parts).into()).unwrap());
        prop_assert_eq!(decode::<ours::newer::Config>(&newer_bytes).unwrap(), newer);
    }

    #[test]
    fn a_newer_type_reads_what_an_older_one_wrote_and_fills_in_defaults(parts in parts()) {
        let bytes = encode(&ours::older(&parts)).unwrap();
        let read: ours::newer::Config = decode(&bytes).unwrap();
        prop_assert_eq!(&read, &ours::newer(&parts.without_news()));
        prop_assert_eq!(they_read::<theirs::newer::Config>(&bytes).unwrap(), encode(&read).unwrap());
    }

    #[test]
    fn an_older_type_reads_what_a_newer_one_wrote_and_passes_over_the_news(parts in parts()) {
        let bytes = encode(&ours::newer(&parts)).unwrap();
        let read: ours::older::Config = decode(&bytes).unwrap();
        prop_assert_eq!(&read, &ours::older(&parts));
        prop_assert_eq!(they_read::<theirs::older::Config>(&bytes).unwrap(), encode(&read).unwrap());
    }

    /// Fields in any order and number, some twice, some unknown: strict types refuse and tolerant ones accept the
    /// same records in both codecs.
    #[test]
    fn records_of_any_fields_are_read_as_the_published_derive_reads_them(
        fields in prop::collection::vec(field(), 0..8),
    ) {
        let bytes = encode(&Value::record("Config", fields)).unwrap();
        prop_assert!(we_read::<ours::older::Config>(&bytes).is_some());
        prop_assert_eq!(we_read::<ours::older::Config>(&bytes), they_read::<theirs::older::Config>(&bytes));
        prop_assert_eq!(we_read::<ours::newer::Config>(&bytes), they_read::<theirs::newer::Config>(&bytes));
        prop_assert_eq!(we_read::<ours::older::Strict>(&bytes), they_read::<theirs::older::Strict>(&bytes));
    }

    /// A tuple struct grows at its end only.
    #[test]
    fn tuples_of_any_length_are_read_as_the_published_derive_reads_them(
        first in prop::option::weighted(0.9, any::<u8>()),
        second in prop::option::weighted(0.8, any::<String>()),
        more in prop::collection::vec(values::value(), 0..3),
    ) {
        let first = first.map(Value::U8).into_iter();
        let elements: Vec<Value> = first.chain(second.map(Value::from)).chain(more).collect();
        let bytes = encode(&Value::tuple(elements)).unwrap();
        prop_assert_eq!(we_read::<ours::older::Range>(&bytes), they_read::<theirs::older::Range>(&bytes));
        prop_assert_eq!(we_read::<ours::newer::Range>(&bytes), they_read::<theirs::newer::Range>(&bytes));
    }

    #[test]
    fn cases_of_any_name_tag_and_payload_are_read_as_the_published_derive_reads_them(
        case in "[A-Z]?[a-z]{0,4}",
        tag in 0..6_u32,
        payload in prop::collection::vec(payload(), 0..3),
    ) {
        let event = Value::variant("Event", case, tag, payload);
        let bytes = encode(&event).unwrap();
        let read = we_read::<ours::newer::Event>(&bytes);
        prop_assert_eq!(&read, &they_read::<theirs::newer::Event>(&bytes));
        prop_assert!(read.is_none() || [0, 1, 4].contains(&tag), "an unknown case was read: {}", event);
    }

    #[test]
    fn an_unknown_case_is_an_error_inside_of_a_forward_compatible_type_too(tag in 5..=u32::MAX) {
        let config = |tag| {
            let event = Value::variant("Event", "Start", tag, []);
            Value::record("Config", [("events", Value::list(WireType::Variant("Event".into()), [event]))])
        };
        let known = encode(&config(0)).unwrap();
        prop_assert_eq!(decode::<ours::newer::Config>(&known).unwrap().events, [ours::newer::Event::Start]);
        let unknown = encode(&config(tag)).unwrap();
        let error = decode::<ours::newer::Config>(&unknown).unwrap_err();
        prop_assert_eq!(error.kind, DecodeErrorKind::UnknownTag(tag));
        prop_assert_eq!(they_read::<theirs::newer::Config>(&unknown), None);
    }
}
