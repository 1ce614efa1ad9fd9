//! Is no actor: functions that anyone may call.

mod bindings {
    theater_guest::generate!("wit");
}

use bindings::exports::story::library::math::{self, Shape};
use bindings::exports::story::library::text;

struct Component;

impl math::Guest for Component {
    fn double(n: i64) -> i64 {
        n * 2
    }

    fn divide(left: u32, right: u32) -> Result<u32, String> {
        left.checked_div(right).ok_or_else(|| format!("{left} cannot be divided by {right}"))
    }

    fn describe(shape: Shape, label: Option<String>) -> String {
        let label = label.unwrap_or_default();
        match shape {
            Shape::Empty => format!("{label} nothing"),
            Shape::Dot(point) => format!("{label} at {}, {}", point.x, point.y),
        }
    }

    fn fall() -> bool {
        panic!("the library falls")
    }
}

impl text::Guest for Component {
    fn double(text: String) -> String {
        text.repeat(2)
    }
}

impl bindings::Guest for Component {
    fn greet(names: Vec<String>) -> String {
        format!("Hello, {}!", names.join(" and "))
    }
}

bindings::export!(Component with_types_in bindings);
