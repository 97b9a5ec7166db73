//! A bench for runs: a folder, a script for the recorders, and options; with all that a run leaves behind.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use laktory_core::{BackendDescriptor, Capabilities, Format, Registry};
use laktory_exec::{Event, Fault, NodeReport, NodeSchema, Observer, Run, RunOptions, Status};
use laktory_model::{DataFrameApi, LoadOptions, load};
use laktory_plan::{Plan, PlanOptions, compile};
use laktory_testkit::recorder::{Document, Profile, Script, Verb, backend, everything, open, save};
use laktory_testkit::{RECORDER, Table, cells};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

static OTHER: BackendDescriptor = backend::<Other>("OTHER", &[]);

/// A second recorder, which knows one option.
struct Other;

impl Profile for Other {
    fn descriptor() -> &'static BackendDescriptor {
        &OTHER
    }

    fn capabilities() -> Capabilities {
        let mut capabilities = everything();
        capabilities.writes.get_mut(&Format::Csv).unwrap().options = &["include_header"];
        capabilities.appends = vec![Format::Csv];
        capabilities
    }
}

/// What a run is made with. In pipelines, `@` stands for the folder.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) script: Script,
    pub(crate) options: RunOptions,
    pub(crate) write: bool,
    pub(crate) selects: Option<Vec<String>>,
    runtime: Runtime,
}

/// What a run leaves behind.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) run: Result<Run, Vec<Fault>>,
    pub(crate) events: Vec<Event>,
}

/// Takes events down, and does something of the test's own on each.
struct Notebook<'a> {
    events: Mutex<Vec<Event>>,
    and: &'a (dyn Fn(&Event) + Sync),
}

impl Observer for Notebook<'_> {
    fn on(&self, event: &Event) {
        self.events.lock().unwrap().push(event.clone());
        (self.and)(event);
    }
}

impl Bench {
    /// A bench with the file `in.json`: three rows of `x` (1 to 3) and `y` (texts).
    pub(crate) fn new() -> Self {
        Self::with(Script::new())
    }

    pub(crate) fn with(script: Script) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = RunOptions {
            backends: ["RECORDER", "OTHER"]
                .map(|name| (name.to_owned(), script.settings()))
                .into(),
            scratch: Some(folder.path().join("scratch")),
            jobs: 1,
            ..RunOptions::default()
        };
        let bench = Self {
            folder,
            script,
            options,
            write: true,
            selects: None,
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap(),
        };
        bench.table("in.json", &[1, 2, 3]);
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Saves a document with these values of `x`.
    pub(crate) fn table(&self, name: &str, values: &[i64]) {
        let texts: Vec<String> = values.iter().map(|value| format!("row {value}")).collect();
        let columns = [json!(["x", "int64", values]), json!(["y", "string", texts])];
        save(&self.path(name), &Table::parse(&columns).unwrap()).unwrap();
    }

    pub(crate) fn text(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The document that the recorder wrote.
    pub(crate) fn document(&self, name: &str) -> Document {
        open(&self.path(name)).unwrap()
    }

    /// The values of `x` in a document.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        let document = self.document(name);
        let column = document
            .table
            .columns
            .iter()
            .find(|column| column.name == "x")
            .unwrap();
        cells(&column.array)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// Every file of the folder, hidden ones too, without the input and the scratch folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files: Vec<String> = walkdir::WalkDir::new(self.folder.path())
            .min_depth(1)
            .into_iter()
            .flatten()
            .map(|entry| {
                let path = entry.path().strip_prefix(self.folder.path()).unwrap();
                let slash = if entry.file_type().is_dir() { "/" } else { "" };
                format!("{}{slash}", path.display())
            })
            .filter(|name| name != "in.json" && !name.starts_with("scratch/"))
            .collect();
        files.sort();
        files
    }

