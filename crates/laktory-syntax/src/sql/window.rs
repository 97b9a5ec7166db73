//! SQL window functions, as far as their frames have a counterpart: whole partitions, running totals by rows, ranks
//! and offsets. Other frames are refused rather than approximated.

use laktory_core::{
    Arg, Expr, Func, Scalar, SortKey, TimeUnit, WindowBound, WindowFrame as Window, WindowFunc,
    WindowUnit,
};
use sqlparser::ast::{
    DateTimeField, Expr as Sql, Function, FunctionArgumentClause, FunctionArguments, NullTreatment,
    OrderByExpr, OrderBySort, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowSpec,
    WindowType,
};

use super::calls::{self, Arguments};
use super::extent;
use super::lower::{Lower, Result, call};
use super::table;
use crate::FragmentError;

/// A part of a date by its name in `DATE_PART`.
pub(super) fn date_field(part: &str) -> Option<DateTimeField> {
    use DateTimeField as F;
    Some(match part.to_ascii_lowercase().as_str() {
        "year" => F::Year,
        "quarter" => F::Quarter,
        "month" => F::Month,
        "week" => F::Week(None),
        "day" => F::Day,
        "dow" | "dayofweek" => F::Dow,
        "isodow" => F::Isodow,
        "doy" | "dayofyear" => F::Doy,
        "hour" => F::Hour,
        "minute" => F::Minute,
        "second" => F::Second,
        "epoch" => F::Epoch,
        _ => return None,
    })
}

/// Which rows of the partition a function sees.
enum Frame {
    /// All.
    Whole,
    /// Those up to the current one.
    Running,
    /// The current one and some before it.
    Moving(i64),
}

/// Lowers a call with `OVER` of a statement: with an order or a frame it is a window function of SQL.
fn of_statement(
    lower: &Lower<'_>,
    function: &Function,
    name: &str,
    args: &Arguments<'_>,
    spec: &WindowSpec,
) -> Result<Option<Expr>> {
    let Some((func, of_truth)) = framed(name) else {
        return Ok(None);
    };
    let plain = func.is_framed() && spec.order_by.is_empty() && spec.window_frame.is_none();
    if plain && calls::is_aggregate_name(name) {
        return Ok(None);
    }
    if args.distinct {
        return lower.unsupported(
            "DISTINCT in an ordered window is not supported",
            &function.name,
        );
    }
    if spec.partition_by.is_empty() && spec.order_by.is_empty() && args.nodes.is_empty() {
        let index = Expr::call(Func::RowIndex, []);
        return match func {
            WindowFunc::RowNumber => {
                let number = Expr::call(Func::Add, [index, Expr::literal(1_i64)]);
                Ok(Some(number))
            }
            _ => lower.unsupported(&format!("`{name}` needs an order"), &function.name),
        };
    }
    let mut values = lower.exprs(args.nodes.iter().copied())?;
    if let Some(of_truth) = of_truth {
        values = values.into_iter().map(of_truth).collect();
    }
    let least = usize::from(
        of_truth.is_some()
            || !matches!(
                func,
                WindowFunc::RowNumber
                    | WindowFunc::Rank
                    | WindowFunc::DenseRank
                    | WindowFunc::PercentRank
                    | WindowFunc::CumeDist
                    | WindowFunc::Count
            ),
    );
    let most = match func {
        WindowFunc::Lag | WindowFunc::Lead => 3,
        WindowFunc::NthValue => 2,
        WindowFunc::Count => 1,
        _ => least,
    };
    if values.len() < least || values.len() > most {
        let message = format!("`{name}` takes another number of arguments");
        return Err(vec![lower.invalid(message, &function.name)]);
    }
    let number = |at: usize, least: i128| match (values.get(at), args.nodes.get(at)) {
        (Some(Expr::Literal(Scalar::Int(number))), _) if *number >= least => Ok(()),
        (Some(_), Some(node)) => {
            let message = format!("`{name}` takes a whole number here, of {least} or more");
            Err(vec![lower.invalid(message, *node)])
        }
        _ => Ok(()),
    };
    match func {
        WindowFunc::Ntile => number(0, 1)?,
        WindowFunc::NthValue => number(1, 1)?,
        WindowFunc::Lag | WindowFunc::Lead => number(1, i128::MIN)?,
        _ => {}
    }
    if let Some(condition) = &function.filter {
        let one = values.pop().unwrap_or(Expr::literal(1_i64));
        values.push(Expr::When {
            branches: vec![(lower.expr(condition)?, one)],
            otherwise: None,
        });
    }
    let order_by = spec
        .order_by
        .iter()
        .map(|key| statement_key(lower, key))
        .collect::<Result<Vec<_>>>()?;
    let frame = match &spec.window_frame {
        None if order_by.is_empty() => Window::WHOLE,
        None => Window::RUNNING,
        Some(frame) => statement_frame(lower, function, frame)?,
    };
    if frame.reaches_over_values() && order_by.len() != 1 {
        return Err(vec![
            lower
                .error(
                    "RANGE with a distance needs exactly one ORDER BY expression",
                    &function.name,
                )
                .hint("count rows with ROWS, or peers with GROUPS"),
        ]);
    }
    let ignore_nulls = ignores_nulls(function);
    if ignore_nulls && matches!(func, WindowFunc::Lag | WindowFunc::Lead) {
        return lower.unsupported(
            "IGNORE NULLS of LAG and LEAD is not supported",
            &function.name,
        );
    }
    Ok(Some(Expr::Window(Box::new(laktory_core::Window {
        func,
        args: values,
        partition_by: lower.exprs(&spec.partition_by)?,
        order_by,
        frame,
        ignore_nulls,
    }))))
}

