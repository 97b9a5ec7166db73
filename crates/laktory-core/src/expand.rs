//! Expressions with their selectors resolved against the columns of a frame: what a driver lowers one by one whose
//! engine has no selectors of its own.
//!
//! Rules are those of Narwhals 2.29 on Polars: operators and methods apply to each selected column; several selections
//! in one expression go side by side; names follow the left-most operand; two columns of one name are an error.

use std::collections::BTreeSet;

use regex_lite::Regex;

use crate::dtype::{DType, Field};
use crate::error::{Error, ErrorKind, Result, Subject};
use crate::expr::{Arg, Expr, Selector, SortKey};
use crate::functions::Receiver;
use crate::walk::output_name;
use crate::window::Window;

/// An output column: its name, and an expression in which every [`Expr::Columns`] is resolved to an [`Expr::Column`].
/// Wrappers that only name ([`Expr::Alias`], [`Expr::Rename`]) may still be inside; they carry no meaning any more.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Output {
    /// Name of the column.
    pub name: String,
    /// What it holds.
    pub expr: Expr,
}

impl Output {
    /// A column of a name.
    #[must_use]
    pub fn new(name: impl Into<String>, expr: Expr) -> Self {
        Self {
            name: name.into(),
            expr,
        }
    }
}

/// The output columns of a list of expressions, in order.
///
/// # Errors
/// `ColumnNotFound`; `OutOfBounds` for positions; `DuplicateColumn`; `InvalidExpression` for selections of different
/// sizes side by side; `InvalidArgument` for a pattern that is no regular expression.
pub fn expand(exprs: &[Expr], columns: &[Field]) -> Result<Vec<Output>> {
    outputs(
        exprs,
        Columns {
            all: columns,
            hidden: &[],
        },
    )
}

/// As [`expand`], for the aggregates of groups: selectors leave the columns of the `keys` out, names do not.
///
/// # Errors
/// As [`expand`].
pub fn expand_aggregates(
    exprs: &[Expr],
    columns: &[Field],
    keys: &[String],
) -> Result<Vec<Output>> {
    outputs(
        exprs,
        Columns {
            all: columns,
            hidden: keys,
        },
    )
}

/// The columns of a frame, and those that selectors do not see.
#[derive(Clone, Copy)]
struct Columns<'a> {
    all: &'a [Field],
    hidden: &'a [String],
}

fn outputs(exprs: &[Expr], columns: Columns<'_>) -> Result<Vec<Output>> {
    let mut outputs: Vec<Output> = Vec::with_capacity(exprs.len());
    let mut seen = BTreeSet::new();
    for expr in exprs {
        for expr in each(expr, columns)? {
            let name = output_name(&expr)
                .ok_or_else(|| Error::internal(format!("an expression without name: {expr:?}")))?;
            if !seen.insert(name.clone()) {
                return Err(Error::new(
                    ErrorKind::DuplicateColumn,
                    format!("two columns would be called `{name}`"),
                )
                .with_subject(Subject::Name(name.clone()))
                .with_hint("rename one with `.alias('...')` or `.name.suffix('...')`"));
            }
            outputs.push(Output { name, expr });
        }
    }
    Ok(outputs)
}

/// A part of an expression with its selectors resolved, one for each selected column.
///
/// # Errors
/// As [`expand`], without names.
pub(crate) fn expand_part(part: &Expr, columns: &[Field]) -> Result<Vec<Expr>> {
    each(
        part,
        Columns {
            all: columns,
            hidden: &[],
        },
    )
}

/// A predicate with its selectors resolved; a row must satisfy it for each selected column.
///
/// # Errors
/// As [`expand`], without names.
pub fn expand_predicate(predicate: &Expr, columns: &[Field]) -> Result<Expr> {
    each(
        predicate,
        Columns {
            all: columns,
            hidden: &[],
        },
    )?
    .into_iter()
    .reduce(Expr::and)
    .ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidExpression,
            "the predicate selects no column",
        )
    })
}

