//! Sets of columns, and the precedence of their algebra.

use std::fmt::Write as _;

use laktory_core::{Expr, Selector};

use super::expr::Level;
use super::{dtype, literal, separated};

/// How tight the text of a selector binds.
pub(super) fn level(selector: &Selector) -> Level {
    match selector {
        Selector::Union(..) => Level::OR,
        Selector::Intersection(..) => Level::AND,
        Selector::Difference(..) if excluded(selector).is_none() => Level::SUM,
        Selector::Not(_) => Level::UNARY,
        _ => Level::POSTFIX,
    }
}

fn excluded(selector: &Selector) -> Option<&[String]> {
    match selector {
        Selector::Difference(all, names) => match (&**all, &**names) {
            (Selector::All, Selector::Names(names)) if !names.is_empty() => Some(names),
            _ => None,
        },
        _ => None,
    }
}

/// A selector that stands for columns by itself.
pub(super) fn write(out: &mut String, selector: &Selector) {
    match selector {
        Selector::All => out.push_str("nw.all()"),
        Selector::Names(names) if names.len() > 1 => call(out, "nw.col", names),
        other => match excluded(other) {
            Some(names) => call(out, "nw.exclude", names),
            None => operand(out, other, Level::LOWEST),
        },
    }
}

fn call(out: &mut String, name: &str, texts: &[String]) {
    out.push_str(name);
    out.push('(');
    separated(out, texts, |out, text| literal::string(out, text));
    out.push(')');
}

fn pair(out: &mut String, left: &Selector, op: &str, right: &Selector, level: Level) {
    operand(out, left, level);
    let _ = write!(out, " {op} ");
    operand(out, right, level.tighter());
}

/// A selector as operand of the algebra, where `nw.selectors` must be spelt out.
fn operand(out: &mut String, selector: &Selector, at_least: Level) {
    let parentheses = level(selector) < at_least;
    if parentheses {
        out.push('(');
    }
    match selector {
        Selector::All => out.push_str("nw.selectors.all()"),
        Selector::Names(names) => call(out, "nw.selectors.by_name", names),
        Selector::Nth(indices) => {
            out.push_str("nw.nth(");
            separated(out, indices, |out, index| {
                let _ = write!(out, "{index}");
            });
            out.push(')');
        }
        Selector::Matches(pattern) => {
            out.push_str("nw.selectors.matches(");
            literal::string(out, pattern);
            out.push(')');
        }
        Selector::DTypes(dtypes) => {
            out.push_str("nw.selectors.by_dtype(");
            separated(out, dtypes, dtype::write);
            out.push(')');
        }
        Selector::Numeric => out.push_str("nw.selectors.numeric()"),
        Selector::String => out.push_str("nw.selectors.string()"),
        Selector::Boolean => out.push_str("nw.selectors.boolean()"),
        Selector::Categorical => out.push_str("nw.selectors.categorical()"),
        Selector::Enum => out.push_str("nw.selectors.enum()"),
        Selector::Datetime { units, zones } => {
            out.push_str("nw.selectors.datetime(");
            if !units.is_empty() || !zones.is_empty() {
                out.push('[');
                separated(out, units, |out, unit| literal::string(out, unit.name()));
                out.push(']');
            }
            if !zones.is_empty() {
                out.push_str(", [");
                separated(out, zones, |out, zone| match zone {
                    Some(zone) => literal::string(out, zone),
                    None => out.push_str("None"),
                });
                out.push(']');
            }
            out.push(')');
        }
        Selector::Union(a, b) => pair(out, a, "|", b, Level::OR),
        Selector::Intersection(a, b) => pair(out, a, "&", b, Level::AND),
        Selector::Difference(a, b) => pair(out, a, "-", b, Level::SUM),
        Selector::Not(inner) => {
            out.push('~');
            operand(out, inner, Level::UNARY);
        }
        // A kind of selector that is newer than this printer.
        other => {
            let _ = write!(out, "nw.selectors.{other:?}");
        }
    }
    if parentheses {
        out.push(')');
    }
}

/// The names of plain columns, where the parser takes texts for them.
pub(super) fn column_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(name) => Some(name),
        _ => None,
    }
}
