//! The plan as a picture: a tree for the terminal, and a Mermaid flowchart.

use std::collections::VecDeque;
use std::fmt::Write as _;

use laktory_syntax::visible;

use crate::plan::{InputSource, NodePlan, Plan};

/// Levels of the tree that are indented. What lies deeper is drawn as a tree of its own below, so that the text of a
/// long chain grows with its length, not with the square of it.
const DEEPEST: usize = 40;

/// A drawing of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Graph<'a>(pub &'a Plan);

impl Graph<'_> {
    /// An indented tree. A node with several parents is written below the first, and named again below the others;
    /// very deep branches go on below, with the node that they begin with.
    #[must_use]
    pub fn tree(&self) -> String {
        let mut text = format!("{}\n", visible(&self.0.pipeline));
        let mut drawn = vec![false; self.0.nodes.len()];
        let roots: Vec<usize> = (0..self.0.nodes.len())
            .filter(|&node| self.0.nodes[node].upstream.is_empty())
            .collect();
        self.branches(&mut text, &roots, &mut drawn);
        text
    }

    fn branches(&self, text: &mut String, roots: &[usize], drawn: &mut [bool]) {
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); self.0.nodes.len()];
        for (index, node) in self.0.nodes.iter().enumerate() {
            for &above in &node.upstream {
                below[above].push(index);
            }
        }
        // Depth-first with an explicit stack: a chain of ten thousand nodes must not overflow.
        let mut open: Vec<(usize, String, bool)> = Vec::new();
        let push = |open: &mut Vec<(usize, String, bool)>, nodes: &[usize], indent: &str| {
            for (position, &node) in nodes.iter().enumerate().rev() {
                open.push((node, indent.to_owned(), position + 1 == nodes.len()));
            }
        };
        push(&mut open, roots, "");
        let mut later: VecDeque<usize> = VecDeque::new();
        loop {
            let Some((node, indent, last)) = open.pop() else {
                let Some(node) = later.pop_front() else {
                    break;
                };
                let _ = writeln!(text, "... {}", visible(&self.0.nodes[node].name));
                push(&mut open, &below[node], "    ");
                continue;
            };
            let (branch, bar) = if last {
                ("└── ", "    ")
            } else {
                ("├── ", "│   ")
            };
            let again = std::mem::replace(&mut drawn[node], true);
            let shown = &self.0.nodes[node];
            // Every level takes four characters.
            let deep = !again && !below[node].is_empty() && indent.chars().count() >= 4 * DEEPEST;
            let ending = match (again, deep) {
                (true, _) => " (see above)",
                (_, true) => " ... (goes on below)",
                _ => "",
            };
            let _ = writeln!(
                text,
                "{indent}{branch}{}{}{ending}",
                visible(&shown.name),
                visible(&summary(shown))
            );
            if deep {
                later.push_back(node);
            } else if !again {
                push(&mut open, &below[node], &format!("{indent}{bar}"));
            }
        }
    }

    /// A Mermaid flowchart with sources and sinks.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for (index, node) in self.0.nodes.iter().enumerate() {
            let _ = writeln!(text, "    n{index}[\"{}\"]", escaped(&node.name));
            let mut read = Vec::new();
            for (number, input) in node.inputs.iter().enumerate() {
                let mut written = false;
                for writer in &input.written_by {
                    let mut nodes = self.0.nodes.iter();
                    let Some(above) = nodes.position(|node| node.name == writer.node) else {
                        continue;
                    };
                    if matches!(input.source, InputSource::Node { .. }) {
                        continue;
                    }
                    read.push(above);
                    written |= writer.whole;
                    let _ = writeln!(text, "    t{above}_{} --> n{index}", writer.sink);
                }
                if written {
                    continue;
                }
                match &input.source {
                    InputSource::Files(spec) => stored(&mut text, index, number, &spec.path),
                    InputSource::Table(spec) => {
                        stored(&mut text, index, number, &spec.name.to_string());
                    }
                    InputSource::Sink { name, read, .. } => {
                        let label = format!("{name}: {}", read.target);
                        stored(&mut text, index, number, &label);
                    }
                    InputSource::Inline(_) => stored(&mut text, index, number, "data"),
                    InputSource::Node { node, .. } if !read.contains(node) => {
                        read.push(*node);
                        let _ = writeln!(text, "    n{node} --> n{index}");
                    }
                    InputSource::Node { .. } => {}
                }
            }
            for above in node.upstream.iter().filter(|above| !read.contains(above)) {
                let _ = writeln!(text, "    n{above} -.-> n{index}");
            }
            for (number, sink) in node.sinks.iter().enumerate() {
                let arrow = if sink.quarantine {
                    "-- quarantine -->"
                } else {
                    "-->"
                };
                let _ = writeln!(
                    text,
                    "    n{index} {arrow} t{index}_{number}[(\"{}\")]",
                    escaped(&sink.target.to_string())
                );
            }
        }
        text
    }
}

/// An input from outside of the plan.
fn stored(text: &mut String, node: usize, number: usize, label: &str) {
    let label = escaped(label);
    let _ = writeln!(text, "    s{node}_{number}[(\"{label}\")] --> n{node}");
}

fn summary(node: &NodePlan) -> String {
    let sinks: Vec<String> = node
        .sinks
        .iter()
        .map(|sink| sink.target.to_string())
        .collect();
    if sinks.is_empty() {
        String::new()
    } else {
        format!(" -> {}", sinks.join(", "))
    }
}

pub(crate) fn escaped(text: &str) -> String {
    visible(text).replace('"', "#quot;")
}
