//! Steps and expressions that merges are made of, and an engine that carries them out.

use std::collections::BTreeSet;
use std::sync::Arc;

use laktory_core::arrow::array::RecordBatch;
use laktory_core::arrow::array::cast::AsArray;
use laktory_core::arrow::array::types::Int64Type;
use laktory_core::{
    Arg, Backend, DType, Error, Expr, Field, Frame, FrameName, Func, Job, JoinHow, Keep,
    NamedFrames, Op, Outcome, Result, RunCx, Scalar, SortKey, Target, UnionHow, Window,
    WindowFrame, WindowFunc, WriteSpec, typing,
};

/// How the names begin of columns that a merge adds to the rows it works on.
pub(crate) const PREFIX: &str = "__laktory_cdc_";
/// Where a change stands in the order of changes of its row.
pub(super) const SEQUENCE: &str = "__laktory_cdc_sequence";
/// Whether a change deletes.
pub(super) const DELETES: &str = "__laktory_cdc_deletes";
/// Whether an event was known before.
pub(super) const KNOWN: &str = "__laktory_cdc_known";
/// Whether an event is a row of the table.
pub(super) const STORED: &str = "__laktory_cdc_stored";
/// The number of the file that holds a row of the table.
pub(super) const FILE: &str = "__laktory_cdc_file";
/// What became of an event of the batch; see [`Counts`](super::Counts).
pub(super) const OUTCOME: &str = "__laktory_cdc_outcome";
/// Whether an event becomes a row of the table.
pub(super) const ENTERS: &str = "__laktory_cdc_enters";
/// Whether a row of the table goes.
pub(super) const LEAVES: &str = "__laktory_cdc_leaves";
/// Whether an event is to be remembered beside the table.
pub(super) const HIDDEN: &str = "__laktory_cdc_hidden";
/// Whether an event differs from another of its place in values alone that have no order.
pub(super) const DISAGREES: &str = "__laktory_cdc_disagrees";
/// Whether an event makes another of the table, or of what is remembered.
pub(super) const MOVES: &str = "__laktory_cdc_moves";
/// Whether what is remembered of the key of an event is replaced.
pub(super) const REPLACES: &str = "__laktory_cdc_replaces";

pub(super) fn column(name: impl Into<String>) -> Expr {
    Expr::column(name)
}

pub(super) fn not(expr: Expr) -> Expr {
    Expr::call(Func::Not, [expr])
}

pub(super) fn is_null(expr: Expr) -> Expr {
    Expr::call(Func::IsNull, [expr])
}

pub(super) fn compared(func: Func, left: Expr, right: Expr) -> Expr {
    Expr::call(func, [left, right])
}

/// Equality by which null equals null.
pub(super) fn same(left: Expr, right: Expr) -> Expr {
    Expr::call(Func::SqlEqNullSafe, [left, right])
}

/// Whether a condition is the case: null is not.
pub(super) fn holds(condition: Expr) -> Expr {
    coalesced(vec![condition, Expr::literal(false)])
}

/// The first value that is not null.
pub(super) fn coalesced(values: Vec<Expr>) -> Expr {
    Expr::Call {
        func: Func::Coalesce,
        args: vec![Arg::Exprs(values)],
    }
}

/// Whether all conditions hold; so it is where there are none.
pub(super) fn all(conditions: impl IntoIterator<Item = Expr>) -> Expr {
    let all = conditions.into_iter().reduce(Expr::and);
    all.unwrap_or_else(|| Expr::literal(true))
}

pub(super) fn null(dtype: &DType) -> Expr {
    cast(Expr::Literal(Scalar::Null), dtype)
}

pub(super) fn cast(expr: Expr, to: &DType) -> Expr {
    Expr::Cast {
        expr: Box::new(expr),
        to: to.clone(),
        strict: true,
    }
}

/// The value where a condition holds, else null.
pub(super) fn only(condition: Expr, value: Expr) -> Expr {
    Expr::When {
        branches: vec![(condition, value)],
        otherwise: None,
    }
}

/// The value of the first branch that holds.
pub(super) fn choose(branches: Vec<(Expr, Expr)>, otherwise: Expr) -> Expr {
    Expr::When {
        branches,
        otherwise: Some(Box::new(otherwise)),
    }
}

/// Whether any row of a partition fulfils a condition.
pub(super) fn any(condition: Expr, partition_by: &[Expr]) -> Expr {
    let count = choose(
        vec![(condition, cast(Expr::literal(1_i64), &DType::Int64))],
        cast(Expr::literal(0_i64), &DType::Int64),
    );
    let most = over(Expr::call(Func::Max, [count]), partition_by);
    compared(Func::Gt, most, Expr::literal(0_i64))
}

pub(super) fn over(expr: Expr, partition_by: &[Expr]) -> Expr {
    Expr::Over {
        expr: Box::new(expr),
        partition_by: partition_by.to_vec(),
        order_by: Vec::new(),
    }
}

/// A window function of SQL with an order.
pub(super) fn window(
    func: WindowFunc,
    args: Vec<Expr>,
    partition_by: &[Expr],
    order_by: Vec<SortKey>,
) -> Expr {
    Expr::Window(Box::new(Window {
        func,
        args,
        partition_by: partition_by.to_vec(),
        order_by,
        frame: WindowFrame::RUNNING,
        ignore_nulls: false,
    }))
}