    pub(crate) fn plan(&self, nodes: &str) -> Plan {
        let yaml = format!("name: p\ndataframe_backend: RECORDER\nnodes:\n{nodes}")
            .replace('@', self.folder.path().to_str().unwrap());
        let loaded = load("p.yaml", yaml.as_bytes(), &LoadOptions::default());
        let pipeline = loaded
            .pipeline
            .unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        let options = PlanOptions {
            selects: self.selects.clone(),
            default_backend: "RECORDER".to_owned(),
            backend: None,
            default_api: DataFrameApi::Narwhals,
            write: self.write,
            survey: Default::default(),
        };
        let (plan, findings) = compile(&pipeline, &Self::registry(), &options);
        plan.unwrap_or_else(|| panic!("{findings:#?}"))
    }

    pub(crate) fn registry() -> Registry {
        Registry::new([&RECORDER, &OTHER]).unwrap()
    }

    /// Runs nodes.
    pub(crate) fn run(&self, nodes: &str) -> Done {
        self.run_and(nodes, &|_| ())
    }

    /// Runs nodes, and does something on each event.
    pub(crate) fn run_and(&self, nodes: &str, and: &(dyn Fn(&Event) + Sync)) -> Done {
        let observer = Notebook {
            events: Mutex::new(Vec::new()),
            and,
        };
        let plan = self.plan(nodes);
        let registry = Self::registry();
        let run = self.wait(laktory_exec::run(
            plan,
            &registry,
            self.options.clone(),
            &observer,
        ));
        Done {
            run,
            events: observer.events.into_inner().unwrap(),
        }
    }

    /// Resolves the schemas of nodes.
    pub(crate) fn resolve(&self, nodes: &str) -> (Vec<NodeSchema>, Vec<Fault>) {
        let (plan, registry) = (self.plan(nodes), Self::registry());
        self.wait(laktory_exec::resolve(&plan, &registry, &self.options))
            .unwrap()
    }

    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The kinds of jobs of each pass so far.
    pub(crate) fn passes(&self) -> Vec<Vec<String>> {
        let kind = |line: &String| line.split(' ').next().unwrap().to_owned();
        let calls = self.script.calls(Verb::Execute);
        calls
            .iter()
            .map(|call| call.asked.iter().map(kind).collect())
            .collect()
    }
}

impl Done {
    /// The run, which got as far as running nodes.
    pub(crate) fn run(&self) -> &Run {
        self.run
            .as_ref()
            .unwrap_or_else(|faults| panic!("{faults:#?}"))
    }

    /// The run, which succeeded.
    pub(crate) fn good(&self) -> &Run {
        let run = self.run();
        assert!(run.succeeded(), "{:#?}", run.faults);
        run
    }

    pub(crate) fn node(&self, name: &str) -> &NodeReport {
        self.run()
            .report
            .nodes
            .iter()
            .find(|node| node.name == name)
            .unwrap()
    }

    /// Each node with how it ended.
    pub(crate) fn statuses(&self) -> Vec<(&str, Status)> {
        let nodes = &self.run().report.nodes;
        nodes
            .iter()
            .map(|node| (node.name.as_str(), node.status))
            .collect()
    }

    /// Each fault as `node: place: kind: message`.
    pub(crate) fn faults(&self) -> Vec<String> {
        match &self.run {
            Ok(run) => shown(&run.faults),
            Err(faults) => shown(faults),
        }
    }

    /// Each event as its name and node.
    pub(crate) fn told(&self) -> Vec<String> {
        self.events
            .iter()
            .map(|event| {
                let event = serde_json::to_value(event).unwrap();
                let node = event["node"].as_str().or(event["report"]["name"].as_str());
                format!(
                    "{} {}",
                    event["event"].as_str().unwrap(),
                    node.unwrap_or_default()
                )
            })
            .collect()
    }
}

pub(crate) fn shown(faults: &[Fault]) -> Vec<String> {
    faults
        .iter()
        .map(|fault| {
            let kind = fault.error.kind().name();
            format!("{}: {}: {kind}: {}", fault.node, fault.place, fault.error)
        })
        .collect()
}
