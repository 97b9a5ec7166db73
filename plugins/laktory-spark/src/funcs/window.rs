//! Functions of a row and its neighbours, in the order of `over`.

use laktory_core::{BoundCall, DType, Func, Result, TimeUnit};

use super::{FULL, Row, mismatch};
use crate::dsl::{
    self, Bound, Ex, and, cast, double, f, field, iff, int, is_null, lambda, long, not_null, or,
    text, var, when,
};
use crate::expr::{Lw, Val};
use crate::types::held;

pub(super) const ROWS: &[Row] = &[
    (Func::CumSum, FULL, |lw, call| {
        let this = rows(lw, call)?;
        let this = if this.t == DType::Boolean {
            lw.cast(&this, &DType::Int64, true)?
        } else {
            this
        };
        let t = match &this.t {
            t if t.is_float() => DType::Float64,
            t if t.is_integer() => DType::Int64,
            DType::Duration(_) | DType::Decimal { .. } => this.t.clone(),
            DType::Null | DType::Unknown => DType::Unknown,
            t => return Err(mismatch(call, t)),
        };
        let sum = running(lw, call, &this, f("sum", [this.e.clone()]), t.clone())?;
        let e = if matches!(t, DType::Decimal { .. }) {
            cast(sum.e.clone(), &t)?
        } else {
            sum.e.clone()
        };
        Ok(present(&this, sum.map(e, t)))
    }),
    (Func::CumProd, FULL, |lw, call| {
        let this = rows(lw, call)?;
        if !this.t.is_numeric() {
            return Err(mismatch(call, &this.t));
        }
        let t = if this.is_float() {
            DType::Float64
        } else {
            DType::Int64
        };
        let this = lw.cast(&this, &t, true)?;
        let list = running(
            lw,
            call,
            &this,
            f("collect_list", [this.e.clone()]),
            t.clone(),
        )?;
        let product = f(
            "aggregate",
            [
                list.e.clone(),
                cast(int(1), &t)?,
                lambda(&["p", "x"], f("*", [var("p"), var("x")])),
            ],
        );
        Ok(present(&this, list.map(product, t)))
    }),
    (Func::CumMin, FULL, |lw, call| extreme(lw, call, "min")),
    (Func::CumMax, FULL, |lw, call| extreme(lw, call, "max")),
    (Func::CumCount, FULL, |lw, call| {
        let this = rows(lw, call)?;
        running(lw, call, &this, f("count", [this.e.clone()]), DType::Int64)
    }),
    (Func::Shift, FULL, |lw, call| {
        let this = rows(lw, call)?;
        let n = call.int("n")?;
        let order = lw.order(call)?;
        Ok(shifted(lw, &this, n, &order))
    }),
    (Func::Diff, FULL, |lw, call| {
        let this = rows(lw, call)?;
        let order = lw.order(call)?;
        let (this, t) = match &this.t {
            t if t.is_numeric() => (this.clone(), this.t.clone()),
            DType::Date => (
                lw.cast(&this, &DType::datetime(), true)?,
                DType::Duration(TimeUnit::Microsecond),
            ),
            DType::Datetime { .. } => (this.clone(), DType::Duration(TimeUnit::Microsecond)),
            DType::Duration(_) => (this.clone(), this.t.clone()),
            t => return Err(mismatch(call, t)),
        };
        let before = shifted(lw, &this, 1, &order);
        let e = f("-", [this.e.clone(), before.e.clone()]);
        let e = if t.is_numeric() {
            cast(e, &held(&t))?
        } else {
            e
        };
        Ok(Val::of(e, t, &[&this, &before]))
    }),
    (Func::Rank, FULL, rank),
    (Func::RollingSum, FULL, |lw, call| {
        let (this, t) = summable(lw, call)?;
        rolling(lw, call, &this, f("sum", [this.e.clone()]), t)
    }),
    (Func::RollingMean, FULL, |lw, call| {
        let (this, _) = summable(lw, call)?;
        rolling(lw, call, &this, f("avg", [this.e.clone()]), DType::Float64)
    }),
    (Func::RollingStd, FULL, |lw, call| {
        let variance = rolling_var(lw, call)?;
        Ok(variance.map(f("sqrt", [variance.e.clone()]), DType::Float64))
    }),
    (Func::RollingVar, FULL, rolling_var),
    (Func::EwmMean, FULL, ewm_mean),
    (Func::IsDuplicated, FULL, |lw, call| {
        let this = rows(lw, call)?;
        let count = lw.within(
            f("count", [int(1)]),
            DType::Int64,
            &[&this],
            std::slice::from_ref(&this.e),
            &[],
            None,
        );
        Ok(count.map(f(">", [count.e.clone(), int(1)]), DType::Boolean))
    }),
    (Func::IsUnique, FULL, |lw, call| {
        let this = rows(lw, call)?;
        let count = lw.within(
            f("count", [int(1)]),
            DType::Int64,
            &[&this],
            std::slice::from_ref(&this.e),
            &[],
            None,
        );
        Ok(count.map(f("==", [count.e.clone(), int(1)]), DType::Boolean))
    }),
    (Func::IsFirstDistinct, FULL, |lw, call| {
        edge(lw, call, false)
    }),
    (Func::IsLastDistinct, FULL, |lw, call| edge(lw, call, true)),
    (Func::RowIndex, FULL, |lw, call| {
        let order = lw.order(call)?;
        let number = lw.within(f("row_number", []), DType::Int64, &[], &[], &order, None);
        Ok(number.map(
            cast(f("-", [number.e.clone(), int(1)]), &DType::Int64)?,
            DType::Int64,
        ))
    }),
];

