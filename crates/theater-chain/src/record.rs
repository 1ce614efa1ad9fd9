//! The records in the payloads of births and ends: graph values, so that any tool can print them.

use pack_abi::{DecodeError, EncodeError, Value, WireType};

use crate::event::ChainIndex;
use crate::fields::{
    Reader, as_bytes, as_hash, as_list, as_option, as_pair, as_text, as_text_pair, as_u32, as_u64, byte_list,
    bytes, encode, list, named, option, record, text,
};
use crate::hash::Hash;
use crate::segment::FORMAT_VERSION;
use crate::setting::{Setting, SharedSetting};

/// Version of the Graph ABI in which payloads are encoded.
pub(crate) const ABI_VERSION: u32 = 3;
/// The algorithm of every hash.
pub(crate) const ALGORITHM: &str = "sha-256";

/// Why bytes are not such a record, or a record has no bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The record is larger than a graph value can be.
    #[error("the {name} record cannot be encoded: {source}")]
    Encode {
        /// Which record.
        name: &'static str,
        /// What the codec said.
        source: EncodeError,
    },
    /// The bytes are not a graph value.
    #[error("the {name} record cannot be decoded: {source}")]
    Decode {
        /// Which record.
        name: &'static str,
        /// What the codec said.
        source: DecodeError,
    },
    /// The value is another one.
    #[error("not a {name} record: {what} is missing or of another type")]
    Shape {
        /// Which record.
        name: &'static str,
        /// Which field.
        what: &'static str,
    },
    /// The record is of a format that this program does not know.
    #[error("the {name} record has {what} {found}, which this program does not know")]
    Unknown {
        /// Which record.
        name: &'static str,
        /// Which field.
        what: &'static str,
        /// Its value.
        found: String,
    },
}

/// Whether a function of a package is called by it or called in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// The guest calls the host.
    Import,
    /// The host calls the guest.
    Export,
}

/// One entry of the function table, whose index events carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionEntry {
    /// Name of its interface; empty for a function without one.
    pub interface: String,
    /// Its name in it.
    pub name: String,
    /// Who calls it.
    pub kind: FunctionKind,
}

/// The incarnation before this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predecessor {
    /// Id of its chain.
    pub chain: Hash,
    /// Head of its chain when it was succeeded.
    pub head: Hash,
    /// Why it was succeeded.
    pub why: String,
}

/// An event, by its place in the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its chain.
    pub chain: ChainIndex,
    /// Its place in the chain.
    pub seq: u64,
}

/// What an actor's chain begins with: all that decides what its events can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Id of the run.
    pub run_id: String,
    /// Path of the actor.
    pub path: String,
    /// Which of its lives, from 1.
    pub incarnation: u32,
    /// Version of the order and sizes of the host's own calls into the guest.
    pub boundary_version: u32,
    /// The life before this one.
    pub predecessor: Option<Predecessor>,
    /// Path of the actor that spawned it.
    pub parent: Option<String>,
    /// The event that led to it.
    pub cause: Option<Cause>,
    /// SHA-256 of the package: a blob of the run.
    pub package: Hash,
    /// SHA-256 of the manifest: a blob of the run.
    pub manifest: Hash,
    /// Hash of the initial state, as [`crate::RunHasher::state_hash`] or another salted scheme of the recorder's gives it.
    pub state_hash: Hash,
    /// The initial state itself.
    pub state: Vec<u8>,
    /// The function that the actor is called at instead of `init`, if so; its end is the actor's, and there is no state.
    pub entry: Option<String>,
    /// What it has in common with the other actors of its package.
    pub setting: SharedSetting,
}

/// What the runtime's own chain, `/`, begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeGenesis {
    /// Id of the run.
    pub run_id: String,
    /// Wall clock at the start, in microseconds since 1970: the host's claim.
    pub utc_us: u64,
    /// Version of the program.
    pub version: String,
    /// Source revision of the program.
    pub revision: String,
    /// Operating system.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// The node's public key, in text form.
    pub node_key: Option<String>,
    /// Who started the run, unless withheld.
    pub user: Option<String>,
    /// What they noted.
    pub note: Option<String>,
}

/// Why an incarnation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// It was done.
    Normal,
    /// It was told to end.
    Shutdown,
    /// It gave up.
    Error(String),
    /// It trapped.
    Trap(String),
    /// It met a limit.
    Limit(String),
    /// The host failed it.
    HostFault(String),
    /// It was killed.
    Killed,
    /// It never was.
    NoActor,
}

impl ExitReason {
    const fn parts(&self) -> (u32, &'static str, Option<&String>) {
        match self {
            Self::Normal => (0, "normal", None),
            Self::Shutdown => (1, "shutdown", None),
            Self::Error(text) => (2, "error", Some(text)),
            Self::Trap(text) => (3, "trap", Some(text)),
            Self::Limit(text) => (4, "limit", Some(text)),
            Self::HostFault(text) => (5, "host-fault", Some(text)),
            Self::Killed => (6, "killed", None),
            Self::NoActor => (7, "no-actor", None),
        }
    }

