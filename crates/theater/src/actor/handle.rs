//! What the outside holds of an actor: a way to call it, to stop it and to hear of its end.

use std::sync::Arc;

use pack::Package;
use pack_abi::Value;
use pack_abi::contract::{Contract, Violation};
use tokio::sync::{oneshot, watch};

use super::{ActorPath, ExitReport};
use crate::messaging::{ActivityGuard, Body, Message, MessageError, Order, Peer, WaitEdge};

/// A call that did not return a result.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallFailure {
    /// The package has no such export.
    #[error("the package does not export `{0}`")]
    NoFunction(String),
    /// The parameters are of another type than the function takes. The actor did not hear of the call.
    #[error(transparent)]
    Parameters(#[from] Violation),
    /// The actor ended before or during the call.
    #[error("no-actor: {0} has ended")]
    Ended(ActorPath),
    /// The function returned `err`, or the guest could not decode its arguments.
    #[error("{0}")]
    Error(String),
}

/// Ends an actor from outside; unlike a handle it does not keep the actor waiting for calls.
#[derive(Clone)]
pub struct ActorControl(Arc<Peer>);

impl ActorControl {
    pub(crate) fn new(peer: Arc<Peer>) -> Self {
        Self(peer)
    }

    /// Asks the actor to end after the call in hand, its children first.
    pub fn stop(&self) {
        self.0.mailbox().order(Order::Stop);
    }

    /// Ends the actor at its next fuel yield or pending host call, and its children.
    pub fn kill(&self) {
        self.0.mailbox().order(Order::Kill);
    }
}

/// A live actor, from outside. While a handle exists, the run waits for calls.
#[derive(Clone)]
pub struct ActorHandle {
    pub(crate) peer: Arc<Peer>,
    /// Keeps the run waiting.
    pub(crate) guard: ActivityGuard,
    pub(crate) ended: watch::Receiver<Option<Arc<ExitReport>>>,
    pub(crate) package: Package,
}

impl ActorHandle {
    /// Returns the actor's path.
    #[must_use]
    pub fn path(&self) -> &ActorPath {
        self.peer.path()
    }

    /// Calls an export by symbol, e.g. `my:app/counter.add`, with `(state, params)`, waiting for room in the
    /// mailbox. Returns the encoded result, `ok((state, ...))` as the actor returned it.
    ///
    /// # Errors
    /// Fails if there is no such function or `params` is of another type, both before the actor hears of it; if the
    /// function returns an error or something that it does not declare; or if the actor ends first.
    pub async fn call(&self, function: &str, params: Value) -> Result<Vec<u8>, CallFailure> {
        let Some(export) = self.package.export(function) else {
            return Err(CallFailure::NoFunction(function.to_owned()));
        };
        if let Some(contract) = self.package.contract(export) {
            check_params(contract, &params)?;
        }
        let ended = || CallFailure::Ended(self.path().clone());
        let (reply, answer) = oneshot::channel();
        let slot = match self.peer.reserve(0) {
            Ok(slot) => slot,
            Err(MessageError::Full { .. }) => {
                self.peer.reserve_later(0, WaitEdge::none()).granted().await.ok_or_else(ended)?
            }
            Err(_) => return Err(ended()),
        };
        slot.fill(Message { cause: None, sender: None, body: Body::Call { export, params, reply } });
        answer.await.map_err(|_| ended())?
    }

    /// Returns the means to end the actor, which do not keep it waiting for calls.
    #[must_use]
    pub fn control(&self) -> ActorControl {
        ActorControl::new(Arc::clone(&self.peer))
    }

    /// Asks the actor to end after the call in hand.
    pub fn stop(&self) {
        self.control().stop();
    }

    /// Ends the actor at its next fuel yield or pending host call.
    pub fn kill(&self) {
        self.control().kill();
    }

    /// Waits for the end of the actor, which keeps waiting for calls as long as this handle exists.
    pub async fn ended(&self) -> Arc<ExitReport> {
        wait_for_end(self.ended.clone(), self.path()).await
    }

    /// Gives the handle up, so that the actor may end when nothing is left to do, and waits for its end.
    pub async fn finish(self) -> Arc<ExitReport> {
        let Self { peer, ended, guard, .. } = self;
        drop(guard);
        wait_for_end(ended, peer.path()).await
    }
}

/// Checks the parameters of a call with `(state, params)`.
fn check_params(contract: &Contract, params: &Value) -> Result<(), Violation> {
    match contract.param_count() {
        // Functions without a parameter take anything, those with one may take both in a tuple.
        0 | 1 => Ok(()),
        2 => contract.check_value(1, params),
        // There are only two, and that is what is wrong with them.
        _ => contract.check_values(&[Value::unit(), params.clone()]),
    }
}

async fn wait_for_end(
    mut ended: watch::Receiver<Option<Arc<ExitReport>>>,
    path: &ActorPath,
) -> Arc<ExitReport> {
    let report = ended.wait_for(Option::is_some).await.map(|report| report.clone());
    report.ok().flatten().unwrap_or_else(|| Arc::new(ExitReport::lost(path)))
}

impl ExitReport {
    /// The actor's task is gone without a report: it was aborted with the async runtime.
    pub(crate) fn lost(path: &ActorPath) -> Self {
        Self {
            actor: path.clone(),
            incarnation: 1,
            reason: theater_chain::ExitReason::HostFault("the actor's task was aborted".to_owned()),
            result: None,
            answer: None,
            crash: None,
        }
    }
}
