//! Python-style expressions.

use crate::*;

#[test]
fn python_and_sql_meet_in_the_same_values() {
    for (python, sql_text) in [
        ("nw.col('x') + 1", "x + 1"),
        (
            "(nw.col('x') > 1) & ~nw.col('s').is_null()",
            "x > 1 AND s IS NOT NULL",
        ),
        ("nw.col('x').is_in([1, 2])", "x IN (1, 2)"),
        (
            "nw.col('x').is_between(nw.lit(1), nw.lit(2))",
            "x BETWEEN 1 AND 2",
        ),
        (
            "nw.when(nw.col('x') > 1).then(nw.lit('a')).otherwise(nw.lit('b'))",
            "CASE WHEN x > 1 THEN 'a' ELSE 'b' END",
        ),
        ("nw.coalesce('x', nw.lit(0))", "COALESCE(x, 0)"),
        ("nw.col('x').cast(nw.Float64())", "CAST(x AS DOUBLE)"),
        ("nw.col('x').cast(nw.Float64)", "x::double"),
        (
            "nw.col('data').struct.field('a').struct.field('b')",
            "data.a.b",
        ),
        ("nw.col('s').str.to_uppercase()", "UPPER(s)"),
        ("nw.col('t').dt.year()", "EXTRACT(YEAR FROM t)"),
        ("nw.sql.max('x').over('g')", "MAX(x) OVER (PARTITION BY g)"),
        ("nw.len().cast(nw.Int64)", "COUNT(*)"),
        ("nw.col('x').count().cast(nw.Int64)", "COUNT(x)"),
        ("nw.col('x').log(10)", "LOG(x)"),
        ("-nw.col('x')", "-x"),
        ("nw.lit(-1)", "-1"),
        ("nw.lit(None)", "NULL"),
        ("nw.lit(True)", "TRUE"),
    ] {
        assert_eq!(py(python), sql(sql_text), "{python} / {sql_text}");
    }
}

#[test]
fn r_col_3_roots_are_synonyms() {
    for text in ["nw.col('x')", "pl.col('x')", "F.col('x')", "col('x')"] {
        assert_eq!(py(text), col("x"), "{text}");
    }
    assert_eq!(py("F.upper('s')"), py("nw.col('s').str.to_uppercase()"));
    assert_eq!(
        py("nw.col('x').cast(T.LongType())"),
        py("nw.col('x').cast(pl.Int64)")
    );
}

#[test]
fn r_col_1_guess_of_the_language() {
    assert_eq!(column_expr("x > 1", None).unwrap(), sql("x > 1"));
    assert_eq!(column_expr("nw.col('x') > 1", None).unwrap(), sql("x > 1"));
    assert_eq!(column_expr("F.col('x') > 1", None).unwrap(), sql("x > 1"));
    // A function of SQL, a struct column `pl`, and texts that only look like names of the API.
    assert_eq!(column_expr("max(x)", None).unwrap(), sql("MAX(x)"));
    assert_eq!(column_expr("pl.a > 1", None).unwrap(), sql("pl.a > 1"));
    assert_eq!(
        column_expr("COUNT(*) > 50", None).unwrap(),
        sql("COUNT(*) > 50")
    );
    assert!(column_expr("nw.col('x'", None).is_err());
    assert!(column_expr("nw.col('x')", Some(ColumnExprKind::Sql)).is_err());
    assert_eq!(
        column_expr("abs(x)", Some(ColumnExprKind::Df)).unwrap_err()[0].code,
        "unknown-name"
    );
}

