//! The functions by which an actor takes messages: their names, and what they are called with.

use pack::{ExportIndex, Package};
use pack_abi::contract::Violation;
use pack_abi::{Value, WireType};
use theater_chain::ExitReason;

/// The exports by which an actor takes messages, each also an interface of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callback {
    Send,
    Request,
    ChannelOpen,
    ChannelMessage,
    ChannelClose,
    ChildExit,
    ChildError,
    ChildStopped,
}

impl Callback {
    pub(crate) const ALL: [Self; 8] = [
        Self::Send,
        Self::Request,
        Self::ChannelOpen,
        Self::ChannelMessage,
        Self::ChannelClose,
        Self::ChildExit,
        Self::ChildError,
        Self::ChildStopped,
    ];

    /// Returns the two symbols: in the interface that has all of its family, and in one of its own.
    pub(crate) const fn symbols(self) -> [&'static str; 2] {
        match self {
            Self::Send => {
                ["theater:simple/message-server-client.handle-send", "theater:simple/handle-send.handle-send"]
            }
            Self::Request => [
                "theater:simple/message-server-client.handle-request",
                "theater:simple/handle-request.handle-request",
            ],
            Self::ChannelOpen => [
                "theater:simple/message-server-client.handle-channel-open",
                "theater:simple/handle-channel-open.handle-channel-open",
            ],
            Self::ChannelMessage => [
                "theater:simple/message-server-client.handle-channel-message",
                "theater:simple/handle-channel-message.handle-channel-message",
            ],
            Self::ChannelClose => [
                "theater:simple/message-server-client.handle-channel-close",
                "theater:simple/handle-channel-close.handle-channel-close",
            ],
            Self::ChildExit => [
                "theater:simple/supervisor-handlers.handle-child-exit",
                "theater:simple/handle-child-exit.handle-child-exit",
            ],
            Self::ChildError => [
                "theater:simple/supervisor-handlers.handle-child-error",
                "theater:simple/handle-child-error.handle-child-error",
            ],
            Self::ChildStopped => [
                "theater:simple/supervisor-handlers.handle-child-external-stop",
                "theater:simple/handle-child-external-stop.handle-child-external-stop",
            ],
        }
    }

    /// Returns the symbol that stands in error texts.
    pub(crate) const fn symbol(self) -> &'static str {
        self.symbols()[0]
    }
}

/// Which callbacks a package exports.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Callbacks([Option<ExportIndex>; Callback::ALL.len()]);

impl Callbacks {
    /// Finds the callbacks of a package.
    pub(crate) fn of(package: &Package) -> Self {
        Self(
            Callback::ALL
                .map(|callback| callback.symbols().into_iter().find_map(|symbol| package.export(symbol))),
        )
    }

    pub(crate) fn get(&self, callback: Callback) -> Option<ExportIndex> {
        self.0.get(callback as usize).copied().flatten()
    }
}

impl Callbacks {
    /// Makes sure that the callbacks that a package describes take and give what they are for.
    ///
    /// # Errors
    /// Fails with the first that does not, and the place in its types.
    pub(crate) fn check(package: &Package) -> Result<(), Violation> {
        let callbacks = Self::of(package);
        for callback in Callback::ALL {
            let Some(contract) = callbacks.get(callback).and_then(|export| package.contract(export)) else {
                continue;
            };
            for state in [None, Some(Value::Bytes((&[][..]).into()))] {
                let state = Value::option(bytes_type(), state);
                // A function with one parameter may take both in a tuple, or whatever comes.
                if contract.param_count() > 1 {
                    contract.check_values(&[state.clone(), callback.params()])?;
                }
                // What is encoded here is small.
                if let Ok(output) = pack_abi::encode(&callback.result(state)) {
                    contract.check_result(&output)?;
                }
            }
        }
        Ok(())
    }
}

fn bytes_type() -> WireType {
    WireType::List(Box::new(WireType::U8))
}

fn some_bytes() -> Value {
    Value::option(bytes_type(), Some(Value::Bytes((&[0_u8][..]).into())))
}

impl Callback {
    /// Returns parameters as they may be.
    fn params(self) -> Value {
        let (id, data) = (Value::from("root"), Value::Bytes((&[0_u8][..]).into()));
        Value::tuple(match self {
            Self::Send => vec![data],
            Self::Request | Self::ChannelOpen | Self::ChannelMessage => vec![id, data],
            Self::ChannelClose | Self::ChildStopped => vec![id],
            Self::ChildExit => vec![id, some_bytes()],
            Self::ChildError => vec![id, ExitReason::Trap("why".to_owned()).to_value()],
        })
    }

    /// Returns a result as it may be.
    fn result(self, state: Value) -> Value {
        let part = match self {
            Self::Request => Some((WireType::Option(Box::new(bytes_type())), some_bytes())),
            Self::ChannelOpen => {
                let fields = vec![("accepted", Value::Bool(true)), ("message", some_bytes())];
                Some((WireType::Record("channel-accept".into()), Value::record("channel-accept", fields)))
            }
            Self::Send
            | Self::ChannelMessage
            | Self::ChannelClose
            | Self::ChildExit
            | Self::ChildError
            | Self::ChildStopped => None,
        };
        let (mut items, mut types) = (vec![state], vec![WireType::Option(Box::new(bytes_type()))]);
        if let Some((inner, part)) = part {
            types.push(WireType::Tuple(vec![inner]));
            items.push(Value::tuple([part]));
        }
        Value::result(WireType::Tuple(types), WireType::String, Ok(Value::tuple(items)))
    }
}
