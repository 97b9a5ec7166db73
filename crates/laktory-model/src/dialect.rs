//! Files of every era, rewritten to the current keys (section 1.2 of the language reference).
//!
//! Runs on the tree, before decoding, so that decoder, validation and paths know one spelling only. Each old key is
//! told once, at its first place.

use std::collections::HashSet;

use laktory_syntax::{Diagnostic, Diagnostics};

use crate::legacy;
use crate::sources::Sources;
use crate::tree::{Entry, Kind, Node, Place};

/// Old keys and current ones.
type Renames = &'static [(&'static str, &'static str)];
/// Removed keys and what to do instead.
type Removed = &'static [(&'static str, &'static str)];

/// Spellings that are as good as the current ones; no warning.
const ALIASES: Renames = &[
    ("dataframe_backend_", "dataframe_backend"),
    ("dataframe_api_", "dataframe_api"),
    ("root_path_", "root_path"),
    ("checkpoint_path_", "checkpoint_path"),
    (
        "expectations_checkpoint_path_",
        "expectations_checkpoint_path",
    ),
    ("execution_task_name_", "execution_task_name"),
    ("schema_location_", "schema_location"),
    ("writer_id_", "writer_id"),
];
const ANY: Renames = &[("dataframe_type", "dataframe_backend")];
const PIPELINE: Renames = &[("options", "resource_options")];
const PIPELINE_REMOVED: Removed = &[
    ("udfs", "list the modules under `imports`"),
    (
        "databricks_job",
        "put these options under `orchestrator`, with `type: LAKEFLOW_JOB`",
    ),
    (
        "databricks_dlt",
        "put these options under `orchestrator`, with `type: LAKEFLOW_DECLARATIVE_PIPELINE`",
    ),
];
/// Keys that are read and do nothing, each with what is the case now.
const PIPELINE_IDLE: Removed = &[(
    "databricks_quality_monitor_enabled",
    "a job has `data_profiling_config_task: true` under `orchestrator` instead",
)];
const NODE: Renames = &[
    ("dlt_template", "ldp_template"),
    (
        "expectations_checkpoint_location",
        "expectations_checkpoint_path",
    ),
    ("description", "comment"),
    ("timestamp_key", "time_column"),
    ("sink", "sinks"),
];
const NODE_REMOVED: Removed = &[
    (
        "layer",
        "add the layer's columns in the transformer, such as `func_name: with_columns`",
    ),
    ("add_layer_columns", "there are no layer columns any more"),
    (
        "drop_source_columns",
        "select the columns to keep in the transformer",
    ),
    (
        "drop_duplicates",
        "add a step `func_name: unique` with the columns under `subset`",
    ),
];
const SOURCE: Renames = &[
    ("read_options", "reader_kwargs"),
    ("reader_options", "reader_kwargs"),
];
const SOURCE_REMOVED: Removed = &[
    ("limit", "add a step `func_name: head` to the transformer"),
    (
        "sample",
        "add a step `func_name: sample` to the transformer",
    ),
    ("watermark", "watermarks are not supported"),
    (
        "broadcast",
        "broadcast hints are not supported; engines decide",
    ),
    ("mock_df", "use a source with `data`"),
];
const SINK: Renames = &[
    ("checkpoint_location", "checkpoint_path"),
    ("write_options", "writer_kwargs"),
    ("writer_options", "writer_kwargs"),
    (
        "databricks_quality_monitor",
        "databricks_data_profiling_config",
    ),
];
const SINK_REMOVED: Removed = &[
    ("cluster_by", "use `writer_methods` with `name: clusterBy`"),
    (
        "is_primary",
        "the first sink that is no quarantine sink is the primary one",
    ),
];
const STEP: Renames = &[("sql_expr", "expr")];
const COLUMN: Renames = &[("value", "expr")];

pub(crate) const ORCHESTRATORS: Renames = &[
    ("DATABRICKS_JOB", "LAKEFLOW_JOB"),
    ("DATABRICKS_PIPELINE", "LAKEFLOW_DECLARATIVE_PIPELINE"),
    ("DATABRICKS_DLT", "LAKEFLOW_DECLARATIVE_PIPELINE"),
    ("DLT", "LAKEFLOW_DECLARATIVE_PIPELINE"),
];

