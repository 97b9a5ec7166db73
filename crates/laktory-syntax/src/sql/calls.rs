//! SQL functions by name. Arguments are lowered first; the table then says what the function is called here.

use laktory_core::{Arg, DType, Expr, Func, FuncKind, Scalar, walk};
use sqlparser::ast::{
    self, DuplicateTreatment, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments,
};

use super::lower::{Lower, Result, call};
use super::table::{self, Fixed, Target};
use super::{aggregates, choices, dates, hints, lists, texts, window};
use crate::diagnostic::FragmentError;
use crate::suggest::nearest;
use crate::user;

/// The names of the SQL functions, for hints and reference pages.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    table::names()
}

/// The arguments of a call.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    pub(super) nodes: Vec<&'a ast::Expr>,
    /// `COUNT(*)`.
    star: bool,
    pub(super) distinct: bool,
}

pub(super) fn arguments<'a>(lower: &Lower<'_>, function: &'a Function) -> Result<Arguments<'a>> {
    let list = match &function.args {
        FunctionArguments::None => {
            return Ok(Arguments {
                nodes: Vec::new(),
                star: false,
                distinct: false,
            });
        }
        FunctionArguments::Subquery(_) => {
            return lower.unsupported("a sub-query cannot stand in an expression", &function.name);
        }
        FunctionArguments::List(list) => list,
    };
    let nulls = |clause: &FunctionArgumentClause| {
        matches!(clause, FunctionArgumentClause::IgnoreOrRespectNulls(_))
    };
    let windowed = lower.statement && function.over.is_some();
    if !(windowed && list.clauses.iter().all(nulls) || list.clauses.is_empty()) {
        return lower.unsupported("clauses inside of a call are not supported", &function.name);
    }
    let mut nodes = Vec::new();
    let mut star = false;
    for arg in &list.args {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => nodes.push(expr),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if !star => star = true,
            _ => return lower.unsupported("named arguments are not supported", &function.name),
        }
    }
    Ok(Arguments {
        nodes,
        star,
        distinct: list.duplicate_treatment == Some(DuplicateTreatment::Distinct),
    })
}

/// Lowers a call. Counts, ranks and row numbers are 64-bit integers, as everywhere in SQL.
pub(super) fn function(lower: &Lower<'_>, function: &Function) -> Result<Expr> {
    let name = function.name.to_string().to_ascii_uppercase();
    let expr = called(lower, function, &name)?;
    Ok(match name.as_str() {
        "COUNT"
        | "COUNT_IF"
        | "COUNTIF"
        | "APPROX_COUNT_DISTINCT"
        | "ROW_NUMBER"
        | "RANK"
        | "DENSE_RANK" => Expr::Cast {
            expr: Box::new(expr),
            to: DType::Int64,
            strict: true,
        },
        _ => expr,
    })
}

fn called(lower: &Lower<'_>, function: &Function, name: &str) -> Result<Expr> {
    let args = arguments(lower, function)?;
    if !matches!(function.parameters, FunctionArguments::None) {
        return lower.unsupported("this form of a call is not supported", &function.name);
    }
    if name == "PERCENTILE_CONT" && function.over.is_none() && function.filter.is_none() {
        return aggregates::percentile(lower, function, &args);
    }
    let windowed = lower.statement && function.over.is_some();
    if function.null_treatment == Some(ast::NullTreatment::IgnoreNulls) && !windowed {
        return Err(vec![
            lower
                .error("IGNORE NULLS is not supported", &function.name)
                .hint("filter the nulls out in a step before"),
        ]);
    }
    if !function.within_group.is_empty() {
        return lower.unsupported("WITHIN GROUP belongs to PERCENTILE_CONT", &function.name);
    }
    if let Some(over) = &function.over {
        return window::function(lower, function, name, &args, over);
    }
    if table::is_windowed(name) {
        return Err(vec![
            lower
                .error(&format!("`{name}` needs a window"), &function.name)
                .hint(format!("write `{name}(...) OVER (ORDER BY ...)`")),
        ]);
    }
    let expr = plain(lower, function, name, &args)?;
    let sound = crate::check::call(&expr).map_err(|error| FragmentError {
        message: format!("`{name}` of a single value"),
        ..error
    });
    lower.checked(sound, &function.name)?;
    match &function.filter {
        None => Ok(expr),
        Some(condition) => {
            let condition = lower.expr(condition)?;
            filtered(expr, &condition)
                .ok_or_else(|| vec![lower.error("FILTER belongs to an aggregate", &function.name)])
        }
    }
}

