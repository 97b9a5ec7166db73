//! The second depth of validation: every node's schema is resolved through sources, steps, expectations and sinks with
//! the engine at hand, from file headers and footers, before the first row is read.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::stream;
use laktory_core::arrow::schema::{DataType, SchemaRef};
use laktory_core::{
    Backend, BatchStream, DType, Error, ErrorKind, Field, Format, Frame, NamedFrames, Op,
    OptionValue, Options, Result, RunCx, Subject, WriteSpec, silent_loss, typing,
};
use laktory_model::Path;
use laktory_plan::lineage::NodeLineage;
use laktory_plan::{
    Input, MergePlan, NodePlan, Plan, SinkMode, SinkPlan, SinkTarget, Step, Writer,
};

use crate::append::fits;
use crate::build::{Builder, NodeFrames, Stage};
use crate::event::{Event, Observer};
use crate::expectations;
use crate::fault::{Fault, guarded};
use crate::lineage::trace;
use crate::locate::located;
use crate::outputs;
use crate::pass::conform;
use crate::sessions::Sessions;
use crate::tables;
use crate::target::Target;
use crate::unwritten;

/// Frames of checked nodes are chained up to this many nodes deep; then the chain is cut by an empty frame of the
/// same schema, since the engine resolves a chain from its beginning each time.
const DEEPEST_CHAIN: usize = 2;

/// The resolved output of a node.
#[derive(Clone, Debug)]
pub struct NodeSchema {
    /// Name of the node.
    pub node: String,
    /// Names and types of its output columns; none for a node without frame.
    pub schema: Option<SchemaRef>,
}

/// What the output of each node of a plan depends on; none where that is known in a run only.
pub(crate) type Lineages = Vec<Option<NodeLineage>>;

/// Hears nothing.
pub(crate) struct Silent;

impl Observer for Silent {
    fn on(&self, _: &Event) {}
}

#[derive(Debug)]
struct Checked {
    frame: Frame,
    schema: SchemaRef,
    depth: usize,
}

struct CheckedFrames<'a> {
    cx: &'a RunCx,
    plan: &'a Plan,
    sessions: &'a Sessions,
    checked: RefCell<HashMap<usize, Checked>>,
    /// Whether a step of the plan looks at rows to tell its columns.
    look_at_rows: bool,
}

impl NodeFrames for CheckedFrames<'_> {
    async fn frame(&self, node: usize, reader: &Arc<dyn Backend>) -> Result<Frame> {
        let (frame, schema) = {
            let checked = self.checked.borrow();
            let Some(entry) = checked.get(&node) else {
                return Err(Error::internal(
                    "a node is checked before one that it reads",
                ));
            };
            let deepest = match self.sessions.is_local(reader.descriptor().name) {
                true => DEEPEST_CHAIN,
                // A server resolves what comes before with each request.
                false => 0,
            };
            let near = entry.depth < deepest && entry.frame.backend() == reader.descriptor().name;
            (near.then(|| entry.frame.clone()), Arc::clone(&entry.schema))
        };
        match frame {
            Some(frame) => Ok(frame),
            None => self.empty(schema, reader).await,
        }
    }

    fn session(&self, backend: &str) -> Result<&Arc<dyn Backend>> {
        self.sessions.get(backend)
    }

    async fn unwritten(&self, input: &Input, reader: &Arc<dyn Backend>) -> Result<Option<Frame>> {
        let writers = unwritten::writers(self.plan, input);
        match self.columns(input, &writers) {
            Some(schema) => self.empty(schema, reader).await.map(Some),
            None => Ok(None),
        }
    }

    fn rows(&self, _: usize) -> Option<u64> {
        None
    }
}

impl CheckedFrames<'_> {
    async fn empty(&self, schema: SchemaRef, reader: &Arc<dyn Backend>) -> Result<Frame> {
        let empty = BatchStream::new(schema, stream::empty());
        reader.import(self.cx, empty).await
    }

    /// The columns of what a node has yet to write.
    fn columns(&self, input: &Input, writers: &[(usize, &Writer)]) -> Option<SchemaRef> {
        let &[(position, writer)] = writers else {
            return None;
        };
        let checked = self.checked.borrow();
        let schema = &checked.get(&position)?.schema;
        unwritten::columns(input, writer, &self.plan.nodes[position], schema)
    }
}

/// What a check has to know beside the plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    /// The files of the pipeline itself.
    pub(crate) own: &'a [PathBuf],
    /// Whether every sink will be replaced, whatever its mode.
    pub(crate) full: bool,
}

impl Surroundings<'_> {
    /// These, on an engine that works on this machine's files.
    fn on(&self, local: bool) -> Option<&Self> {
        local.then_some(self)
    }
}