/// The error for a column that a frame does not have, with its columns as hint.
#[must_use]
pub fn no_column(name: &str, columns: &[Field]) -> Error {
    let known: Vec<String> = columns
        .iter()
        .map(|field| format!("`{}`", field.name))
        .collect();
    let error = Error::new(
        ErrorKind::ColumnNotFound,
        format!("there is no column `{name}`"),
    )
    .with_subject(Subject::Name(name.to_owned()))
    .with_siblings(columns.iter().map(|field| field.name.as_str()));
    if known.is_empty() {
        return error.with_hint("the frame has no columns");
    }
    error.with_hint(format!("columns here: {}", known.join(", ")))
}

/// The names that a selector stands for: named columns in the order given, others in the order of the frame.
///
/// # Errors
/// `ColumnNotFound`, `OutOfBounds`, `InvalidArgument`.
pub fn select(selector: &Selector, columns: &[Field]) -> Result<Vec<String>> {
    match selector {
        Selector::Names(names) => {
            for name in names {
                known(name, columns)?;
            }
            Ok(names.clone())
        }
        Selector::Nth(positions) => positions
            .iter()
            .map(|position| {
                let at = match usize::try_from(*position) {
                    Ok(at) => Some(at),
                    Err(_) => usize::try_from(position.unsigned_abs())
                        .ok()
                        .and_then(|back| columns.len().checked_sub(back)),
                };
                at.and_then(|at| columns.get(at))
                    .map(|field| field.name.clone())
                    .ok_or_else(|| {
                        Error::new(
                            ErrorKind::ColumnNotFound,
                            format!("there is no column at position {position}"),
                        )
                        .with_subject(Subject::Name(position.to_string()))
                        .with_hint(format!("the frame has {} columns", columns.len()))
                    })
            })
            .collect(),
        set => {
            let mut names = Vec::new();
            for field in columns {
                if contains(set, field, columns)? {
                    names.push(field.name.clone());
                }
            }
            Ok(names)
        }
    }
}

fn known(name: &str, columns: &[Field]) -> Result<()> {
    if columns.iter().any(|field| field.name == name) {
        Ok(())
    } else {
        Err(no_column(name, columns))
    }
}

fn contains(selector: &Selector, field: &Field, columns: &[Field]) -> Result<bool> {
    let dtype = &field.dtype;
    Ok(match selector {
        Selector::All => true,
        Selector::Names(_) | Selector::Nth(_) => select(selector, columns)?.contains(&field.name),
        Selector::Matches(pattern) => Regex::new(pattern)
            .map_err(|error| {
                Error::new(
                    ErrorKind::InvalidArgument,
                    format!("`{pattern}` is no regular expression"),
                )
                .with_source(error)
            })?
            .is_match(&field.name),
        Selector::DTypes(dtypes) => dtypes.iter().any(|wanted| matches(wanted, dtype)),
        Selector::Numeric => dtype.is_numeric(),
        Selector::String => *dtype == DType::String,
        Selector::Boolean => *dtype == DType::Boolean,
        Selector::Categorical => *dtype == DType::Categorical,
        Selector::Enum => matches!(dtype, DType::Enum(_)),
        Selector::Datetime { units, zones } => match dtype {
            DType::Datetime { unit, zone } => {
                let zone_fits = zones.is_empty()
                    || zones.iter().any(|wanted| match (wanted.as_deref(), zone) {
                        (Some("*"), zone) => zone.is_some(),
                        (wanted, zone) => wanted == zone.as_deref(),
                    });
                zone_fits && (units.is_empty() || units.contains(unit))
            }
            _ => false,
        },
        Selector::Union(a, b) => contains(a, field, columns)? || contains(b, field, columns)?,
        Selector::Intersection(a, b) => {
            contains(a, field, columns)? && contains(b, field, columns)?
        }
        Selector::Difference(a, b) => contains(a, field, columns)? && !contains(b, field, columns)?,
        Selector::Not(a) => !contains(a, field, columns)?,
    })
}

/// Whether a type is the wanted one, whose open parts accept anything.
fn matches(wanted: &DType, dtype: &DType) -> bool {
    match (wanted, dtype) {
        (DType::Unknown, _)
        | (
            DType::Decimal {
                precision: None, ..
            },
            DType::Decimal { .. },
        ) => true,
        (DType::Enum(wanted), DType::Enum(_)) if wanted.is_empty() => true,
        (DType::Struct(wanted), DType::Struct(_)) if wanted.is_empty() => true,
        (DType::List(wanted), DType::List(inner)) => matches(wanted, inner),
        (wanted, dtype) => wanted == dtype,
    }
}

