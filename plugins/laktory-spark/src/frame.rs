//! The driver's frame: a relation whose columns are known, or a step that waits for the columns of its input.
//!
//! Steps are taken up without asking the server. When the schema or rows are wanted, the chain is lowered from its
//! start; the types of each step follow from those before it, so that the server is asked at most once for each node.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use laktory_core::{Field, Frame, NativeFrame, Op, Result};
use spark_connect_proto as proto;
use tokio::sync::OnceCell;

use crate::NAME;
use crate::analysed::Signature;

/// A relation and its columns.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(crate) relation: proto::Relation,
    pub(crate) columns: Vec<Field>,
    /// Whether the columns are what the server says rather than what the driver infers.
    pub(crate) confirmed: bool,
}

/// A step that was taken up.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) input: SparkFrame,
    pub(crate) others: Vec<SparkFrame>,
    pub(crate) op: Op,
    pub(crate) started: SystemTime,
}

#[derive(Debug)]
pub(crate) struct Node {
    /// What its columns depend on.
    pub(crate) signature: Signature,
    /// None for frames that were resolved from the beginning.
    pub(crate) step: Option<Step>,
    pub(crate) resolved: OnceCell<Arc<Resolved>>,
    /// The columns as the server gives them.
    pub(crate) confirmed: OnceCell<Vec<Field>>,
}

/// A Spark relation inside a laktory frame.
#[derive(Clone)]
pub(crate) struct SparkFrame(pub(crate) Arc<Node>);

impl SparkFrame {
    /// A frame whose relation is known.
    pub(crate) fn of_relation(resolved: Resolved) -> Self {
        let signature = Signature::of_columns(&resolved.columns);
        Self::of_statement(resolved, signature)
    }

    /// A frame whose relation is known, and was made of other ones.
    pub(crate) fn of_statement(resolved: Resolved, signature: Signature) -> Self {
        let confirmed = OnceCell::new();
        if resolved.confirmed {
            let _ = confirmed.set(resolved.columns.clone());
        }
        Self(Arc::new(Node {
            signature,
            step: None,
            resolved: OnceCell::new_with(Some(Arc::new(resolved))),
            confirmed,
        }))
    }

    /// A frame after a step.
    pub(crate) fn of_step(step: Step) -> Self {
        let inputs = std::iter::once(&step.input).chain(&step.others);
        let inputs: Vec<Signature> = inputs.map(|input| input.0.signature).collect();
        let signature = match &step.op {
            // Its columns are values.
            Op::Pivot { .. } => Signature::unique(),
            op => Signature::of(op, &inputs),
        };
        Self(Arc::new(Node {
            signature,
            step: Some(step),
            resolved: OnceCell::new(),
            confirmed: OnceCell::new(),
        }))
    }

    /// As a frame of the contract.
    pub(crate) fn into_frame(self) -> Frame {
        Frame::new(NAME, self)
    }

    /// The driver's own view of a frame.
    pub(crate) fn of(frame: &Frame) -> Result<&Self> {
        frame.native::<Self>()
    }
}

impl NativeFrame for SparkFrame {}

impl fmt::Debug for SparkFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SparkFrame")
            .field("resolved", &self.0.resolved.initialized())
            .finish_non_exhaustive()
    }
}
