//! Rewrites of parsed statements, where the engine lacks what SQL users rely on, or departs from what other engines
//! agree on, and no type must be known to mend it.

use std::ops::ControlFlow;

use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CastKind, DataType, DateTimeField, Expr, ExtractSyntax, Function,
    FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, JoinOperator,
    ObjectName, Select, SelectItem, Statement, Subscript, UnaryOperator, Value, VisitMut,
    VisitorMut,
};
use laktory_core::Result;

use super::names;
use super::outputs::{Columns, spell_out};

/// Rewrites a statement over frames, in place.
///
/// # Errors
/// None today.
pub(super) fn rewrite(statement: &mut Statement, frames: &[LogicalPlan]) -> Result<()> {
    let columns = Columns::new(
        frames
            .iter()
            .map(|plan| plan.schema().as_arrow().fields().clone()),
    );
    names::resolve(statement, columns.iter());
    let _ = statement.visit(&mut Rewrites { columns });
    Ok(())
}

struct Rewrites {
    columns: Columns,
}

impl VisitorMut for Rewrites {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        spell_out(select, &self.columns);
        for join in select.from.iter_mut().flat_map(|table| &mut table.joins) {
            join.join_operator =
                match std::mem::replace(&mut join.join_operator, JoinOperator::CrossApply) {
                    JoinOperator::Semi(constraint) => JoinOperator::LeftSemi(constraint),
                    JoinOperator::Anti(constraint) => JoinOperator::LeftAnti(constraint),
                    other => other,
                };
        }
        for item in &mut select.projection {
            if let SelectItem::ExprWithAlias { expr, .. } = item
                && is_small_constant(expr)
            {
                *expr = cast(expr.clone(), DataType::Int(None));
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(better) = rewritten(expr) {
            *expr = better;
        }
        ControlFlow::Continue(())
    }
}

fn rewritten(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::Extract { field, .. } => Some(cast(expr.clone(), part_type(field)?)),
        Expr::Like {
            negated,
            any,
            expr,
            pattern,
            escape_char: None,
        } => Some(Expr::Like {
            negated: *negated,
            any: *any,
            expr: expr.clone(),
            pattern: Box::new(without_escape(pattern)?),
            escape_char: None,
        }),
        Expr::ILike {
            negated,
            any,
            expr,
            pattern,
            escape_char: None,
        } => Some(Expr::ILike {
            negated: *negated,
            any: *any,
            expr: expr.clone(),
            pattern: Box::new(without_escape(pattern)?),
            escape_char: None,
        }),
        Expr::Function(function) => function_rewritten(function),
        _ => None,
    }
}

/// The type of a part of a time, where it is not that of the engine.
fn part_type(field: &DateTimeField) -> Option<DataType> {
    match field {
        DateTimeField::Month
        | DateTimeField::Months
        | DateTimeField::Quarter
        | DateTimeField::Week(_)
        | DateTimeField::Weeks
        | DateTimeField::IsoWeek
        | DateTimeField::Day
        | DateTimeField::Days
        | DateTimeField::Dow
        | DateTimeField::DayOfWeek
        | DateTimeField::Isodow
        | DateTimeField::Hour
        | DateTimeField::Hours
        | DateTimeField::Minute
        | DateTimeField::Minutes
        | DateTimeField::Second
        | DateTimeField::Seconds => Some(DataType::TinyInt(None)),
        DateTimeField::Doy | DateTimeField::DayOfYear => Some(DataType::SmallInt(None)),
        _ => None,
    }
}

/// A pattern of LIKE in which a backslash stands for itself.
fn without_escape(pattern: &Expr) -> Option<Expr> {
    match pattern {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) if text.contains('\\') => {
                let text = Value::SingleQuotedString(text.replace('\\', "\\\\"));
                Some(Expr::Value(text.with_empty_span()))
            }
            _ => None,
        },
        other => {
            let text = |text: &str| {
                Expr::Value(Value::SingleQuotedString(text.to_owned()).with_empty_span())
            };
            Some(call(
                "replace",
                vec![other.clone(), text("\\"), text("\\\\")],
            ))
        }
    }
}

