//! temporary
use crate::testing::{Bench, wait};
use laktory_core::*;
use polars::prelude::*;

fn dtype(t: &str) -> DataType {
    match t {
        "int8" => DataType::Int8,
        "int16" => DataType::Int16,
        "int32" => DataType::Int32,
        "int64" => DataType::Int64,
        "uint8" => DataType::UInt8,
        "uint16" => DataType::UInt16,
        "uint32" => DataType::UInt32,
        "uint64" => DataType::UInt64,
        "float32" => DataType::Float32,
        "float64" => DataType::Float64,
        "boolean" => DataType::Boolean,
        "string" => DataType::String,
        "date" => DataType::Date,
        "time" => DataType::Time,
        "null" => DataType::Null,
        "datetime[us]" => DataType::Datetime(polars::prelude::TimeUnit::Microseconds, None),
        "datetime[ms]" => DataType::Datetime(polars::prelude::TimeUnit::Milliseconds, None),
        "datetime[ns]" => DataType::Datetime(polars::prelude::TimeUnit::Nanoseconds, None),
        "datetime[us, UTC]" => DataType::Datetime(
            polars::prelude::TimeUnit::Microseconds,
            Some(polars::prelude::TimeZone::UTC),
        ),
        "duration[us]" => DataType::Duration(polars::prelude::TimeUnit::Microseconds),
        t if t.starts_with("list<") => DataType::List(Box::new(dtype(&t[5..t.len() - 1]))),
        t if t.starts_with("decimal(") => {
            let (a, b) = t[8..t.len() - 1].split_once(',').unwrap();
            DataType::Decimal(a.trim().parse().unwrap(), b.trim().parse().unwrap())
        }
        t if t.starts_with("struct<") => {
            let inner = &t[7..t.len() - 1];
            let mut depth = 0;
            let mut parts = vec![String::new()];
            for c in inner.chars() {
                match c {
                    '<' | '(' | '[' => depth += 1,
                    '>' | ')' | ']' => depth -= 1,
                    _ => {}
                }
                if c == ',' && depth == 0 {
                    parts.push(String::new());
                } else {
                    parts.last_mut().unwrap().push(c);
                }
            }
            DataType::Struct(
                parts
                    .iter()
                    .map(|p| {
                        let (n, t) = p.split_once(':').unwrap();
                        polars::prelude::Field::new(n.trim().into(), dtype(t.trim()))
                    })
                    .collect(),
            )
        }
        t => panic!("type {t}"),
    }
}
fn any(v: &serde_json::Value, d: &DataType) -> AnyValue<'static> {
    use serde_json::Value as V;
    match (v, d) {
        (V::Null, _) => AnyValue::Null,
        (V::Bool(b), _) => AnyValue::Boolean(*b),
        (V::Number(n), DataType::Float32 | DataType::Float64) => {
            AnyValue::Float64(n.as_f64().unwrap())
        }
        (V::Number(n), DataType::Duration(u)) => AnyValue::Duration(n.as_i64().unwrap(), *u),
        (V::Number(n), _) => n
            .as_i64()
            .map(AnyValue::Int64)
            .unwrap_or_else(|| AnyValue::UInt64(n.as_u64().unwrap())),
        (V::String(s), DataType::String) => AnyValue::StringOwned(s.as_str().into()),
        (V::String(s), DataType::Decimal(..)) => {
            let s = Series::new("".into(), [s.as_str()]).cast(d).unwrap();
            s.get(0).unwrap().into_static()
        }
        (V::String(s), d) => {
            let c =
                crate::iso::convert_column(&Column::new("".into(), [s.as_str()]), d, true).unwrap();
            c.get(0).unwrap().into_static()
        }
        (V::Array(vs), DataType::List(i)) => AnyValue::List(
            Series::from_any_values_and_dtype(
                "".into(),
                &vs.iter().map(|v| any(v, i)).collect::<Vec<_>>(),
                i,
                false,
            )
            .unwrap(),
        ),
        (V::Object(o), DataType::Struct(fs)) => AnyValue::StructOwned(Box::new((
            fs.iter()
                .map(|f| any(&o[f.name().as_str()], f.dtype()))
                .collect(),
            fs.clone(),
        ))),
        (V::Object(o), _) => AnyValue::Float64(match o["f"].as_str().unwrap() {
            "nan" => f64::NAN,
            "inf" => f64::INFINITY,
            _ => f64::NEG_INFINITY,
        }),
        _ => panic!("{v} {d}"),
    }
}
fn table(v: &serde_json::Value) -> DataFrame {
    let cols: Vec<Column> = v
        .as_array()
        .unwrap()
        .iter()
        .map(|c| {
            let d = dtype(c[1].as_str().unwrap());
            let vals: Vec<_> = c[2]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| any(v, &d))
                .collect();
            Series::from_any_values_and_dtype(c[0].as_str().unwrap().into(), &vals, &d, false)
                .unwrap()
                .into_column()
        })
        .collect();
    DataFrame::new_infer_height(cols).unwrap()
}
fn show(df: &DataFrame, ordered: bool) -> (Vec<String>, Vec<String>) {
    let names = df
        .columns()
        .iter()
        .map(|c| format!("{} {}", c.name(), c.dtype()))
        .collect();
    let mut rows: Vec<String> = (0..df.height())
        .map(|r| {
            df.columns()
                .iter()
                .map(|c| match c.get(r).unwrap() {
                    AnyValue::Float64(f) => format!("{:.9e}", if f == 0.0 { 0.0 } else { f }),
                    AnyValue::Float32(f) => format!("{f:.5e}"),
                    v => format!("{v}"),
                })
                .collect::<Vec<_>>()
                .join(" | ")
        })
        .collect();
    if !ordered {
        rows.sort();
    }
    (names, rows)
}
#[test]
fn sql_oracle() {
    let Ok(path) = std::env::var("ORACLE_SQL") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let only = std::env::var("ONLY").unwrap_or_default();
    let (mut ok, mut bad) = (0, 0);
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let id = case["id"].as_str().unwrap();
        if !id.contains(&only) {
            continue;
        }
        let bench = Bench::new();
        let mut named = NamedFrames::new();
        for (name, cols) in case["frames"].as_object().unwrap() {
            let f = bench.frame(table(cols));
            named.insert(
                if name == "df" {
                    FrameName::Df
                } else {
                    FrameName::Named(name.clone())
                },
                f,
            );
        }
        let expr = case["steps"][0]["expr"].as_str().unwrap();
        let mut segs = vec![];
        let mut at = 0;
        while let Some(s) = expr[at..].find('{') {
            let s = at + s;
            let e = s + expr[s..].find('}').unwrap();
            segs.push((SqlSegment::Text(expr[at..s].into()), at..s));
            let n = &expr[s + 1..e];
            let fname = if n == "df" {
                FrameName::Df
            } else if let Some(n) = n.strip_prefix("nodes.") {
                FrameName::Named(n.into())
            } else if let Some(n) = n.strip_prefix("sources.") {
                FrameName::Named(n.into())
            } else {
                FrameName::Named(n.into())
            };
            segs.push((SqlSegment::Frame(fname), s..e + 1));
            at = e + 1;
        }
        segs.push((SqlSegment::Text(expr[at..].into()), at..expr.len()));
        let out = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let f = wait(
                bench
                    .backend
                    .sql(&bench.cx, &SqlTemplate::new(segs), &named),
            )?;
            bench.collect(&f)
        }))
        .unwrap_or_else(|_| Err(Error::internal("panic")));
        let verdict = match (&case["expect"], out) {
            (e, Ok(df)) if e.get("columns").is_some() => {
                let ordered = e["ordered"].as_bool().unwrap();
                let (a, b) = (show(&table(&e["columns"]), ordered), show(&df, ordered));
                if a == b {
                    None
                } else {
                    Some(format!("expected {a:?}\n      got {b:?}"))
                }
            }
            (e, Ok(df)) => Some(format!("expected {e}, got {df}")),
            (e, Err(x)) if e.get("error").is_some() => {
                println!(
                    "  E {id} {} | got {} {} hint {:?}",
                    e,
                    x.kind().name(),
                    x.message(),
                    x.hint()
                );
                None
            }
            (_, Err(x)) => Some(format!(
                "{} {} hint {:?} src {:?}",
                x.kind().name(),
                x.message(),
                x.hint(),
                std::error::Error::source(&x).map(|e| e.to_string())
            )),
        };
        match verdict {
            None => ok += 1,
            Some(v) => {
                bad += 1;
                println!("FAIL {id} {expr}\n   {v}")
            }
        }
    }
    println!("ok {ok} bad {bad}");
}

