//! What becomes of names and types in each step. Rows stay as they are.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use laktory_core::{
    Arg, Error, ErrorKind, Expr, Func, FuncKind, NameChange, Op, Result, Scalar, Selector,
};
use serde_json::json;

use super::Recorded;
use crate::frames::array_of;

/// A column of the output: taken from the input, or null of some type.
#[derive(Clone)]
enum Origin {
    Input(usize),
    Computed(DataType),
}

type Output = Vec<(String, Origin)>;

/// The frame after one step.
pub(super) fn apply(input: &Recorded, op: &Op, others: &[&Recorded]) -> Result<Recorded> {
    for name in laktory_syntax::op_columns(op) {
        index(&input.schema, &name)?;
    }
    let all = || -> Output {
        let fields = input.schema.fields().iter().enumerate();
        fields
            .map(|(at, field)| (field.name().clone(), Origin::Input(at)))
            .collect()
    };
    match op {
        Op::Select { exprs } => project(input, outputs(input, exprs)?),
        Op::WithColumns { exprs } => {
            let mut columns = all();
            for (name, origin) in outputs(input, exprs)? {
                match columns.iter_mut().find(|(known, _)| *known == name) {
                    Some(known) => known.1 = origin,
                    None => columns.push((name, origin)),
                }
            }
            project(input, columns)
        }
        Op::Aggregate { keys, aggs, .. } => aggregate(input, keys, aggs),
        Op::Drop { columns, strict } => {
            for name in columns.iter().filter(|_| *strict) {
                index(&input.schema, name)?;
            }
            let mut kept = all();
            kept.retain(|(name, _)| !columns.contains(name));
            project(input, kept)
        }
        Op::Rename { mapping } => {
            let mut columns = all();
            for (old, new) in mapping {
                let at = index(&input.schema, old)?;
                new.clone_into(&mut columns[at].0);
            }
            project(input, columns)
        }
        Op::Cast { columns: casts } => {
            let mut columns = all();
            for (name, dtype) in casts {
                let at = index(&input.schema, name)?;
                let data_type = dtype.to_arrow().unwrap_or(DataType::Null);
                if &data_type != input.schema.field(at).data_type() {
                    columns[at].1 = Origin::Computed(data_type);
                }
            }
            project(input, columns)
        }
        Op::Head { n } => Ok(head(input, *n)),
        Op::Union { .. } => {
            let mut output = input.clone();
            for other in others {
                if other.schema.fields() != input.schema.fields() {
                    let message = "the frames of a union have different columns";
                    return Err(Error::new(ErrorKind::SchemaMismatch, message));
                }
                output.batches.extend(other.batches.iter().cloned());
            }
            Ok(output)
        }
        Op::Join {
            right_on, suffix, ..
        } => {
            let mut columns = all();
            for field in others.iter().flat_map(|other| other.schema.fields()) {
                if right_on.contains(field.name()) {
                    continue;
                }
                let known = input.schema.index_of(field.name()).is_ok();
                let suffix = if known { suffix.as_str() } else { "" };
                let name = format!("{}{suffix}", field.name());
                columns.push((name, Origin::Computed(field.data_type().clone())));
            }
            project(input, columns)
        }
        Op::WithRowIndex { name, .. } => {
            let mut columns = all();
            columns.insert(0, (name.clone(), Origin::Computed(DataType::Int64)));
            project(input, columns)
        }
        _ => Ok(input.clone()),
    }
}

fn index(schema: &SchemaRef, name: &str) -> Result<usize> {
    schema.index_of(name).map_err(|_| {
        let known: Vec<_> = schema
            .fields()
            .iter()
            .map(|f| format!("`{}`", f.name()))
            .collect();
        Error::new(
            ErrorKind::ColumnNotFound,
            format!("there is no column `{name}`"),
        )
        .with_hint(format!("columns here: {}", known.join(", ")))
    })
}

fn head(input: &Recorded, n: u64) -> Recorded {
    let mut left = usize::try_from(n).unwrap_or(usize::MAX);
    let mut output = input.clone();
    for batch in &mut output.batches {
        let taken = batch.num_rows().min(left);
        *batch = batch.slice(0, taken);
        left -= taken;
    }
    output
}

fn project(input: &Recorded, columns: Output) -> Result<Recorded> {
    let mut seen: Vec<&String> = Vec::new();
    for (name, _) in &columns {
        if seen.contains(&name) {
            let message = format!("two output columns are called `{name}`");
            return Err(Error::new(ErrorKind::DuplicateColumn, message));
        }
        seen.push(name);
    }
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, origin)| {
            let data_type = match origin {
                Origin::Input(at) => input.schema.field(*at).data_type().clone(),
                Origin::Computed(data_type) => data_type.clone(),
            };
            Field::new(name, data_type, true)
        })
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let batches = input
        .batches
        .iter()
        .map(|batch| {
            let arrays = columns
                .iter()
                .map(|(_, origin)| match origin {
                    Origin::Input(at) => batch.column(*at).clone(),
                    Origin::Computed(data_type) => new_null_array(data_type, batch.num_rows()),
                })
                .collect();
            self::batch(&schema, arrays, batch.num_rows())
        })
        .collect::<Result<_>>()?;
    Ok(Recorded {
        schema,
        batches,
        steps: input.steps.clone(),
    })
}

