//! Stacks: one of their pipelines, in one of their environments, as a document of its own. Environments are merged into the
//! tree before anything is checked, so that each is checked as a whole, and none has a share in another.
//!
//! Only what is asked for is looked at: other pipelines, other environments and other resources may be faulty.

mod kinds;

use laktory_syntax::{Diagnostic, Diagnostics, did_you_mean};

use crate::settings::Settings;
use crate::sources::Sources;
use crate::tree::{Entry, Kind, Node, Place};

/// Which part of a stack is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackChoice {
    /// The environment; the stack itself when absent.
    pub environment: Option<String>,
    /// The pipeline; the only one when absent.
    pub pipeline: Option<String>,
}

/// What a stack has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Its environments, in order.
    pub environments: Vec<String>,
    /// The pipelines of the stack, in order; those of the environment that was asked for among them.
    pub pipelines: Vec<String>,
    /// Settings of the stack and its environment.
    pub settings: Settings,
}

/// Keys that a stack has at the top and a pipeline has not.
const KEYS: [&str; 8] = [
    "resources",
    "environments",
    "providers",
    "iac_backend",
    "organization",
    "terraform",
    "pulumi",
    "settings",
];

const STACK: [&str; 10] = [
    "name",
    "description",
    "organization",
    "iac_backend",
    "backend",
    "settings",
    "terraform",
    "variables",
    "resources",
    "environments",
];
const ENVIRONMENT: [&str; 5] = [
    "description",
    "resources",
    "variables",
    "settings",
    "terraform",
];

/// Whether a document is a stack, and not a pipeline.
pub(crate) fn is_stack(root: &Node) -> bool {
    let entries = root.as_map().unwrap_or(&[]);
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    !has("nodes") && KEYS.into_iter().any(has)
}

