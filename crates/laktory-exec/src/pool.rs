//! Doors for blocking work: tokio's blocking threads, and the thread that asks.

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

/// Stack that blocking work should find free, in bytes: engines walk plans recursively, and a plan is as deep as its
/// node has steps.
const NEEDED: usize = 48 << 20;

/// Stack that is made for work on threads with less, as in a runtime of the user's own. Only pages that are reached
/// cost anything.
const STACK: usize = 64 << 20;

impl BlockingPool for TokioPool {
    fn spawn(&self, work: Box<dyn FnOnce() + Send>) {
        self.0
            .spawn_blocking(move || stacker::maybe_grow(NEEDED, STACK, work));
    }
}

/// Blocking work where it is asked for, on a thread that may block: many short pieces in a row need no change of thread.
#[derive(Debug)]
pub(crate) struct SameThread;

impl BlockingPool for SameThread {
    fn spawn(&self, work: Box<dyn FnOnce() + Send>) {
        work();
    }
}
