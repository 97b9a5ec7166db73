//! Scalar SQL.

use crate::*;

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
        ("\u{feff}x + NOPE(y)", "NOPE(y)"),
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
    let field = "nw.col('s').struct.field('a') + 1";
    assert_eq!(output_name(&py(field)).unwrap(), "a");
    assert_eq!(
        output_name(&py(&format!("({field}).name.keep()"))).unwrap(),
        "s"
    );
    assert_eq!(
        output_name(&py("nw.col('x').alias('z').name.suffix('_s')")).unwrap(),
        "z_s"
    );
    assert_eq!(output_name(&py("nw.all()")), None);
}