pub(super) fn ascending(expr: Expr) -> SortKey {
    SortKey::ascending(expr)
}

/// The greatest first, null last.
pub(super) fn descending(expr: Expr) -> SortKey {
    SortKey {
        expr,
        descending: true,
        nulls_last: true,
    }
}

pub(super) fn columns(fields: &[Field]) -> Vec<Expr> {
    fields.iter().map(|field| column(&field.name)).collect()
}

pub(super) fn nulls(fields: &[Field]) -> Vec<Expr> {
    let null = |field: &Field| null(&field.dtype).alias(&field.name);
    fields.iter().map(null).collect()
}

pub(super) fn names(fields: &[Field]) -> Vec<String> {
    fields.iter().map(|field| field.name.clone()).collect()
}

pub(super) fn filter(predicate: Expr) -> Op {
    Op::Filter { predicate }
}

pub(super) fn select(exprs: Vec<Expr>) -> Op {
    Op::Select { exprs }
}

pub(super) fn with(exprs: Vec<Expr>) -> Op {
    Op::WithColumns { exprs }
}

/// The engine of a node.
#[derive(Clone, Copy)]
pub(super) struct Engine<'a> {
    pub(super) cx: &'a RunCx,
    pub(super) backend: &'a Arc<dyn Backend>,
}

impl Engine<'_> {
    /// The frame after several steps.
    pub(super) async fn after(&self, frame: &Frame, ops: &[Op]) -> Result<Frame> {
        let mut frame = frame.clone();
        for op in ops {
            frame = self.step(&frame, op, &NamedFrames::new()).await?;
        }
        Ok(frame)
    }

    async fn step(&self, frame: &Frame, op: &Op, named: &NamedFrames) -> Result<Frame> {
        typing::apply(&**self.backend, self.cx, frame, op, named).await
    }

    /// Rows matched with those of another frame by columns of the same names, null being a value.
    pub(super) async fn joined(
        &self,
        left: &Frame,
        right: &Frame,
        how: JoinHow,
        on: (&[String], &[String]),
    ) -> Result<Frame> {
        let (name, named) = other(right);
        let join = Op::Join {
            right: name,
            how,
            left_on: on.0.to_vec(),
            right_on: on.1.to_vec(),
            suffix: format!("{PREFIX}right"),
            nulls_equal: true,
        };
        self.step(left, &join, &named).await
    }

    /// Rows of several frames of the same columns.
    pub(super) async fn stacked(&self, first: &Frame, more: &[Frame]) -> Result<Frame> {
        let mut frame = first.clone();
        for next in more {
            let (name, named) = other(next);
            let union = Op::Union {
                others: vec![name],
                how: UnionHow::Vertical,
            };
            frame = self.step(&frame, &union, &named).await?;
        }
        Ok(frame)
    }

    /// A frame that holds the rows of another, computed now, and how many they are.
    pub(super) async fn kept(&self, frame: Frame) -> Result<(Frame, u64)> {
        let jobs = vec![Job::new(frame, Target::Materialize)];
        match self.backend.execute(self.cx, jobs).await?.pop() {
            Some(Outcome::Materialized { frame, rows }) => Ok((frame, rows)),
            _ => Err(Error::internal("the engine kept no frame")),
        }
    }

    /// Writes files, each with its rows.
    pub(super) async fn written(&self, files: Vec<(Frame, WriteSpec)>) -> Result<Vec<u64>> {
        let jobs = files.into_iter();
        let jobs = jobs.map(|(frame, spec)| Job::new(frame, Target::Write(spec)));
        let outcomes = self.backend.execute(self.cx, jobs.collect()).await?;
        let rows = outcomes.into_iter().map(|outcome| match outcome {
            Outcome::Written(report) => Ok(report.rows),
            _ => Err(Error::internal("the engine wrote no file")),
        });
        rows.collect()
    }

    /// The numbers of the files that rows of the table are in.
    pub(super) async fn files(&self, rows: &Frame) -> Result<Vec<usize>> {
        let distinct = Op::Unique {
            subset: None,
            keep: Keep::Any,
            order_by: Vec::new(),
        };
        let ops = [select(vec![column(FILE)]), distinct];
        let batches = self.collected(self.after(rows, &ops).await?).await?;
        let mut files = BTreeSet::new();
        for batch in &batches {
            let numbers = batch.column(0).as_primitive_opt::<Int64Type>();
            let numbers = numbers.ok_or_else(|| Error::internal("numbers of files are none"))?;
            files.extend(
                numbers
                    .iter()
                    .flatten()
                    .filter_map(|number| usize::try_from(number).ok()),
            );
        }
        Ok(files.into_iter().collect())
    }

    /// The rows of a frame, which are few.
    pub(super) async fn collected(&self, frame: Frame) -> Result<Vec<RecordBatch>> {
        let jobs = vec![Job::new(frame, Target::Collect)];
        match self.backend.execute(self.cx, jobs).await?.pop() {
            Some(Outcome::Collected(batches)) => Ok(batches),
            _ => Err(Error::internal("the engine collected no rows")),
        }
    }
}

fn other(frame: &Frame) -> (FrameName, NamedFrames) {
    let name = FrameName::Named("merged rows".to_owned());
    let mut named = NamedFrames::new();
    named.insert(name.clone(), frame.clone());
    (name, named)
}
