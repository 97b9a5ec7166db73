//! What a statement may say, clause by clause, for the reference page.

use laktory_core::Example;
use laktory_syntax::reference::Entry;

/// A row for each clause: name, how it is written; null rule, documentation, example.
macro_rules! clauses {
    ($( $name:literal, $call:literal, $nulls:literal, $doc:literal,
        $given:literal => $text:literal => $gives:literal; )+) => {
        &[ $( ($name, $call, $nulls, $doc, Example { given: $given, text: $text, gives: $gives }) ),+ ]
    };
}

type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Example,
);

const ROWS: &[Row] = clauses! {
    "SELECT", "SELECT [DISTINCT] expression [AS name], ..",
        "DISTINCT: null equals null", "The columns of the output. Without AS, a column keeps its name; anything else is called as it is written. Two columns of one name are an error. Aggregates without GROUP BY make one row.",
        "x = 1, 1, 2" => "SELECT DISTINCT x AS id FROM {df}" => "id = 1, 2";
    "*", "* [EXCLUDE (a, b)] [REPLACE (expression AS a)], t.*",
        "no matter", "All columns, or those of one relation; EXCEPT is another word for EXCLUDE. `p.*` of a struct gives its fields.",
        "a = 1; b = 2; c = 3" => "SELECT * EXCLUDE (b) REPLACE (c * 10 AS c) FROM {df}" => "a = 1; c = 30";
    "DISTINCT ON", "SELECT DISTINCT ON (a, b) ..",
        "null equals null", "One row for each value of some expressions: the first in the order of ORDER BY.",
        "k = 1, 1, 2; x = 5, 7, 6" => "SELECT DISTINCT ON (k) k, x FROM {df} ORDER BY k, x DESC" => "k = 1, 2; x = 7, 6";
    "FROM", "FROM {df} [[AS] name [(column, ..)]]",
        "no matter", "Where rows come from: `{df}`, the output of the step before; `{nodes.name}`, another node; `{sources.name}`, a named source of the node; a common table; a query in parentheses. Several after commas are paired, as CROSS JOIN does. Names of files and table functions are refused.",
        "x = 1, 2" => "SELECT t.x FROM {df} AS t" => "x = 1, 2";
    "JOIN", "[INNER | LEFT | RIGHT | FULL] JOIN relation ON condition | USING (a, b)",
        "a comparison with null does not hold", "Rows matched with those of another relation, on any condition: keys, ranges, functions of both sides. USING makes one column of the two. NATURAL JOIN uses all names that both have.",
        "df: k = 1, 2; x = 5, 6\nnodes.r: k = 1, 3; y = 'a', 'b'" => "SELECT k, x, y FROM {df} LEFT JOIN {nodes.r} USING (k)" => "k = 1, 2; x = 5, 6; y = 'a', null";
    "CROSS JOIN", "CROSS JOIN relation",
        "no matter", "Every row with every row.",
        "df: a = 1, 2\nnodes.r: b = 'x'" => "SELECT a, b FROM {df} CROSS JOIN {nodes.r}" => "a = 1, 2; b = 'x', 'x'";
    "SEMI JOIN", "[LEFT | RIGHT] SEMI JOIN relation ON condition, ANTI JOIN",
        "a comparison with null does not hold, so that ANTI keeps the row", "The rows that have a match, each once; ANTI JOIN those that have none. The columns are those of one side.",
        "df: k = 1, 2, null\nnodes.r: k = 1, 1" => "SELECT k FROM {df} AS a ANTI JOIN {nodes.r} AS b ON a.k = b.k" => "k = 2, null";
    "UNNEST", "CROSS JOIN UNNEST(list) [AS name]",
        "null and empty lists give no row; LEFT JOIN UNNEST(..) ON TRUE gives one with null", "A row for each element of a list. In SELECT, `UNNEST(l)` does the same.",
        "id = 1, 2; l = [5, 6], []" => "SELECT id, e FROM {df} CROSS JOIN UNNEST(l) AS u (e)" => "id = 1, 1; e = 5, 6";
    "WHERE", "WHERE condition",
        "a null condition drops the row", "The rows for which a condition holds. Aggregates belong to HAVING, windows to QUALIFY.",
        "x = 1, 5, null" => "SELECT x FROM {df} WHERE x > 2" => "x = 5";
    "GROUP BY", "GROUP BY expression | position | alias, ..",
        "null is a group of its own", "One row for each value of the keys. What is selected is a key, or made of keys and aggregates. `GROUP BY ALL` takes all that is selected without aggregates.",
        "s = 'a', 'a', 'b'; x = 1, 2, 5" => "SELECT s, SUM(x) AS total FROM {df} GROUP BY s" => "s = 'a', 'b'; total = 3, 5";
    "ROLLUP", "GROUP BY ROLLUP(a, b) | CUBE(a, b) | GROUPING SETS ((a, b), (a), ())",
        "null stands for all values; GROUPING(a) tells it from a null of the data", "Several groupings in one: totals of the keys from right to left (ROLLUP), of every choice of them (CUBE, at most 8), or of those listed; at most 256 in all.",
        "s = 'a', 'a', 'b'; x = 1, 2, 5" => "SELECT s, SUM(x) AS total FROM {df} GROUP BY ROLLUP(s)" => "s = 'a', 'b', null; total = 3, 5, 8";
    "FILTER", "SUM(x) FILTER (WHERE condition)",
        "a null condition leaves the row out", "An aggregate of some rows of its group.",
        "s = 'a', 'a', 'b'; x = 1, 2, 5" => "SELECT SUM(x) AS total, SUM(x) FILTER (WHERE s = 'a') AS of_a FROM {df}" => "total = 8; of_a = 3";
    "HAVING", "HAVING condition",
        "a null condition drops the group", "The groups for which a condition on keys and aggregates holds.",
        "s = 'a', 'a', 'b'; x = 1, 2, 5" => "SELECT s FROM {df} GROUP BY s HAVING COUNT(*) > 1" => "s = 'a'";
    "OVER", "aggregate(..) OVER ([PARTITION BY ..] [ORDER BY ..] [ROWS | GROUPS | RANGE BETWEEN .. AND ..])",
        "null is a partition of its own; orders put it last unless NULLS FIRST", "A value for each row from rows around it. With ORDER BY and no frame, rows up to the current one and its peers. Frames: `UNBOUNDED PRECEDING`, `n PRECEDING`, `CURRENT ROW`, `n FOLLOWING`, `UNBOUNDED FOLLOWING`; with RANGE, n is a distance along the one key of the order, a number or an interval (`INTERVAL '7 days' PRECEDING`). The [functions](#windows) that need a window are listed below.",
        "t = 1, 2, 3; x = 5, 6, 7" => "SELECT t, SUM(x) OVER (ORDER BY t ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS two FROM {df}" => "t = 1, 2, 3; two = 5, 11, 13";
    "WINDOW", "WINDOW w AS (PARTITION BY .. ORDER BY ..)",
        "no matter", "Windows under a name, for `OVER w`.",
        "t = 1, 2; x = 5, 6" => "SELECT t, SUM(x) OVER w AS s FROM {df} WINDOW w AS (ORDER BY t)" => "t = 1, 2; s = 5, 11";
    "QUALIFY", "QUALIFY condition",
        "a null condition drops the row", "The rows for which a condition on windows holds.",
        "s = 'a', 'a', 'b'; t = 1, 2, 1" => "SELECT s, t FROM {df} QUALIFY ROW_NUMBER() OVER (PARTITION BY s ORDER BY t DESC) = 1" => "s = 'a', 'b'; t = 2, 1";
    "ORDER BY", "ORDER BY expression | position | alias [ASC | DESC] [NULLS FIRST | LAST], ..",
        "last in ascending and in descending order, unless told otherwise", "Rows in an order. It holds for the output of the step; steps behind it may lose it.",
        "x = 2, null, 3" => "SELECT x FROM {df} ORDER BY x DESC NULLS LAST" => "x = 3, 2, null";
    "LIMIT", "LIMIT n [OFFSET m], FETCH FIRST n ROWS ONLY",
        "no matter", "So many rows, behind so many that are passed over. Without ORDER BY it is any rows.",
        "x = 1, 2, 3" => "SELECT x FROM {df} ORDER BY x LIMIT 1 OFFSET 1" => "x = 2";
    "WITH", "WITH name [(column, ..)] AS (query), .. SELECT ..",
        "no matter", "Common tables: queries under a name, which later ones may read.",
        "x = 1, 2, 3" => "WITH big AS (SELECT x FROM {df} WHERE x > 1) SELECT COUNT(*) AS n FROM big" => "n = 2";
    "UNION", "query UNION [ALL] query",
        "null equals null", "Rows of both; without ALL each row once. Columns are matched by position, and types meet in one.",
        "df: x = 1, 2\nnodes.r: x = 2, 3" => "SELECT x FROM {df} UNION SELECT x FROM {nodes.r}" => "x = 1, 2, 3";
    "INTERSECT", "query INTERSECT [ALL] query",
        "null equals null", "Rows that are in both; with ALL as often as in both.",
        "df: x = 1, 2\nnodes.r: x = 2, 3" => "SELECT x FROM {df} INTERSECT SELECT x FROM {nodes.r}" => "x = 2";
    "EXCEPT", "query EXCEPT [ALL] query",
        "null equals null", "Rows of the first that are not in the second; with ALL each takes away one.",
        "df: x = 1, 2\nnodes.r: x = 2, 3" => "SELECT x FROM {df} EXCEPT SELECT x FROM {nodes.r}" => "x = 1";
    "VALUES", "VALUES (a, b), (c, d)",
        "as written", "Rows that are written out; their columns are `column1`, `column2`, ...",
        "x = 1, 2" => "SELECT x, name FROM {df} JOIN (VALUES (1, 'one'), (2, 'two')) AS v (n, name) ON x = n" => "x = 1, 2; name = 'one', 'two'";
    "sub-query", "(SELECT ..), x IN (SELECT ..), EXISTS (SELECT ..)",
        "a scalar sub-query without rows is null; `NOT IN` of a list with null holds for nothing", "A query where a value, a list or a test is wanted; it may use columns of the rows around it. One that stands for a value and has several rows is an error of the run.",
        "df: k = 1, 2; x = 5, 6\nnodes.r: k = 1, 1; y = 7, 8" => "SELECT k, (SELECT MAX(y) FROM {nodes.r} AS r WHERE r.k = a.k) AS y FROM {df} AS a WHERE EXISTS (SELECT 1 FROM {nodes.r} AS r WHERE r.k = a.k)" => "k = 1; y = 8";
};

/// What statements may say.
#[must_use]
pub fn clauses() -> Vec<Entry> {
    ROWS.iter()
        .map(|(name, call, nulls, doc, example)| Entry::clause(name, call, nulls, doc, *example))
        .collect()
}
