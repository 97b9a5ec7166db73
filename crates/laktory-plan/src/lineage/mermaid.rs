//! The graph as a Mermaid flowchart: a box for each node and source, solid arrows for what values are made of, dotted ones
//! for what decides.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use laktory_core::lineage::{Decision, Part};

use super::downstream::Downstream;
use super::{ColumnGraph, OwnerKind, Selection};
use crate::graph::escaped;

impl ColumnGraph {
    /// A flowchart of columns, and of all that they depend on.
    #[must_use]
    pub fn mermaid(&self, selection: &Selection) -> String {
        let columns = selection.columns.iter().copied();
        let mut shown = self.reached(columns);
        let orders: Vec<usize> = shown.iter().copied().collect();
        // An order is shown as the columns that make it.
        for vertex in orders {
            shown.extend(self.decided_by(vertex).into_keys());
        }
        self.chart(&shown)
    }

    /// A flowchart of columns, and of all that they end up in.
    #[must_use]
    pub fn mermaid_downstream(&self, selection: &Selection) -> String {
        let down = Downstream::new(self);
        let mut shown = BTreeSet::new();
        for &column in &selection.columns {
            shown.extend(down.with_fields(column));
            shown.extend(down.holders(column));
            shown.extend(down.decided(column));
        }
        let rows: Vec<usize> = shown.iter().filter_map(|&id| self.rows(id)).collect();
        shown.extend(rows);
        self.chart(&shown)
    }

    fn chart(&self, shown: &BTreeSet<usize>) -> String {
        let mut text = String::from("flowchart LR\n");
        let mut boxes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &vertex in shown.iter().filter(|&&vertex| self.is_column(vertex)) {
            let owner = self.vertices[vertex].owner;
            boxes.entry(owner).or_default().push(vertex);
        }
        for (owner, columns) in &boxes {
            let name = escaped(&self.owner_name(*owner));
            let _ = writeln!(text, "    subgraph o{owner}[\"{name}\"]");
            for column in columns {
                let name = escaped(&self.local_name(*column));
                let (open, close) = match self.owners[*owner].kind {
                    OwnerKind::Source => ("[(", ")]"),
                    OwnerKind::Node | OwnerKind::Quarantine => ("[", "]"),
                };
                let _ = writeln!(text, "        c{column}{open}\"{name}\"{close}");
            }
            text.push_str("    end\n");
        }
        for &vertex in shown {
            let known = &self.vertices[vertex];
            let target = match known.part {
                Part::Column { .. } => format!("c{vertex}"),
                Part::Rows if boxes.contains_key(&known.owner) => format!("o{}", known.owner),
                Part::Rows | Part::Order => continue,
            };
            for above in known.made_of.iter().filter(|above| shown.contains(above)) {
                let _ = writeln!(text, "    c{above} --> {target}");
            }
            for (above, hows) in self.decided_by(vertex) {
                if shown.contains(&above) {
                    let how = words(&hows);
                    let _ = writeln!(text, "    c{above} -. \"{how}\" .-> {target}");
                }
            }
        }
        text
    }
}

fn words(hows: &BTreeSet<Option<Decision>>) -> String {
    let words: Vec<&str> = hows
        .iter()
        .map(|how| how.map_or("unknown", Decision::name))
        .collect();
    words.join(", ")
}
