//! The driver's frame: a lazy plan, and the files behind it so that errors can name them.

use std::fmt;
use std::sync::Arc;

use laktory_core::{Frame, NativeFrame, Result};
use polars::prelude::LazyFrame;

use crate::NAME;
use crate::diagnose::Source;

/// A lazy polars plan inside a laktory [`Frame`].
#[derive(Clone)]
pub struct PolarsFrame {
    lazy: LazyFrame,
    sources: Arc<[Arc<Source>]>,
    weight: u32,
}

/// Copies of one frame in a plan from which on they share what they compute: the engine walks each copy, and a frame
/// that is joined with itself doubles with every step.
const MOST_COPIES: u32 = 8;

/// A plan and its weight, shared by those that will read it when it is heavy.
pub(crate) fn shared(lazy: LazyFrame, weight: u32) -> (LazyFrame, u32) {
    if weight > MOST_COPIES {
        (lazy.cache(), 1)
    } else {
        (lazy, weight)
    }
}

impl PolarsFrame {
    /// The lazy plan of a frame of this backend.
    ///
    /// # Errors
    /// `ForeignFrame` when the frame belongs to another backend.
    pub fn lazy(frame: &Frame) -> Result<LazyFrame> {
        Ok(Self::of(frame)?.lazy.clone())
    }

    /// A frame made of a lazy plan.
    #[must_use]
    pub fn from_lazy(lazy: LazyFrame) -> Frame {
        Self::reading(lazy, Arc::default(), 1)
    }

    /// A frame made of a lazy plan that reads `sources`, and holds `weight` copies of frames.
    pub(crate) fn reading(lazy: LazyFrame, sources: Arc<[Arc<Source>]>, weight: u32) -> Frame {
        let (lazy, weight) = shared(lazy, weight);
        Frame::new(
            NAME,
            Self {
                lazy,
                sources,
                weight,
            },
        )
    }

    /// How many copies of frames the plan holds.
    pub(crate) fn weight(&self) -> u32 {
        self.weight
    }

    /// The driver's own view of a frame.
    pub(crate) fn of(frame: &Frame) -> Result<&Self> {
        frame.native::<Self>()
    }

    /// A copy of the plan.
    pub(crate) fn plan(&self) -> LazyFrame {
        self.lazy.clone()
    }

    /// The files that the plan reads.
    pub(crate) fn sources(&self) -> Arc<[Arc<Source>]> {
        Arc::clone(&self.sources)
    }

    /// The files that several frames read, each once.
    pub(crate) fn all_sources<'a>(
        frames: impl IntoIterator<Item = &'a Self>,
    ) -> Arc<[Arc<Source>]> {
        let mut all: Vec<Arc<Source>> = Vec::new();
        for frame in frames {
            for source in frame.sources.iter() {
                if !all.iter().any(|known| Arc::ptr_eq(known, source)) {
                    all.push(Arc::clone(source));
                }
            }
        }
        all.into()
    }
}

impl NativeFrame for PolarsFrame {}

impl fmt::Debug for PolarsFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolarsFrame")
            .field("sources", &self.sources.len())
            .finish_non_exhaustive()
    }
}
