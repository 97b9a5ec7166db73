//! Lists, structs, maps, categoricals, and functions across columns.

use laktory_core::{Arg, Error, ErrorKind, Func, Result, Scalar};
use polars::prelude::{
    DataType, Expr, Field, PlSmallStr, Schema, Series, SortOptions, all_horizontal, any_horizontal,
    as_list, as_struct, coalesce, element, lit, when,
};
use polars_plan::dsl::functions::{
    max_horizontal, mean_horizontal, min_horizontal, sum_horizontal,
};

use super::exact::in_128_bits;
use super::text::joined;
use super::{Call, FULL, Row};
use crate::error::ResultExt;
use crate::schema::known;

pub(super) const ROWS: &[Row] = &[
    (Func::SumHorizontal, FULL, |call| {
        sum_horizontal(call.some_exprs("exprs")?, true).or_error()
    }),
    (Func::MinHorizontal, FULL, |call| {
        extreme(call, |exprs| min_horizontal(exprs).or_error())
    }),
    (Func::MaxHorizontal, FULL, |call| {
        extreme(call, |exprs| max_horizontal(exprs).or_error())
    }),
    // Of floats: whatever has no NaN was settled as `max_horizontal`.
    (Func::SqlGreatest, FULL, |call| {
        let exprs = call.some_exprs("exprs")?;
        let number = max_horizontal(exprs.clone()).or_error()?;
        let nan_first = |rest: Expr, x: Expr| when(x.clone().is_nan()).then(x).otherwise(rest);
        Ok(exprs.into_iter().rev().fold(number, nan_first))
    }),
    (Func::MeanHorizontal, FULL, |call| {
        mean_horizontal(call.some_exprs("exprs")?, true).or_error()
    }),
    (Func::AllHorizontal, FULL, |call| {
        all_horizontal(flags(call, true)?).or_error()
    }),
    (Func::AnyHorizontal, FULL, |call| {
        any_horizontal(flags(call, false)?).or_error()
    }),
    (Func::ConcatStr, FULL, |call| {
        Ok(joined(
            call.some_exprs("exprs")?,
            call.text("separator")?,
            call.flag("ignore_nulls")?,
        ))
    }),
    (Func::Format, FULL, format),
    (Func::Struct, FULL, |call| {
        Ok(as_struct(call.some_exprs("exprs")?))
    }),
    (Func::List, FULL, |call| {
        as_list(call.equally_long(&call.bound.some_exprs("exprs")?)?).or_error()
    }),
    (Func::ListLen, FULL, |call| Ok(call.this()?.list().len())),
    (Func::ListGet, FULL, list_get),
    (Func::ListContains, FULL, |call| {
        let float = matches!(
            call.arg("item"),
            Arg::Float(_) | Arg::Expr(laktory_core::Expr::Literal(Scalar::Float(_)))
        );
        let this = call.this()?;
        let this = if float {
            super::numeric::no_integers(this)
        } else {
            this
        };
        Ok(this.list().contains(call.expr("item")?, true))
    }),
    (Func::ListUnique, FULL, |call| {
        let element = element();
        let unique = if call.flag("maintain_order")? {
            element.unique_stable()
        } else {
            element.unique()
        };
        Ok(call.this()?.list().eval(unique))
    }),
    (Func::ListSort, FULL, |call| {
        Ok(call.this()?.list().sort(SortOptions {
            descending: call.flag("descending")?,
            nulls_last: call.flag("nulls_last")?,
            ..SortOptions::default()
        }))
    }),
    (Func::ListMin, FULL, |call| Ok(call.this()?.list().min())),
    (Func::ListMax, FULL, |call| Ok(call.this()?.list().max())),
    (Func::ListSum, FULL, |call| {
        Ok(in_128_bits(call.this()?, |lists| lists.list().sum()))
    }),
    (Func::ListMean, FULL, |call| Ok(call.this()?.list().mean())),
    (Func::ListMedian, FULL, |call| {
        Ok(call.this()?.list().median())
    }),
    (Func::StructField, FULL, |call| {
        Ok(call.this()?.struct_().field_by_name(call.text("name")?))
    }),
    (Func::CatGetCategories, FULL, |call| {
        Ok(call.this()?.cat().get_categories())
    }),
    (Func::MapGet, FULL, map_get),
];

/// Operands of a horizontal and/or, in which nulls count as `neutral` when they are ignored.
fn flags(call: &Call<'_>, neutral: bool) -> Result<Vec<Expr>> {
    let exprs = call.some_exprs("exprs")?;
    Ok(if call.flag("ignore_nulls")? {
        exprs
            .into_iter()
            .map(|expr| expr.fill_null(lit(neutral)))
            .collect()
    } else {
        exprs
    })
}

/// The smallest or greatest across columns; NaN counts only where there is nothing else.
fn extreme(call: &Call<'_>, horizontal: fn(Vec<Expr>) -> Result<Expr>) -> Result<Expr> {
    let exprs = call.some_exprs("exprs")?;
    let without_nan = exprs
        .iter()
        .cloned()
        .map(|expr| {
            expr.map_with_fmt_str(
                |column| match column.dtype() {
                    DataType::Float32 | DataType::Float64 => {
                        column.try_apply_unary_elementwise(|series| {
                            let numbers = series.is_not_nan()?;
                            series.zip_with(
                                &numbers,
                                &Series::full_null(
                                    series.name().clone(),
                                    series.len(),
                                    series.dtype(),
                                ),
                            )
                        })
                    }
                    _ => Ok(column),
                },
                |_: &Schema, field: &Field| known(field),
                PlSmallStr::from_static("without_nan"),
            )
        })
        .collect();
    Ok(coalesce(&[horizontal(without_nan)?, horizontal(exprs)?]))
}

fn format(call: &Call<'_>) -> Result<Expr> {
    let (format, args) = (call.text("f_string")?, call.exprs("args")?);
    if format.matches("{}").count() != args.len() {
        return Err(call.invalid("the number of `{}` differs from the number of arguments"));
    }
    // Braces have no escapes: each `{}` is a place, whatever stands around it.
    let mut parts = Vec::new();
    let mut args = args.into_iter();
    for text in format.split("{}") {
        parts.push(lit(text));
        parts.extend(args.next());
    }
    Ok(joined(parts, "", false))
}

fn list_get(call: &Call<'_>) -> Result<Expr> {
    let index = call.int("index")?;
    if index < 0 {
        return Err(Error::new(
            ErrorKind::OutOfBounds,
            format!("`list.get`: index {index} is out of bounds, elements are counted from 0"),
        ));
    }
    Ok(call.this()?.list().get(lit(index), true))
}

fn map_get(call: &Call<'_>) -> Result<Expr> {
    let key = call.expr("key")?;
    let entry = element();
    let value = entry.clone().struct_().field_by_name("value");
    let matching = value.filter(entry.struct_().field_by_name("key").eq(key));
    Ok(call.this()?.list().eval(matching).list().first())
}
