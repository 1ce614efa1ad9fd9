//! A recursive variant.

#![no_std]
extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

use packr_guest::export;

packr_guest::setup_guest!();

packr_guest::pact! {
    variant sexpr { sym(string), num(s64), lst(list<self>) }

    world tree {
        export mirror: func(expr: sexpr) -> sexpr
    }
}

#[export(name = "interop:guest/tree.mirror")]
fn mirror(expr: Sexpr) -> Sexpr {
    match expr {
        Sexpr::Lst(items) => Sexpr::Lst(items.into_iter().rev().map(mirrored).collect::<Vec<_>>()),
        Sexpr::Sym(name) => Sexpr::Sym(name.chars().rev().collect::<String>()),
        Sexpr::Num(number) => Sexpr::Num(-number),
    }
}

fn mirrored(expr: Sexpr) -> Sexpr {
    __mirror_inner(expr)
}
