//! Rows made of columns, and columns made of rows.

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::cast as arrow_cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue, UnnestOptions};
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::functions_aggregate::expr_fn::{avg, count, first_value, last_value, max, min};
use datafusion::functions_nested::expr_fn::{cardinality, make_array};
use datafusion::logical_expr::{
    Expr as PlanExpr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, cast, lit, when,
};
use laktory_core::{Error, ErrorKind, PivotAgg, Result, RunCx, no_column};

use super::built;
use super::stages::{column, columns, fresh, independent, names, numbered, only};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::funcs::aggregate::sum::sum_where;
use crate::funcs::cast::{common_type, convert};
use crate::kernel::kernel;
use crate::session::Session;
use crate::types::{element, fields, list_of, shown};

fn value(plan: &LogicalPlan, name: &str) -> Result<Value> {
    let field = plan
        .schema()
        .fields()
        .iter()
        .find(|field| field.name() == name)
        .ok_or_else(|| no_column(name, &fields(plan.schema())))?;
    Ok(Value {
        expr: column(name),
        dtype: field.data_type().clone(),
    })
}

/// One row for each element of list columns, which must have the same length in each row.
pub(super) fn explode(
    plan: LogicalPlan,
    exploded: &[String],
    empty_as_null: bool,
    keep_nulls: bool,
) -> Result<LogicalPlan> {
    let all = columns(&plan);
    let mut lists = Vec::with_capacity(exploded.len());
    for name in exploded {
        let value = value(&plan, name)?;
        let Some(element) = element(&value.dtype).cloned() else {
            return Err(Error::new(
                ErrorKind::TypeMismatch,
                format!("`{name}` is of type {}, not a list", shown(&value.dtype)),
            ));
        };
        lists.push((
            name.clone(),
            convert(value, &list_of(element.clone()))?,
            element,
        ));
    }
    let mut plan = plan;
    if let Some((_, first, _)) = lists.first() {
        let empty = cardinality(first.expr.clone()).eq(lit(0_u64));
        if !empty_as_null {
            plan = built(
                LogicalPlanBuilder::from(plan).filter(
                    first
                        .expr
                        .clone()
                        .is_null()
                        .or(PlanExpr::Not(Box::new(empty))),
                ),
            )?;
        }
        if !keep_nulls {
            plan = built(LogicalPlanBuilder::from(plan).filter(first.expr.clone().is_not_null()))?;
        }
    }
    let args: Vec<Value> = lists.iter().map(|(_, value, _)| value.clone()).collect();
    let exprs: Vec<PlanExpr> = all
        .iter()
        .map(
            |name| match lists.iter().position(|(known, ..)| known == name) {
                Some(at) => {
                    let dtype = args[at].dtype.clone();
                    // The column itself comes first; the others are looked at for their lengths.
                    let mut all = args.clone();
                    all.swap(0, at);
                    kernel("explode", all, dtype, filled).expr.alias(name)
                }
                None => column(name),
            },
        )
        .collect();
    let plan = built(LogicalPlanBuilder::from(plan).project(exprs))?;
    let options = UnnestOptions::new().with_preserve_nulls(true);
    let unnested = exploded.iter().map(Column::new_unqualified).collect();
    let plan = built(
        LogicalPlanBuilder::from(independent(plan)?).unnest_columns_with_options(unnested, options),
    )?;
    only(plan, &all)
}

