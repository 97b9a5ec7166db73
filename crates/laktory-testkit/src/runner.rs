//! Cases carried out on one connected backend, through the doors that the executor uses too: parse, apply, schema,
//! export.
//!
//! A session is reused for all cases. It owns a runtime of one thread; blocking work of drivers goes to its pool.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use arrow_array::RecordBatch;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use laktory_core::{
    Backend, BackendConfig, BackendDescriptor, BatchStream, BlockingPool, Cancel, Capabilities,
    DType, Error, ErrorKind, Field, Frame, FrameName, NamedFrames, Op, OpKind, Result, RunCx,
    SqlTemplate, typing,
};
use laktory_syntax::FragmentError;
use serde_json::Value;

use crate::case::{Case, Expect, Step};
use crate::compare::{Actual, Rules, compare, table_text, types_match};
use crate::frames::Table;
use crate::kinds::{answers, is_defect};
use crate::needs::Needs;

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As expected.
    Passed,
    /// Refused as `Unsupported`, as the driver's capabilities declare; with what is missing.
    Unsupported(String),
    /// Not as expected.
    Failed(String),
}

/// What running the steps gave.
#[derive(Clone, Debug)]
enum Outcome {
    Frame(Actual),
    Value(Value),
    Refused(Vec<Refusal>),
}

/// One error, from the parser or the driver.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: String,
    pub(crate) message: String,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let mut message = error.message().to_owned();
        if let Some(hint) = error.hint() {
            message = format!("{message} (hint: {hint})");
        }
        Self {
            kind: error.kind().name().to_owned(),
            message,
        }
    }
}

/// Answers a method that looks at the columns of a frame and returns a value, such as `laktory.has_column`.
pub type Inspector = fn(&str, &[Value], &[Field]) -> Result<Value>;

impl From<&FragmentError> for Refusal {
    fn from(error: &FragmentError) -> Self {
        Self {
            kind: error.code.replace('-', "_"),
            message: error.message.clone(),
        }
    }
}

/// A backend to run cases on.
#[derive(Debug)]
pub struct Session {
    runtime: tokio::runtime::Runtime,
    cx: RunCx,
    backend: Arc<dyn Backend>,
    capabilities: Capabilities,
    exact_types: bool,
    inspector: Option<Inspector>,
    /// Where the server was lost. What follows fails at once, since each case would look for it anew.
    lost: OnceLock<String>,
}

struct Pool(tokio::runtime::Handle);

impl BlockingPool for Pool {
    fn spawn(&self, work: Box<dyn FnOnce() + Send>) {
        drop(self.0.spawn_blocking(work));
    }
}

