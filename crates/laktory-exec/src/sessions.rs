//! Engine sessions of a run, opened once each.

use std::collections::BTreeMap;
use std::sync::Arc;

use laktory_core::{Backend, BackendConfig, Error, Frame, Registry, Result, RunCx};
use laktory_plan::Plan;

/// The sessions that a plan needs, by backend name.
#[derive(Clone, Debug)]
pub(crate) struct Sessions(BTreeMap<String, Arc<dyn Backend>>);

impl Sessions {
    /// Opens one session for each backend of the plan.
    pub(crate) async fn open(
        cx: &RunCx,
        registry: &Registry,
        plan: &Plan,
        settings: &BTreeMap<String, BackendConfig>,
    ) -> Result<Self> {
        let mut sessions = BTreeMap::new();
        for node in &plan.nodes {
            if !sessions.contains_key(&node.backend) {
                let descriptor = registry.get(&node.backend)?;
                // A backend sees its own settings only: others would refuse them, or get credentials that are not theirs.
                let mut config = plan
                    .settings
                    .get(&node.backend)
                    .cloned()
                    .unwrap_or_default();
                config.extend(settings.get(&node.backend).cloned().unwrap_or_default());
                let session = (descriptor.connect)(cx, &config).await?;
                sessions.insert(node.backend.clone(), session);
            }
        }
        Ok(Self(sessions))
    }

    /// The session of a backend of the plan.
    pub(crate) fn get(&self, backend: &str) -> Result<&Arc<dyn Backend>> {
        self.0
            .get(backend)
            .ok_or_else(|| Error::internal(format!("no session of backend `{backend}` is open")))
    }
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
