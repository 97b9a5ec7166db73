//! Nulls and NaN, bounds, membership and replacement.

use laktory_core::{Arg, BoundCall, DType, Error, ErrorKind, Func, Result, Scalar};

use super::numeric::{comparable, is_nan, null_bool, refused};
use super::{FULL, Row, mismatch, this_of};
use crate::client::MARK;
use crate::dsl::{Ex, and, boolean, double, f, iff, is_null, not, not_null, null, or, text, when};
use crate::expr::{Lw, Val, common, constant};

pub(super) const ROWS: &[Row] = &[
    (Func::Clip, FULL, clip),
    (Func::FillNull, FULL, fill_null),
    (Func::FillNan, FULL, |lw, call| {
        let this = this_of(lw, call, DType::is_numeric)?;
        let value = lw.lower(&*call.expr("value")?)?;
        if !this.is_float() {
            // There is nothing to replace, but numbers of both become what holds them.
            return match common(&this.t, &value.t) {
                Some(both) if both.is_numeric() && both != this.t => lw.cast(&this, &both, true),
                _ => Ok(this),
            };
        }
        let this = lw.share(this);
        let value = lw.cast(&value, &this.t.clone(), true)?;
        let e = iff(is_nan(this.e.clone()), value.e.clone(), this.e.clone());
        Ok(Val::of(e, this.t.clone(), &[&this, &value]))
    }),
    (Func::IsNull, FULL, |lw, call| {
        let this = lw.lower(&*call.this()?)?;
        Ok(this.map(is_null(this.e.clone()), DType::Boolean))
    }),
    (Func::IsNan, FULL, |lw, call| {
        let this = this_of(lw, call, DType::is_numeric)?;
        if !this.is_float() {
            return Ok(this.map(
                iff(not_null(this.e.clone()), boolean(false), null_bool()),
                DType::Boolean,
            ));
        }
        let e = iff(
            not_null(this.e.clone()),
            f("isnan", [this.e.clone()]),
            null_bool(),
        );
        Ok(this.map(e, DType::Boolean))
    }),
    (Func::IsFinite, FULL, |lw, call| {
        let this = this_of(lw, call, DType::is_numeric)?;
        let e = if this.is_float() {
            and(
                not(f("isnan", [this.e.clone()])),
                f("<", [f("abs", [this.e.clone()]), double(f64::INFINITY)]),
            )
        } else {
            boolean(true)
        };
        Ok(this.map(
            iff(not_null(this.e.clone()), e, null_bool()),
            DType::Boolean,
        ))
    }),
    (Func::IsIn, FULL, is_in),
    (Func::IsBetween, FULL, is_between),
    (Func::IsClose, FULL, is_close),
    (Func::ReplaceStrict, FULL, replace_strict),
    (Func::Coalesce, FULL, |lw, call| {
        let exprs = call.some_exprs("exprs")?;
        let mut values = lw.lower_all(exprs.iter().map(|expr| &**expr))?;
        let t = lw.unify(&mut values)?;
        let e = f(
            "coalesce",
            values
                .iter()
                .map(|value| value.e.clone())
                .collect::<Vec<_>>(),
        );
        Ok(Val::of(e, t, &values.iter().collect::<Vec<_>>()))
    }),
];

fn clip(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = this_of(lw, call, |t| {
        !matches!(t, DType::List(_) | DType::Struct(_) | DType::Map(..))
    })?;
    let this = lw.share(this);
    // What is below the lower bound becomes it, also where the bounds cross; a bound that is null or no number is none.
    let mut branches = Vec::new();
    let mut parts = vec![this.clone()];
    for (name, beyond) in [("lower_bound", "<"), ("upper_bound", ">")] {
        if let Some(bound) = call.opt_expr(name)? {
            let bound = lw.lower(&bound)?;
            if (bound.t == DType::String) != (this.t == DType::String) && bound.t != DType::Null {
                return Err(mismatch(call, &bound.t));
            }
            let bound = if matches!(bound.t, DType::Null) {
                bound
            } else {
                lw.cast(&bound, &this.t.clone(), true)?
            };
            let bound = lw.share(bound);
            let is_beyond = f(beyond, [this.e.clone(), bound.e.clone()]);
            let is_beyond = if this.is_float() {
                // For Spark not-a-number is greater than everything.
                let number = not(or(is_nan(this.e.clone()), is_nan(bound.e.clone())));
                and(is_beyond, number)
            } else {
                is_beyond
            };
            branches.push((is_beyond, bound.e.clone()));
            parts.push(bound);
        }
    }
    let e = match branches.is_empty() {
        true => this.e.clone(),
        false => when(branches, Some(this.e.clone())),
    };
    Ok(Val::of(
        e,
        this.t.clone(),
        &parts.iter().collect::<Vec<_>>(),
    ))
}

