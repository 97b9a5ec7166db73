//! Entries of the functions and constructs of SQL.

use super::entry::{Entry, EntryKind, types};
use crate::sql::table::{GROUPS, SqlRow};

/// Every function and construct, in the order of the page.
pub(super) fn entries() -> impl Iterator<Item = Entry> {
    GROUPS
        .iter()
        .flat_map(|(group, rows)| rows.iter().map(|row| entry(group, row)))
}

fn entry(group: &'static str, row: &SqlRow) -> Entry {
    let [name, aliases @ ..] = row.names else {
        unreachable!("a row has a name");
    };
    let call = match row.is_function() {
        // What follows the parentheses is written within the arguments: `q) WITHIN GROUP (ORDER BY x`.
        true => format!("{name}({})", row.arguments),
        false => row.arguments.to_owned(),
    };
    Entry {
        kind: EntryKind::Sql,
        name,
        aliases,
        group,
        call,
        types: types(row.signature),
        parameters: Vec::new(),
        nulls: row.nulls,
        doc: row.doc,
        example: row.example,
        place: row.place,
    }
}
