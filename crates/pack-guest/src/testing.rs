//! A host for tests: answers an actor's imports when it runs as an ordinary program.

use std::cell::RefCell;
use std::collections::BTreeMap;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use pack_abi::{Decode, Encode};

type Function = Box<dyn FnMut(&[u8]) -> Vec<u8>>;

std::thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

/// The imports that a test supplies, by full name such as `theater:simple/runtime.log`.
#[derive(Default)]
pub struct Host {
    functions: BTreeMap<String, Function>,
}

impl Host {
    /// Returns a host without functions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers a function; several parameters come as a tuple, none as `()`.
    ///
    /// # Examples
    /// ```
    /// use pack_guest::testing::Host;
    /// let host = Host::new().on("theater:simple/runtime.log", |msg: String| assert_eq!(msg, "hello"));
    /// # drop(host);
    /// ```
    #[must_use]
    pub fn on<A, R>(mut self, name: &str, mut answer: impl FnMut(A) -> R + 'static) -> Self
    where
        A: for<'a> Decode<'a>,
        R: Encode,
    {
        let title = String::from(name);
        let function = move |input: &[u8]| {
            let arguments = match pack_abi::decode(input) {
                Ok(arguments) => arguments,
                Err(error) => panic!("{title}: the test's host expects other arguments: {error}"),
            };
            match pack_abi::encode(&answer(arguments)) {
                Ok(reply) => reply,
                Err(error) => panic!("{title}: the test's answer cannot be encoded: {error}"),
            }
        };
        self.functions.insert(name.into(), Box::new(function));
        self
    }

    /// Runs `test` on this thread with this host.
    pub fn run<R>(self, test: impl FnOnce() -> R) -> R {
        /// Puts the host before back, whatever the test did.
        struct Restore(Option<Host>);
        impl Drop for Restore {
            fn drop(&mut self) {
                let before = self.0.take();
                drop(HOST.with(|host| host.replace(before)));
            }
        }
        let _restore = Restore(HOST.with(|host| host.replace(Some(self))));
        test()
    }
}

/// Answers an import from the host of this thread, if it has one with that function.
pub(crate) fn answer(name: &str, input: &[u8]) -> Option<Vec<u8>> {
    // Taken out while it runs, so that a function that calls another import is a clear error and no deadlock.
    let mut function = HOST.with(|host| host.borrow_mut().as_mut()?.functions.remove(name))?;
    let reply = function(input);
    HOST.with(|host| {
        if let Some(host) = host.borrow_mut().as_mut() {
            host.functions.insert(name.into(), function);
        }
    });
    Some(reply)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::Host;
    use crate::import::{call, unavailable};

    #[test]
    fn imports_are_answered_by_the_test() {
        let host = Host::new()
            .on("a:b/c.add", |(a, b): (u32, u32)| a + b)
            .on("a:b/c.name", |(): ()| String::from("Ada"));
        let (sum, name): (u32, String) = host
            .run(|| (call("a:b/c.add", unavailable, &(1_u32, 2_u32)), call("a:b/c.name", unavailable, &())));
        assert_eq!((sum, name.as_str()), (3, "Ada"));
    }

    #[test]
    #[should_panic(expected = "a:b/c.add is not available outside a host")]
    fn without_a_host_an_import_says_what_is_missing() {
        let _: u32 = call("a:b/c.add", unavailable, &(1_u32, 2_u32));
    }
}
