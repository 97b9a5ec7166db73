//! `group_by` followed by `agg`: two steps of a transformer that make one relational step.

use std::fmt;

use laktory_core::Op;

use crate::diagnostic::FragmentError;

/// A `group_by` without `agg`, or an `agg` without `group_by`.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupError {
    /// The step, from 0.
    pub step: usize,
    /// What is wrong.
    pub error: FragmentError,
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)
    }
}

impl std::error::Error for GroupError {}

fn aggregate(group: &Op, agg: &Op) -> Option<Op> {
    match (group, agg) {
        (
            Op::GroupBy {
                keys,
                drop_null_keys,
            },
            Op::Agg { aggs },
        ) => Some(Op::Aggregate {
            keys: keys.clone(),
            aggs: aggs.clone(),
            drop_null_keys: *drop_null_keys,
        }),
        _ => None,
    }
}

/// Joins the last two steps where they are `group_by` and `agg`.
pub(super) fn fuse_last(ops: &mut Vec<Op>) {
    if let [.., group, agg] = ops.as_slice()
        && let Some(joined) = aggregate(group, agg)
    {
        ops.truncate(ops.len() - 2);
        ops.push(joined);
    }
}

/// Joins every step that is `group_by` with the `agg` behind it, so that no [`Op::GroupBy`] and no [`Op::Agg`] is
/// left. The result has as many entries as the input; the joined step stands at the place of the `agg`.
///
/// # Errors
/// One for each half that lacks the other.
pub fn fuse_groups(steps: Vec<Vec<Op>>) -> Result<Vec<Vec<Op>>, Vec<GroupError>> {
    let mut fused: Vec<Vec<Op>> = Vec::with_capacity(steps.len());
    let mut errors = Vec::new();
    let mut open: Option<(usize, Op)> = None;
    for (step, ops) in steps.into_iter().enumerate() {
        let mut result = Vec::with_capacity(ops.len());
        for op in ops {
            match (open.take(), op) {
                (None, group @ Op::GroupBy { .. }) => open = Some((step, group)),
                (None, Op::Agg { .. }) => errors.push(missing_group(step)),
                (None, op) => result.push(op),
                (Some((at, group)), op) => match aggregate(&group, &op) {
                    Some(joined) => result.push(joined),
                    None => {
                        errors.push(missing_agg(at));
                        match op {
                            group @ Op::GroupBy { .. } => open = Some((step, group)),
                            op => result.push(op),
                        }
                    }
                },
            }
        }
        fused.push(result);
    }
    if let Some((step, _)) = open {
        errors.push(missing_agg(step));
    }
    if errors.is_empty() {
        Ok(fused)
    } else {
        errors.sort_by_key(|error| error.step);
        Err(errors)
    }
}

fn missing_agg(step: usize) -> GroupError {
    GroupError {
        step,
        error: FragmentError::new(
            "unknown-name",
            "`group_by` gives groups, not a frame: a step `agg` must follow",
            0..0,
        )
        .hint("or write both as one step: `laktory.groupby_and_agg`"),
    }
}

fn missing_group(step: usize) -> GroupError {
    GroupError {
        step,
        error: FragmentError::new(
            "unknown-method",
            "`agg` without `group_by`: the step before it must be `group_by`",
            0..0,
        )
        .hint("without groups, use `select` with aggregates"),
    }
}