/// An aggregate over the rows where a condition holds: SQL's aggregates skip the nulls that the others become.
pub(super) fn filtered(expr: Expr, condition: &Expr) -> Option<Expr> {
    let Expr::Call { func, mut args } = expr else {
        return None;
    };
    if func.def().kind != FuncKind::Aggregate {
        return None;
    }
    if func == Func::Len {
        let one = (condition.clone(), Expr::literal(1_i64));
        return Some(Expr::call(
            Func::Count,
            [Expr::When {
                branches: vec![one],
                otherwise: None,
            }],
        ));
    }
    for arg in &mut args {
        if let Arg::Expr(value) = arg {
            *value = where_true(value.clone(), condition);
        }
    }
    Some(Expr::Call { func, args })
}

/// The values of the rows where a condition holds, and null in the others; below the choice of distinct ones.
fn where_true(value: Expr, condition: &Expr) -> Expr {
    match value {
        Expr::Call {
            func: Func::Unique,
            args,
        } => {
            let below = |arg| match arg {
                Arg::Expr(value) => Arg::Expr(where_true(value, condition)),
                other => other,
            };
            call(Func::Unique, args.into_iter().map(below).collect())
        }
        value => Expr::When {
            branches: vec![(condition.clone(), value)],
            otherwise: None,
        },
    }
}

fn wrong_count(
    lower: &Lower<'_>,
    function: &Function,
    name: &str,
    wanted: &str,
) -> Vec<FragmentError> {
    vec![lower.invalid(format!("`{name}` takes {wanted}"), &function.name)]
}

/// A call without window.
pub(super) fn plain(
    lower: &Lower<'_>,
    function: &Function,
    name: &str,
    args: &Arguments<'_>,
) -> Result<Expr> {
    if args.star && (args.distinct || !args.nodes.is_empty()) {
        return lower.unsupported("`COUNT(*)` takes nothing else", &function.name);
    }
    if args.star && name != "COUNT" {
        return lower.unsupported("only `COUNT(*)` takes a star", &function.name);
    }
    if let Some((least, most, target)) = table::fixed(name) {
        let count = args.nodes.len();
        if count < least || count > most {
            let more = if most > least { "at least " } else { "" };
            let arguments = if least == 1 { "argument" } else { "arguments" };
            let wanted = format!("{more}{least} {arguments}, not {count}");
            return Err(wrong_count(lower, function, name, &wanted));
        }
        let exprs = lower.exprs(args.nodes.iter().copied())?;
        let expr = match (name, target) {
            ("CBRT", _) if lower.statement => cube_root(exprs),
            (_, Target::Exprs(Func::All)) if lower.statement => truth_of(Func::Min, exprs),
            (_, Target::Exprs(Func::Any)) if lower.statement => truth_of(Func::Max, exprs),
            _ => fixed(target, exprs),
        };
        return distinct(lower, function, expr, args.distinct);
    }
    if args.distinct && name != "COUNT" {
        return lower.unsupported("DISTINCT belongs to an aggregate", &function.name);
    }
    if table::is_special(name) {
        return special(lower, function, name, args);
    }
    if let Some(own) = user::expression(&function.name.to_string()) {
        let exprs = lower.exprs(args.nodes.iter().copied())?;
        return user::sql_call(own, exprs).map_err(|errors| {
            let range = lower.error("", &function.name).range;
            let at = |error| FragmentError {
                range: range.clone(),
                ..error
            };
            errors.into_iter().map(at).collect()
        });
    }
    let error = FragmentError {
        code: "unknown-function",
        ..lower.error(
            &format!("the SQL function `{name}` is not known"),
            &function.name,
        )
    };
    if let Some(hint) = hints::function(name) {
        return Err(vec![error.hint(hint)]);
    }
    Err(vec![match nearest(name, names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`laktory docs` lists those that there are"),
    }])
}

