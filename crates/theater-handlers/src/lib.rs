//! The handlers: one capability each.

mod message_server;
mod runtime;
mod supervisor;

use theater::handler::HandlerRegistry;

pub use message_server::MessageServerFactory;
pub use runtime::RuntimeFactory;
pub use supervisor::SupervisorFactory;

/// Returns a registry with every handler of this crate.
#[must_use]
pub fn registry() -> HandlerRegistry {
    HandlerRegistry::new().with(RuntimeFactory).with(MessageServerFactory).with(SupervisorFactory)
}
