//! The rules of the language that need neither an engine nor the text of an expression.
//!
//! One function per object; each adds what it finds. Rules on SQL and expressions, references between nodes and what
//! an engine can do are checked where these are known.

mod node;
mod sink;
mod targets;
mod tests;

pub use tests::validate_tests;

use std::collections::HashMap;

use crate::finding::Finding;
use crate::model::Pipeline;
use crate::parameters::RESERVED;
use crate::path::Path;

/// Everything that is wrong with a pipeline as a value, in document order by rule.
#[must_use]
pub fn validate(pipeline: &Pipeline) -> Vec<Finding> {
    let mut found = Vec::new();
    let root = Path::root();
    name(&pipeline.name, &root.key("name"), "a pipeline", &mut found);
    let declarative = pipeline
        .orchestrator
        .as_ref()
        .filter(|orchestrator| orchestrator.is_declarative());
    for name in pipeline
        .parameters
        .keys()
        .filter(|name| RESERVED.contains(&name.as_str()))
    {
        let path = root.key("parameters").key(name.as_str());
        let message = format!("parameter name `{name}` is reserved");
        found.push(Finding::error("parameter", path, message).at_key());
    }
    if let Some(orchestrator) = declarative
        && !pipeline.parameters.is_empty()
    {
        let message = format!(
            "parameters cannot be used with orchestrator `{}`",
            orchestrator.r#type
        );
        found.push(Finding::error("parameter", root.key("parameters"), message).at_key());
    }
    let mut names: HashMap<&str, usize> = HashMap::with_capacity(pipeline.nodes.len());
    for (index, node) in pipeline.nodes.iter().enumerate() {
        let path = Path::node(index);
        name(&node.name, &path.key("name"), "a node", &mut found);
        if let Some(first) = names.get(node.name.as_str()) {
            let message = format!("node `{}` is declared twice", node.name);
            found.push(
                Finding::error("duplicate-node", path.key("name"), message)
                    .hint("give it another name")
                    .related(Path::node(*first).key("name"), "first declared here"),
            );
        } else if !node.name.is_empty() {
            names.insert(&node.name, index);
        }
        node::check(node, &path, &mut found);
        for (position, sink) in node.sinks.iter().enumerate() {
            let path = path.key("sinks").index(position);
            sink::check(sink, node, &path, &mut found);
            if let Some(orchestrator) = declarative {
                sink::check_declarative(sink, &orchestrator.r#type, &path, &mut found);
            }
        }
    }
    targets::check(pipeline, &mut found);
    found.extend(validate_tests(
        &pipeline.tests,
        pipeline,
        &root.key("tests"),
    ));
    found
}

/// Longest name, in bytes: what the name of a file may have.
const MAX_NAME: usize = 255;

/// Notes a name that is empty or too long.
fn name(text: &str, path: &Path, owner: &str, found: &mut Vec<Finding>) {
    not_empty(text, path, owner, found);
    if text.len() > MAX_NAME {
        let length = text.len();
        let message = format!("the name of {owner} has {length} bytes, more than {MAX_NAME}");
        let finding = Finding::error("too-large", path.clone(), message);
        found.push(finding.hint("give it a shorter name: it becomes part of paths and logs"));
    }
}

/// Notes an empty name or place.
fn not_empty(text: &str, path: &Path, owner: &str, found: &mut Vec<Finding>) {
    if text.trim().is_empty() {
        let key = match path.segments().last() {
            Some(crate::Segment::Key(key)) => key.as_str(),
            _ => "name",
        };
        let message = format!("`{key}` of {owner} is empty");
        found.push(Finding::error("empty-value", path.clone(), message));
    }
}