/// Checks every node whose backend is in reach. A node that reads a faulty one is left out: its own faults cannot be told yet. So is one that
/// reads, by path, what a node before it writes, where the columns of that are not known before it is written. Takes down
/// what the columns of the nodes depend on, where that is asked for.
pub(crate) async fn check(
    cx: &RunCx,
    sessions: &Sessions,
    plan: &Plan,
    around: &Surroundings<'_>,
    mut lineages: Option<&mut Lineages>,
) -> (Vec<NodeSchema>, Vec<Fault>) {
    let frames = CheckedFrames {
        cx,
        plan,
        sessions,
        checked: RefCell::new(HashMap::new()),
        look_at_rows: (plan.nodes.iter().flat_map(|node| &node.steps)).any(Step::looks_at_rows),
    };
    let mut schemas = Vec::new();
    let mut faults = Vec::new();
    let mut faulty = vec![false; plan.nodes.len()];
    for (index, node) in plan.nodes.iter().enumerate() {
        // What a node before it will write by then cannot be looked at now.
        let later = !is_known(plan, node, &frames);
        let out_of_reach = !sessions.is_open(&node.backend);
        if later || out_of_reach || node.upstream.iter().any(|&above| faulty[above]) {
            faulty[index] = true;
            continue;
        }
        let checked = check_node(cx, sessions, node, plan.writes.then_some(around), &frames);
        match guarded(&node.name, &node.place, checked).await {
            Ok((schema, output)) => {
                if let Some(lineages) = &mut lineages {
                    match traced(cx, sessions, node, &frames).await {
                        Ok(lineage) => lineages[index] = Some(lineage),
                        Err(error) => faults.push(Fault::new(&node.name, &node.place, error)),
                    }
                }
                if let (Some(frame), Some(schema)) = (output, schema.schema.clone()) {
                    let checked = frames.checked.borrow();
                    let depth = node.upstream.iter().filter_map(|above| checked.get(above));
                    let depth = depth.map(|above| above.depth + 1).max().unwrap_or(0);
                    drop(checked);
                    let depth = if depth > DEEPEST_CHAIN { 0 } else { depth };
                    let entry = Checked {
                        frame,
                        schema,
                        depth,
                    };
                    frames.checked.borrow_mut().insert(index, entry);
                }
                schemas.push(schema);
            }
            Err(found) => {
                faulty[index] = true;
                faults.extend(found);
            }
        }
    }
    (schemas, faults)
}

/// What the columns of a node depend on that is in order.
async fn traced(
    cx: &RunCx,
    sessions: &Sessions,
    node: &NodePlan,
    frames: &CheckedFrames<'_>,
) -> Result<NodeLineage> {
    let backend = sessions.get(&node.backend)?;
    trace(&builder(cx, backend, node, frames), frames).await
}

/// Whether it is known what a node will read that others have yet to write.
fn is_known(plan: &Plan, node: &NodePlan, frames: &CheckedFrames<'_>) -> bool {
    let mut inputs = node.inputs.iter();
    inputs.all(|input| {
        let writers = unwritten::writers(plan, input);
        writers.is_empty() || frames.columns(input, &writers).is_some()
    })
}

fn builder<'a>(
    cx: &'a RunCx,
    backend: &'a Arc<dyn Backend>,
    node: &'a NodePlan,
    frames: &CheckedFrames<'_>,
) -> Builder<'a> {
    Builder {
        cx,
        backend,
        observer: &Silent,
        node,
        rows: false,
        looks_at_rows: frames.look_at_rows,
        files: None,
    }
}

