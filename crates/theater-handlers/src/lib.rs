//! The handlers: one capability each.

mod runtime;

use theater::handler::HandlerRegistry;

pub use runtime::RuntimeFactory;

/// Returns a registry with every handler of this crate.
#[must_use]
pub fn registry() -> HandlerRegistry {
    HandlerRegistry::new().with(RuntimeFactory)
}
