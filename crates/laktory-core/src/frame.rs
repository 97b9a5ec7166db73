//! Frames: lazy tables owned by an engine, and the names under which steps see them.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::dtype::Field;
use crate::error::{Error, ErrorKind, Result};

/// What a driver keeps inside a [`Frame`].
pub trait NativeFrame: Any + Send + Sync + fmt::Debug {}

/// One lazy table owned by one engine. Cheap to clone; building it runs nothing.
#[derive(Clone, Debug)]
pub struct Frame {
    backend: &'static str,
    inner: Arc<dyn NativeFrame>,
    source_rows: Option<u64>,
    warnings: Arc<[String]>,
    columns: Arc<OnceLock<Arc<[Field]>>>,
}

impl Frame {
    /// Wraps a driver's frame under the driver's own name.
    #[must_use]
    pub fn new(backend: &'static str, inner: impl NativeFrame) -> Self {
        Self {
            backend,
            inner: Arc::new(inner),
            source_rows: None,
            warnings: Arc::default(),
            columns: Arc::default(),
        }
    }

    /// The frame, with the number of rows that the files behind it hold.
    #[must_use]
    pub fn with_source_rows(mut self, rows: u64) -> Self {
        self.source_rows = Some(rows);
        self
    }

    /// The frame, with what its reader has to say: what options let it change or leave out, with counts.
    #[must_use]
    pub fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings.into();
        self
    }

    /// What the reader of the frame has to say; nothing for frames that steps have changed.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Rows in the files that [`Backend::read`](crate::Backend::read) made the frame of, where the driver found that out
    /// beforehand: by footers, or by a look at a text file that does not depend on the engine's parser. None for frames
    /// that steps have changed.
    #[must_use]
    pub fn source_rows(&self) -> Option<u64> {
        self.source_rows
    }

    /// Its columns, where they are known without asking the engine.
    #[must_use]
    pub fn columns(&self) -> Option<Arc<[Field]>> {
        self.columns.get().cloned()
    }

    /// Keeps what was found out about the columns, for this frame and its clones.
    pub(crate) fn know(&self, columns: Arc<[Field]>) {
        // Whoever comes second says the same.
        let _ = self.columns.set(columns);
    }

    /// Name of the backend that owns the frame.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        self.backend
    }

    /// The driver's own type.
    ///
    /// # Errors
    /// [`ErrorKind::ForeignFrame`] when the frame belongs to another driver.
    pub fn native<T: NativeFrame>(&self) -> Result<&T> {
        let inner: &dyn Any = &*self.inner;
        inner.downcast_ref::<T>().ok_or_else(|| {
            Error::new(
                ErrorKind::ForeignFrame,
                format!(
                    "a frame of backend {} was handed to another engine",
                    self.backend
                ),
            )
        })
    }
}

/// The name under which a step refers to a frame; displays as the placeholder that users write.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FrameName {
    /// `{df}`: the frame that flows through the steps.
    Df,
    /// `{sources.name}`; the unnamed source is `{sources.df}`.
    Source(String),
    /// `{nodes.name}`: the output of a node.
    Node(String),
    /// `{key}`: a frame that the caller of the run supplied.
    Named(String),
}

impl fmt::Display for FrameName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Df => f.write_str("{df}"),
            Self::Source(name) => write!(f, "{{sources.{name}}}"),
            Self::Node(name) => write!(f, "{{nodes.{name}}}"),
            Self::Named(name) => write!(f, "{{{name}}}"),
        }
    }
}

/// The frames that a step can see beside the one it works on.
#[derive(Clone, Debug, Default)]
pub struct NamedFrames(BTreeMap<FrameName, Frame>);

impl NamedFrames {
    /// No frames.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a frame.
    pub fn insert(&mut self, name: FrameName, frame: Frame) {
        self.0.insert(name, frame);
    }

    /// The frame called `name`.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownFrame`], with the known names as hint.
    pub fn get(&self, name: &FrameName) -> Result<&Frame> {
        self.0.get(name).ok_or_else(|| {
            let known: Vec<String> = self.0.keys().map(|name| format!("`{name}`")).collect();
            Error::new(
                ErrorKind::UnknownFrame,
                format!("no frame is called `{name}`"),
            )
            .with_hint(format!("known here: {}", known.join(", ")))
        })
    }

    /// Names and frames, in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&FrameName, &Frame)> {
        self.0.iter()
    }
}

/// Rows that leave or enter an engine, batch by batch.
pub struct BatchStream {
    schema: SchemaRef,
    batches: Pin<Box<dyn Stream<Item = Result<RecordBatch>> + Send>>,
}

impl BatchStream {
    /// A stream whose batches all have `schema`.
    #[must_use]
    pub fn new(
        schema: SchemaRef,
        batches: impl Stream<Item = Result<RecordBatch>> + Send + 'static,
    ) -> Self {
        Self {
            schema,
            batches: Box::pin(batches),
        }
    }

    /// Schema of every batch.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl fmt::Debug for BatchStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchStream")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl Stream for BatchStream {
    type Item = Result<RecordBatch>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.batches.as_mut().poll_next(cx)
    }
}
