//! Questions about expressions and steps: which columns, which functions, what name, how large.

use std::collections::BTreeSet;

use crate::expr::{Arg, Expr, NameChange, Selector};
use crate::functions::{Func, FuncKind};
use crate::op::Op;
use crate::window::WindowFunc;

/// Visits the expressions right below one.
pub fn children<'a>(expr: &'a Expr, visit: &mut impl FnMut(&'a Expr)) {
    match expr {
        Expr::Call { args, .. } | Expr::User { args, .. } => {
            arguments(args).for_each(&mut *visit);
        }
        Expr::Cast { expr, .. } | Expr::Alias { expr, .. } | Expr::Rename { expr, .. } => {
            visit(expr);
        }
        Expr::When {
            branches,
            otherwise,
        } => {
            for (condition, value) in branches {
                visit(condition);
                visit(value);
            }
            if let Some(otherwise) = otherwise {
                visit(otherwise);
            }
        }
        Expr::Over {
            expr,
            partition_by,
            order_by,
        } => {
            visit(expr);
            partition_by.iter().for_each(&mut *visit);
            order_by.iter().for_each(|key| visit(&key.expr));
        }
        Expr::Window(window) => {
            window.args.iter().for_each(&mut *visit);
            window.partition_by.iter().for_each(&mut *visit);
            window.order_by.iter().for_each(|key| visit(&key.expr));
        }
        _ => {}
    }
}

/// The expressions among arguments, in order.
pub fn arguments(args: &[Arg]) -> impl Iterator<Item = &Expr> {
    args.iter().flat_map(|arg| match arg {
        Arg::Expr(expr) => std::slice::from_ref(expr),
        Arg::Exprs(exprs) => exprs.as_slice(),
        _ => &[],
    })
}

fn each<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr)) {
    visit(expr);
    children(expr, &mut |child| each(child, visit));
}

/// Number of nodes of an expression.
#[must_use]
pub fn size(expr: &Expr) -> u64 {
    let mut count = 0;
    each(expr, &mut |_| count += 1);
    count
}

/// The columns that an expression names. Columns chosen by selectors other than by name are not among them.
#[must_use]
pub fn columns(expr: &Expr) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    each(expr, &mut |expr| match expr {
        Expr::Column(name) => {
            names.insert(name.clone());
        }
        Expr::Columns(Selector::Names(list)) => names.extend(list.iter().cloned()),
        _ => {}
    });
    names
}

/// The functions that an expression calls.
#[must_use]
pub fn functions(expr: &Expr) -> BTreeSet<Func> {
    let mut found = BTreeSet::new();
    each(expr, &mut |expr| {
        if let Expr::Call { func, .. } = expr {
            found.insert(*func);
        }
    });
    found
}

/// The names of the user's own functions that an expression calls, as far as they run in the engine.
#[must_use]
pub fn user_functions(expr: &Expr) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    each(expr, &mut |expr| {
        if let Expr::User { name, .. } = expr {
            found.insert(name.as_str());
        }
    });
    found
}

/// The names of the user's own functions that a step calls, or is.
#[must_use]
pub fn op_user_functions(op: &Op) -> BTreeSet<&str> {
    let mut found: BTreeSet<&str> = op_exprs(op).into_iter().flat_map(user_functions).collect();
    if let Op::Native { func, .. } = op {
        found.insert(func);
    }
    found
}

/// The functions that a step calls.
#[must_use]
pub fn op_functions(op: &Op) -> BTreeSet<Func> {
    op_exprs(op).into_iter().flat_map(functions).collect()
}

/// The functions of windows that a step calls.
#[must_use]
pub fn op_windows(op: &Op) -> BTreeSet<WindowFunc> {
    let mut found = BTreeSet::new();
    for expr in op_exprs(op) {
        each(expr, &mut |expr| {
            if let Expr::Window(window) = expr {
                found.insert(window.func);
            }
        });
    }
    found
}

/// The columns that the expressions of a step name.
#[must_use]
pub fn op_columns(op: &Op) -> BTreeSet<String> {
    op_exprs(op).into_iter().flat_map(columns).collect()
}