/// The window function that SQL calls so, and what it is computed of where that are truth values: the least of them is true
/// where all are.
#[allow(clippy::type_complexity, reason = "a function of expressions")]
fn framed(name: &str) -> Option<(WindowFunc, Option<fn(Expr) -> Expr>)> {
    fn truth(value: Expr) -> Expr {
        Expr::call(Func::Not, [Expr::call(Func::Not, [value])])
    }
    Some(match name {
        "BOOL_AND" | "EVERY" | "LOGICAL_AND" => (WindowFunc::Min, Some(truth)),
        "BOOL_OR" | "SOME" | "LOGICAL_OR" => (WindowFunc::Max, Some(truth)),
        "COUNT_IF" | "COUNTIF" => (
            WindowFunc::Count,
            Some(|value| Expr::When {
                branches: vec![(value, Expr::literal(1_i64))],
                otherwise: None,
            }),
        ),
        name => (WindowFunc::of_name(name)?, None),
    })
}

/// A key of the order of a statement: nulls come last unless said otherwise.
fn statement_key(lower: &Lower<'_>, key: &OrderByExpr) -> Result<SortKey> {
    let nulls_last = !key.options.nulls_first.unwrap_or(false);
    Ok(SortKey {
        nulls_last,
        ..sort_key(lower, key)?
    })
}

fn ignores_nulls(function: &Function) -> bool {
    let clause = match &function.args {
        FunctionArguments::List(list) => list.clauses.iter().any(|clause| {
            matches!(
                clause,
                FunctionArgumentClause::IgnoreOrRespectNulls(NullTreatment::IgnoreNulls)
            )
        }),
        _ => false,
    };
    clause || function.null_treatment == Some(NullTreatment::IgnoreNulls)
}

