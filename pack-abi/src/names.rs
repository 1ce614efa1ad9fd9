//! Names of the interface language as they are on the wire.
//!
//! Interface text is kebab-case, values carry the names of Rust types: `chat-msg` travels as `ChatMsg`, its field
//! `last-msg` as `last_msg`, a case `plain-text` as `PlainText`. That is what upstream's bindings write and so what
//! ours write; whoever reads or shows values also takes the name as the interface spells it.

use alloc::string::String;

/// Returns the name on the wire of a record, variant or enum, or of a case.
///
/// ```
/// assert_eq!(pack_abi::names::type_on_wire("chat-msg"), "ChatMsg");
/// ```
#[must_use]
pub fn type_on_wire(name: &str) -> String {
    type_chars(name).collect()
}

/// Returns the name on the wire of a field.
///
/// ```
/// assert_eq!(pack_abi::names::field_on_wire("last-msg"), "last_msg");
/// ```
#[must_use]
pub fn field_on_wire(name: &str) -> String {
    field_chars(name).collect()
}

/// Whether `found` is how the wire or the interface spells this type or case.
#[must_use]
pub fn is_type(name: &str, found: &str) -> bool {
    name == found || type_chars(name).eq(found.chars())
}

/// Whether `found` is how the wire or the interface spells this field.
#[must_use]
pub fn is_field(name: &str, found: &str) -> bool {
    name == found || field_chars(name).eq(found.chars())
}

fn type_chars(name: &str) -> impl Iterator<Item = char> {
    name.split('-').flat_map(|word| {
        let mut chars = word.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(chars)
    })
}

fn field_chars(name: &str) -> impl Iterator<Item = char> {
    name.chars().map(|c| if c == '-' { '_' } else { c })
}

#[cfg(test)]
mod tests {
    use super::{field_on_wire, is_field, is_type, type_on_wire};

    #[test]
    fn the_wire_spells_names_as_rust_does() {
        assert_eq!(type_on_wire("HTTP-request2"), "HTTPRequest2");
        assert_eq!(type_on_wire("Already"), "Already");
        assert_eq!(type_on_wire("a--b-"), "AB");
        assert_eq!(field_on_wire("HTTP-status"), "HTTP_status");
        assert_eq!(field_on_wire("plain"), "plain");
    }

    #[test]
    fn either_spelling_is_recognised_and_no_other() {
        assert!(is_type("chat-msg", "ChatMsg") && is_type("chat-msg", "chat-msg"));
        assert!(!is_type("chat-msg", "Chatmsg") && !is_type("chat-msg", "Chat"));
        assert!(!is_type("chat", "ChatMsg"));
        assert!(is_field("last-msg", "last_msg") && is_field("last-msg", "last-msg"));
        assert!(!is_field("last-msg", "last") && !is_field("last", "last-msg"));
    }
}
