//! Guest side of the Graph ABI calling convention.
