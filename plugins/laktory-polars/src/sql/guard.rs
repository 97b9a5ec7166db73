//! What polars-sql would open, ignore, panic on, or answer with a dump of the parsed statement, refused by name.

use std::ops::ControlFlow;

use laktory_core::{Error, ErrorKind, Result};
use polars::prelude::Duration;
use sqlparser::ast::{
    DataType, ExactNumberInfo, Expr, GroupByExpr, Interval, LimitClause, ObjectName, OrderByKind,
    Query, Select, SelectItem, SetExpr, Statement, TableFactor, Value, Visit, Visitor,
};

/// Rows that polars takes memory for when it sorts and cuts.
const MOST_SORTED: f64 = 20_000_000.0;

/// Refuses a statement that asks for what is not part of the language.
///
/// # Errors
/// `Unsupported`, `InvalidArgument`, `SqlSyntax`.
pub(super) fn check(statement: &Statement) -> Result<()> {
    let mut guard = Guard(None);
    let _ = statement.visit(&mut guard);
    guard.0.map_or(Ok(()), Err)
}

struct Guard(Option<Error>);

impl Guard {
    fn judge(&mut self, outcome: Result<()>) -> ControlFlow<()> {
        match outcome {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.0 = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl Visitor for Guard {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.judge(check_query(query))
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.judge(check_select(select))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.judge(check_table(factor))
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.judge(check_expr(expr))
    }
}

fn unavailable(what: &str) -> Error {
    Error::unsupported(format!("{what} is not available on backend POLARS"))
}

fn check_query(query: &Query) -> Result<()> {
    let clause = if !query.locks.is_empty() {
        "FOR UPDATE"
    } else if query.for_clause.is_some() {
        "FOR"
    } else if query.settings.is_some() {
        "SETTINGS"
    } else if query.format_clause.is_some() {
        "FORMAT"
    } else if !query.pipe_operators.is_empty() {
        "`|>`"
    } else if query.with.as_ref().is_some_and(|with| with.recursive) {
        "WITH RECURSIVE"
    } else {
        ""
    };
    if !clause.is_empty() {
        return Err(unavailable(clause));
    }
    let Some(order) = &query.order_by else {
        return Ok(());
    };
    if let Some(LimitClause::LimitOffset {
        limit: Some(limit), ..
    }) = &query.limit_clause
        && let Some(limit) = number(limit)
        && limit.parse::<f64>().is_ok_and(|limit| limit > MOST_SORTED)
    {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("LIMIT {limit} behind ORDER BY takes memory for that many rows"),
        )
        .with_hint("leave it out, or sort in a step of its own"));
    }
    let SetExpr::Select(select) = &*query.body else {
        return Ok(());
    };
    match &order.kind {
        OrderByKind::Expressions(keys) => {
            positions("ORDER BY", keys.iter().map(|key| &key.expr), select)
        }
        OrderByKind::All(_) => Ok(()),
    }
}

fn check_select(select: &Select) -> Result<()> {
    let grouped = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(keys, _) => {
            positions("GROUP BY", keys, select)?;
            !keys.is_empty()
        }
    };
    if select.having.is_some() && !grouped {
        return Err(unavailable("HAVING without GROUP BY")
            .with_hint("aggregate in a common table expression, and filter it with WHERE"));
    }
    Ok(())
}

/// Refuses numbers that are no position of the selection.
fn positions<'a>(
    clause: &str,
    keys: impl IntoIterator<Item = &'a Expr>,
    select: &Select,
) -> Result<()> {
    let wild = |item: &SelectItem| {
        matches!(
            item,
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
        )
    };
    let count = match select.projection.iter().any(wild) {
        true => usize::MAX,
        false => select.projection.len(),
    };
    for key in keys {
        let Some(number) = number(key) else { continue };
        let position = number.parse::<usize>().unwrap_or(usize::MAX);
        if position == 0 || position > count || position == usize::MAX {
            return Err(Error::new(
                ErrorKind::SqlSyntax,
                format!("{clause} {number} is no position of the selected columns"),
            )
            .with_hint("positions are counted from 1"));
        }
    }
    Ok(())
}

