//! Frames as tables for people: names, types and the first rows, as wide as the terminal.

mod grid;

use std::sync::Arc;

use arrow_cast::display::{ArrayFormatter, DurationFormat, FormatOptions};
use laktory_core::DType;
use laktory_core::arrow::array::{Array, RecordBatch};
use laktory_core::arrow::schema::SchemaRef;
use laktory_syntax::visible;

pub use grid::{Column, DEFAULT_WIDTH, Grid, Left, Style, wrapped};

/// The rows as a table with a header of names and types. `width` is in characters, [`DEFAULT_WIDTH`] where there is no
/// terminal: columns that have no room are left out, long texts are cut, and lines below the table say so.
#[must_use]
pub fn render(schema: &SchemaRef, batches: &[RecordBatch], width: Option<u16>) -> String {
    let columns = schema.fields().iter().map(|field| {
        let dtype = DType::from_arrow(field.data_type());
        let name = visible(field.name()).into_owned();
        Column {
            header: vec![name, "---".to_owned(), visible(&short(&dtype)).into_owned()],
            name: field.name().clone(),
            text: is_text(&dtype),
            ..Column::default()
        }
    });
    let grid = Grid {
        columns: columns.collect(),
        rows: batches.iter().flat_map(rows).collect(),
        style: Style::Columns,
    };
    grid.render(Some(usize::from(width.unwrap_or(DEFAULT_WIDTH))))
}

/// How values are written.
fn options() -> FormatOptions<'static> {
    FormatOptions::default()
        .with_null("null")
        .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
        .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f %Z"))
        .with_duration_format(DurationFormat::Pretty)
        .with_display_error(true)
}

/// The one value of an array, as it stands in a table.
pub(crate) fn cell(array: &dyn Array) -> String {
    match ArrayFormatter::try_new(array, &options()) {
        Ok(column) => visible(&column.value(0).to_string()).into_owned(),
        Err(error) => format!("<{}>", visible(&error.to_string())),
    }
}

/// The cells of a batch, each on one line and without anything that a terminal would obey.
fn rows(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = options();
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(Arc::as_ref(column) as &dyn Array, &options))
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            let cells = columns.iter().map(|column| match column {
                Ok(column) => visible(&column.value(row).to_string()).into_owned(),
                Err(error) => format!("<{}>", visible(&error.to_string())),
            });
            cells.collect()
        })
        .collect()
}

/// Whether values may be cut: a part of a number or of a date would be another one.
fn is_text(dtype: &DType) -> bool {
    matches!(
        dtype,
        DType::String
            | DType::Binary
            | DType::Categorical
            | DType::Enum(_)
            | DType::List(_)
            | DType::Array(..)
            | DType::Struct(_)
    )
}

/// The short type names of the table's header: `str`, `f64`, `datetime[us]`.
pub(crate) fn short(dtype: &DType) -> String {
    match dtype {
        DType::Boolean => "bool".to_owned(),
        DType::Int8 => "i8".to_owned(),
        DType::Int16 => "i16".to_owned(),
        DType::Int32 => "i32".to_owned(),
        DType::Int64 => "i64".to_owned(),
        DType::UInt8 => "u8".to_owned(),
        DType::UInt16 => "u16".to_owned(),
        DType::UInt32 => "u32".to_owned(),
        DType::UInt64 => "u64".to_owned(),
        DType::Float32 => "f32".to_owned(),
        DType::Float64 => "f64".to_owned(),
        DType::String => "str".to_owned(),
        DType::Decimal { precision, scale } => {
            format!("decimal[{},{scale}]", precision.unwrap_or(38))
        }
        DType::Datetime { unit, zone: None } => format!("datetime[{}]", unit.name()),
        DType::Datetime {
            unit,
            zone: Some(zone),
        } => format!("datetime[{}, {zone}]", unit.name()),
        DType::Duration(unit) => format!("duration[{}]", unit.name()),
        DType::List(inner) => format!("list[{}]", short(inner)),
        DType::Array(inner, width) => format!("array[{}, {width}]", short(inner)),
        DType::Struct(fields) => format!("struct[{}]", fields.len()),
        other => other.to_string().to_lowercase(),
    }
}
