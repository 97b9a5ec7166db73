//! Entries of functions, methods and operators of expressions.

use laktory_core::{Func, FuncDef, FuncKind, Receiver};

use super::entry::{Entry, EntryKind, Parameter, SqlPlace, types};
use crate::python::shape_table::{SHAPES, Shape};

/// The titles of groups, in the order of the page.
pub(super) const GROUPS: &[&str] = &[
    COLUMNS, SELECTORS, OPERATORS, NUMBERS, AGGREGATES, WINDOWS, FEWER, ACROSS, TEXTS, TIMES,
    LISTS, STRUCTS, NAMES, LAKTORY, SQL,
];

const COLUMNS: &str = "Columns, constants, conditions";
const SELECTORS: &str = "Selectors";
const OPERATORS: &str = "Operators";
const NUMBERS: &str = "Numbers, nulls, comparisons";
const AGGREGATES: &str = "Aggregates";
const WINDOWS: &str = "Order and windows";
const FEWER: &str = "Fewer values";
const ACROSS: &str = "Across columns";
const TEXTS: &str = "Texts";
const TIMES: &str = "Dates and times";
const LISTS: &str = "Lists";
const STRUCTS: &str = "Structs, maps, categories";
const NAMES: &str = "Names";
const LAKTORY: &str = "Laktory's own";
const SQL: &str = "What SQL is made of";

/// Every function, method and operator.
pub(super) fn entries() -> impl Iterator<Item = Entry> {
    let shapes = SHAPES.iter().map(of_shape);
    shapes.chain(Func::all().map(of_function))
}

fn of_namespace(path: &str) -> Option<&'static str> {
    Some(match path.split_once('.')?.0 {
        "str" => TEXTS,
        "dt" => TIMES,
        "list" => LISTS,
        "struct" | "map" | "cat" => STRUCTS,
        "name" => NAMES,
        "laktory" => LAKTORY,
        "selectors" => SELECTORS,
        "sql" | "exact" => SQL,
        _ => return None,
    })
}

fn of_function(def: &'static FuncDef) -> Entry {
    let plain = || match (def.receiver, def.kind) {
        (Receiver::Operator, _) => OPERATORS,
        (Receiver::Function, FuncKind::Elementwise) => ACROSS,
        (_, FuncKind::Elementwise) => NUMBERS,
        (_, FuncKind::Aggregate) => AGGREGATES,
        (_, FuncKind::Ordered | FuncKind::Window) => WINDOWS,
        (_, FuncKind::LengthChanging) => FEWER,
    };
    let group = of_namespace(def.path).unwrap_or_else(plain);
    let parameters: Vec<Parameter> = def.params.iter().map(Parameter::from).collect();
    let listed = Parameter::listed(&parameters);
    let is_operator = def.receiver == Receiver::Operator && group == OPERATORS;
    let (kind, call) = match def.receiver {
        Receiver::Method => (EntryKind::Method, format!(".{}({listed})", def.path)),
        Receiver::Operator if is_operator => (EntryKind::Operator, operator(def)),
        // An operator of SQL is called as function of its operands.
        Receiver::Operator => {
            let separator = if listed.is_empty() { "" } else { ", " };
            let call = format!("nw.{}(x{separator}{listed})", def.path);
            (EntryKind::Function, call)
        }
        Receiver::Function => (EntryKind::Function, format!("nw.{}({listed})", def.path)),
    };
    Entry {
        kind,
        name: def.path,
        aliases: &[],
        group,
        call,
        types: types(def.signature),
        parameters: if is_operator { Vec::new() } else { parameters },
        nulls: def.nulls,
        doc: def.doc,
        example: def.example,
        place: SqlPlace::default(),
    }
}

/// An operator between its operands.
fn operator(def: &FuncDef) -> String {
    match (def.path, def.params) {
        ("neg", _) => "-a".to_owned(),
        (sign, []) => format!("{sign}a"),
        (sign, _) => format!("a {sign} b"),
    }
}

fn of_shape(shape: &'static Shape) -> Entry {
    let parameters: Vec<Parameter> = shape.params.iter().map(Parameter::from).collect();
    let listed = Parameter::listed(&parameters);
    let (kind, call) = match (shape.is_method, shape.path.strip_prefix("selectors.")) {
        (true, _) => (EntryKind::Method, format!(".{}({listed})", shape.path)),
        (false, Some(name)) => (EntryKind::Function, format!("cs.{name}({listed})")),
        (false, None) => (EntryKind::Function, format!("nw.{}({listed})", shape.path)),
    };
    let group = match shape.path {
        "max" | "min" | "sum" | "mean" | "median" => AGGREGATES,
        "over" => WINDOWS,
        "laktory.sql_expr" => LAKTORY,
        path => of_namespace(path).unwrap_or(COLUMNS),
    };
    Entry {
        kind,
        name: shape.path,
        aliases: &[],
        group,
        call,
        types: types(shape.signature),
        parameters,
        nulls: shape.nulls,
        doc: shape.doc,
        example: shape.example,
        place: SqlPlace::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_has_a_group_of_the_page() {
        for entry in entries() {
            assert!(GROUPS.contains(&entry.group), "{}", entry.name);
        }
    }
}