/// Keys that are read under another name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OldKey {
    pub(crate) old: &'static str,
    pub(crate) new: &'static str,
    /// As good as the current one.
    pub(crate) silent: bool,
}

/// The other spellings of the keys of an object, by its name in the tables; renames whose current key the object has not are
/// without effect.
pub(crate) fn old_keys(label: &str) -> Vec<OldKey> {
    let (renames, silent): (Renames, Renames) = match label {
        "pipeline" => (PIPELINE, &[]),
        "pipeline node" => (NODE, &[("source", "sources")]),
        "source" => (SOURCE, &[("schema", "schema_definition")]),
        "sink" => (SINK, &[("schema", "schema_definition")]),
        "SQL step" | "method step" => (STEP, &[]),
        "column expression" => (COLUMN, &[]),
        "transformer" | "expectation" | "shared options object" => (&[], &[]),
        _ => return Vec::new(),
    };
    let keys = |table: Renames, silent: bool| {
        let key = move |&(old, new)| OldKey { old, new, silent };
        table.iter().map(key)
    };
    keys(ALIASES, true)
        .chain(keys(silent, true))
        .chain(keys(ANY, false))
        .chain(keys(renames, false))
        .collect()
}

/// Keys that are read and do nothing, by object, each with what to know about it.
pub(crate) fn idle_keys(label: &str) -> Removed {
    match label {
        "pipeline" => PIPELINE_IDLE,
        "source" | "sink" => &[("warehouse", "write `type` instead")],
        _ => &[],
    }
}

/// Keys of which a source has at least one.
const SOURCE_KEYS: [&str; 8] = [
    "path",
    "format",
    "node_name",
    "table_name",
    "data",
    "df",
    "custom_reader",
    "type",
];

pub(crate) struct Dialect<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) diagnostics: &'a mut Diagnostics,
    told: HashSet<(&'static str, &'static str)>,
}

impl<'a> Dialect<'a> {
    pub(crate) fn new(sources: &'a Sources, diagnostics: &'a mut Diagnostics) -> Self {
        Self {
            sources,
            diagnostics,
            told: HashSet::new(),
        }
    }

    pub(crate) fn pipeline(&mut self, root: &mut Node) {
        let Kind::Map(entries) = &mut root.kind else {
            return;
        };
        self.keys(entries, PIPELINE, PIPELINE_REMOVED);
        self.idle(entries, PIPELINE_IDLE);
        for entry in entries {
            match entry.key.as_str() {
                "orchestrator" => self.orchestrator(&mut entry.value),
                "nodes" => {
                    for node in items(&mut entry.value) {
                        self.node(node);
                    }
                }
                _ => {}
            }
        }
    }

    fn orchestrator(&mut self, node: &mut Node) {
        if node.as_text().is_some() {
            let at = node.at;
            let value = std::mem::replace(node, Node::poison(at));
            let entry = Entry {
                key: "type".to_owned(),
                key_at: at,
                value,
            };
            *node = Node::new(Kind::Map(vec![entry]), at.whole());
        }
        let Kind::Map(entries) = &mut node.kind else {
            return;
        };
        let kind = entries.iter_mut().find(|entry| entry.key == "type");
        let Some(entry) = kind else { return };
        let text = entry
            .value
            .as_text()
            .unwrap_or_default()
            .to_ascii_uppercase();
        if let Some((old, new)) = ORCHESTRATORS
            .iter()
            .find(|(old, _)| old.eq_ignore_ascii_case(text.trim()))
        {
            let at = entry.value.at;
            self.warn("orchestrator type", old, new, at);
            entry.value = Node::text(*new, at.whole());
        }
    }

    fn node(&mut self, node: &mut Node) {
        let Kind::Map(entries) = &mut node.kind else {
            return;
        };
        self.keys(entries, NODE, NODE_REMOVED);
        self.source_key(entries);
        for entry in entries.iter_mut() {
            match entry.key.as_str() {
                "sources" => {
                    name_sources(&mut entry.value);
                    for source in items(&mut entry.value) {
                        self.source(source);
                    }
                }
                "sinks" => {
                    if entry.value.as_map().is_some() {
                        wrap(&mut entry.value);
                    }
                    for sink in items(&mut entry.value) {
                        self.sink(sink);
                    }
                }
                "expectations" => {
                    for expectation in items(&mut entry.value) {
                        self.expectation(expectation);
                    }
                }
                "transformer" => self.transformer(&mut entry.value),
                _ => {}
            }
        }
        legacy::arguments(self, entries);
        legacy::view_definition(self, entries);
    }

