//! Texts that mean harm end in an error, and soon.

use crate::*;

/// Texts that must end in an error, or in plain text, within a second and without deep recursion.
fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "__import__('os').system('true')",
        "().__class__.__bases__[0].__subclasses__()",
        "nw.__dict__",
        "nw.col.__globals__",
        "nw.col('x').__class__",
        "nw.col('x')._compliant",
        "nw.lit(open('/etc/passwd').read())",
        "eval('1') + nw.col('x')",
        "exec('import os') or nw.col('x')",
        "(lambda: nw.col('x'))",
        "(lambda f: f(f))(lambda f: f(f)) + nw.col('x')",
        "nw.lit(10**10**10)",
        "nw.lit(2**(2**40))",
        "nw.lit(1 << 10000000)",
        "nw.lit('a' * 10**9)",
        "nw.lit([0] * 10**9)",
        "nw.lit(list(range(10**9)))",
        "nw.lit([a for a in range(9999) for b in range(9999) for c in range(9999)])",
        "nw.lit(sum([x * x for x in range(9999) for y in range(9999)]))",
        "nw.col(c for c in range(10**12))",
        "nw.lit(1 // 0)",
        "nw.lit(1 % 0)",
        "nw.lit(-170141183460469231731687303715884105728 // -1)",
        "nw.lit(99999999999999999999999999999999999999999999)",
        "nw.lit(0x1ffffffffffffffffffffffffffffffffffff)",
        "nw.lit(1j)",
        "nw.lit((x := 5))",
        "nw.lit(await x)",
        "nw.lit((yield 1))",
        "nw.col('x')[0:1]",
        "nw.col(*[1])",
        "nw.lit(**{1: 2})",
        "nw.col('x').map_batches(lambda s: s)",
        "nw.read_csv('/etc/passwd')",
        "nw.lit('{}'.format(1))",
        "nw.lit(f'{1!r:>{10**9}}')",
        "nw.col('x').over()",
        "nw.col('x').pipe(print)",
        "import os; nw.col('x')",
        "nw.col('x'); nw.col('y')",
        "nw.col('x') nw.col('y')",
        "nw.col(\u{0}'x')",
        "nw.col('x'\\",
        "nw.col('''x",
        "nw.col(\"x)",
        "del nw.col",
        "nw.col('x') @ nw.col('y')",
        "nw.col('x') << 2",
        "nw.lit({**{}, **1})",
        "nw.nth(99999999999999999999)",
        "nw.lit({1: {2: {3: nw.col}}})",
    ]
    .map(str::to_owned)
    .to_vec();
    let many = 100_000;
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("nw.lit(", ")"),
        ("-", ""),
        ("~", ""),
        ("not ", ""),
    ] {
        texts.push(format!(
            "nw.col('x') + {}1{}",
            open.repeat(many),
            close.repeat(many)
        ));
        texts.push(format!(
            "nw.col('x') + {}1{}",
            open.repeat(5_000),
            close.repeat(5_000)
        ));
        texts.push(format!(
            "nw.col('x') + {}1{}",
            open.repeat(300),
            close.repeat(300)
        ));
    }
    for part in [
        ".abs()",
        " + 1",
        " ** 2",
        " if 1 else 2",
        " and 1",
        " > 1",
        "[0]",
        ".a",
        "(1)",
        " or lambda: 1",
        " is not 1",
    ] {
        texts.push(format!("nw.lit(1){}", part.repeat(60_000 / part.len())));
        texts.push(format!("nw.lit(1){}", part.repeat(450)));
    }
    texts.push(format!("nw.lit('{}')", "a".repeat(100_000)));
    texts.push(format!(
        "nw.col('x').str.contains('{}') + nope",
        "(a*)*".repeat(5_000)
    ));
    texts.push("(lambda a: (lambda b: (lambda c: c + c + c + c)(b + b + b + b))(a + a + a + a))(nw.col('x')) +".to_owned());
    let mut doubling = "nw.col('x')".to_owned();
    for _ in 0..25 {
        doubling = format!("(lambda e: e + e)({doubling})");
    }
    texts.push(doubling);
    texts
}

