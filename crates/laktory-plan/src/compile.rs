//! The whole compilation: graph, selection, nodes, handovers, tasks.

use std::collections::{BTreeMap, HashMap};

use laktory_core::{BackendConfig, BackendDescriptor, Capabilities, Registry};
use laktory_model::{DataFrameApi, Finding, Path, Pipeline, PipelineNode};
use laktory_syntax::nearest;
use serde_json::Value;

use crate::crossings::crossings;
use crate::dag::Dag;
use crate::handover;
use crate::node::{self, NodeReferences};
use crate::places::Survey;
use crate::plan::{NodePlan, Plan, SettingPlaces};
use crate::select::{self, Selectable};
use crate::tasks;
use crate::uses;

/// How to compile a pipeline.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// Nodes to run, as `x`, `*x`, `x*`, `*x*`; all when absent, none when empty (R-SEL-4).
    pub selects: Option<Vec<String>>,
    /// Backend of objects that name none.
    pub default_backend: String,
    /// Backend of every object, whatever it says.
    pub backend: Option<String>,
    /// API of method steps that name none.
    pub default_api: DataFrameApi,
    /// Whether sinks will be written.
    pub write: bool,
    /// Where the paths of the pipeline lead.
    pub survey: Survey,
}

/// A backend that the pipeline uses, with its capabilities.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) descriptor: &'static BackendDescriptor,
    pub(crate) capabilities: Capabilities,
}

/// What the parts of the compilation share.
pub(crate) struct Compiler<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) options: &'a PlanOptions,
    /// Engine of each node; none where its name is unknown.
    pub(crate) engines: Vec<Option<usize>>,
    pub(crate) known: Vec<Engine>,
    pub(crate) findings: Vec<Finding>,
}

impl Compiler<'_> {
    pub(crate) fn report(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// The engine of a node.
    pub(crate) fn engine(&self, node: usize) -> Option<&Engine> {
        self.engines[node].map(|engine| &self.known[engine])
    }
}

/// Compiles a pipeline. The plan is absent when there is an error among the findings.
#[must_use]
pub fn compile(
    pipeline: &Pipeline,
    registry: &Registry,
    options: &PlanOptions,
) -> (Option<Plan>, Vec<Finding>) {
    let mut compiler = Compiler {
        pipeline,
        options,
        engines: Vec::new(),
        known: Vec::new(),
        findings: Vec::new(),
    };
    let plan = compiler.compile(registry);
    let failed = compiler.findings.iter().any(Finding::is_error);
    (plan.filter(|_| !failed), compiler.findings)
}

