//! What the guests of the matrix may ask of the host: handlers as any program could bring them.

use pack_abi::types::Interface;
use theater::handler::{ActorContext, Call, ConfigError, Handler, HandlerFactory, Reply};

mod services {
    #![allow(missing_docs, clippy::allow_attributes, reason = "generated from the interface text")]
    pack_macros::host! {
        path: "guests/theater/wit/deps",
        interface: "interop:host/services",
        handler: ::theater::handler,
    }
}

mod people {
    #![allow(missing_docs, clippy::allow_attributes, reason = "generated from the interface text")]
    pack_macros::host! {
        path: "guests/theater/wit/deps",
        interface: "interop:host/people",
        handler: ::theater::handler,
    }
}

/// Grants `interop:host/services`.
pub(crate) struct Services;

/// Grants `interop:host/people`.
pub(crate) struct People;

impl HandlerFactory for Services {
    fn kind(&self) -> &'static str {
        "services"
    }

    fn interfaces(&self) -> Vec<Interface> {
        vec![services::interface()]
    }

    fn open(&self, _: &toml::Table, _: &ActorContext) -> Result<Box<dyn Handler>, ConfigError> {
        Ok(services::handler(Self))
    }
}

impl HandlerFactory for People {
    fn kind(&self) -> &'static str {
        "people"
    }

    fn interfaces(&self) -> Vec<Interface> {
        vec![people::interface()]
    }

    fn open(&self, _: &toml::Table, _: &ActorContext) -> Result<Box<dyn Handler>, ConfigError> {
        Ok(people::handler(Self))
    }
}

impl services::Handler for Services {
    fn now(&mut self, _: &Call<'_>) -> Reply<u64> {
        Reply::Now(1_760_000_000_000)
    }

    fn double(&mut self, _: &Call<'_>, n: i64) -> Reply<i64> {
        Reply::Now(n.wrapping_mul(2))
    }

    fn slow_double(&mut self, _: &Call<'_>, n: i64) -> Reply<i64> {
        Reply::later(async move {
            tokio::task::yield_now().await;
            Ok(n.wrapping_mul(2))
        })
    }

    fn join(&mut self, _: &Call<'_>, a: &str, b: &str, times: u32) -> Reply<String> {
        Reply::Now(format!("{a}{b}").repeat(times as usize))
    }

    fn blob(&mut self, _: &Call<'_>, bytes: u32) -> Reply<Vec<u8>> {
        Reply::Now(crate::cases::pattern(bytes))
    }

    fn check(&mut self, _: &Call<'_>, n: i64) -> Reply<Result<i64, String>> {
        Reply::Now(if n < 0 { Err("negative".to_owned()) } else { Ok(n) })
    }
}

impl people::Handler for People {
    fn find(&mut self, _: &Call<'_>, name: &str) -> Reply<Option<people::Person>> {
        let is_known = name != "nobody";
        Reply::Now(is_known.then(|| people::Person { name: name.to_owned(), title: None }))
    }

    fn rank(
        &mut self,
        _: &Call<'_>,
        person: people::Person,
        others: Vec<people::Person>,
    ) -> Reply<Result<u32, people::Person>> {
        let title = Some(people::Title::Professor);
        Reply::Now(match others.into_iter().next() {
            Some(other) if other.name == "Ada" => Err(people::Person { title, ..other }),
            Some(_) | None => Ok(person.name.len() as u32),
        })
    }
}
