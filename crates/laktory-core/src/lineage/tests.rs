//! One case for each step, and for what expressions do.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Decisions, Lineage, Origin, Part, after, of};
use crate::expr::{Arg, Expr, Selector, SortKey};
use crate::frame::FrameName;
use crate::functions::Func;
use crate::op::{AsofStrategy, JoinHow, Keep, Op, UnionHow};
use crate::window::{Window, WindowFrame, WindowFunc};
use crate::{DType, Field};

fn frame(name: &FrameName, columns: &[(&str, DType)]) -> Lineage {
    let fields = columns.iter();
    let fields: Vec<Field> = fields
        .map(|(name, dtype)| Field::new(*name, dtype.clone()))
        .collect();
    Lineage::source(name, fields.into())
}

fn left() -> Lineage {
    let list = DType::List(Box::new(DType::Int64));
    let inside = DType::Struct(vec![Field::new("x", DType::Int64)]);
    frame(
        &FrameName::Df,
        &[
            ("a", DType::Int64),
            ("b", DType::Int64),
            ("s", DType::String),
            ("l", list),
            ("r", inside),
        ],
    )
}

fn other() -> FrameName {
    FrameName::Node("o".into())
}

fn right() -> Lineage {
    frame(&other(), &[("a", DType::Int64), ("z", DType::Int64)])
}

