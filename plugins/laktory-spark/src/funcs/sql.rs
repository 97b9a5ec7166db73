//! Functions with the meaning of SQL where that differs from the expression language.

use laktory_core::{BoundCall, DType, ErrorKind, Func, Result};

use super::numeric::{comparable, decimal, rounded};
use super::{FULL, Row, aggregate, mismatch, raise, text::narrow, time};
use crate::dsl::{Ex, boolean, cast, distinct, double, f, iff, int, not, null_of, text};
use crate::expr::{Lw, Scope, Val, common};

pub(super) const ROWS: &[Row] = &[
    (Func::SqlMod, FULL, |lw, call| {
        let a = lw.lower(&*call.this()?)?;
        let b = lw.lower(&*call.expr("other")?)?;
        let t = common(&a.t, &b.t)
            .filter(DType::is_numeric)
            .ok_or_else(|| mismatch(call, &b.t))?;
        let t = decimal(&t);
        let (a, b) = (lw.share(a), lw.share(b));
        let divisor = f("nullif", [b.e.clone(), int(0)]);
        let rest = f("%", [a.e.clone(), divisor]);
        let rest = if t.is_float() {
            let by_zero = f("==", [b.e.clone(), int(0)]);
            let undefined = f("*", [a.e.clone(), double(f64::NAN)]);
            iff(by_zero, undefined, rest)
        } else {
            rest
        };
        Ok(Val::of(cast(rest, &t)?, t, &[&a, &b]))
    }),
    (Func::SqlIsTrue, FULL, |lw, call| {
        let this = truth(lw, call)?;
        Ok(this.map(
            f("coalesce", [this.e.clone(), boolean(false)]),
            DType::Boolean,
        ))
    }),
    (Func::SqlIsFalse, FULL, |lw, call| {
        let this = truth(lw, call)?;
        Ok(this.map(
            f("coalesce", [not(this.e.clone()), boolean(false)]),
            DType::Boolean,
        ))
    }),
    (Func::SqlEqNullSafe, FULL, |lw, call| {
        let a = lw.lower(&*call.this()?)?;
        let b = lw.lower(&*call.expr("other")?)?;
        let (a, b) = comparable(lw, call, &a, &b)?;
        Ok(Val::of(
            f("<=>", [a.e.clone(), b.e.clone()]),
            DType::Boolean,
            &[&a, &b],
        ))
    }),
    (Func::SqlConcat, FULL, |lw, call| {
        let mut parts = vec![text("")];
        let mut values = Vec::new();
        for expr in call.some_exprs("exprs")? {
            let value = lw.lower(&expr)?;
            let value = lw.cast(&value, &DType::String, true)?;
            parts.push(value.e.clone());
            values.push(value);
        }
        Ok(Val::of(
            f("concat_ws", parts),
            DType::String,
            &values.iter().collect::<Vec<_>>(),
        ))
    }),
    (Func::SqlLike, FULL, like),
    (Func::SqlSingle, FULL, |lw, call| {
        let x = x(lw, call)?;
        let count = lw.lower(&*call.expr("count")?)?;
        let several = raise(
            ErrorKind::InvalidArgument,
            "a sub-query gives several rows where one value is wanted",
        );
        let e = iff(f(">", [count.e.clone(), int(1)]), several, x.e.clone());
        Ok(Val::of(e, x.t.clone(), &[&x, &count]))
    }),
    (Func::SqlRoundHalfUp, FULL, |lw, call| {
        let x = x(lw, call)?;
        if !x.t.is_numeric() {
            return Err(mismatch(call, &x.t));
        }
        let decimals = i32::try_from(call.int("decimals")?).unwrap_or(i32::MAX);
        let t = x.t.clone();
        Ok(x.map(cast(f("round", [x.e.clone(), int(decimals)]), &t)?, t))
    }),
    (Func::SqlRound, FULL, |lw, call| {
        let x = x(lw, call)?;
        if !x.t.is_numeric() {
            return Err(mismatch(call, &x.t));
        }
        let decimals = call.int("decimals")?;
        rounded(lw, x, decimals)
    }),
    (Func::SqlPosition, FULL, |lw, call| {
        let x = x(lw, call)?;
        let part = lw.lower(&*call.expr("text")?)?;
        let e = f("locate", [part.e.clone(), x.e.clone()]);
        Ok(Val::of(e, DType::Int32, &[&x, &part]))
    }),
    (Func::SqlSign, FULL, |lw, call| {
        let x = x(lw, call)?;
        let t = x.t.clone();
        Ok(x.map(cast(f("sign", [x.e.clone()]), &t)?, t))
    }),
    (Func::SqlNullIf, FULL, |lw, call| {
        let x = x(lw, call)?;
        let y = lw.lower(&*call.expr("y")?)?;
        let (a, b) = comparable(lw, call, &x, &y)?;
        let equal = f(
            "coalesce",
            [f("==", [a.e.clone(), b.e.clone()]), boolean(false)],
        );
        let e = iff(equal, null_of(&x.t)?, x.e.clone());
        Ok(Val::of(e, x.t.clone(), &[&x, &a, &b]))
    }),
    (Func::SqlSum, FULL, |lw, call| {
        let x = lw.row(&*call.expr("x")?)?;
        let (sum, _) = aggregate::sum_of(lw, call, x)?;
        Ok(sum)
    }),
    (Func::SqlMax, FULL, |lw, call| {
        let x = lw.row(&*call.expr("x")?)?;
        Ok(lw.aggregate(f("max", [x.masked()]), x.t.clone(), &[&x]))
    }),
    (Func::SqlCountDistinct, FULL, |lw, call| {
        let x = lw.row(&*call.expr("x")?)?;
        if matches!(lw.scope, Scope::Group) {
            return Ok(lw.aggregate(distinct("count", [x.masked()]), DType::Int64, &[&x]));
        }
        let set = lw.aggregate(f("collect_set", [x.masked()]), DType::Int64, &[&x]);
        Ok(set.map(
            cast(f("size", [set.e.clone()]), &DType::Int64)?,
            DType::Int64,
        ))
    }),
    (Func::SqlTan, FULL, |lw, call| number(lw, call, "tan")),
    (Func::SqlCbrt, FULL, |lw, call| number(lw, call, "cbrt")),
    (Func::SqlRegexpExtract, FULL, |lw, call| {
        let x = x(lw, call)?;
        let group = i32::try_from(call.count("group")?).unwrap_or(i32::MAX);
        let pattern = || text(call.text("pattern").unwrap_or_default());
        let found = f("regexp_extract", [x.e.clone(), pattern(), int(group)]);
        // Spark gives an empty text where nothing matches.
        let e = iff(
            f("rlike", [x.e.clone(), pattern()]),
            found,
            null_of(&DType::String)?,
        );
        Ok(x.map(e, DType::String))
    }),
    (Func::SqlSubstring, FULL, |lw, call| {
        let x = x(lw, call)?;
        let (start, length) = (call.int("start")?, call.opt_int("length")?);
        if length.is_some_and(|length| length < 0) {
            return Err(call.invalid("the length cannot be negative"));
        }
        // What lies before the text counts but does not appear.
        let first = start.max(1);
        let mut arguments = vec![x.e.clone(), int(narrow(first))];
        if let Some(length) = length {
            arguments.push(int(narrow((start.saturating_add(length) - first).max(0))));
        }
        Ok(x.map(f("substring", arguments), DType::String))
    }),
    (Func::SqlReverse, FULL, |lw, call| {
        let x = x(lw, call)?;
        Ok(x.map(f("reverse", [x.e.clone()]), DType::String))
    }),
    (Func::SqlQuarter, FULL, |lw, call| {
        calendar(lw, call, "quarter", 0)
    }),
    (Func::SqlWeek, FULL, |lw, call| {
        calendar(lw, call, "weekofyear", 0)
    }),
    (Func::SqlDayOfWeek, FULL, |lw, call| {
        calendar(lw, call, "dayofweek", 1)
    }),
];