fn number(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn check_table(factor: &TableFactor) -> Result<()> {
    let function = |name: &ObjectName| {
        Error::unsupported(format!("there is no table function `{name}`"))
            .with_hint("rows come from frames, such as `{df}` or `{nodes.name}`")
    };
    match factor {
        TableFactor::Table {
            name,
            args,
            with_hints,
            version,
            with_ordinality,
            partitions,
            json_path,
            sample,
            index_hints,
            ..
        } => {
            if args.is_some() {
                return Err(function(name));
            }
            if sample.is_some() {
                return Err(sampled());
            }
            let plain = with_hints.is_empty()
                && version.is_none()
                && !with_ordinality
                && partitions.is_empty()
                && json_path.is_none()
                && index_hints.is_empty();
            match plain {
                true => Ok(()),
                false => Err(unavailable(&format!(
                    "what is said about the relation `{name}`"
                ))),
            }
        }
        TableFactor::Function { name, .. } => Err(function(name)),
        TableFactor::Derived { sample, .. } => match sample {
            Some(_) => Err(sampled()),
            None => Ok(()),
        },
        TableFactor::UNNEST { .. } | TableFactor::NestedJoin { .. } => Ok(()),
        TableFactor::Pivot { .. } => Err(unavailable("PIVOT").with_hint("use the method `pivot`")),
        TableFactor::Unpivot { .. } => {
            Err(unavailable("UNPIVOT").with_hint("use the method `unpivot`"))
        }
        TableFactor::TableFunction { .. } => Err(unavailable("TABLE(...)")),
        TableFactor::MatchRecognize { .. } => Err(unavailable("MATCH_RECOGNIZE")),
        TableFactor::JsonTable { .. } => Err(unavailable("JSON_TABLE")),
        TableFactor::XmlTable { .. } => Err(unavailable("XMLTABLE")),
        _ => Err(unavailable("a relation of this kind")),
    }
}

fn sampled() -> Error {
    unavailable("TABLESAMPLE").with_hint("use the method `sample`")
}

fn check_expr(expr: &Expr) -> Result<()> {
    match expr {
        Expr::SimilarTo { .. } => Err(unavailable("SIMILAR TO")
            .with_hint("write a regular expression: `REGEXP_LIKE(s, '^(a|b)')`")),
        Expr::Overlay { .. } => {
            Err(unavailable("OVERLAY").with_hint("write `CONCAT` and `SUBSTRING`"))
        }
        Expr::Map(_) | Expr::Dictionary(_) => Err(unavailable("MAP")),
        Expr::Convert { .. } => Err(unavailable("CONVERT").with_hint("write `CAST(x AS INT)`")),
        Expr::Collate { .. } => Err(unavailable("COLLATE")),
        Expr::MatchAgainst { .. } => Err(unavailable("MATCH ... AGAINST")),
        Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_) => Ok(()),
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => Err(unavailable(&format!("the parameter `{name}`"))
                .with_hint("write the value, or a variable: `${vars.x}`")),
            _ => Ok(()),
        },
        Expr::Cast { data_type, .. } => check_type(data_type),
        Expr::Interval(interval) => check_interval(interval),
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("columns") => {
            Err(unavailable("COLUMNS(...)")
                .with_hint("name the columns, or use a method with selectors"))
        }
        _ => Ok(()),
    }
}

/// Refuses decimals that no engine has.
fn check_type(data_type: &DataType) -> Result<()> {
    let (DataType::Decimal(info) | DataType::Numeric(info) | DataType::Dec(info)) = data_type
    else {
        return Ok(());
    };
    let (precision, scale) = match info {
        ExactNumberInfo::None => return Ok(()),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    let fits =
        (1..=38).contains(&precision) && u64::try_from(scale).is_ok_and(|scale| scale <= precision);
    if fits {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!("there is no type `{data_type}`"),
    )
    .with_hint("decimals have 1 to 38 digits, of which at most all stand behind the point"))
}

