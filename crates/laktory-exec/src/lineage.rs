//! What the columns of every node depend on, found while the check builds the frames: the columns after each step are known
//! then, also where only the engine can tell them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use laktory_core::lineage::{Decision, Lineage, after, of};
use laktory_core::{Error, Field, Frame, FrameName, NamedFrames, Op, Result, SqlTemplate, typing};
use laktory_plan::lineage::NodeLineage;
use laktory_plan::{ExpectationAction, Step, StepKind};

use crate::build::{Builder, NodeFrames};

/// A frame, with what its columns depend on.
#[derive(Clone)]
struct Traced {
    frame: Frame,
    lineage: Lineage,
}

/// The frames that a step sees.
#[derive(Default)]
struct Seen {
    frames: NamedFrames,
    lineages: BTreeMap<FrameName, Lineage>,
}

impl Seen {
    fn insert(&mut self, name: &FrameName, traced: &Traced) {
        self.frames.insert(name.clone(), traced.frame.clone());
        self.lineages.insert(name.clone(), traced.lineage.clone());
    }

    /// Some of the lineages.
    fn of<'n>(
        &self,
        names: impl IntoIterator<Item = &'n FrameName>,
    ) -> Result<BTreeMap<FrameName, Lineage>> {
        let of = |name: &FrameName| {
            let lineage = self.lineages.get(name).cloned();
            let lineage = lineage.ok_or_else(|| Error::internal(format!("no frame `{name}`")))?;
            Ok((name.clone(), lineage))
        };
        names.into_iter().map(of).collect()
    }
}

/// What the output of a node depends on, whose frames can be built.
///
/// # Errors
/// Those of building them.
pub(crate) async fn trace(builder: &Builder<'_>, nodes: &impl NodeFrames) -> Result<NodeLineage> {
    let node = builder.node;
    let mut inputs = Vec::with_capacity(node.inputs.len());
    let mut seen = Seen::default();
    let mut flowing = None;
    for input in &node.inputs {
        let frame = builder.source(input, nodes).await?;
        let fields = typing::columns(&**builder.backend, builder.cx, &frame).await?;
        let lineage = Lineage::source(&input.name, Arc::clone(&fields));
        inputs.push(fields);
        let (read, mut alone) = (Some(Traced { frame, lineage }), Seen::default());
        let read = steps(builder, read, &input.steps, &mut alone).await?;
        let read = read.ok_or_else(|| Error::internal("a source without frame"))?;
        seen.insert(&input.name, &read);
        if node.primary.as_ref() == Some(&input.name) {
            flowing = Some(read);
        }
    }
    let stage = steps(builder, flowing, &node.steps, &mut seen).await?;
    let Some(Traced { lineage: stage, .. }) = stage else {
        return Ok(NodeLineage {
            inputs,
            output: None,
            quarantine: None,
            judged_by: BTreeSet::new(),
        });
    };
    let (mut output, mut quarantine) = (stage.clone(), stage.clone());
    let mut judged_by = BTreeSet::new();
    for rule in &node.expectations {
        judged_by.extend(of(&rule.expr, &stage)?.all().cloned());
        match rule.action {
            ExpectationAction::Drop => {
                output = output.kept_by(&rule.expr, Decision::Expectation)?;
            }
            ExpectationAction::Quarantine => {
                output = output.kept_by(&rule.expr, Decision::Expectation)?;
                quarantine = quarantine.kept_by(&rule.expr, Decision::Expectation)?;
            }
            ExpectationAction::Warn | ExpectationAction::Fail => {}
        }
    }
    let quarantines = node.sinks.iter().any(|sink| sink.quarantine);
    Ok(NodeLineage {
        inputs,
        output: Some(output),
        quarantine: quarantines.then_some(quarantine),
        judged_by,
    })
}

/// The frame after steps, each of which sees the one before it as `{df}`.
async fn steps(
    builder: &Builder<'_>,
    mut flowing: Option<Traced>,
    steps: &[Step],
    seen: &mut Seen,
) -> Result<Option<Traced>> {
    for step in steps {
        if let Some(flowing) = &flowing {
            seen.insert(&FrameName::Df, flowing);
        }
        flowing = Some(match (&step.kind, flowing) {
            (StepKind::Sql(query), _) => statement(builder, query, seen).await?,
            (StepKind::Ops(ops), Some(mut flowing)) => {
                for op in ops {
                    flowing = operation(builder, flowing, op, seen).await?;
                }
                flowing
            }
            (StepKind::Ops(_), None) => {
                return Err(Error::internal("a step without a frame to work on"));
            }
        });
    }
    Ok(flowing)
}

/// A statement: what the front end can plan is looked into, of what only the engine knows nothing can be told.
async fn statement(builder: &Builder<'_>, query: &SqlTemplate, seen: &Seen) -> Result<Traced> {
    let (backend, cx) = (&**builder.backend, builder.cx);
    let frame = backend.sql(cx, query, &seen.frames).await?;
    let fields = typing::columns(backend, cx, &frame).await?;
    let read = seen.of(query.frames())?;
    // Types that the engine takes and the contract does not are the engine's.
    let planned = laktory_sql::lineage(query, &read).ok().flatten();
    let planned = planned.filter(|planned| same_names(&planned.fields, &fields));
    let lineage = match planned {
        Some(planned) => Lineage { fields, ..planned },
        None => Lineage::unknown(read.values(), fields),
    };
    Ok(Traced { frame, lineage })
}

fn same_names(some: &[Field], others: &[Field]) -> bool {
    let names = |fields: &[Field]| -> Vec<String> {
        fields.iter().map(|field| field.name.clone()).collect()
    };
    names(some) == names(others)
}

async fn operation(builder: &Builder<'_>, flowing: Traced, op: &Op, seen: &Seen) -> Result<Traced> {
    let (backend, cx) = (&**builder.backend, builder.cx);
    let frame = typing::apply(backend, cx, &flowing.frame, op, &seen.frames).await?;
    let others = seen.of(op.frames())?;
    // Only the engine, or the rows, can tell the columns of some steps.
    let known = match op {
        Op::Pivot { .. } | Op::Native { .. } => Some(typing::columns(backend, cx, &frame).await?),
        _ => None,
    };
    let lineage = after(op, &flowing.lineage, &others, known.as_deref())?;
    Ok(Traced { frame, lineage })
}
