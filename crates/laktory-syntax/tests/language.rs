//! The language from outside: what users write, and the values or errors it becomes. Named by the rules of the
//! specification of Laktory 0.13 where there is one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use laktory_core::{
    Arg, DType, Expr, FrameName, Func, JoinHow, Keep, Op, Scalar, Selector, SortKey, UnionHow,
};
use laktory_syntax::{
    Api, ArgPlace, ColumnExprKind, FragmentError, MethodError, Segment, column_expr, columns,
    fuse_groups, is_aggregate, method, output_name, python_expression, reference, sql_expression,
    sql_projection, sql_statement,
};
use serde_json::{Map, Value as Json, json};

fn py(text: &str) -> Expr {
    python_expression(text, Api::Narwhals).unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

fn py_error(text: &str) -> FragmentError {
    python_expression(text, Api::Narwhals)
        .map(|expr| panic!("{text}: {expr:?}"))
        .unwrap_err()
        .remove(0)
}

fn sql(text: &str) -> Expr {
    sql_expression(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

fn sql_error(text: &str) -> FragmentError {
    sql_expression(text)
        .map(|expr| panic!("{text}: {expr:?}"))
        .unwrap_err()
        .remove(0)
}

fn step(name: &str, args: Json, kwargs: Json) -> Result<Vec<Op>, Vec<MethodError>> {
    let args = args.as_array().cloned().unwrap_or_default();
    let kwargs: Map<String, Json> = kwargs.as_object().cloned().unwrap_or_default();
    method(name, &args, &kwargs, Api::Narwhals)
}

fn ops(name: &str, args: Json, kwargs: Json) -> Vec<Op> {
    step(name, args, kwargs).unwrap_or_else(|errors| panic!("{name}: {errors:?}"))
}

fn native(name: &str, args: Json) -> Vec<Op> {
    let args = args.as_array().cloned().unwrap_or_default();
    method(name, &args, &Map::new(), Api::Native)
        .unwrap_or_else(|errors| panic!("{name}: {errors:?}"))
}

fn code(name: &str, args: Json, kwargs: Json) -> &'static str {
    step(name, args, kwargs).unwrap_err()[0].error.code
}

fn col(name: &str) -> Expr {
    Expr::column(name)
}

fn int(value: i64) -> Expr {
    Expr::literal(value)
}

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
        (
            "nw.col('x').max().over('g')",
            "MAX(x) OVER (PARTITION BY g)",
        ),
        ("nw.len()", "COUNT(*)"),
        ("nw.col('x').count()", "COUNT(x)"),
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
        ("nw.concat_ws('a')", "unknown-name", "did you mean"),
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

#[test]
fn r_arg_texts_of_steps() {
    // A text without call is a column; a text that is no expression stays a text.
    assert_eq!(
        ops("with_columns", json!([]), json!({"y": "x"})),
        [Op::WithColumns {
            exprs: vec![col("x").alias("y")]
        }]
    );
    assert_eq!(
        ops("select", json!(["Walmart (Inc)", "max(x)"]), json!({})),
        [Op::Select {
            exprs: vec![col("Walmart (Inc)"), col("max(x)")]
        }]
    );
    // R-ARG-1: numbers are literals.
    assert_eq!(
        ops("with_columns", json!([]), json!({"y": 5})),
        [Op::WithColumns {
            exprs: vec![int(5).alias("y")]
        }]
    );
    // Texts inside of lists are expressions too.
    assert_eq!(
        ops("select", json!([["nw.col('a') + 1", "b"]]), json!({})),
        [Op::Select {
            exprs: vec![sql("a + 1"), col("b")]
        }]
    );
    // A type without parentheses is a type where one is wanted.
    assert_eq!(
        ops(
            "cast",
            json!([{"a": "nw.Int64", "b": "nw.Datetime('ms')"}]),
            json!({})
        ),
        [Op::Cast {
            columns: vec![
                ("a".into(), DType::Int64),
                (
                    "b".into(),
                    DType::Datetime {
                        unit: laktory_core::TimeUnit::Millisecond,
                        zone: None
                    }
                ),
            ],
        }]
    );
    // Rooted in the API, but broken: an error, not a text.
    let errors = step("select", json!(["a", ["b", "nw.col('x'"]]), json!({})).unwrap_err();
    assert_eq!(errors[0].error.code, "syntax-error");
    assert_eq!(errors[0].place, ArgPlace::Positional(1));
    assert_eq!(errors[0].inside, [Segment::Index(1)]);
    // R-MTH-7: a real mapping with the key `value` is a mapping.
    assert_eq!(
        ops("rename", json!([{"value": "y"}]), json!({})),
        [Op::Rename {
            mapping: vec![("value".into(), "y".into())]
        }]
    );
    assert_eq!(
        ops(
            "with_columns",
            json!([]),
            json!({"y": {"value": "nw.col('a') + 1"}})
        ),
        ops("with_columns", json!([]), json!({"y": "nw.col('a') + 1"}))
    );
}

#[test]
fn the_steps_of_the_stock_prices_pipeline() {
    assert_eq!(
        ops("with_columns", json!([]), json!({
            "created_at": "nw.col('data').struct.field('created_at').cast(nw.dtypes.Datetime())",
            "close": "nw.col('data').struct.field('close').round(2)",
        }))
        .len(),
        1
    );
    assert_eq!(
        ops(
            "unique",
            json!([]),
            json!({"subset": ["symbol", "created_at"], "keep": "any"})
        ),
        [Op::Unique {
            subset: Some(vec!["symbol".into(), "created_at".into()]),
            keep: Keep::Any,
            order_by: vec![],
        }]
    );
    assert_eq!(
        ops(
            "join",
            json!([]),
            json!({"other": "{sources.metadata}", "on": ["symbol"], "how": "left"})
        ),
        [Op::Join {
            right: FrameName::Source("metadata".into()),
            how: JoinHow::Left,
            left_on: vec!["symbol".into()],
            right_on: vec!["symbol".into()],
            suffix: "_right".into(),
        }]
    );
    assert_eq!(
        ops(
            "laktory.groupby_and_agg",
            json!([]),
            json!({
                "groupby_columns": ["symbol"],
                "agg_expressions": [
                    "nw.col('low').min().alias('low')",
                    {"expr": "nw.len().alias('n')"},
                    {"expr": "max(high)", "type": "SQL"},
                ],
            })
        ),
        [Op::Aggregate {
            keys: vec![col("symbol")],
            aggs: vec![
                py("nw.col('low').min().alias('low')"),
                py("nw.len().alias('n')"),
                sql("MAX(high)"),
            ],
            drop_null_keys: false,
        }]
    );
    assert_eq!(
        ops("sort", json!(["symbol"]), json!({"descending": true})),
        [Op::Sort {
            by: vec![SortKey {
                expr: col("symbol"),
                descending: true,
                nulls_last: false
            }],
        }]
    );
    assert_eq!(
        ops("laktory.union", json!(["{nodes.b}"]), json!({})),
        [Op::Union {
            others: vec![FrameName::Node("b".into())],
            how: UnionHow::Vertical
        }]
    );
}

#[test]
fn faults_of_steps() {
    for (name, args, kwargs, wanted) in [
        ("nope", json!([]), json!({}), "unknown-method"),
        ("columns", json!([]), json!({}), "invalid-argument"),
        ("laktory.display", json!([]), json!({}), "not-a-frame"),
        ("laktory.has_column", json!(["x"]), json!({}), "not-a-frame"),
        ("head", json!([-2]), json!({}), "invalid-argument"),
        ("tail", json!([]), json!({}), "invalid-argument"),
        ("gather_every", json!([0]), json!({}), "invalid-argument"),
        ("with_columns", json!([]), json!({}), "invalid-argument"),
        ("with_row_index", json!([]), json!({}), "order-required"),
        (
            "unique",
            json!([]),
            json!({"keep": "first"}),
            "order-required",
        ),
        (
            "unique",
            json!([]),
            json!({"kepp": "any"}),
            "invalid-argument",
        ),
        (
            "laktory.window_filter",
            json!(["x", "y"]),
            json!({"rows_to_keep": 0}),
            "invalid-argument",
        ),
        (
            "laktory.window_filter",
            json!(["x"]),
            json!({}),
            "order-required",
        ),
        (
            "join",
            json!(["{b}"]),
            json!({"how": "inner"}),
            "invalid-argument",
        ),
        (
            "join",
            json!(["{b}"]),
            json!({"on": "k", "how": "outer"}),
            "not-implemented",
        ),
        ("join", json!(["b"]), json!({"on": "k"}), "invalid-argument"),
        ("select", json!(["{hello}"]), json!({}), "unknown-frame"),
        (
            "filter",
            json!([[true, false]]),
            json!({}),
            "invalid-argument",
        ),
        (
            "sort",
            json!(["x", "i"]),
            json!({"descending": [true]}),
            "invalid-argument",
        ),
        (
            "withColumn",
            json!(["y", "nw.col('x')"]),
            json!({}),
            "unknown-method",
        ),
    ] {
        assert_eq!(code(name, args, kwargs), wanted, "{name}");
    }
    let error = &step("withColumn", json!([]), json!({})).unwrap_err()[0];
    assert!(
        error
            .error
            .hint
            .as_ref()
            .unwrap()
            .contains("`with_columns`")
    );
    assert_eq!(error.place, ArgPlace::Name);
}

#[test]
fn r_mth_3_group_by_and_agg() {
    let group = ops("group_by", json!(["k"]), json!({"drop_null_keys": true}));
    let agg = ops("agg", json!([]), json!({"y": "nw.col('x').sum()"}));
    let joined = Op::Aggregate {
        keys: vec![col("k")],
        aggs: vec![py("nw.col('x').sum().alias('y')")],
        drop_null_keys: true,
    };
    let fused = fuse_groups(vec![group.clone(), agg.clone()]).unwrap();
    assert_eq!(fused, [vec![], vec![joined.clone()]]);
    assert_eq!(
        ops(
            "group_by.agg",
            json!([]),
            json!({"keys": ["k"], "drop_null_keys": true, "y": "nw.col('x').sum()"})
        ),
        [joined]
    );
    assert_eq!(fuse_groups(vec![group.clone()]).unwrap_err()[0].step, 0);
    assert_eq!(fuse_groups(vec![vec![], agg]).unwrap_err()[0].step, 1);
    assert_eq!(
        ops(
            "pipe",
            json!(["lambda d, n: d.group_by('k').agg(nw.len()).head(n)", 3]),
            json!({})
        )
        .len(),
        2
    );
}

#[test]
fn native_spellings_mean_the_same() {
    assert_eq!(
        native("withColumn", json!(["y", "F.upper('s')"])),
        ops(
            "with_columns",
            json!([]),
            json!({"y": "nw.col('s').str.to_uppercase()"})
        )
    );
    assert_eq!(
        native("drop_duplicates", json!([["a"]])),
        ops("unique", json!([["a"]]), json!({}))
    );
    assert_eq!(
        native(
            "with_columns",
            json!(["pl.col('x').is_not_null().alias('y')"])
        ),
        ops(
            "with_columns",
            json!(["(~nw.col('x').is_null()).alias('y')"]),
            json!({})
        )
    );
    assert_eq!(
        native("filter", json!(["x > 1"])),
        [Op::Filter {
            predicate: sql("x > 1")
        }]
    );
    assert_eq!(
        native("selectExpr", json!(["x + 1 AS y"])),
        [Op::Select {
            exprs: vec![sql("x + 1").alias("y")]
        }]
    );
    assert_eq!(
        native(
            "select",
            json!(["F.greatest(F.least('x1', F.lit(2)), F.lit(0))"])
        )
        .len(),
        1
    );
    assert_eq!(
        native("select", json!(["F.col('x').cast('double')"])),
        [Op::Select {
            exprs: vec![sql("CAST(x AS DOUBLE)")]
        }]
    );
}

#[test]
fn r_sqlx_1_the_scalar_language() {
    for text in [
        "-x",
        "x = -1",
        "b = TRUE",
        "NULL",
        "x NOT IN (1, 2)",
        "x IN (1, NULL, y)",
        "x NOT BETWEEN 1 AND 2",
        "s LIKE 'a%'",
        "s NOT ILIKE '%b'",
        "s LIKE 'a!%' ESCAPE '!'",
        "s RLIKE '^a'",
        "s || 'z'",
        "CONCAT(s, 'z')",
        "IF(x > 1, 1, 0)",
        "NULLIF(x, 0)",
        "GREATEST(x, y, 0)",
        "TRY_CAST(s AS INT)",
        "DATE '2024-01-31'",
        "TIMESTAMP '2024-01-31 12:00:00'",
        "COUNT(DISTINCT x)",
        "MEDIAN(x)",
        "STDDEV(x)",
        "VARIANCE(x)",
        "MEAN(x)",
        "ROUND(x, 2)",
        "LOG(2, x)",
        "LOG2(x)",
        "SQRT(x)",
        "TAN(x)",
        "SIGN(x)",
        "LENGTH(s)",
        "SUBSTRING(s, 1, 2)",
        "SUBSTRING(s FROM 1 FOR 2)",
        "TRIM(s)",
        "TRIM(BOTH 'x' FROM s)",
        "EXTRACT(DOW FROM t)",
        "DATE(t)",
        "TO_DATE(s)",
        "TO_DATE(s, 'yyyy-MM-dd')",
        "YEAR(t)",
        "CURRENT_TIMESTAMP",
        "CURRENT_TIMESTAMP()",
        "a.b.c",
        "x IS NOT TRUE",
        "x IS DISTINCT FROM y",
        "`x y` + 1",
        "\"x\" > 1",
        "x <=> 1",
        "ROW_NUMBER() OVER (PARTITION BY g ORDER BY t DESC)",
        "LAG(x, 2) OVER (ORDER BY t)",
        "SUM(x) OVER (ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
        "SUM(x) FILTER (WHERE x > 1)",
        "t + INTERVAL '1 month'",
        "t - INTERVAL 2 DAY",
        "POSITION('a' IN s)",
        "CEIL(1.5)",
        "x -- comment",
        "l[1]",
        "s['a']",
        "COUNT(*) > 50",
        "CASE x WHEN 1 THEN 'a' END",
        "DATE_TRUNC('month', t)",
        "PI()",
        "x % 2",
        "MOD(x, 2)",
    ] {
        sql(text);
    }
    assert_eq!(sql("x % 2"), Expr::call(Func::SqlMod, [col("x"), int(2)]));
    assert_eq!(sql("DATE '1970-01-02'"), Expr::Literal(Scalar::Date(1)));
    assert_eq!(
        sql_projection("x + 1 AS y").unwrap(),
        sql("x + 1").alias("y")
    );
    assert_eq!(sql_projection("x y").unwrap(), col("x").alias("y"));
}

#[test]
fn r_sqlx_2_unsupported_sql_has_its_place() {
    for (text, at) in [
        ("x +", ""),
        ("x + (SELECT 1)", "(SELECT 1)"),
        ("x AS y", "AS"),
        ("x + NOPE(y)", "NOPE(y)"),
        ("SUM(x) OVER (ORDER BY t)", "SUM(x) OVER (ORDER BY t)"),
        ("CAST(x AS NOPE)", "CAST(x AS NOPE)"),
        ("x; y", ";"),
    ] {
        let error = sql_error(text);
        let found = text[error.range.clone()].trim_end();
        assert!(
            at.contains(found) || found.contains(at),
            "{text}: {error:?}"
        );
    }
    assert_eq!(
        sql_error("LENGHT(s)").hint.unwrap(),
        "did you mean `LENGTH`?"
    );
    let errors = sql_expression("NOPE(x) + NADA(y)").unwrap_err();
    assert_eq!(errors.len(), 2);
}

#[test]
fn questions_about_expressions() {
    assert!(is_aggregate(&sql("COUNT(*) > 50")));
    assert!(is_aggregate(&py("nw.col('x').mean() > 1")));
    assert!(!is_aggregate(&py("nw.col('x').max().over('g') > 1")));
    assert!(!is_aggregate(&sql("x > AVG(x)")));
    assert!(!is_aggregate(&sql("TRUE")));
    let names: Vec<String> = columns(&sql("a.b + c > MAX(d)")).into_iter().collect();
    assert_eq!(names, ["a", "c", "d"]);
    assert_eq!(output_name(&py("nw.col('x') + nw.col('y')")).unwrap(), "x");
    assert_eq!(output_name(&py("1 + nw.col('y')")).unwrap(), "literal");
    assert_eq!(output_name(&py("nw.len()")).unwrap(), "len");
    assert_eq!(
        output_name(&py("nw.col('x').alias('z').name.suffix('_s')")).unwrap(),
        "z_s"
    );
    assert_eq!(output_name(&py("nw.all()")), None);
}

#[test]
fn every_function_of_the_table_can_be_called() {
    for def in Func::all() {
        let known = match def.receiver {
            laktory_core::Receiver::Method => {
                reference::expression_method_names().any(|name| name == def.path)
            }
            laktory_core::Receiver::Function => {
                def.path.starts_with("sql.")
                    || reference::function_names().any(|name| name == def.path)
            }
            laktory_core::Receiver::Operator => true,
        };
        assert!(known, "{}", def.path);
    }
    assert!(reference::method_names().count() > 30);
    assert!(reference::is_inspection("columns"));
}

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
