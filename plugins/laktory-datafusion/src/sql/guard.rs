//! What the engine would ignore, never end, or answer with a dump of the parsed statement, refused by name.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, Statement, TableFactor, Value, Visit, Visitor};
use laktory_core::{Error, Result};

/// Refuses a statement that asks for what is not part of the language.
///
/// # Errors
/// `Unsupported`.
pub(super) fn check(statement: &Statement) -> Result<()> {
    let mut guard = Guard(None);
    let _ = statement.visit(&mut guard);
    guard.0.map_or(Ok(()), Err)
}

struct Guard(Option<Error>);

impl Guard {
    fn judge(&mut self, found: Option<Error>) -> ControlFlow<()> {
        match found {
            None => ControlFlow::Continue(()),
            Some(error) => {
                self.0 = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl Visitor for Guard {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let clause = if query.with.as_ref().is_some_and(|with| with.recursive) {
            Some("WITH RECURSIVE")
        } else if !query.locks.is_empty() {
            Some("FOR UPDATE")
        } else if query.for_clause.is_some() {
            Some("FOR")
        } else if query.settings.is_some() {
            Some("SETTINGS")
        } else if query.format_clause.is_some() {
            Some("FORMAT")
        } else {
            None
        };
        self.judge(clause.map(unavailable))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.judge(table(factor))
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let found = match expr {
            Expr::Value(value) => match &value.value {
                Value::Placeholder(name) => Some(
                    unavailable(&format!("the parameter `{name}`"))
                        .with_hint("write the value, or a variable: `${vars.x}`"),
                ),
                _ => None,
            },
            _ => None,
        };
        self.judge(found)
    }
}

fn unavailable(what: &str) -> Error {
    Error::unsupported(format!("{what} is not available on backend DATAFUSION"))
}

fn table(factor: &TableFactor) -> Option<Error> {
    let sampled = || unavailable("TABLESAMPLE").with_hint("use the method `sample`");
    match factor {
        TableFactor::Table {
            name,
            with_hints,
            version,
            with_ordinality,
            partitions,
            json_path,
            sample,
            index_hints,
            ..
        } => {
            if sample.is_some() {
                return Some(sampled());
            }
            let plain = with_hints.is_empty()
                && version.is_none()
                && !with_ordinality
                && partitions.is_empty()
                && json_path.is_none()
                && index_hints.is_empty();
            (!plain).then(|| unavailable(&format!("what is said about the relation `{name}`")))
        }
        TableFactor::Derived { sample, .. } => sample.is_some().then(sampled),
        TableFactor::Pivot { .. } => Some(unavailable("PIVOT").with_hint("use the method `pivot`")),
        TableFactor::Unpivot { .. } => {
            Some(unavailable("UNPIVOT").with_hint("use the method `unpivot`"))
        }
        TableFactor::TableFunction { .. } => Some(unavailable("TABLE(...)")),
        TableFactor::MatchRecognize { .. } => Some(unavailable("MATCH_RECOGNIZE")),
        TableFactor::JsonTable { .. } => Some(unavailable("JSON_TABLE")),
        TableFactor::XmlTable { .. } => Some(unavailable("XMLTABLE")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    #[test]
    fn what_is_not_part_of_the_language_is_named() {
        for (text, message) in [
            (
                "SELECT a FROM t TABLESAMPLE (10 PERCENT)",
                "TABLESAMPLE is not available",
            ),
            (
                "SELECT * FROM t PIVOT(SUM(a) FOR b IN ('x'))",
                "PIVOT is not available",
            ),
            ("SELECT * FROM TABLE(f(1))", "TABLE(...) is not available"),
            ("SELECT $1 FROM t", "the parameter `$1`"),
            (
                "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r) SELECT n FROM r",
                "WITH RECURSIVE is not available",
            ),
        ] {
            let statements = Parser::parse_sql(&GenericDialect, text).unwrap();
            let error = check(&statements[0]).unwrap_err();
            assert!(
                error.message().contains(message),
                "{text}: {}",
                error.message()
            );
        }
        let text = "SELECT a FROM (SELECT UNNEST(l) AS a FROM t) q JOIN u USING (a)";
        let statements = Parser::parse_sql(&GenericDialect, text).unwrap();
        assert!(check(&statements[0]).is_ok());
    }
}
