//! Values for `${vars.x}`, `${settings.x}` and `${params.x}`, substituted in the tree.
//!
//! The environment is a map that the caller hands in. Expressions (`${{ … }}`) are recognised and refused.

mod faults;
mod names;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::rc::Rc;

use laktory_core::Secrets;
use laktory_core::secret::is_secret;
use laktory_syntax::{Diagnostic, Diagnostics, did_you_mean};

use crate::budget::{Budget, Cause};
use crate::load::LoadOptions;
use crate::placeholders::{Namespace, Placeholder, What, find};
use crate::secrets;
use crate::settings::Settings;
use crate::sources::Sources;
use crate::tree::{Atom, Entry, Kind, Node, Place, plain_atom};
use crate::yaml::MAX_DEPTH;

/// Keys whose mappings are data, in which `variables` is a name like any other.
const FREE_FORM: [&str; 8] = [
    "func_args",
    "func_kwargs",
    "reader_kwargs",
    "writer_kwargs",
    "data",
    "properties",
    "tags",
    "renames",
];

/// Keys of the pipeline that only a deployment looks at, in every spelling: what has no value there yet does not stop a
/// local run. The type of the orchestrator is not among them.
const DEPLOYMENT: [&str; 8] = [
    "dependencies",
    "imports",
    "lookup_existing",
    "options",
    "orchestrator",
    "resource_name",
    "resource_options",
    "databricks_quality_monitor_enabled",
];

/// The same, of nodes and their parts.
const NODE_DEPLOYMENT: [&str; 4] = [
    "databricks_data_profiling_config",
    "databricks_quality_monitor",
    "dlt_template",
    "ldp_template",
];

/// Where a text stands, which decides whether `${params.x}` may be used (R-PARAM-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Region {
    Nodes,
    NodeName,
    RootPath,
    Other,
}

type Scope = BTreeMap<String, (String, Node)>;

/// Looks names up, in scopes that follow the document.
pub(crate) struct Resolver<'a> {
    /// Names in lower case.
    given: BTreeMap<String, &'a str>,
    environment: BTreeMap<String, &'a str>,
    pub(crate) settings: Settings,
    scopes: Vec<Rc<Scope>>,
    /// Variables whose values are being resolved, outermost first.
    open: Vec<String>,
    parameters: crate::parameters::Parameters<'a>,
    /// Diagnostic of each unresolved name, so that one fault is told once.
    reported: HashMap<String, Option<usize>>,
    /// Variables that paths of includes name; the paths themselves are gone when the document is complete.
    in_paths: BTreeSet<String>,
    /// Values of variables and parameters that are credentials by their names.
    pub(crate) secrets: Secrets,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(options: &'a LoadOptions<'a>) -> Self {
        let lower = |map: &'a BTreeMap<String, String>| {
            map.iter()
                .map(|(name, value)| (name.to_lowercase(), value.as_str()))
                .collect()
        };
        Self {
            given: lower(&options.variables),
            environment: lower(&options.environment),
            settings: options.settings.clone(),
            scopes: Vec::new(),
            open: Vec::new(),
            parameters: crate::parameters::Parameters::new(&options.parameters),
            reported: HashMap::new(),
            in_paths: BTreeSet::new(),
            secrets: Secrets::default(),
        }
    }

    /// Enters the scope of a `variables` mapping; false when `node` is none.
    pub(crate) fn enter(&mut self, node: &Node) -> bool {
        let Some(entries) = node.as_map() else {
            return false;
        };
        let scope = entries
            .iter()
            .map(|entry| {
                let value = (entry.key.clone(), entry.value.clone());
                (entry.key.to_lowercase(), value)
            })
            .collect();
        self.scopes.push(Rc::new(scope));
        true
    }

    pub(crate) fn leave(&mut self) {
        self.scopes.pop();
    }

    /// A text that must stay one, such as the path of an include.
    pub(crate) fn text(
        &mut self,
        text: &str,
        at: Place,
        sources: &Sources,
        diagnostics: &mut Diagnostics,
    ) -> Option<String> {
        if !text.contains("${") {
            return Some(text.to_owned());
        }
        self.in_paths.extend(names::names_in(text));
        let mut node = Node::text(text, at.whole());
        let mut budget = Budget::of_path();
        Pass {
            resolver: self,
            sources,
            diagnostics,
            budget: &mut budget,
            region: Region::Other,
            deployment: None,
        }
        .value(&mut node, 0, false);
        match node.kind {
            Kind::Scalar { text, atom } if atom != Atom::Null => Some(text),
            _ => None,
        }
    }

    /// Substitutes everywhere in the document.
    pub(crate) fn substitute(
        &mut self,
        root: &mut Node,
        sources: &Sources,
        budget: &mut Budget,
        diagnostics: &mut Diagnostics,
    ) {
        self.check_given(root, sources, diagnostics);
        if let Kind::Map(entries) = &mut root.kind {
            let mut pass = Pass {
                resolver: self,
                sources,
                diagnostics,
                budget,
                region: Region::Other,
                deployment: None,
            };
            let scoped = pass.enter(entries);
            // Defaults of parameters may hold variables.
            for entry in entries.iter_mut().filter(|entry| entry.key == "parameters") {
                pass.value(&mut entry.value, 1, false);
            }
            if scoped {
                self.leave();
            }
        }
        self.parameters.declare(root, sources, diagnostics);
        Pass {
            resolver: self,
            sources,
            diagnostics,
            budget,
            region: Region::Other,
            deployment: None,
        }
        .root(root);
    }

    /// The value of a variable: `--var`, innermost `variables`, environment, settings.
    fn lookup(&self, name: &str, at: Place) -> Option<Node> {
        let name = name.to_lowercase();
        let declared = self.scopes.iter().rev().find_map(|scope| {
            let (_, node) = scope.get(&name)?;
            (!node.is_null()).then_some(node)
        });
        if let Some(text) = self.given.get(&name) {
            // A text from the command line keeps the type that the document gives the variable.
            let typed = declared.is_some_and(
                |node| matches!(&node.kind, Kind::Scalar { atom, .. } if *atom != Atom::Text),
            );
            let atom = if typed { plain_atom(text) } else { Atom::Text };
            let text = (*text).to_owned();
            return Some(Node::new(Kind::Scalar { text, atom }, at.whole()));
        }
        if let Some(node) = declared {
            return Some(node.clone());
        }
        self.environment
            .get(&name)
            .map(|text| (*text).to_owned())
            .or_else(|| self.settings.get(&name))
            .map(|text| Node::text(text, at.whole()))
    }

    /// Every name that could have been meant, as written. The environment is left out: it is long and private.
    fn known(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .scopes
            .iter()
            .rev()
            .flat_map(|scope| scope.values().map(|(name, _)| name.clone()))
            .chain(self.given.keys().cloned())
            .collect();
        names.dedup();
        names
    }
}

