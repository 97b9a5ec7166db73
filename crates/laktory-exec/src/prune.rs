//! Columns that nobody needs are not kept between nodes, and do not cross from one engine to another. Readers see them all
//! the same, with their names and types and nulls for values: by lineage the values reach nothing that is written, counted or
//! judged, and engines leave out what no plan uses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::stream;
use laktory_core::arrow::schema::Schema;
use laktory_core::{
    Backend, BatchStream, DType, Expr, Field, Frame, Op, Result, RunCx, Scalar, typing,
};
use laktory_plan::lineage::ColumnGraph;
use laktory_plan::{Handover, InputSource, NodePlan, Plan};

use crate::check::{Lineages, NodeSchema, apply_all};
use crate::sessions::{Sessions, transfer};

/// The columns that are kept of a node's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Name of the node.
    pub node: String,
    /// The columns that are kept, in order.
    pub columns: Vec<String>,
    /// How many there are.
    pub of: usize,
}

/// A node whose output is not kept whole.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) kept: Kept,
    /// All columns, as each engine that reads them has them.
    whole: BTreeMap<String, Arc<[Field]>>,
}

/// What is kept of the outputs of nodes, by position in the plan, where that is not everything.
pub(crate) type Pruned = BTreeMap<usize, Part>;

/// Whether there are nodes of which some columns may not be needed, on engines that are asked without a server.
pub(crate) fn is_worthwhile(plan: &Plan, sessions: &Sessions, keep: &BTreeSet<String>) -> bool {
    // A server resolves each frame that is made only to look at it.
    let local = |node: &NodePlan| sessions.is_local(&node.backend);
    plan.writes
        && plan.nodes.iter().all(local)
        && (0..plan.nodes.len()).any(|index| may_prune(plan, index, keep))
}

/// Whether some columns of a node's output may not be needed: it is kept, or goes to another engine, for nodes alone.
fn may_prune(plan: &Plan, index: usize, keep: &BTreeSet<String>) -> bool {
    let node = &plan.nodes[index];
    let mut readers = readers(plan, index);
    match node.handover {
        Handover::Materialize => !keep.contains(&node.name) && readers.next().is_some(),
        Handover::Sink(_) => readers.any(|reader| reader.backend != node.backend),
        Handover::Inline | Handover::None => false,
    }
}

fn readers(plan: &Plan, index: usize) -> impl Iterator<Item = &NodePlan> {
    plan.nodes.iter().filter(move |reader| {
        let mut inputs = reader.inputs.iter();
        inputs.any(|input| matches!(input.source, InputSource::Node { node, .. } if node == index))
    })
}

/// What has to be kept of the outputs of nodes, whose schemas and lineages are resolved. `keep` are nodes whose outputs the
/// caller will read.
///
/// # Errors
/// Those of the engines.
pub(crate) async fn prune(
    cx: &RunCx,
    sessions: &Sessions,
    plan: &Plan,
    (schemas, lineages): (&[NodeSchema], &Lineages),
    keep: &BTreeSet<String>,
) -> Result<Pruned> {
    let mut pruned = Pruned::new();
    let candidates = (0..plan.nodes.len()).filter(|&index| may_prune(plan, index, keep));
    let candidates: Vec<usize> = candidates.collect();
    if candidates.is_empty() {
        return Ok(pruned);
    }
    let graph = ColumnGraph::new(plan, lineages);
    let is_read: BTreeSet<&str> = (0..plan.nodes.len())
        .filter(|&index| readers(plan, index).next().is_some())
        .map(|index| plan.nodes[index].name.as_str())
        .collect();
    let handed = |name: &str| {
        let written = plan.node(name).is_none_or(|node| !node.sinks.is_empty());
        written || keep.contains(name) || !is_read.contains(name)
    };
    for index in candidates {
        let node = &plan.nodes[index];
        let mut schemas = schemas.iter();
        let schema = schemas.find(|schema| schema.node == node.name);
        let Some(schema) = schema.and_then(|schema| schema.schema.as_ref()) else {
            continue;
        };
        let Some(needed) = graph.needed(&node.name, handed) else {
            continue;
        };
        let fields: Vec<Field> = (schema.fields().iter())
            .map(|field| Field::from_arrow(field))
            .collect();
        let kept = columns(&fields, &needed);
        if kept.len() == fields.len() {
            continue;
        }
        let kept = Kept {
            node: node.name.clone(),
            of: fields.len(),
            columns: kept,
        };
        let mut engines = BTreeSet::from([node.backend.as_str()]);
        engines.extend(readers(plan, index).map(|reader| reader.backend.as_str()));
        let mut whole = BTreeMap::new();
        let mut same = true;
        for engine in engines {
            match comes_back(cx, sessions.get(engine)?, schema, &kept).await {
                Some(columns) => {
                    whole.insert(engine.to_owned(), columns);
                }
                None => same = false,
            }
        }
        if same {
            pruned.insert(index, Part { kept, whole });
        }
    }
    Ok(pruned)
}