fn op_exprs(op: &Op) -> Vec<&Expr> {
    let mut found: Vec<&Expr> = Vec::new();
    match op {
        Op::Select { exprs } | Op::WithColumns { exprs } => found.extend(exprs),
        Op::Filter { predicate } => found.push(predicate),
        Op::Sort { by } | Op::TopK { by, .. } => found.extend(by.iter().map(|key| &key.expr)),
        Op::Unique { order_by, .. } => found.extend(order_by.iter().map(|key| &key.expr)),
        Op::Aggregate { keys, aggs, .. } => found.extend(keys.iter().chain(aggs)),
        Op::GroupBy { keys, .. } => found.extend(keys),
        Op::Agg { aggs } => found.extend(aggs),
        Op::WithRowIndex {
            order_by,
            partition_by,
            ..
        } => {
            found.extend(partition_by);
            found.extend(order_by.iter().map(|key| &key.expr));
        }
        Op::Native { args, .. } => found.extend(arguments(args)),
        _ => {}
    }
    found
}

/// The output name of an expression, where it does not depend on a schema.
#[must_use]
pub fn output_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Column(name) => Some(name.clone()),
        Expr::Columns(_) => None,
        Expr::Alias { expr, name } => (!is_several(expr)).then(|| name.clone()),
        Expr::Rename { expr, change } => {
            let root = match change {
                NameChange::Keep => return root_name(expr),
                _ => output_name(expr)?,
            };
            Some(match change {
                NameChange::Prefix(prefix) => format!("{prefix}{root}"),
                NameChange::Suffix(suffix) => format!("{root}{suffix}"),
                NameChange::Lowercase => root.to_lowercase(),
                NameChange::Uppercase => root.to_uppercase(),
                _ => return None,
            })
        }
        Expr::Literal(_) => Some("literal".into()),
        // A field is called by its own name.
        Expr::Call {
            func: Func::StructField,
            args,
        } => match args.get(1) {
            Some(Arg::Str(field)) => Some(field.clone()),
            _ => None,
        },
        Expr::Call { func, args } => match args.first() {
            Some(Arg::Expr(first)) => output_name(first),
            Some(Arg::Exprs(exprs)) => exprs.first().and_then(output_name),
            Some(Arg::Str(_)) => match args.get(1) {
                Some(Arg::Exprs(exprs)) => match exprs.first() {
                    Some(first) => output_name(first),
                    None => Some("literal".into()),
                },
                _ => None,
            },
            _ => (*func == Func::Len).then(|| "len".into()),
        },
        Expr::User { name, args } => match arguments(args).next() {
            Some(first) => output_name(first),
            None => name.rsplit('.').next().map(str::to_owned),
        },
        Expr::Cast { expr, .. } | Expr::Over { expr, .. } => output_name(expr),
        Expr::Window(window) => match window.args.first() {
            Some(first) => output_name(first),
            None => Some(window.func.name().to_owned()),
        },
        Expr::When { branches, .. } => branches.first().and_then(|(_, value)| output_name(value)),
    }
}

fn root_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Alias { expr, .. }
        | Expr::Rename { expr, .. }
        | Expr::Cast { expr, .. }
        | Expr::Over { expr, .. } => root_name(expr),
        Expr::Call { args, .. } => match args.first() {
            Some(Arg::Expr(first)) => root_name(first),
            _ => output_name(expr),
        },
        other => output_name(other),
    }
}

fn is_several(expr: &Expr) -> bool {
    let mut several = false;
    each(expr, &mut |expr| {
        several |= matches!(expr, Expr::Columns(selector) if !matches!(selector, Selector::Names(names) if names.len() == 1));
    });
    several
}

/// How a call relates rows to rows. Some functions change their kind with their arguments.
#[must_use]
pub fn kind(func: Func, args: &[Arg]) -> FuncKind {
    match func {
        Func::ModeAny if matches!(args.get(1), Some(Arg::Str(keep)) if keep == "any") => {
            FuncKind::Aggregate
        }
        Func::FillNull if matches!(args.get(2), Some(Arg::Str(_))) => FuncKind::Ordered,
        _ => func.def().kind,
    }
}
