//! A recursive variant.

mod bindings {
    theater_guest::generate!({
        inline: "package interop:guest;
                 interface tree {
                     variant sexpr { sym(string), num(s64), lst(list<sexpr>) }
                     mirror: func(expr: sexpr) -> sexpr;
                 }
                 world guest { export tree; }",
        world: "guest",
    });
}

use bindings::exports::interop::guest::tree::{Guest, Sexpr};

struct Component;

impl Guest for Component {
    fn mirror(expr: Sexpr) -> Sexpr {
        match expr {
            Sexpr::Lst(items) => Sexpr::Lst(items.into_iter().rev().map(Self::mirror).collect()),
            Sexpr::Sym(name) => Sexpr::Sym(name.chars().rev().collect()),
            Sexpr::Num(number) => Sexpr::Num(-number),
        }
    }
}

bindings::export!(Component with_types_in bindings);
