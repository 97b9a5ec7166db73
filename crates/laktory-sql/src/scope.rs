//! Which column a name means.

use std::collections::HashSet;

use laktory_core::{Error, ErrorKind, Subject};

/// A column that names can mean.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    /// The relation that it belongs to, as it is called in the statement.
    pub(crate) table: Option<String>,
    /// Its name in the statement.
    pub(crate) name: String,
    /// Its name in the frame.
    pub(crate) id: String,
    /// Joined with another by USING: only `table.name` means it, and `*` leaves it out.
    pub(crate) merged: bool,
}

/// What a name means.
pub(crate) enum Found {
    /// This column of the frame.
    One(String),
    /// Several columns.
    Several(Vec<String>),
    /// Nothing.
    None,
}

fn same(known: &str, written: &str, exactly: bool) -> bool {
    if exactly {
        known == written
    } else {
        known.to_lowercase() == written.to_lowercase()
    }
}

/// The columns that a name can mean: those that are spelt like it, else those that differ in case alone.
pub(crate) fn find(columns: &[Column], table: Option<&str>, name: &str) -> Found {
    for exactly in [true, false] {
        let fits = |column: &&Column| {
            let by_table = match (table, &column.table) {
                (None, _) => !column.merged,
                (Some(written), Some(known)) => same(known, written, false),
                (Some(_), None) => false,
            };
            by_table && same(&column.name, name, exactly)
        };
        let mut found: Vec<&Column> = columns.iter().filter(fits).collect();
        found.dedup_by(|a, b| a.id == b.id);
        match found.as_slice() {
            [] => {}
            [one] => return Found::One(one.id.clone()),
            several => {
                let shown = |column: &&Column| match &column.table {
                    Some(table) => format!("`{table}.{}`", column.name),
                    None => format!("`{}`", column.name),
                };
                return Found::Several(several.iter().map(shown).collect());
            }
        }
    }
    Found::None
}

/// Whether a relation of the scope is called so.
pub(crate) fn has_table(columns: &[Column], table: &str) -> bool {
    let called = |column: &Column| {
        let known = column.table.as_deref();
        known.is_some_and(|known| same(known, table, false))
    };
    columns.iter().any(called)
}

/// The error of a name that means no column.
pub(crate) fn unknown(columns: &[Column], written: &str) -> Error {
    let mut known: Vec<String> = Vec::new();
    for column in columns.iter().filter(|column| !column.merged) {
        let shown = format!("`{}`", column.name);
        if !known.contains(&shown) {
            known.push(shown);
        }
    }
    let message = format!("there is no column `{written}`");
    let names = columns
        .iter()
        .filter(|column| !column.merged)
        .map(|column| column.name.as_str());
    Error::new(ErrorKind::ColumnNotFound, message)
        .with_subject(Subject::Name(written.to_owned()))
        .with_siblings(names)
        .with_hint(format!("columns here: {}", known.join(", ")))
}

/// Names of columns of frames that are joined: each is given once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(HashSet<String>);

impl Names {
    /// The name as it is, when no other column has it; else one that tells which table it is of.
    pub(crate) fn claim(&mut self, table: Option<&str>, name: &str) -> String {
        let qualified = table.map(|table| format!("{table}.{name}"));
        for wanted in [Some(name.to_owned()), qualified].into_iter().flatten() {
            if self.0.insert(wanted.clone()) {
                return wanted;
            }
        }
        self.fresh(name)
    }

    /// A name that no column has.
    pub(crate) fn fresh(&mut self, about: &str) -> String {
        let mut number = 1_usize;
        loop {
            let name = format!("__{about}_{number}");
            if self.0.insert(name.clone()) {
                return name;
            }
            number += 1;
        }
    }
}
