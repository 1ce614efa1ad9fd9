//! An actor of `theater:simple`: dynamic values, metadata, one import.

#![no_std]
extern crate alloc;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;

use packr_guest::{export, import, Value, ValueType};

packr_guest::setup_guest!();

packr_guest::pack_types! {
    imports {
        theater:simple/runtime {
            log: func(msg: string),
        }
    }
    exports {
        theater:simple/actor.init: func(state: option<list<u8>>, params: tuple<string>) -> result<tuple<option<list<u8>>>, string>,
    }
}

#[import(module = "theater:simple/runtime", name = "log")]
fn log(msg: String);

#[export(name = "theater:simple/actor.init")]
fn init(input: Value) -> Value {
    let Value::Tuple(mut arguments) = input else { return failure("init takes a tuple") };
    let (Some(Value::Tuple(params)), Some(state)) = (arguments.pop(), arguments.pop()) else {
        return failure("init takes a state and its parameters");
    };
    let Some(Value::String(id)) = params.into_iter().next() else { return failure("there is no id") };
    log(alloc::format!("{id} has started"));
    Value::Result {
        ok_type: ValueType::Tuple(vec![bytes()]),
        err_type: ValueType::String,
        value: Ok(Box::new(Value::Tuple(vec![state]))),
    }
}

fn failure(text: &str) -> Value {
    Value::Result {
        ok_type: ValueType::Tuple(vec![bytes()]),
        err_type: ValueType::String,
        value: Err(Box::new(Value::from(text))),
    }
}

fn bytes() -> ValueType {
    ValueType::Option(Box::new(ValueType::List(Box::new(ValueType::U8))))
}
