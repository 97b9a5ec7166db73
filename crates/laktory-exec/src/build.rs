//! From a node's plan to its lazy frame: inputs, post-read steps, transformer steps. Nothing is computed here.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::stream;
use laktory_core::arrow::schema::SchemaRef;
use laktory_core::{
    Backend, BatchStream, Catalog, Error, ErrorKind, Expr, Frame, FrameName, Job, NamedFrames, Op,
    Outcome, Result, RunCx, Subject, Target, typing,
};
use laktory_model::Path;
use laktory_plan::{Input, InputSource, NodePlan, Step, StepKind, Stored, Text};

use crate::event::{Event, Observer};
use crate::fault::Fault;
use crate::locate::located;
use crate::seen::SourceFiles;
use crate::sessions::transfer;
use crate::{files, inline, tables};

/// Columns that a hint names.
const MOST_COLUMNS: usize = 20;

/// The output frames of nodes, for nodes that read them.
pub(crate) trait NodeFrames {
    /// The frame of the node at a position of the plan, in the reader's engine.
    fn frame(&self, node: usize, reader: &Arc<dyn Backend>) -> impl Future<Output = Result<Frame>>;

    /// The session of a backend of the run.
    fn session(&self, backend: &str) -> Result<&Arc<dyn Backend>>;

    /// A frame with the columns of what an input will hold once a node before it has written it. None when the input
    /// can be read as it is.
    fn unwritten(
        &self,
        input: &Input,
        reader: &Arc<dyn Backend>,
    ) -> impl Future<Output = Result<Option<Frame>>> {
        let _ = (input, reader);
        std::future::ready(Ok(None))
    }

    /// Rows that the node put out, where they were counted.
    fn rows(&self, node: usize) -> Option<u64>;
}

/// A node's frame after its transformer.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The frame; none for a node that has neither source nor step.
    pub(crate) frame: Option<Frame>,
    /// Names and types of its columns.
    pub(crate) schema: Option<SchemaRef>,
    /// What the readers of its sources have to say.
    pub(crate) warnings: Vec<String>,
    /// Rows in all that the node reads, where they are known.
    pub(crate) rows_read: Option<u64>,
}

/// What building needs to know.
pub(crate) struct Builder<'a> {
    pub(crate) cx: &'a RunCx,
    pub(crate) backend: &'a Arc<dyn Backend>,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) node: &'a NodePlan,
    /// Whether rows will be computed, not only names and types.
    pub(crate) rows: bool,
    /// Whether a step looks at rows to tell its columns, so that files are read in earnest.
    pub(crate) looks_at_rows: bool,
    /// Where the files are taken down that the node reads, under its position in the plan.
    pub(crate) files: Option<(&'a SourceFiles, usize)>,
}

