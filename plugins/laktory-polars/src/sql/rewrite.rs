//! Rewrites of parsed statements, where polars-sql slips or lacks what SQL users rely on.
//!
//! Each rewrite gives the answer on which other engines agree: three-valued logic, remainders with the sign of the
//! dividend, halves rounded away from zero, nulls last, counts as 64-bit integers, texts of ISO 8601 as timestamps.

use std::ops::ControlFlow;

use laktory_core::{Error, ErrorKind, Result};
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, CastKind, DataType, DateTimeField, Expr, ExtractSyntax,
    Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, GroupByExpr,
    Ident, ObjectName, OrderBy, OrderByKind, Query, Select, SelectItem, Statement, Subscript,
    UnaryOperator, Value, ValueWithSpan, Visit, VisitMut, Visitor, VisitorMut,
};

use super::{case, grouping, names, qualify, scalar, udf, window};

/// Rewrites a statement over frames with these columns, in place.
///
/// # Errors
/// `SqlSyntax` for statements that polars would accept against the rules of SQL, `Unsupported`.
pub(super) fn rewrite(statement: &mut Statement, columns: &[String]) -> Result<()> {
    names::resolve(statement, columns);
    let mut rewrites = Rewrites { failed: None };
    let _ = statement.visit(&mut rewrites);
    rewrites.failed.map_or(Ok(()), Err)
}

struct Rewrites {
    failed: Option<Error>,
}

