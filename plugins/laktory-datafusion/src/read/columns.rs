//! The columns of files that carry their own schema, by the rule that both embedded engines share.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use laktory_core::{DType, Result};
use laktory_formats::folder::{self, Columns, Policy};

use super::Request;
use crate::types::data_type;

/// The schema in which files of some schemas are read.
///
/// # Errors
/// `SchemaMismatch` and `Unsupported`, naming file and column; `ColumnNotFound` for a declared column.
pub(super) fn united(request: &Request<'_>, stored: &[SchemaRef]) -> Result<SchemaRef> {
    let policy = Policy::of_read(request.spec)?;
    let partitions = request.files.of_folders();
    let mut all = Vec::with_capacity(stored.len());
    for (file, schema) in request.files.paths.iter().zip(stored) {
        let mut fields = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            if !partitions.contains(&field.name().as_str()) {
                let dtype = supported(file, field)?;
                fields.push(laktory_core::Field::new(field.name().as_str(), dtype));
            }
        }
        all.push(fields);
    }
    let columns: Vec<Columns<'_>> = request
        .files
        .paths
        .iter()
        .zip(&all)
        .map(|(file, fields)| Columns { file, fields })
        .collect();
    if let (Some(schema), Some(fields)) = (&request.declared, &request.spec.schema) {
        let own = |name: &str| !partitions.contains(&name);
        let fields: Vec<laktory_core::Field> = fields
            .iter()
            .filter(|field| own(&field.name))
            .cloned()
            .collect();
        folder::declared(&columns, &fields, policy)?;
        let wanted = schema.fields().iter().filter(|field| own(field.name()));
        return Ok(Arc::new(Schema::new(wanted.cloned().collect::<Vec<_>>())));
    }
    let fields = folder::unite(&columns, policy)?
        .iter()
        .map(|field| Ok(Field::new(&field.name, data_type(&field.dtype)?, true)))
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

/// The type of a column, if its values can be read.
fn supported(file: &Path, field: &Field) -> Result<DType> {
    match reason(field.data_type()) {
        None => Ok(match field.data_type() {
            // Texts leave the engine as texts, however they were encoded.
            DataType::Dictionary(_, values) => DType::from_arrow(values),
            dtype => DType::from_arrow(dtype),
        }),
        Some(what) => Err(laktory_formats::type_not_read(
            file,
            field.name(),
            &what,
            "datafusion",
        )),
    }
}

fn reason(dtype: &DataType) -> Option<String> {
    match dtype {
        DataType::Decimal256(digits, _) if *digits > 38 => {
            Some(format!("a decimal of {digits} digits"))
        }
        DataType::Decimal128(digits, scale) | DataType::Decimal256(digits, scale)
            if *scale < 0 || i16::from(*scale) > i16::from(*digits) =>
        {
            Some(format!("a decimal of {digits} digits and scale {scale}"))
        }
        DataType::Interval(_) => Some("an interval of months and days".to_owned()),
        DataType::Union(..) => Some("a union".to_owned()),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => reason(item.data_type()),
        DataType::Struct(fields) => fields.iter().find_map(|field| reason(field.data_type())),
        DataType::Dictionary(_, values) => reason(values),
        DataType::RunEndEncoded(_, values) => reason(values.data_type()),
        _ => None,
    }
}
