//! Rows turned into columns. Their names are values of the data, so they are asked for once, when the step is lowered.

use laktory_core::arrow::array::{Array, RecordBatch};
use laktory_core::{DType, Error, ErrorKind, Field, Op, PivotAgg, Result, RunCx};

use super::{known, unique_names};
use crate::client::MARK;
use crate::dsl::{
    self, Ex, aggregate, alias, and, cast, col, f, filter, iff, int, is_null, project, sort, text,
    when,
};
use crate::expr::HELPER;
use crate::frame::Resolved;
use crate::rows::collect;
use crate::session::Session;

/// Greatest number of columns that a pivot may make of each values column.
const MOST: usize = 10_000;

/// The relation after a pivot.
pub(crate) async fn pivot(
    session: &Session,
    cx: &RunCx,
    input: &Resolved,
    op: &Op,
) -> Result<Resolved> {
    let Op::Pivot {
        on,
        index,
        values,
        aggregate: how,
        sort_columns,
        separator,
    } = op
    else {
        return Err(Error::internal("not a pivot"));
    };
    let rest = |taken: &[&Vec<String>]| -> Vec<String> {
        input
            .columns
            .iter()
            .map(|field| field.name.clone())
            .filter(|name| !taken.iter().any(|taken| taken.contains(name)))
            .collect()
    };
    let (index, values) = match (index, values) {
        (Some(index), Some(values)) => (index.clone(), values.clone()),
        (Some(index), None) => (index.clone(), rest(&[on, index])),
        (None, Some(values)) => (rest(&[on, values]), values.clone()),
        (None, None) => {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "`pivot`: `index` or `values` is needed",
            ));
        }
    };
    for names in [on, &index, &values] {
        known(names, &input.columns)?;
    }
    let labels = labels(session, cx, input, on, *sort_columns).await?;
    let mut columns: Vec<Field> = index
        .iter()
        .filter_map(|name| {
            input
                .columns
                .iter()
                .find(|field| field.name == *name)
                .cloned()
        })
        .collect();
    let keys: Vec<Ex> = index.iter().map(|name| alias(col(name), name)).collect();
    let mut cells = Vec::new();
    for value in &values {
        let t = input
            .columns
            .iter()
            .find(|field| field.name == *value)
            .map_or(DType::Unknown, |field| field.dtype.clone());
        for (label, condition) in &labels {
            let name = if values.len() == 1 {
                label.clone()
            } else {
                format!("{value}{separator}{label}")
            };
            let (e, t) = cell(*how, condition, value, &t)?;
            cells.push(alias(e, &name));
            columns.push(Field::new(name, t));
        }
    }
    unique_names(&columns)?;
    Ok(Resolved {
        relation: aggregate(input.relation.clone(), keys, cells),
        columns,
        confirmed: false,
    })
}

/// The aggregate of the values in the rows of one new column.
fn cell(how: Option<PivotAgg>, here: &Ex, value: &str, t: &DType) -> Result<(Ex, DType)> {
    let masked = when([(here.clone(), col(value))], None);
    let float = t.is_float();
    Ok(match how {
        None => {
            let why = format!(
                "{MARK}{}:`pivot` found several values for one cell, and no aggregate function",
                ErrorKind::Compute.name()
            );
            let several = f(">", [f("count_if", [here.clone()]), int(1)]);
            let first = f(
                "max_by",
                [
                    f("named_struct", [text("v"), col(value)]),
                    when([(here.clone(), int(1))], None),
                ],
            );
            let single = dsl::field(first, "v");
            (
                iff(several, cast(f("raise_error", [text(&why)]), t)?, single),
                t.clone(),
            )
        }
        Some(PivotAgg::Min | PivotAgg::Max) => {
            let name = if how == Some(PivotAgg::Min) {
                "min"
            } else {
                "max"
            };
            let all = f(name, [masked.clone()]);
            let e = if float {
                let numbers = when(
                    [(
                        and(here.clone(), dsl::not(f("isnan", [col(value)]))),
                        col(value),
                    )],
                    None,
                );
                f("coalesce", [f(name, [numbers]), all])
            } else {
                all
            };
            (e, t.clone())
        }
        Some(PivotAgg::First | PivotAgg::Last) => {
            let name = if how == Some(PivotAgg::First) {
                "first"
            } else {
                "last"
            };
            let boxed = when(
                [(here.clone(), f("named_struct", [text("v"), col(value)]))],
                None,
            );
            (
                dsl::field(f(name, [boxed, dsl::boolean(true)]), "v"),
                t.clone(),
            )
        }
        Some(PivotAgg::Sum) => {
            let sum = f("sum", [masked]);
            let t = if t.is_integer() {
                DType::Int64
            } else if float {
                DType::Float64
            } else {
                t.clone()
            };
            (f("coalesce", [sum, cast(int(0), &t)?]), t)
        }
        Some(PivotAgg::Mean) => (f("avg", [masked]), DType::Float64),
        Some(PivotAgg::Median) => (
            f("median", [cast(masked, &DType::Float64)?]),
            DType::Float64,
        ),
        Some(PivotAgg::Len) => (f("count_if", [here.clone()]), DType::Int64),
    })
}