/// The lists with an empty one as a list of one null.
fn filled(args: &[ArrayRef]) -> Result<ArrayRef> {
    use datafusion::arrow::array::{AsArray, LargeListArray, new_null_array};
    use datafusion::arrow::buffer::OffsetBuffer;
    use std::sync::Arc;
    let list = args[0].as_list::<i64>();
    for other in &args[1..] {
        let other = other.as_list::<i64>();
        for row in 0..list.len() {
            if list.value_length(row) != other.value_length(row) {
                return Err(Error::new(
                    ErrorKind::SchemaMismatch,
                    "exploded columns must have lists of the same length in each row",
                ));
            }
        }
    }
    let values = list.values();
    let hole = values.len();
    let padded = datafusion::arrow::compute::concat(&[
        values.as_ref(),
        new_null_array(values.data_type(), 1).as_ref(),
    ])
    .or_error()?;
    let mut indices: Vec<u64> = Vec::with_capacity(values.len());
    let mut lengths = Vec::with_capacity(list.len());
    for row in 0..list.len() {
        let (from, to) = (list.value_offsets()[row], list.value_offsets()[row + 1]);
        if list.is_null(row) || from == to {
            indices.push(hole as u64);
            lengths.push(1);
        } else {
            indices.extend((from..to).map(|at| u64::try_from(at).unwrap_or(0)));
            lengths.push(usize::try_from(to - from).unwrap_or(0));
        }
    }
    let indices = datafusion::arrow::array::UInt64Array::from(indices);
    let values = datafusion::arrow::compute::take(&padded, &indices, None).or_error()?;
    let DataType::LargeList(field) = list.data_type() else {
        return Err(Error::internal("a list in another encoding"));
    };
    Ok(Arc::new(LargeListArray::new(
        Arc::clone(field),
        OffsetBuffer::from_lengths(lengths),
        values,
        None,
    )))
}