impl Compiler<'_> {
    fn compile(&mut self, registry: &Registry) -> Option<Plan> {
        self.resolve_engines(registry);
        let (settings, setting_places) = self.settings(registry);
        if !self.pipeline.imports.is_empty() {
            self.report(
                Finding::warning(
                    "no-effect",
                    Path::root().key("imports"),
                    "`imports` has no effect: Python modules are not loaded",
                )
                .at_key(),
            );
        }
        let references: Vec<NodeReferences> = (0..self.pipeline.nodes.len())
            .map(|index| node::references(self, index))
            .collect();
        let crossings = crossings(self);
        let dag_nodes: Vec<_> = self
            .pipeline
            .nodes
            .iter()
            .zip(&references)
            .enumerate()
            .map(|(index, (node, references))| {
                references.dag_node(index, &node.name, &crossings[index])
            })
            .collect();
        let dag = match Dag::build(&dag_nodes) {
            Ok(dag) => Some(dag),
            Err(findings) => {
                let at_frame = |finding: Finding| match finding.path.node_index() {
                    Some(index) => references[index].at_unknown_node(finding),
                    None => finding,
                };
                self.findings.extend(findings.into_iter().map(at_frame));
                None
            }
        };
        let selected = dag.as_ref().and_then(|dag| self.select(dag));
        let writes = self.writes();
        let names: HashMap<&str, usize> = self
            .pipeline
            .nodes
            .iter()
            .enumerate()
            .map(|(index, node)| (node.name.as_str(), index))
            .collect();
        // Every node is compiled, so that every fault shows; only those of the plan are kept.
        let mut compiled: Vec<Option<_>> = references
            .iter()
            .enumerate()
            .map(|(index, references)| node::compile(self, index, references))
            .collect();
        let (dag, selected) = (dag?, selected?);
        self.report_copies(compiled.iter().flatten());
        if self.findings.iter().any(Finding::is_error) {
            return None;
        }
        for (index, node) in compiled.iter_mut().enumerate() {
            node::read_from(node.as_mut()?, index, &crossings[index]);
        }
        let members = handover::members(self.pipeline, &dag, &selected);
        handover::refuse_redrawn(self, &dag, &members, &compiled);
        let outside = handover::outside(self, &dag, &members, &names, &compiled);
        let outside = self.connected(&dag, &outside, &names, &mut compiled.clone(), true)?;
        let mut nodes = self.connected(&dag, &members, &names, &mut compiled, writes)?;
        if self.findings.iter().any(Finding::is_error) {
            return None;
        }
        if writes {
            let is_selected = |node: &NodePlan| {
                names
                    .get(node.name.as_str())
                    .is_some_and(|&index| selected[index])
            };
            handover::write_selected(&mut nodes, is_selected);
        }
        handover::decide(self, &mut nodes, writes);
        let tasks = tasks::tasks(self.pipeline, &dag, &selected, &members);
        self.findings.extend(tasks::cycle(self.pipeline, &tasks));
        Some(Plan {
            pipeline: self.pipeline.name.clone(),
            writes,
            nodes,
            outside,
            tasks,
            settings,
            setting_places,
        })
    }

    /// The marked nodes in order, each connected to those that it reads.
    fn connected(
        &mut self,
        dag: &Dag,
        marks: &[bool],
        names: &HashMap<&str, usize>,
        compiled: &mut [Option<NodePlan>],
        writes: bool,
    ) -> Option<Vec<NodePlan>> {
        let mut positions: BTreeMap<usize, usize> = BTreeMap::new();
        let mut nodes = Vec::new();
        for &index in dag.order() {
            if !marks[index] {
                continue;
            }
            let mut node = compiled[index].take()?;
            handover::connect(self, &mut node, &positions, names, &nodes, compiled);
            if !writes {
                handover::read_unwritten(self, &mut node, &nodes);
            }
            node.upstream = dag
                .upstream(index)
                .iter()
                .filter_map(|above| positions.get(above).copied())
                .collect();
            positions.insert(index, nodes.len());
            nodes.push(node);
        }
        Some(nodes)
    }

    /// Refuses steps that read their input so often over that no engine could plan them.
    fn report_copies<'n>(&mut self, nodes: impl Iterator<Item = &'n NodePlan>) {
        for node in nodes {
            let (_, Some(index)) = uses::uses(node) else {
                continue;
            };
            let message = format!(
                "with this step the node reads its input more than {} times",
                uses::MOST
            );
            let finding = Finding::error("too-large", node.steps[index].place.clone(), message);
            self.findings.push(
                finding.hint(
                    "make a node of its own of what is read several times: it is computed once",
                ),
            );
        }
    }

    /// The settings that the pipeline gives to backends, each under its registered name, and where they are written.
    fn settings(
        &mut self,
        registry: &Registry,
    ) -> (BTreeMap<String, BackendConfig>, SettingPlaces) {
        let mut settings: BTreeMap<String, BackendConfig> = BTreeMap::new();
        let mut places = SettingPlaces::new();
        for (backend, given) in &self.pipeline.backend_settings {
            let place = Path::root().key("backend_settings").key(backend.as_str());
            let name = match registry.get(backend) {
                Ok(descriptor) => descriptor.name,
                // A pipeline may name engines that this program does not hold, as long as no node needs them.
                Err(error) => {
                    let message = format!("these settings have no effect: {}", error.message());
                    let finding = Finding::warning("no-effect", place, message).at_key();
                    self.report(match error.hint() {
                        Some(hint) => finding.hint(hint),
                        None => finding,
                    });
                    continue;
                }
            };
            for (setting, value) in given {
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    Value::Bool(flag) => flag.to_string(),
                    Value::Null => continue,
                    Value::Array(_) | Value::Object(_) => {
                        let message =
                            format!("setting `{setting}` is one value, not a list or mapping");
                        let place = place.key(setting.as_str());
                        self.report(Finding::error("wrong-type", place, message));
                        continue;
                    }
                };
                let own = settings.entry(name.to_owned()).or_default();
                own.insert(setting.clone(), text);
                let own = places.entry(name.to_owned()).or_default();
                own.insert(setting.clone(), place.key(setting.as_str()));
            }
        }
        (settings, places)
    }

    /// Sinks are not written when the caller says so, nor where a declarative orchestrator owns them.
    fn writes(&mut self) -> bool {
        let declarative = self
            .pipeline
            .orchestrator
            .as_ref()
            .is_some_and(laktory_model::Orchestrator::is_declarative);
        if declarative && self.options.write {
            self.report(
                Finding::warning(
                    "declarative-orchestrator",
                    Path::root().key("orchestrator"),
                    "a declarative orchestrator is selected: sinks are not written in a local run",
                )
                .hint("remove `orchestrator` to write them here"),
            );
        }
        self.options.write && !declarative
    }

    fn select(&mut self, dag: &Dag) -> Option<Vec<bool>> {
        let tasks: Vec<String> = self
            .pipeline
            .nodes
            .iter()
            .map(PipelineNode::execution_task_name)
            .collect();
        let selectable: Vec<Selectable<'_>> = self
            .pipeline
            .nodes
            .iter()
            .zip(&tasks)
            .map(|(node, task)| Selectable {
                name: &node.name,
                task,
                tags: &node.tags,
            })
            .collect();
        match select::select(self.options.selects.as_deref(), &selectable, dag) {
            Ok(selected) => Some(selected),
            Err(unknown) => {
                for unknown in unknown {
                    let mut finding = Finding::error(
                        "unknown-selection",
                        Path::root(),
                        format!("no node, task or tag is called `{}`", unknown.item),
                    )
                    .of_option("selects");
                    if let Some(hint) = unknown.hint {
                        finding = finding.hint(hint);
                    }
                    self.report(finding);
                }
                None
            }
        }
    }

    /// The engine of each node (R-INH-1), each unknown name reported once at its place.
    fn resolve_engines(&mut self, registry: &Registry) {
        let mut by_name: HashMap<String, Option<usize>> = HashMap::new();
        for (index, node) in self.pipeline.nodes.iter().enumerate() {
            let (name, place, option) = match (&self.options.backend, &node.dataframe_backend) {
                (Some(forced), _) => (forced.as_str(), Path::root(), Some("backend")),
                (None, Some(own)) => {
                    let place = Path::node(index).key("dataframe_backend");
                    (own.as_str(), place, None)
                }
                (None, None) => match &self.pipeline.dataframe_backend {
                    Some(inherited) => {
                        let place = Path::root().key("dataframe_backend");
                        (inherited.as_str(), place, None)
                    }
                    None => {
                        let default = self.options.default_backend.as_str();
                        (default, Path::root(), Some("default_backend"))
                    }
                },
            };
            let engine = match by_name.get(name) {
                Some(engine) => *engine,
                None => {
                    let engine = match registry.get(name) {
                        Ok(descriptor) => Some(self.add_engine(descriptor)),
                        Err(error) => {
                            let mut finding =
                                Finding::error("unknown-backend", place, error.message());
                            finding.option = option;
                            let near = nearest(name, error.siblings().iter().map(String::as_str));
                            let near = near.map(|near| format!("did you mean `{near}`?"));
                            let hints: Vec<&str> =
                                near.as_deref().into_iter().chain(error.hint()).collect();
                            if !hints.is_empty() {
                                finding = finding.hint(hints.join(" "));
                            }
                            self.report(finding);
                            None
                        }
                    };
                    by_name.insert(name.to_owned(), engine);
                    engine
                }
            };
            self.engines.push(engine);
        }
    }

    fn add_engine(&mut self, descriptor: &'static BackendDescriptor) -> usize {
        let known = self
            .known
            .iter()
            .position(|engine| std::ptr::eq(engine.descriptor, descriptor));
        known.unwrap_or_else(|| {
            self.known.push(Engine {
                descriptor,
                capabilities: (descriptor.capabilities)(),
            });
            self.known.len() - 1
        })
    }
}