impl Builder<'_> {
    /// Builds the node's frame and resolves its schema; a fault names the step that caused it.
    pub(crate) async fn stage(&self, nodes: &impl NodeFrames) -> Result<Stage, Fault> {
        match self.build(nodes).await {
            Ok(stage) => Ok(stage),
            // A step may fail over what an earlier one did wrong. Finding that one is paid on failure only.
            Err(fault) => Err(self.first_fault(nodes).await.err().unwrap_or(fault)),
        }
    }

    async fn build(&self, nodes: &impl NodeFrames) -> Result<Stage, Fault> {
        let (mut named, read, warnings) = self.inputs(nodes).await?;
        let frame = self
            .steps(self.primary(&named), &self.node.steps, &mut named, true)
            .await?;
        let schema = match &frame {
            Some(frame) => Some(
                self.backend
                    .schema(self.cx, frame)
                    .await
                    .map_err(|error| Fault::new(&self.node.name, &self.node.place, error))?,
            ),
            None => None,
        };
        Ok(Stage {
            frame,
            schema,
            warnings,
            rows_read: read.total(),
        })
    }

    /// The frames of the inputs, with their rows and warnings.
    pub(crate) async fn inputs(
        &self,
        nodes: &impl NodeFrames,
    ) -> Result<(NamedFrames, Read, Vec<String>), Fault> {
        let (mut named, mut read) = (NamedFrames::new(), Read::default());
        let mut warnings = Vec::new();
        for input in &self.node.inputs {
            let frame = self.input(input, nodes, &mut read, &mut warnings).await?;
            named.insert(input.name.clone(), frame);
        }
        Ok((named, read, warnings))
    }

    /// The frame that the first step works on.
    pub(crate) fn primary(&self, named: &NamedFrames) -> Option<Frame> {
        let name = self.node.primary.as_ref()?;
        named.get(name).ok().cloned()
    }

    async fn input(
        &self,
        input: &Input,
        nodes: &impl NodeFrames,
        read: &mut Read,
        warnings: &mut Vec<String>,
    ) -> Result<Frame, Fault> {
        let (kind, source) = describe(&input.source);
        self.observer.on(&Event::Reading {
            node: self.node.name.clone(),
            kind,
            name: input.name.clone(),
            source,
            backend: self.node.backend.clone(),
        });
        let at = |error| self.of_input(input, error);
        let frame = self.source(input, nodes).await.map_err(at)?;
        warnings.extend_from_slice(frame.warnings());
        let rows = match &input.source {
            InputSource::Node { node, .. } => nodes.rows(*node),
            InputSource::Inline(data) => inline::count(&data.data),
            _ => frame.source_rows(),
        };
        read.add(&input.source, rows);
        self.observer.on(&Event::Read {
            node: self.node.name.clone(),
            name: input.name.clone(),
            rows,
        });
        let mut named = NamedFrames::new();
        let frame = self
            .steps(Some(frame), &input.steps, &mut named, false)
            .await?;
        frame.ok_or_else(|| at(Error::internal("a source without frame")))
    }

    /// The fault of what an input reads; at its path, where that leads nowhere, or at a column of its schema.
    fn of_input(&self, input: &Input, error: Error) -> Fault {
        let (InputSource::Files(spec), Some(Subject::Name(name))) =
            (&input.source, error.subject())
        else {
            return Fault::new(&self.node.name, &input.place, error);
        };
        if *name == spec.path {
            return Fault::new(&self.node.name, &input.place.key("path"), error);
        }
        let mut declared = spec.schema.iter().flatten();
        if !declared.any(|field| field.name == *name) {
            return Fault::new(&self.node.name, &input.place, error);
        }
        let columns = input.place.key("schema_definition").key("columns");
        let place = columns.key(name.as_str());
        Fault {
            at_key: true,
            ..Fault::new(&self.node.name, &place, error)
        }
    }

    /// What an input reads, before the steps of its own.
    pub(crate) async fn source(&self, input: &Input, nodes: &impl NodeFrames) -> Result<Frame> {
        if let Some(frame) = nodes.unwritten(input, self.backend).await? {
            return Ok(frame);
        }
        match &input.source {
            InputSource::Files(spec) => {
                let rows = self.rows || self.looks_at_rows;
                let note = |files: &[PathBuf]| {
                    if let Some((seen, node)) = self.files {
                        seen.note(node, &input.place, files);
                    }
                };
                let filter = first_filter(&input.steps);
                read_noted(self.cx, self.backend, (spec, filter), rows, note).await
            }
            InputSource::Table(spec) => catalog(self.backend)?.table(self.cx, spec).await,
            InputSource::Sink {
                name,
                backend,
                read,
            } => {
                // What holds no types is read by the backend that wrote it.
                let owner = match read.is_untyped() {
                    true => nodes.session(backend)?,
                    false => self.backend,
                };
                let frame = read_stored(self.cx, owner, &read.read, self.rows).await;
                let frame = frame.map_err(|error| {
                    error.context(format!(
                        "node `{name}` is not part of this run, and its output cannot be read"
                    ))
                })?;
                if self.rows || frame.backend() == self.backend.descriptor().name {
                    return transfer(self.cx, frame, owner, self.backend).await;
                }
                let schema = owner.schema(self.cx, &frame).await?;
                let empty = BatchStream::new(schema, stream::empty());
                self.backend.import(self.cx, empty).await
            }
            InputSource::Inline(data) => {
                let batches = inline::batches(&data.data, data.schema.as_deref())?;
                self.backend.import(self.cx, batches).await
            }
            InputSource::Node { node, .. } => nodes.frame(*node, self.backend).await,
            _ => Err(Error::internal("a source that this executor does not know")),
        }
    }

    /// The frame after `steps`. Each of them is in `named` while the next one is built.
    pub(crate) async fn steps(
        &self,
        mut frame: Option<Frame>,
        steps: &[Step],
        named: &mut NamedFrames,
        announce: bool,
    ) -> Result<Option<Frame>, Fault> {
        let mut random = false;
        for (index, step) in steps.iter().enumerate() {
            let named_twice = step.references(&FrameName::Df)
                + usize::from(matches!(step.kind, StepKind::Ops(_)))
                > 1;
            if let Some(drawn) = frame
                .as_ref()
                .filter(|_| random && named_twice && self.rows)
            {
                // Every place that names the frame sees the same rows.
                let once = computed_once(self.cx, self.backend, drawn.clone()).await;
                let at = |error| Fault::new(&self.node.name, &step.place, error);
                frame = Some(once.map_err(at)?);
                random = false;
            }
            random |= !step.is_deterministic();
            if announce {
                self.observer.on(&Event::Step {
                    node: self.node.name.clone(),
                    index,
                    kind: match step.kind {
                        StepKind::Sql(_) => "DataFrameExpr",
                        StepKind::Ops(_) => "DataFrameMethod",
                    },
                    text: laktory_syntax::shortened(step.label.clone()),
                });
            }
            if let Some(frame) = &frame {
                named.insert(FrameName::Df, frame.clone());
            }
            let next = self.step(frame, step, named).await;
            frame = Some(next.map_err(|error| Fault::new(&self.node.name, &step.place, error))?);
        }
        Ok(frame)
    }

    async fn step(&self, frame: Option<Frame>, step: &Step, named: &NamedFrames) -> Result<Frame> {
        match &step.kind {
            StepKind::Sql(query) => self.backend.sql(self.cx, query, named).await,
            StepKind::Ops(ops) => {
                let mut frame = frame.ok_or_else(|| {
                    Error::new(
                        ErrorKind::UnknownFrame,
                        "this step needs a frame to work on, and the node has no source",
                    )
                    .with_hint("add a source, or begin with a SQL step that reads `{nodes.<name>}`")
                })?;
                for op in ops {
                    frame = typing::apply(&**self.backend, self.cx, &frame, op, named).await?;
                }
                Ok(frame)
            }
        }
    }

    /// Walks the inputs and steps again, resolving the schema after each, up to the first that fails.
    async fn first_fault(&self, nodes: &impl NodeFrames) -> Result<(), Fault> {
        let mut named = NamedFrames::new();
        let mut frame = None;
        for input in &self.node.inputs {
            let at = |place, error| Fault::new(&self.node.name, place, error);
            let source = self.source(input, nodes).await;
            let mut read = source.map_err(|error| self.of_input(input, error))?;
            self.resolves(&read)
                .await
                .map_err(|error| at(&input.place, error))?;
            for step in &input.steps {
                let before = read.clone();
                let next = self.step(Some(read), step, &NamedFrames::new()).await;
                let next = match next {
                    Ok(next) => self.resolves(&next).await.map(|()| next),
                    Err(error) => Err(error),
                };
                read = match next {
                    Ok(next) => next,
                    Err(error) => {
                        let fault = at(&step.place, error);
                        return Err(self.located(fault, &before, &step.texts()).await);
                    }
                };
            }
            if self.node.primary.as_ref() == Some(&input.name) {
                frame = Some(read.clone());
            }
            named.insert(input.name.clone(), read);
        }
        for (number, step) in self.node.steps.iter().enumerate() {
            if let Some(frame) = &frame {
                named.insert(FrameName::Df, Frame::clone(frame));
            }
            let before = frame.clone();
            let next = match self.step(frame, step, &named).await {
                Ok(next) => self.resolves(&next).await.map(|()| next),
                Err(error) => Err(error),
            };
            frame = match next {
                Ok(next) => Some(next),
                Err(error) => {
                    let error = self.with_columns(before.as_ref(), error).await;
                    let (place, error) = self.narrowed(before.clone(), step, &named, error).await;
                    let fault = Fault::new(&self.node.name, place, error);
                    return Err(match before {
                        Some(before) => {
                            let texts = self.texts_of(number);
                            self.located(fault, &before, &texts).await
                        }
                        None => fault,
                    });
                }
            };
        }
        Ok(())
    }

    /// The texts of a step, and of those before it that became part of it.
    fn texts_of(&self, number: usize) -> Vec<Text> {
        let joined = |step: &&Step| matches!(&step.kind, StepKind::Ops(ops) if ops.is_empty());
        let before = self.node.steps[..number].iter().rev();
        let parts = before.take_while(joined).count();
        let steps = self.node.steps[number - parts..=number].iter();
        steps.flat_map(Step::texts).collect()
    }

    /// A fault of a step on a frame, at the word that is at fault.
    async fn located(&self, fault: Fault, before: &Frame, texts: &[Text]) -> Fault {
        match typing::columns(&**self.backend, self.cx, before).await {
            Ok(columns) => located(fault, texts, &columns),
            Err(_) => fault,
        }
    }

    /// The error with the columns that there are, where it misses one and does not say them.
    async fn with_columns(&self, frame: Option<&Frame>, error: Error) -> Error {
        let (ErrorKind::ColumnNotFound, None, Some(frame)) = (error.kind(), error.hint(), frame)
        else {
            return error;
        };
        let Ok(schema) = self.backend.schema(self.cx, frame).await else {
            return error;
        };
        let names: Vec<String> = (schema.fields().iter().take(MOST_COLUMNS))
            .map(|field| format!("`{}`", field.name()))
            .collect();
        match names.is_empty() {
            true => error,
            false => error.with_hint(format!("columns here: {}", names.join(", "))),
        }
    }

    /// The argument of a failing step that fails by itself, with its own error; else the whole step.
    async fn narrowed<'s>(
        &self,
        frame: Option<Frame>,
        step: &'s Step,
        named: &NamedFrames,
        error: Error,
    ) -> (&'s Path, Error) {
        let (Some(frame), StepKind::Ops(ops)) = (frame, &step.kind) else {
            return (&step.place, error);
        };
        let alone = match ops.as_slice() {
            [op] => one_by_one(op),
            _ => Vec::new(),
        };
        match (step.arguments.as_slice(), alone.len()) {
            ([place], 1) => (place, error),
            (places, count) if places.len() == count => {
                for (op, place) in alone.iter().zip(places) {
                    let step = typing::apply(&**self.backend, self.cx, &frame, op, named);
                    let outcome = match step.await {
                        Ok(frame) => self.resolves(&frame).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = outcome {
                        return (place, error);
                    }
                }
                (&step.place, error)
            }
            _ => (&step.place, error),
        }
    }

    async fn resolves(&self, frame: &Frame) -> Result<()> {
        self.backend.schema(self.cx, frame).await.map(|_| ())
    }
}

