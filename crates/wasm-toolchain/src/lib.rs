//! Finds or sets up the wasm32 target and builds guests.
