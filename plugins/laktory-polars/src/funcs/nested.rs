//! Lists, structs, maps, categoricals, and functions across columns.

use laktory_core::{Func, Result};
use polars::prelude::{
    Expr, SortOptions, all_horizontal, any_horizontal,
    as_list, as_struct, concat_str, element, format_str, lit, 
};
use polars_plan::dsl::functions::{max_horizontal, mean_horizontal, min_horizontal, sum_horizontal};

use super::{Call, FULL, Row};
use crate::error::ResultExt;

pub(super) const ROWS: &[Row] = &[
    (Func::SumHorizontal, FULL, |call| sum_horizontal(call.some_exprs("exprs")?, true).or_error()),
    (Func::MinHorizontal, FULL, |call| min_horizontal(call.some_exprs("exprs")?).or_error()),
    (Func::MaxHorizontal, FULL, |call| max_horizontal(call.some_exprs("exprs")?).or_error()),
    (Func::MeanHorizontal, FULL, |call| mean_horizontal(call.some_exprs("exprs")?, true).or_error()),
    (Func::AllHorizontal, FULL, |call| all_horizontal(flags(call, true)?).or_error()),
    (Func::AnyHorizontal, FULL, |call| any_horizontal(flags(call, false)?).or_error()),
    (Func::ConcatStr, FULL, |call| {
        Ok(concat_str(
            call.some_exprs("exprs")?,
            call.text("separator")?,
            call.flag("ignore_nulls")?,
        ))
    }),
    (Func::Format, FULL, format),
    (Func::Struct, FULL, |call| Ok(as_struct(call.some_exprs("exprs")?))),
    (Func::List, FULL, |call| as_list(call.some_exprs("exprs")?).or_error()),
    (Func::ListLen, FULL, |call| Ok(call.this()?.list().len())),
    (Func::ListGet, FULL, list_get),
    (Func::ListContains, FULL, |call| Ok(call.this()?.list().contains(call.expr("item")?, true))),
    (Func::ListUnique, FULL, |call| {
        let element = element();
        let unique = if call.flag("maintain_order")? { element.unique_stable() } else { element.unique() };
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
    (Func::ListSum, FULL, |call| Ok(call.this()?.list().sum())),
    (Func::ListMean, FULL, |call| Ok(call.this()?.list().mean())),
    (Func::ListMedian, FULL, |call| Ok(call.this()?.list().median())),
    (Func::StructField, FULL, |call| Ok(call.this()?.struct_().field_by_name(call.text("name")?))),
    (Func::CatGetCategories, FULL, |call| Ok(call.this()?.cat().get_categories())),
    (Func::MapGet, FULL, map_get),
];

/// Operands of a horizontal and/or, in which nulls count as `neutral` when they are ignored.
fn flags(call: &Call<'_>, neutral: bool) -> Result<Vec<Expr>> {
    let exprs = call.some_exprs("exprs")?;
    Ok(if call.flag("ignore_nulls")? {
        exprs.into_iter().map(|expr| expr.fill_null(lit(neutral))).collect()
    } else {
        exprs
    })
}

fn format(call: &Call<'_>) -> Result<Expr> {
    let (format, args) = (call.text("f_string")?, call.exprs("args")?);
    if format.matches("{}").count() != args.len() {
        return Err(call.invalid("the number of `{}` differs from the number of arguments"));
    }
    format_str(format, &args).or_error()
}

fn list_get(call: &Call<'_>) -> Result<Expr> {
    let index = call.int("index")?;
    Ok(call.this()?.list().get(lit(index), true))
}

fn map_get(call: &Call<'_>) -> Result<Expr> {
    let key = call.expr("key")?;
    let entry = element();
    let value = entry.clone().struct_().field_by_name("value");
    let matching = value.filter(entry.struct_().field_by_name("key").eq(key));
    Ok(call.this()?.list().eval(matching).list().first())
}
