//! Rules on tests of nodes, in the pipeline or in a file beside it.

use std::collections::HashMap;

use laktory_syntax::did_you_mean;

use crate::finding::Finding;
use crate::model::{NodeTest, Pipeline, TransformerNode};
use crate::path::Path;
use crate::validate::not_empty;

/// Everything that is wrong with tests of `pipeline`, whose list is at `place` of their document.
#[must_use]
pub fn validate_tests(tests: &[NodeTest], pipeline: &Pipeline, place: &Path) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut names: HashMap<&str, usize> = HashMap::with_capacity(tests.len());
    for (index, test) in tests.iter().enumerate() {
        let path = place.index(index);
        not_empty(&test.name, &path.key("name"), "a test", &mut found);
        if let Some(first) = names.get(test.name.as_str()) {
            let message = format!("test `{}` is declared twice", test.name);
            let finding = Finding::error("duplicate-test", path.key("name"), message);
            let first = place.index(*first).key("name");
            found.push(
                finding
                    .hint("give it another name")
                    .related(first, "first declared here"),
            );
        } else if !test.name.is_empty() {
            names.insert(&test.name, index);
        }
        check(test, pipeline, &path, &mut found);
    }
    found
}

fn check(test: &NodeTest, pipeline: &Pipeline, path: &Path, found: &mut Vec<Finding>) {
    for (key, values) in [
        ("variables", &test.variables),
        ("parameters", &test.parameters),
    ] {
        let mut values = values.iter();
        if let Some((name, _)) = values.find(|(_, value)| value.is_array() || value.is_object()) {
            let message = format!("`{name}` is neither a text, a number nor a boolean");
            let place = path.key(key).key(name.as_str());
            found.push(Finding::error("variable", place, message));
        }
    }
    if test.expect.is_empty() {
        let message = format!("test `{}` expects nothing", test.name);
        let finding = Finding::error("empty-test", path.key("expect"), message);
        found.push(finding.hint(
            "give `rows`, `quarantine`, `dropped`, `expectations` or `schema`; `rows: []` for no rows",
        ));
    }
    let tolerance = test.expect.tolerance;
    if !tolerance.is_finite() || tolerance < 0.0 {
        let message = format!("`tolerance` cannot be {tolerance}");
        let place = path.key("expect").key("tolerance");
        let finding = Finding::error("tolerance", place, message);
        found.push(
            finding.hint("write a fraction of the expected value, such as `0.001`; 0 for none"),
        );
    }
    let Some(node) = pipeline.node_by_name(&test.node) else {
        let message = format!("the pipeline has no node `{}`", test.node);
        let mut finding = Finding::error("unknown-node", path.key("node"), message);
        let names = pipeline.nodes.iter().map(|node| node.name.as_str());
        finding.hint = did_you_mean(&test.node, names);
        found.push(finding);
        return;
    };
    let expect = path.key("expect");
    if let Some(step) = test.step {
        let steps: &[TransformerNode] = node
            .transformer
            .as_ref()
            .map_or(&[], |transformer| &transformer.nodes);
        if step > steps.len() as u64 {
            let message = format!(
                "node `{}` has {} steps, and no step {step}",
                node.name,
                steps.len()
            );
            let finding = Finding::error("unknown-step", path.key("step"), message);
            found.push(finding.hint("0 is the source, 1 the first step"));
        }
        let of_rules = [
            (test.expect.quarantine.is_some(), "quarantine"),
            (test.expect.dropped.is_some(), "dropped"),
            (!test.expect.expectations.is_empty(), "expectations"),
        ];
        for (_, key) in of_rules.into_iter().filter(|(given, _)| *given) {
            let message =
                format!("`{key}` is not known after a step: rules come after all of them");
            let finding = Finding::error("step-of-test", expect.key(key), message).at_key();
            found.push(finding.hint("leave out `step`, or test it on its own"));
        }
    }
    for name in test.expect.expectations.keys() {
        let known = || node.expectations.iter().map(|rule| rule.name.as_str());
        if !known().any(|known| known == name) {
            let message = format!("node `{}` has no expectation `{name}`", node.name);
            let place = expect.key("expectations").key(name.as_str());
            let mut finding = Finding::error("unknown-expectation", place, message).at_key();
            finding.hint = did_you_mean(name, known());
            found.push(finding);
        }
    }
}
