//! Steps that change the shape of a frame.

use std::time::SystemTime;

use laktory_core::{DType, Error, ErrorKind, Expr, Field, Result, SortKey, expand};
use spark_connect_proto as proto;

use super::{known, only_columns, sort_keys, unique_names};
use crate::client::MARK;
use crate::dsl::{
    self, Ex, alias, and, boolean, cast, col, double, f, field, filter, iff, int, long, or,
    project, star, text, when, window,
};
use crate::expr::{HELPER, Lw, Scope};
use crate::frame::Resolved;

/// The relation with a column that grows from row to row.
pub(super) fn numbered(input: proto::Relation, name: &str) -> proto::Relation {
    let id = f("monotonically_increasing_id", []);
    project(input, vec![star(), alias(id, name)])
}

pub(super) fn gather_every(input: &Resolved, n: u64, offset: u64) -> proto::Relation {
    let (id, position) = (format!("{HELPER}id"), format!("{HELPER}position"));
    let number = window(
        f("row_number", []),
        &[],
        &[dsl::order(col(&id), false, true)],
        None,
    );
    let counted = project(
        numbered(input.relation.clone(), &id),
        vec![star(), alias(number, &position)],
    );
    let n = long(i64::try_from(n).unwrap_or(i64::MAX));
    let offset = long(i64::try_from(offset).unwrap_or(i64::MAX - 1));
    let at = f("-", [f("-", [col(&position), int(1)]), offset]);
    let taken = and(
        f(">=", [at.clone(), long(0)]),
        f("==", [f("%", [at, n]), long(0)]),
    );
    only_columns(filter(counted, taken), &input.columns, true)
}

/// A random part of the rows: numbered in a random order, cut at the size asked for.
pub(super) fn sample(
    input: &Resolved,
    n: Option<u64>,
    fraction: Option<f64>,
    seed: Option<u64>,
) -> Result<proto::Relation> {
    let invalid = |why: &str| Error::new(ErrorKind::InvalidArgument, format!("`sample`: {why}"));
    match (n, fraction) {
        (Some(_), Some(_)) => return Err(invalid("give either `n` or `fraction`")),
        (_, Some(fraction)) if !(0.0..=1.0).contains(&fraction) => {
            return Err(invalid("`fraction` lies between 0 and 1"));
        }
        _ => {}
    }
    let [random, position, count] =
        ["random", "position", "count"].map(|name| format!("{HELPER}{name}"));
    let draw = match seed {
        Some(seed) => f("rand", [long(i64::from_ne_bytes(seed.to_ne_bytes()))]),
        None => f("rand", []),
    };
    let drawn = project(input.relation.clone(), vec![star(), alias(draw, &random)]);
    let number = window(
        f("row_number", []),
        &[],
        &[dsl::order(col(&random), false, true)],
        None,
    );
    let all = window(f("count", [int(1)]), &[], &[], None);
    let counted = project(
        drawn,
        vec![star(), alias(number, &position), alias(all, &count)],
    );
    let size = match (n, fraction) {
        (None, Some(fraction)) => f("floor", [f("*", [col(&count), double(fraction)])]),
        (n, _) => {
            let n = i64::try_from(n.unwrap_or(1)).unwrap_or(i64::MAX);
            let why = format!(
                "{MARK}{}:`sample`: {n} rows are asked for, the frame has fewer",
                ErrorKind::InvalidArgument.name()
            );
            iff(
                f("<", [col(&count), long(n)]),
                cast(f("raise_error", [text(&why)]), &DType::Int64)?,
                long(n),
            )
        }
    };
    let taken = filter(counted, f("<=", [col(&position), size]));
    Ok(only_columns(taken, &input.columns, true))
}

pub(super) fn row_index(
    input: &Resolved,
    name: &str,
    order_by: &[SortKey],
    partition_by: &[Expr],
    started: SystemTime,
) -> Result<Resolved> {
    let mut columns = vec![Field::new(name, DType::Int64)];
    columns.extend(input.columns.iter().cloned());
    unique_names(&columns)?;
    let (mut relation, mut orders, _) = sort_keys(input, order_by, started, None)?;
    if orders.is_empty() {
        let id = format!("{HELPER}id");
        relation = numbered(relation, &id);
        orders.push(dsl::order(col(&id), false, true));
    }
    let mut lw = Lw::new(&input.columns, Scope::Row, started);
    let mut partition = Vec::new();
    for output in expand(partition_by, &input.columns)? {
        let value = lw.lower(&output.expr)?;
        if value.win || value.depth > 0 {
            return Err(Error::unsupported(
                "partitions by a computed column are not available here on backend PYSPARK",
            )
            .with_hint("add the column with `with_columns` first"));
        }
        partition.push(value.e);
    }
    let number = window(f("row_number", []), &partition, &orders, None);
    let index = cast(f("-", [number, int(1)]), &DType::Int64)?;
    let mut exprs = vec![alias(index, name)];
    exprs.extend(input.columns.iter().map(|field| col(&field.name)));
    Ok(Resolved {
        relation: project(relation, exprs),
        columns,
        confirmed: false,
    })
}

