//! Names of interface text as Rust spells them, as the WIT bindings of Rust do.

use proc_macro2::{Ident, Span};

/// Words that cannot be identifiers; they get an underscore behind them.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "abstract", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "Self",
    "static", "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// A Rust name: as an identifier, and as it would be were it no keyword.
pub(crate) struct RustName {
    pub(crate) ident: Ident,
    plain: String,
}

impl RustName {
    fn new(plain: String) -> Self {
        let escaped = if KEYWORDS.contains(&plain.as_str()) { format!("{plain}_") } else { plain.clone() };
        Self { ident: Ident::new(&escaped, Span::call_site()), plain }
    }

    /// The name on the wire, if it is not what the identifier says.
    pub(crate) fn rename(&self) -> Option<&str> {
        (self.ident != self.plain.as_str()).then_some(self.plain.as_str())
    }
}

/// `get-chain` to `get_chain`
pub(crate) fn snake(name: &str) -> RustName {
    RustName::new(name.replace('-', "_").to_ascii_lowercase())
}

/// `chain-entry` to `ChainEntry`
pub(crate) fn camel(name: &str) -> RustName {
    let mut camel = String::new();
    for word in name.split('-') {
        let (first, rest) = word.split_at(word.len().min(1));
        camel.push_str(&first.to_ascii_uppercase());
        camel.push_str(&rest.to_ascii_lowercase());
    }
    RustName::new(camel)
}

/// `read-only` to `READ_ONLY`
pub(crate) fn shouting(name: &str) -> RustName {
    RustName::new(name.replace('-', "_").to_ascii_uppercase())
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
        assert_eq!(
            modules("theater:simple/message-server-host"),
            ["theater", "simple", "message_server_host"]
        );
    }
}
