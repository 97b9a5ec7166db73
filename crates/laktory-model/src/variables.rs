//! Values for `${vars.x}`, `${settings.x}` and `${params.x}`, substituted in the tree.
//!
//! The environment is a map that the caller hands in. Expressions (`${{ … }}`) are recognised and refused.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::rc::Rc;

use laktory_syntax::{Diagnostic, Span, did_you_mean};

use crate::load::LoadOptions;
use crate::placeholders::{Namespace, Placeholder, What, find};
use crate::settings::Settings;
use crate::sources::Sources;
use crate::text_map;
use crate::tree::{Atom, Entry, Kind, Node, Place, plain_atom};
use crate::yaml::{Budget, MAX_DEPTH};

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
    settings: &'a Settings,
    scopes: Vec<Rc<Scope>>,
    /// Variables whose values are being resolved, outermost first.
    open: Vec<String>,
    parameters: crate::parameters::Parameters<'a>,
    /// Diagnostic of each unresolved name, so that one fault is told once.
    reported: HashMap<String, usize>,
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
            settings: &options.settings,
            scopes: Vec::new(),
            open: Vec::new(),
            parameters: crate::parameters::Parameters::new(&options.parameters),
            reported: HashMap::new(),
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
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<String> {
        if !text.contains("${") {
            return Some(text.to_owned());
        }
        let mut node = Node::text(text, at.whole());
        let mut budget = Budget::default();
        Pass {
            resolver: self,
            sources,
            diagnostics,
            budget: &mut budget,
            region: Region::Other,
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
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        if let Kind::Map(entries) = &mut root.kind {
            let mut pass = Pass {
                resolver: self,
                sources,
                diagnostics,
                budget,
                region: Region::Other,
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
    diagnostics: &'p mut Vec<Diagnostic>,
    budget: &'p mut Budget,
    region: Region,
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
                "root_path" | "root_path_" => {
                    self.region = Region::RootPath;
                    self.value(&mut entry.value, 1, false);
                }
                _ => self.value(&mut entry.value, 1, false),
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
                        self.value(&mut entry.value, 3, free);
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
                        let free = free || FREE_FORM.contains(&entry.key.as_str());
                        self.value(&mut entry.value, depth + 1, free);
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
        let Some(text) = node.as_text().map(str::to_owned) else {
            return;
        };
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
        for placeholder in found {
            out.push_str(&text[from..placeholder.range.start]);
            from = placeholder.range.end;
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
        }
        out.push_str(&text[from..]);
        // Text that doubles with every variable must end somewhere.
        if !self.budget.take(out.len() / 64) {
            let fault = Diagnostic::error("too-large", "variables expand to too much text");
            self.report(fault, node, None);
            whole = false;
        }
        *node = if whole {
            Node::text(out, node.at.whole())
        } else {
            Node::poison(node.at)
        };
    }

    /// What a placeholder stands for; none after a reported fault.
    fn resolve(&mut self, node: &Node, placeholder: &Placeholder, depth: usize) -> Option<Node> {
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
                    let message = format!("unknown setting `{name}`");
                    let mut fault = Diagnostic::error("unresolved-variable", message);
                    fault.hint = did_you_mean(name, Settings::NAMES);
                    self.report(fault, node, Some(range));
                }
                Some(Node::text(value?, node.at.whole()))
            }
            Namespace::Params => self.parameter(name, node, range),
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
                self.report(
                    Diagnostic::error("circular-variable", message),
                    node,
                    Some(range),
                );
                let last = self.diagnostics.len() - 1;
                for name in chain {
                    self.resolver.reported.insert(name, last);
                }
            }
            return None;
        }
        let Some(mut value) = self.resolver.lookup(name, node.at) else {
            let mut hint = self.resolver.known();
            // Declared without a value: it must be given from outside.
            hint.retain(|known| !known.eq_ignore_ascii_case(name));
            let hint = did_you_mean(name, hint.iter().map(String::as_str)).unwrap_or_else(|| {
                format!("declare it under `variables:`, pass `--var {name}=…`, or set it in the environment")
            });
            let message = format!("variable `{name}` has no value");
            self.once(format!("vars.{lower}"), message, hint, node, range);
            return None;
        };
        let extent = value.extent();
        if !self.budget.take(extent.values) {
            let fault = Diagnostic::error("too-large", "variables expand to too many values");
            self.report(fault, node, Some(range));
            return None;
        }
        self.resolver.open.push(lower);
        self.value(&mut value, depth + 1, false);
        self.resolver.open.pop();
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
                value.at = node.at.whole();
                value
            });
        }
        let names = self.resolver.parameters.names();
        let hint = did_you_mean(name, names.iter().map(String::as_str))
            .unwrap_or_else(|| "declare it under `parameters:` of the pipeline".to_owned());
        let message = format!("parameter `{name}` is not declared");
        self.once(format!("params.{name}"), message, hint, node, range);
        None
    }

    /// Reports a missing name where it is first used, and adds later uses (at most 5) to that report.
    fn once(
        &mut self,
        name: String,
        message: String,
        hint: String,
        node: &Node,
        range: Range<usize>,
    ) {
        if let Some(first) = self.resolver.reported.get(&name) {
            let span = self.span(node, Some(range));
            if let (Some(fault), Some(span)) = (self.diagnostics.get_mut(*first), span)
                && fault.related.len() < 5
                && fault.span.as_ref() != Some(&span)
            {
                fault.related.push((span, "also used here".to_owned()));
            }
            return;
        }
        let fault = Diagnostic::error("unresolved-variable", message).hint(hint);
        self.report(fault, node, Some(range));
        self.resolver
            .reported
            .insert(name, self.diagnostics.len() - 1);
    }

    fn unsupported(&mut self, message: &str, node: &Node, range: Range<usize>) {
        self.report(Diagnostic::error("unsupported", message), node, Some(range));
    }

    fn span(&self, node: &Node, range: Option<Range<usize>>) -> Option<Span> {
        let exact = || {
            let (text, range) = (node.as_text()?, range?);
            let file = self.sources.file(node.at.file)?;
            let range = text_map::locate(file.text(), node.at, text, range)?;
            Some(Span::new(file, range))
        };
        exact().or_else(|| self.sources.span(node.at))
    }

    fn report(&mut self, fault: Diagnostic, node: &Node, range: Option<Range<usize>>) {
        let fault = fault.at(self.span(node, range));
        let told = self
            .diagnostics
            .iter()
            .rev()
            .take(64)
            .any(|known| known.span == fault.span && known.message == fault.message);
        if !told {
            self.diagnostics.push(fault);
        }
    }
}
