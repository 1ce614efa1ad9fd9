//! The macros as their users see them.

mod host;
