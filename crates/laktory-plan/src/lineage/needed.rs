//! Which columns of a node's output somebody needs.

use std::collections::BTreeSet;

use laktory_core::lineage::Part;

use super::{ColumnGraph, OwnerKind};

impl ColumnGraph {
    /// The columns of a node's output, by name, that the nodes after it need: for what they write or hand to the caller, for
    /// their rules, and for how many rows they have. `handed` are the nodes whose whole output somebody outside of the run may
    /// read. None where that is not known.
    #[must_use]
    pub fn needed(&self, node: &str, handed: impl Fn(&str) -> bool) -> Option<BTreeSet<String>> {
        let mut own = None;
        let mut start = Vec::new();
        for (number, owner) in self.owners.iter().enumerate() {
            if owner.later {
                return None;
            }
            if owner.kind == OwnerKind::Source {
                continue;
            }
            let is_own = owner.kind == OwnerKind::Node && owner.name == node;
            if is_own {
                own = Some(number);
            } else if owner.kind == OwnerKind::Quarantine || handed(&owner.name) {
                start.extend(self.columns(number));
                start.extend(self.id(number, Part::Order));
            }
            // Rows are counted, and rules judged, whoever reads them.
            start.extend(self.id(number, Part::Rows));
            start.extend(owner.judged_by.iter().copied());
        }
        let own = own?;
        let reached = self.reached(start);
        let parts = reached.iter().map(|&vertex| &self.vertices[vertex]);
        let names = parts.filter_map(|vertex| match &vertex.part {
            Part::Column { name, .. } if vertex.owner == own => Some(name.clone()),
            _ => None,
        });
        Some(names.collect())
    }
}