fn rows(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    lw.row(&*call.this()?)
}

/// Null where the receiver is null.
fn present(this: &Val, value: Val) -> Val {
    let e = when([(not_null(this.e.clone()), value.e.clone())], None);
    value.map(e, value.t.clone())
}

fn running(lw: &mut Lw<'_>, call: &BoundCall<'_>, this: &Val, e: Ex, t: DType) -> Result<Val> {
    let order = lw.order(call)?;
    let frame: (Bound, Bound) = if call.flag("reverse")? {
        (Some(0), None)
    } else {
        (None, Some(0))
    };
    Ok(lw.within(e, t, &[this], &[], &order, Some(frame)))
}

/// Running extremes skip not-a-number as aggregates do.
fn extreme(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str) -> Result<Val> {
    let this = rows(lw, call)?;
    let t = this.t.clone();
    let all = running(lw, call, &this, f(name, [this.e.clone()]), t.clone())?;
    if !this.is_float() {
        return Ok(present(&this, all));
    }
    let numbers = when(
        [(dsl::not(f("isnan", [this.e.clone()])), this.e.clone())],
        None,
    );
    let numbers = running(lw, call, &this, f(name, [numbers]), t.clone())?;
    let e = f("coalesce", [numbers.e.clone(), all.e.clone()]);
    Ok(present(&this, Val::of(e, t, &[&numbers, &all])))
}

fn shifted(
    lw: &Lw<'_>,
    this: &Val,
    n: i64,
    order: &[spark_connect_proto::expression::SortOrder],
) -> Val {
    let n = i32::try_from(n).unwrap_or(i32::MAX);
    let (name, n) = if n < 0 { ("lead", -n) } else { ("lag", n) };
    lw.within(
        f(name, [this.e.clone(), int(n)]),
        this.t.clone(),
        &[this],
        &[],
        order,
        None,
    )
}

/// The mean rank of equal values; null stays null.
pub(super) fn average_rank(lw: &mut Lw<'_>, this: &Val, descending: bool) -> Val {
    let order = [dsl::order(this.e.clone(), descending, true)];
    let least = lw.within(f("rank", []), DType::Int64, &[this], &[], &order, None);
    let peers = lw.within(
        f("count", [int(1)]),
        DType::Int64,
        &[this],
        std::slice::from_ref(&this.e),
        &[],
        None,
    );
    let half = f(
        "/",
        [
            f("double", [f("-", [peers.e.clone(), int(1)])]),
            double(2.0),
        ],
    );
    let e = f("+", [f("double", [least.e.clone()]), half]);
    present(this, Val::of(e, DType::Float64, &[&least, &peers]))
}