/// Unit and ends of a frame.
fn statement_frame(lower: &Lower<'_>, function: &Function, frame: &WindowFrame) -> Result<Window> {
    let mut unit = match frame.units {
        WindowFrameUnits::Rows => WindowUnit::Rows,
        // Unless a distance is written.
        WindowFrameUnits::Groups | WindowFrameUnits::Range => WindowUnit::Groups,
    };
    let mut distance = |by: &Sql| -> Result<i64> {
        if !matches!(frame.units, WindowFrameUnits::Range) {
            return lower.integer(by);
        }
        let (measured, by) = match lower.expr(by)? {
            Expr::Literal(Scalar::Duration {
                value,
                unit: TimeUnit::Microsecond,
            }) => (WindowUnit::Interval, Some(value)),
            Expr::Literal(Scalar::Int(value)) => (WindowUnit::Range, i64::try_from(value).ok()),
            _ => (WindowUnit::Range, None),
        };
        let Some(by) = by else {
            return Err(vec![
                lower
                    .error("RANGE takes a whole number or an interval", &function.name)
                    .hint("such as `RANGE BETWEEN INTERVAL '7 days' PRECEDING AND CURRENT ROW`"),
            ]);
        };
        let unlike = |known| !matches!(known, WindowUnit::Groups) && known != measured;
        if unlike(unit) {
            return lower.unsupported("both ends of a frame are measured alike", &function.name);
        }
        unit = measured;
        Ok(by)
    };
    let mut bound = |bound: &WindowFrameBound, first: bool| match bound {
        WindowFrameBound::CurrentRow => Ok(WindowBound::Offset(0)),
        WindowFrameBound::Preceding(None) if first => Ok(WindowBound::Unbounded),
        WindowFrameBound::Following(None) if !first => Ok(WindowBound::Unbounded),
        WindowFrameBound::Preceding(Some(by)) => {
            let by = distance(by)?;
            Ok(WindowBound::Offset(by.saturating_neg()))
        }
        WindowFrameBound::Following(Some(by)) => distance(by).map(WindowBound::Offset),
        _ => lower.unsupported(
            "a frame begins with UNBOUNDED PRECEDING and ends with UNBOUNDED FOLLOWING",
            &function.name,
        ),
    };
    let start = bound(&frame.start_bound, true)?;
    let end = match &frame.end_bound {
        Some(end) => bound(end, false)?,
        None => WindowBound::Offset(0),
    };
    if let (WindowBound::Offset(start), WindowBound::Offset(end)) = (&start, &end)
        && start > end
    {
        let range = extent::of_frame(&lower.source, function);
        let message = "the frame of the window ends before it begins";
        return Err(vec![
            FragmentError::new("sql-unsupported", message, range)
                .hint("the earlier row comes first: `ROWS BETWEEN 1 PRECEDING AND CURRENT ROW`"),
        ]);
    }
    Ok(Window { unit, start, end })
}

/// Lowers a call with `OVER`.
pub(super) fn function(
    lower: &Lower<'_>,
    function: &Function,
    name: &str,
    args: &Arguments<'_>,
    over: &WindowType,
) -> Result<Expr> {
    let WindowType::WindowSpec(spec) = over else {
        return lower.unsupported("named windows are not supported", &function.name);
    };
    if spec.window_name.is_some() {
        return lower.unsupported("this form of a window is not supported", &function.name);
    }
    if lower.statement
        && let Some(expr) = of_statement(lower, function, name, args, spec)?
    {
        return Ok(expr);
    }
    let partition_by = lower.exprs(&spec.partition_by)?;
    let order_by = spec
        .order_by
        .iter()
        .map(|key| sort_key(lower, key))
        .collect::<Result<Vec<_>>>()?;
    let wrap = |expr: Expr, order_by: Vec<SortKey>| {
        if partition_by.is_empty() && order_by.is_empty() {
            // A window over all rows is the aggregate, broadcast.
            return expr;
        }
        Expr::Over {
            expr: Box::new(expr),
            partition_by: partition_by.clone(),
            order_by,
        }
    };
    if table::is_windowed(name) {
        if function.filter.is_some() {
            return lower.unsupported("FILTER belongs to an aggregate", &function.name);
        }
        if order_by.is_empty() {
            return Err(vec![
                lower
                    .error(&format!("`{name}` needs an order"), &function.name)
                    .hint(format!("write `{name}(...) OVER (ORDER BY ...)`")),
            ]);
        }
        return ranked(lower, function, name, args, spec, order_by, &wrap);
    }
    let mut aggregate = calls::plain(lower, function, name, args)?;
    if !calls::is_aggregate(&aggregate) {
        return lower.unsupported(&format!("`{name}` has no window form"), &function.name);
    }
    if let Some(condition) = &function.filter {
        let condition = lower.expr(condition)?;
        aggregate = calls::filtered(aggregate, &condition)
            .ok_or_else(|| vec![lower.error("FILTER belongs to an aggregate", &function.name)])?;
    }
    match frame(lower, function, spec)? {
        Frame::Whole => Ok(wrap(aggregate, Vec::new())),
        Frame::Running => match running(&aggregate) {
            Some(expr) => Ok(wrap(expr, order_by)),
            None => lower.unsupported(&format!("`{name}` has no running form"), &function.name),
        },
        Frame::Moving(size) => match moving(&aggregate, size) {
            Some(expr) => Ok(wrap(expr, order_by)),
            None => lower.unsupported(&format!("`{name}` has no moving form"), &function.name),
        },
    }
}

