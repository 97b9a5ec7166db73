//! Expressions with Python's precedence: parentheses stand only where the text would be read otherwise.

use std::fmt::Write as _;

use laktory_core::{Arg, Expr, Func, NameChange, Scalar, SortKey};

use super::{call, dtype, literal, selector, separated};

/// How tight a text binds, by Python's grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Level(u8);

impl Level {
    pub(super) const LOWEST: Self = Self(0);
    pub(super) const COMPARISON: Self = Self(1);
    pub(super) const OR: Self = Self(2);
    pub(super) const XOR: Self = Self(3);
    pub(super) const AND: Self = Self(4);
    pub(super) const SUM: Self = Self(5);
    pub(super) const PRODUCT: Self = Self(6);
    pub(super) const UNARY: Self = Self(7);
    pub(super) const POWER: Self = Self(8);
    pub(super) const POSTFIX: Self = Self(9);

    /// The next level, for the side on which an operator does not associate.
    pub(super) fn tighter(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The level of a binary operator, and the levels its operands need.
fn binary(func: Func) -> Option<(Level, Level, Level)> {
    let level = match func {
        Func::Eq | Func::Ne | Func::Lt | Func::Le | Func::Gt | Func::Ge => {
            let level = Level::COMPARISON;
            return Some((level, level.tighter(), level.tighter()));
        }
        Func::Pow => return Some((Level::POWER, Level::POSTFIX, Level::UNARY)),
        Func::Or => Level::OR,
        Func::Xor => Level::XOR,
        Func::And => Level::AND,
        Func::Add | Func::Sub => Level::SUM,
        Func::Mul | Func::TrueDiv | Func::FloorDiv | Func::Mod => Level::PRODUCT,
        _ => return None,
    };
    Some((level, level, level.tighter()))
}

/// How tight the text of an expression binds.
fn level(expr: &Expr) -> Level {
    match expr {
        Expr::Columns(set) => selector::level(set),
        Expr::Call { func, .. } => match func {
            Func::Neg | Func::Not => Level::UNARY,
            _ => binary(*func).map_or(Level::POSTFIX, |(level, ..)| level),
        },
        _ => Level::POSTFIX,
    }
}

fn parenthesized(out: &mut String, needed: bool, write: impl FnOnce(&mut String)) {
    if needed {
        out.push('(');
    }
    write(out);
    if needed {
        out.push(')');
    }
}

/// An expression, in parentheses when it binds less than `at_least`.
pub(super) fn write(out: &mut String, expr: &Expr, at_least: Level) {
    parenthesized(out, level(expr) < at_least, |out| bare(out, expr));
}

fn bare(out: &mut String, expr: &Expr) {
    match expr {
        Expr::Column(name) => {
            out.push_str("nw.col(");
            literal::string(out, name);
            out.push(')');
        }
        Expr::Columns(set) => selector::write(out, set),
        Expr::Literal(scalar) => {
            out.push_str("nw.lit(");
            literal::write(out, scalar);
            out.push(')');
        }
        Expr::Call { func, args } => operator(out, *func, args),
        Expr::User { name, args } => call::user(out, name, args),
        Expr::Cast { expr, to, strict } => {
            write(out, expr, Level::POSTFIX);
            out.push_str(".cast(");
            dtype::write(out, to);
            out.push_str(if *strict { ")" } else { ", strict=False)" });
        }
        Expr::When {
            branches,
            otherwise,
        } => {
            out.push_str("nw");
            for (condition, value) in branches {
                out.push_str(".when(");
                column_argument(out, condition);
                out.push_str(").then(");
                column_argument(out, value);
                out.push(')');
            }
            if let Some(value) = otherwise {
                out.push_str(".otherwise(");
                column_argument(out, value);
                out.push(')');
            }
        }
        Expr::Over {
            expr,
            partition_by,
            order_by,
        } => {
            write(out, expr, Level::POSTFIX);
            out.push_str(".over(");
            separated(out, partition_by, column_key);
            if !order_by.is_empty() {
                if !partition_by.is_empty() {
                    out.push_str(", ");
                }
                order(out, order_by);
            }
            out.push(')');
        }
        Expr::Window(window) => {
            out.push_str("nw.sql.");
            out.push_str(window.func.name());
            out.push('(');
            separated(out, &window.args, column_argument);
            out.push_str(").over(");
            separated(out, &window.partition_by, column_key);
            if !window.order_by.is_empty() {
                if !window.partition_by.is_empty() {
                    out.push_str(", ");
                }
                order(out, &window.order_by);
            }
            out.push(')');
        }
        Expr::Alias { expr, name } => {
            write(out, expr, Level::POSTFIX);
            out.push_str(".alias(");
            literal::string(out, name);
            out.push(')');
        }
        Expr::Rename { expr, change } => {
            write(out, expr, Level::POSTFIX);
            let (method, text) = match change {
                NameChange::Prefix(text) => ("prefix", Some(text)),
                NameChange::Suffix(text) => ("suffix", Some(text)),
                NameChange::Lowercase => ("to_lowercase", None),
                NameChange::Uppercase => ("to_uppercase", None),
                _ => ("keep", None),
            };
            out.push_str(".name.");
            out.push_str(method);
            out.push('(');
            if let Some(text) = text {
                literal::string(out, text);
            }
            out.push(')');
        }
        // A shape that is newer than this printer.
        other => {
            let _ = write!(out, "{other:?}");
        }
    }
}

fn operator(out: &mut String, func: Func, args: &[Arg]) {
    match (func, args) {
        (Func::Neg | Func::Not, [Arg::Expr(operand)]) => {
            out.push(if func == Func::Neg { '-' } else { '~' });
            write(out, operand, Level::UNARY);
        }
        (_, [Arg::Expr(left), Arg::Expr(right)]) => match binary(func) {
            Some((_, left_level, right_level)) => {
                // One side must stay an expression, or the parser would compute a constant.
                let left_plain = plain(left).filter(|_| plain(right).is_none());
                match left_plain {
                    Some(scalar) => constant(out, scalar, left_level),
                    None => write(out, left, left_level),
                }
                out.push(' ');
                out.push_str(func.def().path);
                out.push(' ');
                match plain(right) {
                    Some(scalar) => constant(out, scalar, right_level),
                    None => write(out, right, right_level),
                }
            }
            None => call::write(out, func, args),
        },
        _ => call::write(out, func, args),
    }
}

/// A constant that may stand beside an operator as it is.
fn plain(expr: &Expr) -> Option<&Scalar> {
    match expr {
        Expr::Literal(Scalar::List(_)) => None,
        Expr::Literal(scalar) => Some(scalar),
        _ => None,
    }
}

fn constant(out: &mut String, scalar: &Scalar, at_least: Level) {
    let signed = literal::is_negative(scalar) && Level::UNARY < at_least;
    parenthesized(out, signed, |out| literal::write(out, scalar));
}

/// An argument where a text would be a column.
pub(super) fn column_argument(out: &mut String, expr: &Expr) {
    match expr {
        Expr::Literal(Scalar::Str(_) | Scalar::List(_)) => write(out, expr, Level::LOWEST),
        Expr::Literal(scalar) => literal::write(out, scalar),
        _ => write(out, expr, Level::LOWEST),
    }
}

/// An argument where a text is that text. A bare `None` would be an argument that is not given.
pub(super) fn literal_argument(out: &mut String, expr: &Expr) {
    match plain(expr) {
        Some(Scalar::Null) | None => write(out, expr, Level::LOWEST),
        Some(scalar) => literal::write(out, scalar),
    }
}

/// A key of a partition or an order: a column by its name alone.
pub(super) fn column_key(out: &mut String, expr: &Expr) {
    match selector::column_name(expr) {
        Some(name) => literal::string(out, name),
        None => write(out, expr, Level::LOWEST),
    }
}

/// One key, or a list of keys.
pub(super) fn column_keys<'a>(out: &mut String, keys: impl ExactSizeIterator<Item = &'a Expr>) {
    let many = keys.len() != 1;
    if many {
        out.push('[');
    }
    separated(out, keys, column_key);
    if many {
        out.push(']');
    }
}

/// `order_by=..., descending=..., nulls_last=...`, leaving out what is the default.
pub(super) fn order(out: &mut String, keys: &[SortKey]) {
    out.push_str("order_by=");
    column_keys(out, keys.iter().map(|key| &key.expr));
    flags(out, "descending", keys.iter().map(|key| key.descending));
    flags(out, "nulls_last", keys.iter().map(|key| key.nulls_last));
}

/// A keyword argument with a flag for all keys, or one for each; nothing when all are false.
pub(super) fn flags(out: &mut String, name: &str, flags: impl Iterator<Item = bool> + Clone) {
    let python = |flag: bool| if flag { "True" } else { "False" };
    if flags.clone().all(|flag| !flag) {
        return;
    }
    out.push_str(", ");
    out.push_str(name);
    out.push('=');
    if flags.clone().all(|flag| flag) {
        out.push_str("True");
    } else {
        out.push('[');
        separated(out, flags, |out, flag| out.push_str(python(flag)));
        out.push(']');
    }
}