fn rank(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = rows(lw, call)?;
    let descending = call.flag("descending")?;
    let mut order = vec![dsl::order(this.e.clone(), descending, true)];
    let value = match call.text("method")? {
        "average" => return Ok(average_rank(lw, &this, descending)),
        "min" => lw.within(f("rank", []), DType::Int64, &[&this], &[], &order, None),
        "dense" => lw.within(
            f("dense_rank", []),
            DType::Int64,
            &[&this],
            &[],
            &order,
            None,
        ),
        "max" => {
            let least = lw.within(f("rank", []), DType::Int64, &[&this], &[], &order, None);
            let peers = lw.within(
                f("count", [int(1)]),
                DType::Int64,
                &[&this],
                std::slice::from_ref(&this.e),
                &[],
                None,
            );
            let e = f("-", [f("+", [least.e.clone(), peers.e.clone()]), int(1)]);
            Val::of(e, DType::Int64, &[&least, &peers])
        }
        "ordinal" => {
            if lw.has_order() {
                order.extend(lw.order(call)?);
            } else {
                let id = Val::of(f("monotonically_increasing_id", []), DType::Int64, &[]);
                let id = lw.hoist(id);
                order.push(dsl::order(id.e.clone(), false, false));
                let mut value = lw.within(
                    f("row_number", []),
                    DType::Int64,
                    &[&this, &id],
                    &[],
                    &order,
                    None,
                );
                value.e = cast(value.e, &DType::Int64)?;
                return Ok(present(&this, value));
            }
            lw.within(
                f("row_number", []),
                DType::Int64,
                &[&this],
                &[],
                &order,
                None,
            )
        }
        _ => return Err(call.invalid("unknown `method`")),
    };
    let e = cast(value.e.clone(), &DType::Int64)?;
    Ok(present(&this, value.map(e, DType::Int64)))
}

