//! Steps that change the shape of a frame.

use std::sync::{Arc, OnceLock};

use laktory_core::{Error, ErrorKind, PivotAgg, Result};
use polars::frame::PivotColumnNaming;
use polars::prelude::{
    DataFrame, DataType, Engine, ExplodeOptions, Expr, LazyFrame, PlanCallback, PolarsError,
    PolarsResult, Schema, SortMultipleOptions, UniqueKeepStrategy, UnpivotArgsDSL, element,
};
use polars_plan::dsl::DslPlan;

use crate::error::carried;
use crate::expr::by_name;
use crate::funcs::exact::{decimal_sum, exact_sum};

pub(super) fn explode(
    lazy: LazyFrame,
    columns: &[String],
    empty_as_null: bool,
    keep_nulls: bool,
) -> LazyFrame {
    lazy.explode(
        by_name(columns, true),
        ExplodeOptions {
            empty_as_null,
            keep_nulls,
        },
    )
}

pub(super) fn unpivot(
    lazy: LazyFrame,
    on: Option<&[String]>,
    index: &[String],
    variable_name: &str,
    value_name: &str,
) -> LazyFrame {
    lazy.unpivot(UnpivotArgsDSL {
        on: on.map(|on| by_name(on, true)),
        index: by_name(index, true),
        variable_name: Some(variable_name.into()),
        value_name: Some(value_name.into()),
    })
}

/// A random part of the rows; needs all of them at once.
pub(super) fn sample(
    lazy: LazyFrame,
    n: Option<u64>,
    fraction: Option<f64>,
    with_replacement: bool,
    seed: Option<u64>,
) -> Result<LazyFrame> {
    let invalid = |why: &str| Error::new(ErrorKind::InvalidArgument, format!("`sample`: {why}"));
    match (n, fraction) {
        (Some(_), Some(_)) => return Err(invalid("give either `n` or `fraction`")),
        (_, Some(fraction)) if !(fraction >= 0.0 && (with_replacement || fraction <= 1.0)) => {
            return Err(invalid("`fraction` lies between 0 and 1"));
        }
        _ => {}
    }
    let take = move |frame: DataFrame| -> PolarsResult<DataFrame> {
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a part of a number of rows"
        )]
        let rows = match (n, fraction) {
            (Some(n), _) => usize::try_from(n).unwrap_or(usize::MAX),
            (None, Some(fraction)) => (frame.height() as f64 * fraction) as usize,
            (None, None) => 1,
        };
        if rows > frame.height() && !with_replacement {
            return Err(carried(
                ErrorKind::InvalidArgument,
                &format!(
                    "`sample`: {rows} rows are asked for, the frame has {}",
                    frame.height()
                ),
            ));
        }
        frame.sample_n_literal(rows, with_replacement, Some(false), seed)
    };
    Ok(super::opaque(lazy, "sample", take, None))
}

/// What a pivot is to do.
pub(super) struct Pivot {
    pub(super) on: Vec<String>,
    pub(super) index: Option<Vec<String>>,
    pub(super) values: Option<Vec<String>>,
    pub(super) aggregate: Option<PivotAgg>,
    pub(super) sort_columns: bool,
    pub(super) separator: String,
}

/// Rows turned into columns. Their names are values, so they are computed, once, when the schema is resolved.
pub(super) fn pivot(lazy: LazyFrame, pivot: Pivot) -> Result<LazyFrame> {
    if pivot.index.is_none() && pivot.values.is_none() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "`pivot`: `index` or `values` is needed",
        ));
    }
    let values = OnceLock::<std::result::Result<Arc<DataFrame>, PolarsError>>::new();
    let input = lazy.clone();
    let callback =
        move |(mut plans, schemas): (Vec<DslPlan>, Vec<Arc<Schema>>)| -> PolarsResult<DslPlan> {
            let (Some(plan), Some(schema)) = (plans.pop(), schemas.last()) else {
                return Err(carried(ErrorKind::Internal, "a pivot without input"));
            };
            let on_columns = values
                .get_or_init(|| distinct(input.clone(), &pivot).map(Arc::new))
                .as_ref()
                .map_err(Clone::clone)?;
            let rest = |taken: &[&[String]]| -> Vec<String> {
                schema
                    .iter_names()
                    .map(ToString::to_string)
                    .filter(|name| !taken.iter().any(|taken| taken.contains(name)))
                    .collect()
            };
            let (index, columns) = match (&pivot.index, &pivot.values) {
                (Some(index), Some(values)) => (index.clone(), values.clone()),
                (Some(index), None) => (index.clone(), rest(&[&pivot.on, index])),
                (None, Some(values)) => (rest(&[&pivot.on, values]), values.clone()),
                (None, None) => (Vec::new(), Vec::new()),
            };
            let pivoted = LazyFrame::from(plan).pivot(
                by_name(&pivot.on, true),
                Arc::clone(on_columns),
                by_name(&index, true),
                by_name(&columns, true),
                aggregate(pivot.aggregate, schema, &columns),
                true,
                pivot.separator.as_str().into(),
                PivotColumnNaming::Auto,
            );
            Ok(pivoted.logical_plan)
        };
    Ok(lazy.pipe_with_schema(PlanCallback::new(callback)))
}

/// The values of the columns that become names.
fn distinct(input: LazyFrame, pivot: &Pivot) -> PolarsResult<DataFrame> {
    let on = by_name(&pivot.on, true);
    let mut lazy = input
        .select([on.as_expr()])
        .unique_stable(None, UniqueKeepStrategy::First);
    if pivot.sort_columns {
        let keys: Vec<Expr> = pivot
            .on
            .iter()
            .map(|name| crate::expr::column(name))
            .collect();
        lazy = lazy.sort_by_exprs(keys, SortMultipleOptions::default());
    }
    Ok(lazy.collect_with_engine(Engine::Streaming)?.unwrap_single())
}

fn aggregate(aggregate: Option<PivotAgg>, schema: &Schema, columns: &[String]) -> Expr {
    let is_decimal = |name: &String| schema.get(name).is_some_and(DataType::is_decimal);
    let element = element();
    match aggregate {
        None => element.item(true),
        Some(PivotAgg::Min) => element.min(),
        Some(PivotAgg::Max) => element.max(),
        Some(PivotAgg::First) => element.first(),
        Some(PivotAgg::Last) => element.last(),
        Some(PivotAgg::Sum) if columns.iter().any(is_decimal) => decimal_sum(element),
        Some(PivotAgg::Sum) => exact_sum(element),
        Some(PivotAgg::Mean) => element.mean(),
        Some(PivotAgg::Median) => element.median(),
        Some(PivotAgg::Len) => element.len(),
    }
}