async fn check_node(
    cx: &RunCx,
    sessions: &Sessions,
    node: &NodePlan,
    writes: Option<&Surroundings<'_>>,
    frames: &CheckedFrames<'_>,
) -> Result<(NodeSchema, Option<Frame>), Vec<Fault>> {
    let at_node = |error| vec![Fault::new(&node.name, &node.place, error)];
    let backend = sessions.get(&node.backend).map_err(at_node)?;
    let builder = builder(cx, backend, node, frames);
    let Stage { frame, schema, .. } = builder.stage(frames).await.map_err(|fault| vec![fault])?;
    let resolved = NodeSchema {
        node: node.name.clone(),
        schema,
    };
    let Some(stage) = frame else {
        return Ok((resolved, None));
    };
    let mut faults = faulty_expectations(cx, backend, node, &stage).await;
    if let (Some(around), Some(columns)) = (writes, &resolved.schema) {
        let around = around.on(sessions.is_local(&node.backend));
        faults.extend(faulty_sinks(cx, backend, node, (&stage, columns), around).await);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if node.expectations.is_empty() {
        return Ok((resolved, Some(stage)));
    }
    let steps = expectations::steps(&node.expectations);
    let kept = std::iter::once(&steps.flag).chain(&steps.keep);
    let output = apply_all(cx, backend, stage, kept).await.map_err(at_node)?;
    Ok((resolved, Some(output)))
}

/// Sinks whose place cannot be written, or whose schema the stage frame cannot take. Expectations leave its columns as they are.
async fn faulty_sinks(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    node: &NodePlan,
    (stage, columns): (&Frame, &SchemaRef),
    around: Option<&Surroundings<'_>>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for sink in &node.sinks {
        let at_sink = |error| Fault::new(&node.name, &sink.place, error);
        let target = match (&sink.target, around) {
            (SinkTarget::File { path, .. }, Some(around)) => {
                let found = Target::find(path, around.own).and_then(|target| {
                    outputs::check(sink, &target, around.full)?;
                    Ok(target)
                });
                match found {
                    Ok(target) => Some((target, around.full)),
                    // Another run has just removed it. The node looks again when it holds the lock.
                    Err(error) if error.kind() == ErrorKind::NotFound => None,
                    Err(error) => {
                        faults.push(at_sink(error));
                        continue;
                    }
                }
            }
            _ => None,
        };
        let mut written = (stage.clone(), Arc::clone(columns));
        if let Some(schema) = &sink.schema {
            match conformed(cx, backend, (stage, columns), schema).await {
                Ok(conformed) => written = conformed,
                Err(error) => {
                    faults.push(of_schema(&node.name, &sink.place, error));
                    continue;
                }
            }
        }
        let (frame, columns) = written;
        let format = sink.target.format().filter(|format| format.has_log());
        if let (Some((target, full)), Some(format)) = (&target, format) {
            let merge = (sink.merge.as_ref(), &frame);
            let found = match merge {
                (Some(merge), frame) => faulty_condition(cx, backend, node, merge, frame).await,
                (None, _) => None,
            };
            let table = (target, *full);
            let found = match found {
                Some(fault) => Some(fault),
                None => faulty_table(cx, backend, sink, format, table, &columns)
                    .await
                    .err()
                    .map(|(place, error)| Fault::new(&node.name, &place, error)),
            };
            faults.extend(found);
            continue;
        }
        if let SinkTarget::File { path, format } = &sink.target
            && let Err(error) = writable(backend, (path, format), &sink.options, &columns)
        {
            let option = faulty_option(backend, (path, format), sink, &columns, &error);
            faults.push(match option {
                Some(option) => {
                    let place = sink.place.key("writer_kwargs").key(option);
                    Fault::new(&node.name, &place, error)
                }
                None => at_sink(error),
            });
            continue;
        }
        if let Some((target, full)) = target
            && target.existing.is_some()
            && outputs::mode(sink, full) == SinkMode::Append
            && let Err(error) = fits(cx, backend, sink, &frame).await
            && error.kind() != ErrorKind::NotFound
        {
            faults.push(at_sink(error));
        }
    }
    faults
}

/// That the sink's format has a form for each column, and the writer takes its options.
fn writable(
    backend: &Arc<dyn Backend>,
    (path, format): (&str, &Format),
    options: &Options,
    columns: &SchemaRef,
) -> Result<()> {
    let mut spec = WriteSpec::new(format.clone(), path);
    spec.options.clone_from(options);
    backend.writable(&spec, columns)
}

/// Whether rows of such columns can become a version of the table that a sink writes to; else what is wrong, at its place.
async fn faulty_table(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    sink: &SinkPlan,
    format: &Format,
    (target, full): (&Target, bool),
    schema: &SchemaRef,
) -> Result<(), (Path, Error)> {
    let at_sink = |error| (sink.place.clone(), error);
    let Some(known) = cx.table_format(format).map_err(at_sink)? else {
        return Ok(());
    };
    let files = tables::file_options(&sink.options);
    let path = sink.target.to_string();
    writable(backend, (&path, &Format::Parquet), &files, schema).map_err(at_sink)?;
    let columns: Vec<Field> = (schema.fields().iter())
        .map(|field| Field::from_arrow(field))
        .collect();
    let (own, target) = (sink.clone(), target.clone());
    let mode = outputs::mode(sink, full);
    let check = move || Ok(tables::check(known, &own, &target, (mode, full), &columns));
    cx.blocking(check).await.map_err(at_sink)?
}

/// The fault of the condition of deletes, where it does not fit the rows.
async fn faulty_condition(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    node: &NodePlan,
    merge: &MergePlan,
    frame: &Frame,
) -> Option<Fault> {
    let condition = merge.delete_where.as_ref()?;
    let select = Op::Select {
        exprs: vec![condition.expr.clone().alias("deletes")],
    };
    let error = match resolved_condition(cx, backend, frame, &select).await {
        Ok(()) => return None,
        Err(error) => error,
    };
    let fault = Fault::new(&node.name, &condition.place, error);
    Some(match typing::columns(&**backend, cx, frame).await {
        Ok(columns) => located(fault, &[condition.read()], &columns),
        Err(_) => fault,
    })
}