/// An expression for each selected column, or one when it selects none or one.
fn each(expr: &Expr, columns: Columns<'_>) -> Result<Vec<Expr>> {
    Ok(match expr {
        Expr::Column(name) => {
            known(name, columns.all)?;
            vec![expr.clone()]
        }
        Expr::Columns(selector) => {
            let named = matches!(selector, Selector::Names(_) | Selector::Nth(_));
            select(selector, columns.all)?
                .into_iter()
                .filter(|name| named || !columns.hidden.contains(name))
                .map(Expr::Column)
                .collect()
        }
        Expr::Literal(_) => vec![expr.clone()],
        Expr::Call { func, args } => {
            let def = func.def();
            let rooted = def.receiver != Receiver::Function;
            call(def.path, rooted, args, columns)?
                .into_iter()
                .map(|args| Expr::Call { func: *func, args })
                .collect()
        }
        Expr::User { name, args } => call(name, true, args, columns)?
            .into_iter()
            .map(|args| Expr::User {
                name: name.clone(),
                args,
            })
            .collect(),
        Expr::Cast { expr, to, strict } => one_each(expr, columns, |expr| Expr::Cast {
            expr,
            to: to.clone(),
            strict: *strict,
        })?,
        Expr::Alias { expr, name } => one_each(expr, columns, |expr| Expr::Alias {
            expr,
            name: name.clone(),
        })?,
        Expr::Rename { expr, change } => one_each(expr, columns, |expr| Expr::Rename {
            expr,
            change: change.clone(),
        })?,
        Expr::When {
            branches,
            otherwise,
        } => {
            let mut parts = Vec::with_capacity(branches.len() * 2 + 1);
            for (condition, value) in branches {
                parts.push(each(condition, columns)?);
                parts.push(each(value, columns)?);
            }
            if let Some(otherwise) = otherwise {
                parts.push(each(otherwise, columns)?);
            }
            side_by_side(&parts)?
                .into_iter()
                .map(|row| {
                    let mut row = row.into_iter();
                    let mut next = || row.next().unwrap_or(Expr::Literal(crate::Scalar::Null));
                    Expr::When {
                        branches: branches.iter().map(|_| (next(), next())).collect(),
                        otherwise: otherwise.as_ref().map(|_| Box::new(next())),
                    }
                })
                .collect()
        }
        Expr::Over {
            expr,
            partition_by,
            order_by,
        } => {
            let partition_by = flat(partition_by, columns)?;
            let order_by = sort_keys(order_by, columns)?;
            one_each(expr, columns, |expr| Expr::Over {
                expr,
                partition_by: partition_by.clone(),
                order_by: order_by.clone(),
            })?
        }
        Expr::Window(window) => vec![Expr::Window(Box::new(Window {
            args: flat(&window.args, columns)?,
            partition_by: flat(&window.partition_by, columns)?,
            order_by: sort_keys(&window.order_by, columns)?,
            ..(**window).clone()
        }))],
    })
}

fn one_each(
    expr: &Expr,
    columns: Columns<'_>,
    wrap: impl Fn(Box<Expr>) -> Expr,
) -> Result<Vec<Expr>> {
    Ok(each(expr, columns)?
        .into_iter()
        .map(|expr| wrap(Box::new(expr)))
        .collect())
}

/// Sort keys with their selectors resolved.
fn sort_keys(keys: &[SortKey], columns: Columns<'_>) -> Result<Vec<SortKey>> {
    let mut resolved = Vec::with_capacity(keys.len());
    for key in keys {
        for expr in each(&key.expr, columns)? {
            resolved.push(SortKey {
                expr,
                ..key.clone()
            });
        }
    }
    Ok(resolved)
}

fn flat(exprs: &[Expr], columns: Columns<'_>) -> Result<Vec<Expr>> {
    let mut resolved = Vec::with_capacity(exprs.len());
    for expr in exprs {
        resolved.extend(each(expr, columns)?);
    }
    Ok(resolved)
}

