//! Engine sessions of a run, opened once each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use laktory_core::{
    Backend, BackendConfig, Cancel, Error, ErrorKind, Frame, Registry, Result, RunCx, Subject,
};
use laktory_plan::Plan;

use crate::fault::Fault;
use crate::pool::TokioPool;
use crate::run::RunOptions;

/// Which nodes are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All of them.
    Everywhere,
    /// Those of engines that work on this machine's files: nothing is asked of a server. What reads the output of another node
    /// is left out with it.
    Here,
}

/// Why sessions are not open, and that of which backend, where it is one.
#[derive(Debug)]
pub(crate) struct Unopened {
    backend: Option<String>,
    pub(crate) error: Error,
}

impl From<Error> for Unopened {
    fn from(error: Error) -> Self {
        Self {
            backend: None,
            error,
        }
    }
}

impl Unopened {
    /// The fault of the pipeline, at the setting that its backend does not take; the error otherwise.
    pub(crate) fn fault(self, plan: &Plan) -> Result<Fault> {
        if let (Some(backend), Some(Subject::Name(setting))) = (&self.backend, self.error.subject())
            && let Some(place) =
                (plan.setting_places.get(backend)).and_then(|given| given.get(setting.as_str()))
        {
            return Ok(Fault {
                at_key: true,
                ..Fault::new(&plan.pipeline, place, self.error)
            });
        }
        Err(self.error)
    }
}

/// The sessions that a plan needs, by backend name.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    open: BTreeMap<String, Arc<dyn Backend>>,
    /// Those that work on this machine's files. Asked for each node; capabilities are computed whole.
    local: BTreeSet<&'static str>,
}

impl Sessions {
    /// Opens one session for each backend of the plan that is in reach.
    pub(crate) async fn open(
        cx: &RunCx,
        registry: &Registry,
        plan: &Plan,
        options: &RunOptions,
        reach: Reach,
    ) -> Result<Self, Unopened> {
        let mut sessions = BTreeMap::new();
        for node in plan.nodes.iter().chain(&plan.outside) {
            if !sessions.contains_key(&node.backend) {
                let descriptor = registry.get(&node.backend)?;
                if reach == Reach::Here && !(descriptor.capabilities)().local_files {
                    continue;
                }
                if let Some(session) = options.sessions.get(&node.backend) {
                    sessions.insert(node.backend.clone(), fitting(&node.backend, session)?);
                    continue;
                }
                // A backend sees its own settings only: others would refuse them, or get credentials that are not theirs.
                let mut config = plan
                    .settings
                    .get(&node.backend)
                    .cloned()
                    .unwrap_or_default();
                config.extend(
                    options
                        .backends
                        .get(&node.backend)
                        .cloned()
                        .unwrap_or_default(),
                );
                let session = (descriptor.connect)(cx, &config).await;
                let session = session.map_err(|error| Unopened {
                    backend: Some(node.backend.clone()),
                    error,
                })?;
                sessions.insert(node.backend.clone(), session);
            }
        }
        let local = sessions
            .values()
            .map(|session: &Arc<dyn Backend>| session.descriptor())
            .filter(|descriptor| (descriptor.capabilities)().local_files)
            .map(|descriptor| descriptor.name)
            .collect();
        Ok(Self {
            open: sessions,
            local,
        })
    }

    /// The session of a backend of the plan.
    pub(crate) fn get(&self, backend: &str) -> Result<&Arc<dyn Backend>> {
        self.open
            .get(backend)
            .ok_or_else(|| Error::internal(format!("no session of backend `{backend}` is open")))
    }

    /// Whether a backend is in reach.
    pub(crate) fn is_open(&self, backend: &str) -> bool {
        self.open.contains_key(backend)
    }

    /// Whether a backend works on this machine's files.
    pub(crate) fn is_local(&self, backend: &str) -> bool {
        self.local.contains(backend)
    }
}

/// Opens a session for [`RunOptions::sessions`]; several runs may share it. Must be called inside a tokio runtime, which must
/// outlive the session.
///
/// # Errors
/// `UnknownName` for a backend that is not linked; those of the backend.
pub async fn connect(
    registry: &Registry,
    backend: &str,
    settings: &BackendConfig,
) -> Result<Arc<dyn Backend>> {
    let cx = RunCx::new(
        TokioPool::current(),
        Cancel::new(),
        std::env::temp_dir().join(format!("laktory-session-{}", std::process::id())),
        RunOptions::default().memory_budget,
        SystemTime::now(),
    );
    (registry.get(backend)?.connect)(&cx, settings).await
}

/// A session of the caller's own, if it is one of the backend that it was given for.
fn fitting(backend: &str, session: &Arc<dyn Backend>) -> Result<Arc<dyn Backend>> {
    let name = session.descriptor().name;
    if name == backend {
        return Ok(Arc::clone(session));
    }
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!("the session given for backend {backend} is one of {name}"),
    ))
}

/// Hands a frame over to the session `to`: as it is within one engine, else through Arrow batches.
pub(crate) async fn transfer(
    cx: &RunCx,
    frame: Frame,
    from: &Arc<dyn Backend>,
    to: &Arc<dyn Backend>,
) -> Result<Frame> {
    if frame.backend() == to.descriptor().name {
        return Ok(frame);
    }
    let batches = from.export(cx, &frame).await?;
    to.import(cx, batches).await
}
