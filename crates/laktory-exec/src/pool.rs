//! The door for blocking work: tokio's blocking threads.

use std::sync::Arc;

use laktory_core::BlockingPool;
use tokio::runtime::Handle;

/// Blocking work on the threads of the runtime that is current when the pool is made.
#[derive(Debug)]
pub(crate) struct TokioPool(Handle);

impl TokioPool {
    /// The pool of the current runtime. Panics outside of one.
    pub(crate) fn current() -> Arc<Self> {
        Arc::new(Self(Handle::current()))
    }
}

/// Stack of blocking work, in bytes. Engines walk plans recursively, and a plan is as deep as its node has steps. The
/// memory is only reserved: pages that are not reached cost nothing.
const STACK: usize = 256 << 20;

impl BlockingPool for TokioPool {
    fn spawn(&self, work: Box<dyn FnOnce() + Send>) {
        self.0.spawn_blocking(move || stacker::grow(STACK, work));
    }
}
