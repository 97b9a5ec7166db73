//! What columns depend on across nodes: the lineage of every node, which the executor resolves, joined at the inputs.
//!
//! Nothing is resolved here, and no rule of an expression or step is known; `laktory_core::lineage` has these.

mod build;
mod downstream;
mod json;
mod mermaid;
mod needed;
mod query;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use laktory_core::Field;
use laktory_core::lineage::{Decision, Lineage, Origin, Part};

pub use query::Unknown;

/// What the output of one node depends on, in terms of its inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeLineage {
    /// The columns of each input before the steps of its own, in the order of [`crate::NodePlan::inputs`].
    pub inputs: Vec<Arc<[Field]>>,
    /// Of the rows that the expectations leave; none for a node without output.
    pub output: Option<Lineage>,
    /// Of the rows that are quarantined, where a sink takes them.
    pub quarantine: Option<Lineage>,
    /// What the expectations look at, whatever they do.
    pub judged_by: BTreeSet<Origin>,
}

/// All columns of a plan and its sources, and what each depends on.
#[derive(Clone, Debug)]
pub struct ColumnGraph {
    pipeline: String,
    owners: Vec<Owner>,
    vertices: Vec<Vertex>,
    ids: BTreeMap<(usize, Part), usize>,
}

/// What columns belong to.
#[derive(Clone, Debug)]
struct Owner {
    kind: OwnerKind,
    /// The node, the path or the table.
    name: String,
    columns: Vec<Field>,
    /// Whether its columns are known in a run only.
    later: bool,
    /// What the rules of a node look at.
    judged_by: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum OwnerKind {
    Source,
    Node,
    /// The quarantined rows of a node.
    Quarantine,
}

/// A part of an owner, and what it depends on. Each column depends on the rows of its owner too.
#[derive(Clone, Debug)]
struct Vertex {
    owner: usize,
    part: Part,
    made_of: Vec<usize>,
    decided_by: Vec<(usize, BTreeSet<Decision>)>,
    /// Whether the values are those of the one vertex that it is made of.
    same: bool,
    unknown: bool,
}

/// What of a graph is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Columns, in the order of their owners.
    columns: Vec<usize>,
    /// Owners that are shown as a whole.
    whole: Vec<usize>,
    /// Whether that is not everything.
    part: bool,
}

impl ColumnGraph {
    fn is_column(&self, vertex: usize) -> bool {
        matches!(self.vertices[vertex].part, Part::Column { .. })
    }

    fn id(&self, owner: usize, part: Part) -> Option<usize> {
        self.ids.get(&(owner, part)).copied()
    }

    /// The columns of an owner, in order.
    fn columns(&self, owner: usize) -> impl Iterator<Item = usize> {
        let columns = self.owners[owner].columns.iter();
        columns.filter_map(move |field| self.id(owner, whole(&field.name)))
    }

    /// The name of a vertex below its owner.
    fn local_name(&self, vertex: usize) -> String {
        match &self.vertices[vertex].part {
            Part::Column { name, path } => {
                let parts: Vec<&str> = std::iter::once(name)
                    .chain(path)
                    .map(String::as_str)
                    .collect();
                parts.join(".")
            }
            Part::Rows => "(rows)".to_owned(),
            Part::Order => "(order)".to_owned(),
        }
    }

    fn owner_name(&self, owner: usize) -> String {
        let owner = &self.owners[owner];
        match owner.kind {
            OwnerKind::Quarantine => format!("{} (quarantine)", owner.name),
            OwnerKind::Source | OwnerKind::Node => owner.name.clone(),
        }
    }

    /// The name of a vertex, with that of its owner in front.
    fn name(&self, vertex: usize) -> String {
        let owner = &self.owners[self.vertices[vertex].owner];
        let name = format!("{}.{}", owner.name, self.local_name(vertex));
        match owner.kind {
            OwnerKind::Quarantine => format!("{name} (quarantine)"),
            OwnerKind::Source | OwnerKind::Node => name,
        }
    }
}

/// A column as a whole.
fn whole(name: &str) -> Part {
    Part::Column {
        name: name.to_owned(),
        path: Vec::new(),
    }
}
