//! The graph for programs.

use std::collections::{BTreeMap, BTreeSet};

use laktory_core::lineage::{Decision, Part};
use serde_json::{Map, Value, json};

use super::downstream::Downstream;
use super::{ColumnGraph, Owner, OwnerKind, Selection};

impl ColumnGraph {
    /// The selected columns with what they are made of and what decides about them. *docs/lineage.md has the shape.*
    #[must_use]
    pub fn json(&self, selection: &Selection) -> Value {
        let mut owners: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &owner in &selection.whole {
            owners.entry(owner).or_default();
        }
        for &column in &selection.columns {
            let owner = self.vertices[column].owner;
            owners.entry(owner).or_default().push(column);
        }
        let nodes: Vec<Value> = owners
            .iter()
            .map(|(&owner, columns)| self.node(owner, columns))
            .collect();
        json!({"pipeline": self.pipeline, "nodes": nodes, "sources": self.sources()})
    }

    fn sources(&self) -> Vec<Value> {
        let owners = self.owners.iter();
        let sources = owners.filter(|owner| owner.kind == OwnerKind::Source);
        sources
            .map(|source| {
                let columns = source
                    .columns
                    .iter()
                    .map(|field| json!({"name": field.name, "type": field.dtype.to_string()}));
                json!({"name": source.name, "columns": columns.collect::<Vec<_>>()})
            })
            .collect()
    }

    fn node(&self, owner: usize, columns: &[usize]) -> Value {
        let known = &self.owners[owner];
        let mut node = named(known);
        if known.later {
            node.insert("columns".into(), Value::Null);
            node.insert("reason".into(), "known in a run only".into());
            return Value::Object(node);
        }
        let mut by_all = BTreeSet::new();
        if let Some(rows) = self.id(owner, Part::Rows) {
            by_all = self.of_sources(&self.reached([rows]));
            node.insert("decided_by".into(), self.decided_json(rows));
            let sources = json!({"decided_by": self.references(&by_all)});
            node.insert("sources".into(), sources);
            if self.vertices[rows].unknown {
                node.insert("unknown".into(), true.into());
            }
        }
        let columns = columns
            .iter()
            .map(|&column| self.column_json(column, &by_all));
        node.insert("columns".into(), columns.collect());
        Value::Object(node)
    }

    fn column_json(&self, column: usize, by_all: &BTreeSet<usize>) -> Value {
        let vertex = &self.vertices[column];
        let name = self.local_name(column);
        let mut fields = self.owners[vertex.owner].columns.iter();
        let field = fields.find(|field| field.name == name);
        let dtype = field.map(|field| field.dtype.to_string());
        let made = self.of_sources(&self.made_of(column));
        let deciding = self.deciding_sources(column);
        let own: BTreeSet<usize> = deciding.difference(by_all).copied().collect();
        let made_of: BTreeSet<usize> = vertex.made_of.iter().copied().collect();
        let mut value = json!({
            "name": name,
            "type": dtype,
            "made_of": self.references(&made_of),
            "decided_by": self.decided_json(column),
            "sources": {"made_of": self.references(&made), "decided_by": self.references(&own)},
        });
        if vertex.unknown {
            value["unknown"] = true.into();
        }
        value
    }

    fn decided_json(&self, vertex: usize) -> Value {
        let decided = self.decided_by(vertex).into_iter();
        let decided = decided.map(|(from, hows)| {
            let mut reference = self.reference(from);
            let hows: Vec<&str> = hows
                .into_iter()
                .map(|how| how.map_or("unknown", Decision::name))
                .collect();
            reference["how"] = hows.into();
            reference
        });
        decided.collect()
    }

    fn references(&self, vertices: &BTreeSet<usize>) -> Value {
        vertices
            .iter()
            .map(|&vertex| self.reference(vertex))
            .collect()
    }

    fn reference(&self, vertex: usize) -> Value {
        let known = &self.vertices[vertex];
        let owner = &self.owners[known.owner];
        let mut reference = Map::new();
        let kind = match owner.kind {
            OwnerKind::Source => "source",
            OwnerKind::Node | OwnerKind::Quarantine => "node",
        };
        reference.insert(kind.into(), owner.name.as_str().into());
        if owner.kind == OwnerKind::Quarantine {
            reference.insert("quarantine".into(), true.into());
        }
        if let Part::Column { name, path } = &known.part {
            reference.insert("column".into(), name.as_str().into());
            if !path.is_empty() {
                reference.insert("path".into(), path.clone().into());
            }
        }
        Value::Object(reference)
    }

    /// The selected columns with what they end up in.
    #[must_use]
    pub fn json_downstream(&self, selection: &Selection) -> Value {
        let down = Downstream::new(self);
        let columns: Vec<Value> = selection
            .columns
            .iter()
            .map(|&column| {
                let mut value = self.reference(column);
                value["part_of"] = self.references(&down.holders(column));
                let decided = down.decided(column).into_iter().map(|about| {
                    let mut reference = self.reference(about);
                    let hows = down.how(column, about).into_iter();
                    let hows = hows.map(|(owner, how)| {
                        let how = how.map_or("unknown", Decision::name);
                        json!({"how": how, "in": self.owners[owner].name})
                    });
                    reference["how"] = hows.collect();
                    reference
                });
                value["decides"] = decided.collect();
                value
            })
            .collect();
        json!({"pipeline": self.pipeline, "columns": columns})
    }
}

fn named(owner: &Owner) -> Map<String, Value> {
    let mut node = Map::new();
    node.insert("name".into(), owner.name.as_str().into());
    if owner.kind == OwnerKind::Quarantine {
        node.insert("quarantine".into(), true.into());
    }
    node
}
