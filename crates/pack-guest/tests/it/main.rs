//! Bindings as an author uses them, outside wasm: types, imports, exports, and what goes over the wire.

mod everything;
mod worlds;