fn sort_key(lower: &Lower<'_>, key: &OrderByExpr) -> Result<SortKey> {
    let descending = match &key.options.sort {
        None | Some(OrderBySort::Asc) => false,
        Some(OrderBySort::Desc) => true,
        Some(_) => return lower.unsupported("ORDER BY ... USING is not supported", &key.expr),
    };
    // SQL puts nulls last in ascending order and first in descending order unless told otherwise.
    let nulls_last = match key.options.nulls_first {
        Some(first) => !first,
        None => !descending,
    };
    Ok(SortKey {
        expr: lower.expr(&key.expr)?,
        descending,
        nulls_last,
    })
}

fn frame(lower: &Lower<'_>, function: &Function, spec: &WindowSpec) -> Result<Frame> {
    let Some(frame) = &spec.window_frame else {
        if spec.order_by.is_empty() {
            return Ok(Frame::Whole);
        }
        return Err(vec![
            lower
                .error(
                    "a running window by values (RANGE) is not supported",
                    &function.name,
                )
                .hint(
                    "add `ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW`, or leave ORDER BY out",
                ),
        ]);
    };
    let WindowFrame {
        units,
        start_bound,
        end_bound,
    } = frame;
    let current = matches!(end_bound, None | Some(WindowFrameBound::CurrentRow));
    match (units, start_bound) {
        (_, WindowFrameBound::Preceding(None))
            if matches!(end_bound, Some(WindowFrameBound::Following(None))) =>
        {
            Ok(Frame::Whole)
        }
        (WindowFrameUnits::Rows, WindowFrameBound::Preceding(None)) if current => {
            Ok(Frame::Running)
        }
        (WindowFrameUnits::Rows, WindowFrameBound::Preceding(Some(size))) if current => {
            let size = match lower.expr(size)? {
                Expr::Literal(Scalar::Int(size)) => i64::try_from(size).ok(),
                _ => None,
            };
            match size.filter(|size| (0..1_000_000).contains(size)) {
                Some(size) => Ok(Frame::Moving(size + 1)),
                None => lower.unsupported("this window frame is not supported", &function.name),
            }
        }
        _ => lower.unsupported("this window frame is not supported", &function.name),
    }
}

fn receiver(aggregate: &Expr) -> Option<(Func, Expr)> {
    match aggregate {
        Expr::Call { func, args } => match args.as_slice() {
            [Arg::Expr(receiver), ..] => Some((*func, receiver.clone())),
            _ => None,
        },
        _ => None,
    }
}

