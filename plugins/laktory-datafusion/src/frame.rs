//! The driver's frame: a logical plan, and steps behind it that must look at data before they can be planned.

use std::fmt;
use std::sync::Arc;

use datafusion::logical_expr::LogicalPlan;
use laktory_core::{Frame, NamedFrames, NativeFrame, Op, Result};

use crate::NAME;

/// A step that waits for [`crate::session::Session::plan`].
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// The step.
    pub(crate) op: Op,
    /// The other frames that it reads.
    pub(crate) named: NamedFrames,
}

/// A logical plan of DataFusion inside a laktory [`Frame`].
#[derive(Clone)]
pub struct DataFusionFrame {
    plan: LogicalPlan,
    pending: Vec<Arc<Pending>>,
}

impl DataFusionFrame {
    /// A frame made of a plan.
    #[must_use]
    pub fn from_plan(plan: LogicalPlan) -> Frame {
        Frame::new(
            NAME,
            Self {
                plan,
                pending: Vec::new(),
            },
        )
    }

    /// The plan of a frame of this backend, as far as it is known without looking at data: steps whose columns depend
    /// on values (`pivot`), and those behind them, are not part of it yet.
    ///
    /// # Errors
    /// `ForeignFrame` when the frame belongs to another backend.
    pub fn plan(frame: &Frame) -> Result<&LogicalPlan> {
        Ok(&Self::of(frame)?.plan)
    }

    /// The driver's own view of a frame.
    pub(crate) fn of(frame: &Frame) -> Result<&Self> {
        frame.native::<Self>()
    }

    /// The plan before the pending steps.
    pub(crate) fn base(&self) -> &LogicalPlan {
        &self.plan
    }

    /// The steps that wait.
    pub(crate) fn pending(&self) -> &[Arc<Pending>] {
        &self.pending
    }

    /// The frame with one more step that waits.
    pub(crate) fn waiting(&self, op: &Op, named: &NamedFrames) -> Frame {
        let mut frame = self.clone();
        frame.pending.push(Arc::new(Pending {
            op: op.clone(),
            named: named.clone(),
        }));
        Frame::new(NAME, frame)
    }
}

impl NativeFrame for DataFusionFrame {}

impl fmt::Debug for DataFusionFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataFusionFrame")
            .field("pending", &self.pending.len())
            .finish_non_exhaustive()
    }
}
