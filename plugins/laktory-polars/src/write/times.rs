//! Points in time as texts of ISO 8601, in the one form that all formats of text have: `2024-01-31T10:00:00`, a fraction of
//! three, six or nine digits where there is one, and the offset of a zone, `+01:00`. The engine has another one for each format.

use std::sync::Arc;

use polars::prelude::{
    Column, DataType, Expr, Field, IntoSeries, LazyFrame, PlSmallStr, PolarsResult, Schema,
    SchemaRef, Series, col,
};

const PLAIN: &str = "%Y-%m-%dT%H:%M:%S%.f";
const ZONED: &str = "%Y-%m-%dT%H:%M:%S%.f%:z";

/// The plan with texts for points in time, also those within others.
pub(super) fn texts(lazy: LazyFrame, schema: SchemaRef) -> (LazyFrame, SchemaRef) {
    let written: Schema = schema
        .iter()
        .map(|(name, dtype)| (name.clone(), text_type(dtype)))
        .collect();
    if written == *schema {
        return (lazy, schema);
    }
    let changed: Vec<Expr> = written
        .iter()
        .filter(|(name, dtype)| schema.get(name) != Some(dtype))
        .map(|(name, _)| {
            col(name.clone()).map_with_fmt_str(
                |column: Column| column.try_apply_unary_elementwise(text),
                |_: &Schema, field: &Field| {
                    Ok(Field::new(field.name().clone(), text_type(field.dtype())))
                },
                PlSmallStr::from_static("iso"),
            )
        })
        .collect();
    (lazy.with_columns(changed), Arc::new(written))
}

fn text_type(dtype: &DataType) -> DataType {
    match dtype {
        DataType::Datetime(..) => DataType::String,
        DataType::List(inner) => DataType::List(Box::new(text_type(inner))),
        DataType::Struct(fields) => {
            let text = |field: &Field| Field::new(field.name().clone(), text_type(field.dtype()));
            DataType::Struct(fields.iter().map(text).collect())
        }
        other => other.clone(),
    }
}

fn text(series: &Series) -> PolarsResult<Series> {
    Ok(match series.dtype() {
        DataType::Datetime(_, None) => series.datetime()?.to_string(PLAIN)?.into_series(),
        DataType::Datetime(_, Some(_)) => series.datetime()?.to_string(ZONED)?.into_series(),
        dtype if text_type(dtype) == *dtype => series.clone(),
        DataType::List(_) => {
            let texts = series.list()?.apply_to_inner(&|inner| text(&inner))?;
            texts.into_series()
        }
        _ => series.struct_()?.try_apply_fields(text)?.into_series(),
    })
}