/// The running form of an aggregate, by rows.
pub(crate) fn running(aggregate: &Expr) -> Option<Expr> {
    let (func, receiver) = match receiver(aggregate) {
        Some(known) => known,
        None if *aggregate == Expr::call(Func::Len, []) => {
            let index = Expr::call(Func::RowIndex, []);
            return Some(Expr::call(Func::Add, [index, Expr::literal(1_i64)]));
        }
        None => return None,
    };
    let func = match func {
        Func::SqlSum => Func::CumSum,
        Func::Min => Func::CumMin,
        // A running value passes NaN over, which `MAX` of a statement takes for the greatest.
        Func::Max | Func::SqlMax => Func::CumMax,
        Func::Count => Func::CumCount,
        Func::First => {
            return Some(aggregate.clone());
        }
        _ => return None,
    };
    let running = call(func, vec![Arg::Expr(receiver), Arg::Bool(false)]);
    if func == Func::CumCount {
        return Some(running);
    }
    // In SQL a row with null shows the total so far; a running sum of the common API shows null there.
    let forward = Arg::Str("forward".into());
    Some(call(
        Func::FillNull,
        vec![Arg::Expr(running), Arg::Absent, forward, Arg::Absent],
    ))
}

/// The form of an aggregate over the current row and those before it, `size` rows in all.
pub(crate) fn moving(aggregate: &Expr, size: i64) -> Option<Expr> {
    let (func, receiver) = receiver(aggregate)?;
    let func = match func {
        Func::SqlSum => Func::RollingSum,
        Func::Mean => Func::RollingMean,
        _ => return None,
    };
    Some(call(
        func,
        vec![
            Arg::Expr(receiver),
            Arg::Int(size),
            Arg::Int(1),
            Arg::Bool(false),
        ],
    ))
}

fn ranked(
    lower: &Lower<'_>,
    function: &Function,
    name: &str,
    args: &Arguments<'_>,
    spec: &WindowSpec,
    order_by: Vec<SortKey>,
    wrap: &dyn Fn(Expr, Vec<SortKey>) -> Expr,
) -> Result<Expr> {
    let nodes: &[&Sql] = &args.nodes;
    let wrong = || {
        lower.invalid(
            format!("`{name}` takes another number of arguments"),
            &function.name,
        )
    };
    match (name, nodes) {
        ("ROW_NUMBER", []) => {
            let index = wrap(Expr::call(Func::RowIndex, []), order_by);
            Ok(Expr::call(Func::Add, [index, Expr::literal(1_i64)]))
        }
        ("RANK" | "DENSE_RANK", []) => {
            let [key] = order_by.as_slice() else {
                return lower.unsupported(&format!("`{name}` takes one order key"), &function.name);
            };
            let method = if name == "RANK" { "min" } else { "dense" };
            let rank = call(
                Func::Rank,
                vec![
                    Arg::Expr(key.expr.clone()),
                    Arg::Str(method.into()),
                    Arg::Bool(key.descending),
                ],
            );
            Ok(wrap(rank, Vec::new()))
        }
        ("LAG" | "LEAD", [value] | [value, _]) => {
            let n = match nodes.get(1) {
                Some(node) => lower.integer(node)?,
                None => 1,
            };
            let n = if name == "LAG" { n } else { n.saturating_neg() };
            let shift = call(
                Func::Shift,
                vec![Arg::Expr(lower.expr(value)?), Arg::Int(n)],
            );
            Ok(wrap(shift, order_by))
        }
        ("FIRST_VALUE", [value]) => {
            let first = call(
                Func::First,
                vec![Arg::Expr(lower.expr(value)?), Arg::Absent],
            );
            Ok(wrap(first, order_by))
        }
        ("LAST_VALUE", [value]) => match frame(lower, function, spec)? {
            Frame::Whole => {
                let last = call(Func::Last, vec![Arg::Expr(lower.expr(value)?), Arg::Absent]);
                Ok(wrap(last, order_by))
            }
            Frame::Running | Frame::Moving(_) => lower.expr(value),
        },
        ("LAG" | "LEAD", [_, _, _]) => {
            Err(vec![wrong().hint(format!(
                "write `COALESCE({name}(x, 1) OVER (...), y)`"
            ))])
        }
        _ => Err(vec![wrong()]),
    }
}
