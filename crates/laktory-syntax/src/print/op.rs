//! Steps as calls of frame methods.

use std::fmt::Write as _;

use laktory_core::{Expr, FrameName, Op, SortKey};

use super::expr::{self, Level};
use super::{call, dtype, literal, separated};

/// Writes a call argument by argument.
struct Arguments<'a> {
    out: &'a mut String,
    first: bool,
}

impl Arguments<'_> {
    fn next(&mut self) -> &mut String {
        if !self.first {
            self.out.push_str(", ");
        }
        self.first = false;
        self.out
    }

    fn named(&mut self, name: &str) -> &mut String {
        let out = self.next();
        out.push_str(name);
        out.push('=');
        out
    }

    fn text(&mut self, name: &str, text: &str) {
        literal::string(self.named(name), text);
    }

    fn flag(&mut self, name: &str, flag: bool) {
        self.named(name)
            .push_str(if flag { "True" } else { "False" });
    }

    fn number(&mut self, name: &str, number: impl std::fmt::Display) {
        let _ = write!(self.named(name), "{number}");
    }

    fn names(&mut self, name: &str, names: &[String]) {
        list(self.named(name), names);
    }

    fn some_names(&mut self, name: &str, names: Option<&[String]>) {
        if let Some(names) = names {
            self.names(name, names);
        }
    }

    fn frame(&mut self, frame: &FrameName) {
        let _ = write!(self.next(), "{frame}");
    }

    /// Columns, those with an alias by that name where it can be a keyword.
    fn columns(&mut self, exprs: &[Expr]) {
        // Python takes no positional argument behind a keyword.
        let keyword_from = exprs
            .iter()
            .rposition(|expr| keyword(expr).is_none())
            .map_or(0, |last| last + 1);
        for (index, expr) in exprs.iter().enumerate() {
            match keyword(expr).filter(|_| index >= keyword_from) {
                Some((name, inner)) => expr::column_argument(self.named(name), inner),
                None => expr::column_argument(self.next(), expr),
            }
        }
    }

    fn order(&mut self, keys: &[SortKey]) {
        if !keys.is_empty() {
            expr::order(self.next(), keys);
        }
    }
}

fn keyword(expr: &Expr) -> Option<(&str, &Expr)> {
    let Expr::Alias { expr, name } = expr else {
        return None;
    };
    let mut chars = name.chars();
    let identifier = chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|char| char.is_ascii_alphanumeric() || char == '_');
    identifier.then_some((name, expr))
}

fn list(out: &mut String, names: &[String]) {
    out.push('[');
    separated(out, names, |out, name| literal::string(out, name));
    out.push(']');
}