/// One walk over a tree.
struct Pass<'p, 'a> {
    resolver: &'p mut Resolver<'a>,
    sources: &'p Sources,
    diagnostics: &'p mut Diagnostics,
    budget: &'p mut Budget,
    region: Region,
    /// The key around, when only a deployment looks at what is below it.
    deployment: Option<&'static str>,
}

impl Pass<'_, '_> {
    fn root(&mut self, root: &mut Node) {
        let Kind::Map(entries) = &mut root.kind else {
            self.value(root, 0, false);
            return;
        };
        let scoped = self.enter(entries);
        for entry in entries {
            match entry.key.as_str() {
                "variables" => continue,
                "nodes" => self.nodes(&mut entry.value),
                "orchestrator" => {
                    // Which one it is decides whether sinks are written here.
                    if let Kind::Map(entries) = &mut entry.value.kind {
                        let kind = entries.iter_mut().filter(|entry| entry.key == "type");
                        kind.for_each(|entry| self.value(&mut entry.value, 2, false));
                    } else {
                        self.value(&mut entry.value, 1, false);
                    }
                    self.for_deployment(&DEPLOYMENT, entry, 1, false);
                }
                "root_path" | "root_path_" => {
                    self.region = Region::RootPath;
                    self.value(&mut entry.value, 1, false);
                }
                _ => self.for_deployment(&DEPLOYMENT, entry, 1, false),
            }
            self.region = Region::Other;
        }
        if scoped {
            self.resolver.leave();
        }
    }

    fn nodes(&mut self, nodes: &mut Node) {
        self.region = Region::Nodes;
        let Kind::Seq(items) = &mut nodes.kind else {
            self.value(nodes, 1, false);
            return;
        };
        for item in items {
            let Kind::Map(entries) = &mut item.kind else {
                self.value(item, 2, false);
                continue;
            };
            let scoped = self.enter(entries);
            for entry in entries {
                match entry.key.as_str() {
                    "variables" => {}
                    "name" => {
                        self.region = Region::NodeName;
                        self.value(&mut entry.value, 3, false);
                        self.region = Region::Nodes;
                    }
                    key => {
                        let free = FREE_FORM.contains(&key);
                        self.for_deployment(&NODE_DEPLOYMENT, entry, 3, free);
                    }
                }
            }
            if scoped {
                self.resolver.leave();
            }
        }
    }

    fn enter(&mut self, entries: &[Entry]) -> bool {
        entries
            .iter()
            .find(|entry| entry.key == "variables")
            .is_some_and(|entry| self.resolver.enter(&entry.value))
    }