fn summable(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<(Val, DType)> {
    let this = rows(lw, call)?;
    let t = match &this.t {
        t if t.is_float() => DType::Float64,
        t if t.is_integer() => DType::Int64,
        DType::Boolean => DType::Int64,
        DType::Null | DType::Unknown => DType::Float64,
        t => return Err(mismatch(call, t)),
    };
    Ok((lw.cast(&this, &t, true)?, t))
}

/// The bounds of a moving window, and how many values it needs.
fn bounds(call: &BoundCall<'_>) -> Result<((Bound, Bound), i64)> {
    let size = call.count("window_size")?;
    if size == 0 {
        return Err(call.invalid("`window_size` is at least 1"));
    }
    let least = call.opt_count("min_samples")?.unwrap_or(size);
    if least == 0 {
        return Err(call.invalid("`min_samples` is at least 1"));
    }
    if least > size {
        return Err(call.invalid("`min_samples` is at most `window_size`"));
    }
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let after = if call.flag("center")? {
        (size - 1) / 2
    } else {
        0
    };
    let before = size - 1 - after;
    Ok((
        (Some(-before), Some(after)),
        i64::try_from(least).unwrap_or(i64::MAX),
    ))
}

fn rolling(lw: &mut Lw<'_>, call: &BoundCall<'_>, this: &Val, e: Ex, t: DType) -> Result<Val> {
    let (frame, least) = bounds(call)?;
    let order = lw.order(call)?;
    let value = lw.within(e, t.clone(), &[this], &[], &order, Some(frame));
    let count = f("count", [this.e.clone()]);
    let count = lw.within(count, DType::Int64, &[this], &[], &order, Some(frame));
    let e = when(
        [(f(">=", [count.e.clone(), long(least)]), value.e.clone())],
        None,
    );
    Ok(Val::of(e, t, &[&value, &count]))
}

fn rolling_var(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let (this, _) = summable(lw, call)?;
    let this = lw.cast(&this, &DType::Float64, true)?;
    let ddof = call.ddof()?;
    let (frame, _) = bounds(call)?;
    let order = lw.order(call)?;
    let variance = rolling(
        lw,
        call,
        &this,
        f("var_pop", [this.e.clone()]),
        DType::Float64,
    )?;
    if ddof == 0 {
        return Ok(variance);
    }
    let n = lw.within(
        f("count", [this.e.clone()]),
        DType::Int64,
        &[&this],
        &[],
        &order,
        Some(frame),
    );
    let free = f("-", [n.e.clone(), int(ddof.into())]);
    let scaled = f(
        "/",
        [
            f("*", [variance.e.clone(), f("double", [n.e.clone()])]),
            f("double", [free.clone()]),
        ],
    );
    let e = when([(f(">", [free, int(0)]), scaled)], None);
    Ok(Val::of(e, DType::Float64, &[&variance, &n]))
}

fn edge(lw: &mut Lw<'_>, call: &BoundCall<'_>, last: bool) -> Result<Val> {
    let this = rows(lw, call)?;
    let mut order = lw.order(call)?;
    if last {
        for key in &mut order {
            flip(key);
        }
    }
    let number = lw.within(
        f("row_number", []),
        DType::Int64,
        &[&this],
        std::slice::from_ref(&this.e),
        &order,
        None,
    );
    Ok(number.map(f("==", [number.e.clone(), int(1)]), DType::Boolean))
}

/// The opposite order.
fn flip(key: &mut spark_connect_proto::expression::SortOrder) {
    use spark_connect_proto::expression::sort_order::{NullOrdering, SortDirection};
    key.direction = if key.direction == SortDirection::Ascending as i32 {
        SortDirection::Descending
    } else {
        SortDirection::Ascending
    } as i32;
    key.null_ordering = if key.null_ordering == NullOrdering::SortNullsFirst as i32 {
        NullOrdering::SortNullsLast
    } else {
        NullOrdering::SortNullsFirst
    } as i32;
}

/// The decay of an exponentially weighted mean.
fn alpha(call: &BoundCall<'_>) -> Result<f64> {
    let given = [
        call.opt_float("com")?,
        call.opt_float("span")?,
        call.opt_float("half_life")?,
        call.opt_float("alpha")?,
    ];
    if given.iter().flatten().count() != 1 {
        return Err(call.invalid("give exactly one of `com`, `span`, `half_life` and `alpha`"));
    }
    match given {
        [Some(com), ..] if com >= 0.0 => Ok(1.0 / (1.0 + com)),
        [_, Some(span), ..] if span >= 1.0 => Ok(2.0 / (span + 1.0)),
        [_, _, Some(life), _] if life > 0.0 => Ok(1.0 - (-std::f64::consts::LN_2 / life).exp()),
        [_, _, _, Some(alpha)] if alpha > 0.0 && alpha <= 1.0 => Ok(alpha),
        _ => Err(call
            .invalid("out of range: `com` >= 0, `span` >= 1, `half_life` > 0, 0 < `alpha` <= 1")),
    }
}

/// The mean of the values so far, each with a weight that decays with its distance: folded over the list of them.
fn ewm_mean(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let alpha = alpha(call)?;
    let (adjust, skip) = (call.flag("adjust")?, call.flag("ignore_nulls")?);
    let least = i64::try_from(call.count("min_samples")?.max(1)).unwrap_or(i64::MAX);
    let (this, _) = summable(lw, call)?;
    let this = lw.cast(&this, &DType::Float64, true)?;
    let order = lw.order(call)?;
    let boxed = f("named_struct", [text("v"), this.e.clone()]);
    let list = lw.within(
        f("collect_list", [boxed]),
        DType::Float64,
        &[&this],
        &[],
        &order,
        Some((None, Some(0))),
    );
    let (state, x) = (|name: &str| field(var("s"), name), || field(var("x"), "v"));
    let make = |mean: Ex, weight: Ex, seen: Ex| {
        f(
            "named_struct",
            [text("m"), mean, text("w"), weight, text("n"), seen],
        )
    };
    let start = make(cast(dsl::null(), &DType::Float64)?, double(1.0), long(0));
    let fresh = if adjust { 1.0 } else { alpha };
    let decay = 1.0 - alpha;
    let old = f("*", [state("w"), double(decay)]);
    let total = f("+", [old.clone(), double(fresh)]);
    let mean = f(
        "/",
        [
            f(
                "+",
                [
                    f("*", [old.clone(), state("m")]),
                    f("*", [double(fresh), x()]),
                ],
            ),
            total.clone(),
        ],
    );
    let weight = if adjust { total } else { double(1.0) };
    let seen = f("+", [state("n"), long(1)]);
    let first = make(x(), double(1.0), long(1));
    let idle = if skip {
        var("s")
    } else {
        make(state("m"), old, state("n"))
    };
    let step = when(
        [
            (and(is_null(x()), is_null(state("m"))), var("s")),
            (is_null(x()), idle),
            (is_null(state("m")), first),
        ],
        Some(make(mean, weight, seen)),
    );
    let done = iff(
        or(
            f("<", [field(var("r"), "n"), long(least)]),
            is_null(field(var("r"), "m")),
        ),
        cast(dsl::null(), &DType::Float64)?,
        field(var("r"), "m"),
    );
    let e = f(
        "aggregate",
        [
            list.e.clone(),
            start,
            lambda(&["s", "x"], step),
            lambda(&["r"], done),
        ],
    );
    Ok(present(&this, list.map(e, DType::Float64)))
}
