//! How often the plan of a node holds each frame that the node reads. Engines walk a plan as a tree: a frame that is
//! joined with itself stands there twice, and doubles with every step that does so.

use laktory_core::{FrameName, SqlSegment};

use crate::plan::{NodePlan, Step, StepKind};

/// Copies of its inputs that a node may hold.
pub(crate) const MOST: u64 = 2_048;

/// Copies of each input, in the order of [`NodePlan::inputs`], in the frame behind the last step; and the first step
/// behind which there are too many.
pub(crate) fn uses(node: &NodePlan) -> (Vec<u64>, Option<usize>) {
    let position = |name: &FrameName| node.inputs.iter().position(|input| input.name == *name);
    let mut df = vec![0; node.inputs.len()];
    if let Some(primary) = node.primary.as_ref().and_then(position) {
        df[primary] = 1;
    }
    for (index, step) in node.steps.iter().enumerate() {
        let mut next = vec![0_u64; df.len()];
        for name in frames(step) {
            match position(name).filter(|_| *name != FrameName::Df) {
                Some(input) => next[input] = next[input].saturating_add(1),
                None => {
                    for (sum, copies) in next.iter_mut().zip(&df) {
                        *sum = sum.saturating_add(*copies);
                    }
                }
            }
        }
        df = next;
        if df.iter().sum::<u64>() > MOST {
            return (df, Some(index));
        }
    }
    (df, None)
}

/// The frames that a step reads, each as often as it reads it.
fn frames(step: &Step) -> Vec<&FrameName> {
    match &step.kind {
        StepKind::Sql(query) => query
            .segments()
            .filter_map(|segment| match segment {
                SqlSegment::Frame(name) => Some(name),
                SqlSegment::Text(_) => None,
            })
            .collect(),
        StepKind::Ops(ops) => std::iter::once(&FrameName::Df)
            .chain(ops.iter().flat_map(laktory_core::Op::frames))
            .collect(),
    }
}