/// Refuses texts that polars takes for granted.
fn check_interval(interval: &Interval) -> Result<()> {
    let Expr::Value(value) = &*interval.value else {
        return Ok(());
    };
    let Value::SingleQuotedString(text) = &value.value else {
        return Ok(());
    };
    let valid = std::panic::catch_unwind(|| Duration::try_parse_interval(text));
    match valid {
        Ok(Ok(_)) => Ok(()),
        _ => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("`{text}` is not an interval"),
        )
        .with_hint("write whole numbers and units: `INTERVAL '1 hour 30 minutes'`")),
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::dialect::GenericDialect;
    use sqlparser::parser::Parser;

    use super::*;

    fn refused(text: &str) -> String {
        let statements = Parser::parse_sql(&GenericDialect, text).unwrap();
        check(&statements[0]).unwrap_err().message().to_owned()
    }

    #[test]
    fn what_is_not_part_of_the_language_is_named() {
        for (text, message) in [
            (
                "SELECT * FROM read_csv('/any/file')",
                "there is no table function `read_csv`",
            ),
            (
                "SELECT a FROM (SELECT * FROM READ_PARQUET('x')) q",
                "there is no table function `READ_PARQUET`",
            ),
            (
                "SELECT a FROM t TABLESAMPLE (10 PERCENT)",
                "TABLESAMPLE is not available",
            ),
            ("SELECT a FROM t ORDER BY 0", "ORDER BY 0 is no position"),
            ("SELECT a FROM t ORDER BY 2", "ORDER BY 2 is no position"),
            (
                "SELECT a, COUNT(*) FROM t GROUP BY 99999999999999999999",
                "GROUP BY",
            ),
            (
                "SELECT CAST(a AS DECIMAL(1000, 5)) FROM t",
                "there is no type `DECIMAL(1000,5)`",
            ),
            (
                "SELECT CAST(a AS DECIMAL(5, 10)) FROM t",
                "there is no type",
            ),
            (
                "SELECT t + INTERVAL 'evil' FROM t",
                "`evil` is not an interval",
            ),
            (
                "SELECT t + INTERVAL '9000000000000000000 years' FROM t",
                "is not an interval",
            ),
            (
                "SELECT COLUMNS('(') FROM t",
                "COLUMNS(...) is not available",
            ),
            (
                "SELECT SUM(a) FROM t HAVING SUM(a) > 1",
                "HAVING without GROUP BY",
            ),
            (
                "SELECT a SIMILAR TO 'b' FROM t",
                "SIMILAR TO is not available",
            ),
            (
                "SELECT OVERLAY(a PLACING 'b' FROM 1) FROM t",
                "OVERLAY is not available",
            ),
            ("SELECT MAP {'a': 1} FROM t", "MAP is not available"),
            ("SELECT $1 FROM t", "the parameter `$1`"),
            ("SELECT * FROM TABLE(f(1))", "TABLE(...) is not available"),
            (
                "SELECT * FROM t PIVOT(SUM(a) FOR b IN ('x'))",
                "PIVOT is not available",
            ),
        ] {
            let told = refused(text);
            assert!(told.contains(message), "{text}: {told}");
        }
        for text in [
            "SELECT a, b FROM t ORDER BY 2, a",
            "SELECT *, 1 FROM t ORDER BY 7",
            "SELECT CAST(a AS DECIMAL(38, 38)), t + INTERVAL '1 day 2 hours' FROM t",
            "SELECT a, SUM(b) FROM t GROUP BY a HAVING SUM(b) > 1",
        ] {
            let statements = Parser::parse_sql(&GenericDialect, text).unwrap();
            assert!(check(&statements[0]).is_ok(), "{text}");
        }
    }
}