/// Rows of the inputs of a node, each node before it counted once.
#[derive(Default)]
pub(crate) struct Read {
    nodes: Vec<usize>,
    rows: Vec<Option<u64>>,
}

impl Read {
    fn add(&mut self, source: &InputSource, rows: Option<u64>) {
        if let InputSource::Node { node, .. } = source {
            if self.nodes.contains(node) {
                return;
            }
            self.nodes.push(*node);
        }
        self.rows.push(rows);
    }

    /// The sum; none where there is no input, or one of them was not counted.
    fn total(&self) -> Option<u64> {
        if self.rows.is_empty() {
            return None;
        }
        self.rows.iter().copied().sum()
    }
}

/// The operation with each of its expressions alone.
pub(crate) fn one_by_one(op: &Op) -> Vec<Op> {
    match op {
        Op::Select { exprs } | Op::WithColumns { exprs } => {
            let alone = exprs.iter().map(|expr| Op::Select {
                exprs: vec![expr.clone()],
            });
            alone.collect()
        }
        Op::Filter { .. } => vec![op.clone()],
        Op::Aggregate {
            keys,
            aggs,
            drop_null_keys,
        } => {
            let alone = aggs.iter().map(|agg| Op::Aggregate {
                keys: keys.clone(),
                aggs: vec![agg.clone()],
                drop_null_keys: *drop_null_keys,
            });
            alone.collect()
        }
        _ => Vec::new(),
    }
}

