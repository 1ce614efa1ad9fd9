//! Procedural macros: derive(GraphValue), guest bindings, host bindings.