#[test]
fn calls_are_bound_by_the_table() {
    let round = |decimals| Expr::Call {
        func: Func::Round,
        args: vec![Arg::Expr(col("x")), Arg::Int(decimals)],
    };
    assert_eq!(py("nw.col('x').round()"), round(0));
    assert_eq!(py("nw.col('x').round(2)"), round(2));
    assert_eq!(py("nw.col('x').round(decimals=2)"), round(2));
    for text in [
        "nw.col('x').round(1, 2)",
        "nw.col('x').round(digits=2)",
        "nw.col('x').round(2, decimals=2)",
        "nw.col('x').round('2')",
        "nw.col('x').str.contains()",
        "nw.col('x').std(1)",
        "nw.col('x').rank('nope')",
    ] {
        assert_eq!(py_error(text).code, "invalid-argument", "{text}");
    }
    let error = py_error("nw.col('x').round(digits=2)");
    assert!(error.hint.unwrap().contains("round(decimals=..)"));
    assert_eq!(
        py("nw.coalesce(['a', 'b'], nw.lit(1))"),
        py("nw.coalesce('a', 'b', nw.lit(1))")
    );
    assert_eq!(
        py("nw.col('i').replace_strict([1, 2], ['a', 'b'])"),
        py("nw.col('i').replace_strict({1: 'a', 2: 'b'})")
    );
    let Expr::Call { args, .. } = py("nw.col('i').replace_strict({1: 'a'}, default=None)") else {
        panic!("a call");
    };
    assert_eq!(args[2], Arg::Expr(Expr::Literal(Scalar::Null)));
}

#[test]
fn texts_are_columns_or_literals_by_position() {
    assert_eq!(
        py("nw.when(nw.col('x') > 1).then('g').otherwise(nw.lit('g'))"),
        Expr::When {
            branches: vec![(sql("x > 1"), col("g"))],
            otherwise: Some(Box::new(Expr::literal("g"))),
        }
    );
    assert_eq!(
        py("nw.col('s') + '_z'"),
        Expr::call(Func::Add, [col("s"), Expr::literal("_z")])
    );
}

#[test]
fn constants_are_folded_not_run() {
    assert_eq!(py("nw.lit(2**64)"), Expr::Literal(Scalar::Int(1 << 64)));
    assert_eq!(py("nw.lit(7 // -2)"), int(-4));
    assert_eq!(py("nw.lit(-7 % 3)"), int(2));
    assert_eq!(py("nw.lit([10, 20][-1])"), int(20));
    assert_eq!(py("nw.lit(f'{1 + 1}x')"), Expr::literal("2x"));
    assert_eq!(py("nw.lit('a' 'b')"), Expr::literal("ab"));
    assert_eq!(py("nw.lit(r'a\\d')"), Expr::literal("a\\d"));
    assert_eq!(py("nw.lit(len('abc') + int('3'))"), int(6));
    assert_eq!(py("nw.col('x') if 1 > 0 else nw.col('a')"), col("x"));
    assert_eq!(py("nw.col('i').pipe(lambda e: e + 1)"), sql("i + 1"));
    assert_eq!(
        py("nw.sum_horizontal(nw.col(c) for c in ['a', 'b'] if c != 'b')"),
        py("nw.sum_horizontal('a')")
    );
    assert_eq!(
        py("nw.col('x').name.map(lambda n: 'p_' + n)"),
        py("nw.col('x').name.prefix('p_')")
    );
}

#[test]
fn r_arg_3_line_breaks_are_blanks_and_ranges_exact() {
    assert_eq!(py("nw.col('x')\n  .abs()\n"), py("nw.col('x').abs()"));
    assert_eq!(py("nw.col('x') # note (1)\n + 1"), sql("x + 1"));
    let text = "nw.col('é')\n  .abss()";
    let error = py_error(text);
    assert_eq!(&text[error.range], "abss");
    assert_eq!(error.code, "unknown-name");
    assert_eq!(error.hint.unwrap(), "did you mean `.abs(...)`?");
}