/// A frame that holds the rows of another, which are computed now, once: what is random is the same for all that read it.
pub(crate) async fn computed_once(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    frame: Frame,
) -> Result<Frame> {
    let target = Target::Materialize;
    let outcomes = backend.execute(cx, vec![Job::new(frame, target)]).await?;
    match outcomes.into_iter().next() {
        Some(Outcome::Materialized { frame, .. }) => Ok(frame),
        _ => Err(Error::internal("the engine kept no frame")),
    }
}

/// A frame over the files that a specification names, listed here when the backend works on local files. `rows` as in
/// [`ReadSpec::rows`](laktory_core::ReadSpec).
pub(crate) async fn read_files(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    spec: &laktory_core::ReadSpec,
    rows: bool,
) -> Result<Frame> {
    read_noted(cx, backend, (spec, None), rows, |_| {}).await
}

/// The condition that each row goes through before anything else.
fn first_filter(steps: &[Step]) -> Option<&Expr> {
    match &steps.first()?.kind {
        StepKind::Ops(ops) => match ops.first()? {
            Op::Filter { predicate } => Some(predicate),
            _ => None,
        },
        StepKind::Sql(_) => None,
    }
}

/// [`read_files`] through a filter, with the files told to `note` before they are read.
async fn read_noted(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    (spec, filter): (&laktory_core::ReadSpec, Option<&Expr>),
    rows: bool,
    note: impl FnOnce(&[PathBuf]),
) -> Result<Frame> {
    let mut spec = spec.clone();
    spec.rows = rows;
    if (backend.descriptor().capabilities)().local_files {
        if let Some(format) = cx.table_format(&spec.format)? {
            let table = tables::open(cx, format, &spec, filter, rows).await?;
            note(table.files());
            return table.frame(cx, backend).await;
        }
        let (path, format) = (spec.path.clone(), spec.format.clone());
        let resolved = cx.blocking(move || files::resolve(&path, &format)).await;
        let of_path = |error: Error| error.with_subject(Subject::Name(spec.path.clone()));
        spec.files = resolved.map_err(of_path)?;
    }
    note(&spec.files);
    backend.read(cx, &spec).await
}

/// A frame over what a sink wrote.
pub(crate) async fn read_stored(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    stored: &Stored,
    rows: bool,
) -> Result<Frame> {
    match stored {
        Stored::Files(spec) => read_files(cx, backend, spec, rows).await,
        Stored::Table(spec) => catalog(backend)?.table(cx, spec).await,
    }
}

/// The catalog of a session whose backend declares that there is one.
pub(crate) fn catalog(backend: &Arc<dyn Backend>) -> Result<&dyn Catalog> {
    let missing = || {
        let name = backend.descriptor().name;
        Error::internal(format!("backend {name} declares tables and has no catalog"))
    };
    backend.catalog().ok_or_else(missing)
}

fn describe(source: &InputSource) -> (&'static str, String) {
    match source {
        InputSource::Files(spec) => ("FileDataSource", spec.path.clone()),
        InputSource::Table(spec) => ("TableDataSource", spec.name.to_string()),
        InputSource::Inline(_) => ("DataFrameDataSource", "data".to_owned()),
        InputSource::Node { name, .. } | InputSource::Sink { name, .. } => {
            ("PipelineNodeDataSource", name.clone())
        }
        _ => ("DataSource", String::new()),
    }
}
