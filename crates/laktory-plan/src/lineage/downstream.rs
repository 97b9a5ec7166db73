//! What becomes of columns: the graph in the other direction.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use laktory_core::lineage::Part;

use super::query::{Hows, walk};
use super::{ColumnGraph, OwnerKind};

/// The edges of a graph backwards.
pub(super) struct Downstream<'a> {
    graph: &'a ColumnGraph,
    /// What each vertex is part of.
    pub(super) part_of: Vec<Vec<usize>>,
    /// What each vertex decides about.
    decides: Vec<Vec<usize>>,
    /// What decides about vertices, as far as that was asked.
    decisions: RefCell<BTreeMap<usize, BTreeMap<usize, Hows>>>,
}

impl<'a> Downstream<'a> {
    pub(super) fn new(graph: &'a ColumnGraph) -> Self {
        let mut part_of = vec![Vec::new(); graph.vertices.len()];
        let mut decides = vec![Vec::new(); graph.vertices.len()];
        for (id, vertex) in graph.vertices.iter().enumerate() {
            for &above in &vertex.made_of {
                part_of[above].push(id);
            }
            for (above, _) in &vertex.decided_by {
                decides[*above].push(id);
            }
            if let Some(rows) = graph.rows(id) {
                decides[rows].push(id);
            }
        }
        Self {
            graph,
            part_of,
            decides,
            decisions: RefCell::default(),
        }
    }

    /// A column with the fields of it that are used by themselves.
    pub(super) fn with_fields(&self, column: usize) -> Vec<usize> {
        let (owner, name) = match &self.graph.vertices[column] {
            vertex if self.graph.is_column(column) => (vertex.owner, &vertex.part),
            _ => return vec![column],
        };
        let Part::Column { name, .. } = name else {
            return vec![column];
        };
        let from = Part::Column {
            name: name.clone(),
            path: Vec::new(),
        };
        let ids = self.graph.ids.range((owner, from)..);
        let same = ids.take_while(|((other, part), _)| {
            *other == owner && matches!(part, Part::Column { name: known, .. } if known == name)
        });
        same.map(|(_, id)| *id).collect()
    }

    /// Columns of nodes whose values a column is part of.
    pub(super) fn holders(&self, column: usize) -> BTreeSet<usize> {
        let found = walk(self.with_fields(column), |vertex| {
            self.part_of[vertex].clone()
        });
        self.outputs(found, column)
    }

    /// Columns of nodes about which a column decides.
    pub(super) fn decided(&self, column: usize) -> BTreeSet<usize> {
        let parts = walk(self.with_fields(column), |vertex| {
            self.part_of[vertex].clone()
        });
        let first: Vec<usize> = parts
            .iter()
            .flat_map(|&vertex| self.decides[vertex].iter().copied())
            .collect();
        let found = walk(first, |vertex| {
            let below = self.part_of[vertex].iter();
            below.chain(&self.decides[vertex]).copied().collect()
        });
        self.outputs(found, column)
    }

    fn outputs(&self, mut found: BTreeSet<usize>, column: usize) -> BTreeSet<usize> {
        found.retain(|&vertex| {
            let known = &self.graph.vertices[vertex];
            let is_whole = matches!(&known.part, Part::Column { path, .. } if path.is_empty());
            let is_source = self.graph.owners[known.owner].kind == OwnerKind::Source;
            vertex != column && is_whole && !is_source
        });
        found
    }

    /// How a column, or what it is part of, decides about something, and whose steps do it.
    pub(super) fn how(&self, column: usize, about: usize) -> Hows {
        let parts = walk(self.with_fields(column), |vertex| {
            self.part_of[vertex].clone()
        });
        let mut known = self.decisions.borrow_mut();
        let decisions = known
            .entry(about)
            .or_insert_with(|| self.graph.decisions([about]));
        let of = |part: &usize| decisions.get(part).into_iter().flatten().copied();
        parts.iter().flat_map(of).collect()
    }
}