/// That each column of a selection is a condition.
async fn resolved_condition(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    frame: &Frame,
    select: &Op,
) -> Result<()> {
    let conditions = apply_all(cx, backend, frame.clone(), [select]).await?;
    let conditions = backend.schema(cx, &conditions).await?;
    let wrong = conditions
        .fields()
        .iter()
        .find(|field| !matches!(field.data_type(), DataType::Boolean | DataType::Null));
    match wrong {
        None => Ok(()),
        Some(field) => Err(Error::new(
            ErrorKind::TypeMismatch,
            format!(
                "a condition is true or false for each row, but this one is of type {}",
                DType::from_arrow(field.data_type())
            ),
        )
        .with_hint("compare it with something: `... > 0`")),
    }
}

/// The option that the writer does not take, given alone.
fn faulty_option(
    backend: &Arc<dyn Backend>,
    (path, format): (&str, &Format),
    sink: &SinkPlan,
    columns: &SchemaRef,
    error: &Error,
) -> Option<String> {
    let refused = |(name, value): &(&String, &OptionValue)| {
        let mut spec = WriteSpec::new(format.clone(), path);
        spec.options.insert((*name).clone(), (*value).clone());
        let alone = backend.writable(&spec, columns).err();
        alone.is_some_and(|alone| alone.message() == error.message())
    };
    let mut options = sink.options.iter();
    options.find(refused).map(|(name, _)| name.clone())
}

/// The fault of a sink's schema: at the name of a column that is not there, or at the type that one does not take.
fn of_schema(node: &str, sink: &Path, error: Error) -> Fault {
    let schema = sink.key("schema_definition");
    let Some(Subject::Name(column)) = error.subject() else {
        return Fault::new(node, &schema, error);
    };
    let place = schema.key("columns").key(column);
    let at_key = error.kind() == ErrorKind::ColumnNotFound;
    Fault {
        at_key,
        ..Fault::new(node, &place, error)
    }
}

/// The frame as a sink's schema wants it, with its columns: every one is there, and none of its values is cut to fit.
async fn conformed(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    (stage, present): (&Frame, &SchemaRef),
    wanted: &[Field],
) -> Result<(Frame, SchemaRef)> {
    let conformed = apply_all(cx, backend, stage.clone(), [&conform(wanted)]).await?;
    let columns = backend.schema(cx, &conformed).await?;
    for field in wanted {
        let Ok(column) = present.field_with_name(&field.name) else {
            continue;
        };
        let dtype = DType::from_arrow(column.data_type());
        if let Some(lost) = silent_loss(&dtype, &field.dtype) {
            let message = format!(
                "column `{}` is {dtype}, and would lose {lost} as {}",
                field.name, field.dtype
            );
            let hint = "round or cast it in a step of the transformer, where it can be seen, or declare a type that holds it";
            return Err(Error::new(ErrorKind::SchemaMismatch, message)
                .with_subject(Subject::Name(field.name.clone()))
                .with_hint(hint));
        }
    }
    Ok((conformed, columns))
}

async fn faulty_expectations(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    node: &NodePlan,
    stage: &Frame,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    if node.expectations.is_empty() {
        return faults;
    }
    if resolve_expectations(cx, backend, &node.expectations, stage)
        .await
        .is_ok()
    {
        return faults;
    }
    for expectation in &node.expectations {
        let one = std::slice::from_ref(expectation);
        if let Err(error) = resolve_expectations(cx, backend, one, stage).await {
            let fault = Fault::new(&node.name, &expectation.place, error);
            faults.push(match typing::columns(&**backend, cx, stage).await {
                Ok(columns) => located(fault, &[expectation.read()], &columns),
                Err(_) => fault,
            });
        }
    }
    faults
}

async fn resolve_expectations(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    expectations: &[laktory_plan::ExpectationPlan],
    stage: &Frame,
) -> Result<()> {
    let steps = expectations::steps(expectations);
    resolved_condition(cx, backend, stage, &steps.conditions).await?;
    let metrics = [&steps.flag, &steps.metrics];
    let metrics = apply_all(cx, backend, stage.clone(), metrics).await?;
    backend.schema(cx, &metrics).await.map(|_| ())
}

/// The frame after several operations.
pub(crate) async fn apply_all<'a>(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    mut frame: Frame,
    ops: impl IntoIterator<Item = &'a Op>,
) -> Result<Frame> {
    for op in ops {
        frame = typing::apply(&**backend, cx, &frame, op, &NamedFrames::new()).await?;
    }
    Ok(frame)
}
