//! Calls of functions and methods, with their arguments by the parameters of the function table: positional as far as
//! none is left out, then by name; arguments that are the default are left out.

use std::fmt::Write as _;

use laktory_core::{Arg, Func, Param, ParamType, Receiver, user};

use super::expr::{self, Level};
use super::{dtype, literal, separated};
use crate::python::convert;

pub(super) fn write(out: &mut String, func: Func, args: &[Arg]) {
    let def = func.def();
    let mut rest = args;
    let mut first = true;
    match def.receiver {
        Receiver::Method => {
            match args.first() {
                Some(Arg::Expr(receiver)) => expr::write(out, receiver, Level::POSTFIX),
                other => value(out, ParamType::Column, other.unwrap_or(&Arg::Absent)),
            }
            rest = args.get(1..).unwrap_or_default();
            let _ = write!(out, ".{}(", def.path);
        }
        Receiver::Function => {
            let _ = write!(out, "nw.{}(", def.path);
        }
        Receiver::Operator => {
            // Operators of SQL that Python has not are functions of their operands.
            let _ = write!(out, "nw.{}(", def.path);
            if let Some(receiver) = args.first() {
                value(out, ParamType::Column, receiver);
                first = false;
            }
            rest = args.get(1..).unwrap_or_default();
        }
    }
    arguments(out, def.params, rest, first);
    out.push(')');
}

/// A call of a function of the user's own; of one that this program does not have, the parameters are unknown.
pub(super) fn user(out: &mut String, name: &str, args: &[Arg]) {
    let _ = write!(out, "nw.{name}(");
    user_arguments(out, name, args);
    out.push(')');
}

/// The arguments of such a call.
pub(super) fn user_arguments(out: &mut String, name: &str, args: &[Arg]) {
    match user::find(name) {
        Some(function) => arguments(out, function.params, args, true),
        None => separated(out, args, |out, arg| value(out, ParamType::Column, arg)),
    }
}

/// Arguments by their parameters, behind a first one that may stand there already.
fn arguments(out: &mut String, params: &[Param], args: &[Arg], mut first: bool) {
    let mut by_name = false;
    for (param, arg) in params.iter().zip(args) {
        if *arg == Arg::Absent || *arg == convert::default(param) {
            by_name |= param.ty != ParamType::Columns;
            continue;
        }
        let variadic = param.ty == ParamType::Columns;
        if !first {
            out.push_str(", ");
        }
        first = false;
        if by_name || param.keyword_only || variadic && param.name == "order_by" {
            let _ = write!(out, "{}=", param.name);
            match arg {
                Arg::Exprs(exprs) => expr::column_keys(out, exprs.iter()),
                arg => value(out, param.ty, arg),
            }
        } else {
            value(out, param.ty, arg);
        }
        by_name |= variadic;
    }
}

fn value(out: &mut String, ty: ParamType, arg: &Arg) {
    match arg {
        Arg::Expr(expr) if ty == ParamType::Literal => expr::literal_argument(out, expr),
        Arg::Expr(expr) => expr::column_argument(out, expr),
        Arg::Exprs(exprs) => separated(out, exprs, expr::column_argument),
        Arg::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
        Arg::Int(value) => {
            let _ = write!(out, "{value}");
        }
        Arg::Float(value) => literal::float(out, *value),
        Arg::Str(text) => literal::string(out, text),
        Arg::DType(to) => dtype::write(out, to),
        Arg::Values(values) => {
            out.push('[');
            separated(out, values, literal::write);
            out.push(']');
        }
        Arg::Mapping(pairs) => {
            out.push('{');
            separated(out, pairs, |out, (old, new)| {
                literal::write(out, old);
                out.push_str(": ");
                literal::write(out, new);
            });
            out.push('}');
        }
        Arg::Frame(frame) => {
            let _ = write!(out, "{frame}");
        }
        _ => out.push_str("None"),
    }
}