fn x(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    lw.lower(&*call.expr("x")?)
}

fn truth(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = lw.lower(&*call.this()?)?;
    if matches!(this.t, DType::Boolean | DType::Null | DType::Unknown) {
        lw.cast(&this, &DType::Boolean, true)
    } else {
        Err(mismatch(call, &this.t))
    }
}

fn number(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str) -> Result<Val> {
    let x = x(lw, call)?;
    let x = lw.cast(&x, &DType::Float64, true)?;
    let e = if name == "cbrt" {
        // The reference takes a power, which is no number for negative values.
        f("power", [x.e.clone(), double(1.0 / 3.0)])
    } else {
        f(name, [x.e.clone()])
    };
    Ok(x.map(e, DType::Float64))
}

fn calendar(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str, less: i32) -> Result<Val> {
    let x = x(lw, call)?;
    let local: Ex = match time::zone_of(&x.t) {
        Some(zone) => time::local(x.e.clone(), zone)?,
        None => x.e.clone(),
    };
    let part = f(name, [local]);
    let e = if less == 0 {
        part
    } else {
        f("-", [part, int(less)])
    };
    Ok(x.map(e, DType::Int32))
}

fn like(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = lw.lower(&*call.this()?)?;
    if !matches!(this.t, DType::String | DType::Null | DType::Unknown) {
        return Err(mismatch(call, &this.t));
    }
    let escape = call
        .opt_text("escape")?
        .and_then(|escape| escape.chars().next());
    let mut pattern = String::from(if call.flag("case_insensitive")? {
        "(?si)\\A"
    } else {
        "(?s)\\A"
    });
    let mut characters = call.text("pattern")?.chars();
    let quote =
        |out: &mut String, c: char| out.push_str(&super::text::literal_pattern(&c.to_string()));
    while let Some(character) = characters.next() {
        match character {
            c if Some(c) == escape => {
                if let Some(c) = characters.next() {
                    quote(&mut pattern, c);
                }
            }
            '%' => pattern.push_str(".*"),
            '_' => pattern.push('.'),
            c => quote(&mut pattern, c),
        }
    }
    pattern.push_str("\\z");
    Ok(this.map(f("rlike", [this.e.clone(), text(&pattern)]), DType::Boolean))
}