#[test]
fn narwhals_oracle() {
    let Ok(path) = std::env::var("ORACLE_NW") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let only = std::env::var("ONLY").unwrap_or_default();
    let cases = laktory_testkit::parse_lines(&text).unwrap();
    let exact = std::env::var("EXACT").is_ok();
    let session =
        laktory_testkit::Session::connect(&crate::POLARS, &Default::default(), exact).unwrap();
    let mut n = [0; 3];
    for case in &cases {
        if !case.id.contains(&only) {
            continue;
        }
        match session.run(case) {
            laktory_testkit::Verdict::Passed => n[0] += 1,
            laktory_testkit::Verdict::Unsupported(w) => {
                n[1] += 1;
                println!("UNSUP {} {w}", case.id);
            }
            laktory_testkit::Verdict::Failed(w) => {
                n[2] += 1;
                println!("FAIL {} {}", case.id, w.replace('\n', " / "));
            }
        }
    }
    println!("passed {} unsupported {} failed {}", n[0], n[1], n[2]);
}

#[test]
fn measure() {
    let Ok(path) = std::env::var("MEASURE") else {
        return;
    };
    let bench = Bench::new();
    let rss = || {
        let s = std::fs::read_to_string("/proc/self/status").unwrap();
        s.lines()
            .filter(|l| l.starts_with("VmHWM") || l.starts_with("VmRSS"))
            .map(|l| l.to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let t = std::time::Instant::now();
    let source = wait(
        bench
            .backend
            .read(&bench.cx, &ReadSpec::new(Format::JsonLines, path)),
    )
    .unwrap();
    println!("read {:?} {}", t.elapsed(), rss());
    let mut named = NamedFrames::new();
    named.insert(FrameName::Df, source.clone());
    let seg = |t: &str| (SqlSegment::Text(t.into()), 0..1);
    let q = SqlTemplate::new(vec![
        seg(
            "SELECT data.symbol, CAST(data.created_at AS TIMESTAMP) AS created_at, data.open AS open, data.close AS close FROM ",
        ),
        (SqlSegment::Frame(FrameName::Df), 0..1),
    ]);
    let slv = wait(bench.backend.sql(&bench.cx, &q, &named)).unwrap();
    let which = std::env::var("WHICH").unwrap_or("one".into());
    let slv = if which.contains("unique") {
        bench
            .backend
            .apply(
                &bench.cx,
                &slv,
                &Op::Unique {
                    subset: Some(vec!["symbol".into(), "created_at".into()]),
                    keep: Keep::Any,
                    order_by: vec![],
                },
                &named,
            )
            .unwrap()
    } else {
        slv
    };
    let w = |f: &Frame, fmt: Format, n: &str| Job {
        frame: f.clone(),
        target: Target::Write(WriteSpec {
            format: fmt,
            path: bench.folder.path().join(n),
            options: Default::default(),
        }),
    };
    let good = laktory_core::Expr::call(
        Func::Gt,
        [
            laktory_core::Expr::column("open"),
            laktory_core::Expr::literal(50.0),
        ],
    );
    let f = |p: laktory_core::Expr| {
        bench
            .backend
            .apply(&bench.cx, &slv, &Op::Filter { predicate: p }, &named)
            .unwrap()
    };
    let metrics = bench
        .backend
        .apply(
            &bench.cx,
            &slv,
            &Op::Aggregate {
                keys: vec![],
                aggs: vec![
                    laktory_core::Expr::call(Func::Len, []),
                    laktory_core::Expr::call(Func::Sum, [good.clone()]).alias("good"),
                ],
                drop_null_keys: false,
            },
            &named,
        )
        .unwrap();
    let jobs = if which.contains("one") {
        vec![w(&slv, Format::Parquet, "a.parquet")]
    } else if which.contains("mat") {
        vec![Job {
            frame: slv.clone(),
            target: Target::Materialize,
        }]
    } else if which.contains("json") {
        vec![w(&slv, Format::Json, "a.json")]
    } else {
        vec![
            w(&f(good.clone()), Format::Parquet, "a.parquet"),
            w(&f(good.clone().is_not_true()), Format::Parquet, "b.parquet"),
            Job {
                frame: metrics,
                target: Target::Collect,
            },
        ]
    };
    if which.contains("explain") {
        let plans = jobs
            .iter()
            .map(|j| crate::PolarsFrame::lazy(&j.frame).unwrap().logical_plan)
            .collect();
        println!(
            "{}",
            LazyFrame::explain_all(plans, OptFlags::default() | OptFlags::STREAMING).unwrap()
        );
        return;
    }
    let t = std::time::Instant::now();
    let out = bench.run(jobs).unwrap();
    println!(
        "{which} {:?} {} {:?}",
        t.elapsed(),
        rss(),
        out.iter()
            .map(|o| match o {
                Outcome::Written(r) => r.rows,
                _ => 0,
            })
            .collect::<Vec<_>>()
    );
}
