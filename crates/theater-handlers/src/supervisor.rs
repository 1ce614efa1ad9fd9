//! `supervisor`: children, from manifests in the folders that the grant names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use pack_abi::types::Interface;
use theater::children::{ChildStart, Children};
use theater::handler::{
    ActorContext, Call, ConfigError, Handler, HandlerFactory, HostFault, Reply, Response,
};
use theater::messaging::MessageError;

mod host {
    //! The interface, from its text.
    #![allow(
        missing_docs,
        clippy::allow_attributes,
        reason = "generated; the docs are in the interface text"
    )]

    pack_macros::host! {
        path: "../../wit/theater-simple",
        interface: "theater:simple/supervisor",
        handler: ::theater::handler,
    }
}

/// The setting that names the folders.
const FOLDERS: &str = "folders";

/// Makes `supervisor` handlers.
pub struct SupervisorFactory;

impl HandlerFactory for SupervisorFactory {
    fn kind(&self) -> &'static str {
        "supervisor"
    }

    fn interfaces(&self) -> Vec<Interface> {
        vec![host::interface()]
    }

    fn open(&self, config: &toml::Table, actor: &ActorContext) -> Result<Box<dyn Handler>, ConfigError> {
        let refuse = |message: String| ConfigError { kind: self.kind().to_owned(), message };
        if let Some(key) = config.keys().find(|key| *key != FOLDERS) {
            return Err(refuse(format!("unknown key `{key}`; its only setting is `{FOLDERS}`")));
        }
        let folders = match config.get(FOLDERS) {
            None => vec![".".to_owned()],
            Some(value) => value
                .clone()
                .try_into()
                .map_err(|_| refuse(format!("`{FOLDERS}` is a list of paths, such as [\"workers\"]")))?,
        };
        let grounds = Grounds { base: actor.children.folder().to_owned(), folders, found: Mutex::default() };
        Ok(host::handler(Supervisor { children: actor.children.clone(), grounds: Arc::new(grounds) }))
    }
}

/// Where manifests of children may lie.
struct Grounds {
    base: PathBuf,
    folders: Vec<String>,
    /// What was found before: the same words mean the same manifest.
    found: Mutex<BTreeMap<String, PathBuf>>,
}

impl Grounds {
    /// Finds a manifest. It must lie in one of the folders, wherever links lead.
    fn find(&self, manifest: &str) -> Result<PathBuf, MessageError> {
        if let Some(found) = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(manifest) {
            return Ok(found.clone());
        }
        let denied = || {
            let text = format!(
                "denied: `{manifest}` is in none of the folders of this actor's `supervisor` grant ({})",
                self.folders.join(", ")
            );
            MessageError::Denied(text)
        };
        let path = canonical(&self.base.join(manifest));
        let is_within = |folder: &String| match (&path, canonical(&self.base.join(folder))) {
            (Ok(path), Ok(folder)) => path.starts_with(folder),
            (Err(_), _) | (_, Err(_)) => false,
        };
        let is_allowed = self.folders.iter().any(is_within);
        match path {
            Ok(path) if is_allowed => {
                let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                found.insert(manifest.to_owned(), path.clone());
                Ok(path)
            }
            // Whether there is something outside is none of the actor's business.
            Ok(_) => Err(denied()),
            Err(_) if Path::new(manifest).is_absolute() || manifest.contains("..") => Err(denied()),
            Err(error) => Err(MessageError::Failed(format!("`{manifest}`: {error}"))),
        }
    }
}

fn canonical(path: &Path) -> std::io::Result<PathBuf> {
    std::fs::canonicalize(path)
}

struct Supervisor {
    children: Children,
    grounds: Arc<Grounds>,
}

impl Supervisor {
    /// Returns what finds the manifest and starts the child; nothing of the world is touched before it is awaited.
    fn start(
        &self,
        seq: u64,
        manifest: &str,
        state: Option<&[u8]>,
    ) -> impl FnOnce() -> Result<ChildStart, MessageError> + use<> {
        let (grounds, manifest) = (Arc::clone(&self.grounds), manifest.to_owned());
        let state = state.map(<[u8]>::to_vec);
        move || Ok(ChildStart { seq, manifest: grounds.find(&manifest)?, state })
    }
}

fn response<T>(reply: theater::messaging::Reply<T>) -> Result<Response<Result<T, String>>, HostFault> {
    let result = reply.result.map_err(|error| error.to_string());
    Ok(Response { result, cause: reply.cause, effect: None })
}

fn refused<T>(error: &MessageError) -> Result<Response<Result<T, String>>, HostFault> {
    Ok(Response { result: Err(error.to_string()), cause: None, effect: None })
}

impl host::Handler for Supervisor {
    fn spawn(
        &mut self,
        call: &Call<'_>,
        manifest: &str,
        init_bytes: Option<&[u8]>,
    ) -> Reply<host::results::Spawn> {
        let (children, start) = (self.children.clone(), self.start(call.seq, manifest, init_bytes));
        Reply::ask(None, async move {
            match start() {
                Ok(start) => response(children.spawn(start).await.map(|path| path.to_string())),
                Err(error) => refused(&error),
            }
        })
    }

    fn spawn_and_wait(
        &mut self,
        call: &Call<'_>,
        manifest: &str,
        init_bytes: Option<&[u8]>,
        timeout_ms: Option<u64>,
    ) -> Reply<host::results::SpawnAndWait> {
        let (children, start) = (self.children.clone(), self.start(call.seq, manifest, init_bytes));
        Reply::ask(None, async move {
            match start() {
                Ok(start) => response(children.spawn_and_wait(start, timeout_ms).await),
                Err(error) => refused(&error),
            }
        })
    }

    fn list_children(&mut self, _: &Call<'_>) -> Reply<host::results::ListChildren> {
        Reply::Now(self.children.paths().iter().map(ToString::to_string).collect())
    }

    fn stop_child(&mut self, _: &Call<'_>, child_id: &str) -> Reply<host::results::StopChild> {
        let stopping = self.children.stop(child_id);
        Reply::ask(None, async move { response(stopping.await) })
    }
}
