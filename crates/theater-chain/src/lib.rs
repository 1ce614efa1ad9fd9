//! Events, hashes, the journal and its verification; no engine, no async runtime.
