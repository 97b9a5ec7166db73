//! Aggregations, and functions that choose the values that an aggregation looks at.

use laktory_core::{Arg, BoundCall, DType, Error, ErrorKind, Func, Result, Support};

use super::{FULL, Row, mismatch};
use crate::dsl::{
    Ex, and, boolean, cast, distinct, double, f, field, iff, int, is_null, lambda, long, not,
    not_null, null, text, var, when,
};
use crate::expr::{Lw, Scope, Val};

pub(super) const ROWS: &[Row] = &[
    (Func::Len, FULL, |lw, _| {
        Ok(lw.aggregate(f("count", [int(1)]), DType::Int64, &[]))
    }),
    (Func::LenOf, FULL, |lw, call| {
        let this = argument(lw, call)?;
        if this.distinct {
            return n_unique(lw, &this);
        }
        let e = match &this.only {
            Some(only) => f("count", [when([(only.clone(), int(1))], None)]),
            None => f("count", [int(1)]),
        };
        Ok(lw.aggregate(e, DType::Int64, &[&this]))
    }),
    (Func::Count, FULL, |lw, call| {
        let this = argument(lw, call)?;
        Ok(lw.aggregate(plain(&this, "count")?, DType::Int64, &[&this]))
    }),
    (Func::NullCount, FULL, |lw, call| {
        let this = argument(lw, call)?;
        let counted = match &this.only {
            Some(only) => and(only.clone(), is_null(this.e.clone())),
            None => is_null(this.e.clone()),
        };
        Ok(lw.aggregate(f("count_if", [counted]), DType::Int64, &[&this]))
    }),
    (Func::NUnique, FULL, |lw, call| {
        let this = argument(lw, call)?;
        n_unique(lw, &this)
    }),
    (Func::Sum, FULL, sum_or_zero),
    (Func::ExactSum, FULL, sum_or_zero),
    (Func::DecimalSum, FULL, |lw, call| Ok(sum(lw, call)?.0)),
    (Func::Mean, FULL, |lw, call| {
        let this = argument(lw, call)?;
        let this = numeric(lw, call, this, true)?;
        let this = match this.t {
            DType::Decimal { .. } => lw.cast(&this, &DType::Float64, true)?,
            _ => this,
        };
        let t = match &this.t {
            DType::Duration(_) => this.t.clone(),
            _ => DType::Float64,
        };
        Ok(lw.aggregate(plain(&this, "avg")?, t, &[&this]))
    }),
    (Func::Median, FULL, |lw, call| {
        let this = argument(lw, call)?;
        let this = numeric(lw, call, this, false)?;
        let this = lw.cast(&this, &DType::Float64, true)?;
        Ok(lw.aggregate(plain(&this, "median")?, DType::Float64, &[&this]))
    }),
    (Func::Min, FULL, |lw, call| extreme(lw, call, "min")),
    (Func::Max, FULL, |lw, call| extreme(lw, call, "max")),
    (Func::Std, FULL, |lw, call| spread(lw, call, "stddev")),
    (Func::Var, FULL, |lw, call| spread(lw, call, "var")),
    (Func::Quantile, FULL, quantile),
    (Func::Skew, FULL, |lw, call| moment(lw, call, "skewness")),
    (Func::Kurtosis, FULL, |lw, call| {
        moment(lw, call, "kurtosis")
    }),
    (Func::Any, FULL, |lw, call| {
        truth(lw, call, "bool_or", false)
    }),
    (Func::All, FULL, |lw, call| {
        truth(lw, call, "bool_and", true)
    }),
    (Func::AnyValue, FULL, |lw, call| {
        let this = argument(lw, call)?;
        let skip = call.flag("ignore_nulls")? || this.only.is_some();
        let e = f("any_value", [this.masked(), boolean(skip)]);
        Ok(lw.aggregate(e, this.t.clone(), &[&this]))
    }),
    (Func::First, FULL, |lw, call| {
        edge(lw, call, "min_by", "first")
    }),
    (Func::Last, FULL, |lw, call| {
        edge(lw, call, "max_by", "last")
    }),
    (Func::ModeAny, FULL, |lw, call| {
        if call.text("keep")? != "any" {
            return Err(Error::unsupported(
                "`mode(keep='all')` is not available on backend PYSPARK: a column of another length cannot stand in a plan",
            )
            .with_hint("use `mode(keep='any')`"));
        }
        let this = argument(lw, call)?;
        let boxed = f("named_struct", [text("v"), this.e.clone()]);
        let boxed = match &this.only {
            Some(only) => when([(only.clone(), boxed)], None),
            None => boxed,
        };
        let mode = lw.aggregate(f("mode", [boxed]), this.t.clone(), &[&this]);
        Ok(mode.map(field(mode.e.clone(), "v"), this.t.clone()))
    }),
    (Func::Corr, FULL, corr),
    (Func::Cov, FULL, |lw, call| {
        let (a, b) = pair(lw, call)?;
        let (a, b) = (
            lw.cast(&a, &DType::Float64, true)?,
            lw.cast(&b, &DType::Float64, true)?,
        );
        let ddof = call.ddof()?;
        let arguments = [a.masked(), b.masked()];
        let name = if ddof == 1 { "covar_samp" } else { "covar_pop" };
        let value = lw.aggregate(f(name, arguments), DType::Float64, &[&a, &b]);
        if ddof < 2 {
            return Ok(value);
        }
        let both = and(not_null(a.masked()), not_null(b.masked()));
        let count = lw.aggregate(f("count_if", [both]), DType::Int64, &[&a, &b]);
        Ok(less_freedom(&value, &count, ddof))
    }),
    (Func::Filter, FULL, |lw, call| {
        let this = argument(lw, call)?;
        let mut only = this.only.clone();
        let mut parts = vec![this.clone()];
        for predicate in call.some_exprs("predicates")? {
            let predicate = lw.row(&predicate)?;
            if !matches!(predicate.t, DType::Boolean | DType::Null | DType::Unknown) {
                return Err(mismatch(call, &predicate.t));
            }
            let holds = f("coalesce", [predicate.e.clone(), boolean(false)]);
            only = Some(match only {
                Some(known) => and(known, holds),
                None => holds,
            });
            parts.push(predicate);
        }
        let mut value = Val::of(
            this.e.clone(),
            this.t.clone(),
            &parts.iter().collect::<Vec<_>>(),
        );
        value.only = only;
        Ok(value)
    }),
    (Func::DropNulls, FULL, |lw, call| {
        let mut this = argument(lw, call)?;
        let present = not_null(this.e.clone());
        this.only = Some(match this.only.take() {
            Some(known) => and(known, present),
            None => present,
        });
        Ok(this)
    }),
    (
        Func::Unique,
        Support::Partial {
            note: "only below an aggregation of a frame or of groups",
        },
        |lw, call| {
            let mut this = argument(lw, call)?;
            if !lw.in_groups {
                return Err(Error::unsupported(
                    "`unique` of an expression stands below an aggregation of a frame or of groups on backend PYSPARK",
                ));
            }
            this.distinct = true;
            Ok(this)
        },
    ),
];