    /// Returns the variant `exit-reason`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let (tag, case, text) = self.parts();
        let payload: Vec<Value> = text.map(|text| Value::from(text.as_str())).into_iter().collect();
        Value::variant("exit-reason", case, tag, payload)
    }

    fn from_value(value: &Value) -> Option<Self> {
        let Value::Variant(variant) = value else { return None };
        let reason = match (variant.tag(), variant.payload()) {
            (0, []) => Self::Normal,
            (1, []) => Self::Shutdown,
            (2, [Value::String(text)]) => Self::Error((**text).to_owned()),
            (3, [Value::String(text)]) => Self::Trap((**text).to_owned()),
            (4, [Value::String(text)]) => Self::Limit((**text).to_owned()),
            (5, [Value::String(text)]) => Self::HostFault((**text).to_owned()),
            (6, []) => Self::Killed,
            (7, []) => Self::NoActor,
            _ => return None,
        };
        Some(reason)
    }
}

impl std::fmt::Display for ExitReason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.parts() {
            (_, case, None) => formatter.write_str(case),
            (_, case, Some(text)) => write!(formatter, "{case}: {text}"),
        }
    }
}

/// What is known of an abnormal end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExitDetail {
    /// The function that was running.
    pub function: Option<String>,
    /// What the guest said.
    pub panic: Option<String>,
    /// Where: file, line, column.
    pub place: Option<String>,
    /// Guest frames, innermost first.
    pub backtrace: Vec<String>,
    /// Fuel used by the call.
    pub fuel: u64,
}

/// What a chain ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Why.
    pub reason: ExitReason,
    /// Hash of the last good state.
    pub state_hash: Hash,
    /// What it ended with.
    pub result: Option<Vec<u8>>,
    /// What is known of an abnormal end.
    pub detail: Option<ExitDetail>,
}

impl Genesis {
    const NAME: &'static str = "genesis";

    /// Returns the bytes that the genesis event carries as its input.
    ///
    /// # Errors
    /// If the initial state is larger than a graph value can be.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        let mut fields = vec![
            ("format", Value::U32(FORMAT_VERSION)),
            ("abi", Value::U32(ABI_VERSION)),
            ("algorithm", text(ALGORITHM)),
            ("boundary", Value::U32(self.boundary_version)),
            ("run", text(&self.run_id)),
            ("path", text(&self.path)),
            ("incarnation", Value::U32(self.incarnation)),
            (
                "predecessor",
                option(named("predecessor"), self.predecessor.as_ref().map(Predecessor::to_value)),
            ),
            ("parent", option(WireType::String, self.parent.as_deref().map(text))),
            ("cause", option(named("cause"), self.cause.map(Cause::to_value))),
            ("package", bytes(&self.package.0)),
            ("manifest", bytes(&self.manifest.0)),
            ("state-hash", bytes(&self.state_hash.0)),
            ("state", bytes(&self.state)),
        ];
        fields.extend(self.setting.fields());
        // A field that was not there at first: it is left out where there is nothing to say.
        fields.extend(self.entry.as_deref().map(|entry| ("entry", text(entry))));
        encode(Self::NAME, fields)
    }

    /// Reads such bytes.
    ///
    /// # Errors
    /// If they are something else, or of a format, ABI or hash algorithm that this program does not know.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let record = Reader::new(Self::NAME, bytes)?;
        record.check_versions()?;
        Ok(Self {
            boundary_version: record.u32("boundary")?,
            run_id: record.text("run")?,
            path: record.text("path")?,
            incarnation: record.u32("incarnation")?,
            predecessor: record.option("predecessor", Predecessor::from_value)?,
            parent: record.option("parent", as_text)?,
            cause: record.option("cause", Cause::from_value)?,
            package: record.get("package", as_hash)?,
            manifest: record.get("manifest", as_hash)?,
            state_hash: record.get("state-hash", as_hash)?,
            state: record.get("state", as_bytes)?,
            entry: record.optional("entry", as_text)?,
            setting: SharedSetting::from(Setting {
                functions: record.list("functions", FunctionEntry::from_value)?,
                interfaces: record.list("interfaces", |value| as_pair(value, as_text, as_hash))?,
                fingerprint_semantic: record.list("fingerprint-semantic", as_text_pair)?,
                fingerprint_descriptive: record.list("fingerprint-descriptive", as_text_pair)?,
                limits: record.list("limits", |value| as_pair(value, as_text, as_u64))?,
            }),
        })
    }
}

impl RuntimeGenesis {
    const NAME: &'static str = "runtime-genesis";

