//! Method steps.

use crate::*;

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
            nulls_equal: false,
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
    assert_eq!(
        ops(
            "laktory.groupby_and_agg",
            json!([]),
            json!({"groupby_columns": ["k"], "agg_expressions": ["MAX(x) AS y"]})
        ),
        [Op::Aggregate {
            keys: vec![col("k")],
            aggs: vec![py("nw.sql.max('x').alias('y')")],
            drop_null_keys: false,
        }]
    );
    assert_eq!(
        ops(
            "pipe",
            json!([]),
            json!({"function": "lambda d, n: d.head(n)", "n": 3})
        ),
        [Op::Head { n: 3 }]
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
