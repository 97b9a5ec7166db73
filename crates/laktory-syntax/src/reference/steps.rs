//! Entries of steps.

use laktory_core::Example;

use super::entry::{Entry, EntryKind, Parameter, SqlPlace};
use crate::frame;

/// Every step, in the order of the page.
pub(super) fn entries() -> impl Iterator<Item = Entry> {
    frame::GROUPS.iter().flat_map(|(group, rows)| {
        rows.iter().map(|def| {
            let mut parameters: Vec<Parameter> = def.params.iter().map(Parameter::from).collect();
            if def.open && def.name != "pipe" {
                for parameter in &mut parameters {
                    parameter.required = false;
                }
            }
            let mut listed = Parameter::listed(&parameters);
            if def.open && def.name != "pipe" {
                listed.push_str(", **named");
            }
            Entry {
                kind: EntryKind::Step,
                name: def.name,
                aliases: &[],
                group,
                call: format!("{}({listed})", def.name),
                types: String::new(),
                parameters,
                nulls: def.nulls,
                doc: def.doc,
                example: def.example.unwrap_or(Example {
                    given: "",
                    text: "",
                    gives: "",
                }),
                place: SqlPlace::default(),
            }
        })
    })
}
