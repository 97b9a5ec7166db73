//! Pipelines declared in code and carried out with one call: a synchronous face for scripts and tests.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;
use std::sync::Arc;

use laktory_core::arrow::array::RecordBatch;
use laktory_core::arrow::schema::SchemaRef;
use laktory_exec::{
    NodeOutput, NodeReport, Observer, Run, RunOptions, RunReport, TracingObserver, run,
};
use laktory_model::Pipeline;
use laktory_syntax::Diagnostic;
pub use tokio::runtime::Runtime;

use crate::linked::registry;
use crate::machine;
use crate::project::{Planning, Project, Surroundings, diagnostic};
use crate::table;

/// Rows that [`Output`] shows of a frame.
const SHOWN_ROWS: u64 = 10;

/// Why a pipeline was not carried out: every fault, each with its place.
#[derive(Debug)]
pub struct ExecuteError {
    /// The faults.
    pub diagnostics: Vec<Diagnostic>,
    /// The record of the run, when it had begun.
    pub report: Option<Box<RunReport>>,
}

impl fmt::Display for ExecuteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ExecuteError {}

impl From<Vec<Diagnostic>> for ExecuteError {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            diagnostics,
            report: None,
        }
    }
}

impl From<laktory_core::Error> for ExecuteError {
    fn from(error: laktory_core::Error) -> Self {
        vec![diagnostic(&error)].into()
    }
}

/// Carries out pipelines.
pub trait Execute {
    /// Validates, plans and runs the pipeline with the defaults, and waits for it.
    ///
    /// # Errors
    /// Every fault, whether found before or during the run.
    ///
    /// # Panics
    /// Inside of an asynchronous runtime, where waiting is not allowed; use `laktory_exec::run` there.
    fn execute(&self) -> Result<Execution, ExecuteError> {
        self.execute_with(
            &Planning::default(),
            RunOptions::default(),
            &TracingObserver,
        )
    }

    /// Validates, plans and runs the pipeline, and waits for it.
    ///
    /// # Errors
    /// As [`Execute::execute`].
    ///
    /// # Panics
    /// As [`Execute::execute`].
    fn execute_with(
        &self,
        planning: &Planning,
        options: RunOptions,
        observer: &dyn Observer,
    ) -> Result<Execution, ExecuteError>;
}

impl Execute for Pipeline {
    fn execute_with(
        &self,
        planning: &Planning,
        options: RunOptions,
        observer: &dyn Observer,
    ) -> Result<Execution, ExecuteError> {
        Project::of(self.clone(), &Surroundings::of_process())
            .execute_with(planning, options, observer)
    }
}

impl Execute for Project {
    fn execute_with(
        &self,
        planning: &Planning,
        mut options: RunOptions,
        observer: &dyn Observer,
    ) -> Result<Execution, ExecuteError> {
        options.own_files.extend(self.files());
        let registry = registry()?;
        let (plan, _) = self.plan(&registry, planning)?;
        let runtime = runtime()?;
        let explain = |faults: &[laktory_exec::Fault]| -> Vec<Diagnostic> {
            faults.iter().map(|fault| self.explain(fault)).collect()
        };
        let run = runtime
            .block_on(run(plan, &registry, options, observer))
            .map_err(|faults| explain(&faults))?;
        if !run.succeeded() {
            return Err(ExecuteError {
                diagnostics: explain(&run.faults),
                report: Some(Box::new(run.report)),
            });
        }
        let report = run.report.clone();
        let shared = Arc::new(Finished { run, runtime });
        let nodes = report
            .nodes
            .iter()
            .map(|node| {
                let executed = ExecutedNode {
                    report: node.clone(),
                    finished: Arc::clone(&shared),
                };
                (node.name.clone(), executed)
            })
            .collect();
        Ok(Execution {
            report,
            nodes: Nodes(nodes),
        })
    }
}

/// Stack of the threads that engines work on, in bytes: plans are walked recursively. Only pages that are reached cost
/// anything.
const STACK: usize = 64 << 20;

/// The runtime for one run: tasks of engines on as many threads as the processor has cores, blocking work on threads of
/// its own.
///
/// # Errors
/// When the system gives no resources, or so few that engines would end the process.
pub fn runtime() -> laktory_core::Result<Runtime> {
    machine::enough_resources()?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Ok(tokio::runtime::Builder::new_multi_thread()
        // Said here, so that no variable of the environment asks for none or for thousands.
        .worker_threads(cores)
        // Timers, and the network where a driver needs it.
        .enable_all()
        .thread_stack_size(STACK)
        .build()?)
}

struct Finished {
    run: Run,
    runtime: Runtime,
}

/// A pipeline that was carried out.
#[derive(Debug)]
pub struct Execution {
    /// The record of the run.
    pub report: RunReport,
    /// The nodes, by name: `execution.nodes["slv"].output()`.
    pub nodes: Nodes,
}

/// The executed nodes, by name.
#[derive(Debug)]
pub struct Nodes(BTreeMap<String, ExecutedNode>);

impl Nodes {
    /// The node called `name`, if the run had it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ExecutedNode> {
        self.0.get(name)
    }

    /// Names and nodes, in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ExecutedNode)> {
        self.0.iter().map(|(name, node)| (name.as_str(), node))
    }
}

impl Index<&str> for Nodes {
    type Output = ExecutedNode;

    /// The node called `name`.
    ///
    /// # Panics
    /// When the run had no such node.
    fn index(&self, name: &str) -> &ExecutedNode {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("the run had no node `{name}`"))
    }
}

/// A node that was carried out.
pub struct ExecutedNode {
    /// Its record.
    pub report: NodeReport,
    finished: Arc<Finished>,
}

impl fmt::Debug for ExecutedNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecutedNode")
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

impl ExecutedNode {
    /// What the node put out, after its expectations.
    ///
    /// # Errors
    /// When it kept no output, or its sink cannot be read.
    pub fn output(&self) -> laktory_core::Result<Output> {
        let output = self
            .finished
            .runtime
            .block_on(self.finished.run.output(&self.report.name))?;
        Ok(Output {
            output,
            finished: Arc::clone(&self.finished),
        })
    }
}

/// The output of a node: lazy, read when asked for. `Display` shows the first rows as a table.
pub struct Output {
    output: NodeOutput,
    finished: Arc<Finished>,
}

impl Output {
    /// Names and types of the columns.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn schema(&self) -> laktory_core::Result<SchemaRef> {
        self.finished.runtime.block_on(self.output.schema())
    }

    /// All rows, in memory.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn collect(&self) -> laktory_core::Result<Vec<RecordBatch>> {
        self.finished.runtime.block_on(self.output.collect())
    }

    /// The first `n` rows, in memory.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn head(&self, n: u64) -> laktory_core::Result<Vec<RecordBatch>> {
        self.finished.runtime.block_on(self.output.head(n))
    }

    /// The engine's own lazy frame, for the driver's typed extension.
    #[must_use]
    pub fn frame(&self) -> &laktory_core::Frame {
        self.output.frame()
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self
            .schema()
            .and_then(|schema| Ok((schema, self.head(SHOWN_ROWS)?)));
        match shown {
            Ok((schema, batches)) => f.write_str(&table::render(&schema, &batches, None)),
            Err(error) => write!(f, "<{error}>"),
        }
    }
}
