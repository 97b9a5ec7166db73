//! Aggregates and windows over many groups, in plans with several batches and partitions, where the states of collecting
//! aggregates travel.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use laktory_core::{Arg, Expr, Func, NamedFrames, Op, Result, SortKey};

use crate::ops;
use crate::testing::Bench;

const GROUPS: i64 = 20_000;
const PER_GROUP: i64 = 5;

/// Group `k` holds the values `k`, `k`, `k + 1`, `k + 2`, `k + 3`, scattered over all batches.
fn batches() -> Vec<RecordBatch> {
    (0..PER_GROUP)
        .flat_map(|round| (0..4).map(move |quarter| (round, quarter)))
        .map(|(round, quarter)| {
            let groups = (0..GROUPS).filter(|group| group % 4 == quarter);
            let (groups, values): (Vec<i64>, Vec<i64>) = groups
                .map(|group| (group, group + (round - 1).max(0)))
                .unzip();
            RecordBatch::try_from_iter([
                ("k", Arc::new(Int64Array::from(groups)) as ArrayRef),
                ("x", Arc::new(Int64Array::from(values))),
            ])
            .unwrap()
        })
        .collect()
}

fn computed(op: &Op) -> Result<RecordBatch> {
    let bench = Bench::new();
    let frame = bench.import(batches())?;
    let frame = ops::apply(&bench.cx, &frame, op, &NamedFrames::new())?;
    let rows = bench.rows(&frame)?;
    Ok(concat_batches(&rows[0].schema(), &rows).unwrap())
}

fn x() -> Expr {
    Expr::column("x")
}

fn over(expr: Expr, order_by: &[&str]) -> Expr {
    Expr::Over {
        expr: Box::new(expr),
        partition_by: vec![Expr::column("k")],
        order_by: order_by
            .iter()
            .map(|name| SortKey::ascending(Expr::column(*name)))
            .collect(),
    }
}

#[test]
fn groups_of_many_batches() {
    let mode = Expr::Call {
        func: Func::ModeAny,
        args: vec![Arg::Expr(x()), Arg::Str("any".into())],
    };
    let unique = Expr::call(Func::Sum, [Expr::call(Func::Unique, [x()])]);
    let out = computed(&Op::Aggregate {
        keys: vec![Expr::column("k")],
        aggs: vec![
            Expr::call(Func::Median, [x()]).alias("median"),
            mode.alias("mode"),
            unique.alias("unique"),
            Expr::call(Func::NUnique, [x()]).alias("n"),
        ],
        drop_null_keys: false,
    })
    .unwrap();
    assert_eq!(out.num_rows(), usize::try_from(GROUPS).unwrap());
    let groups = out.column(0).as_primitive::<Int64Type>();
    let medians = out.column(1).as_primitive::<Float64Type>();
    let modes = out.column(2).as_primitive::<Int64Type>();
    let sums = out.column(3).as_primitive::<Int64Type>();
    let counts = out.column(4).as_primitive::<Int64Type>();
    for (row, group) in groups.values().iter().enumerate() {
        #[allow(clippy::cast_precision_loss)]
        let median = (group + 1) as f64;
        assert!((medians.value(row) - median).abs() < 1e-9);
        assert_eq!(modes.value(row), *group);
        assert_eq!(sums.value(row), 4 * group + 6);
        assert_eq!(counts.value(row), 4);
    }
}

#[test]
fn windows_of_many_partitions() {
    let running = Expr::Call {
        func: Func::CumSum,
        args: vec![Arg::Expr(x()), Arg::Bool(false)],
    };
    let out = computed(&Op::Select {
        exprs: vec![
            Expr::column("k"),
            x(),
            over(running, &["x"]).alias("running"),
            over(Expr::call(Func::Median, [x()]), &[]).alias("median"),
        ],
    })
    .unwrap();
    assert_eq!(out.num_rows(), usize::try_from(GROUPS * PER_GROUP).unwrap());
    let column = |index: usize| out.column(index).as_primitive::<Int64Type>();
    let medians = out.column(3).as_primitive::<Float64Type>();
    for row in 0..out.num_rows() {
        let (group, value) = (column(0).value(row), column(1).value(row));
        #[allow(clippy::cast_precision_loss)]
        let median = (group + 1) as f64;
        assert!((medians.value(row) - median).abs() < 1e-9);
        // The first value of a group comes twice, in either order.
        let after = value - group;
        let sums = match after {
            0 => vec![group, 2 * group],
            _ => vec![(after + 2) * group + after * (after + 1) / 2],
        };
        assert!(sums.contains(&column(2).value(row)), "group {group}");
    }
}
