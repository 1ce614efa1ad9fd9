//! The set-up as a whole: its decisions on machines made of shell scripts, and guests built for real.

mod decisions;
mod fake;
mod real;
