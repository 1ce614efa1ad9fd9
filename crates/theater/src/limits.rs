//! Every bound of the runtime, named, with its reason.

/// Linear memory one actor may grow to when its manifest does not say: enough for real work on megabytes of
/// text, small enough that a thousand actors fit a laptop.
pub const MEMORY_BYTES_DEFAULT: u64 = 64 << 20;

/// Most memory a manifest may ask for; the engine's pool reserves address space for it.
pub const MEMORY_BYTES_MAX: u64 = 1 << 30;

/// Fuel for one call when the manifest does not say: some ten seconds of a tight loop, so that an endless
/// loop ends by a reproducible limit long before the clock has to.
pub const FUEL_PER_CALL_DEFAULT: u64 = 10_000_000_000;

/// Wall-clock time for one call, waits included, when the manifest does not say.
pub const CALL_MS_DEFAULT: u64 = 60_000;

/// Fuel between two cooperative yields: about 50 microseconds, so that a spinning actor holds up its
/// neighbours by less than a scheduling tick.
pub const YIELD_EVERY_FUEL: u64 = 50_000;

/// Messages that wait in one mailbox.
pub const MAILBOX_MESSAGES_DEFAULT: u32 = 1024;

/// Bytes of the messages that wait in one mailbox: a thousand messages of a page of text each.
pub const MAILBOX_BYTES_DEFAULT: u64 = 16 << 20;

/// Children that one actor may have when its manifest does not say.
pub const CHILDREN_DEFAULT: u32 = 10_000;

/// How long `request`, `open-channel` and a start wait for the other actor.
pub const ANSWER_MS: u64 = 5_000;

/// How long an ordered end may take when the manifest does not say; then the actor is killed.
pub const SHUTDOWN_MS_DEFAULT: u64 = 5_000;

/// Requests that one actor may put off.
pub const OPEN_REQUESTS_MAX: usize = 10_000;

/// Channels that one actor may have.
pub const CHANNELS_MAX: usize = 10_000;

/// Visitors at a time who want to see one actor's state.
pub const ONLOOKERS_MAX: usize = 1024;

/// Actors that one actor finds again without asking the directory.
pub const KNOWN_PEERS_MAX: usize = 256;

/// Dead letters that a live run can be asked for; its own chain has all of them.
pub const DEAD_LETTERS_KEPT: usize = 1_000;

/// Bytes of an initial state; larger data belongs into a store.
pub const STATE_BYTES_MAX: u64 = 256 << 20;

/// Table elements of one instance, which is what the engine's pool holds: function pointers of a large guest stay
/// far below.
pub const TABLE_ELEMENTS_MAX: u32 = 20_000;

/// Characters of an error text of a guest that are taken over into reasons and reports; the payload has all.
pub const ERROR_CHARS_MAX: usize = 16 << 10;

/// Most nodes of a state that a listing stands in for: above it, a payload is shown as bytes.
pub const SHOWN_STATE_NODES_MAX: u32 = 4096;

/// Bytes of a package; compiling takes some forty times as much.
pub const PACKAGE_BYTES_MAX: u64 = 256 << 20;

/// Bytes of a manifest: a larger file is a mistake.
pub const MANIFEST_BYTES_MAX: u64 = 1 << 20;

/// Events kept before a divergence to explain it.
pub const DIVERGENCE_CONTEXT_EVENTS: usize = 5;

/// Most events of several chains that a replay reads together.
pub const GATHERED_EVENTS_MAX: u64 = 50_000;

/// Most bytes of payloads of such events.
pub const GATHERED_BYTES_MAX: u64 = 64 << 20;