impl Session {
    /// Connects to a backend. With `exact_types` its results must have exactly the expected types; otherwise types of
    /// the same family are accepted.
    ///
    /// # Errors
    /// Those of the driver; `Io` when no runtime can be had.
    pub fn connect(
        descriptor: &'static BackendDescriptor,
        config: &BackendConfig,
        exact_types: bool,
    ) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Plans are walked recursively, and frames of code that is not optimised are large.
            .thread_stack_size(64 << 20)
            .build()?;
        let scratch = std::env::temp_dir().join(format!("laktory-cases-{}", std::process::id()));
        let cx = RunCx::new(
            Arc::new(Pool(runtime.handle().clone())),
            Cancel::new(),
            scratch,
            256 << 20,
            SystemTime::now(),
        );
        let backend = runtime.block_on((descriptor.connect)(&cx, config))?;
        Ok(Self {
            runtime,
            cx,
            backend,
            capabilities: (descriptor.capabilities)(),
            exact_types,
            inspector: None,
            lost: OnceLock::new(),
        })
    }

    /// Answers inspections with `inspector`; without one they are refused as unsupported.
    #[must_use]
    pub fn with_inspector(mut self, inspector: Option<Inspector>) -> Self {
        self.inspector = inspector;
        self
    }

    /// Carries out a case and judges its result.
    #[must_use]
    pub fn run(&self, case: &Case) -> Verdict {
        let mut needs = Needs::default();
        let outcome = self
            .guarded(&case.id, self.outcome(case, &mut needs))
            .unwrap_or_else(|error| Outcome::Refused(vec![error.into()]));
        match needs.missing(&self.capabilities) {
            Some(missing) => match &outcome {
                Outcome::Refused(errors) if errors.iter().any(|e| e.kind == "unsupported") => {
                    Verdict::Unsupported(missing)
                }
                _ if matches!(case.expect, Expect::Error(_)) => self.judge(case, &outcome),
                _ => Verdict::Failed(format!(
                    "the capabilities say that {missing} is not available, but the step is not refused as unsupported: {}",
                    described(&outcome)
                )),
            },
            None => self.judge(case, &outcome),
        }
    }

    /// A batch inside the engine.
    ///
    /// # Errors
    /// Those of the driver.
    pub(crate) fn import_batch(&self, batch: &RecordBatch) -> Result<Frame> {
        let batches = stream::iter([Ok(batch.clone())]).boxed();
        let batches = BatchStream::new(batch.schema(), batches);
        self.runtime
            .block_on(self.backend.import(&self.cx, batches))
    }

    /// The rows that one step gives.
    ///
    /// # Errors
    /// Those of the driver; `Internal` when it panics, or gives other columns than it promised.
    pub(crate) fn compute(&self, frame: &Frame, op: &Op) -> Result<Actual> {
        let work = async {
            let none = NamedFrames::new();
            let frame = typing::apply(&*self.backend, &self.cx, frame, op, &none).await?;
            self.exported(&frame).await
        };
        self.guarded("a random tree", work)
    }

    /// What the session runs on.
    pub(crate) fn engine(&self) -> (&RunCx, &dyn Backend) {
        (&self.cx, &*self.backend)
    }

    /// Work whose panics are errors. Once the server is lost there is none.
    pub(crate) fn guarded<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if let Some(known) = self.lost.get() {
            let message = format!("the server was lost before: {known}");
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let run = AssertUnwindSafe(|| self.runtime.block_on(work));
        let outcome = std::panic::catch_unwind(run)
            .unwrap_or_else(|panic| Err(Error::from_panic(panic.as_ref())));
        if let Err(error) = &outcome
            && error.kind() == ErrorKind::Io
            && error.is_retryable()
        {
            // Whoever came first has it; both say the same.
            let _ = self.lost.set(format!("{what}: {error}"));
        }
        outcome
    }

    async fn outcome(&self, case: &Case, needs: &mut Needs) -> Result<Outcome> {
        let mut named = NamedFrames::new();
        let mut frame = None;
        for (name, table) in &case.frames {
            let imported = self
                .import(table)
                .await
                .map_err(|e| e.context(format!("import of `{name}`")))?;
            if name == "df" {
                frame = Some(imported);
            } else {
                named.insert(frame_name(name), imported);
            }
        }
        let mut frame =
            frame.ok_or_else(|| Error::internal("the case has no frame called `df`"))?;
        if let Expect::Value(_) = case.expect {
            return self.inspect(case, &frame).await;
        }
        let backend = &*self.backend;
        let steps = match compiled(&case.steps) {
            Ok(steps) => steps,
            Err(refusals) => return Ok(Outcome::Refused(refusals)),
        };
        for step in &steps {
            match step {
                Compiled::Sql(_) => {
                    needs.ops.insert(OpKind::Sql);
                }
                Compiled::Ops(ops) => ops.iter().for_each(|op| needs.op(op)),
            }
        }
        for step in &steps {
            match step {
                Compiled::Sql(template) => {
                    let mut visible = named.clone();
                    visible.insert(FrameName::Df, frame);
                    self.needed_by(template, &visible, needs).await?;
                    frame = self.backend.sql(&self.cx, template, &visible).await?;
                }
                Compiled::Ops(ops) => {
                    // A lambda may use the frame of the step twice: `lambda d: nw.concat([d, d])`.
                    let mut visible = named.clone();
                    visible.insert(FrameName::Df, frame.clone());
                    for op in ops {
                        frame = typing::apply(backend, &self.cx, &frame, op, &visible).await?;
                    }
                }
            }
        }
        self.exported(&frame).await.map(Outcome::Frame)
    }

    /// Adds what a statement needs, where its steps are all that the driver has for it.
    async fn needed_by(
        &self,
        template: &SqlTemplate,
        named: &NamedFrames,
        needs: &mut Needs,
    ) -> Result<()> {
        if !self.capabilities.sql_by_steps {
            return Ok(());
        }
        let mut columns = BTreeMap::new();
        for name in template.frames() {
            let frame = named.get(name)?;
            let known = typing::columns(&*self.backend, &self.cx, frame).await?;
            columns.insert(name.clone(), known.to_vec());
        }
        if let laktory_sql::Outcome::Plan(plan, _) = laktory_sql::plan(template, &columns) {
            plan.ops().into_iter().for_each(|op| needs.op(op));
        }
        Ok(())
    }

    /// The rows of a frame, which must be of the schema that was promised.
    pub(crate) async fn exported(&self, frame: &Frame) -> Result<Actual> {
        let schema = self.backend.schema(&self.cx, frame).await?;
        let stream = self.backend.export(&self.cx, frame).await?;
        let actual = Actual {
            schema: stream.schema(),
            batches: stream.try_collect().await?,
        };
        let promised: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| (field.name(), DType::from_arrow(field.data_type())))
            .collect();
        self.as_typed(frame, &promised)?;
        let exported = actual.schema.fields().iter();
        let agree = promised.len() == actual.schema.fields().len()
            && promised.iter().zip(exported).all(|((name, dtype), field)| {
                *name == field.name()
                    && types_match(dtype, &DType::from_arrow(field.data_type()), true)
            });
        if !agree {
            return Err(Error::internal(format!(
                "`schema` promised {promised:?}, `export` gave {:?}",
                actual.schema.fields()
            )));
        }
        Ok(actual)
    }

    /// What typing knows of a frame, the engine must say too: names, their order, and types.
    fn as_typed(&self, frame: &Frame, promised: &[(&String, DType)]) -> Result<()> {
        let Some(typed) = frame.columns() else {
            return Ok(());
        };
        let agree = promised.len() == typed.len()
            && promised.iter().zip(&*typed).all(|((name, dtype), field)| {
                **name == field.name && types_match(&field.dtype, dtype, self.exact_types)
            });
        match agree {
            true => Ok(()),
            false => Err(Error::internal(format!(
                "`schema` promised {promised:?}, typing {typed:?}"
            ))),
        }
    }

    /// A frame of the case inside the engine. Types that travel as another Arrow type are converted there, unless the
    /// engine refuses to.
    async fn import(&self, table: &Table) -> Result<Frame> {
        let batch = table.batch().map_err(Error::internal)?;
        let batches = BatchStream::new(batch.schema(), stream::iter([Ok(batch)]).boxed());
        let frame = self.backend.import(&self.cx, batches).await?;
        let carried: Vec<(String, DType)> = table
            .columns
            .iter()
            .filter(|column| is_carried(&column.dtype))
            .map(|column| (column.name.clone(), column.dtype.clone()))
            .collect();
        if carried.is_empty() || !self.capabilities.op(OpKind::Cast).is_available() {
            return Ok(frame);
        }
        // Without a check of types, which the conversion may not pass; steps made of others ask for the columns.
        typing::columns(&*self.backend, &self.cx, &frame).await?;
        let op = Op::Cast { columns: carried };
        let converted = match self
            .backend
            .apply(&self.cx, &frame, &op, &NamedFrames::new())
        {
            Ok(converted) => self
                .backend
                .schema(&self.cx, &converted)
                .await
                .map(|_| converted),
            Err(error) => Err(error),
        };
        match converted {
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(frame),
            other => other,
        }
    }

    /// The value of the case's one step, which looks at the schema.
    async fn inspect(&self, case: &Case, frame: &Frame) -> Result<Outcome> {
        let [Step::Method { name, args, .. }] = case.steps.as_slice() else {
            return Err(Error::internal("an inspection is one method"));
        };
        let Some(inspector) = self.inspector else {
            return Err(Error::unsupported(format!("nothing here answers `{name}`")));
        };
        let schema = self.backend.schema(&self.cx, frame).await?;
        let fields: Vec<Field> = schema
            .fields()
            .iter()
            .map(|field| Field::new(field.name().as_str(), DType::from_arrow(field.data_type())))
            .collect();
        inspector(name, args, &fields).map(Outcome::Value)
    }

    fn judge(&self, case: &Case, outcome: &Outcome) -> Verdict {
        if let Outcome::Refused(errors) = outcome
            && let Some(defect) = errors.iter().find(|error| is_defect(&error.kind))
        {
            return Verdict::Failed(format!("{}: {}", defect.kind, defect.message));
        }
        let compared = |table: &Table, ordered: bool, exact_types: bool| match outcome {
            Outcome::Frame(actual) => compare(
                table,
                actual,
                Rules {
                    ordered,
                    exact_types,
                    rounding: 0.0,
                },
            ),
            other => Err(described(other)),
        };
        let ordered = !matches!(case.expect, Expect::Frame { ordered: false, .. });
        let accepted_otherwise = || {
            let refused = matches!(outcome, Outcome::Refused(_));
            let another = || {
                let mut tables = case.alternatives.iter();
                tables.any(|table| compared(table, ordered, false).is_ok())
            };
            case.either && (refused && case.refused_elsewhere || another())
        };
        let judged = match (&case.expect, outcome) {
            (Expect::Frame { table, ordered }, outcome) => {
                match compared(table, *ordered, self.exact_types) {
                    Err(_) if matches!(outcome, Outcome::Value(_)) => Err(described(outcome)),
                    other => other,
                }
            }
            (Expect::Value(expected), Outcome::Value(actual)) if expected == actual => Ok(()),
            (Expect::Value(expected), outcome) => Err(format!(
                "{} where {expected} is expected",
                described(outcome)
            )),
            (Expect::Error(kind), Outcome::Refused(errors)) => {
                let answered = errors.iter().any(|error| answers(kind, &error.kind));
                if answered || case.lenient {
                    Ok(())
                } else {
                    Err(format!("{} where {kind} is expected", described(outcome)))
                }
            }
            (Expect::Error(_), _) if case.lenient => Ok(()),
            (Expect::Error(kind), outcome) => match &case.eager {
                Some(eager) if compared(eager, true, self.exact_types).is_ok() => Ok(()),
                _ => Err(format!(
                    "error {kind} is expected, but {}",
                    described(outcome)
                )),
            },
        };
        match judged {
            Err(_) if accepted_otherwise() => Verdict::Passed,
            Err(difference) => Verdict::Failed(difference),
            Ok(()) => Verdict::Passed,
        }
    }
}

