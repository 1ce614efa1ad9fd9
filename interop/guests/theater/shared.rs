//! Types of one package in the interfaces of another: `use`, imports that take and return records.

mod bindings {
    theater_guest::generate!({ path: "wit", world: "shared-world" });
}

use bindings::exports::interop::guest::shared::{Form, Guest, Person};
use bindings::interop::host::people::{find, rank};

struct Component;

impl Guest for Component {
    fn promote(name: String, to: Form) -> Option<Person> {
        let person = find(&name)?;
        let promoted = Person { title: Some(to), ..person.clone() };
        match rank(&promoted, &[person]) {
            Ok(_) => Some(promoted),
            Err(better) => Some(better),
        }
    }
}

bindings::export!(Component with_types_in bindings);
