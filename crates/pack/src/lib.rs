//! Host side of the Graph ABI: packages, instances and the boundary. The only crate that names wasmtime.