/// A step as the driver gets it.
pub(crate) enum Compiled {
    Ops(Vec<Op>),
    Sql(SqlTemplate),
}

/// Steps parsed, with every fault of all of them.
pub(crate) fn compiled(steps: &[Step]) -> std::result::Result<Vec<Compiled>, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut compiled = Vec::new();
    for step in steps {
        match step {
            Step::Sql(sql) => match laktory_syntax::sql_statement(sql) {
                Ok(template) => compiled.push(Compiled::Sql(template)),
                Err(errors) => refusals.extend(errors.iter().map(Refusal::from)),
            },
            Step::Method {
                name,
                args,
                kwargs,
                api,
            } => match laktory_syntax::method(name, args, kwargs, *api) {
                Ok(ops) => compiled.push(Compiled::Ops(ops)),
                Err(errors) => {
                    refusals.extend(errors.iter().map(|error| Refusal::from(&error.error)));
                }
            },
        }
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    // `group_by` and `agg` are two steps that make one.
    let ops = compiled
        .iter_mut()
        .map(|step| match step {
            Compiled::Ops(ops) => std::mem::take(ops),
            Compiled::Sql(_) => Vec::new(),
        })
        .collect();
    let fused = laktory_syntax::fuse_groups(ops).map_err(|errors| {
        let faults = errors.iter().map(|error| Refusal::from(&error.error));
        faults.collect::<Vec<_>>()
    })?;
    for (step, fused) in compiled.iter_mut().zip(fused) {
        if let Compiled::Ops(ops) = step {
            *ops = fused;
        }
    }
    Ok(compiled)
}

fn described(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Frame(actual) => format!("a frame came out:\n{}", table_text(actual)),
        Outcome::Value(value) => format!("the value {value} came out"),
        Outcome::Refused(errors) => {
            let errors: Vec<String> = errors
                .iter()
                .map(|error| format!("{}: {}", error.kind, error.message))
                .collect();
            format!("error {}", errors.join("; "))
        }
    }
}

/// The name that a case's frame has in steps: `nodes.x` and `sources.x` are what they say.
pub(crate) fn frame_name(name: &str) -> FrameName {
    match name.split_once('.') {
        Some(("nodes", name)) => FrameName::Node(name.to_owned()),
        Some(("sources", name)) => FrameName::Source(name.to_owned()),
        _ => FrameName::Named(name.to_owned()),
    }
}

/// Whether the Arrow type of a type stands for another type too.
fn is_carried(dtype: &DType) -> bool {
    match dtype {
        DType::Categorical | DType::Enum(_) | DType::Int128 | DType::UInt128 => true,
        DType::List(item) | DType::Array(item, _) => is_carried(item),
        DType::Struct(fields) => fields.iter().any(|field| is_carried(&field.dtype)),
        DType::Map(key, value) => is_carried(key) || is_carried(value),
        _ => false,
    }
}
