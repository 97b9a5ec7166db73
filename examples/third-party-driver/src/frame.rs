//! The driver's frame: a plan of steps over record batches, which runs when its rows are asked for.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use laktory_core::{Cancel, Frame, NativeFrame, Result};

use crate::files::Scan;
use crate::{NAME, batch};

/// A step, ready to run on the batches of its inputs.
pub(crate) type Step = Box<dyn Fn(&[RecordBatch]) -> Result<RecordBatch> + Send + Sync>;

/// A plan of ARROWLITE inside a laktory [`Frame`].
#[derive(Clone)]
pub struct LiteFrame(pub(crate) Arc<Plan>);

/// What a frame's rows are made of.
pub(crate) struct Plan {
    /// Names and types of the columns, in the encodings of the contract.
    pub(crate) schema: SchemaRef,
    source: Source,
}

enum Source {
    Rows(RecordBatch),
    Files(Scan),
    Step { inputs: Vec<Arc<Plan>>, run: Step },
}

impl NativeFrame for LiteFrame {}

impl fmt::Debug for LiteFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiteFrame")
            .field("schema", &self.0.schema)
            .finish_non_exhaustive()
    }
}

impl LiteFrame {
    /// A frame of rows, whose types must be in the encodings of the contract.
    pub(crate) fn rows(rows: RecordBatch) -> Frame {
        Self::frame(rows.schema(), Source::Rows(rows))
    }

    /// A frame that reads files.
    pub(crate) fn files(schema: SchemaRef, scan: Scan) -> Frame {
        Self::frame(schema, Source::Files(scan))
    }

    /// A frame that a step makes of others.
    pub(crate) fn step(schema: SchemaRef, inputs: Vec<Arc<Plan>>, run: Step) -> Frame {
        Self::frame(schema, Source::Step { inputs, run })
    }

    fn frame(schema: SchemaRef, source: Source) -> Frame {
        Frame::new(NAME, Self(Arc::new(Plan { schema, source })))
    }

    /// The plan of a frame.
    ///
    /// # Errors
    /// `ForeignFrame` when the frame belongs to another backend.
    pub(crate) fn plan(frame: &Frame) -> Result<Arc<Plan>> {
        Ok(Arc::clone(&frame.native::<Self>()?.0))
    }
}

/// Computes plans. What several plans have in common is computed once, and kept until the last of them has it.
pub(crate) struct Run<'a> {
    cancel: &'a Cancel,
    /// How often each plan is still asked for.
    uses: HashMap<*const Plan, usize>,
    known: HashMap<*const Plan, RecordBatch>,
}

impl<'a> Run<'a> {
    /// A run of these plans.
    pub(crate) fn new(cancel: &'a Cancel, plans: &[Arc<Plan>]) -> Self {
        let mut uses = HashMap::new();
        let mut open: Vec<&Arc<Plan>> = plans.iter().collect();
        while let Some(plan) = open.pop() {
            let seen = uses.entry(Arc::as_ptr(plan)).or_insert(0);
            *seen += 1;
            if *seen == 1
                && let Source::Step { inputs, .. } = &plan.source
            {
                open.extend(inputs);
            }
        }
        Self {
            cancel,
            uses,
            known: HashMap::new(),
        }
    }

    /// The rows of a plan.
    ///
    /// # Errors
    /// Those of the steps and files; `Cancelled`.
    pub(crate) fn rows(&mut self, plan: &Arc<Plan>) -> Result<RecordBatch> {
        let at = Arc::as_ptr(plan);
        let left = self.uses.get_mut(&at).map_or(0, |uses| {
            *uses = uses.saturating_sub(1);
            *uses
        });
        if let Some(rows) = self.known.get(&at) {
            let rows = rows.clone();
            if left == 0 {
                self.known.remove(&at);
            }
            return Ok(rows);
        }
        self.cancel.check()?;
        let rows = match &plan.source {
            Source::Rows(rows) => rows.clone(),
            Source::Files(scan) => batch::joined(&plan.schema, &scan.read(self.cancel)?)?,
            Source::Step { inputs, run } => {
                let inputs = inputs
                    .iter()
                    .map(|input| self.rows(input))
                    .collect::<Result<Vec<_>>>()?;
                run(&inputs)?
            }
        };
        if left > 0 {
            self.known.insert(at, rows.clone());
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use arrow::datatypes::Schema;

    use super::*;

    #[test]
    fn what_plans_have_in_common_is_computed_once() {
        static COMPUTED: AtomicUsize = AtomicUsize::new(0);
        let schema = Arc::new(Schema::empty());
        let leaf = LiteFrame::rows(RecordBatch::new_empty(Arc::clone(&schema)));
        let step = |inputs: &[&Frame], run: Step| {
            let inputs = inputs
                .iter()
                .map(|input| LiteFrame::plan(input).unwrap())
                .collect();
            LiteFrame::step(Arc::clone(&schema), inputs, run)
        };
        let shared = step(
            &[&leaf],
            Box::new(|inputs| {
                COMPUTED.fetch_add(1, Ordering::Relaxed);
                Ok(inputs[0].clone())
            }),
        );
        let first = |inputs: &[RecordBatch]| Ok(inputs[0].clone());
        let joined = step(&[&shared, &shared], Box::new(first));
        let plans = [&shared, &joined, &joined].map(|frame| LiteFrame::plan(frame).unwrap());
        let cancel = Cancel::new();
        let mut run = Run::new(&cancel, &plans);
        for plan in &plans {
            run.rows(plan).unwrap();
        }
        assert_eq!(COMPUTED.load(Ordering::Relaxed), 1);
        assert!(run.known.is_empty(), "rows are kept that nobody asks for");
        cancel.cancel();
        let error = Run::new(&cancel, &plans).rows(&plans[0]).unwrap_err();
        assert_eq!(error.kind(), laktory_core::ErrorKind::Cancelled);
    }
}