impl VisitorMut for Rewrites {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        if let Err(error) = check(select) {
            self.failed = Some(error);
            return ControlFlow::Break(());
        }
        window::inline_names(select);
        window::spread(select);
        scalar::join_subqueries(select);
        qualify::nest(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let Err(error) = grouping::unite(query) {
            self.failed = Some(error);
            return ControlFlow::Break(());
        }
        if let Some(OrderBy {
            kind: OrderByKind::Expressions(keys),
            ..
        }) = &mut query.order_by
        {
            for key in keys {
                key.options.nulls_first.get_or_insert(false);
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match windowed(expr) {
            Err(error) => {
                self.failed = Some(error);
                return ControlFlow::Break(());
            }
            Ok(Some(better)) => *expr = better,
            Ok(None) => {
                if let Some(better) = rewritten(expr) {
                    *expr = better;
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// Refuses what polars would answer in its own way, or with a dump of the parsed statement.
fn check(select: &Select) -> Result<()> {
    let grouped = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(keys, _) => !keys.is_empty(),
    };
    if grouped {
        return windows_over_groups(select);
    }
    let exprs = || {
        select.projection.iter().filter_map(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
            _ => None,
        })
    };
    let aggregated = exprs().any(|expr| Uses::of(expr).aggregate);
    match exprs()
        .find_map(|expr| Uses::of(expr).column)
        .filter(|_| aggregated)
    {
        Some(column) => Err(Error::new(
            ErrorKind::SqlSyntax,
            format!("`{column}` is neither aggregated nor in a GROUP BY clause"),
        )),
        None => Ok(()),
    }
}

/// Refuses a window in a selection whose rows are groups: it would see single groups.
fn windows_over_groups(select: &Select) -> Result<()> {
    let holds = select.projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            window::is_in(expr)
        }
        _ => false,
    });
    match holds {
        true => Err(
            Error::unsupported("a window over groups is not available on backend POLARS")
                .with_hint("aggregate in a common table expression, and select the window from it"),
        ),
        false => Ok(()),
    }
}

/// What an expression uses: aggregates, and columns outside of them.
#[derive(Default)]
struct Uses {
    aggregate: bool,
    column: Option<String>,
    inside: usize,
}

impl Uses {
    fn of(expr: &Expr) -> Self {
        let mut uses = Self::default();
        let _ = expr.visit(&mut uses);
        uses
    }
}

impl Visitor for Uses {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.inside += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.inside -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) if function.over.is_some() => self.inside += 1,
            Expr::Function(function) if is_aggregate(function) => {
                self.aggregate |= self.inside == 0;
                self.inside += 1;
            }
            Expr::Identifier(name) if self.inside == 0 && self.column.is_none() => {
                self.column = Some(name.value.clone());
            }
            Expr::CompoundIdentifier(parts) if self.inside == 0 && self.column.is_none() => {
                self.column = parts.last().map(|name| name.value.clone());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && (function.over.is_some() || is_aggregate(function))
        {
            self.inside -= 1;
        }
        ControlFlow::Continue(())
    }
}

/// Whether a call without window is an aggregate.
pub(super) fn is_aggregate(function: &Function) -> bool {
    const AGGREGATES: &[&str] = &[
        "array_agg",
        "any_value",
        "every",
        "mean",
        "avg",
        "bool_and",
        "bool_or",
        "corr",
        "count",
        "count_if",
        "countif",
        "covar_pop",
        "covar_samp",
        "first",
        "group_concat",
        "last",
        "listagg",
        "max",
        "median",
        "min",
        "quantile_cont",
        "quantile_disc",
        "stddev",
        "stddev_pop",
        "stddev_samp",
        "stdev",
        "string_agg",
        "sum",
        "var",
        "var_pop",
        "var_samp",
        "variance",
    ];
    let name = function.name.to_string().to_lowercase();
    function.over.is_none() && AGGREGATES.contains(&name.as_str())
}

fn windowed(expr: &Expr) -> Result<Option<Expr>> {
    match expr {
        Expr::Function(function) => window::rewritten(function),
        _ => Ok(None),
    }
}

fn rewritten(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::Cast {
            kind,
            expr,
            data_type,
            format: None,
            ..
        } => {
            let strict = matches!(kind, CastKind::Cast | CastKind::DoubleColon);
            Some(call(
                udf::conversion(data_type, strict)?,
                vec![(**expr).clone()],
            ))
        }
        // Polars takes `x IS NOT TRUE` for `NOT x`, which is null where x is.
        Expr::IsNotTrue(inner) => Some(not(or(inner, false))),
        Expr::IsNotFalse(inner) => Some(or(inner, true)),
        Expr::IsTrue(inner) => Some(or(inner, false)),
        Expr::IsFalse(inner) => Some(not(or(inner, true))),
        Expr::IsUnknown(inner) => Some(Expr::IsNull(inner.clone())),
        Expr::IsNotUnknown(inner) => Some(Expr::IsNotNull(inner.clone())),
        Expr::Position { expr, r#in } => Some(call(
            udf::POSITION,
            vec![(**r#in).clone(), (**expr).clone()],
        )),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Modulo,
            right,
        } => Some(remainder(left, right)),
        Expr::CompoundFieldAccess { root, access_chain } => field(root, access_chain),
        Expr::Case { .. } => case::halved(expr),
        Expr::Function(function) => function_rewritten(function),
        _ => None,
    }
}

