//! The runtime: actors, handlers, recording and replay.
