//! A session of the PYSPARK backend: the connection, and the lowering of pending steps.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use laktory_core::arrow::schema::{Field as ArrowField, Schema, SchemaRef};
use laktory_core::{
    Backend, BackendConfig, BackendDescriptor, BatchStream, BoxFuture, Catalog, DType, Error,
    ErrorKind, Field, Frame, Job, NamedFrames, Op, Outcome, ReadSpec, Result, RunCx, SqlTemplate,
    Subject, WriteSpec,
};

use crate::analysed::{Answers, OF_FILES};
use crate::client::{Address, Client, SETTING};
use crate::frame::{Resolved, SparkFrame, Step};
use crate::local::LocalServer;
use crate::paths::Paths;
use crate::{PYSPARK, execute, ops, read, rows, sql, types, write};

/// Properties of every session: what the meaning of steps rests on.
const PROPERTIES: &[(&str, &str)] = &[
    ("spark.sql.ansi.enabled", "true"),
    ("spark.sql.session.timeZone", types::UTC),
    // `TIMESTAMP` in SQL is a datetime without zone, as on the other engines.
    ("spark.sql.timestampType", "TIMESTAMP_NTZ"),
    ("spark.sql.mapKeyDedupPolicy", "LAST_WIN"),
    // "x" is a name, as in the standard and on the other engines; Spark alone would take it for a text, without a word.
    ("spark.sql.ansi.doubleQuotedIdentifiers", "true"),
];

/// Properties that only some servers know; without them one feature is missing there.
const OPTIONAL: &[(&str, &str)] = &[
    ("spark.sql.timeType.enabled", "true"),
    ("spark.sql.execution.arrow.maxRecordsPerBatch", "65536"),
];

/// The session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    /// Where frames of this session read from.
    pub(crate) paths: Paths,
    /// Columns of plans.
    pub(crate) analysed: Answers<Vec<Field>>,
    /// Columns of sources, before any schema is declared for them.
    pub(crate) sources: Answers<Vec<Field>>,
    /// Whether the folders below a source are of the kind `day=1`.
    pub(crate) hive: Answers<bool>,
    /// Whether the server takes the inputs of a statement beside it, as far as is known.
    pub(crate) takes_sub_plans: AtomicBool,
    /// Whether the server counts rows while it writes them, as far as is known.
    pub(crate) observes: AtomicBool,
    /// Whether the server can look at the lines of text files, as far as is known.
    pub(crate) looks_at_lines: AtomicBool,
    /// Whether statistics of PARQUET files are left alone: they know no NaN.
    pub(crate) keeps_nan: AtomicBool,
    /// Where the session has a server of its own. Stopped last.
    _server: Option<LocalServer>,
}

/// Opens a session on the server that the settings or the environment name.
pub(crate) fn connect<'a>(
    cx: &'a RunCx,
    config: &'a BackendConfig,
) -> BoxFuture<'a, Result<Arc<dyn Backend>>> {
    Box::pin(async move {
        for name in config.keys() {
            if name != SETTING && !name.starts_with("spark.") {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("backend PYSPARK has no setting `{name}`"),
                )
                .with_subject(Subject::Name(name.clone()))
                .with_hint(format!(
                    "its settings are `{SETTING}` and properties `spark.*`"
                )));
            }
        }
        let (address, server) = match Address::find(config)? {
            Some(address) => (address, None),
            None => {
                let (scratch, cancel) = (cx.scratch().to_path_buf(), cx.cancel().clone());
                let server = cx.blocking(move || LocalServer::start(&scratch, &cancel));
                let server = server.await?.ok_or_else(Address::missing)?;
                (Address::parse(&server.remote())?, Some(server))
            }
        };
        let (client, version) = Client::connect(address, cx.cancel()).await?;
        tracing::debug!(version, ?client, "Connected to Spark");
        client.configure(PROPERTIES, cx.cancel()).await?;
        for property in OPTIONAL {
            if let Err(error) = client.configure(&[*property], cx.cancel()).await {
                if error.kind() == ErrorKind::Cancelled {
                    return Err(error);
                }
                tracing::debug!(property = property.0, %error, "The server lacks a property");
            }
        }
        let wanted: Vec<(&str, &str)> = config
            .iter()
            .filter(|(name, _)| name.starts_with("spark."))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        if !wanted.is_empty() {
            client.configure(&wanted, cx.cancel()).await?;
        }
        Ok(Arc::new(Session {
            client,
            paths: Paths::default(),
            analysed: Answers::new(Duration::MAX),
            sources: Answers::new(OF_FILES),
            hive: Answers::new(OF_FILES),
            takes_sub_plans: AtomicBool::new(true),
            observes: AtomicBool::new(true),
            looks_at_lines: AtomicBool::new(true),
            // A property that users give is theirs.
            keeps_nan: AtomicBool::new(config.contains_key("spark.sql.parquet.filterPushdown")),
            _server: server,
        }) as Arc<dyn Backend>)
    })
}