fn function_rewritten(function: &Function) -> Option<Expr> {
    let name = function.name.to_string().to_lowercase();
    if name == "count" {
        return Some(Expr::Cast {
            kind: CastKind::Cast,
            expr: Box::new(Expr::Function(function.clone())),
            data_type: DataType::BigInt(None),
            array: false,
            format: None,
        });
    }
    if matches!(name.as_str(), "sum" | "avg")
        && function.over.is_none()
        && function.filter.is_none()
        && let Some(arg) = distinct_argument(function)
    {
        return Some(call(
            if name == "sum" {
                udf::SUM_DISTINCT
            } else {
                udf::AVG_DISTINCT
            },
            vec![arg],
        ));
    }
    if let Some(to) = renamed(&name) {
        return Some(Expr::Function(Function {
            name: ObjectName::from(vec![Ident::new(to)]),
            ..function.clone()
        }));
    }
    let args = positional(function)?;
    let extract = |field: DateTimeField, arg: &Expr| Expr::Extract {
        field,
        syntax: ExtractSyntax::From,
        expr: Box::new(arg.clone()),
    };
    match (name.as_str(), args.as_slice()) {
        ("strpos", [_, _]) => Some(call(udf::POSITION, args)),
        ("instr", [_, _]) => Some(call(udf::POSITION, args)),
        ("mod", [left, right]) => Some(remainder(left, right)),
        ("round", [_] | [_, _]) => Some(call(udf::ROUND, args)),
        ("date_trunc", [_, _]) => Some(call(udf::DATE_TRUNC, args)),
        ("date", [arg]) => Some(call(
            udf::conversion(&DataType::Date, true)?,
            vec![arg.clone()],
        )),
        ("year", [arg]) => Some(extract(DateTimeField::Year, arg)),
        ("quarter", [arg]) => Some(extract(DateTimeField::Quarter, arg)),
        ("month", [arg]) => Some(extract(DateTimeField::Month, arg)),
        ("day" | "dayofmonth", [arg]) => Some(extract(DateTimeField::Day, arg)),
        ("hour", [arg]) => Some(extract(DateTimeField::Hour, arg)),
        ("minute", [arg]) => Some(extract(DateTimeField::Minute, arg)),
        ("second", [arg]) => Some(extract(DateTimeField::Second, arg)),
        ("week", [arg]) => Some(extract(DateTimeField::Week(None), arg)),
        ("count_if" | "countif", [condition]) => Some(Expr::Cast {
            kind: CastKind::Cast,
            expr: Box::new(call(
                "COUNT",
                vec![case(
                    condition.clone(),
                    number("1"),
                    Expr::Value(ValueWithSpan::from(Value::Null)),
                )],
            )),
            data_type: DataType::BigInt(None),
            array: false,
            format: None,
        }),
        ("to_date", [arg]) => Some(call(
            udf::conversion(&DataType::Date, true)?,
            vec![arg.clone()],
        )),
        ("to_timestamp", [arg]) => Some(call(
            udf::conversion(
                &DataType::Timestamp(None, sqlparser::ast::TimezoneInfo::None),
                true,
            )?,
            vec![arg.clone()],
        )),
        ("initcap", [_]) => Some(call(udf::INITCAP, args)),
        ("regexp_extract", [_, _] | [_, _, _]) => Some(call(udf::REGEXP_EXTRACT, args)),
        ("date_diff" | "datediff", [_, _] | [_, _, _]) => Some(call(udf::DATE_DIFF, args)),
        ("weekofyear", [arg]) => Some(extract(DateTimeField::Week(None), arg)),
        ("dayofyear", [arg]) => Some(extract(DateTimeField::Doy, arg)),
        ("var_pop", [arg]) => Some(population_variance(function, arg)),
        ("stddev_pop", [arg]) => Some(call("SQRT", vec![population_variance(function, arg)])),
        _ => None,
    }
}

/// The argument of `f(DISTINCT x)`.
fn distinct_argument(function: &Function) -> Option<Expr> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    if list.duplicate_treatment != Some(sqlparser::ast::DuplicateTreatment::Distinct) {
        return None;
    }
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))] => Some(expr.clone()),
        _ => None,
    }
}

/// What polars-sql calls a function that others know by this name.
fn renamed(name: &str) -> Option<&'static str> {
    Some(match name {
        "nvl" => "COALESCE",
        "iff" => "IF",
        "len" => "LENGTH",
        "lcase" => "LOWER",
        "ucase" => "UPPER",
        "substring" => "SUBSTR",
        "every" | "bool_and" => "MIN",
        "any_value" => "FIRST",
        "bool_or" | "some" => "MAX",
        "mean" => "AVG",
        "rlike" | "regexp_matches" => "REGEXP_LIKE",
        "date_format" => "STRFTIME",
        "array_size" | "cardinality" => "ARRAY_LENGTH",
        "string_split" => "STRING_TO_ARRAY",
        _ => return None,
    })
}