/// The receiver as rows, fit to be aggregated.
pub(super) fn argument(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    lw.row(&*call.this()?)
}

fn plain(this: &Val, name: &str) -> Result<Ex> {
    Ok(if this.distinct {
        distinct(name, [this.masked()])
    } else {
        f(name, [this.masked()])
    })
}

fn numeric(lw: &mut Lw<'_>, call: &BoundCall<'_>, this: Val, spans: bool) -> Result<Val> {
    match &this.t {
        DType::Boolean => lw.cast(&this, &DType::Int64, true),
        DType::Null => lw.cast(&this, &DType::Float64, true),
        DType::Duration(_) if spans => Ok(this),
        t if t.is_numeric() || *t == DType::Unknown => Ok(this),
        t => Err(mismatch(call, t)),
    }
}

pub(super) fn sum(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<(Val, DType)> {
    let this = argument(lw, call)?;
    sum_of(lw, call, this)
}

fn sum_or_zero(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let (sum, t) = sum(lw, call)?;
    let zero = match &t {
        DType::Duration(_) => super::time::duration(long(0)),
        t => cast(int(0), t)?,
    };
    Ok(sum.map(f("coalesce", [sum.e.clone(), zero]), t))
}

pub(super) fn sum_of(lw: &mut Lw<'_>, call: &BoundCall<'_>, this: Val) -> Result<(Val, DType)> {
    let this = numeric(lw, call, this, true)?;
    let t = match &this.t {
        t if t.is_integer() => DType::Int64,
        DType::Decimal { scale, .. } => DType::Decimal {
            precision: Some(38),
            scale: *scale,
        },
        DType::Duration(_) => this.t.clone(),
        _ => DType::Float64,
    };
    let sum = lw.aggregate(plain(&this, "sum")?, t.clone(), &[&this]);
    let e = if matches!(t, DType::Decimal { .. }) {
        cast(sum.e.clone(), &t)?
    } else {
        sum.e.clone()
    };
    Ok((sum.map(e, t.clone()), t))
}

/// Distinct values, of which null is one.
fn n_unique(lw: &mut Lw<'_>, this: &Val) -> Result<Val> {
    let nulls = match &this.only {
        Some(only) => and(only.clone(), is_null(this.e.clone())),
        None => is_null(this.e.clone()),
    };
    let any_null = lw.aggregate(
        f("max", [iff(nulls, long(1), long(0))]),
        DType::Int64,
        &[this],
    );
    let values = if matches!(lw.scope, Scope::Group) {
        lw.aggregate(distinct("count", [this.masked()]), DType::Int64, &[this])
    } else {
        // Windows have no distinct aggregates.
        let set = lw.aggregate(f("collect_set", [this.masked()]), DType::Int64, &[this]);
        set.map(
            cast(f("size", [set.e.clone()]), &DType::Int64)?,
            DType::Int64,
        )
    };
    let e = f(
        "+",
        [
            values.e.clone(),
            f("coalesce", [any_null.e.clone(), long(0)]),
        ],
    );
    Ok(Val::of(e, DType::Int64, &[&values, &any_null]))
}

/// The smallest or greatest; not-a-number only where there is nothing else.
fn extreme(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str) -> Result<Val> {
    let this = argument(lw, call)?;
    if matches!(this.t, DType::List(_) | DType::Struct(_) | DType::Map(..)) {
        return Err(mismatch(call, &this.t));
    }
    let all = lw.aggregate(f(name, [this.masked()]), this.t.clone(), &[&this]);
    if !this.is_float() {
        return Ok(all);
    }
    let numbers = when([(not(f("isnan", [this.e.clone()])), this.masked())], None);
    let numbers = lw.aggregate(f(name, [numbers]), this.t.clone(), &[&this]);
    let e = f("coalesce", [numbers.e.clone(), all.e.clone()]);
    Ok(Val::of(e, this.t.clone(), &[&numbers, &all]))
}

fn less_freedom(population: &Val, count: &Val, ddof: u8) -> Val {
    let n = count.e.clone();
    let free = f("-", [n.clone(), int(ddof.into())]);
    let scaled = f(
        "/",
        [
            f("*", [population.e.clone(), f("double", [n])]),
            f("double", [free.clone()]),
        ],
    );
    let e = when([(f(">", [free, int(0)]), scaled)], None);
    Val::of(e, DType::Float64, &[population, count])
}

fn spread(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str) -> Result<Val> {
    let this = argument(lw, call)?;
    let this = numeric(lw, call, this, false)?;
    let this = lw.cast(&this, &DType::Float64, true)?;
    let ddof = call.ddof()?;
    let function = match (name, ddof) {
        ("var", 1) => "var_samp",
        ("var", _) => "var_pop",
        (_, 0) => "stddev_pop",
        (_, 1) => "stddev_samp",
        _ => "var_pop",
    };
    let value = lw.aggregate(plain(&this, function)?, DType::Float64, &[&this]);
    if ddof < 2 {
        return Ok(value);
    }
    let count = lw.aggregate(plain(&this, "count")?, DType::Int64, &[&this]);
    let variance = less_freedom(&value, &count, ddof);
    Ok(if name == "var" {
        variance
    } else {
        variance.map(f("sqrt", [variance.e.clone()]), DType::Float64)
    })
}

fn moment(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str) -> Result<Val> {
    let this = argument(lw, call)?;
    let this = numeric(lw, call, this, false)?;
    let this = lw.cast(&this, &DType::Float64, true)?;
    // Of one value, or of values that are all the same, it is not a number; of none it is null.
    let count = lw.aggregate(plain(&this, "count")?, DType::Int64, &[&this]);
    let value = lw.aggregate(plain(&this, name)?, DType::Float64, &[&this]);
    let of_none = f("nullif", [count.e, int(0)]);
    let undefined = iff(is_null(of_none), null(), double(f64::NAN));
    let e = f("coalesce", [value.e.clone(), undefined]);
    Ok(value.map(e, DType::Float64))
}

fn truth(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str, of_nothing: bool) -> Result<Val> {
    let this = argument(lw, call)?;
    if !matches!(this.t, DType::Boolean | DType::Null | DType::Unknown) && !this.t.is_numeric() {
        return Err(mismatch(call, &this.t));
    }
    let this = lw.cast(&this, &DType::Boolean, true)?;
    let value = lw.aggregate(f(name, [this.masked()]), DType::Boolean, &[&this]);
    Ok(value.map(
        f("coalesce", [value.e.clone(), boolean(of_nothing)]),
        DType::Boolean,
    ))
}

/// A quantile of sorted values.
fn quantile(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let q = call.float("quantile")?;
    if !(0.0..=1.0).contains(&q) {
        return Err(call.invalid("`quantile` lies between 0 and 1"));
    }
    let this = argument(lw, call)?;
    let this = numeric(lw, call, this, false)?;
    let this = lw.cast(&this, &DType::Float64, true)?;
    let interpolation = call.text("interpolation")?;
    if interpolation == "linear" {
        let arguments = [this.masked(), double(q)];
        let e = if this.distinct {
            distinct("percentile", arguments)
        } else {
            f("percentile", arguments)
        };
        return Ok(lw.aggregate(e, DType::Float64, &[&this]));
    }
    let list = f(
        if this.distinct {
            "collect_set"
        } else {
            "collect_list"
        },
        [this.masked()],
    );
    let list = lw.aggregate(list, DType::Float64, &[&this]);
    let sorted = || var("s");
    let at = f("*", [f("-", [f("size", [sorted()]), int(1)]), double(q)]);
    let get = |index: Ex| f("get", [sorted(), f("int", [index])]);
    let e = match interpolation {
        "nearest" => get(f("round", [at])),
        "higher" => get(f("ceil", [at])),
        "lower" => get(f("floor", [at])),
        "midpoint" => {
            let ends = f("+", [get(f("floor", [at.clone()])), get(f("ceil", [at]))]);
            f("/", [ends, double(2.0)])
        }
        _ => return Err(call.invalid("unknown `interpolation`")),
    };
    let sorted = f("array", [f("array_sort", [list.e.clone()])]);
    let e = f("get", [f("transform", [sorted, lambda(&["s"], e)]), int(0)]);
    Ok(list.map(e, DType::Float64))
}

/// The first or last value, in the order of the call or of the rows.
fn edge(lw: &mut Lw<'_>, call: &BoundCall<'_>, by: &str, ordered: &str) -> Result<Val> {
    let this = argument(lw, call)?;
    let keys = match call.arg("order_by") {
        Arg::Absent => Vec::new(),
        _ => call.exprs("order_by")?,
    };
    if keys.is_empty() {
        let order = lw.order(call)?;
        let e = f(ordered, [this.masked()]);
        return Ok(lw.framed(e, this.t.clone(), &[&this], &order, Some((None, None))));
    }
    let mut parts = vec![this.clone()];
    let mut fields = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        let key = lw.row(key)?;
        fields.push(text(&format!("k{index}")));
        fields.push(key.e.clone());
        parts.push(key);
    }
    let key = f("named_struct", fields);
    let key = match &this.only {
        Some(only) => when([(only.clone(), key)], None),
        None => key,
    };
    let value = f("named_struct", [text("v"), this.e.clone()]);
    let boxed = lw.aggregate(
        f(by, [value, key]),
        this.t.clone(),
        &parts.iter().collect::<Vec<_>>(),
    );
    Ok(boxed.map(field(boxed.e.clone(), "v"), this.t.clone()))
}

