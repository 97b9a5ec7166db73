//! The table of SQL: functions and constructs, with what the reference says about each. One file for each group of the
//! page. The lowering reads names and fixed shapes from it.

mod aggregates;
mod constructs;
mod dates;
mod lists;
mod numbers;
mod texts;
mod values;
mod windows;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use laktory_core::{Example, Func};

use crate::reference::SqlPlace;

/// What a SQL function stands for, by its number of arguments.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// A function whose arguments are all expressions.
    Exprs(Func),
    /// A variadic function.
    Variadic(Func),
    /// A function of one expression, with fixed further arguments.
    With(Func, &'static [Fixed]),
}

/// A fixed argument.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fixed {
    Absent,
    Bool(bool),
    Int(i64),
    Float(f64),
}

/// How a row is lowered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// From the least to the greatest number of arguments, to a function.
    Of(usize, usize, Target),
    /// By code of its own.
    Own,
    /// By code of its own, as an aggregate.
    OwnAggregate,
    /// By code of its own, with a window.
    Windowed,
    /// By the grammar: no call has this name.
    Grammar,
}

/// A row: a function or construct of SQL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SqlRow {
    /// Its names, the usual one first.
    pub(crate) names: &'static [&'static str],
    /// How it is written, but for its name: `s, n[, fill]`; all of it for constructs.
    pub(crate) arguments: &'static str,
    /// What it takes and gives, in the words of signatures.
    pub(crate) signature: &'static str,
    shape: Shape,
    pub(crate) place: SqlPlace,
    pub(crate) nulls: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) example: Example,
}

impl SqlRow {
    /// Whether it is called by its name.
    pub(crate) fn is_function(&self) -> bool {
        !matches!(self.shape, Shape::Grammar)
    }
}

/// A row for each function: names, arguments, signature, shape, place; null rule, documentation, example.
macro_rules! sql {
    ($( [$($name:literal),+] $arguments:literal, $signature:literal, $shape:expr, $place:ident,
        $nulls:literal, $doc:literal, $given:literal => $text:literal => $gives:literal; )+) => {
        &[ $( $crate::sql::table::SqlRow {
            names: &[$($name),+],
            arguments: $arguments,
            signature: $signature,
            shape: $shape,
            place: $crate::reference::SqlPlace::$place,
            nulls: $nulls,
            doc: $doc,
            example: laktory_core::Example { given: $given, text: $text, gives: $gives },
        } ),+ ]
    };
}
use sql;

/// The groups by title, in the order of the page.
pub(crate) const GROUPS: &[(&str, &[SqlRow])] = &[
    ("Operators and constructs", constructs::ROWS),
    ("Numbers", numbers::ROWS),
    ("Texts", texts::ROWS),
    ("Dates and times", dates::ROWS),
    ("Choices and nulls", values::ROWS),
    ("Lists and structs", lists::ROWS),
    ("Aggregates", aggregates::ROWS),
    ("Windows", windows::ROWS),
];

static BY_NAME: LazyLock<BTreeMap<&'static str, &'static SqlRow>> = LazyLock::new(|| {
    let rows = GROUPS.iter().flat_map(|(_, rows)| *rows);
    let rows = rows.filter(|row| row.is_function());
    rows.flat_map(|row| row.names.iter().map(move |name| (*name, row)))
        .collect()
});

/// The names of functions that expressions may call.
pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
    let rows = BY_NAME.iter();
    let rows = rows.filter(|(_, row)| row.place == SqlPlace::Everywhere);
    rows.map(|(name, _)| *name)
}

/// The least and greatest number of arguments and the meaning of a function of a fixed shape.
pub(super) fn fixed(name: &str) -> Option<(usize, usize, Target)> {
    match BY_NAME.get(name)?.shape {
        Shape::Of(least, most, target) => Some((least, most, target)),
        _ => None,
    }
}

/// Whether a function has a shape of its own.
pub(super) fn is_special(name: &str) -> bool {
    let row = BY_NAME.get(name);
    row.is_some_and(|row| matches!(row.shape, Shape::Own | Shape::OwnAggregate))
}

/// Whether a function is an aggregate with a shape of its own.
pub(super) fn is_own_aggregate(name: &str) -> bool {
    let row = BY_NAME.get(name);
    row.is_some_and(|row| matches!(row.shape, Shape::OwnAggregate))
}

/// Whether a function needs a window, in expressions as in statements.
pub(super) fn is_windowed(name: &str) -> bool {
    BY_NAME.get(name).is_some_and(|row| {
        matches!(row.shape, Shape::Windowed) && row.place == SqlPlace::Everywhere
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_documented_and_has_a_name_of_its_own() {
        let rows: Vec<&SqlRow> = GROUPS.iter().flat_map(|(_, rows)| *rows).collect();
        for row in &rows {
            let name = row.names[0];
            assert!(row.doc.ends_with('.'), "{name}: {}", row.doc);
            assert!(!row.nulls.is_empty(), "{name}: nulls");
            assert!(row.signature.contains('>'), "{name}: signature");
        }
        let functions = rows.iter().filter(|row| row.is_function());
        let names: usize = functions.map(|row| row.names.len()).sum();
        assert_eq!(names, BY_NAME.len());
    }
}