/// An enum of the contract by the name that users write, which is its name in serialized steps.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[allow(clippy::too_many_lines, reason = "one arm for each kind of step")]
pub(super) fn write(out: &mut String, op: &Op) {
    out.push_str(match op {
        Op::GroupBy { .. } => "group_by",
        Op::Agg { .. } => "agg",
        Op::Aggregate { .. } => "group_by.agg",
        Op::Union { .. } => "concat",
        Op::Native { func, .. } => func,
        op => op.kind().name(),
    });
    out.push('(');
    let mut args = Arguments { out, first: true };
    match op {
        Op::Select { exprs } | Op::WithColumns { exprs } => args.columns(exprs),
        Op::Agg { aggs } => args.columns(aggs),
        Op::Native { func, args: given } => call::user_arguments(args.out, func, given),
        Op::Filter { predicate } => expr::write(args.next(), predicate, Level::LOWEST),
        Op::Drop { columns, strict } => {
            list(args.next(), columns);
            if !strict {
                args.flag("strict", false);
            }
        }
        Op::Rename { mapping } => {
            let out = args.next();
            out.push('{');
            separated(out, mapping, |out, (old, new)| {
                literal::string(out, old);
                out.push_str(": ");
                literal::string(out, new);
            });
            out.push('}');
        }
        Op::Cast { columns } => {
            let out = args.next();
            out.push('{');
            separated(out, columns, |out, (name, to)| {
                literal::string(out, name);
                out.push_str(": ");
                dtype::write(out, to);
            });
            out.push('}');
        }
        Op::Sort { by } => {
            expr::column_keys(args.next(), by.iter().map(|key| &key.expr));
            expr::flags(args.out, "descending", by.iter().map(|key| key.descending));
            expr::flags(args.out, "nulls_last", by.iter().map(|key| key.nulls_last));
        }
        Op::Unique {
            subset,
            keep,
            order_by,
        } => {
            args.some_names("subset", subset.as_deref());
            args.text("keep", &word(keep));
            args.order(order_by);
        }
        Op::DropNulls { subset } => args.some_names("subset", subset.as_deref()),
        Op::Head { n } | Op::Tail { n } => {
            let _ = write!(args.next(), "{n}");
        }
        Op::TopK { k, by } => {
            let _ = write!(args.next(), "{k}");
            expr::column_keys(args.named("by"), by.iter().map(|key| &key.expr));
            expr::flags(args.out, "reverse", by.iter().map(|key| !key.descending));
        }
        Op::GatherEvery { n, offset } => {
            let _ = write!(args.next(), "{n}");
            if *offset != 0 {
                args.number("offset", offset);
            }
        }
        Op::Sample {
            n,
            fraction,
            with_replacement,
            seed,
        } => {
            if let Some(n) = n {
                args.number("n", n);
            }
            if let Some(fraction) = fraction {
                args.number("fraction", fraction);
            }
            if *with_replacement {
                args.flag("with_replacement", true);
            }
            if let Some(seed) = seed {
                args.number("seed", seed);
            }
        }
        Op::GroupBy {
            keys,
            drop_null_keys,
        } => {
            for key in keys {
                expr::column_key(args.next(), key);
            }
            if *drop_null_keys {
                args.flag("drop_null_keys", true);
            }
        }
        Op::Aggregate {
            keys,
            aggs,
            drop_null_keys,
        } => {
            args.columns(aggs);
            if !keys.is_empty() {
                expr::column_keys(args.named("keys"), keys.iter());
            }
            if *drop_null_keys {
                args.flag("drop_null_keys", true);
            }
        }
        Op::Join {
            right,
            how,
            left_on,
            right_on,
            suffix,
            nulls_equal,
        } => {
            args.frame(right);
            keys(
                &mut args,
                "on",
                ("left_on", left_on),
                ("right_on", right_on),
            );
            args.text("how", &word(how));
            if suffix != "_right" {
                args.text("suffix", suffix);
            }
            if *nulls_equal {
                args.flag("nulls_equal", true);
            }
        }
        Op::JoinAsof {
            right,
            left_on,
            right_on,
            by_left,
            by_right,
            strategy,
            suffix,
        } => {
            args.frame(right);
            let one = std::slice::from_ref;
            keys(
                &mut args,
                "on",
                ("left_on", one(left_on)),
                ("right_on", one(right_on)),
            );
            keys(
                &mut args,
                "by",
                ("by_left", by_left),
                ("by_right", by_right),
            );
            args.text("strategy", &word(strategy));
            if suffix != "_right" {
                args.text("suffix", suffix);
            }
        }
        Op::Union { others, how } => {
            let out = args.next();
            out.push('[');
            separated(out, others, |out, frame| {
                let _ = write!(out, "{frame}");
            });
            out.push(']');
            args.text("how", &word(how));
        }
        Op::WithRowIndex {
            name,
            order_by,
            partition_by,
        } => {
            literal::string(args.next(), name);
            args.order(order_by);
            if !partition_by.is_empty() {
                expr::column_keys(args.named("partition_by"), partition_by.iter());
            }
        }
        Op::Explode {
            columns,
            empty_as_null,
            keep_nulls,
        } => {
            list(args.next(), columns);
            if !empty_as_null {
                args.flag("empty_as_null", false);
            }
            if !keep_nulls {
                args.flag("keep_nulls", false);
            }
        }
        Op::Unpivot {
            on,
            index,
            variable_name,
            value_name,
        } => {
            args.some_names("on", on.as_deref());
            if !index.is_empty() {
                args.names("index", index);
            }
            args.text("variable_name", variable_name);
            args.text("value_name", value_name);
        }
        Op::Pivot {
            on,
            index,
            values,
            aggregate,
            sort_columns,
            separator,
        } => {
            args.names("on", on);
            args.some_names("index", index.as_deref());
            args.some_names("values", values.as_deref());
            if let Some(aggregate) = aggregate {
                args.text("aggregate_function", &word(aggregate));
            }
            if *sort_columns {
                args.flag("sort_columns", true);
            }
            if separator != "_" {
                args.text("separator", separator);
            }
        }
        _ => {}
    }
    out.push(')');
}

fn keys(
    args: &mut Arguments<'_>,
    both: &str,
    (left_name, left): (&str, &[String]),
    (right_name, right): (&str, &[String]),
) {
    if left == right {
        if !left.is_empty() {
            args.names(both, left);
        }
    } else {
        args.names(left_name, left);
        args.names(right_name, right);
    }
}