fn pair(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<(Val, Val)> {
    let a = lw.row(&*call.expr("a")?)?;
    let b = lw.row(&*call.expr("b")?)?;
    for value in [&a, &b] {
        if !value.t.is_numeric()
            && !matches!(value.t, DType::Null | DType::Unknown | DType::Boolean)
        {
            return Err(mismatch(call, &value.t));
        }
    }
    Ok((a, b))
}

fn corr(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let (a, b) = pair(lw, call)?;
    let (mut a, mut b) = (
        lw.cast(&a, &DType::Float64, true)?,
        lw.cast(&b, &DType::Float64, true)?,
    );
    match call.text("method")? {
        "pearson" => {}
        "spearman" => {
            // The correlation of the ranks, among the rows where both sides have a value.
            let both = and(not_null(a.e.clone()), not_null(b.e.clone()));
            let mut ranked = |side: &Val| {
                let present =
                    side.map(when([(both.clone(), side.e.clone())], None), DType::Float64);
                let rank = super::window::average_rank(lw, &present, false);
                lw.hoist(rank)
            };
            (a, b) = (ranked(&a), ranked(&b));
        }
        _ => {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "`corr`: `method` is `pearson` or `spearman`",
            ));
        }
    }
    // Spark's own function fails where a side has no spread.
    let both = and(not_null(a.masked()), not_null(b.masked()));
    let side = |value: &Val| when([(both.clone(), value.e.clone())], None);
    let parts = [&a, &b];
    let shared = lw.aggregate(f("covar_pop", [side(&a), side(&b)]), DType::Float64, &parts);
    let first = lw.aggregate(f("stddev_pop", [side(&a)]), DType::Float64, &parts);
    let second = lw.aggregate(f("stddev_pop", [side(&b)]), DType::Float64, &parts);
    let spread = f("*", [first.e.clone(), second.e.clone()]);
    let defined = f(">", [spread.clone(), double(0.0)]);
    let e = when(
        [
            (is_null(shared.e.clone()), shared.e.clone()),
            (defined, f("/", [shared.e.clone(), spread])),
        ],
        Some(double(f64::NAN)),
    );
    Ok(Val::of(e, DType::Float64, &[&shared, &first, &second]))
}