    /// `source: {…}` to `sources: [{…}]`.
    fn source_key(&mut self, entries: &mut Vec<Entry>) {
        let Some(index) = entries.iter().position(|entry| entry.key == "source") else {
            return;
        };
        if let Some(other) = entries.iter().find(|entry| entry.key == "sources") {
            let other = other.key_at;
            let entry = entries.remove(index);
            self.both("source", "sources", entry.key_at, other);
            return;
        }
        let entry = &mut entries[index];
        entry.key = "sources".to_owned();
        if entry.value.as_map().is_some() {
            wrap(&mut entry.value);
        }
    }

    fn source(&mut self, node: &mut Node) {
        let Kind::Map(entries) = &mut node.kind else {
            return;
        };
        self.keys(entries, SOURCE, SOURCE_REMOVED);
        self.alias(entries, "schema", "schema_definition");
        self.warehouse(entries);
    }

    fn sink(&mut self, node: &mut Node) {
        let Kind::Map(entries) = &mut node.kind else {
            return;
        };
        self.keys(entries, SINK, SINK_REMOVED);
        self.alias(entries, "schema", "schema_definition");
        self.warehouse(entries);
        for entry in entries.iter_mut().filter(|entry| entry.key == "shared") {
            if let Kind::Map(entries) = &mut entry.value.kind {
                self.keys(entries, &[], &[]);
            }
        }
    }

    /// `warehouse: DATABRICKS` said what `type` says now.
    fn warehouse(&mut self, entries: &mut Vec<Entry>) {
        if let Some(index) = entries.iter().position(|entry| entry.key == "warehouse") {
            let entry = entries.remove(index);
            self.warn("table", "warehouse", "type", entry.key_at);
        }
    }

    fn expectation(&mut self, node: &mut Node) {
        let Kind::Map(entries) = &mut node.kind else {
            return;
        };
        self.keys(entries, &[], &[]);
        for entry in entries {
            match entry.key.as_str() {
                "action" => {
                    let text = entry.value.as_text().unwrap_or_default();
                    if text.eq_ignore_ascii_case("ALLOW") {
                        self.warn("action", "ALLOW", "WARN", entry.value.at);
                    }
                }
                "expr" => {
                    if let Kind::Map(entries) = &mut entry.value.kind {
                        self.keys(entries, COLUMN, &[]);
                    }
                }
                _ => {}
            }
        }
    }

    fn transformer(&mut self, node: &mut Node) {
        let Kind::Map(entries) = &mut node.kind else {
            return;
        };
        self.keys(entries, &[], &[]);
        for entry in entries.iter_mut().filter(|entry| entry.key == "nodes") {
            let Kind::Seq(steps) = &mut entry.value.kind else {
                continue;
            };
            for step in steps.iter_mut() {
                if let Kind::Map(entries) = &mut step.kind {
                    self.keys(entries, STEP, &[]);
                }
            }
            legacy::column_steps(self, steps);
        }
    }

    /// Renames and refuses the old keys of one object.
    fn keys(&mut self, entries: &mut Vec<Entry>, renames: Renames, removed: Removed) {
        let old = |entry: &Entry| {
            let key = entry.key.as_str();
            let renamed = |table: Renames| table.iter().find(|(old, _)| *old == key).copied();
            renamed(ALIASES).map(|rename| (rename, true)).or_else(|| {
                renamed(ANY)
                    .or_else(|| renamed(renames))
                    .map(|rename| (rename, false))
            })
        };
        let mut index = 0;
        while index < entries.len() {
            if let Some(((old, new), silent)) = old(&entries[index]) {
                let at = entries[index].key_at;
                if let Some(other) = entries.iter().find(|entry| entry.key == new) {
                    let other = other.key_at;
                    entries.remove(index);
                    self.both(old, new, at, other);
                    continue;
                }
                entries[index].key = new.to_owned();
                if !silent {
                    self.warn("key", old, new, at);
                }
            } else if let Some((key, hint)) =
                removed.iter().find(|(key, _)| *key == entries[index].key)
            {
                let entry = entries.remove(index);
                let fault = Diagnostic::error(
                    "unsupported",
                    format!("`{key}` is not part of the language any more"),
                );
                self.report(fault.hint(*hint), entry.key_at);
                continue;
            }
            index += 1;
        }
    }

