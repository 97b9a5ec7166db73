//! What a run hands to a driver: a door for blocking work, cancellation, scratch space, a memory budget.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use futures_channel::oneshot;

use crate::error::{Error, ErrorKind, Result};
use crate::spec::Format;
use crate::table::TableFormat;

/// Carries out blocking work away from the asynchronous threads. Implemented by the executor.
pub trait BlockingPool: Send + Sync {
    /// Runs `work` on some thread, soon.
    fn spawn(&self, work: Box<dyn FnOnce() + Send>);
}

/// A flag that asks running work to stop. Clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether someone asked to stop. Cheap enough to ask for each batch.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// # Errors
    /// [`ErrorKind::Cancelled`] when someone asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            Err(Error::new(ErrorKind::Cancelled, "the run was interrupted"))
        } else {
            Ok(())
        }
    }
}

/// The context of a run. Cheap to clone.
#[derive(Clone)]
pub struct RunCx {
    pool: Arc<dyn BlockingPool>,
    cancel: Cancel,
    scratch: Arc<Path>,
    memory_budget: u64,
    started: SystemTime,
    tables: Arc<[&'static dyn TableFormat]>,
}

impl RunCx {
    /// A context. `scratch` is a folder of this run's own; `memory_budget` is in bytes.
    #[must_use]
    pub fn new(
        pool: Arc<dyn BlockingPool>,
        cancel: Cancel,
        scratch: PathBuf,
        memory_budget: u64,
        started: SystemTime,
    ) -> Self {
        Self {
            pool,
            cancel,
            scratch: scratch.into(),
            memory_budget,
            started,
            tables: Arc::default(),
        }
    }

    /// The same context with formats of tables.
    #[must_use]
    pub fn with_tables(&self, tables: impl IntoIterator<Item = &'static dyn TableFormat>) -> Self {
        Self {
            tables: tables.into_iter().collect(),
            ..self.clone()
        }
    }

    /// The formats of tables.
    pub fn tables(&self) -> impl Iterator<Item = &'static dyn TableFormat> + '_ {
        self.tables.iter().copied()
    }

    /// The format of tables with a log that files of `format` are; none for files without one.
    ///
    /// # Errors
    /// `Unsupported` where this program does not hold the format.
    pub fn table_format(&self, format: &Format) -> Result<Option<&'static dyn TableFormat>> {
        if !format.has_log() {
            return Ok(None);
        }
        let found = self.tables.iter().find(|table| table.format() == *format);
        found.copied().map(Some).ok_or_else(|| {
            let feature = format.name().to_ascii_lowercase();
            Error::unsupported(format!("format {format} is not part of this build")).with_hint(
                format!("build laktory with `--features {feature}` to add it"),
            )
        })
    }

    /// The same context with another door for blocking work.
    #[must_use]
    pub fn with_pool(&self, pool: Arc<dyn BlockingPool>) -> Self {
        Self {
            pool,
            ..self.clone()
        }
    }

    /// The same context with another flag that asks to stop.
    #[must_use]
    pub fn with_cancel(&self, cancel: Cancel) -> Self {
        Self {
            cancel,
            ..self.clone()
        }
    }

    /// The flag that asks to stop.
    #[must_use]
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// A folder for spilled data. It may not exist yet; it is removed at the end of the run.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Bytes that one materialised frame may keep in memory before it is spilled.
    #[must_use]
    pub fn memory_budget(&self) -> u64 {
        self.memory_budget
    }

    /// When the run began; the value of `current_timestamp`.
    #[must_use]
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// Runs blocking or CPU-bound `work` on the pool and waits for it without blocking.
    ///
    /// # Errors
    /// Those of `work`; [`ErrorKind::Cancelled`] before it starts; [`ErrorKind::Internal`] when it panics.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.cancel.check()?;
        let (sender, receiver) = oneshot::channel();
        self.pool.spawn(Box::new(move || {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
                .unwrap_or_else(|panic| Err(Error::from_panic(&*panic)));
            // A receiver that is gone has stopped waiting; nobody is left to tell.
            let _ = sender.send(outcome);
        }));
        receiver
            .await
            .unwrap_or_else(|_| Err(Error::internal("the blocking pool dropped its work")))
    }
}

impl fmt::Debug for RunCx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunCx")
            .field("scratch", &self.scratch)
            .finish_non_exhaustive()
    }
}
