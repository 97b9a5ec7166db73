//! Tests of `width`.

use crate::sql_statement;

fn rendered(text: &str) -> String {
    sql_statement(text).unwrap().render(|_| "t".into()).text
}

fn deepest(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut most = 0;
    for byte in text.bytes() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        most = most.max(depth);
    }
    assert_eq!(depth, 0);
    most
}

fn terms(count: usize, separator: &str) -> String {
    let terms: Vec<String> = (0..count).map(|n| format!("x = {n}")).collect();
    terms.join(separator)
}

#[test]
fn long_chains_get_flat_trees() {
    for separator in [
        " OR ",
        " AND ",
        " or\n",
        " AND NOT ",
        " OR y BETWEEN 1 AND 2 OR ",
    ] {
        let count = if separator.starts_with(" AND") {
            490
        } else {
            2000
        };
        let chain = terms(count, separator);
        for text in [
            format!("SELECT 1 FROM {{df}} WHERE {chain} GROUP BY y"),
            format!("SELECT 1 FROM {{df}} WHERE ({chain}) LIMIT 1 -- end"),
            format!("SELECT CASE WHEN {chain} THEN 1 END AS a FROM {{df}}"),
            format!("SELECT 1 FROM {{df}} a JOIN {{df}} b ON {chain} WHERE a.y"),
            format!("SELECT COUNT(*) FILTER (WHERE {chain}) FROM {{df}}"),
        ] {
            let flat = rendered(&text);
            assert!(deepest(&flat) < 14, "{}", deepest(&flat));
            let plain = |text: &str| text.replace(['(', ')', ' '], "").replace("{df}", "t");
            let text = text.trim_end_matches(" -- end");
            assert_eq!(plain(&flat), plain(text));
            assert_eq!(sql_statement(text).unwrap().source(), text);
        }
    }
    let unions = vec!["SELECT x FROM {df}"; 300].join(" UNION ALL ");
    let flat = rendered(&format!(
        "SELECT COUNT(*) FROM ({unions} ORDER BY x LIMIT 3) q"
    ));
    assert!(deepest(&flat) < 8);
    assert!(
        flat.ends_with("SELECT x FROM t))))) ORDER BY x LIMIT 3) q"),
        "{flat}"
    );
    let with = rendered(&format!("WITH a AS (SELECT 1), b AS (SELECT 2) {unions}"));
    assert!(
        with.starts_with("WITH a AS (SELECT 1), b AS (SELECT 2) (((((SELECT"),
        "{with}"
    );
}

#[test]
fn short_statements_stay_as_written() {
    for text in [
        "SELECT a OR b OR c FROM t WHERE x = 1 OR y BETWEEN 1 AND 2 AND z",
        "SELECT x FROM a UNION ALL SELECT x FROM b UNION SELECT x FROM c",
        "SELECT LEFT(s, 2), t.order, CASE a WHEN 1 THEN 2 END FROM t",
    ] {
        assert_eq!(rendered(text), text);
    }
    // What is not a condition has no beginning that could be told.
    let chain = terms(100, " OR ");
    let text = format!("SELECT DISTINCT {chain} any FROM t");
    assert_eq!(rendered(&text), text);
    let text = format!("SELECT COUNT(DISTINCT {chain}) FROM t");
    assert_eq!(rendered(&text), text);
}

#[test]
fn what_stays_deep_is_refused() {
    let sum = vec!["x"; 10_000].join(" + ");
    let all = [
        (format!("SELECT {sum} FROM {{df}}"), "operators are chained"),
        (
            format!("SELECT {} FROM t", terms(600, " OR ")),
            "operators are chained",
        ),
        (
            format!("SELECT 1 WHERE {}", terms(20_000, " OR ")),
            "at most 5000 terms of OR",
        ),
        (
            format!("SELECT 1 WHERE {}", terms(4_000, " AND ")),
            "at most 500 terms of AND",
        ),
        (
            format!("SELECT {}x{}", "(".repeat(5000), ")".repeat(5000)),
            "nested too deeply",
        ),
        (vec!["SELECT 1"; 2000].join(" UNION ALL "), "500 queries"),
        (vec!["SELECT 1"; 100].join(" EXCEPT "), "45 queries"),
        (
            format!("SELECT CASE {} END", "WHEN a THEN 1 ".repeat(5000)),
            "at most 2500 branches",
        ),
        (
            format!("SELECT 1 FROM t {}", "JOIN t USING (a) ".repeat(200)),
            "at most 100 joins",
        ),
        (
            format!(
                "SELECT a, b, c FROM {} WHERE a IN (1, 2)",
                vec!["t"; 200].join(", ")
            ),
            "at most 100 joins",
        ),
        (
            format!("SELECT x{}", "::INT".repeat(5000)),
            "operators are chained",
        ),
        (
            format!("SELECT {} x", "NOT ".repeat(5000)),
            "operators are chained",
        ),
        (
            format!("SELECT {} x", "- ".repeat(5000)),
            "operators are chained",
        ),
        (
            format!("SELECT d{} FROM {{df}}", " + INTERVAL '1 day'".repeat(150)),
            "operators are chained",
        ),
        (
            format!("SELECT x{} FROM {{df}}", "[1]".repeat(20_000)),
            "operators are chained",
        ),
        (
            format!(
                "SELECT 1 FROM {{df}} WHERE {}",
                vec!["EXISTS ((SELECT 1 FROM {b}))"; 200].join(" AND ")
            ),
            "at most 100 sub-queries",
        ),
    ];
    for (text, message) in all {
        let error = sql_statement(&text).unwrap_err().remove(0);
        assert_eq!(error.code, "too-large");
        assert!(error.message.contains(message), "{}", error.message);
        assert!(error.hint.is_some());
    }
    let sets = vec!["(SELECT x FROM {df})"; 400].join(" UNION ALL ");
    assert!(sql_statement(&format!("SELECT 1 FROM ({sets}) AS t")).is_ok());
    let list: Vec<String> = (0..100_000).map(|n| n.to_string()).collect();
    let text = format!("SELECT 1 FROM {{df}} WHERE x IN ({})", list.join(", "));
    assert!(sql_statement(&text).is_ok());
}
