//! The reference of the language: every step, function, method and clause with what the tables say of it, and what is
//! refused by name. The command prints it, and the pages of the documentation are made from it.

use laktory_core::{Capabilities, Registry, Support};
pub use laktory_syntax::reference::{
    Entry, EntryKind, ExampleColumn, ExampleFrame, Parameter, Refused, SqlPlace, TYPES, TypeRow,
    example_columns, example_frames, find, near,
};

/// Every entry: steps, then expressions, then the clauses and functions of SQL.
#[must_use]
pub fn entries() -> Vec<Entry> {
    let (mut entries, functions): (Vec<Entry>, Vec<Entry>) = laktory_syntax::reference::entries()
        .into_iter()
        .partition(|entry| entry.kind != EntryKind::Sql);
    entries.extend(laktory_sql::clauses());
    entries.extend(functions);
    entries
}

/// What is refused by name, with what to write instead.
#[must_use]
pub fn refused() -> Vec<Refused> {
    let mut refused = laktory_syntax::reference::refused();
    refused.extend(laktory_sql::REFUSALS.iter().map(|refusal| Refused {
        kind: "statement",
        name: refusal.what,
        instead: refusal.instead,
    }));
    refused
}

/// What each backend does with an entry.
#[must_use]
pub fn support(entry: &Entry, registry: &Registry) -> Vec<(&'static str, Support)> {
    let needs = entry.needs();
    let of = |known: &Capabilities| {
        let op = needs.op.map(|op| known.op(op));
        let funcs = needs.funcs.iter().map(|func| known.func(*func));
        op.into_iter()
            .chain(funcs)
            .min_by_key(|support| rank(*support))
            .unwrap_or(Support::Full)
    };
    registry
        .iter()
        .map(|backend| (backend.name, of(&(backend.capabilities)())))
        .collect()
}

fn rank(support: Support) -> u8 {
    match support {
        Support::Full => 3,
        Support::Partial { .. } => 2,
        Support::NotYet { .. } => 1,
        _ => 0,
    }
}