    /// Takes keys away that do nothing, with a warning.
    fn idle(&mut self, entries: &mut Vec<Entry>, idle: Removed) {
        entries.retain(|entry| {
            let Some((key, hint)) = idle.iter().find(|(key, _)| *key == entry.key) else {
                return true;
            };
            let fault = Diagnostic::warning("no-effect", format!("`{key}` has no effect any more"));
            self.report(fault.hint(*hint), entry.key_at);
            false
        });
    }

    fn alias(&mut self, entries: &mut Vec<Entry>, old: &'static str, new: &'static str) {
        let Some(index) = entries.iter().position(|entry| entry.key == old) else {
            return;
        };
        match entries.iter().find(|entry| entry.key == new) {
            Some(other) => {
                let other = other.key_at;
                let entry = entries.remove(index);
                self.both(old, new, entry.key_at, other);
            }
            None => new.clone_into(&mut entries[index].key),
        }
    }

    fn both(&mut self, old: &str, new: &str, at: Place, other: Place) {
        let message = format!("`{old}` and `{new}` are one key, and both are given");
        let mut fault = Diagnostic::error("duplicate-key", message).hint(format!("keep `{new}`"));
        if let Some(span) = self.sources.span(other) {
            fault = fault.related(span, format!("`{new}` is given here"));
        }
        self.report(fault, at);
    }

    /// Tells an old spelling, once per spelling.
    pub(crate) fn warn(&mut self, what: &'static str, old: &'static str, new: &str, at: Place) {
        if self.told.insert((what, old)) {
            let fault = Diagnostic::warning("deprecated", format!("{what} `{old}` is now `{new}`"));
            self.report(fault.hint(format!("write `{new}`")), at);
        }
    }

    /// Tells a source that stands in an argument, once.
    pub(crate) fn moved(&mut self, old: &'static str, name: &str, at: Place) {
        if self.told.insert(("argument", old)) {
            let message = "a source as an argument of a step is a source of the node now";
            let hint = format!(
                "move it to `sources` of the node with `name: {name}`, and write `\"{{sources.{name}}}\"` in its place"
            );
            self.report(Diagnostic::warning("deprecated", message).hint(hint), at);
        }
    }

    pub(crate) fn report(&mut self, fault: Diagnostic, at: Place) {
        let span = self.sources.span(at);
        self.diagnostics.push(fault.at(span));
    }
}

/// The items of a list; none of anything else.
pub(crate) fn items(node: &mut Node) -> &mut [Node] {
    match &mut node.kind {
        Kind::Seq(items) => items,
        _ => &mut [],
    }
}

/// A list of one.
fn wrap(node: &mut Node) {
    let at = node.at;
    let item = std::mem::replace(node, Node::poison(at));
    *node = Node::new(Kind::Seq(vec![item]), at);
}

/// `sources: {name: {…}}` to a list of sources with names; a single source to a list of one.
fn name_sources(node: &mut Node) {
    let Kind::Map(entries) = &mut node.kind else {
        return;
    };
    let is_source = |node: &Node| {
        node.as_map().is_some_and(|entries| {
            entries
                .iter()
                .any(|entry| SOURCE_KEYS.contains(&entry.key.as_str()))
        })
    };
    let named = entries.iter().any(|entry| is_source(&entry.value));
    if !named
        && entries
            .iter()
            .any(|entry| SOURCE_KEYS.contains(&entry.key.as_str()))
    {
        wrap(node);
        return;
    }
    let items = std::mem::take(entries)
        .into_iter()
        .map(|mut entry| {
            if let Kind::Map(own) = &mut entry.value.kind
                && !own.iter().any(|entry| entry.key == "name")
            {
                let name = Entry {
                    key: "name".to_owned(),
                    key_at: entry.key_at,
                    value: Node::text(entry.key, entry.key_at),
                };
                own.insert(0, name);
            }
            entry.value
        })
        .collect();
    node.kind = Kind::Seq(items);
}