fn batch(schema: &SchemaRef, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)
        .map_err(|error| Error::internal(error.to_string()))
}

/// One row: keys are null, counts are the number of rows, every other aggregate is 0.
fn aggregate(input: &Recorded, keys: &[Expr], aggs: &[Expr]) -> Result<Recorded> {
    let rows = input.rows();
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (name, origin) in outputs(input, keys)? {
        let data_type = match origin {
            Origin::Input(at) => input.schema.field(at).data_type().clone(),
            Origin::Computed(data_type) => data_type,
        };
        arrays.push(new_null_array(&data_type, 1));
        fields.push(Field::new(name, data_type, true));
    }
    for agg in aggs {
        let value = if counts(agg) { json!(rows) } else { json!(0) };
        let array = array_of(&laktory_core::DType::Int64, &[value]).map_err(Error::internal)?;
        fields.push(Field::new(name(agg), DataType::Int64, true));
        arrays.push(array);
    }
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let batches = vec![batch(&schema, arrays, 1)?];
    let steps = input.steps.clone();
    Ok(Recorded {
        schema,
        batches,
        steps,
    })
}

/// Whether an aggregate counts rows.
fn counts(expr: &Expr) -> bool {
    match expr {
        Expr::Alias { expr, .. } | Expr::Rename { expr, .. } | Expr::Cast { expr, .. } => {
            counts(expr)
        }
        Expr::Call { func, .. } => matches!(func, Func::Len | Func::LenOf | Func::Count),
        _ => false,
    }
}

fn outputs(input: &Recorded, exprs: &[Expr]) -> Result<Output> {
    let mut outputs = Output::new();
    for expr in exprs {
        match expr {
            Expr::Columns(Selector::Names(names)) => {
                for name in names {
                    outputs.push((name.clone(), Origin::Input(index(&input.schema, name)?)));
                }
            }
            Expr::Columns(_) => {
                let fields = input.schema.fields().iter().enumerate();
                outputs.extend(fields.map(|(at, f)| (f.name().clone(), Origin::Input(at))));
            }
            expr => outputs.push((name(expr), origin(input, expr)?)),
        }
    }
    Ok(outputs)
}

/// The output name of an expression: that of its left-most column.
fn name(expr: &Expr) -> String {
    match expr {
        Expr::Column(name) | Expr::Alias { name, .. } => name.clone(),
        Expr::Cast { expr, .. } | Expr::Over { expr, .. } => name(expr),
        Expr::Rename { expr, change } => match change {
            NameChange::Prefix(prefix) => format!("{prefix}{}", name(expr)),
            NameChange::Suffix(suffix) => format!("{}{suffix}", name(expr)),
            NameChange::Lowercase => name(expr).to_lowercase(),
            NameChange::Uppercase => name(expr).to_uppercase(),
            _ => name(expr),
        },
        Expr::When { branches, .. } => match branches.first() {
            Some((_, value)) => name(value),
            None => "literal".to_owned(),
        },
        Expr::Call { func, args } => match args.first() {
            Some(Arg::Expr(expr)) => name(expr),
            Some(Arg::Exprs(exprs)) if !exprs.is_empty() => name(&exprs[0]),
            _ => func.def().path.to_owned(),
        },
        _ => "literal".to_owned(),
    }
}

fn origin(input: &Recorded, expr: &Expr) -> Result<Origin> {
    Ok(match expr {
        Expr::Column(name) => Origin::Input(index(&input.schema, name)?),
        Expr::Alias { expr, .. } | Expr::Rename { expr, .. } => origin(input, expr)?,
        other => Origin::Computed(data_type(input, other)),
    })
}

/// A guess at the type of an expression.
fn data_type(input: &Recorded, expr: &Expr) -> DataType {
    match expr {
        Expr::Column(name) => match input.schema.field_with_name(name) {
            Ok(field) => field.data_type().clone(),
            Err(_) => DataType::Null,
        },
        Expr::Cast { to, .. } => to.to_arrow().unwrap_or(DataType::Null),
        Expr::Alias { expr, .. } | Expr::Rename { expr, .. } | Expr::Over { expr, .. } => {
            data_type(input, expr)
        }
        Expr::When { branches, .. } => match branches.first() {
            Some((_, value)) => data_type(input, value),
            None => DataType::Null,
        },
        Expr::Literal(scalar) => match scalar {
            Scalar::Bool(_) => DataType::Boolean,
            Scalar::Int(_) => DataType::Int64,
            Scalar::Float(_) => DataType::Float64,
            Scalar::Str(_) => DataType::Utf8View,
            _ => DataType::Null,
        },
        Expr::Call { func, args } => {
            let truth = matches!(
                func,
                Func::Eq
                    | Func::Ne
                    | Func::Lt
                    | Func::Le
                    | Func::Gt
                    | Func::Ge
                    | Func::And
                    | Func::Or
                    | Func::Not
            );
            if truth || func.def().path.starts_with("is_") {
                DataType::Boolean
            } else if func.def().kind == FuncKind::Aggregate {
                DataType::Int64
            } else {
                match args.first() {
                    Some(Arg::Expr(expr)) => data_type(input, expr),
                    Some(Arg::Exprs(exprs)) if !exprs.is_empty() => data_type(input, &exprs[0]),
                    _ => DataType::Null,
                }
            }
        }
        _ => DataType::Null,
    }
}
