//! Hostile SQL, expressions and methods, on both embedded engines.

use super::Input;
use super::calls::{calls, conditions};
use super::inputs::node;

const BACKENDS: [&str; 2] = ["POLARS", "DATAFUSION"];

/// A pipeline of one node whose step is `step`, written as JSON, which is YAML too.
fn step(name: &str, backend: &str, step: &str) -> Input {
    let keys = format!(
        "  dataframe_backend: {backend}\n  transformer: {{nodes: [{step}]}}\n  sinks: [{{path: o.parquet, format: PARQUET}}]"
    );
    Input {
        name: format!("{backend} {name}"),
        files: vec![("p.yaml".to_owned(), node(&keys).into())],
        arguments: ["run", "p.yaml"].map(str::to_owned).to_vec(),
        environment: Vec::new(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(super) fn all() -> Vec<Input> {
    let mut all = Vec::new();
    for backend in BACKENDS {
        for (name, text) in shapes().into_iter().chain(clauses()).chain(calls()) {
            all.push(step(
                &format!("sql: {name}"),
                backend,
                &format!("{{expr: {}}}", quoted(&text)),
            ));
        }
        for (name, text) in conditions() {
            let expectation = format!(
                "  dataframe_backend: {backend}\n  expectations: [{{name: e, expr: {}, action: DROP}}]\n  sinks: [{{path: o.parquet, format: PARQUET}}]",
                quoted(&text)
            );
            let mut one = step(&format!("condition: {name}"), backend, "");
            one.files[0].1 = node(&expectation).into();
            all.push(one);
            let filter = format!("{{func_name: filter, func_args: [{}]}}", quoted(&text));
            all.push(step(&format!("filter: {name}"), backend, &filter));
        }
        for (name, text) in expressions() {
            let columns = format!(
                "{{func_name: with_columns, func_kwargs: {{y: {}}}}}",
                quoted(&text)
            );
            all.push(step(&format!("expression: {name}"), backend, &columns));
        }
        for (name, method) in methods() {
            all.push(step(&format!("method: {name}"), backend, &method));
        }
    }
    all
}

pub(super) fn list(count: usize, separator: &str, term: impl Fn(usize) -> String) -> String {
    (0..count).map(term).collect::<Vec<_>>().join(separator)
}

/// Statements that are deep or wide.
fn shapes() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut add = |name: String, text: String| all.push((name, text));
    for count in [400, 3_000, 20_000, 100_000] {
        add(
            format!("{count} terms of +"),
            format!("SELECT {} AS v FROM {{df}}", vec!["x"; count].join(" + ")),
        );
        add(
            format!("{count} terms of ||"),
            format!("SELECT {} AS v FROM {{df}}", vec!["s"; count].join(" || ")),
        );
        for operator in ["OR", "AND"] {
            let terms = list(count, &format!(" {operator} "), |n| format!("x = {n}"));
            add(
                format!("{count} terms of {operator}"),
                format!("SELECT COUNT(*) AS n FROM {{df}} WHERE {terms}"),
            );
        }
        add(
            format!("{count} of a list"),
            format!(
                "SELECT x FROM {{df}} WHERE x IN ({})",
                list(count, ", ", |n| n.to_string())
            ),
        );
        add(
            format!("{count} texts of a list"),
            format!(
                "SELECT x FROM {{df}} WHERE s NOT IN ({})",
                list(count, ", ", |n| format!("'t{n}'"))
            ),
        );
        add(
            format!("{count} arguments"),
            format!(
                "SELECT COALESCE({}) AS v FROM {{df}}",
                vec!["x"; count].join(", ")
            ),
        );
        add(
            format!("{count} signs"),
            format!("SELECT {}x AS v FROM {{df}}", "- ".repeat(count)),
        );
        add(
            format!("{count} NOTs"),
            format!("SELECT x FROM {{df}} WHERE {}x = 1", "NOT ".repeat(count)),
        );
        add(
            format!("{count} casts"),
            format!("SELECT x{} AS v FROM {{df}}", "::BIGINT".repeat(count)),
        );
        add(
            format!("{count} comments"),
            format!("SELECT x {} FROM {{df}}", "/* x */".repeat(count)),
        );
        add(
            format!("{count} comments in one another"),
            format!(
                "SELECT x {}{} FROM {{df}}",
                "/*".repeat(count),
                "*/".repeat(count)
            ),
        );
    }
    for count in [20, 200, 5_000] {
        add(
            format!("{count} parentheses"),
            format!(
                "SELECT {}x{} AS v FROM {{df}}",
                "(".repeat(count),
                ")".repeat(count)
            ),
        );
        add(
            format!("{count} open parentheses"),
            format!("SELECT {}x", "(".repeat(count)),
        );
        add(
            format!("{count} calls"),
            format!(
                "SELECT {}x{} AS v FROM {{df}}",
                "ABS(".repeat(count),
                ")".repeat(count)
            ),
        );
        add(
            format!("{count} subqueries"),
            format!(
                "{}{{df}}{}",
                "SELECT x FROM (".repeat(count),
                ") AS q".repeat(count)
            ),
        );
        add(
            format!("{count} cases in one another"),
            format!(
                "SELECT {}x{} AS v FROM {{df}}",
                "CASE WHEN x > 0 THEN ".repeat(count),
                " END".repeat(count)
            ),
        );
        let branches = list(count, " ", |n| format!("WHEN x = {n} THEN {n}"));
        add(
            format!("{count} branches"),
            format!("SELECT CASE {branches} END AS v FROM {{df}}"),
        );
        add(
            format!("{count} unions"),
            vec!["SELECT x FROM {df}"; count].join(" UNION ALL "),
        );
        add(
            format!("{count} distinct unions"),
            vec!["SELECT x FROM {df}"; count].join(" UNION "),
        );
        add(
            format!("{count} joins"),
            format!(
                "SELECT t0.x FROM {{df}} t0 {}",
                list(count, " ", |n| format!(
                    "JOIN {{df}} t{0} ON t{0}.x = t0.x",
                    n + 1
                ))
            ),
        );
        add(
            format!("{count} tables"),
            format!(
                "SELECT t0.x FROM {}",
                list(count, ", ", |n| format!(
                    "(SELECT MIN(x) AS x FROM {{df}}) t{n}"
                ))
            ),
        );
        let mut with = String::from("WITH t0 AS (SELECT x FROM {df})");
        for n in 1..=count {
            with += &format!(
                ", t{n} AS (SELECT a.x FROM t{0} a JOIN t{0} b ON a.x = b.x)",
                n - 1
            );
        }
        add(
            format!("{count} tables of WITH"),
            format!("{with} SELECT x FROM t{count}"),
        );
        add(
            format!("{count} columns"),
            format!(
                "SELECT {} FROM {{df}}",
                list(count, ", ", |n| format!("x AS c{n}"))
            ),
        );
        add(
            format!("{count} windows"),
            format!(
                "SELECT {} FROM {{df}}",
                list(count.min(200), ", ", |n| format!(
                    "SUM(x) OVER (PARTITION BY s ORDER BY x + {n}) AS w{n}"
                ))
            ),
        );
    }
    all
}

/// Statements that are not part of the language, or ask for what is not there.
fn clauses() -> Vec<(String, String)> {
    [
        "", ";", "SELECT", "SELECT 1; SELECT 2", "DROP TABLE {df}", "CREATE TABLE t AS SELECT 1", "INSERT INTO {df} VALUES (1)",
        "COPY {df} TO '../touched'", "ATTACH '../touched'", "EXPLAIN SELECT 1", "SHOW TABLES", "SET x = 1", "PRAGMA x", "CALL f()",
        "SELECT * FROM read_csv('../canary.txt')", "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_parquet('o.parquet')",
        "SELECT * FROM read_json('p.yaml')", "SELECT * FROM read_ipc('p.yaml')", "SELECT * FROM read_ndjson('p.yaml')",
        "SELECT x FROM {df} WHERE x IN (SELECT 1 FROM read_csv('/etc/passwd'))", "SELECT * FROM 'p.yaml'", "SELECT * FROM \"p.yaml\"",
        "SELECT * FROM p.yaml", "SELECT * FROM information_schema.tables", "SELECT * FROM range(1000000000)",
        "SELECT * FROM generate_series(1, 100000000000)", "SELECT * FROM TABLE(f(1))", "SELECT * FROM {df} TABLESAMPLE (10 PERCENT)",
        "SELECT * FROM (SELECT * FROM {df}) TABLESAMPLE (1 ROWS)", "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT n FROM t",
        "SELECT x FROM {df} ORDER BY 0", "SELECT x FROM {df} ORDER BY 9", "SELECT x FROM {df} GROUP BY 0", "SELECT x FROM {df} ORDER BY -1",
        "SELECT x FROM {df} LIMIT 9223372036854775807", "SELECT x FROM {df} ORDER BY x LIMIT 9223372036854775807", "SELECT x FROM {df} ORDER BY x LIMIT 1000000000",
        "SELECT x FROM {df} LIMIT -1", "SELECT x FROM {df} LIMIT 1 OFFSET 9223372036854775807", "SELECT x FROM {df} LIMIT 99999999999999999999999",
        "SELECT x FROM {df} FETCH FIRST 5 ROWS ONLY", "SELECT TOP 5 x FROM {df}", "SELECT x FROM {df} FOR UPDATE", "SELECT x INTO y FROM {df}",
        "SELECT CAST(x AS DECIMAL(1000, 5)) AS v FROM {df}", "SELECT CAST(x AS DECIMAL(0, 0)) AS v FROM {df}", "SELECT CAST(x AS DECIMAL(5, 10)) AS v FROM {df}",
        "SELECT CAST(x AS VARCHAR(99999999999)) AS v FROM {df}", "SELECT CAST(x AS FLOAT(99)) AS v FROM {df}", "SELECT CAST(x AS TIMESTAMP(99)) AS v FROM {df}",
        "SELECT CAST(x AS nonsense) AS v FROM {df}", "SELECT SUM(x) AS v FROM {df} HAVING SUM(x) > 1", "SELECT s SIMILAR TO '(a|b)%' AS v FROM {df}",
        "SELECT OVERLAY(s PLACING 'x' FROM 1) AS v FROM {df}", "SELECT MAP {'a': 1} AS v FROM {df}", "SELECT $1 AS v FROM {df}", "SELECT ? AS v FROM {df}",
        "SELECT :x AS v FROM {df}", "SELECT @@version AS v", "SELECT * FROM {df} PIVOT(SUM(x) FOR s IN ('a'))", "SELECT * FROM {df} UNPIVOT(v FOR n IN (x))",
        "SELECT COLUMNS('(') FROM {df}", "SELECT COLUMNS('.*') FROM {df}", "SELECT * EXCLUDE (x, s) FROM {df}", "SELECT * REPLACE (1 AS nope) FROM {df}",
        "SELECT x FROM {df} WHERE s LIKE 'a\\' ESCAPE 'xx'", "SELECT x FROM {df} WHERE s RLIKE '('", "SELECT x FROM {df} WHERE s ~ '(((((((((((((((('",
        "SELECT x FROM {df} WHERE s ~ '(a{1000}){1000}'", "SELECT REGEXP_REPLACE(s, '(', '') AS v FROM {df}", "SELECT x FROM {df} WHERE s SIMILAR TO '('",
        "SELECT 1 / 0 AS v", "SELECT x % 0 AS v FROM {df}", "SELECT 9223372036854775807 + 1 AS v", "SELECT -9223372036854775808 - 1 AS v", "SELECT 99999999999999999999999999999999999999999 AS v",
        "SELECT 1e400 AS v", "SELECT 0x AS v", "SELECT x'zz' AS v", "SELECT '\\u0000' AS v", "SELECT U&'\\D800' AS v", "SELECT E'\\x' AS v", "SELECT {df} FROM {df}",
        "SELECT * FROM {nodes.nothing}", "SELECT * FROM {df", "SELECT * FROM {{df}}", "SELECT \"\" FROM {df}", "SELECT x AS \"\" FROM {df}", "SELECT x AS x, s AS x FROM {df}",
        "SELECT (SELECT x FROM {df}) AS v", "SELECT x FROM {df} WHERE x = (SELECT x FROM {df})", "SELECT EXISTS (SELECT 1) AS v", "SELECT x FROM {df} a, {df} b, {df} c, {df} d",
        "SELECT a.x FROM {df} a LATERAL VIEW explode(x) t AS y", "SELECT x FROM {df} QUALIFY 1", "SELECT x FROM {df} CLUSTER BY x", "SELECT x FROM {df} WINDOW w AS (w)",
        "SELECT SUM(x) OVER (ROWS BETWEEN 9223372036854775807 PRECEDING AND 9223372036854775807 FOLLOWING) AS v FROM {df}",
        "SELECT SUM(x) OVER (ORDER BY x ROWS BETWEEN -1 PRECEDING AND -5 FOLLOWING) AS v FROM {df}", "SELECT x FROM {df} ORDER BY ALL", "SELECT x FROM {df} GROUP BY ALL",
        "SELECT x FROM {df} GROUP BY CUBE(x, s, x, s, x, s, x, s, x, s, x, s, x, s, x, s)", "VALUES (1), (2)", "VALUES (1), (2, 3)", "TABLE t", "FROM {df}", "WITH t AS (SELECT 1) TABLE t",
    ]
    .iter()
    .map(|text| (text.chars().take(60).collect(), (*text).to_owned()))
    .collect()
}

/// Python-style expressions.
fn expressions() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for count in [150, 3_000, 100_000] {
        for operator in [" + ", " | ", " & ", "."] {
            let term = if operator == "." {
                "abs()"
            } else {
                "(nw.col('x') > 0)"
            };
            let first = if operator == "." { "nw.col('x')." } else { "" };
            all.push((
                format!("{count} terms of{operator}"),
                format!("{first}{}", vec![term; count].join(operator)),
            ));
        }
        all.push((
            format!("{count} of a list"),
            format!(
                "nw.col('x').is_in([{}])",
                list(count, ", ", |n| n.to_string())
            ),
        ));
        all.push((
            format!("{count} parentheses"),
            format!("{}nw.col('x'){}", "(".repeat(count), ")".repeat(count)),
        ));
        all.push((
            format!("{count} lambdas"),
            format!("{}1", "(lambda x: x)(".repeat(count)),
        ));
        all.push((
            format!("{count} whens"),
            format!(
                "nw{}.otherwise(0)",
                ".when(nw.col('x') > 0).then(1)".repeat(count)
            ),
        ));
    }
    for text in [
        "__import__('os').system('touch ../touched')",
        "open('../touched', 'w')",
        "nw.col('x').__class__.__mro__",
        "().__class__.__bases__[0].__subclasses__()",
        "exec('1')",
        "eval('1')",
        "10**10**10",
        "'a' * 10**10",
        "[0] * 10**10",
        "list(range(10**10))",
        "(lambda f: f(f))(lambda f: f(f))",
        "nw.col('x')**10**10",
        "nw.col('s').str.zfill(10**9)",
        "nw.col('s').str.pad_start(10**9)",
        "nw.col('s').str.contains('(')",
        "nw.col('s').str.contains('(a{1000}){1000}')",
        "nw.col('s').str.replace_all('(', '')",
        "nw.col('x').shift(10**18)",
        "nw.col('x').shift(-10**18)",
        "nw.col('x').rolling_mean(10**9)",
        "nw.col('x').rolling_sum(2**31 - 1, min_samples=1)",
        "nw.col('x').cast(nw.Datetime('ms'))",
        "(nw.col('x') * 0 + 2**62).cast(nw.Datetime('ms')).dt.truncate('1d')",
        "(nw.col('x') * 0 + 2**62).cast(nw.Datetime('us')).dt.to_string('%Y')",
        "(nw.col('x') * 0 + 2**62).cast(nw.Datetime('ms')).dt.offset_by('1mo')",
        "nw.col('x').cast(nw.Datetime('us')).dt.offset_by('300000y')",
        "nw.col('x').cast(nw.Datetime('us')).dt.truncate('9999999999999d')",
        "nw.col('x').cast(nw.Datetime('us')).dt.to_string('%!')",
        "nw.col('x').cast(nw.Datetime('us')).dt.to_string('%999999999Y')",
        "nw.col('x').cast(nw.Datetime('us')).dt.convert_time_zone('../../etc/passwd')",
        "nw.col('s').str.to_datetime('%')",
        "nw.col('x').cast(nw.Decimal(99, 9))",
        "nw.col('x').ewm_mean(alpha=0.0)",
        "nw.col('x').quantile(2.0)",
        "nw.col('x').sample(10**9)",
        "nw.col('x').clip(2, 1)",
        "nw.col('x').round(10**6)",
        "nw.col('x') // 0",
        "nw.col('x') % 0",
        "nw.lit(2**64)",
        "nw.lit(10**400)",
        "nw.lit('\\ud800')",
        "nw.col('')",
        "nw.col('*')",
        "nw.col('^.*$')",
        "nw.all()",
        "nw.col('x').over('x').over('x').over('x')",
        "nw.sum_horizontal()",
        "nw.sql_expr('(SELECT 1)')",
        "nw.col('x').list.get(10**18)",
        "nw.col('x').replace_strict({}, {})",
        "nw.col('s').str.slice(-10**18, 10**18)",
        "nw.col('s').str.split('')",
        "nw.col('x').map_batches(lambda s: s)",
        "nw.col",
        "nw",
        "import os",
        "x := 1",
        "f'{x}'",
        "b'x'",
        "...",
        "",
        "#",
        "\u{0}",
        "nw.col('x'",
        "nw.len().over('x')",
        "nw.col('x').hist(10**9)",
        "nw.col('x').value_counts()",
        "nw.int_range(0, 10**12)",
        "nw.concat_str([nw.col('s')] * 1000)",
        "nw.format('{}' * 1000, *([nw.col('x')] * 1000))",
    ] {
        all.push((text.to_owned(), text.to_owned()));
    }
    all
}

/// Methods with arguments that no data has.
fn methods() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let numbers = [
        "-1",
        "0",
        "1000000000",
        "9223372036854775807",
        "18446744073709551615",
        "99999999999999999999",
        "1.5",
        "x",
        "~",
        "[1]",
    ];
    for method in [
        "head",
        "tail",
        "limit",
        "gather_every",
        "sample",
        "top_k",
        "bottom_k",
        "with_row_index",
        "unique",
        "sort",
        "select",
        "drop",
        "explode",
        "join",
        "pivot",
        "unpivot",
        "nothing",
    ] {
        for number in numbers {
            let method = match method {
                "top_k" | "bottom_k" => format!(
                    "{{func_name: {method}, func_args: [{number}], func_kwargs: {{by: x}}}}"
                ),
                _ => format!("{{func_name: {method}, func_args: [{number}]}}"),
            };
            all.push((method.clone(), method));
        }
    }
    for number in numbers {
        for method in [
            format!("{{func_name: sample, func_kwargs: {{n: {number}, with_replacement: true}}}}"),
            format!(
                "{{func_name: sample, func_kwargs: {{fraction: {number}, with_replacement: true}}}}"
            ),
            format!("{{func_name: sample, func_kwargs: {{n: {number}, seed: {number}}}}}"),
            format!(
                "{{func_name: sort, func_args: [x]}}, {{func_name: head, func_args: [{number}]}}"
            ),
            format!("{{func_name: gather_every, func_args: [1, {number}]}}"),
        ] {
            all.push((method.clone(), method));
        }
    }
    all
}