/// `VARIANCE(x) * (COUNT(x) - 1) / COUNT(x)`, and 0 for a single value.
fn population_variance(function: &Function, arg: &Expr) -> Expr {
    let with = |name: &str| {
        Expr::Function(Function {
            name: ObjectName::from(vec![Ident::new(name)]),
            ..match call(name, vec![arg.clone()]) {
                Expr::Function(plain) => Function {
                    over: function.over.clone(),
                    filter: function.filter.clone(),
                    ..plain
                },
                _ => function.clone(),
            }
        })
    };
    let binary = |left: Expr, op, right: Expr| Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    };
    let scaled = binary(
        nested(binary(
            with("VARIANCE"),
            BinaryOperator::Multiply,
            nested(binary(with("COUNT"), BinaryOperator::Minus, number("1"))),
        )),
        BinaryOperator::Divide,
        with("COUNT"),
    );
    case(
        binary(with("COUNT"), BinaryOperator::Eq, number("1")),
        number("0.0"),
        scaled,
    )
}

/// The remainder with the sign of the dividend, from the one with the sign of the divisor.
fn remainder(left: &Expr, right: &Expr) -> Expr {
    let binary = |left: Expr, op, right: Expr| {
        nested(Expr::BinaryOp {
            left: Box::new(left),
            op,
            right: Box::new(right),
        })
    };
    let (left, right) = (nested(left.clone()), nested(right.clone()));
    let floored = binary(left.clone(), BinaryOperator::Modulo, right.clone());
    let negative = |expr: Expr| binary(expr, BinaryOperator::Lt, number("0"));
    let differs = binary(
        negative(floored.clone()),
        BinaryOperator::NotEq,
        negative(left),
    );
    let rest = binary(floored.clone(), BinaryOperator::NotEq, number("0"));
    case(
        binary(rest, BinaryOperator::And, differs),
        binary(floored.clone(), BinaryOperator::Minus, right),
        floored,
    )
}

/// `data['symbol']` as `data.symbol`.
fn field(root: &Expr, chain: &[AccessExpr]) -> Option<Expr> {
    let mut parts = match root {
        Expr::Identifier(name) => vec![name.clone()],
        Expr::CompoundIdentifier(names) => names.clone(),
        _ => return None,
    };
    for access in chain {
        match access {
            AccessExpr::Subscript(Subscript::Index {
                index: Expr::Value(value),
            }) => match &value.value {
                Value::SingleQuotedString(name) => {
                    parts.push(Ident::with_quote('"', name.as_str()))
                }
                _ => return None,
            },
            AccessExpr::Dot(Expr::Identifier(name)) => parts.push(name.clone()),
            _ => return None,
        }
    }
    Some(Expr::CompoundIdentifier(parts))
}

pub(super) fn case(condition: Expr, result: Expr, otherwise: Expr) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition, result }],
        else_result: Some(Box::new(otherwise)),
    }
}

fn nested(expr: Expr) -> Expr {
    Expr::Nested(Box::new(expr))
}

fn not(expr: Expr) -> Expr {
    Expr::UnaryOp {
        op: UnaryOperator::Not,
        expr: Box::new(nested(expr)),
    }
}

fn or(expr: &Expr, otherwise: bool) -> Expr {
    let otherwise = Expr::Value(ValueWithSpan::from(Value::Boolean(otherwise)));
    call("COALESCE", vec![expr.clone(), otherwise])
}

pub(super) fn number(text: &str) -> Expr {
    Expr::Value(ValueWithSpan::from(Value::Number(text.to_owned(), false)))
}

/// The arguments of a call without any clause.
fn positional(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return None;
    }
    list.args
        .iter()
        .map(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
            _ => None,
        })
        .collect()
}

pub(super) fn call(name: &str, args: Vec<Expr>) -> Expr {
    let args = args
        .into_iter()
        .map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)))
        .collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