    /// Substitutes below a key, which may be one of `keys` that only a deployment looks at.
    fn for_deployment(
        &mut self,
        keys: &[&'static str],
        entry: &mut Entry,
        depth: usize,
        free: bool,
    ) {
        let around = self.deployment;
        let own = keys.iter().find(|key| **key == entry.key).copied();
        self.deployment = around.or(own);
        self.value(&mut entry.value, depth, free);
        self.deployment = around;
    }

    fn value(&mut self, node: &mut Node, depth: usize, free: bool) {
        if depth > MAX_DEPTH {
            let fault = Diagnostic::error("too-deep", "variables nest too deep");
            self.report(fault, node, None);
            *node = Node::poison(node.at);
            return;
        }
        match &mut node.kind {
            Kind::Scalar {
                text,
                atom: Atom::Text,
            } if text.contains("${") => {
                let found = find(text);
                if !found.is_empty() {
                    self.scalar(node, &found, depth);
                }
            }
            Kind::Seq(items) => {
                for item in items {
                    self.value(item, depth + 1, free);
                }
            }
            Kind::Map(entries) => {
                let scoped = !free && self.enter(entries);
                for entry in entries {
                    if free || entry.key != "variables" {
                        let known: &[&'static str] = if free { &[] } else { &NODE_DEPLOYMENT };
                        let free = free || FREE_FORM.contains(&entry.key.as_str());
                        self.for_deployment(known, entry, depth + 1, free);
                    }
                }
                if scoped {
                    self.resolver.leave();
                }
            }
            _ => {}
        }
    }

    fn scalar(&mut self, node: &mut Node, found: &[Placeholder], depth: usize) {
        let text = node.as_text().unwrap_or_default().to_owned();
        if let [only] = found
            && only.range == (0..text.len())
        {
            let value = self.resolve(node, only, depth);
            // The value stands where the placeholder was written, so that faults point at the field.
            let mut value = value.unwrap_or_else(|| Node::poison(node.at));
            if matches!(value.kind, Kind::Scalar { .. }) {
                value.at = node.at.whole();
            }
            *node = value;
            return;
        }
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        let mut whole = true;
        let mut filled = Vec::with_capacity(found.len());
        for placeholder in found {
            out.push_str(&text[from..placeholder.range.start]);
            from = placeholder.range.end;
            let start = out.len();
            let Some(value) = self.resolve(node, placeholder, depth) else {
                whole = false;
                continue;
            };
            match &value.kind {
                Kind::Scalar { text, atom } => match atom {
                    Atom::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
                    _ => out.push_str(text),
                },
                Kind::Poison => whole = false,
                _ => {
                    let written = &text[placeholder.range.clone()];
                    let message = format!(
                        "`{written}` is {} and cannot stand inside a text",
                        value.describe()
                    );
                    let fault = Diagnostic::error("variable", message)
                        .hint("make the placeholder the whole value");
                    self.report(fault, node, Some(placeholder.range.clone()));
                    whole = false;
                }
            }
            filled.push(start..out.len());
        }
        out.push_str(&text[from..]);
        // Text that doubles with every variable must end somewhere.
        if self.budget.take_text(out.len(), Cause::Variable).is_err() {
            self.exhausted(node, None);
            whole = false;
        }
        *node = if whole {
            Node::filled(out, node.at, filled)
        } else {
            Node::poison(node.at)
        };
    }

    /// What a placeholder stands for; none after a reported fault.
    fn resolve(&mut self, node: &Node, placeholder: &Placeholder, depth: usize) -> Option<Node> {
        if self.budget.is_exhausted() {
            return None;
        }
        let range = placeholder.range.clone();
        let (namespace, name) = match &placeholder.what {
            What::Name(namespace, name) => (*namespace, name.as_str()),
            What::BadName(name) => {
                let message = format!("`{name}` is not a variable name");
                let hint = "names are letters, digits and `_`, without spaces: `${vars.my_name}`";
                let fault = Diagnostic::error("variable", message).hint(hint);
                self.report(fault, node, Some(range));
                return None;
            }
            What::Expression if self.deployment.is_some() => {
                return Some(names::as_written(node, range));
            }
            What::Expression => {
                self.unsupported("expressions `${{ … }}` are not supported yet", node, range);
                return None;
            }
        };
        match namespace {
            Namespace::Vars => self.variable(name, node, range, depth),
            Namespace::Settings => {
                let value = self.resolver.settings.get(name);
                if value.is_none() {
                    let known = Settings::NAMES
                        .iter()
                        .any(|known| known.eq_ignore_ascii_case(name));
                    let fault = if known {
                        let message = format!("setting `{name}` has no value");
                        let variable = name.to_ascii_uppercase();
                        Diagnostic::error("unresolved-variable", message)
                            .hint(format!("set `LAKTORY_{variable}` in the environment"))
                    } else {
                        let message = format!("unknown setting `{name}`");
                        let mut fault = Diagnostic::error("unresolved-variable", message);
                        fault.hint = did_you_mean(name, Settings::NAMES);
                        fault
                    };
                    self.report(fault, node, Some(range));
                }
                Some(Node::text(value?, node.at.whole()))
            }
            Namespace::Params => self.parameter(name, node, range),
            Namespace::CurrentUser | Namespace::Resources if self.deployment.is_some() => {
                Some(names::as_written(node, range))
            }
            Namespace::CurrentUser => {
                self.unsupported(
                    "`${current_user.…}` is only known while deploying",
                    node,
                    range,
                );
                None
            }
            Namespace::Resources => {
                self.unsupported(
                    "`${resources.…}` is only known while deploying",
                    node,
                    range,
                );
                None
            }
            Namespace::Include => {
                let fault = Diagnostic::error("include", "`${include.…}` was removed")
                    .hint("use the tags `!use`, `!update` or `!extend`");
                self.report(fault, node, Some(range));
                None
            }
        }
    }

    fn variable(
        &mut self,
        name: &str,
        node: &Node,
        range: Range<usize>,
        depth: usize,
    ) -> Option<Node> {
        let lower = name.to_lowercase();
        if let Some(first) = self.resolver.open.iter().position(|open| *open == lower) {
            let mut chain = self.resolver.open[first..].to_vec();
            chain.push(lower.clone());
            if !self.resolver.reported.contains_key(&chain[0]) {
                let message = format!("variable `{name}` refers to itself: {}", chain.join(" → "));
                let fault = Diagnostic::error("circular-variable", message);
                let told = self.report(fault, node, Some(range));
                for name in chain {
                    self.resolver.reported.insert(name, told);
                }
            }
            return None;
        }
        let Some(mut value) = self.resolver.lookup(name, node.at) else {
            if let Some(key) = self.deployment {
                let message = format!(
                    "variable `{name}` has no value; `{key}` is for deployments, so a local run goes on without it"
                );
                let fault = Diagnostic::warning("unresolved-variable", message);
                self.once(format!("{key}.vars.{lower}"), fault, node, range.clone());
                return Some(names::as_written(node, range));
            }
            let mut hint = self.resolver.known();
            // Declared without a value: it must be given from outside.
            hint.retain(|known| !known.eq_ignore_ascii_case(name));
            let given = format!("pass `--var {name}=…`, or declare it under `variables:`");
            let hint = match did_you_mean(name, hint.iter().map(String::as_str)) {
                Some(near) if near.starts_with("did you mean") => near,
                Some(known) => format!("{given}; {known}"),
                None => format!("{given}, or set it in the environment"),
            };
            let message = format!("variable `{name}` has no value");
            let fault = Diagnostic::error("unresolved-variable", message).hint(hint);
            self.once(format!("vars.{lower}"), fault, node, range);
            return None;
        };
        if self.budget.take(value.extent(), Cause::Variable).is_err() {
            self.exhausted(node, Some(range));
            return None;
        }
        self.resolver.open.push(lower);
        self.value(&mut value, depth + 1, false);
        self.resolver.open.pop();
        if is_secret(name) {
            secrets::of_value(&value, &mut self.resolver.secrets);
        }
        Some(value)
    }

    fn parameter(&mut self, name: &str, node: &Node, range: Range<usize>) -> Option<Node> {
        match self.region {
            Region::Nodes | Region::RootPath => {}
            Region::NodeName => {
                let fault = Diagnostic::error("parameter", "a node name cannot hold a parameter")
                    .hint("names must be the same in every run");
                self.report(fault, node, Some(range));
                return None;
            }
            Region::Other => {
                let fault = Diagnostic::error(
                    "parameter",
                    "`${params.…}` can only be used in `nodes` and `root_path`",
                );
                self.report(fault, node, Some(range));
                return None;
            }
        }
        if let Some(declared) = self.resolver.parameters.get(name) {
            return declared.map(|mut value| {
                if is_secret(name) {
                    secrets::of_value(&value, &mut self.resolver.secrets);
                }
                value.at = node.at.whole();
                value
            });
        }
        let names = self.resolver.parameters.names();
        let hint = did_you_mean(name, names.iter().map(String::as_str))
            .unwrap_or_else(|| "declare it under `parameters:` of the pipeline".to_owned());
        let message = format!("parameter `{name}` is not declared");
        let fault = Diagnostic::error("unresolved-variable", message).hint(hint);
        self.once(format!("params.{name}"), fault, node, range);
        None
    }
}
