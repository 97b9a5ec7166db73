//! The table of what statements may say elsewhere and the front end does not have. Whatever it refuses so has a row: the
//! reference page lists them, and a test provokes each.

/// What the front end does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What it is, as messages name it.
    pub what: &'static str,
    /// What to write instead; empty where nothing takes its place.
    pub instead: &'static str,
    /// A statement that is refused for it; empty where the grammar reads none.
    pub example: &'static str,
}

macro_rules! refusals {
    ($( $name:ident: $what:literal, $instead:literal, $example:literal; )+) => {
        $( pub(crate) const $name: Refusal = Refusal {
            what: $what,
            instead: $instead,
            example: $example,
        }; )+

        /// Every row.
        pub const REFUSALS: &[Refusal] = &[ $( $name ),+ ];
    };
}

refusals! {
    // --- queries ---
    RECURSIVE: "WITH RECURSIVE", "write as many common tables as there are levels",
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT n FROM t";
    STATEMENT: "a statement inside of a query", "write a sink for what is to be written",
        "WITH t AS (INSERT INTO u VALUES (1)) SELECT k FROM {df}";
    ORDER_ALL: "ORDER BY ALL in a sub-query that uses the outer row", "name the columns, or their positions",
        "SELECT k FROM {df} AS a WHERE k IN (SELECT b.k FROM {df} AS b WHERE b.x = a.x ORDER BY ALL)";
    ORDER_QUERY: "a sub-query in ORDER BY", "select the value under a name, and order by the name",
        "SELECT k FROM {df} UNION SELECT x FROM {df} ORDER BY (SELECT MAX(x) FROM {df})";
    ORDER_USING: "ORDER BY ... USING", "write ASC or DESC", "";
    INTERPOLATE: "INTERPOLATE", "", "SELECT k FROM {df} ORDER BY k WITH FILL INTERPOLATE (x)";
    FILL: "WITH FILL", "", "SELECT k FROM {df} ORDER BY k WITH FILL";
    LIMIT_BY: "LIMIT BY", "write `QUALIFY ROW_NUMBER() OVER (PARTITION BY k ORDER BY x) <= n`", "SELECT k FROM {df} LIMIT 1 BY k";
    FETCH: "this FETCH", "write `FETCH FIRST n ROWS ONLY`, or LIMIT", "SELECT k FROM {df} ORDER BY k FETCH FIRST 1 ROWS WITH TIES";
    LIMIT_VALUE: "a limit that is no number", "write the number, or filter by `ROW_NUMBER()`", "SELECT k FROM {df} LIMIT 1 + 1";
    FOR_UPDATE: "FOR UPDATE", "leave it out", "SELECT k FROM {df} FOR UPDATE";
    FOR: "FOR", "leave it out: a sink has a format", "SELECT k FROM {df} FOR JSON AUTO";
    SETTINGS: "SETTINGS", "leave it out, or set `backend_settings`", "SELECT k FROM {df} SETTINGS max_threads = 1";
    FORMAT: "FORMAT", "leave it out: a sink has a format", "SELECT k FROM {df} FORMAT JSON";
    PIPES: "`|>`", "write each step as a step", "SELECT k FROM {df} |> LIMIT 1";
    TABLE_ALIAS: "this alias of a table", "give it no more names than it has columns",
        "SELECT a FROM {df} AS t (a, b, c, d, e)";
    TYPED_ALIAS: "types in an alias of a table", "convert with CAST in SELECT",
        "SELECT a FROM (SELECT k FROM {df}) AS t (a BIGINT)";

    // --- FROM and joins ---
    SAMPLE: "TABLESAMPLE", "use the method `sample`", "SELECT k FROM {df} TABLESAMPLE (10 PERCENT)";
    LATERAL: "LATERAL without a relation before it", "write the sub-query without LATERAL", "";
    LATERAL_JOIN: "this kind of join with LATERAL", "write CROSS JOIN, JOIN or LEFT JOIN",
        "SELECT a.k FROM {df} AS a FULL JOIN LATERAL (SELECT a.x AS y) AS u ON TRUE";
    LATERAL_USING: "USING with LATERAL", "write ON", "SELECT a.k FROM {df} AS a JOIN LATERAL (SELECT a.x AS x) AS u USING (x)";
    PIVOT: "PIVOT", "use the method `pivot`", "SELECT * FROM {df} PIVOT (SUM(x) FOR s IN ('a', 'b')) AS p";
    UNPIVOT: "UNPIVOT", "use the method `unpivot`", "SELECT * FROM {df} UNPIVOT (v FOR n IN (k, x)) AS u";
    TABLE_FUNCTION: "TABLE(...)", "write a common table expression", "SELECT * FROM TABLE(f(1))";
    MATCH_RECOGNIZE: "MATCH_RECOGNIZE", "use windows such as LAG and LEAD",
        "SELECT * FROM {df} MATCH_RECOGNIZE (ORDER BY k MEASURES FIRST(x) AS m ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (a) DEFINE a AS x > 1)";
    JSON_TABLE: "JSON_TABLE", "read the file as JSON, with a `schema`",
        "SELECT * FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a INT PATH '$')) AS t";
    XML_TABLE: "XMLTABLE", "", "SELECT * FROM XMLTABLE('/a' PASSING x COLUMNS b INT PATH 'c') AS t";
    RELATION: "a relation of this kind", "rows come from frames, such as `{df}` or `{nodes.name}`", "";
    RELATION_WORDS: "what is said about a relation", "leave it out: hints, partitions and versions have no meaning here",
        "SELECT k FROM {df} WITH (NOLOCK)";
    JOIN_ALIAS: "an alias of a join", "give the relations names, or write a sub-query",
        "SELECT * FROM ({df} AS a JOIN {df} AS b ON a.k = b.k) AS c";
    GLOBAL_JOIN: "GLOBAL JOIN", "write JOIN", "SELECT a.k FROM {df} AS a GLOBAL JOIN {df} AS b ON a.k = b.k";
    JOIN_KIND: "this kind of join", "write a join with a condition, or the method `join_asof`",
        "SELECT a.k FROM {df} AS a CROSS APPLY {df} AS b";
    USING_NAME: "this name in USING", "write names without a table", "SELECT 1 AS n FROM {df} AS a JOIN {df} AS b USING (a.k)";
    USING_MERGED: "a column of USING that is merged", "write ON, with the names of the tables", "";
    USING_SEVERAL: "a column of USING that may be several", "write ON, with the names of the tables",
        "SELECT 1 AS n FROM {df} AS a CROSS JOIN {df} AS b JOIN {df} AS c USING (k)";
    APART: "a condition on columns of several relations outside of them", "write the condition in WHERE", "";
    UNNEST_POSITIONS: "UNNEST with the positions of elements", "use the method `explode`, and `with_row_index` before",
        "SELECT * FROM {df} CROSS JOIN UNNEST(l) WITH ORDINALITY AS u";
    UNNEST_SEVERAL: "UNNEST of several lists", "use the method `explode` with several columns", "SELECT * FROM {df} CROSS JOIN UNNEST(l, l) AS u";
    UNNEST_QUERY: "a sub-query in UNNEST", "write it as a common table expression", "SELECT * FROM UNNEST((SELECT MAX(l) FROM {df})) AS u";
    UNNEST_ON: "a join with UNNEST on a condition", "write `CROSS JOIN UNNEST(...)`, and the condition in WHERE",
        "SELECT * FROM {df} JOIN UNNEST(l) AS u ON u > 1";

    // --- SELECT ---
    DIALECT: "a clause of another dialect", "TOP, INTO, LATERAL VIEW, PREWHERE, CONNECT BY, CLUSTER BY, DISTRIBUTE BY and SORT BY have others here: LIMIT, a sink, `CROSS JOIN UNNEST(..)`, WHERE, ORDER BY",
        "SELECT TOP 5 k FROM {df}";
    GROUP_WITH: "GROUP BY ... WITH", "write `GROUP BY ROLLUP(..)` or `CUBE(..)`", "SELECT k, COUNT(*) AS n FROM {df} GROUP BY k WITH ROLLUP";
    CUBE: "a CUBE of more than 8 keys", "write the GROUPING SETS that are needed",
        "SELECT COUNT(*) AS n FROM {df} GROUP BY CUBE(k, x, s, k + 1, k + 2, k + 3, k + 4, k + 5, k + 6)";
    SETS: "more than 256 grouping sets", "write the GROUPING SETS that are needed, or several nodes",
        "SELECT COUNT(*) AS n FROM {df} GROUP BY CUBE(k, x, s, k + 1, k + 2), CUBE(k + 3, k + 4, k + 5, k + 6)";
    EMPTY: "a SELECT without columns", "name a column", "";
    NAME: "an expression that needs a name", "write `... AS name`", "";
    DOTTED_TABLE: "a table name with a dot", "write the alias of the relation", "SELECT a.b.* FROM {df} AS a";
    STAR_KIND: "this kind of `.*`", "name the columns", "";
    STAR_OF: "`.*` of what is no relation, and no struct of a frame", "name the columns", "SELECT k.* FROM {df}";
    STAR_FORM: "this form of `*`", "write `* EXCLUDE (a)` or `* REPLACE (x AS a)`", "SELECT * RENAME (k AS n) FROM {df}";
    ITEM: "this item of SELECT", "name the columns", "";
    WINDOW_CHANGED: "a window that changes another one", "write the window where it is used",
        "SELECT SUM(x) OVER (w PARTITION BY s) AS n FROM {df} WINDOW w AS (ORDER BY k)";

    // --- sub-queries ---
    QUERY_COLUMNS: "a sub-query of several columns", "select one column", "SELECT (SELECT k, x FROM {df}) AS n FROM {df}";
    QUANTIFIED: "ANY and ALL of what is no sub-query", "write `x IN (..)`, or `LIST_CONTAINS(l, 1)`", "SELECT k = ANY (l) AS n FROM {df}";
    QUANTIFIED_BY: "this operator with ANY or ALL", "write =, <>, <, <=, > or >=", "SELECT k FROM {df} WHERE s ~ ANY (SELECT s FROM {df})";
    ROW_WIDTH: "a row of values among rows of another width", "select as many columns as there are values",
        "SELECT k FROM {df} WHERE (k, x) NOT IN (SELECT k FROM {df})";
    QUERY_DEPTH: "so many sub-queries inside of one another", "write common table expressions", "";
    QUERY_OUTER: "a sub-query that uses too much of the rows around it", "write a join", "";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use laktory_core::{DType, Field, FrameName};

    use super::*;
    use crate::Outcome;

    fn outcome(statement: &str) -> Outcome {
        planned(statement, Vec::new())
    }

    /// What comes of a statement on a frame with these columns, too.
    fn planned(statement: &str, more: Vec<Field>) -> Outcome {
        let mut fields = vec![
            Field::new("k", DType::Int64),
            Field::new("x", DType::Int64),
            Field::new("s", DType::String),
            Field::new("l", DType::List(Box::new(DType::Int64))),
        ];
        fields.extend(more);
        let template = laktory_syntax::sql_statement(statement).expect("a statement");
        crate::plan(&template, &BTreeMap::from([(FrameName::Df, fields)]))
    }

    #[test]
    fn each_is_refused_by_its_name() {
        let wrong: Vec<String> = REFUSALS
            .iter()
            .filter(|refusal| !refusal.example.is_empty())
            .filter_map(|refusal| {
                let found = match outcome(refusal.example) {
                    Outcome::Beyond(beyond) => beyond.refused("X"),
                    Outcome::Wrong(error) => error,
                    Outcome::Plan(..) => return Some(format!("{}: is planned", refusal.what)),
                };
                let hint = found.hint().unwrap_or_default();
                let fits = found.message().starts_with(refusal.what) && hint == refusal.instead;
                (!fits).then(|| format!("{}: {found} ({hint})", refusal.what))
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Texts between backticks.
    fn codes(hint: &str) -> impl Iterator<Item = &str> {
        hint.split('`').skip(1).step_by(2)
    }

    /// Statements that hold a part of one, each at another place.
    fn around(part: &str) -> [String; 7] {
        let part = part
            .replace("IN (..)", "IN (1, 2)")
            .replace("UNNEST(...)", "UNNEST(l)")
            .replace("UNNEST(..)", "UNNEST(l)")
            .replace("(..)", "(k)")
            .replace("... AS", "k AS");
        [
            format!("SELECT {part} AS made FROM {{df}}"),
            format!("SELECT {part} FROM {{df}}"),
            format!("SELECT k FROM {{df}} WHERE {part}"),
            format!(
                "SELECT k FROM {{df}} ORDER BY k {}",
                part.replace(" n ", " 1 ")
            ),
            format!("SELECT k FROM {{df}} {}", part.replace("<= n", "<= 1")),
            format!(
                "SELECT COUNT(*) AS made FROM {{df}} GROUP BY {}",
                part.trim_start_matches("GROUP BY ")
            ),
            format!("SELECT {part} OVER (ORDER BY k) AS made FROM {{df}}"),
        ]
    }

    /// What hints say to write can be written: expressions are read, parts of statements planned, and names looked up.
    #[test]
    fn what_hints_name_is_there() {
        use laktory_syntax::reference;
        const KEYS: [&str; 3] = ["backend_settings", "schema", "seed"];
        let entries = reference::entries();
        let known = |name: &str| entries.iter().any(|entry| entry.name == name);
        let there = |code: &str| match code.chars().next() {
            Some('\'' | '{') | None => true,
            _ if code.starts_with("nw.") => {
                laktory_syntax::column_expr(&code.replace("...", "UTC"), None).is_ok()
            }
            _ if code
                .chars()
                .all(|char| char.is_alphanumeric() || char == '_') =>
            {
                known(code) || KEYS.contains(&code)
            }
            _ => (around(code).iter()).any(|statement| {
                let inner = DType::Struct(vec![Field::new("b", DType::Int64)]);
                let [of_time, of_struct] = [DType::datetime(), inner].map(|a| {
                    vec![
                        Field::new("a", a),
                        Field::new("b", DType::datetime()),
                        Field::new("y", DType::Int64),
                        Field::new("t", DType::datetime()),
                        Field::new("condition", DType::Boolean),
                    ]
                });
                let is_planned = |more| matches!(planned(statement, more), Outcome::Plan(..));
                is_planned(of_time) || is_planned(of_struct)
            }),
        };
        let functions = reference::refused();
        let functions = functions
            .iter()
            .filter(|refused| refused.kind == "function of SQL");
        let functions = functions.map(|refused| (refused.name, refused.instead));
        let hints = REFUSALS
            .iter()
            .map(|refusal| (refusal.what, refusal.instead));
        let wrong: Vec<String> = hints
            .chain(functions)
            .flat_map(|(what, hint)| codes(hint).map(move |code| (what, code)))
            .filter(|(_, code)| !there(code))
            .map(|(what, code)| format!("{what}: {code}"))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
