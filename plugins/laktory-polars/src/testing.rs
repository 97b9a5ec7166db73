//! What the unit tests share: a context with a pool of threads, and frames from values.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::SystemTime;

use laktory_core::{
    Backend, BackendConfig, BlockingPool, Cancel, Frame, Job, Outcome, Result, RunCx, Target,
};
use polars::prelude::{DataFrame, IntoLazy};

use crate::PolarsFrame;

struct Threads;

impl BlockingPool for Threads {
    fn spawn(&self, work: Box<dyn FnOnce() + Send>) {
        std::thread::spawn(work);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// A session, a context and a folder of their own.
pub(crate) struct Bench {
    pub(crate) cx: RunCx,
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_budget(1 << 30)
    }

    pub(crate) fn with_budget(budget: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scratch = folder.path().join("scratch");
        let started = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        let cx = RunCx::new(Arc::new(Threads), Cancel::new(), scratch, budget, started);
        let backend = wait(crate::session::connect(&cx, &BackendConfig::new())).unwrap();
        Self {
            cx,
            backend,
            folder,
        }
    }

    /// A frame of rows.
    pub(crate) fn frame(&self, rows: DataFrame) -> Frame {
        PolarsFrame::from_lazy(rows.lazy())
    }

    /// Writes a file into the folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> std::path::PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Runs jobs.
    pub(crate) fn run(&self, jobs: Vec<Job>) -> Result<Vec<Outcome>> {
        wait(self.backend.execute(&self.cx, jobs))
    }

    /// The rows of a frame.
    pub(crate) fn collect(&self, frame: &Frame) -> Result<DataFrame> {
        let job = Job::new(frame.clone(), Target::Collect);
        let outcomes = self.run(vec![job])?;
        let [Outcome::Collected(batches)] = outcomes.as_slice() else {
            panic!("one collected output");
        };
        let schema = wait(self.backend.schema(&self.cx, frame))?;
        let mut rows = crate::arrow::empty_frame(&schema)?;
        for batch in batches {
            rows.vstack_mut(&crate::arrow::from_batch(batch)?).unwrap();
        }
        Ok(rows)
    }
}
