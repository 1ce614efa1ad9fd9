//! Worlds of every shape: without imports, without exports, two in one crate, with names that Rust has taken.

use pack_guest::testing::Host;

/// Bindings and what is exported from them stand in one module, so `export!` needs no path.
mod quiet {
    pack_guest::generate!({ inline: "package a:quiet; world w { export run: func() -> u8; }", world: "w" });

    pub(super) struct Component;
    impl Guest for Component {
        fn run() -> u8 {
            7
        }
    }
    export!(Component);
}

/// Nothing is exported; the package is described all the same.
mod caller {
    pack_guest::generate!({
        inline: "package a:caller@1.2.3;
                 interface clock { now: func() -> u64; }
                 world w { import clock; }",
        world: "w",
    });
    struct Nothing;
    export!(Nothing);
}

mod taken {
    pack_guest::generate!({
        inline: "package self:super;
                 /// Names that mean something to Rust.
                 interface crate {
                     record guest { %type: string, fn: option<guest-list> }
                     record guest-list { %list: list<guest> }
                     record %string { %option: u8 }
                     variant %result { %ok(%string), %err }
                     type box = %string;
                     super: func(self: guest, crate: box) -> %result;
                     crate: func();
                     self: func(%async: u8, dyn: u8) -> u8;
                 }
                 interface %export { use crate.{guest}; %export: func(%import: guest) -> guest; }
                 interface pair { %export: func(input: u8, reply: u8, answer: u8) -> u8; }
                 world part { import crate; }
                 world w { include part; export %export; export pair; }",
        world: "w",
    });
}

mod wide {
    pack_guest::generate!({
        inline: "package a:wide;
                 interface i {
                     f: func(a: string, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8,
                             l: u8, m: list<u8>) -> u32;
                 }
                 world w { import i; export i; }",
        world: "w",
    });
}

use taken::exports::self_::super_::{export as exported, pair};
use taken::self_::super_::crate_::{
    Box, Guest_, GuestList, Result as Outcome, String as Words, crate_, self_, super_,
};

struct Component;

impl exported::Guest for Component {
    fn export(import: Guest_) -> Guest_ {
        import
    }
}

impl pair::Guest for Component {
    fn export(input: u8, reply: u8, answer: u8) -> u8 {
        input + reply + answer
    }
}

taken::export!(Component with_types_in taken);

impl wide::exports::a::wide::i::Guest for Component {
    fn f(
        a: String,
        b: u8,
        _: u8,
        _: u8,
        _: u8,
        _: u8,
        _: u8,
        _: u8,
        _: u8,
        _: u8,
        _: u8,
        l: u8,
        m: Vec<u8>,
    ) -> u32 {
        a.len() as u32 + u32::from(b) + u32::from(l) + m.len() as u32
    }
}

wide::export!(Component with_types_in wide);

#[test]
fn several_worlds_live_in_one_crate() {
    use quiet::Guest as _;
    assert_eq!(quiet::Component::run(), 7);
    let host = Host::new().on("a:caller/clock.now", |(): ()| 5_u64);
    assert_eq!(host.run(caller::a::caller::clock::now), 5);
}

#[test]
fn names_that_rust_has_taken_get_an_underscore_and_keep_their_own_on_the_wire() {
    let guest = Guest_ { type_: "x".to_owned(), fn_: Some(GuestList { list: Vec::new() }) };
    let host = Host::new()
        .on(
            "self:super/crate.super",
            |(guest, words): (Guest_, Box)| {
                if guest.fn_.is_some() { Outcome::Ok(words) } else { Outcome::Err }
            },
        )
        .on("self:super/crate.crate", |(): ()| ())
        .on("self:super/crate.self", |(a, b): (u8, u8)| a + b);
    host.run(|| {
        assert_eq!(super_(&guest, Words { option: 3 }), Outcome::Ok(Words { option: 3 }));
        crate_();
        assert_eq!(self_(1, 2), 3);
    });
    let bytes = pack_guest::abi::encode(&guest).expect("encodes");
    let value: pack_guest::Value = pack_guest::abi::decode(&bytes).expect("decodes");
    let text = value.to_string();
    assert!(text.starts_with("Guest{type: \"x\", fn: "), "{text}");
    assert_eq!(<Component as exported::Guest>::export(guest.clone()), guest);
    assert_eq!(<Component as pair::Guest>::export(1, 2, 3), 6);
}

#[test]
fn functions_have_as_many_parameters_as_they_like() {
    use wide::a::wide::i::f;
    let host = Host::new().on("a:wide/i.f", |arguments: pack_guest::Value| {
        u32::from(arguments.to_string().starts_with("(\"four\", 1u8, 2u8, 3u8"))
    });
    let arguments = || f("four", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, b"bytes");
    assert_eq!(host.run(arguments), 1);
}