fn fill_null(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = lw.lower(&*call.this()?)?;
    let limit = call.opt_count("limit")?;
    match (call.opt_expr("value")?, call.opt_text("strategy")?) {
        (Some(_), Some(_)) => Err(call.invalid("give either `value` or `strategy`")),
        (None, None) => Err(call.invalid("`value` or `strategy` is needed")),
        (Some(_), None) if limit.is_some() => Err(call.invalid("`limit` needs a `strategy`")),
        (Some(value), None) => {
            let value = lw.lower(&value)?;
            let mut values = [this.clone(), value];
            // An integer column stays one where the value is a whole number.
            if (values[0].t == DType::String) != (values[1].t == DType::String)
                && values.iter().all(|value| value.t != DType::Null)
            {
                return Err(mismatch(call, &values[1].t));
            }
            let t = lw.unify(&mut values)?;
            let e = f("coalesce", [values[0].e.clone(), values[1].e.clone()]);
            Ok(Val::of(e, t, &[&values[0], &values[1]]))
        }
        (None, Some(strategy)) => {
            let order = lw.order(call)?;
            let this = lw.flat(this)?;
            let reach = limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
            let (name, rows) = match strategy {
                "forward" => ("last", (reach.map(|reach| -reach), Some(0))),
                "backward" => ("first", (Some(0), reach)),
                _ => return Err(call.invalid("`strategy` is `forward` or `backward`")),
            };
            let e = f(name, [this.e.clone(), boolean(true)]);
            Ok(lw.within(e, this.t.clone(), &[&this], &[], &order, Some(rows)))
        }
    }
}

/// Refuses integers that are looked up among floats, which is rarely meant; and texts among numbers.
fn same_family(call: &BoundCall<'_>, column: &DType, values: &DType) -> Result<()> {
    let fits = match (column, values) {
        (DType::Null | DType::Unknown, _) | (_, DType::Null | DType::Unknown) => true,
        (column, values) if column.is_integer() && values.is_float() => false,
        (column, values) if column.is_numeric() => values.is_numeric(),
        (DType::Datetime { .. } | DType::Date, DType::Datetime { .. } | DType::Date) => true,
        (column, values) => std::mem::discriminant(column) == std::mem::discriminant(values),
    };
    if fits {
        Ok(())
    } else {
        Err(refused(call, column, values))
    }
}

fn is_in(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = lw.lower(&*call.this()?)?;
    let this = lw.share(this);
    let null_in = |found: Ex| iff(is_null(this.e.clone()), null_bool(), found);
    let values: Vec<Scalar> = match call.arg("other") {
        Arg::Values(values) => values.clone(),
        _ => {
            let list = lw.lower(&*call.expr("other")?)?;
            let DType::List(item) = &list.t else {
                // A column as collection: whether the value occurs anywhere in it.
                return Err(mismatch(call, &list.t));
            };
            same_family(call, &this.t, item)?;
            let found = f(
                "coalesce",
                [
                    f("array_contains", [list.e.clone(), this.e.clone()]),
                    boolean(false),
                ],
            );
            let e = null_in(iff(is_null(list.e.clone()), null_bool(), found));
            return Ok(Val::of(e, DType::Boolean, &[&this, &list]));
        }
    };
    let mut arguments = vec![this.e.clone()];
    for value in values.iter().filter(|value| **value != Scalar::Null) {
        let value = constant(value)?;
        same_family(call, &this.t, &value.t)?;
        arguments.push(value.e);
    }
    let found = if arguments.len() == 1 {
        boolean(false)
    } else {
        f("in", arguments)
    };
    Ok(this.map(null_in(found), DType::Boolean))
}