fn function_rewritten(function: &Function) -> Option<Expr> {
    let name = function.name.to_string().to_lowercase();
    if function.over.is_some()
        && ["row_number", "rank", "dense_rank", "ntile"].contains(&name.as_str())
    {
        return Some(cast(
            Expr::Function(function.clone()),
            DataType::BigInt(None),
        ));
    }
    let renamed = |name: &str| {
        Some(Expr::Function(Function {
            name: ObjectName::from(vec![Ident::new(name)]),
            ..function.clone()
        }))
    };
    match name.as_str() {
        "variance" => return renamed("var_samp"),
        "stdev" => return renamed("stddev"),
        "group_concat" => return renamed("string_agg"),
        _ => {}
    }
    let args = positional(function)?;
    let part = |field: DateTimeField, arg: &Expr| {
        let to = part_type(&field);
        let extracted = Expr::Extract {
            field,
            syntax: ExtractSyntax::From,
            expr: Box::new(arg.clone()),
        };
        Some(match to {
            Some(to) => cast(extracted, to),
            None => extracted,
        })
    };
    match (name.as_str(), args.as_slice()) {
        ("length" | "char_length" | "character_length" | "len", [arg]) => Some(cast(
            call("character_length", vec![arg.clone()]),
            DataType::IntUnsigned(None),
        )),
        ("mod", [left, right]) => Some(Expr::Nested(Box::new(Expr::BinaryOp {
            left: Box::new(Expr::Nested(Box::new(left.clone()))),
            op: BinaryOperator::Modulo,
            right: Box::new(Expr::Nested(Box::new(right.clone()))),
        }))),
        ("date", [arg]) => Some(cast(arg.clone(), DataType::Date)),
        ("strftime" | "date_format", [time, format]) => {
            Some(call("to_char", vec![time.clone(), format.clone()]))
        }
        ("year", [arg]) => part(DateTimeField::Year, arg),
        ("quarter", [arg]) => part(DateTimeField::Quarter, arg),
        ("month", [arg]) => part(DateTimeField::Month, arg),
        ("week" | "weekofyear", [arg]) => part(DateTimeField::Week(None), arg),
        ("day" | "dayofmonth", [arg]) => part(DateTimeField::Day, arg),
        ("dayofyear", [arg]) => part(DateTimeField::Doy, arg),
        ("hour", [arg]) => part(DateTimeField::Hour, arg),
        ("minute", [arg]) => part(DateTimeField::Minute, arg),
        ("second", [arg]) => part(DateTimeField::Second, arg),
        _ => None,
    }
}

/// Whether an expression is made of integers written in the statement, all of which have 32 bits.
fn is_small_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse::<i32>().is_ok(),
            _ => false,
        },
        Expr::Nested(expr)
        | Expr::UnaryOp {
            op: UnaryOperator::Minus | UnaryOperator::Plus,
            expr,
        } => is_small_constant(expr),
        Expr::Case {
            conditions,
            else_result,
            ..
        } => {
            let mut results = conditions
                .iter()
                .map(|when| &when.result)
                .chain(else_result.as_deref())
                .filter(|result| !is_null(result))
                .peekable();
            results.peek().is_some() && results.all(is_small_constant)
        }
        _ => false,
    }
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Null)
}

/// The field that `['name']` or `.name` asks for.
pub(super) fn field_name(access: &AccessExpr) -> Option<String> {
    match access {
        AccessExpr::Subscript(Subscript::Index {
            index: Expr::Value(value),
        }) => match &value.value {
            Value::SingleQuotedString(name) => Some(name.clone()),
            _ => None,
        },
        AccessExpr::Dot(Expr::Identifier(name)) => Some(name.value.clone()),
        _ => None,
    }
}

/// The arguments of a call without any clause.
fn positional(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let plain = list.duplicate_treatment.is_none()
        && list.clauses.is_empty()
        && function.over.is_none()
        && function.filter.is_none();
    if !plain {
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

fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expr),
        data_type,
        array: false,
        format: None,
    }
}

fn call(name: &str, args: Vec<Expr>) -> Expr {
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
