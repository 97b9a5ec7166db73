//! The lineages of nodes joined: what one node says of its inputs leads to the outputs of others, and to sources.

use std::collections::{BTreeMap, BTreeSet};

use laktory_core::lineage::{Lineage, Origin, Part};
use laktory_core::{Field, FrameName};

use super::{ColumnGraph, NodeLineage, Owner, OwnerKind, Vertex, whole};
use crate::plan::{Input, InputSource, NodePlan, Plan};

/// The owners behind each input of a node.
type Behind = BTreeMap<FrameName, Vec<usize>>;

impl ColumnGraph {
    /// The graph of a plan, whose nodes have these lineages, by position. A node without one is known in a run only.
    #[must_use]
    pub fn new(plan: &Plan, lineages: &[Option<NodeLineage>]) -> Self {
        let mut graph = Self {
            pipeline: plan.pipeline.clone(),
            owners: Vec::new(),
            vertices: Vec::new(),
            ids: BTreeMap::new(),
        };
        let mut made = Made::default();
        for (position, node) in plan.nodes.iter().enumerate() {
            let lineage = lineages.get(position).and_then(Option::as_ref);
            let behind = lineage.map(|lineage| graph.behind(plan, node, lineage, &mut made));
            let output = lineage.and_then(|lineage| lineage.output.as_ref());
            let owner = graph.own(OwnerKind::Node, &node.name, output);
            graph.owners[owner].later = lineage.is_none();
            made.outputs.insert(position, owner);
            let (Some(lineage), Some(behind)) = (lineage, behind) else {
                continue;
            };
            if let Some(output) = output {
                graph.connect(owner, output, &behind);
            }
            for origin in &lineage.judged_by {
                let found = graph.found(origin, &behind);
                graph.owners[owner].judged_by.extend(found);
            }
            if let Some(quarantine) = &lineage.quarantine {
                let owner = graph.own(OwnerKind::Quarantine, &node.name, Some(quarantine));
                graph.connect(owner, quarantine, &behind);
                made.quarantines.insert(position, owner);
            }
        }
        graph
    }

    fn own(&mut self, kind: OwnerKind, name: &str, lineage: Option<&Lineage>) -> usize {
        let columns = lineage.map_or_else(Vec::new, |lineage| lineage.fields.to_vec());
        self.add(kind, name, &columns)
    }

    fn add(&mut self, kind: OwnerKind, name: &str, columns: &[Field]) -> usize {
        let owner = self.owners.len();
        self.owners.push(Owner {
            kind,
            name: name.to_owned(),
            columns: Vec::new(),
            later: false,
            judged_by: Vec::new(),
        });
        self.vertex(owner, Part::Rows);
        self.vertex(owner, Part::Order);
        self.extend(owner, columns);
        owner
    }

    /// Adds columns that an owner is not known to have. Readers of one file may see other columns of it.
    fn extend(&mut self, owner: usize, columns: &[Field]) {
        for field in columns {
            let part = whole(&field.name);
            if self.id(owner, part.clone()).is_none() {
                self.vertex(owner, part);
                self.owners[owner].columns.push(field.clone());
            }
        }
    }

    fn vertex(&mut self, owner: usize, part: Part) -> usize {
        let id = self.vertices.len();
        self.ids.insert((owner, part.clone()), id);
        self.vertices.push(Vertex {
            owner,
            part,
            made_of: Vec::new(),
            decided_by: Vec::new(),
            same: false,
            unknown: false,
        });
        id
    }

    fn behind(
        &mut self,
        plan: &Plan,
        node: &NodePlan,
        lineage: &NodeLineage,
        made: &mut Made,
    ) -> Behind {
        let inputs = node.inputs.iter().zip(&lineage.inputs);
        let behind = inputs.map(|(input, columns)| {
            let owners = self.owners_of(plan, node, input, columns, made);
            (input.name.clone(), owners)
        });
        behind.collect()
    }

    /// Whose columns an input reads: those of a node, of a source, or of both where a node writes a part of the source.
    fn owners_of(
        &mut self,
        plan: &Plan,
        node: &NodePlan,
        input: &Input,
        columns: &[Field],
        made: &mut Made,
    ) -> Vec<usize> {
        if let InputSource::Node { node, .. } = &input.source {
            return made.outputs.get(node).copied().into_iter().collect();
        }
        let mut owners = Vec::new();
        let mut is_whole = false;
        for writer in &input.written_by {
            let mut nodes = plan.nodes.iter();
            let Some(position) = nodes.position(|above| above.name == writer.node) else {
                continue;
            };
            let sink = plan.nodes[position].sinks.get(writer.sink);
            let outputs = match sink.is_some_and(|sink| sink.quarantine) {
                true => &made.quarantines,
                false => &made.outputs,
            };
            owners.extend(outputs.get(&position).copied());
            is_whole |= writer.whole;
        }
        if !is_whole || owners.is_empty() {
            let name = source_name(node, input);
            let known = made.sources.get(&name).copied();
            let owner = known.unwrap_or_else(|| self.add(OwnerKind::Source, &name, &[]));
            made.sources.insert(name, owner);
            self.extend(owner, columns);
            owners.push(owner);
        }
        owners
    }

