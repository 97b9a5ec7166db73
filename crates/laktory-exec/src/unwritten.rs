//! What a node will read by path or by name of a table once another node of the plan has written it: its columns, as far as
//! they are known before there are rows.

use std::sync::Arc;

use laktory_core::arrow::schema::{Field as ArrowField, Schema, SchemaRef};
use laktory_core::{DType, Field, Format, ReadSpec};
use laktory_plan::{Input, InputSource, NodePlan, Plan, SinkMode, SinkPlan, Stored, Writer};

/// Options of readers of text by which neither the names nor the types of columns change.
const HARMLESS: &[&str] = &[
    "delimiter",
    "encoding",
    "null_value",
    "null_values",
    "nullValue",
    "quote",
    "quote_char",
    "sep",
    "separator",
];

/// The nodes of the plan that write what an input reads, with the sinks that do; none for an input that can be read now.
pub(crate) fn writers<'a>(plan: &'a Plan, input: &'a Input) -> Vec<(usize, &'a Writer)> {
    let reads = matches!(input.source, InputSource::Files(_) | InputSource::Table(_));
    if !plan.writes || !reads {
        return Vec::new();
    }
    let positions = input.written_by.iter().filter_map(|writer| {
        let position = plan
            .nodes
            .iter()
            .position(|node| node.name == writer.node)?;
        Some((position, writer))
    });
    positions.collect()
}

/// The columns that reading `sink` of `node` gives, whose output has `schema`. None where they depend on the rows, or on
/// what is there already.
pub(crate) fn columns(
    input: &Input,
    writer: &Writer,
    node: &NodePlan,
    schema: &SchemaRef,
) -> Option<SchemaRef> {
    let sink = &node.sinks[writer.sink];
    let replaced = matches!(sink.mode, SinkMode::Overwrite | SinkMode::Error);
    if !writer.whole || !replaced || !sink.layout.partition_by.is_empty() {
        return None;
    }
    let written = match &sink.schema {
        Some(fields) => arrow(fields)?,
        None => Arc::clone(schema),
    };
    match &input.source {
        InputSource::Files(spec) if sink.target.format() == Some(&spec.format) => {
            of_files(spec, sink, &written)
        }
        InputSource::Table(spec) => {
            let lossless = |format: &Format| format.is_lossless() || *format == Format::Delta;
            let lossless = sink.target.format().is_none_or(lossless);
            (lossless && spec.options.is_empty()).then_some(written)
        }
        _ => None,
    }
}

fn of_files(spec: &ReadSpec, sink: &SinkPlan, written: &SchemaRef) -> Option<SchemaRef> {
    if spec.format.is_lossless() {
        return (spec.options.is_empty() && spec.schema.is_none()).then(|| Arc::clone(written));
    }
    let harmless = |name: &String| HARMLESS.contains(&name.as_str());
    if !spec.options.keys().all(harmless) {
        return None;
    }
    match (&spec.schema, &spec.format) {
        (Some(fields), Format::Csv | Format::JsonLines | Format::Json) => arrow(fields),
        (None, Format::Csv) => {
            let Stored::Files(back) = &sink.read else {
                return None;
            };
            if spec.infer_schema || !spec.has_header || !back.has_header {
                return None;
            }
            let names = written.fields().iter();
            let texts: Vec<Field> = names
                .map(|field| Field::new(field.name(), DType::String))
                .collect();
            arrow(&texts)
        }
        _ => None,
    }
}

fn arrow(fields: &[Field]) -> Option<SchemaRef> {
    let columns: Option<Vec<ArrowField>> = fields
        .iter()
        .map(|field| Some(ArrowField::new(&field.name, field.dtype.to_arrow()?, true)))
        .collect();
    Some(Arc::new(Schema::new(columns?)))
}
