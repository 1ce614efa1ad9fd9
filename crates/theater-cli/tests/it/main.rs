//! Stories told to the `theater` binary, each in a home of its own.

mod bundles;
mod help;
mod live;
mod mistakes;
mod new;
mod packages;
mod proofs;
mod reading;
mod runs;
mod several;
mod story;
