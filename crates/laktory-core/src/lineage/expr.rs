//! What the value of an expression depends on.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::expand::{expand_predicate, no_column};
use crate::expr::{Arg, Expr, Selector, SortKey};
use crate::functions::{Func, FuncKind};
use crate::user::{self, UserFunction};
use crate::walk;

use super::{Decision, Lineage, Part, Sources};

/// What the value of an expression over a frame depends on, beside the rows that there are.
///
/// # Errors
/// `ColumnNotFound`, and other faults of selectors in it.
pub fn of(expr: &Expr, frame: &Lineage) -> Result<Sources> {
    match selects(expr) {
        // A row must satisfy a condition in each of the selected columns.
        true => value(&expand_predicate(expr, &frame.fields)?, frame),
        false => value(expr, frame),
    }
}

fn selects(expr: &Expr) -> bool {
    let mut found = matches!(expr, Expr::Columns(_));
    walk::children(expr, &mut |child| found |= selects(child));
    found
}

/// The same of an expression whose selectors are resolved.
pub(super) fn value(expr: &Expr, frame: &Lineage) -> Result<Sources> {
    let mut sources = Sources::default();
    match expr {
        Expr::Column(name) => return column(name, frame),
        Expr::Columns(Selector::Names(names)) => {
            for name in names {
                sources.take(&column(name, frame)?);
            }
        }
        // Expanded before; all of them is the safe side.
        Expr::Columns(_) => frame.columns.iter().for_each(|column| sources.take(column)),
        Expr::Literal(_) => {}
        Expr::Alias { expr, .. } | Expr::Rename { expr, .. } => return value(expr, frame),
        Expr::Cast { expr, .. } => sources.take(&value(expr, frame)?),
        Expr::Call { func, args } => return call(*func, args, frame),
        Expr::User { name, args } => {
            for arg in walk::arguments(args) {
                sources.take(&value(arg, frame)?);
            }
            match user::find(name).and_then(UserFunction::kind) {
                Some(FuncKind::Elementwise) => {}
                Some(_) => in_order(&mut sources, frame),
                None => sources.unknown = true,
            }
        }
        Expr::When {
            branches,
            otherwise,
        } => {
            for (condition, then) in branches {
                sources.decide(&value(condition, frame)?, Decision::Condition);
                sources.take(&value(then, frame)?);
            }
            if let Some(otherwise) = otherwise {
                sources.take(&value(otherwise, frame)?);
            }
        }
        Expr::Over {
            expr,
            partition_by,
            order_by,
        } => {
            sources.take(&value(expr, frame)?);
            windowed(&mut sources, partition_by, order_by, frame)?;
        }
        Expr::Window(window) => {
            for arg in &window.args {
                sources.take(&value(arg, frame)?);
            }
            windowed(&mut sources, &window.partition_by, &window.order_by, frame)?;
            // Rows that are equal in the order of the window come as they are.
            in_order(&mut sources, frame);
        }
    }
    Ok(sources)
}

fn column(name: &str, frame: &Lineage) -> Result<Sources> {
    match frame.column(name) {
        Some(column) => Ok((**column).clone()),
        None => Err(no_column(name, &frame.fields)),
    }
}

fn windowed(
    sources: &mut Sources,
    partition_by: &[Expr],
    order_by: &[SortKey],
    frame: &Lineage,
) -> Result<()> {
    for part in partition_by {
        sources.decide(&value(part, frame)?, Decision::Window);
    }
    for key in order_by {
        sources.decide(&value(&key.expr, frame)?, Decision::Window);
    }
    Ok(())
}

/// The value depends on the order of the rows.
fn in_order(sources: &mut Sources, frame: &Lineage) {
    sources.decide(&frame.in_order(), Decision::Sort);
}

fn call(func: Func, args: &[Arg], frame: &Lineage) -> Result<Sources> {
    if func == Func::StructField
        && let [Arg::Expr(inner), Arg::Str(name), ..] = args
    {
        return field(inner, name, frame);
    }
    let mut sources = Sources::default();
    for (index, arg) in args.iter().enumerate() {
        let how = role(func, index);
        for expr in walk::arguments(std::slice::from_ref(arg)) {
            let part = value(expr, frame)?;
            match how {
                None => sources.take(&part),
                Some(how) => sources.decide(&part, how),
            }
        }
    }
    if looks_at_order(func, args) {
        in_order(&mut sources, frame);
    }
    Ok(sources)
}

/// How an argument decides about the result of a function, where its values are not in it.
fn role(func: Func, index: usize) -> Option<Decision> {
    match (func, index) {
        (Func::Filter, 1..) => Some(Decision::Filter),
        (Func::First | Func::Last, 1..) => Some(Decision::Sort),
        // The number of rows that a sub-query found, which must be one.
        (Func::SqlSingle, 1) => Some(Decision::Condition),
        _ => None,
    }
}

/// Whether rows in another order may give another result.
fn looks_at_order(func: Func, args: &[Arg]) -> bool {
    match func {
        // Rows that are equal in the keys, if there are any, come as they are.
        Func::First | Func::Last | Func::AnyValue | Func::ModeAny => true,
        // Equal values are ranked as they come, by one of the methods.
        Func::Rank => matches!(args.get(1), Some(Arg::Str(method)) if method == "ordinal"),
        _ => matches!(
            walk::kind(func, args),
            FuncKind::Ordered | FuncKind::LengthChanging
        ),
    }
}

/// The field of a struct: of the origin where the struct is one as it is, of the expression that a struct is made of where
/// that is seen.
fn field(expr: &Expr, name: &str, frame: &Lineage) -> Result<Sources> {
    if let Expr::Call {
        func: Func::Struct,
        args,
    } = expr
    {
        let mut parts = walk::arguments(args);
        if let Some(part) = parts.find(|part| walk::output_name(part).as_deref() == Some(name)) {
            return value(part, frame);
        }
    }
    let mut sources = value(expr, frame)?;
    if sources.same {
        let inside = sources.made_of.into_iter().map(|mut origin| {
            if let Part::Column { path, .. } = &mut origin.part {
                path.push(name.to_owned());
            }
            origin
        });
        sources.made_of = inside.collect::<BTreeSet<_>>();
    }
    Ok(sources)
}