impl Session {
    /// The relation and columns of a frame; steps that wait are lowered, the oldest first.
    pub(crate) async fn resolve(&self, cx: &RunCx, frame: &SparkFrame) -> Result<Arc<Resolved>> {
        // Depth-first without recursion: chains may be long.
        let mut todo = vec![frame.clone()];
        while let Some(next) = todo.last().cloned() {
            if next.0.resolved.initialized() {
                todo.pop();
                continue;
            }
            let Some(step) = &next.0.step else {
                return Err(Error::internal("a frame without relation and step"));
            };
            let missing: Vec<SparkFrame> = std::iter::once(&step.input)
                .chain(&step.others)
                .filter(|input| !input.0.resolved.initialized())
                .cloned()
                .collect();
            if !missing.is_empty() {
                todo.extend(missing);
                continue;
            }
            let resolved = self.lower(cx, step).await?;
            // Another task may have been faster; both results are the same.
            let _ = next.0.resolved.set(Arc::new(resolved));
            todo.pop();
        }
        frame
            .0
            .resolved
            .get()
            .cloned()
            .ok_or_else(|| Error::internal("a frame was not resolved"))
    }

    async fn lower(&self, cx: &RunCx, step: &Step) -> Result<Resolved> {
        let of = |frame: &SparkFrame| {
            frame
                .0
                .resolved
                .get()
                .cloned()
                .ok_or_else(|| Error::internal("an input was not resolved"))
        };
        let input = of(&step.input)?;
        self.step_onto(cx, step, &input).await
    }

    /// A step on top of an input, which may stand in for the step's own.
    pub(crate) async fn step_onto(
        &self,
        cx: &RunCx,
        step: &Step,
        input: &Arc<Resolved>,
    ) -> Result<Resolved> {
        let of = |frame: &SparkFrame| {
            frame
                .0
                .resolved
                .get()
                .cloned()
                .ok_or_else(|| Error::internal("an input was not resolved"))
        };
        let others = step.others.iter().map(of).collect::<Result<Vec<_>>>()?;
        let mut resolved = match &step.op {
            Op::Pivot { .. } => ops::pivot(self, cx, input, &step.op).await?,
            op => ops::lower(op, input, &others, step.started)?,
        };
        if !resolved.confirmed && resolved.columns.iter().any(|field| is_open(&field.dtype)) {
            resolved.columns = self.ask(cx, &resolved).await?;
            resolved.confirmed = true;
        }
        Ok(resolved)
    }

    /// The columns as the server gives them, with the zones that the driver knows.
    pub(crate) async fn ask(&self, cx: &RunCx, resolved: &Resolved) -> Result<Vec<Field>> {
        let schema = self.client.schema(&resolved.relation, cx.cancel()).await?;
        Ok(types::with_zones(
            types::columns(&schema),
            &resolved.columns,
        ))
    }

