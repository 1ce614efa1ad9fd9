//! Calls that park and are resumed.

#![no_std]
extern crate alloc;

use alloc::boxed::Box;
use core::future::{poll_fn, Future};
use core::pin::pin;
use core::task::Poll;

use packr_guest::executor::run_export_global;
use packr_guest::{Value, ValueType};

packr_guest::setup_async_guest!();

#[packr_guest::async_import(module = "interop:host/services", name = "slow-double")]
async fn slow_double(input: Value) -> Value {}

#[packr_guest::async_import(module = "interop:host/services", name = "now")]
async fn now(input: Value) -> Value {}

/// One call that waits.
#[packr_guest::async_export]
async fn one(input: Value) -> Value {
    slow_double(input).await
}

/// Two calls that wait, one after the other.
#[packr_guest::async_export]
async fn two(input: Value) -> Value {
    slow_double(slow_double(input).await).await
}

/// No call.
#[packr_guest::async_export]
async fn none(input: Value) -> Value {
    input
}

/// Two calls at a time.
#[packr_guest::async_export]
async fn both(input: Value) -> Value {
    both_of(slow_double(input.clone()), slow_double(input)).await
}

/// A call that waits, and one that is answered at once, at a time.
#[packr_guest::async_export]
async fn mixed(input: Value) -> Value {
    both_of(slow_double(input), now(Value::Tuple(alloc::vec![]))).await
}

/// What makes it an actor: `#[async_export]` has no way to name an export.
#[export_name = "theater:simple/actor.init"]
pub extern "C" fn init(input: i32, input_len: i32, out: i32, out_len: i32) -> i32 {
    let bytes = unsafe { core::slice::from_raw_parts(input as *const u8, input_len as usize) };
    match packr_guest::decode(bytes) {
        Ok(input) => run_export_global(Box::pin(started(input)), out, out_len),
        Err(_) => -1,
    }
}

async fn started(input: Value) -> Value {
    let doubled = slow_double(Value::S64(21)).await;
    let state = match input {
        Value::Tuple(arguments) => arguments.into_iter().next(),
        _ => None,
    };
    let bytes = ValueType::Option(Box::new(ValueType::List(Box::new(ValueType::U8))));
    Value::Result {
        ok_type: ValueType::Tuple(alloc::vec![bytes]),
        err_type: ValueType::String,
        value: match (doubled, state) {
            (Value::S64(42), Some(state)) => Ok(Box::new(Value::Tuple(alloc::vec![state]))),
            _ => Err(Box::new(Value::from("the answer is another one"))),
        },
    }
}

async fn both_of(one: impl Future<Output = Value>, other: impl Future<Output = Value>) -> Value {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(|context| {
        if first.is_none() {
            first = ready(one.as_mut().poll(context));
        }
        if second.is_none() {
            second = ready(other.as_mut().poll(context));
        }
        match (first.take(), second.take()) {
            (Some(one), Some(other)) => Poll::Ready(Value::Tuple(alloc::vec![one, other])),
            (one, other) => {
                (first, second) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}

fn ready(polled: Poll<Value>) -> Option<Value> {
    match polled {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
