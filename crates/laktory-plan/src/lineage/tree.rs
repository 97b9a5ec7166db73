//! The graph as a tree for the terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use laktory_core::lineage::{Decision, Part};
use laktory_syntax::visible;

use super::downstream::Downstream;
use super::query::Hows;
use super::{ColumnGraph, Selection};

/// Levels of the tree. What lies deeper is asked for by its name, so that the text of a long chain grows with its length,
/// not with the square of it.
const DEEPEST: usize = 40;

/// A line of the tree, and what stands below it.
struct Branch {
    label: String,
    below: Vec<Branch>,
}

impl Branch {
    fn leaf(label: String) -> Self {
        let below = Vec::new();
        Self { label, below }
    }
}

impl ColumnGraph {
    /// An indented tree: below each column what it is made of, up to the sources, and what decides about it. Where everything
    /// is shown, columns lead as far as the outputs before them, which have trees of their own.
    #[must_use]
    pub fn tree(&self, selection: &Selection) -> String {
        let depth = selection.part.then_some(DEEPEST);
        let mut text = format!("{}\n", visible(&self.pipeline));
        let mut branches = Vec::new();
        for &owner in &selection.whole {
            let mut below: Vec<Branch> = self
                .columns(owner)
                .map(|column| self.column(self.local_name(column), column, depth, false))
                .collect();
            if self.owners[owner].later {
                below.push(Branch::leaf("known in a run only".to_owned()));
            }
            below.extend(self.every_column(owner, depth));
            let label = self.owner_name(owner);
            branches.push(Branch { label, below });
        }
        if selection.whole.is_empty() {
            let columns = selection.columns.iter();
            branches.extend(columns.map(|&id| self.column(self.name(id), id, depth, true)));
        }
        draw(&mut text, &branches, "");
        text
    }

    /// What decides about all columns of a node.
    fn every_column(&self, owner: usize, depth: Option<usize>) -> Option<Branch> {
        let rows = self.id(owner, Part::Rows)?;
        let decisions = match depth {
            None => self.own_decisions(rows),
            Some(_) => self.decisions([rows]),
        };
        let below = self.decided(&decisions, depth);
        let label = "(every column)".to_owned();
        (!below.is_empty()).then_some(Branch { label, below })
    }

    /// A column; what decides about all of its rows is part of that where it is shown `alone`.
    fn column(&self, label: String, column: usize, depth: Option<usize>, alone: bool) -> Branch {
        let mut drawn = BTreeSet::new();
        let mut below = self.made(column, depth, &mut drawn);
        let mut decisions = match depth {
            None => self.own_decisions(column),
            Some(_) => self.decisions([column]),
        };
        if !alone && let Some(rows) = self.rows(column) {
            let all = self.decisions([rows]);
            for (from, hows) in all {
                if let Some(own) = decisions.get_mut(&from) {
                    own.retain(|how| !hows.contains(how));
                }
            }
            decisions.retain(|_, hows| !hows.is_empty());
        }
        below.extend(self.decided(&decisions, depth));
        let unknown = match self.vertices[column].unknown {
            true => " (cannot be looked into: it may depend on everything that is read)",
            false => "",
        };
        if below.is_empty() && self.vertices[column].made_of.is_empty() && self.is_output(column) {
            below.push(Branch::leaf("made of nothing".to_owned()));
        }
        let label = format!("{label}{unknown}");
        Branch { label, below }
    }

    fn is_output(&self, vertex: usize) -> bool {
        self.owners[self.vertices[vertex].owner].kind != super::OwnerKind::Source
    }

    fn own_decisions(&self, vertex: usize) -> BTreeMap<usize, Hows> {
        let owner = self.vertices[vertex].owner;
        let decided = self.decided_by(vertex).into_iter();
        decided
            .map(|(from, hows)| (from, hows.into_iter().map(|how| (owner, how)).collect()))
            .collect()
    }

    /// What a vertex is made of, so many levels of it; none gives the first one alone.
    fn made(
        &self,
        vertex: usize,
        depth: Option<usize>,
        drawn: &mut BTreeSet<usize>,
    ) -> Vec<Branch> {
        let mut branches = Vec::new();
        for &above in &self.vertices[vertex].made_of {
            let mut label = format!("made of {}", self.name(above));
            let more = !self.vertices[above].made_of.is_empty();
            let again = !drawn.insert(above);
            let below = match depth.filter(|_| more) {
                None => Vec::new(),
                Some(_) if again => {
                    label.push_str(" (see above)");
                    Vec::new()
                }
                Some(0) => {
                    label.push_str(" ...");
                    Vec::new()
                }
                Some(depth) => self.made(above, Some(depth - 1), drawn),
            };
            branches.push(Branch { label, below });
        }
        branches
    }

