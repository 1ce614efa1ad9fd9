//! The handlers: one capability each.
