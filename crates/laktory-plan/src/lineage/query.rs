//! Questions to the graph: what a name means, what a column is made of in the end, what decides about it, and what becomes
//! of it.

use std::collections::{BTreeMap, BTreeSet};

use laktory_core::lineage::{Decision, Part};
use laktory_syntax::did_you_mean;

use super::{ColumnGraph, OwnerKind, Selection, whole};

/// A name that means nothing in the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// `unknown-node` or `unknown-column`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What may be meant.
    pub hint: Option<String>,
}

/// How something is decided, and whose steps do it. None for what cannot be looked into.
pub(super) type Hows = BTreeSet<(usize, Option<Decision>)>;

impl ColumnGraph {
    /// Every node, or every source.
    #[must_use]
    pub fn everything(&self, sources: bool) -> Selection {
        let owners = 0..self.owners.len();
        let whole: Vec<usize> = owners
            .filter(|&owner| (self.owners[owner].kind == OwnerKind::Source) == sources)
            .collect();
        let columns = whole.iter().flat_map(|&owner| self.columns(owner));
        Selection {
            columns: columns.collect(),
            whole,
            part: false,
        }
    }

    /// What a name means: `NODE` or `NODE.COLUMN`; with `sources` the path or table of a source too. Names may hold dots.
    ///
    /// # Errors
    /// When it means nothing.
    pub fn select(&self, name: &str, sources: bool) -> Result<Selection, Unknown> {
        let owners = || {
            let owners = self.owners.iter().enumerate();
            owners.filter(|(_, owner)| match owner.kind {
                OwnerKind::Node => true,
                OwnerKind::Source => sources,
                OwnerKind::Quarantine => false,
            })
        };
        if let Some((owner, _)) = owners().find(|(_, owner)| owner.name == name) {
            return Ok(Selection {
                columns: self.columns(owner).collect(),
                whole: vec![owner],
                part: true,
            });
        }
        let mut longest = None;
        for (owner, known) in owners() {
            let Some(column) = column_below(&known.name, name) else {
                continue;
            };
            if let Some(id) = self.id(owner, whole(column)) {
                return Ok(Selection {
                    columns: vec![id],
                    whole: Vec::new(),
                    part: true,
                });
            }
            if longest.is_none_or(|(_, known): (usize, &str)| known.len() > column.len()) {
                longest = Some((owner, column));
            }
        }
        Err(match longest {
            Some((owner, column)) => self.unknown_column(owner, column),
            None => self.unknown_owner(name, sources),
        })
    }

    fn unknown_column(&self, owner: usize, column: &str) -> Unknown {
        let known = &self.owners[owner];
        let names = known.columns.iter().map(|field| field.name.as_str());
        let (message, hint) = match known.later {
            true => (
                format!(
                    "the columns of node `{}` are known in a run only",
                    known.name
                ),
                Some("it, or a node before it, reads a file that the pipeline writes".to_owned()),
            ),
            false => {
                let kind = match known.kind {
                    OwnerKind::Source => "source",
                    OwnerKind::Node | OwnerKind::Quarantine => "node",
                };
                let message = format!("{kind} `{}` has no column `{column}`", known.name);
                (message, did_you_mean(column, names))
            }
        };
        Unknown {
            code: "unknown-column",
            message,
            hint,
        }
    }

    fn unknown_owner(&self, name: &str, sources: bool) -> Unknown {
        let is_source = |kind| kind == OwnerKind::Source;
        let written = self.owners.iter().find(|owner| {
            is_source(owner.kind)
                && (owner.name == name || column_below(&owner.name, name).is_some())
        });
        if let Some(source) = written {
            return Unknown {
                code: "unknown-node",
                message: format!(
                    "`{}` is a source, which is made of nothing here",
                    source.name
                ),
                hint: Some("`--downstream` tells what it ends up in".to_owned()),
            };
        }
        let owners = self.owners.iter();
        let owners = owners.filter(|owner| owner.kind != OwnerKind::Quarantine);
        let owners = owners.filter(|owner| sources || !is_source(owner.kind));
        let names: Vec<&str> = owners.map(|owner| owner.name.as_str()).collect();
        let what = if sources { "node or source" } else { "node" };
        Unknown {
            code: "unknown-node",
            message: format!("the pipeline has no {what} `{name}`"),
            hint: did_you_mean(name, names.iter().copied())
                // With its column, a name is not near enough to any.
                .filter(|hint| hint.contains("mean") || !name.contains('.'))
                .or_else(|| {
                    let (owner, _) = name.rsplit_once('.')?;
                    did_you_mean(owner, names.iter().copied())
                }),
        }
    }