    /// The columns of a frame, confirmed by the server.
    pub(crate) async fn columns(&self, cx: &RunCx, frame: &SparkFrame) -> Result<Vec<Field>> {
        let resolved = self.resolve(cx, frame).await?;
        let columns = frame
            .0
            .confirmed
            .get_or_try_init(|| async {
                if resolved.confirmed {
                    return Ok::<_, Error>(resolved.columns.clone());
                }
                if let Some(known) = self.analysed.get(&frame.0.signature) {
                    return Ok(known);
                }
                let columns = self.ask(cx, &resolved).await?;
                self.analysed.add(frame.0.signature, columns.clone());
                Ok(columns)
            })
            .await?;
        Ok(columns.clone())
    }
}

/// Whether a type, or a part of it, is not known.
fn is_open(dtype: &DType) -> bool {
    match dtype {
        DType::Unknown => true,
        DType::List(item) | DType::Array(item, _) => is_open(item),
        DType::Struct(fields) => fields.iter().any(|field| is_open(&field.dtype)),
        DType::Map(key, value) => is_open(key) || is_open(value),
        _ => false,
    }
}

/// The Arrow schema of columns.
///
/// # Errors
/// `Unsupported` for types that Arrow does not have.
pub(crate) fn arrow_schema(columns: &[Field]) -> Result<SchemaRef> {
    let fields = columns
        .iter()
        .map(|field| {
            let data_type = field.dtype.to_arrow().ok_or_else(|| {
                Error::unsupported(format!(
                    "column `{}` has a type of Spark that cannot leave the server",
                    field.name
                ))
                .with_hint("cast it to text, or drop it")
            })?;
            Ok(ArrowField::new(field.name.as_str(), data_type, true))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

#[async_trait]
impl Backend for Session {
    fn descriptor(&self) -> &'static BackendDescriptor {
        &PYSPARK
    }

    fn apply(&self, cx: &RunCx, input: &Frame, op: &Op, named: &NamedFrames) -> Result<Frame> {
        ops::check(op)?;
        let others = op
            .frames()
            .into_iter()
            .map(|name| SparkFrame::of(named.get(name)?).cloned())
            .collect::<Result<Vec<_>>>()?;
        let step = Step {
            input: SparkFrame::of(input)?.clone(),
            others,
            op: op.clone(),
            started: cx.started(),
        };
        Ok(SparkFrame::of_step(step).into_frame())
    }

    async fn read(&self, cx: &RunCx, spec: &ReadSpec) -> Result<Frame> {
        read::read(self, cx, spec).await
    }

    async fn sql(&self, cx: &RunCx, query: &SqlTemplate, named: &NamedFrames) -> Result<Frame> {
        sql::sql(self, cx, query, named).await
    }

    async fn schema(&self, cx: &RunCx, frame: &Frame) -> Result<SchemaRef> {
        arrow_schema(&self.columns(cx, SparkFrame::of(frame)?).await?)
    }

    fn writable(&self, spec: &WriteSpec, columns: &SchemaRef) -> Result<()> {
        let columns: Vec<Field> = columns
            .fields()
            .iter()
            .map(|field| Field::new(field.name(), DType::from_arrow(field.data_type())))
            .collect();
        write::check(&spec.format, &spec.options, &columns)
    }

    async fn execute(&self, cx: &RunCx, jobs: Vec<Job>) -> Result<Vec<Outcome>> {
        execute::execute(self, cx, jobs).await
    }

    async fn export(&self, cx: &RunCx, frame: &Frame) -> Result<BatchStream> {
        rows::export(self, cx, SparkFrame::of(frame)?).await
    }

    async fn import(&self, cx: &RunCx, batches: BatchStream) -> Result<Frame> {
        rows::import(self, cx, batches).await
    }

    fn catalog(&self) -> Option<&dyn Catalog> {
        Some(self)
    }
}