fn col(name: &str) -> Expr {
    Expr::column(name)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// `a`, `o.z`, `r/x`, `#` for the order of the flowing frame, `o.#` for that of the other; which rows a frame has is left out.
fn shown(origin: &Origin) -> Option<String> {
    let owner = match &origin.frame {
        FrameName::Df => "",
        _ => "o.",
    };
    match &origin.part {
        Part::Column { name, path } => {
            let path: String = path.iter().map(|field| format!("/{field}")).collect();
            Some(format!("{owner}{name}{path}"))
        }
        Part::Order => Some(format!("{owner}#")),
        Part::Rows => None,
    }
}

fn decisions(decisions: &Decisions) -> String {
    let decisions = decisions.iter().filter_map(|(origin, how)| {
        let how: Vec<&str> = how.iter().map(|how| how.name()).collect();
        Some(format!("{} {}", shown(origin)?, how.join("+")))
    });
    decisions.collect::<Vec<_>>().join(", ")
}

/// Each column as `name: what it is made of | what decides`, then the rows.
fn told(lineage: &Lineage) -> Vec<String> {
    let columns = lineage.fields.iter().zip(&lineage.columns);
    let mut told: Vec<String> = columns
        .map(|(field, column)| {
            let made: Vec<String> = column.made_of.iter().filter_map(shown).collect();
            let unknown = if column.unknown { " ?" } else { "" };
            let decided = decisions(&column.decided_by);
            format!("{}: {} | {decided}{unknown}", field.name, made.join(", "))
        })
        .collect();
    told.push(format!("rows: {}", decisions(&lineage.rows)));
    told
}

fn step(op: &Op) -> Lineage {
    let others = BTreeMap::from([(other(), right())]);
    after(op, &left(), &others, None).unwrap()
}

/// What a step says of `a`, `b`, and of the rows; the other columns are as they were.
fn rows(op: &Op) -> String {
    let left = step(op);
    for (before, after) in self::left().columns.iter().zip(&left.columns) {
        assert_eq!(before.made_of, after.made_of);
    }
    decisions(&left.rows)
}

fn value(expr: &Expr) -> String {
    let sources = of(expr, &left()).unwrap();
    let made: Vec<String> = sources.made_of.iter().filter_map(shown).collect();
    format!("{} | {}", made.join(", "), decisions(&sources.decided_by))
}

#[test]
fn values_of_expressions() {
    assert_eq!(value(&Expr::literal(1_i64)), " | ");
    assert_eq!(
        value(&Expr::call(Func::Add, [col("a"), col("b")])),
        "a, b | "
    );
    let when = Expr::When {
        branches: vec![(
            Expr::call(Func::Gt, [col("a"), Expr::literal(1_i64)]),
            col("b"),
        )],
        otherwise: Some(Box::new(col("s"))),
    };
    assert_eq!(value(&when), "b, s | a condition");
    let field = Expr::Call {
        func: Func::StructField,
        args: vec![Arg::Expr(col("r")), Arg::Str("x".into())],
    };
    assert_eq!(value(&field), "r/x | ");
    let over = Expr::Over {
        expr: Box::new(Expr::call(Func::Sum, [col("b")])),
        partition_by: vec![col("a")],
        order_by: vec![SortKey::ascending(col("s"))],
    };
    assert_eq!(value(&over), "b | a window, s window");
    let running = Expr::Call {
        func: Func::CumSum,
        args: vec![Arg::Expr(col("b")), Arg::Bool(false)],
    };
    assert_eq!(value(&running), "b | # sort");
    let window = Expr::Window(Box::new(Window {
        func: WindowFunc::RowNumber,
        args: Vec::new(),
        partition_by: vec![col("a")],
        order_by: vec![SortKey::ascending(col("b"))],
        frame: WindowFrame::RUNNING,
        ignore_nulls: false,
    }));
    assert_eq!(value(&window), " | a window, b window, # sort");
    let filtered = Expr::Call {
        func: Func::Filter,
        args: vec![Arg::Expr(col("b")), Arg::Exprs(vec![col("a")])],
    };
    assert_eq!(
        value(&Expr::call(Func::Sum, [filtered])),
        "b | a filter, # sort"
    );
    assert!(of(&col("none"), &left()).is_err());
}

#[test]
fn select_takes_selectors_and_constants() {
    let numeric = Expr::Columns(Selector::Numeric);
    let constant = Expr::literal(1_i64).alias("one");
    let selected = step(&Op::Select {
        exprs: vec![numeric, constant],
    });
    assert_eq!(
        told(&selected),
        ["a: a | ", "b: b | ", "one:  | ", "rows: "]
    );
}

#[test]
fn with_columns_replaces_and_adds() {
    let replaced = step(&Op::WithColumns {
        exprs: vec![
            col("b").alias("a"),
            Expr::call(Func::Add, [col("a"), col("b")]).alias("c"),
        ],
    });
    assert_eq!(told(&replaced)[0], "a: b | ");
    assert_eq!(told(&replaced)[5], "c: a, b | ");
}

#[test]
fn rows_are_decided_by_what_chooses_them() {
    let predicate = Expr::call(Func::Gt, [col("a"), col("b")]);
    assert_eq!(rows(&Op::Filter { predicate }), "a filter, b filter");
    assert_eq!(
        rows(&Op::DropNulls {
            subset: Some(names(&["a"]))
        }),
        "a filter"
    );
    let by = vec![SortKey::ascending(col("a"))];
    assert_eq!(rows(&Op::Sort { by: by.clone() }), "");
    assert_eq!(rows(&Op::TopK { k: 1, by }), "a limit, # limit");
    assert_eq!(rows(&Op::Head { n: 1 }), "# limit");
    assert_eq!(rows(&Op::Tail { n: 1 }), "# limit");
    assert_eq!(rows(&Op::GatherEvery { n: 2, offset: 0 }), "# limit");
    let sample = Op::Sample {
        n: Some(1),
        fraction: None,
        with_replacement: false,
        seed: Some(1),
    };
    assert_eq!(rows(&sample), "# limit");
    let unique = |keep, subset: &[&str], order_by: &[&str]| Op::Unique {
        subset: Some(names(subset)),
        keep,
        order_by: order_by
            .iter()
            .map(|key| SortKey::ascending(col(key)))
            .collect(),
    };
    assert_eq!(
        rows(&unique(Keep::First, &["a"], &["b"])),
        "a distinct, b sort, # sort"
    );
    assert_eq!(rows(&unique(Keep::None, &["a"], &[])), "a distinct");
}

#[test]
fn an_order_decides_once_rows_are_taken_by_it() {
    let by = vec![SortKey::ascending(col("b"))];
    let sorted = step(&Op::Sort { by });
    let head = after(&Op::Head { n: 1 }, &sorted, &BTreeMap::new(), None).unwrap();
    assert_eq!(decisions(&head.rows), "b limit, # limit");
}

#[test]
fn names_and_types_change_without_values() {
    let renamed = step(&Op::Rename {
        mapping: vec![("a".into(), "b".into()), ("b".into(), "a".into())],
    });
    assert_eq!(told(&renamed)[..2], ["b: a | ", "a: b | "]);
    let dropped = step(&Op::Drop {
        columns: names(&["a", "l", "r"]),
        strict: true,
    });
    assert_eq!(told(&dropped), ["b: b | ", "s: s | ", "rows: "]);
    let cast = step(&Op::Cast {
        columns: vec![("a".into(), DType::Float64)],
    });
    assert!(!cast.columns[0].same && cast.columns[1].same);
    assert_eq!(told(&step(&Op::NullCount))[1], "b: b | ");
}

#[test]
fn groups_are_decided_by_their_keys() {
    let grouped = step(&Op::Aggregate {
        keys: vec![col("a")],
        aggs: vec![
            Expr::call(Func::Sum, [col("b")]),
            Expr::Call {
                func: Func::Len,
                args: Vec::new(),
            },
        ],
        drop_null_keys: false,
    });
    assert_eq!(
        told(&grouped),
        ["a: a | ", "b: b | ", "len:  | ", "rows: a group"]
    );
}

#[test]
fn joins_are_decided_by_the_keys_of_both_sides() {
    let join = |how, left_on: &[&str], right_on: &[&str]| Op::Join {
        right: other(),
        how,
        left_on: names(left_on),
        right_on: names(right_on),
        suffix: "_o".into(),
        nulls_equal: false,
    };
    let inner = told(&step(&join(JoinHow::Inner, &["a"], &["a"])));
    assert_eq!(inner[5..], ["z: o.z | ", "rows: a join, o.a join"]);
    let full = told(&step(&join(JoinHow::Full, &["b"], &["z"])));
    let expected = ["a_o: o.a | ", "z: o.z | ", "rows: b join, o.z join"];
    assert_eq!(full[5..], expected);
    let semi = told(&step(&join(JoinHow::Semi, &["a"], &["a"])));
    assert_eq!(semi[5..], ["rows: a join, o.a join"]);
    let cross = told(&step(&join(JoinHow::Cross, &[], &[])));
    assert_eq!(cross[5..], ["a_o: o.a | ", "z: o.z | ", "rows: "]);
    let nearest = step(&Op::JoinAsof {
        right: other(),
        left_on: "a".into(),
        right_on: "z".into(),
        by_left: names(&["b"]),
        by_right: names(&["a"]),
        strategy: AsofStrategy::Backward,
        suffix: "_o".into(),
    });
    assert_eq!(
        told(&nearest)[5..],
        [
            "z: o.z | ",
            "rows: a join, b join, # join, o.a join, o.z join, o.# join"
        ]
    );
}

#[test]
fn stacked_columns_are_made_of_those_of_all_frames() {
    let stacked = step(&Op::Union {
        others: vec![other()],
        how: UnionHow::Diagonal,
    });
    let told = told(&stacked);
    assert_eq!(
        (told[0].as_str(), told[1].as_str()),
        ("a: a, o.a | ", "b: b | ")
    );
    assert_eq!(told[5], "z: o.z | ");
}

#[test]
fn positions_lists_and_turned_columns() {
    let index = step(&Op::WithRowIndex {
        name: "i".into(),
        order_by: vec![SortKey::ascending(col("b"))],
        partition_by: vec![col("a")],
    });
    assert_eq!(told(&index)[0], "i:  | a window, b window, # window");
    let exploded = step(&Op::Explode {
        columns: names(&["l"]),
        empty_as_null: true,
        keep_nulls: true,
    });
    assert_eq!(
        told(&exploded)[3..],
        ["l: l | ", "r: r | ", "rows: l explode"]
    );
    let unpivoted = step(&Op::Unpivot {
        on: Some(names(&["a", "b"])),
        index: names(&["s"]),
        variable_name: "name".into(),
        value_name: "value".into(),
    });
    assert_eq!(
        told(&unpivoted),
        ["s: s | ", "name:  | ", "value: a, b | ", "rows: "]
    );
}

#[test]
fn pivoted_columns_are_known_by_the_rows() {
    let op = Op::Pivot {
        on: names(&["s"]),
        index: Some(names(&["a"])),
        values: Some(names(&["b"])),
        aggregate: None,
        sort_columns: false,
        separator: "_".into(),
    };
    let known = [Field::new("a", DType::Int64), Field::new("x", DType::Int64)];
    let pivoted = after(&op, &left(), &BTreeMap::new(), Some(&known)).unwrap();
    assert_eq!(
        told(&pivoted),
        [
            "a: a | ",
            "x: b | s pivot, # sort",
            "rows: a group, s pivot"
        ]
    );
    assert!(after(&op, &left(), &BTreeMap::new(), None).is_err());
}

#[test]
fn what_cannot_be_looked_into_depends_on_everything() {
    let op = Op::Native {
        func: "own.step".into(),
        args: vec![Arg::Frame(other())],
    };
    let others = BTreeMap::from([(other(), right())]);
    let known = [Field::new("x", DType::Int64)];
    let native = after(&op, &left(), &others, Some(&known)).unwrap();
    assert!(native.unknown_rows);
    assert_eq!(told(&native)[0], "x: a, b, l, r, s, o.a, o.z |  ?");
    // What is made of it is unknown too.
    let exprs = vec![Expr::call(Func::Add, [col("x"), Expr::literal(1_i64)])];
    let next = after(&Op::Select { exprs }, &native, &BTreeMap::new(), None).unwrap();
    assert!(next.columns[0].unknown);
    assert_eq!(
        next.rows
            .keys()
            .filter(|origin| origin.part == Part::Order)
            .count(),
        2
    );
    let _: &Arc<[Field]> = &next.fields;
}
