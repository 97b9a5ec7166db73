//! Points in time as texts. In formats of text they have one form, that of ISO 8601: `2024-01-31T10:00:00`, a fraction of three,
//! six or nine digits where there is one, and the offset of a zone, `+01:00`; the engine has another one for each format. In CSV
//! they may have forms of the user's own, in which the engine would not see what needs quotes: as texts they get them.

use std::sync::Arc;

use laktory_formats::times::TimeForms;
use polars::prelude::{
    Column, DataType, Expr, Field, IntoSeries, LazyFrame, PlSmallStr, PolarsResult, Schema,
    SchemaRef, Series, col,
};

/// In which forms of `strftime` values become texts; those without one stay as they are.
#[derive(Clone, Debug)]
pub(super) struct Forms {
    date: Option<String>,
    time: Option<String>,
    plain: String,
    zoned: String,
}

impl Forms {
    /// Those of formats of text.
    pub(super) fn iso() -> Self {
        Self {
            date: None,
            time: None,
            plain: "%Y-%m-%dT%H:%M:%S%.f".into(),
            zoned: "%Y-%m-%dT%H:%M:%S%.f%:z".into(),
        }
    }

    /// Those that writer options of CSV ask for.
    pub(super) fn of_csv(asked: TimeForms) -> Self {
        let iso = Self::iso();
        Self {
            // The engine's own form of a date needs no quotes.
            date: asked.date,
            time: asked.time.or_else(|| Some("%H:%M:%S%.f".into())),
            plain: asked.datetime.clone().unwrap_or(iso.plain),
            zoned: asked.datetime.unwrap_or(iso.zoned),
        }
    }

    fn text_type(&self, dtype: &DataType) -> DataType {
        match dtype {
            DataType::Datetime(..) => DataType::String,
            DataType::Date if self.date.is_some() => DataType::String,
            DataType::Time if self.time.is_some() => DataType::String,
            DataType::List(inner) => DataType::List(Box::new(self.text_type(inner))),
            DataType::Struct(fields) => {
                let text =
                    |field: &Field| Field::new(field.name().clone(), self.text_type(field.dtype()));
                DataType::Struct(fields.iter().map(text).collect())
            }
            other => other.clone(),
        }
    }

    fn text(&self, series: &Series) -> PolarsResult<Series> {
        Ok(match (series.dtype(), &self.date, &self.time) {
            (DataType::Datetime(_, None), ..) => {
                series.datetime()?.to_string(&self.plain)?.into_series()
            }
            (DataType::Datetime(_, Some(_)), ..) => {
                series.datetime()?.to_string(&self.zoned)?.into_series()
            }
            (DataType::Date, Some(form), _) => series.date()?.to_string(form)?.into_series(),
            (DataType::Time, _, Some(form)) => series.time()?.to_string(form).into_series(),
            (dtype, ..) if self.text_type(dtype) == *dtype => series.clone(),
            (DataType::List(_), ..) => {
                let texts = series.list()?.apply_to_inner(&|inner| self.text(&inner))?;
                texts.into_series()
            }
            _ => series
                .struct_()?
                .try_apply_fields(|field| self.text(field))?
                .into_series(),
        })
    }
}

/// The plan with texts for points in time, also those within others.
pub(super) fn texts(lazy: LazyFrame, schema: SchemaRef, forms: &Forms) -> (LazyFrame, SchemaRef) {
    let written: Schema = schema
        .iter()
        .map(|(name, dtype)| (name.clone(), forms.text_type(dtype)))
        .collect();
    if written == *schema {
        return (lazy, schema);
    }
    let changed: Vec<Expr> = written
        .iter()
        .filter(|(name, dtype)| schema.get(name) != Some(dtype))
        .map(|(name, dtype)| {
            let (forms, dtype) = (forms.clone(), dtype.clone());
            col(name.clone()).map_with_fmt_str(
                move |column: Column| {
                    column.try_apply_unary_elementwise(|series| forms.text(series))
                },
                move |_: &Schema, field: &Field| {
                    Ok(Field::new(field.name().clone(), dtype.clone()))
                },
                PlSmallStr::from_static("text"),
            )
        })
        .collect();
    (lazy.with_columns(changed), Arc::new(written))
}