    fn decided(&self, decisions: &BTreeMap<usize, Hows>, depth: Option<usize>) -> Vec<Branch> {
        let mut branches = Vec::new();
        for (&from, hows) in decisions {
            let hows = match depth {
                None => hows
                    .iter()
                    .map(|(_, how)| word(*how))
                    .collect::<Vec<_>>()
                    .join(", "),
                Some(_) => self.told(hows),
            };
            let label = format!("decided by {} ({hows})", self.name(from));
            let below = match depth {
                None => Vec::new(),
                Some(_) => self.made(from, depth, &mut BTreeSet::new()),
            };
            branches.push(Branch { label, below });
        }
        branches
    }

    /// Each way in which something is decided, with whose steps do it.
    fn told(&self, hows: &Hows) -> String {
        let told = hows.iter();
        let told =
            told.map(|(owner, how)| format!("{} in {}", word(*how), self.owner_name(*owner)));
        told.collect::<Vec<_>>().join(", ")
    }

    /// An indented tree: below each column what it is part of, and what it decides about.
    #[must_use]
    pub fn tree_downstream(&self, selection: &Selection) -> String {
        let down = Downstream::new(self);
        let mut text = format!("{}\n", visible(&self.pipeline));
        let mut branches: Vec<Branch> = Vec::new();
        for &owner in &selection.whole {
            let columns = self.columns(owner);
            branches.push(Branch {
                label: self.owner_name(owner),
                below: columns
                    .map(|column| self.below(&down, self.local_name(column), column))
                    .collect(),
            });
        }
        if selection.whole.is_empty() {
            let columns = selection.columns.iter();
            branches.extend(columns.map(|&id| self.below(&down, self.name(id), id)));
        }
        draw(&mut text, &branches, "");
        text
    }

    fn below(&self, down: &Downstream<'_>, label: String, column: usize) -> Branch {
        let mut drawn = BTreeSet::new();
        let mut below = Vec::new();
        for start in down.with_fields(column) {
            below.extend(self.parts(down, start, DEEPEST, &mut drawn));
        }
        let decided = down.decided(column);
        let mut owners: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &about in &decided {
            let owner = self.vertices[about].owner;
            owners.entry(owner).or_default().push(about);
        }
        for (owner, about) in owners {
            let all = about.len() == self.owners[owner].columns.len();
            let of_all = || format!("decides about every column of {}", self.owner_name(owner));
            let shown = if all { &about[..1] } else { &about[..] };
            for &one in shown {
                let rows = self.rows(one).filter(|_| all);
                let hows = self.told(&down.how(column, rows.unwrap_or(one)));
                let what = match all {
                    true => of_all(),
                    false => format!("decides about {}", self.name(one)),
                };
                below.push(Branch::leaf(match hows.is_empty() {
                    true => what,
                    false => format!("{what} ({hows})"),
                }));
            }
        }
        if below.is_empty() {
            below.push(Branch::leaf("ends up in nothing".to_owned()));
        }
        Branch { label, below }
    }

    fn parts(
        &self,
        down: &Downstream<'_>,
        vertex: usize,
        depth: usize,
        drawn: &mut BTreeSet<usize>,
    ) -> Vec<Branch> {
        let mut branches = Vec::new();
        for &below in &down.part_of[vertex] {
            let mut label = format!("part of {}", self.name(below));
            let more = !down.part_of[below].is_empty();
            let again = !drawn.insert(below);
            let under = match (more, again, depth) {
                (true, true, _) => {
                    label.push_str(" (see above)");
                    Vec::new()
                }
                (true, false, 0) => {
                    label.push_str(" ...");
                    Vec::new()
                }
                (true, false, _) => self.parts(down, below, depth - 1, drawn),
                (false, ..) => Vec::new(),
            };
            branches.push(Branch {
                label,
                below: under,
            });
        }
        branches
    }
}

fn word(how: Option<Decision>) -> &'static str {
    how.map_or("what cannot be looked into", Decision::name)
}

fn draw(text: &mut String, branches: &[Branch], indent: &str) {
    for (position, branch) in branches.iter().enumerate() {
        let (corner, bar) = match position + 1 == branches.len() {
            true => ("└── ", "    "),
            false => ("├── ", "│   "),
        };
        let _ = writeln!(text, "{indent}{corner}{}", visible(&branch.label));
        draw(text, &branch.below, &format!("{indent}{bar}"));
    }
}