/// Columns turned into rows, in one pass: each row carries an array of its names and values.
pub(super) fn unpivot(
    plan: LogicalPlan,
    on: Option<&[String]>,
    index: &[String],
    variable_name: &str,
    value_name: &str,
) -> Result<LogicalPlan> {
    let all = columns(&plan);
    for name in index {
        value(&plan, name)?;
    }
    let on: Vec<String> = match on {
        Some(on) => on.to_vec(),
        None => all
            .iter()
            .filter(|name| !index.contains(name))
            .cloned()
            .collect(),
    };
    let mut outputs: Vec<&str> = index.iter().map(String::as_str).collect();
    outputs.extend([variable_name, value_name]);
    for (at, name) in outputs.iter().enumerate() {
        if outputs[..at].contains(name) {
            return Err(Error::new(
                ErrorKind::DuplicateColumn,
                format!("two columns would be called `{name}`"),
            ));
        }
    }
    let values = on
        .iter()
        .map(|name| value(&plan, name))
        .collect::<Result<Vec<_>>>()?;
    let dtype = common_type(values.iter())?;
    let mut taken = names(&plan);
    let position = fresh("position", &taken);
    taken.insert(position.clone());
    let number = fresh("number", &taken);
    taken.insert(number.clone());
    let pairs = fresh("pairs", &taken);
    let plan = numbered(plan, &position)?;
    if values.is_empty() {
        let mut exprs: Vec<PlanExpr> = index.iter().map(|name| column(name)).collect();
        exprs.push(Value::null(&DataType::Utf8View)?.expr.alias(variable_name));
        exprs.push(Value::null(&DataType::Null)?.expr.alias(value_name));
        let none = built(LogicalPlanBuilder::from(plan).filter(lit(false)))?;
        return built(LogicalPlanBuilder::from(none).project(exprs));
    }
    let rows = values
        .into_iter()
        .zip(&on)
        .enumerate()
        .map(|(at, (value, name))| {
            Ok(named_struct(vec![
                lit("number"),
                lit(at as u64),
                lit("variable"),
                lit(ScalarValue::Utf8View(Some(name.clone()))),
                lit("value"),
                convert(value, &dtype)?.expr,
            ]))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut exprs: Vec<PlanExpr> = index.iter().map(|name| column(name)).collect();
    exprs.push(column(&position));
    exprs.push(make_array(rows).alias(&pairs));
    let plan = built(LogicalPlanBuilder::from(plan).project(exprs))?;
    let plan = built(
        LogicalPlanBuilder::from(independent(plan)?).unnest_column(Column::new_unqualified(&pairs)),
    )?;
    let mut exprs: Vec<PlanExpr> = index.iter().map(|name| column(name)).collect();
    exprs.push(get_field(column(&pairs), "variable").alias(variable_name));
    exprs.push(get_field(column(&pairs), "value").alias(value_name));
    built(LogicalPlanBuilder::from(plan).project(exprs))
}

/// The parameters of a pivot.
pub(super) struct Pivot<'a> {
    pub(super) on: &'a [String],
    pub(super) index: Option<&'a [String]>,
    pub(super) values: Option<&'a [String]>,
    pub(super) aggregate: Option<PivotAgg>,
    pub(super) sort_columns: bool,
    pub(super) separator: &'a str,
}

/// Rows turned into columns: the distinct values of `on` are found first, then each column is an aggregate of the rows
/// with one of them.
pub(super) async fn pivot(
    session: &Session,
    cx: &RunCx,
    plan: LogicalPlan,
    pivot: &Pivot<'_>,
) -> Result<LogicalPlan> {
    let all = columns(&plan);
    let rest = |taken: &[&[String]]| -> Vec<String> {
        all.iter()
            .filter(|name| {
                !pivot.on.contains(name) && !taken.iter().any(|list| list.contains(name))
            })
            .cloned()
            .collect()
    };
    let (index, values) = match (pivot.index, pivot.values) {
        (Some(index), Some(values)) => (index.to_vec(), values.to_vec()),
        (Some(index), None) => (index.to_vec(), rest(&[index])),
        (None, Some(values)) => (rest(&[values]), values.to_vec()),
        (None, None) => {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "`pivot`: `index` or `values` is needed",
            ));
        }
    };
    for name in pivot.on.iter().chain(&index).chain(&values) {
        value(&plan, name)?;
    }
    let labels = labels(session, cx, &plan, pivot).await?;
    let mut taken = names(&plan);
    let position = fresh("position", &taken);
    taken.insert(position.clone());
    let place = fresh("place", &taken);
    let plan = numbered(plan, &position)?;
    let mut aggregates = vec![min(column(&position)).alias(&place)];
    let mut outputs: Vec<PlanExpr> = index.iter().map(|name| column(name)).collect();
    let mut seen: Vec<String> = index.clone();
    for of in &values {
        let input = value(&plan, of)?;
        for label in &labels {
            let name = if values.len() > 1 {
                format!("{of}{}{}", pivot.separator, label.text)
            } else {
                label.text.clone()
            };
            if seen.contains(&name) {
                return Err(Error::new(
                    ErrorKind::DuplicateColumn,
                    format!("two columns would be called `{name}`"),
                ));
            }
            seen.push(name.clone());
            let at = [column(&position).sort(true, false)].to_vec();
            let filtered =
                |aggregate: PlanExpr| aggregate.filter(label.is.clone()).build().or_error();
            let dtype = input.dtype.clone();
            let cell = match pivot.aggregate {
                None => {
                    kernel(
                        "single value",
                        vec![
                            Value {
                                expr: filtered(first_value(input.expr.clone(), at))?,
                                dtype: dtype.clone(),
                            },
                            Value {
                                expr: filtered(count(lit(1_i64)))?,
                                dtype: DataType::Int64,
                            },
                        ],
                        dtype,
                        single,
                    )
                    .expr
                }
                Some(PivotAgg::First) => filtered(first_value(input.expr.clone(), at))?,
                Some(PivotAgg::Last) => filtered(last_value(input.expr.clone(), at))?,
                Some(PivotAgg::Min) => filtered(min(input.expr.clone()))?,
                Some(PivotAgg::Max) => filtered(max(input.expr.clone()))?,
                Some(PivotAgg::Mean) => filtered(avg(cast(input.expr.clone(), DataType::Float64)))?,
                Some(PivotAgg::Median) => {
                    filtered(datafusion::functions_aggregate::expr_fn::median(cast(
                        input.expr.clone(),
                        DataType::Float64,
                    )))?
                }
                Some(PivotAgg::Len) => cast(filtered(count(lit(1_i64)))?, DataType::UInt32),
                Some(PivotAgg::Sum) => sum_where(label.is.clone(), input.clone())?.expr,
            };
            outputs.push(cell.alias(&name));
        }
    }
    let mut parts = super::stages::Parts::of(&plan);
    let outputs = outputs
        .into_iter()
        .map(|expr| parts.take(expr, super::stages::is_aggregate))
        .collect::<Result<Vec<_>>>()?;
    aggregates.extend(parts.named());
    let group: Vec<PlanExpr> = index.iter().map(|name| column(name)).collect();
    let plan = built(LogicalPlanBuilder::from(plan).aggregate(group, aggregates))?;
    let plan = built(LogicalPlanBuilder::from(plan).sort([column(&place).sort(true, true)]))?;
    built(LogicalPlanBuilder::from(plan).project(outputs))
}