#[test]
fn classic_mistakes_have_hints() {
    for (text, code, hint) in [
        (
            "nw.col('a') > 1 and nw.col('b') > 1",
            "ambiguous-truth-value",
            "`(...) & (...)`",
        ),
        ("not nw.col('a')", "ambiguous-truth-value", "`~"),
        ("1 < nw.col('a') < 3", "ambiguous-truth-value", "is_between"),
        (
            "nw.col('a') > 1 & nw.col('b') > 1",
            "ambiguous-truth-value",
            "bind tighter",
        ),
        ("nw.col('a') is None", "ambiguous-truth-value", ".is_null()"),
        ("nw.col('a') in [1, 2]", "ambiguous-truth-value", ".is_in("),
        ("nw.col('a').is_not_null()", "unknown-name", "is_null()"),
        ("nw.col('a').isNull()", "unknown-name", "is_null()"),
        (
            "nw.col('a').str.lengths()",
            "unknown-name",
            "str.len_chars()",
        ),
        (
            "nw.col('a').to_uppercase()",
            "unknown-name",
            "str.to_uppercase",
        ),
        (
            "nw.col('a').cast('Int64')",
            "invalid-argument",
            "nw.Int64()",
        ),
        ("nw.concat_ws('a')", "unknown-name", "nw.concat_str("),
        (
            "np.sqrt(nw.col('a'))",
            "unknown-name",
            "modules cannot be used",
        ),
        ("nw.upper('a')", "unknown-name", "str.to_uppercase()"),
        ("nw.col('a') && nw.col('b')", "syntax-error", "`&` for and"),
        ("nw.col('a') = 1", "syntax-error", "`==`"),
        (
            "nw.when(nw.col('a') > 1).otherwise(1)",
            "unknown-name",
            ".then(",
        ),
    ] {
        let error = py_error(text);
        assert_eq!(error.code, code, "{text}: {error:?}");
        let found = error.hint.clone().unwrap_or_default();
        assert!(found.contains(hint), "{text}: {error:?}");
    }
}

#[test]
fn several_faults_are_reported_at_once() {
    let errors =
        python_expression("nw.col('a').nope() + nw.nope(nw.zip())", Api::Narwhals).unwrap_err();
    assert!(errors.len() >= 2, "{errors:?}");
    let errors = step(
        "with_columns",
        json!([]),
        json!({"a": "nw.col('x').nope()", "b": "nw.col('x').cum_sum()", "c": "nw.col('x')"}),
    )
    .unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].place, ArgPlace::Keyword("a".into()));
}

#[test]
fn selectors_have_set_algebra() {
    let numeric = || Box::new(Selector::Numeric);
    assert_eq!(
        py("nw.selectors.numeric() - nw.selectors.matches('^i')"),
        Expr::Columns(Selector::Difference(
            numeric(),
            Box::new(Selector::Matches("^i".into()))
        ))
    );
    assert_eq!(
        py("~nw.selectors.numeric()"),
        Expr::Columns(Selector::Not(numeric()))
    );
    assert_eq!(
        py("nw.selectors.numeric() * 2"),
        Expr::call(Func::Mul, [Expr::Columns(Selector::Numeric), int(2)])
    );
    assert_eq!(
        py_error("nw.selectors.numeric() + nw.selectors.string()").code,
        "invalid-argument"
    );
}

#[test]
fn static_checks_of_shape_and_order() {
    for (text, wanted) in [
        ("nw.col('x').mean().mean()", "invalid-expression"),
        ("nw.lit(1).sum()", "invalid-expression"),
        ("nw.col('x').abs().over('g')", "invalid-expression"),
        (
            "nw.col('x').sum().over('g').over('t')",
            "invalid-expression",
        ),
        (
            "nw.col('x').sum().over('g', order_by='t')",
            "order-required",
        ),
        ("nw.col('x').cum_sum()", "order-required"),
        ("nw.col('x').first()", "order-required"),
        (
            "nw.col('x').fill_null(strategy='forward')",
            "order-required",
        ),
        ("nw.col('x').drop_nulls()", "length-changing"),
    ] {
        assert_eq!(
            code("with_columns", json!([]), json!({"y": text})),
            wanted,
            "{text}"
        );
    }
    for text in [
        "nw.col('x').cum_sum().over('g', order_by='t') + 1",
        "nw.col('x').first(order_by='t')",
        "nw.col('x').drop_nulls().sum()",
        "nw.col('x').mode(keep='any')",
        "nw.col('x').sum().over('g').sum()",
        "nw.col('x').rank('ordinal').over(order_by='i')",
        "nw.col('x') - nw.col('x').mean()",
    ] {
        ops("with_columns", json!([]), json!({"y": text}));
    }
    assert_eq!(
        code("filter", json!(["nw.lit(True)"]), json!({})),
        "invalid-expression"
    );
    assert_eq!(
        code("select", json!(["a", "a"]), json!({})),
        "duplicate-column"
    );
}