/// Takes what is not asked for out of a stack, so that its includes are not read. Where a part of the stack is an include
/// itself, all of it is read.
pub(crate) fn prune(root: &mut Node, choice: &StackChoice) {
    let parts = |root: &Node| {
        let resources = root.get("resources");
        let pipelines = resources.and_then(|resources| resources.get("pipelines"));
        let parts = [resources, pipelines, root.get("environments")];
        parts
            .into_iter()
            .flatten()
            .all(|part| part.as_map().is_some())
    };
    if !parts(root) {
        return;
    }
    let chosen = choice.environment.as_deref();
    let pipeline = choice.pipeline.as_deref();
    let Kind::Map(entries) = &mut root.kind else {
        return;
    };
    for entry in entries {
        match entry.key.as_str() {
            "resources" => prune_resources(&mut entry.value, pipeline),
            "environments" => {
                let Kind::Map(environments) = &mut entry.value.kind else {
                    continue;
                };
                for environment in environments {
                    if Some(environment.key.as_str()) != chosen {
                        environment.value.kind = Kind::Map(Vec::new());
                    } else if let Kind::Map(parts) = &mut environment.value.kind {
                        for part in parts.iter_mut().filter(|part| part.key == "resources") {
                            prune_resources(&mut part.value, pipeline);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

fn prune_resources(resources: &mut Node, pipeline: Option<&str>) {
    let Kind::Map(kinds) = &mut resources.kind else {
        return;
    };
    for kind in kinds {
        match kind.key.as_str() {
            "variables" | "<<" => {}
            "pipelines" => {
                let Kind::Map(pipelines) = &mut kind.value.kind else {
                    continue;
                };
                let only = pipelines.len() == 1;
                for other in pipelines {
                    let wanted = pipeline.map_or(only, |pipeline| pipeline == other.key);
                    if !wanted && other.key != "<<" {
                        other.value.kind = Kind::Map(Vec::new());
                    }
                }
            }
            _ if kind.value.as_map().is_some() => kind.value.kind = Kind::Map(Vec::new()),
            _ => {}
        }
    }
}

/// What makes a pipeline out of a stack.
pub(crate) struct Selected {
    pub(crate) stack: Stack,
    /// The pipeline, with the variables of the stack around its own; none where none was asked for by name and there are
    /// several, or after a fault.
    pub(crate) pipeline: Option<Node>,
    /// The settings of the stack, unresolved.
    pub(crate) settings: Option<Node>,
    /// The variables of the stack, for its settings.
    pub(crate) variables: Option<Node>,
}

/// Merges the environment into the stack, and takes the pipeline out. Faults are told at their places.
pub(crate) fn select(
    root: &Node,
    choice: &StackChoice,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Selected {
    let mut told = Told {
        sources,
        diagnostics,
    };
    told.keys(root, "a stack", &STACK);
    let start = crate::parameters::start_of(root);
    let environments = root
        .get("environments")
        .and_then(Node::as_map)
        .unwrap_or(&[]);
    let mut whole = root.clone();
    let mut stack = Stack {
        name: root
            .get("name")
            .and_then(Node::as_text)
            .unwrap_or_default()
            .to_owned(),
        environments: environments.iter().map(|entry| entry.key.clone()).collect(),
        ..Stack::default()
    };
    let mut chosen = None;
    if let Some(name) = &choice.environment {
        match environments.iter().find(|entry| entry.key == *name) {
            Some(entry) => {
                told.keys(&entry.value, "an environment", &ENVIRONMENT);
                merge_environment(&mut whole, &entry.value);
                chosen = Some(entry.key_at);
            }
            None => {
                let message = format!("the stack has no environment `{name}`");
                let mut fault = Diagnostic::error("unknown-environment", message);
                let names = stack.environments.iter().map(String::as_str);
                fault.hint = did_you_mean(name, names)
                    .or_else(|| Some("it declares no environments".to_owned()));
                let at = root
                    .entry("environments")
                    .map_or(start, |entry| entry.key_at);
                told.fault(fault, at);
            }
        }
    }
    let resources = whole.get("resources");
    told.kinds(resources);
    let pipelines = resources
        .and_then(|resources| resources.get("pipelines"))
        .and_then(Node::as_map)
        .unwrap_or(&[]);
    stack.pipelines = pipelines.iter().map(|entry| entry.key.clone()).collect();
    let entry = match (&choice.pipeline, pipelines) {
        (Some(name), pipelines) => {
            let found = pipelines.iter().find(|entry| entry.key == *name);
            if found.is_none() {
                let message = format!("the stack has no pipeline `{name}`");
                let mut fault = Diagnostic::error("unknown-pipeline", message);
                let names = stack.pipelines.iter().map(String::as_str);
                fault.hint = did_you_mean(name, names);
                told.fault(fault, start);
            }
            found
        }
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let mut variables = Vec::new();
    overlay(&mut variables, whole.get("variables"));
    if let (Some(name), Some(at)) = (&choice.environment, chosen) {
        let value = Node::text(name, at.whole());
        let key = "env".to_owned();
        put(
            &mut variables,
            Entry {
                key,
                key_at: at,
                value,
            },
        );
    }
    let around = Node::new(Kind::Map(variables.clone()), root.at);
    overlay(
        &mut variables,
        resources.and_then(|resources| resources.get("variables")),
    );
    let pipeline = entry.map(|entry| pipeline(entry, variables));
    Selected {
        stack,
        pipeline,
        settings: whole.get("settings").cloned(),
        variables: Some(around),
    }
}

/// The pipeline below a key of the stack, as a document.
fn pipeline(entry: &Entry, mut variables: Vec<Entry>) -> Node {
    let mut pipeline = entry.value.clone();
    let Kind::Map(entries) = &mut pipeline.kind else {
        return pipeline;
    };
    let own = entries.iter().position(|entry| entry.key == "variables");
    match own {
        Some(index) => {
            overlay(&mut variables, Some(&entries[index].value));
            entries[index].value.kind = Kind::Map(variables);
        }
        None if !variables.is_empty() => entries.push(Entry {
            key: "variables".to_owned(),
            key_at: entry.key_at,
            value: Node::new(Kind::Map(variables), entry.key_at.whole()),
        }),
        None => {}
    }
    if entries.iter().all(|entry| entry.key != "name") {
        let name = Entry {
            key: "name".to_owned(),
            key_at: entry.key_at,
            value: Node::text(entry.key.clone(), entry.key_at.whole()),
        };
        entries.insert(0, name);
    }
    pipeline
}

/// Lays the entries of a mapping over others.
fn overlay(under: &mut Vec<Entry>, over: Option<&Node>) {
    for entry in over.and_then(Node::as_map).unwrap_or(&[]) {
        put(under, entry.clone());
    }
}

/// Variables are told apart in any letter case.
fn put(entries: &mut Vec<Entry>, entry: Entry) {
    entries.retain(|other| other.key.to_lowercase() != entry.key.to_lowercase());
    entries.push(entry);
}

fn merge_environment(whole: &mut Node, environment: &Node) {
    let Kind::Map(entries) = &mut whole.kind else {
        return;
    };
    for entry in environment.as_map().unwrap_or(&[]) {
        if entry.key == "description" || entry.value.is_null() {
            continue;
        }
        let Some(base) = entries.iter_mut().find(|base| base.key == entry.key) else {
            entries.push(entry.clone());
            continue;
        };
        match (entry.key.as_str(), &mut base.value.kind) {
            ("variables", Kind::Map(variables)) => overlay(variables, Some(&entry.value)),
            _ => merge(&mut base.value, &entry.value),
        }
    }
}

/// Mappings are merged key by key; lists and scalars are replaced.
fn merge(base: &mut Node, over: &Node) {
    let (Kind::Map(entries), Some(others)) = (&mut base.kind, over.as_map()) else {
        *base = over.clone();
        return;
    };
    for other in others {
        match entries.iter_mut().find(|entry| entry.key == other.key) {
            Some(entry) => merge(&mut entry.value, &other.value),
            None => entries.push(other.clone()),
        }
    }
}

/// Where faults go.
struct Told<'a> {
    sources: &'a Sources,
    diagnostics: &'a mut Diagnostics,
}

impl Told<'_> {
    fn fault(&mut self, fault: Diagnostic, at: Place) {
        self.diagnostics.push(fault.at(self.sources.span(at)));
    }

    fn keys(&mut self, node: &Node, label: &str, known: &[&'static str]) {
        let Some(entries) = node.as_map() else {
            if !node.is_poison() && !node.is_null() {
                let message = format!("expected {label} (a mapping), found {}", node.describe());
                self.fault(Diagnostic::error("wrong-type", message), node.at);
            }
            return;
        };
        for entry in entries
            .iter()
            .filter(|entry| !known.contains(&entry.key.as_str()))
        {
            let message = format!("unknown key `{}` in {label}", entry.key);
            let mut fault = Diagnostic::error("unknown-key", message);
            fault.hint = did_you_mean(&entry.key, known.iter().copied());
            self.fault(fault, entry.key_at);
        }
    }

    /// The kinds of resources; what is in others than pipelines is for a deployment to check.
    fn kinds(&mut self, resources: Option<&Node>) {
        let known = || {
            kinds::KINDS
                .into_iter()
                .chain(["pipelines", "providers", "variables"])
        };
        for entry in resources.and_then(Node::as_map).unwrap_or(&[]) {
            if known().any(|known| known == entry.key) {
                if entry.value.as_map().is_none()
                    && !entry.value.is_null()
                    && !entry.value.is_poison()
                {
                    let message = format!(
                        "expected a mapping of names to resources, found {}",
                        entry.value.describe()
                    );
                    self.fault(Diagnostic::error("wrong-type", message), entry.value.at);
                }
                continue;
            }
            let message = format!("`{}` is no kind of resource", entry.key);
            let mut fault = Diagnostic::error("unknown-resource", message);
            let names: Vec<&str> = known().collect();
            fault.hint = laktory_syntax::nearest(&entry.key, names)
                .map(|near| format!("did you mean `{near}`?"));
            self.fault(fault, entry.key_at);
        }
    }
}

/// Settings of a stack. `text` resolves what is written.
pub(crate) fn settings(
    node: &Node,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
    mut text: impl FnMut(&str, Place, &mut Diagnostics) -> Option<String>,
) -> Settings {
    const KNOWN: [&str; 5] = [
        "dataframe_backend",
        "dataframe_api",
        "runtime_root",
        "workspace_root",
        "build_root",
    ];
    let mut told = Told {
        sources,
        diagnostics,
    };
    told.keys(node, "settings", &KNOWN);
    let mut settings = Settings::default();
    for entry in node.as_map().unwrap_or(&[]) {
        let Some(written) = entry.value.as_text() else {
            continue;
        };
        let value = text(written, entry.value.at, diagnostics);
        let Some(value) = value else { continue };
        match entry.key.as_str() {
            "dataframe_backend" => settings.dataframe_backend = Some(value.to_ascii_uppercase()),
            "dataframe_api" => match crate::model::DataFrameApi::parse(&value) {
                Some(api) => settings.dataframe_api = Some(api),
                None => {
                    let message = format!("`{value}` is not a dataframe API");
                    let fault = Diagnostic::error("unknown-word", message)
                        .hint("known here: `NARWHALS`, `NATIVE`");
                    diagnostics.push(fault.at(sources.span(entry.value.at)));
                }
            },
            "runtime_root" => settings.runtime_root = Some(value),
            "workspace_root" => settings.workspace_root = Some(value),
            "build_root" => settings.build_root = Some(value),
            _ => {}
        }
    }
    settings
}

/// No pipeline of a stack was taken: why, unless that is told already.
pub(crate) fn unnamed(stack: &Stack, told: &Diagnostics) -> Option<Diagnostic> {
    if told.iter().any(Diagnostic::is_error) {
        return None;
    }
    let names: Vec<String> = (stack.pipelines.iter())
        .map(|name| format!("`{name}`"))
        .collect();
    Some(match names.is_empty() {
        true => Diagnostic::error("stack", "the stack has no pipelines")
            .hint("they stand below `resources.pipelines`, by their names"),
        false => Diagnostic::error(
            "stack",
            "the stack has several pipelines, and none is named",
        )
        .hint(format!("name one of {}", names.join(", "))),
    })
}

/// A part of a stack is asked for, and the document is a pipeline.
pub(crate) fn no_stack(choice: &StackChoice) -> Diagnostic {
    let what = match (&choice.environment, &choice.pipeline) {
        (Some(environment), _) => format!("environment `{environment}`"),
        (None, pipeline) => format!("pipeline `{}`", pipeline.as_deref().unwrap_or_default()),
    };
    let message = format!("{what} is asked for, but this is a pipeline, and not a stack");
    Diagnostic::error("stack", message)
        .hint("a stack has pipelines below `resources.pipelines`, and `environments`")
}