/// The names of the new columns, each with the condition of its rows.
async fn labels(
    session: &Session,
    cx: &RunCx,
    input: &Resolved,
    on: &[String],
    sorted: bool,
) -> Result<Vec<(String, Ex)>> {
    let first = format!("{HELPER}first");
    let seen = project(
        input.relation.clone(),
        on.iter()
            .map(|name| col(name))
            .chain([alias(f("monotonically_increasing_id", []), &first)])
            .collect(),
    );
    let keys: Vec<Ex> = on.iter().map(|name| alias(col(name), name)).collect();
    let distinct = aggregate(seen, keys, vec![alias(f("min", [col(&first)]), &first)]);
    let by = if sorted {
        on.iter()
            .map(|name| dsl::order(col(name), false, false))
            .collect()
    } else {
        vec![dsl::order(col(&first), false, false)]
    };
    let mut wanted: Vec<Field> = Vec::new();
    let mut exprs = Vec::new();
    for (at, name) in on.iter().enumerate() {
        exprs.push(alias(cast(col(name), &DType::String)?, &format!("t{at}")));
        wanted.push(Field::new(format!("t{at}"), DType::String));
    }
    let texts = project(dsl::limit(sort(distinct, by), MOST as u64 + 1), exprs);
    let texts = filter(texts, dsl::boolean(true));
    let batches = collect(session, cx, texts, &wanted).await?;
    let rows = rows(&batches, on.len())?;
    if rows.len() > MOST {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("`pivot` would make more than {MOST} columns"),
        ));
    }
    let is_text: Vec<bool> = on
        .iter()
        .map(|name| {
            input
                .columns
                .iter()
                .any(|field| field.name == *name && field.dtype == DType::String)
        })
        .collect();
    rows.into_iter()
        .map(|row| {
            let mut condition: Option<Ex> = None;
            let mut shown = Vec::new();
            for ((value, name), is_text) in row.iter().zip(on).zip(&is_text) {
                let here = match value {
                    Some(value) => f("<=>", [cast(col(name), &DType::String)?, text(value)]),
                    None => is_null(col(name)),
                };
                condition = Some(match condition {
                    Some(known) => and(known, here),
                    None => here,
                });
                let plain = value.clone().unwrap_or_else(|| "null".to_owned());
                shown.push(if on.len() > 1 && *is_text && value.is_some() {
                    format!("\"{plain}\"")
                } else {
                    plain
                });
            }
            let label = if on.len() == 1 {
                shown.remove(0)
            } else {
                format!("{{{}}}", shown.join(","))
            };
            let condition = condition
                .ok_or_else(|| Error::new(ErrorKind::InvalidArgument, "`pivot`: `on` is empty"))?;
            Ok((label, condition))
        })
        .collect()
}

/// Texts of all rows.
fn rows(batches: &[RecordBatch], width: usize) -> Result<Vec<Vec<Option<String>>>> {
    use laktory_core::arrow::array::StringViewArray;
    let mut rows = Vec::new();
    for batch in batches {
        let columns = (0..width)
            .map(|at| {
                batch
                    .column(at)
                    .as_any()
                    .downcast_ref::<StringViewArray>()
                    .ok_or_else(|| Error::internal("names of a pivot are no texts"))
            })
            .collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            rows.push(
                columns
                    .iter()
                    .map(|column| column.is_valid(row).then(|| column.value(row).to_owned()))
                    .collect(),
            );
        }
    }
    Ok(rows)
}