#[test]
fn hostile_texts_end_within_a_second() {
    let texts = hostile();
    assert!(texts.len() >= 90, "{}", texts.len());
    for text in texts {
        let shown: String = text.chars().take(60).collect();
        let start = Instant::now();
        let outcome = python_expression(&text, Api::Narwhals);
        let as_step = step("select", json!([text]), json!({}));
        let as_sql = sql_expression(&text);
        let as_either = column_expr(&text, None);
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "{shown}: {:?}",
            start.elapsed()
        );
        assert!(outcome.is_err(), "{shown}");
        // In the other readings some are plain names: a column, or a field of a struct.
        drop((as_step, as_sql, as_either));
    }
}

#[test]
fn hostile_sql_ends_within_a_second() {
    let many = 100_000;
    let mut texts = Vec::new();
    for count in [many, 3_000, 210] {
        for (open, close) in [
            ("(", ")"),
            ("NOT ", ""),
            ("- ", ""),
            ("CASE WHEN x THEN ", " END"),
            ("ABS(", ")"),
            ("CAST(", " AS INT)"),
            ("[", "]"),
        ] {
            texts.push(format!("{}1{}", open.repeat(count), close.repeat(count)));
        }
        for part in [
            " + 1",
            " AND x",
            " OR x = 1",
            " || 'a'",
            "::INT",
            ".a",
            "[1]",
            " IS NULL",
            " COLLATE a",
        ] {
            texts.push(format!("x{}", part.repeat(count)));
        }
    }
    texts.extend(
        [
            "x; DROP TABLE y",
            "(SELECT 1)",
            "EXISTS (SELECT 1)",
            "x IN (SELECT y FROM z)",
            "'",
            "\"",
            "`",
            "/*",
            "$1",
            "?",
            ":a",
            "@x",
            "x.",
            "99999999999999999999999999999999999999999",
            "CAST(x AS STRUCT<a STRUCT<b STRUCT<c NOPE>>>)",
            "DATE 'nope'",
            "INTERVAL '1' NOPE",
        ]
        .map(str::to_owned),
    );
    for text in texts {
        let shown: String = text.chars().take(60).collect();
        let start = Instant::now();
        let outcome = sql_expression(&text);
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "{shown}: {:?}",
            start.elapsed()
        );
        assert!(outcome.is_err(), "{shown}: {outcome:?}");
    }
    let start = Instant::now();
    let statement = format!("SELECT {} FROM {{df}}", "'{df}', ".repeat(50_000));
    assert!(sql_statement(&statement).is_ok());
    assert!(sql_statement(&"{".repeat(200_000)).is_ok());
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn deepest_accepted_texts_fit_the_stack() {
    let chain = format!("nw.lit(1){}", " + 1".repeat(190));
    assert!(python_expression(&chain, Api::Narwhals).is_ok());
    let calls = format!("nw.col('x'){}", ".abs()".repeat(60));
    assert!(python_expression(&calls, Api::Narwhals).is_ok());
    let nested = format!("{}nw.col('x'){}", "(".repeat(60), ")".repeat(60));
    assert!(python_expression(&nested, Api::Narwhals).is_ok());
    let mut when = "nw.lit(0)".to_owned();
    for level in 0..20 {
        when = format!("nw.when(nw.col('x') > {level}).then({when})");
    }
    assert!(python_expression(&when, Api::Narwhals).is_ok());
    assert!(sql_expression(&format!("x = 0{}", " OR x = 1".repeat(90))).is_ok());
    assert!(sql_expression(&format!("{}x{}", "(".repeat(60), ")".repeat(60))).is_ok());
    let wide = format!("nw.col('x').is_in([{}])", "1, ".repeat(9_000));
    assert!(python_expression(&wide, Api::Narwhals).is_ok());
}
