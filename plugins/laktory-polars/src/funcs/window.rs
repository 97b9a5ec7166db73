//! Functions of a row and its neighbours.

use laktory_core::{Func, Result};
use polars::prelude::{
    DataType, EWMOptions, Expr, Field, PlSmallStr, RankMethod, RankOptions, RollingFnParams,
    RollingOptionsFixedWindow, RollingVarParams, Schema, int_range, len, lit,
};
use polars::series::ops::NullBehavior;

use super::exact::in_128_bits;
use super::{Call, FULL, Row};
use crate::schema::known;

pub(super) const ROWS: &[Row] = &[
    (Func::CumSum, FULL, |call| {
        let reverse = call.flag("reverse")?;
        Ok(in_128_bits(call.this()?, |x| x.cum_sum(reverse)))
    }),
    (Func::CumProd, FULL, |call| {
        Ok(call.this()?.cum_prod(call.flag("reverse")?))
    }),
    (Func::CumMin, FULL, |call| {
        Ok(call.this()?.cum_min(call.flag("reverse")?))
    }),
    (Func::CumMax, FULL, |call| {
        Ok(call.this()?.cum_max(call.flag("reverse")?))
    }),
    (Func::CumCount, FULL, |call| {
        Ok(call.this()?.cum_count(call.flag("reverse")?))
    }),
    (Func::Shift, FULL, |call| {
        Ok(call.this()?.shift(lit(call.int("n")?)))
    }),
    (Func::Diff, FULL, |call| {
        Ok(call.this()?.diff(lit(1_i64), NullBehavior::Ignore))
    }),
    (Func::Rank, FULL, rank),
    (Func::RollingSum, FULL, |call| {
        let window = window(call)?;
        Ok(in_128_bits(call.this()?, |x| x.rolling_sum(window)))
    }),
    (Func::RollingMean, FULL, |call| {
        Ok(call.this()?.rolling_mean(window(call)?))
    }),
    (Func::RollingStd, FULL, |call| {
        Ok(call.this()?.rolling_std(spread(call)?))
    }),
    (Func::RollingVar, FULL, |call| {
        Ok(call.this()?.rolling_var(spread(call)?))
    }),
    (Func::EwmMean, FULL, ewm_mean),
    (Func::IsDuplicated, FULL, |call| {
        Ok(told_apart(call.this()?).is_duplicated())
    }),
    (Func::IsUnique, FULL, |call| {
        Ok(told_apart(call.this()?).is_unique())
    }),
    (Func::IsFirstDistinct, FULL, |call| {
        Ok(call.this()?.is_first_distinct())
    }),
    (Func::IsLastDistinct, FULL, |call| {
        Ok(call.this()?.is_last_distinct())
    }),
    (Func::RowIndex, FULL, |_| {
        Ok(int_range(lit(0_u32), len(), 1, DataType::UInt32).alias("index"))
    }),
];

/// Values that the engine tells apart: decimals as texts, since it has no such operation for them.
fn told_apart(expr: Expr) -> Expr {
    let text = |field: &Field| match field.dtype() {
        DataType::Decimal(..) => Field::new(field.name().clone(), DataType::String),
        _ => field.clone(),
    };
    expr.map_with_fmt_str(
        |column| match column.dtype() {
            DataType::Decimal(..) => column.cast(&DataType::String),
            _ => Ok(column),
        },
        move |_: &Schema, field: &Field| known(&text(field)),
        PlSmallStr::from_static("told_apart"),
    )
}

fn rank(call: &Call<'_>) -> Result<Expr> {
    let method = match call.text("method")? {
        "average" => RankMethod::Average,
        "min" => RankMethod::Min,
        "max" => RankMethod::Max,
        "dense" => RankMethod::Dense,
        "ordinal" => RankMethod::Ordinal,
        _ => return Err(call.invalid("unknown `method`")),
    };
    let descending = call.flag("descending")?;
    Ok(call.this()?.rank(RankOptions { method, descending }, None))
}

fn window(call: &Call<'_>) -> Result<RollingOptionsFixedWindow> {
    let window_size = call.count("window_size")?;
    if window_size == 0 {
        return Err(call.invalid("`window_size` is at least 1"));
    }
    let min_periods = call.opt_count("min_samples")?.unwrap_or(window_size);
    if min_periods == 0 {
        return Err(call.invalid("`min_samples` is at least 1"));
    }
    if min_periods > window_size {
        return Err(call.invalid("`min_samples` is at most `window_size`"));
    }
    Ok(RollingOptionsFixedWindow {
        window_size,
        min_periods,
        center: call.flag("center")?,
        ..RollingOptionsFixedWindow::default()
    })
}

fn spread(call: &Call<'_>) -> Result<RollingOptionsFixedWindow> {
    let ddof = call.ddof()?;
    Ok(RollingOptionsFixedWindow {
        fn_params: Some(RollingFnParams::Var(RollingVarParams { ddof })),
        ..window(call)?
    })
}

fn ewm_mean(call: &Call<'_>) -> Result<Expr> {
    let given = [
        call.opt_float("com")?,
        call.opt_float("span")?,
        call.opt_float("half_life")?,
        call.opt_float("alpha")?,
    ];
    if given.iter().flatten().count() != 1 {
        return Err(call.invalid("give exactly one of `com`, `span`, `half_life` and `alpha`"));
    }
    let alpha = match given {
        [Some(com), ..] if com >= 0.0 => 1.0 / (1.0 + com),
        [_, Some(span), ..] if span >= 1.0 => 2.0 / (span + 1.0),
        [_, _, Some(half_life), _] if half_life > 0.0 => {
            1.0 - (-std::f64::consts::LN_2 / half_life).exp()
        }
        [_, _, _, Some(alpha)] if alpha > 0.0 && alpha <= 1.0 => alpha,
        _ => {
            return Err(call.invalid(
                "out of range: `com` >= 0, `span` >= 1, `half_life` > 0, 0 < `alpha` <= 1",
            ));
        }
    };
    Ok(call.this()?.ewm_mean(EWMOptions {
        alpha,
        adjust: call.flag("adjust")?,
        bias: false,
        min_periods: call.count("min_samples")?,
        ignore_nulls: call.flag("ignore_nulls")?,
    }))
}
