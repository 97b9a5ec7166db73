//! Frames as tables for people: names, types and the first rows, as wide as the terminal.

use std::sync::Arc;

use arrow_cast::display::{ArrayFormatter, FormatOptions};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, ContentArrangement, Table};
use laktory_core::DType;
use laktory_core::arrow::array::{Array, RecordBatch};
use laktory_core::arrow::schema::SchemaRef;

/// Width when the output is not a terminal, in characters.
const DEFAULT_WIDTH: u16 = 120;

/// The rows as a table with a header of names and types. `width` is in characters.
#[must_use]
pub fn render(schema: &SchemaRef, batches: &[RecordBatch], width: Option<u16>) -> String {
    let mut table = Table::new();
    table
        .load_preset(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width.unwrap_or(DEFAULT_WIDTH));
    table.set_header(schema.fields().iter().map(|field| {
        let dtype = short(&DType::from_arrow(field.data_type()));
        Cell::new(format!("{}\n---\n{dtype}", field.name()))
    }));
    let options = FormatOptions::default()
        .with_null("null")
        .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
        .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f %Z"))
        .with_display_error(true);
    for batch in batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(Arc::as_ref(column) as &dyn Array, &options))
            .collect();
        for row in 0..batch.num_rows() {
            table.add_row(columns.iter().map(|column| match column {
                Ok(column) => column.value(row).to_string(),
                Err(_) => "?".to_owned(),
            }));
        }
    }
    table.to_string()
}

/// The short type names of the table's header: `str`, `f64`, `datetime[us]`.
fn short(dtype: &DType) -> String {
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