    /// What decides about a vertex by itself: for a column not what decides about all rows.
    pub(super) fn decided_by(&self, vertex: usize) -> BTreeMap<usize, BTreeSet<Option<Decision>>> {
        let mut found: BTreeMap<usize, BTreeSet<Option<Decision>>> = BTreeMap::new();
        let is_order = self.vertices[vertex].part == Part::Order;
        for (target, how) in &self.vertices[vertex].decided_by {
            for column in self.columns_behind(*target) {
                let known = found.entry(column).or_default();
                known.extend(how.iter().copied().map(Some));
                if how.is_empty() && !is_order {
                    known.insert(None);
                }
            }
        }
        found
    }

    /// The columns that something stands for: an order for those that make it.
    fn columns_behind(&self, vertex: usize) -> Vec<usize> {
        let mut columns = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![vertex];
        while let Some(vertex) = open.pop() {
            match &self.vertices[vertex].part {
                Part::Column { .. } => columns.push(vertex),
                Part::Order if seen.insert(vertex) => {
                    let made = self.vertices[vertex].decided_by.iter();
                    open.extend(made.map(|(above, _)| *above));
                }
                Part::Order | Part::Rows => {}
            }
        }
        columns
    }

    /// The rows of the owner of a column.
    pub(super) fn rows(&self, vertex: usize) -> Option<usize> {
        match self.is_column(vertex) {
            true => self.id(self.vertices[vertex].owner, Part::Rows),
            false => None,
        }
    }

    /// Everything that decides about vertices, in the end.
    pub(super) fn decisions(
        &self,
        start: impl IntoIterator<Item = usize>,
    ) -> BTreeMap<usize, Hows> {
        let mut found: BTreeMap<usize, Hows> = BTreeMap::new();
        for vertex in self.reached(start) {
            let owner = self.vertices[vertex].owner;
            for (column, how) in self.decided_by(vertex) {
                let known = found.entry(column).or_default();
                known.extend(how.into_iter().map(|how| (owner, how)));
            }
        }
        found.retain(|_, hows| !hows.is_empty());
        found
    }

    /// All that vertices depend on, in whatever way, with themselves.
    pub(super) fn reached(&self, start: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        walk(start, |vertex| {
            let known = &self.vertices[vertex];
            let decided = known.decided_by.iter().map(|(above, _)| *above);
            let above = known.made_of.iter().copied().chain(decided);
            above.chain(self.rows(vertex)).collect()
        })
    }

    /// All that a vertex is made of, with itself.
    pub(super) fn made_of(&self, vertex: usize) -> BTreeSet<usize> {
        walk([vertex], |vertex| self.vertices[vertex].made_of.clone())
    }

    /// Those of some vertices that are columns of sources.
    pub(super) fn of_sources(&self, vertices: &BTreeSet<usize>) -> BTreeSet<usize> {
        let of = |vertex: &&usize| {
            let owner = self.vertices[**vertex].owner;
            self.is_column(**vertex) && self.owners[owner].kind == OwnerKind::Source
        };
        vertices.iter().filter(of).copied().collect()
    }

    /// The columns of sources that decide about a vertex, in the end, by what is not part of its values.
    pub(super) fn deciding_sources(&self, vertex: usize) -> BTreeSet<usize> {
        let mut start = BTreeSet::new();
        for part in self.made_of(vertex) {
            let decided = self.vertices[part].decided_by.iter();
            start.extend(decided.map(|(above, _)| *above));
            start.extend(self.rows(part));
        }
        self.of_sources(&self.reached(start))
    }

    /// Whether other values in a column of a source may change a column of the output of a node; true where one of both is
    /// not known. Rows in another order are another output.
    #[must_use]
    pub fn may_change(&self, source: &str, of: &str, node: &str, column: &str) -> bool {
        let owner = |kind, name: &str| {
            let mut owners = self.owners.iter();
            owners.position(|owner| owner.kind == kind && owner.name == name)
        };
        let (Some(source), Some(node)) = (
            owner(OwnerKind::Source, source),
            owner(OwnerKind::Node, node),
        ) else {
            return true;
        };
        let Some(column) = self.id(node, whole(column)) else {
            return true;
        };
        let reached = self.reached([column]);
        let mut from = reached.iter().map(|&vertex| &self.vertices[vertex]);
        from.any(|vertex| {
            let is = matches!(&vertex.part, Part::Column { name, .. } if name == of);
            vertex.owner == source && is
        })
    }
}

/// What follows of a name and a dot.
fn column_below<'n>(owner: &str, name: &'n str) -> Option<&'n str> {
    name.strip_prefix(owner)?.strip_prefix('.')
}

/// All that is reached, without recursion: chains may be long.
pub(super) fn walk(
    start: impl IntoIterator<Item = usize>,
    next: impl Fn(usize) -> Vec<usize>,
) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<usize> = start.into_iter().collect();
    while let Some(vertex) = open.pop() {
        if seen.insert(vertex) {
            open.extend(next(vertex));
        }
    }
    seen
}
