//! Calls of functions and conditions that ask for too much, or for nothing that there is.

use super::statements::list;

/// Functions with arguments that no data has.
pub(super) fn calls() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let numbers = [
        "0",
        "-1",
        "2147483647",
        "9223372036854775807",
        "-9223372036854775808",
        "1e308",
        "NULL",
        "x",
        "'a'",
        "1.5",
    ];
    let texts = [
        "LPAD(s, {})",
        "RPAD(s, {}, 'ab')",
        "REPEAT(s, {})",
        "SPACE({})",
        "SUBSTRING(s, {})",
        "SUBSTRING(s, 1, {})",
        "LEFT(s, {})",
        "RIGHT(s, {})",
        "SPLIT_PART(s, '', {})",
        "ROUND(x, {})",
        "POWER(x, {})",
        "POWER({}, {})",
        "EXP({})",
        "SQRT({})",
        "LN({})",
        "LOG({}, {})",
        "FACTORIAL({})",
        "CHR({})",
        "TO_HEX({})",
        "NTILE({}) OVER (ORDER BY x)",
        "LAG(x, {}) OVER (ORDER BY x)",
        "LEAD(x, {}, {}) OVER (ORDER BY x)",
        "NTH_VALUE(x, {}) OVER (ORDER BY x)",
        "x << {}",
        "x % {}",
        "x / {}",
        "x * {}",
        "x + {}",
        "- {}",
        "ABS({})",
        "CAST({} AS TIMESTAMP)",
        "CAST({} AS DATE)",
        "CAST({} AS TINYINT)",
        "CAST({} AS DECIMAL(38, 10))",
        "DATE_TRUNC('year', CAST({} AS TIMESTAMP))",
        "MAKE_DATE({}, {}, {})",
        "FROM_UNIXTIME({})",
        "TO_TIMESTAMP({})",
        "DATE '2020-01-01' + {}",
        "TIMESTAMP '2020-01-01' + INTERVAL '{} years'",
        "TIMESTAMP '2020-01-01' + INTERVAL {} DAY",
        "ARRAY_REPEAT(x, {})",
        "RANGE({})",
        "GENERATE_SERIES(1, {})",
        "QUANTILE_CONT(x, {})",
        "PERCENTILE_CONT({}) WITHIN GROUP (ORDER BY x)",
        "STRPOS(s, {})",
        "OVERLAY(s PLACING 'x' FROM {})",
    ];
    for text in texts {
        for number in numbers {
            let call = text.replace("{}", number);
            all.push((call.clone(), format!("SELECT {call} AS v FROM {{df}}")));
        }
    }
    for unit in [
        "year", "years", "month", "day", "hour", "second", "evil", "", "'", "1",
    ] {
        for count in [
            "1",
            "-1",
            "300000",
            "9223372036854775807",
            "9e18",
            "evil",
            "",
        ] {
            let text = format!("TIMESTAMP '2020-01-01' + INTERVAL '{count} {unit}'");
            all.push((text.clone(), format!("SELECT {text} AS v FROM {{df}}")));
        }
    }
    all
}

/// Conditions of SQL in an expectation, and as a filter.
pub(super) fn conditions() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for count in [300, 3_000, 100_000] {
        all.push((
            format!("{count} terms of OR"),
            list(count, " OR ", |n| format!("x = {n}")),
        ));
        all.push((
            format!("{count} terms of AND"),
            list(count, " AND ", |n| format!("x <> {n}")),
        ));
        all.push((
            format!("{count} of a list"),
            format!("x IN ({})", list(count, ", ", |n| n.to_string())),
        ));
        all.push((
            format!("{count} parentheses"),
            format!("{}x > 0{}", "(".repeat(count), ")".repeat(count)),
        ));
        all.push((
            format!("{count} terms of +"),
            format!("{} > 0", vec!["x"; count].join(" + ")),
        ));
        all.push((
            format!("{count} branches"),
            format!(
                "CASE {} END",
                list(count, " ", |n| format!("WHEN x = {n} THEN TRUE"))
            ),
        ));
        all.push((
            format!("{count} NOTs"),
            format!("{}x > 0", "NOT ".repeat(count)),
        ));
    }
    for text in [
        "",
        "x",
        "x >",
        "1",
        "NULL",
        "s",
        "x > 'a'",
        "(SELECT 1)",
        "x IN (SELECT x FROM {df})",
        "read_csv('/etc/passwd') > 0",
        "x > 0; DROP TABLE t",
        "LENGTH(LPAD(s, 2147483647)) > 0",
        "REPEAT(s, 999999999) = 'a'",
        "x % 0 = 0",
        "x / 0 > 1",
        "s LIKE '%' ESCAPE ''",
        "s ~ '('",
        "$1",
        "x > 0 -- ",
        "/*",
        "CAST(x AS TIMESTAMP) > CAST('9999999-01-01' AS TIMESTAMP)",
        "x BETWEEN 1 AND",
        "NOT",
        "x = = 1",
        "\u{0}",
        "🏳️‍🌈",
        "x > 1e999",
        "-- x",
        "CAST(x AS DECIMAL(99, 9)) > 0",
    ] {
        all.push((text.to_owned(), text.to_owned()));
    }
    all
}