    /// Returns the bytes that the genesis event of `/` carries as its input.
    ///
    /// # Errors
    /// If a text is larger than a graph value can be.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        let optional = |value: &Option<String>| option(WireType::String, value.as_deref().map(text));
        let fields = vec![
            ("format", Value::U32(FORMAT_VERSION)),
            ("abi", Value::U32(ABI_VERSION)),
            ("algorithm", text(ALGORITHM)),
            ("run", text(&self.run_id)),
            ("utc-us", Value::U64(self.utc_us)),
            ("version", text(&self.version)),
            ("revision", text(&self.revision)),
            ("os", text(&self.os)),
            ("arch", text(&self.arch)),
            ("node-key", optional(&self.node_key)),
            ("user", optional(&self.user)),
            ("note", optional(&self.note)),
        ];
        encode(Self::NAME, fields)
    }

    /// Reads such bytes.
    ///
    /// # Errors
    /// If they are something else, or of a format, ABI or hash algorithm that this program does not know.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let record = Reader::new(Self::NAME, bytes)?;
        record.check_versions()?;
        Ok(Self {
            run_id: record.text("run")?,
            utc_us: record.get("utc-us", as_u64)?,
            version: record.text("version")?,
            revision: record.text("revision")?,
            os: record.text("os")?,
            arch: record.text("arch")?,
            node_key: record.option("node-key", as_text)?,
            user: record.option("user", as_text)?,
            note: record.option("note", as_text)?,
        })
    }
}

impl Exit {
    const NAME: &'static str = "exit";

    /// Returns the bytes that the exit event carries as its output.
    ///
    /// # Errors
    /// If the result is larger than a graph value can be.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        let fields = vec![
            ("reason", self.reason.to_value()),
            ("state-hash", bytes(&self.state_hash.0)),
            ("result", option(byte_list(), self.result.as_deref().map(bytes))),
            ("detail", option(named("exit-detail"), self.detail.as_ref().map(ExitDetail::to_value))),
        ];
        encode(Self::NAME, fields)
    }

    /// Reads such bytes.
    ///
    /// # Errors
    /// If they are something else.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let record = Reader::new(Self::NAME, bytes)?;
        Ok(Self {
            reason: record.get("reason", ExitReason::from_value)?,
            state_hash: record.get("state-hash", as_hash)?,
            result: record.option("result", as_bytes)?,
            detail: record.option("detail", ExitDetail::from_value)?,
        })
    }
}

impl FunctionEntry {
    pub(crate) fn to_value(&self) -> Value {
        let kind = match self.kind {
            FunctionKind::Import => "import",
            FunctionKind::Export => "export",
        };
        let fields =
            vec![("interface", text(&self.interface)), ("name", text(&self.name)), ("kind", text(kind))];
        record("function", fields)
    }

    fn from_value(value: &Value) -> Option<Self> {
        let kind = match as_text(value.field("kind")?)?.as_str() {
            "import" => FunctionKind::Import,
            "export" => FunctionKind::Export,
            _ => return None,
        };
        Some(Self {
            interface: as_text(value.field("interface")?)?,
            name: as_text(value.field("name")?)?,
            kind,
        })
    }
}

impl Predecessor {
    fn to_value(&self) -> Value {
        let fields =
            vec![("chain", bytes(&self.chain.0)), ("head", bytes(&self.head.0)), ("why", text(&self.why))];
        record("predecessor", fields)
    }

    fn from_value(value: &Value) -> Option<Self> {
        Some(Self {
            chain: as_hash(value.field("chain")?)?,
            head: as_hash(value.field("head")?)?,
            why: as_text(value.field("why")?)?,
        })
    }
}

impl Cause {
    fn to_value(self) -> Value {
        record("cause", vec![("chain", Value::U32(self.chain.0)), ("seq", Value::U64(self.seq))])
    }

    fn from_value(value: &Value) -> Option<Self> {
        Some(Self { chain: ChainIndex(as_u32(value.field("chain")?)?), seq: as_u64(value.field("seq")?)? })
    }
}

impl ExitDetail {
    fn to_value(&self) -> Value {
        let optional = |value: &Option<String>| option(WireType::String, value.as_deref().map(text));
        let fields = vec![
            ("function", optional(&self.function)),
            ("panic", optional(&self.panic)),
            ("place", optional(&self.place)),
            ("backtrace", list(WireType::String, self.backtrace.iter().map(|line| text(line)).collect())),
            ("fuel", Value::U64(self.fuel)),
        ];
        record("exit-detail", fields)
    }

    fn from_value(value: &Value) -> Option<Self> {
        Some(Self {
            function: as_option(value.field("function")?, as_text)?,
            panic: as_option(value.field("panic")?, as_text)?,
            place: as_option(value.field("place")?, as_text)?,
            backtrace: as_list(value.field("backtrace")?, as_text)?,
            fuel: as_u64(value.field("fuel")?)?,
        })
    }
}
