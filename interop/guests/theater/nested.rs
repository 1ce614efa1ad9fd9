//! Lists of lists.

mod bindings {
    theater_guest::generate!({
        inline: "package interop:guest;
                 interface nested {
                     backwards: func(rows: list<list<string>>) -> list<list<string>>;
                     sums: func(rows: list<list<u16>>) -> list<u16>;
                 }
                 world guest { export nested; }",
        world: "guest",
    });
}

use bindings::exports::interop::guest::nested::Guest;

struct Component;

impl Guest for Component {
    fn backwards(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
        rows.reverse();
        for row in &mut rows {
            row.reverse();
        }
        rows
    }

    fn sums(rows: Vec<Vec<u16>>) -> Vec<u16> {
        rows.iter().map(|row| row.iter().sum()).collect()
    }
}

bindings::export!(Component with_types_in bindings);
