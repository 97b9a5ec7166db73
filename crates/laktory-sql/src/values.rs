//! VALUES: rows that are written in the statement.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use laktory_core::{DType, Error, ErrorKind, Expr, Field, Result, Scalar, UnionHow};
use sqlparser::ast;

use crate::fault::{Planned, wrong};
use crate::plan::{Plan, Rel};
use crate::planner::{Output, Planner};

/// Rows of constants.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rows {
    /// Their columns.
    pub fields: Vec<Field>,
    /// Their values.
    pub rows: Vec<Vec<Scalar>>,
}

impl Rows {
    /// The rows as a table.
    ///
    /// # Errors
    /// None for rows that were planned.
    pub(crate) fn batch(&self) -> Result<RecordBatch> {
        let columns = self.fields.iter().enumerate().map(|(at, field)| {
            let values = self
                .rows
                .iter()
                .map(|row| row.get(at).unwrap_or(&Scalar::Null));
            array(&field.dtype, values).map(|array| (field.name.as_str(), array, true))
        });
        RecordBatch::try_from_iter_with_nullable(columns.collect::<Result<Vec<_>>>()?)
            .map_err(|error| Error::internal(error.to_string()))
    }
}

fn array<'a>(dtype: &DType, values: impl Iterator<Item = &'a Scalar>) -> Result<ArrayRef> {
    Ok(match dtype {
        DType::Boolean => Arc::new(BooleanArray::from_iter(values.map(|value| match value {
            Scalar::Bool(value) => Some(*value),
            _ => None,
        }))),
        DType::Int64 => Arc::new(Int64Array::from_iter(values.map(|value| match value {
            Scalar::Int(value) => i64::try_from(*value).ok(),
            _ => None,
        }))),
        DType::Float64 => Arc::new(Float64Array::from_iter(values.map(|value| match value {
            Scalar::Float(value) => Some(*value),
            _ => None,
        }))),
        DType::String => Arc::new(StringArray::from_iter(values.map(|value| match value {
            Scalar::Str(value) => Some(value.as_str()),
            _ => None,
        }))),
        DType::Date => Arc::new(Date32Array::from_iter(values.map(|value| match value {
            Scalar::Date(value) => Some(*value),
            _ => None,
        }))),
        _ => return Err(Error::internal("constants of a type that is not planned")),
    })
}

/// The type of a constant in a table; none for null, which fits any, and for what is no plain constant.
fn type_of(value: &Expr) -> Option<Option<DType>> {
    let Expr::Literal(value) = value else {
        return None;
    };
    Some(Some(match value {
        Scalar::Null => return Some(None),
        Scalar::Bool(_) => DType::Boolean,
        Scalar::Int(value) if i64::try_from(*value).is_ok() => DType::Int64,
        Scalar::Float(_) => DType::Float64,
        Scalar::Str(_) => DType::String,
        Scalar::Date(_) => DType::Date,
        _ => return None,
    }))
}

/// Neighbouring rows of constants whose types are the same.
#[derive(Default)]
struct Run {
    types: Vec<Option<DType>>,
    rows: Vec<Vec<Scalar>>,
}

impl Run {
    /// Takes a row that fits, or gives it back.
    fn take(&mut self, columns: Vec<(String, Expr)>) -> Option<Vec<(String, Expr)>> {
        let types: Option<Vec<_>> = columns.iter().map(|(_, value)| type_of(value)).collect();
        let Some(types) = types else {
            return Some(columns);
        };
        if self.rows.is_empty() {
            self.types = vec![None; types.len()];
        }
        let pairs = || self.types.iter().zip(&types);
        if pairs().any(|(known, own)| known.is_some() && own.is_some() && known != own) {
            return Some(columns);
        }
        self.types = pairs().map(|(a, b)| a.clone().or(b.clone())).collect();
        let values = columns.into_iter().map(|(_, value)| match value {
            Expr::Literal(value) => value,
            _ => Scalar::Null,
        });
        self.rows.push(values.collect());
        None
    }

    /// The rows as a relation, and no rows left.
    fn end(&mut self, ids: &[String], rels: &mut Vec<Rel>) {
        let run = std::mem::take(self);
        if run.rows.is_empty() {
            return;
        }
        let columns = ids.iter().zip(run.types);
        // Null has a type of its own: what all rows lack is added behind.
        let (known, missing): (Vec<_>, Vec<_>) = columns.partition(|(_, dtype)| dtype.is_some());
        let kept: Vec<usize> = (0..ids.len())
            .filter(|at| !missing.iter().any(|(id, _)| **id == ids[*at]))
            .collect();
        let fields: Vec<Field> = known
            .into_iter()
            .filter_map(|(id, dtype)| Some(Field::new(id.as_str(), dtype?)))
            .collect();
        if fields.is_empty() {
            let nulls = |id: &String| (id.clone(), Expr::Literal(Scalar::Null));
            let row = || Rel::one_row().select(ids.iter().map(nulls).collect());
            rels.extend(run.rows.iter().map(|_| row()));
            return;
        }
        let rows = run.rows.into_iter().map(|row| {
            let values = kept.iter().map(|at| row.get(*at).cloned());
            values.map(|value| value.unwrap_or(Scalar::Null)).collect()
        });
        let rows = Rows {
            rows: rows.collect(),
            fields,
        };
        let rel = Rel {
            ids: rows.fields.iter().map(|field| field.name.clone()).collect(),
            plan: Arc::new(Plan::Rows(rows)),
        };
        let nulls = missing.into_iter();
        let nulls = nulls.map(|(id, _)| (id.clone(), Expr::Literal(Scalar::Null)));
        rels.push(rel.with(nulls.collect()).only(ids));
    }
}

impl Planner<'_> {
    /// Rows that are written in the statement; their columns are `column1` and so on.
    pub(crate) fn rows(&mut self, values: &ast::Values) -> Planned<Output> {
        let width = values.rows.first().map_or(0, |row| row.content.len());
        let names: Vec<String> = (1..=width).map(|at| format!("column{at}")).collect();
        let ids: Vec<String> = names
            .iter()
            .map(|name| self.names.claim(None, name))
            .collect();
        let outer = self.outer_ids();
        let mut rels = Vec::new();
        let mut run = Run::default();
        for row in &values.rows {
            if row.content.len() != width {
                return wrong(
                    ErrorKind::SqlSyntax,
                    "rows of VALUES have other numbers of values",
                );
            }
            let mut relation = self.no_relation();
            let mut columns = Vec::with_capacity(width);
            for (id, expr) in ids.iter().zip(&row.content) {
                let mut expr = expr.clone();
                self.resolve(&[], &mut expr)?;
                self.values(&mut relation, &mut expr)?;
                columns.push((id.clone(), self.lower(&expr)?));
            }
            if outer.is_empty() {
                columns = match run.take(columns) {
                    None => continue,
                    Some(columns) => columns,
                };
                run.end(&ids, &mut rels);
                columns = match run.take(columns) {
                    None => continue,
                    Some(columns) => columns,
                };
            }
            columns.extend(outer.iter().map(|id| (id.clone(), Expr::column(id))));
            rels.push(relation.rel.select(columns));
        }
        run.end(&ids, &mut rels);
        if rels.is_empty() || width == 0 {
            return wrong(ErrorKind::SqlSyntax, "VALUES without values");
        }
        let rest = rels.split_off(1);
        let rel = match rest.as_slice() {
            [] => rels.remove(0),
            rest => rels[0].union(rest, UnionHow::Coerced),
        };
        Ok(Output {
            rel,
            columns: names.into_iter().zip(ids).collect(),
            single: values.rows.len() == 1,
        })
    }
}