fn is_between(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = lw.lower(&*call.this()?)?;
    let this = lw.share(this);
    let (lower, upper) = match call.text("closed")? {
        "both" => (">=", "<="),
        "left" => (">=", "<"),
        "right" => (">", "<="),
        "none" => (">", "<"),
        _ => return Err(call.invalid("`closed` is `both`, `left`, `right` or `none`")),
    };
    let low = lw.lower(&*call.expr("lower_bound")?)?;
    let high = lw.lower(&*call.expr("upper_bound")?)?;
    let (a, low) = comparable(lw, call, &this, &low)?;
    let (b, high) = comparable(lw, call, &this, &high)?;
    let e = and(
        f(lower, [a.e.clone(), low.e.clone()]),
        f(upper, [b.e.clone(), high.e.clone()]),
    );
    Ok(Val::of(e, DType::Boolean, &[&a, &b, &low, &high]))
}

fn is_close(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let (absolute, relative) = (call.float("abs_tol")?, call.float("rel_tol")?);
    if absolute < 0.0 {
        return Err(call.invalid("`abs_tol` cannot be negative"));
    }
    if !(0.0..1.0).contains(&relative) {
        return Err(call.invalid("`rel_tol` must be at least 0 and less than 1"));
    }
    let a = this_of(lw, call, DType::is_numeric)?;
    let b = lw.lower(&*call.expr("other")?)?;
    let (a, b) = (
        lw.cast(&a, &DType::Float64, true)?,
        lw.cast(&b, &DType::Float64, true)?,
    );
    let (a, b) = (lw.share(a), lw.share(b));
    let (x, y) = (a.e.clone(), b.e.clone());
    let abs = |e: Ex| f("abs", [e]);
    let infinite = |e: Ex| f("==", [abs(e), double(f64::INFINITY)]);
    let greatest = f("greatest", [abs(x.clone()), abs(y.clone())]);
    let tolerance = f(
        "greatest",
        [f("*", [double(relative), greatest]), double(absolute)],
    );
    let near = f("<=", [abs(f("-", [x.clone(), y.clone()])), tolerance]);
    let e = when(
        [
            (or(is_null(x.clone()), is_null(y.clone())), null_bool()),
            (
                and(is_nan(x.clone()), is_nan(y.clone())),
                boolean(call.flag("nans_equal")?),
            ),
            (or(is_nan(x.clone()), is_nan(y.clone())), boolean(false)),
            (
                or(infinite(x.clone()), infinite(y.clone())),
                f("==", [x.clone(), y.clone()]),
            ),
        ],
        Some(near),
    );
    Ok(Val::of(e, DType::Boolean, &[&a, &b]))
}

/// Fails on the server with an error of the contract.
pub(crate) fn raise(kind: ErrorKind, message: &str) -> Ex {
    f(
        "raise_error",
        [text(&format!("{MARK}{}:{message}", kind.name()))],
    )
}

fn replace_strict(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let Arg::Mapping(pairs) = call.arg("mapping") else {
        return Err(Error::internal(
            "`replace_strict` was bound without mapping",
        ));
    };
    let this = lw.lower(&*call.this()?)?;
    let this = lw.share(this);
    let mut values = Vec::new();
    for (_, new) in pairs {
        values.push(constant(new)?);
    }
    let default = call.opt_expr("default")?;
    if let Some(default) = &default {
        values.push(lw.lower(default)?);
    }
    let mut t = lw.unify(&mut values)?;
    if let Some(wanted) = call.opt_dtype("return_dtype")? {
        t = wanted.clone();
        for value in &mut values {
            *value = lw.cast(value, &t, true)?;
        }
    }
    let mut branches = Vec::new();
    for ((old, _), value) in pairs.iter().zip(&values) {
        let old = constant(old)?;
        if old.t == DType::Null {
            branches.push((is_null(this.e.clone()), value.e.clone()));
            continue;
        }
        same_family(call, &this.t, &old.t)?;
        branches.push((f("==", [this.e.clone(), old.e]), value.e.clone()));
    }
    let otherwise = match &default {
        Some(_) => values[values.len() - 1].e.clone(),
        None => {
            branches.push((is_null(this.e.clone()), null()));
            raise(
                ErrorKind::ConversionFailed,
                "incomplete mapping: `replace_strict` met a value that it does not replace",
            )
        }
    };
    let mut parts: Vec<&Val> = values.iter().collect();
    parts.push(&this);
    Ok(Val::of(when(branches, Some(otherwise)), t, &parts))
}