/// The columns to keep: those that are needed, and those whose type not every engine has nulls of; one at least, since a
/// frame without columns has no rows.
fn columns(fields: &[Field], needed: &BTreeSet<String>) -> Vec<String> {
    let stays = |field: &&Field| needed.contains(&field.name) || !has_nulls(&field.dtype);
    let kept: Vec<String> = (fields.iter().filter(stays))
        .map(|field| field.name.clone())
        .collect();
    match kept.is_empty() {
        true => fields
            .iter()
            .take(1)
            .map(|field| field.name.clone())
            .collect(),
        false => kept,
    }
}

fn has_nulls(dtype: &DType) -> bool {
    matches!(
        dtype,
        DType::Boolean
            | DType::Int8
            | DType::Int16
            | DType::Int32
            | DType::Int64
            | DType::UInt8
            | DType::UInt16
            | DType::UInt32
            | DType::UInt64
            | DType::Float32
            | DType::Float64
            | DType::Decimal { .. }
            | DType::String
            | DType::Date
            | DType::Datetime { .. }
    )
}

/// All columns as an engine has them; none where it does not give them back with the names and types that they had.
async fn comes_back(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    schema: &Arc<Schema>,
    kept: &Kept,
) -> Option<Arc<[Field]>> {
    let back = async {
        let empty = BatchStream::new(Arc::clone(schema), stream::empty());
        let whole = backend.import(cx, empty).await?;
        let part = cut(cx, backend, whole.clone(), kept).await?;
        let columns = typing::columns(&**backend, cx, &whole).await?;
        let padded = padded(cx, backend, part, &columns).await?;
        let (padded, whole) = (
            backend.schema(cx, &padded).await?,
            backend.schema(cx, &whole).await?,
        );
        let same = padded.fields().len() == whole.fields().len()
            && padded.fields().iter().zip(whole.fields()).all(|(a, b)| {
                Field::from_arrow(a) == Field::from_arrow(b) && a.data_type() == b.data_type()
            });
        Ok::<_, laktory_core::Error>(same.then_some(columns))
    };
    back.await.ok().flatten()
}

impl Part {
    /// The output of a node for a reader: all columns, those that nobody needs without values. `frame` was cut when it was
    /// `kept`; else it crosses without them.
    pub(crate) async fn handed_over(
        &self,
        cx: &RunCx,
        frame: Frame,
        (owner, reader): (&Arc<dyn Backend>, &Arc<dyn Backend>),
        kept: bool,
    ) -> Result<Frame> {
        let name = reader.descriptor().name;
        let Some(whole) = self.whole.get(name) else {
            return transfer(cx, frame, owner, reader).await;
        };
        let frame = match (kept, frame.backend() == name) {
            (true, _) => frame,
            (false, true) => return Ok(frame),
            (false, false) => cut(cx, owner, frame, &self.kept).await?,
        };
        let frame = transfer(cx, frame, owner, reader).await?;
        padded(cx, reader, frame, whole).await
    }
}

/// The columns that are kept of a frame.
pub(crate) async fn cut(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    frame: Frame,
    kept: &Kept,
) -> Result<Frame> {
    let exprs = kept.columns.iter().map(Expr::column).collect();
    apply_all(cx, backend, frame, [&Op::Select { exprs }]).await
}

/// A frame of which some columns were kept, with all that there were: the others hold nulls.
pub(crate) async fn padded(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    frame: Frame,
    whole: &[Field],
) -> Result<Frame> {
    let there = typing::columns(&**backend, cx, &frame).await?;
    let exprs = whole.iter().map(|field| {
        let name = &field.name;
        match there.iter().any(|known| known.name == *name) {
            true => Expr::column(name),
            false => Expr::Cast {
                expr: Box::new(Expr::Literal(Scalar::Null)),
                to: field.dtype.clone(),
                strict: true,
            }
            .alias(name),
        }
    });
    let exprs = exprs.collect();
    apply_all(cx, backend, frame, [&Op::Select { exprs }]).await
}