pub(super) fn explode(
    input: &Resolved,
    names: &[String],
    empty_as_null: bool,
    keep_nulls: bool,
) -> Result<Resolved> {
    known(names, &input.columns)?;
    let mut columns = input.columns.clone();
    for column in &mut columns {
        if names.contains(&column.name) {
            match &column.dtype {
                DType::List(item) => column.dtype = (**item).clone(),
                DType::Unknown => {}
                other => {
                    return Err(Error::new(
                        ErrorKind::TypeMismatch,
                        format!("column `{}` is of type {other}, not a list", column.name),
                    ));
                }
            }
        }
    }
    let size = |name: &str| f("coalesce", [f("array_size", [col(name)]), int(-1)]);
    let Some(first) = names.first() else {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "`explode` needs a column",
        ));
    };
    let mut relation = input.relation.clone();
    if !empty_as_null {
        relation = filter(relation, f("!=", [size(first), int(0)]));
    }
    if !keep_nulls {
        relation = filter(relation, f(">=", [size(first), int(0)]));
    }
    let zipped = format!("{HELPER}zipped");
    let lists = if names.len() == 1 {
        col(first)
    } else {
        let uneven = names[1..]
            .iter()
            .map(|name| f("!=", [size(name), size(first)]))
            .reduce(or)
            .unwrap_or_else(|| boolean(false));
        let why = format!(
            "{MARK}{}:exploded lists of one row differ in length",
            ErrorKind::SchemaMismatch.name()
        );
        let zip = f(
            "arrays_zip",
            names.iter().map(|name| col(name)).collect::<Vec<_>>(),
        );
        when([(uneven, f("raise_error", [text(&why)]))], Some(zip))
    };
    let mut exprs: Vec<Ex> = input
        .columns
        .iter()
        .filter(|column| !names.contains(&column.name))
        .map(|column| col(&column.name))
        .collect();
    exprs.push(alias(f("explode_outer", [lists]), &zipped));
    let exploded = project(relation, exprs);
    let back = input
        .columns
        .iter()
        .map(|column| {
            if !names.contains(&column.name) {
                col(&column.name)
            } else if names.len() == 1 {
                alias(col(&zipped), &column.name)
            } else {
                alias(field(col(&zipped), &column.name), &column.name)
            }
        })
        .collect();
    Ok(Resolved {
        relation: project(exploded, back),
        columns,
        confirmed: false,
    })
}

pub(super) fn unpivot(
    input: &Resolved,
    on: Option<&[String]>,
    index: &[String],
    variable_name: &str,
    value_name: &str,
    started: SystemTime,
) -> Result<Resolved> {
    let on: Vec<String> = match on {
        Some(on) => on.to_vec(),
        None => input
            .columns
            .iter()
            .map(|field| field.name.clone())
            .filter(|name| !index.contains(name))
            .collect(),
    };
    known(&on, &input.columns)?;
    known(index, &input.columns)?;
    let mut lw = Lw::new(&input.columns, Scope::Row, started);
    let mut values = Vec::new();
    for name in &on {
        values.push(lw.lower(&Expr::column(name))?);
    }
    let t = lw.unify(&mut values)?;
    let mut columns: Vec<Field> = input
        .columns
        .iter()
        .filter(|field| index.contains(&field.name))
        .cloned()
        .collect();
    columns.sort_by_key(|field| index.iter().position(|name| *name == field.name));
    columns.push(Field::new(variable_name, DType::String));
    columns.push(Field::new(value_name, t));
    unique_names(&columns)?;
    let helper = |at: usize| format!("{HELPER}value_{at}");
    let mut exprs: Vec<Ex> = index.iter().map(|name| col(name)).collect();
    exprs.extend(
        values
            .iter()
            .enumerate()
            .map(|(at, value)| alias(value.e.clone(), &helper(at))),
    );
    // One row of name and value for each column: a list of structs, exploded.
    let pairs: Vec<Ex> = on
        .iter()
        .enumerate()
        .map(|(at, name)| {
            f(
                "named_struct",
                [
                    text("variable"),
                    text(name),
                    text("value"),
                    col(&helper(at)),
                ],
            )
        })
        .collect();
    let pair = format!("{HELPER}pair");
    let prepared = project(lw.staged(input.relation.clone()), exprs);
    if pairs.is_empty() {
        let none = project(
            prepared,
            vec![
                star(),
                alias(text(""), variable_name),
                alias(dsl::null(), value_name),
            ],
        );
        return Ok(Resolved {
            relation: filter(none, boolean(false)),
            columns,
            confirmed: false,
        });
    }
    let mut exploded: Vec<Ex> = index.iter().map(|name| col(name)).collect();
    exploded.push(alias(f("explode", [f("array", pairs)]), &pair));
    let mut back: Vec<Ex> = index.iter().map(|name| col(name)).collect();
    back.push(alias(field(col(&pair), "variable"), variable_name));
    back.push(alias(field(col(&pair), "value"), value_name));
    Ok(Resolved {
        relation: project(project(prepared, exploded), back),
        columns,
        confirmed: false,
    })
}
