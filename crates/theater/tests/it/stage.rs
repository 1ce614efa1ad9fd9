//! A handler as the tests need it: the log and the end of an actor.

use pack_abi::types::{Function, Interface, Param, Type};
use theater::handler::{
    ActorContext, Answer, Call, ConfigError, Effect, Handler, HandlerFactory, HandlerRegistry,
};

struct Stage;

/// Returns a registry with `runtime`, as far as the tests use it.
pub(crate) fn registry() -> HandlerRegistry {
    HandlerRegistry::new().with(Stage)
}

impl HandlerFactory for Stage {
    fn kind(&self) -> &'static str {
        "runtime"
    }

    fn interfaces(&self) -> Vec<Interface> {
        let function = |name: &str, ty: Type| Function {
            name: name.to_owned(),
            docs: String::new(),
            params: vec![Param { name: "a".to_owned(), ty }],
            result: None,
        };
        let bytes = Type::List(Box::new(Type::U8));
        vec![Interface {
            name: "theater:simple/runtime".to_owned(),
            functions: vec![
                function("log", Type::String),
                function("shutdown", Type::Option(Box::new(bytes))),
            ],
            ..Interface::default()
        }]
    }

    fn open(&self, _: &toml::Table, _: &ActorContext) -> Result<Box<dyn Handler>, ConfigError> {
        Ok(Box::new(Self))
    }
}

impl Handler for Stage {
    fn call(&mut self, call: Call<'_>, reply: &mut Vec<u8>) -> Answer {
        let effect = match call.function {
            "log" => pack_abi::decode(call.input).map(Effect::Log),
            _ => pack_abi::decode(call.input).map(Effect::Shutdown),
        };
        match (effect, pack_abi::encode_into(&(), reply)) {
            (Ok(effect), Ok(())) => Answer::ReplyWith(effect),
            (Err(error), _) => Answer::Refused(error.to_string()),
            (_, Err(error)) => Answer::Refused(error.to_string()),
        }
    }
}
