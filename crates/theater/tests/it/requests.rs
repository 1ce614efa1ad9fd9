//! Handlers that wait, fail, panic or are never answered.

use std::sync::Arc;

use pack_abi::types::{Function, Interface};
use theater::handler::{
    ActorContext, Answer, Call, ConfigError, Handler, HandlerFactory, HandlerRegistry, HostFault,
};
use theater::replay::Replayed;
use theater_chain::{ExitReason, Kind};
use tokio::sync::Notify;

use crate::guest::{Step, actor, encoded, ok_state};
use crate::house::House;

/// A capability that answers in every way there is.
struct Oracle {
    asked: Arc<Notify>,
}

pub(crate) const INTERFACE: &str = "my:oracle/oracle";

impl HandlerFactory for Oracle {
    fn kind(&self) -> &str {
        "oracle"
    }

    fn interfaces(&self) -> Vec<Interface> {
        let names = ["answer", "at-once", "fail", "panic", "panic-later", "never", "refuse"];
        let function = |name: &str| Function {
            name: name.to_owned(),
            docs: String::new(),
            params: Vec::new(),
            result: Some(pack_abi::types::Type::String),
        };
        vec![Interface {
            name: INTERFACE.to_owned(),
            functions: names.into_iter().map(function).collect(),
            ..Interface::default()
        }]
    }

    fn open(&self, _config: &toml::Table, _actor: &ActorContext) -> Result<Box<dyn Handler>, ConfigError> {
        Ok(Box::new(Self { asked: Arc::clone(&self.asked) }))
    }
}

impl Handler for Oracle {
    fn call(&mut self, call: Call<'_>, reply: &mut Vec<u8>) -> Answer {
        let asked = Arc::clone(&self.asked);
        match call.function {
            "at-once" => {
                reply.extend_from_slice(&encoded("here"));
                Answer::Reply
            }
            "answer" => Answer::Request(Box::pin(async {
                tokio::task::yield_now().await;
                Ok(encoded("forty-two"))
            })),
            "fail" => Answer::Request(Box::pin(async { Err(HostFault("the line is dead".to_owned())) })),
            "panic" => panic!("oracle exploded"),
            "panic-later" => Answer::Request(Box::pin(async { panic!("oracle exploded later") })),
            "never" => Answer::Request(Box::pin(async move {
                asked.notify_one();
                std::future::pending().await
            })),
            _ => Answer::Refused("not today".to_owned()),
        }
    }
}

pub(crate) fn house() -> (House, Arc<Notify>) {
    let asked = Arc::new(Notify::new());
    let mut house = House::new(HandlerRegistry::new().with(Oracle { asked: Arc::clone(&asked) }));
    house.manifest = "name = \"test\"\n[[handler]]\ntype = \"oracle\"\n".to_owned();
    (house, asked)
}

fn ask(function: &'static str) -> Vec<u8> {
    let import = Step::Import { interface: INTERFACE, function, input: encoded(&()) };
    actor(&[import, Step::Return(ok_state(None))])
}

pub(crate) fn kinds(house: &House) -> Vec<Kind> {
    house.events("a").iter().map(|event| event.header.kind).collect()
}

#[tokio::test]
async fn request_and_response_are_two_events_and_the_response_names_its_request() {
    let (house, _) = house();
    let report = house.run("a", ask("answer"), None).await;
    assert_eq!(report.reason, ExitReason::Normal);
    let events = house.events("a");
    assert_eq!(events[2].header.kind, Kind::HostRequest);
    assert_eq!(events[3].header.kind, Kind::HostResponse);
    assert_eq!(events[3].payload.input().unwrap(), 2_u64.to_le_bytes());
    assert_eq!(events[3].payload.output().unwrap(), encoded("forty-two"));
}

#[tokio::test]
async fn host_fault_ends_the_actor_and_says_why() {
    let (house, _) = house();
    let report = house.run("a", ask("fail"), None).await;
    assert_eq!(report.reason, ExitReason::HostFault("the line is dead".to_owned()));
    assert_eq!(
        kinds(&house),
        [Kind::Genesis, Kind::Call, Kind::HostRequest, Kind::HostResponse, Kind::Trap, Kind::Exit]
    );
}

#[tokio::test]
async fn panic_in_a_handler_is_a_host_fault_of_one_actor() {
    for function in ["panic", "panic-later"] {
        let (house, _) = house();
        let report = house.run("a", ask(function), None).await;
        let ExitReason::HostFault(text) = &report.reason else { panic!("{:?}", report.reason) };
        assert!(text.contains("oracle exploded"), "{text}");
    }
}

#[tokio::test]
async fn refusal_reaches_the_guest_as_a_failed_call() {
    let (house, _) = house();
    let report = house.run("a", ask("refuse"), None).await;
    assert!(matches!(report.reason, ExitReason::Trap(_)), "{:?}", report.reason);
}

#[tokio::test]
async fn kill_reaches_an_actor_whose_request_is_pending() {
    let (house, asked) = house();
    let runtime = house.start("a");
    let linked =
        theater::link(&house.engine, &house.registry, house.spec(actor_that_asks_later(), None)).unwrap();
    let handle = runtime.spawn_root(&linked).await.unwrap();
    let asking = handle.call("my:app/it.ask", pack_abi::Value::unit());
    let (ended, ()) = tokio::join!(asking, async {
        asked.notified().await;
        handle.kill();
    });
    assert!(ended.is_err());
    let report = handle.finish().await;
    assert_eq!(report.reason, ExitReason::Killed);
    runtime.close(&report).await.unwrap();
    house.check("a").await;
    let replayed = house.replay_all("a", None).await.remove(0).unwrap();
    let Replayed::ResourceEnd { what, .. } = replayed else { panic!("{replayed:?}") };
    assert!(what.contains("pending"), "{what}");
}

fn actor_that_asks_later() -> Vec<u8> {
    let import = Step::Import { interface: INTERFACE, function: "never", input: encoded(&()) };
    crate::guest::actor_with(&[
        ("theater:simple/actor.init", &[Step::Return(ok_state(None))]),
        ("my:app/it.ask", &[import, Step::Return(ok_state(None))]),
    ])
}