    fn connect(&mut self, owner: usize, lineage: &Lineage, behind: &Behind) {
        for (field, column) in lineage.fields.iter().zip(&lineage.columns) {
            let Some(id) = self.id(owner, whole(&field.name)) else {
                continue;
            };
            let mut made_of = Vec::new();
            for origin in &column.made_of {
                made_of.extend(self.found(origin, behind));
            }
            let mut decided_by = Vec::new();
            for (origin, how) in &column.decided_by {
                let found = self.found(origin, behind).into_iter();
                decided_by.extend(found.map(|found| (found, how.clone())));
            }
            made_of.sort_unstable();
            made_of.dedup();
            let vertex = &mut self.vertices[id];
            vertex.same = column.same && made_of.len() == 1;
            vertex.made_of = made_of;
            vertex.decided_by = decided_by;
            vertex.unknown = column.unknown;
        }
        let mut rows = Vec::new();
        for (origin, how) in &*lineage.rows {
            let found = self.found(origin, behind).into_iter();
            rows.extend(found.map(|found| (found, how.clone())));
        }
        let mut order = Vec::new();
        for origin in &*lineage.order {
            let found = self.found(origin, behind).into_iter();
            order.extend(found.map(|found| (found, BTreeSet::new())));
        }
        if let Some(id) = self.id(owner, Part::Rows) {
            self.vertices[id].decided_by = rows;
            self.vertices[id].unknown = lineage.unknown_rows;
        }
        if let Some(id) = self.id(owner, Part::Order) {
            self.vertices[id].decided_by = order;
        }
    }

    /// What an origin stands for.
    fn found(&mut self, origin: &Origin, behind: &Behind) -> Vec<usize> {
        let owners = behind.get(&origin.frame).cloned().unwrap_or_default();
        let mut found = Vec::new();
        for owner in owners {
            match self.part(owner, &origin.part) {
                Some(id) => found.push(id),
                // What a node wrote comes back under another name, as from a file without names: it may be any of them.
                None => found.extend(self.columns(owner).collect::<Vec<_>>()),
            }
        }
        found
    }

    /// A part of an owner; one for a field of a column is made here.
    fn part(&mut self, owner: usize, part: &Part) -> Option<usize> {
        if let Some(id) = self.id(owner, part.clone()) {
            return Some(id);
        }
        let Part::Column { name, path } = part else {
            return None;
        };
        let column = self.id(owner, whole(name))?;
        let known = self.vertices[column].clone();
        let above = match known.made_of.as_slice() {
            [above] if known.same => Some(self.vertices[*above].clone()),
            _ => None,
        };
        // The same field of what the column is, as far as it is that.
        let inner = above.and_then(|above| match above.part {
            Part::Column {
                name,
                path: mut inside,
            } => {
                inside.extend(path.iter().cloned());
                self.part(above.owner, &Part::Column { name, path: inside })
            }
            _ => None,
        });
        let id = self.vertex(owner, part.clone());
        self.vertices[id] = Vertex {
            part: part.clone(),
            made_of: inner.map_or(known.made_of, |inner| vec![inner]),
            ..known
        };
        Some(id)
    }
}

/// The owners that there are.
#[derive(Default)]
struct Made {
    /// By position of the node.
    outputs: BTreeMap<usize, usize>,
    quarantines: BTreeMap<usize, usize>,
    /// By name.
    sources: BTreeMap<String, usize>,
}

/// What a source is called: by its path or table, as written.
fn source_name(node: &NodePlan, input: &Input) -> String {
    match &input.source {
        InputSource::Files(spec) => spec.path.clone(),
        InputSource::Table(spec) => spec.name.to_string(),
        InputSource::Sink { read, .. } => read.target.to_string(),
        InputSource::Inline(_) | InputSource::Node { .. } => match &input.name {
            FrameName::Source(name) if name != "df" => format!("data of {}, {name}", node.name),
            _ => format!("data of {}", node.name),
        },
    }
}