/// The arguments of a call for each selected column: the selections of an argument stand beside those of others; those
/// of a variadic one stay within it. A call may be `rooted` in its first argument.
fn call(name: &str, rooted: bool, args: &[Arg], columns: Columns<'_>) -> Result<Vec<Vec<Arg>>> {
    let mut parts = Vec::with_capacity(args.len());
    for (index, arg) in args.iter().enumerate() {
        parts.push(match arg {
            Arg::Expr(expr) => {
                let exprs = each(expr, columns)?;
                // The root of a method that selects nothing gives no column at all; an argument must give one.
                if exprs.is_empty() && (index > 0 || !rooted) {
                    return Err(Error::new(
                        ErrorKind::InvalidExpression,
                        format!("an argument of `{name}` selects no column"),
                    ));
                }
                exprs.into_iter().map(Arg::Expr).collect()
            }
            Arg::Exprs(exprs) => vec![Arg::Exprs(flat(exprs, columns)?)],
            other => vec![other.clone()],
        });
    }
    side_by_side(&parts)
}

/// The n-th of each, where a single one stands beside all of the others.
fn side_by_side<T: Clone>(parts: &[Vec<T>]) -> Result<Vec<Vec<T>>> {
    let count = if parts.iter().any(Vec::is_empty) {
        0
    } else {
        parts.iter().map(Vec::len).max().unwrap_or(1)
    };
    if count > 0
        && let Some(odd) = parts
            .iter()
            .find(|part| part.len() != 1 && part.len() != count)
    {
        return Err(Error::new(
            ErrorKind::InvalidExpression,
            format!(
                "selections of {} and {count} columns stand side by side in one expression",
                odd.len()
            ),
        ));
    }
    Ok((0..count)
        .map(|row| {
            parts
                .iter()
                .map(|part| part[if part.len() == 1 { 0 } else { row }].clone())
                .collect()
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Func;

    fn frame() -> Vec<Field> {
        vec![
            Field::new("a", DType::Int64),
            Field::new("b", DType::Float64),
            Field::new("s", DType::String),
        ]
    }

    fn names(exprs: &[Expr]) -> Result<Vec<String>> {
        Ok(expand(exprs, &frame())?
            .into_iter()
            .map(|output| output.name)
            .collect())
    }

    #[test]
    fn methods_apply_to_each_selected_column() {
        let sum = Expr::call(
            Func::Sum,
            [Expr::Columns(Selector::Difference(
                Box::new(Selector::All),
                Box::new(Selector::String),
            ))],
        );
        assert_eq!(names(&[sum]).unwrap(), ["a", "b"]);
        let nested = Expr::Call {
            func: Func::SumHorizontal,
            args: vec![Arg::Exprs(vec![Expr::Columns(Selector::Numeric)])],
        };
        assert_eq!(expand(&[nested], &frame()).unwrap().len(), 1);
    }

    #[test]
    fn selections_stand_side_by_side() {
        let pick = |names: &[&str]| {
            Expr::Columns(Selector::Names(
                names.iter().map(|&n| n.to_owned()).collect(),
            ))
        };
        let both = Expr::call(Func::Add, [pick(&["a", "b"]), pick(&["b", "a"])]);
        assert_eq!(names(&[both]).unwrap(), ["a", "b"]);
        let odd = Expr::call(Func::Add, [pick(&["a", "b"]), pick(&["a", "b", "s"])]);
        assert_eq!(
            names(&[odd]).unwrap_err().kind(),
            ErrorKind::InvalidExpression
        );
    }

    #[test]
    fn faults_have_their_kinds() {
        let twice = [Expr::column("a"), Expr::column("b").alias("a")];
        assert_eq!(
            names(&twice).unwrap_err().kind(),
            ErrorKind::DuplicateColumn
        );
        let error = names(&[Expr::column("z")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ColumnNotFound);
        assert_eq!(error.hint(), Some("columns here: `a`, `b`, `s`"));
        let last = Expr::Columns(Selector::Nth(vec![-1]));
        assert_eq!(names(&[last]).unwrap(), ["s"]);
    }
}
