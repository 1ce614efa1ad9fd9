//! Names of interface text as Rust spells them, as the WIT bindings of Rust do.

use pack_abi::names::{field_on_wire, type_on_wire};
use proc_macro2::{Ident, Span};

/// Words that cannot be identifiers, and the name of the trait beside exported types; they get an underscore
/// behind them.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "abstract", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "Self",
    "static", "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield", "Guest",
];

/// A name as a Rust identifier and as it is on the wire.
pub(crate) struct RustName {
    pub(crate) ident: Ident,
    wire: String,
}

impl RustName {
    fn new(plain: &str, wire: String) -> Self {
        let escaped = if KEYWORDS.contains(&plain) { format!("{plain}_") } else { plain.to_owned() };
        Self { ident: Ident::new(&escaped, Span::call_site()), wire }
    }

    /// The name on the wire, if it is not what the identifier says.
    pub(crate) fn rename(&self) -> Option<&str> {
        (self.ident != self.wire.as_str()).then_some(self.wire.as_str())
    }
}

/// `get-chain` to `get_chain`
pub(crate) fn snake(name: &str) -> RustName {
    RustName::new(&name.replace('-', "_").to_ascii_lowercase(), field_on_wire(name))
}

/// `chain-entry` to `ChainEntry`
pub(crate) fn camel(name: &str) -> RustName {
    let mut camel = String::new();
    for word in name.split('-') {
        let (first, rest) = word.split_at(word.len().min(1));
        camel.push_str(&first.to_ascii_uppercase());
        camel.push_str(&rest.to_ascii_lowercase());
    }
    RustName::new(&camel, type_on_wire(name))
}

/// `read-only` to `READ_ONLY`
pub(crate) fn shouting(name: &str) -> RustName {
    RustName::new(&name.replace('-', "_").to_ascii_uppercase(), field_on_wire(name))
}

/// The modules of an interface: `theater:simple/runtime` to `theater`, `simple`, `runtime`.
pub(crate) fn modules(interface: &str) -> Vec<Ident> {
    interface.split([':', '/']).filter(|part| !part.is_empty()).map(|part| snake(part).ident).collect()
}

#[cfg(test)]
mod tests {
    use super::{camel, modules, shouting, snake};

    #[test]
    fn names_are_spelt_as_rust_does() {
        assert_eq!(snake("get-chain").ident, "get_chain");
        assert_eq!(snake("self").ident, "self_");
        assert_eq!(snake("type").rename(), Some("type"));
        assert_eq!(camel("HTTP-request2").ident, "HttpRequest2");
        assert_eq!(camel("plain").rename(), None);
        assert_eq!(shouting("read-only").ident, "READ_ONLY");
    }

    #[test]
    fn the_wire_keeps_the_capitals_of_the_interface() {
        assert_eq!(camel("HTTP-request2").rename(), Some("HTTPRequest2"));
        assert_eq!(snake("HTTP-status").rename(), Some("HTTP_status"));
        assert_eq!(snake("last-msg").rename(), None);
    }

    #[test]
    fn modules_follow_the_interface_name() {
        assert_eq!(
            modules("theater:simple/message-server-host"),
            ["theater", "simple", "message_server_host"]
        );
    }
}