/// The cube root of statements, which negative numbers have too.
fn cube_root(exprs: Vec<Expr>) -> Expr {
    let root = |x: Expr| Expr::call(Func::SqlCbrt, [x]);
    let x = exprs
        .into_iter()
        .next()
        .unwrap_or(Expr::Literal(Scalar::Null));
    let negative = Expr::call(Func::Lt, [x.clone(), Expr::literal(0_i64)]);
    let mirrored = root(Expr::call(Func::Neg, [x.clone()]));
    Expr::When {
        branches: vec![(negative, Expr::call(Func::Neg, [mirrored]))],
        otherwise: Some(Box::new(root(x))),
    }
}

/// Whether a condition holds for all rows or for some of a statement: null where it is null for all, or there are none.
fn truth_of(extreme: Func, exprs: Vec<Expr>) -> Expr {
    let conditions = exprs.into_iter();
    Expr::call(
        extreme,
        conditions.map(|condition| condition.and(Expr::literal(true))),
    )
}

fn fixed(target: Target, exprs: Vec<Expr>) -> Expr {
    match target {
        Target::Exprs(func) => Expr::call(func, exprs),
        Target::Variadic(func) => call(func, vec![Arg::Exprs(exprs)]),
        Target::With(func, more) => {
            let mut args: Vec<Arg> = exprs.into_iter().map(Arg::Expr).collect();
            args.extend(more.iter().map(|fixed| match fixed {
                Fixed::Absent => Arg::Absent,
                Fixed::Bool(value) => Arg::Bool(*value),
                Fixed::Int(value) => Arg::Int(*value),
                Fixed::Float(value) => Arg::Float(*value),
            }));
            call(func, args)
        }
    }
}

/// `SUM(DISTINCT x)`: the aggregate of the distinct values.
fn distinct(lower: &Lower<'_>, function: &Function, expr: Expr, distinct: bool) -> Result<Expr> {
    if !distinct {
        return Ok(expr);
    }
    let Expr::Call { func, mut args } = expr else {
        return lower.unsupported("DISTINCT belongs to an aggregate", &function.name);
    };
    if func.def().kind != FuncKind::Aggregate {
        return lower.unsupported("DISTINCT belongs to an aggregate", &function.name);
    }
    if let Some(Arg::Expr(value)) = args.first_mut() {
        *value = Expr::call(Func::Unique, [value.clone()]);
    }
    Ok(Expr::Call { func, args })
}

/// A function with a shape of its own.
fn special(
    lower: &Lower<'_>,
    function: &Function,
    name: &str,
    args: &Arguments<'_>,
) -> Result<Expr> {
    for area in [
        texts::special,
        dates::special,
        aggregates::special,
        choices::special,
        lists::special,
    ] {
        if let Some(expr) = area(lower, function, name, args)? {
            return Ok(expr);
        }
    }
    Err(wrong_count(
        lower,
        function,
        name,
        "another number of arguments",
    ))
}

/// Whether a SQL function of this name, in upper case, gives one value for many rows.
#[must_use]
pub fn is_aggregate_name(name: &str) -> bool {
    match table::fixed(name) {
        Some((_, _, Target::Exprs(func) | Target::Variadic(func) | Target::With(func, _))) => {
            func.def().kind == FuncKind::Aggregate
        }
        None => table::is_own_aggregate(name),
    }
}

/// Whether the expression aggregates, for windows.
pub(super) fn is_aggregate(expr: &Expr) -> bool {
    matches!(expr, Expr::Call { func, args } if walk::kind(*func, args) == FuncKind::Aggregate)
}
