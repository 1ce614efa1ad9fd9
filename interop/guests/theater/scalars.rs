//! Every scalar as a parameter and as a result, more of them than a tuple of Pack's SDK can hold.

mod bindings {
    theater_guest::generate!({
        inline: "package interop:guest;
                 interface scalars {
                     record all {
                         a: bool, b: u8, c: u16, d: u32, e: u64, f: s8, g: s16, h: s32, i: s64, j: f32, k: f64, l: char,
                     }
                     gather: func(
                         a: bool, b: u8, c: u16, d: u32, e: u64, f: s8, g: s16, h: s32, i: s64, j: f32, k: f64, l: char,
                     ) -> all;
                 }
                 world guest { export scalars; }",
        world: "guest",
    });
}

use bindings::exports::interop::guest::scalars::{All, Guest};

struct Component;

impl Guest for Component {
    fn gather(
        a: bool,
        b: u8,
        c: u16,
        d: u32,
        e: u64,
        f: i8,
        g: i16,
        h: i32,
        i: i64,
        j: f32,
        k: f64,
        l: char,
    ) -> All {
        All { a, b, c, d, e, f, g, h, i, j, k, l }
    }
}

bindings::export!(Component with_types_in bindings);