/// The value of a cell that must not have two.
fn single(args: &[ArrayRef]) -> Result<ArrayRef> {
    use datafusion::arrow::array::AsArray;
    use datafusion::arrow::datatypes::Int64Type;
    let counts = args[1].as_primitive::<Int64Type>();
    if counts.iter().flatten().any(|count| count > 1) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "`pivot`: several values meet in one cell",
        )
        .with_hint("set `aggregate_function`, for example to `first`"));
    }
    Ok(std::sync::Arc::clone(&args[0]))
}

/// A distinct value of `on`.
struct Label {
    text: String,
    is: PlanExpr,
}

async fn labels(
    session: &Session,
    cx: &RunCx,
    plan: &LogicalPlan,
    pivot: &Pivot<'_>,
) -> Result<Vec<Label>> {
    let position = fresh("position", &names(plan));
    let first = fresh("first", &names(plan));
    let keys: Vec<PlanExpr> = pivot.on.iter().map(|name| column(name)).collect();
    let numbered = numbered(plan.clone(), &position)?;
    let distinct = built(
        LogicalPlanBuilder::from(numbered).aggregate(keys, [min(column(&position)).alias(&first)]),
    )?;
    let order: Vec<_> = if pivot.sort_columns {
        pivot
            .on
            .iter()
            .map(|name| column(name).sort(true, true))
            .collect()
    } else {
        vec![column(&first).sort(true, true)]
    };
    let distinct = built(LogicalPlanBuilder::from(distinct).sort(order))?;
    let mut labels = Vec::new();
    for batch in session.collect(cx, distinct).await? {
        for row in 0..batch.num_rows() {
            let mut texts = Vec::new();
            let mut is: Option<PlanExpr> = None;
            for (at, name) in pivot.on.iter().enumerate() {
                let scalar = ScalarValue::try_from_array(batch.column(at), row).or_error()?;
                let condition = if scalar.is_null() {
                    column(name).is_null()
                } else {
                    column(name).eq(lit(scalar.clone()))
                };
                is = Some(match is {
                    Some(all) => all.and(condition),
                    None => condition,
                });
                texts.push(text(batch.column(at), row)?);
            }
            let text = match texts.as_slice() {
                [one] => one.clone(),
                several => format!("{{\"{}\"}}", several.join("\",\"")),
            };
            labels.push(Label {
                text,
                is: is.unwrap_or_else(|| lit(true)),
            });
        }
    }
    Ok(labels)
}

fn text(array: &ArrayRef, row: usize) -> Result<String> {
    use datafusion::arrow::array::AsArray;
    if array.is_null(row) {
        return Ok("null".to_owned());
    }
    let texts = arrow_cast(&array.slice(row, 1), &DataType::Utf8).or_error()?;
    Ok(texts.as_string::<i32>().value(0).to_owned())
}

/// The number of nulls of each column.
pub(super) fn null_count(plan: LogicalPlan) -> Result<LogicalPlan> {
    let all = columns(&plan);
    let aggregates: Vec<PlanExpr> = all
        .iter()
        .map(|name| {
            let nulls = when(column(name).is_null(), lit(1_i64)).end().or_error()?;
            Ok(count(nulls).alias(name))
        })
        .collect::<Result<_>>()?;
    let plan = built(LogicalPlanBuilder::from(plan).aggregate(Vec::<PlanExpr>::new(), aggregates))?;
    only(plan, &all)
}
