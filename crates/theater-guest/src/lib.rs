//! What an actor author depends on.
