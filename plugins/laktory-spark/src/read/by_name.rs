//! CSV files whose columns are declared: a column is the one whose name stands in the header, wherever it stands.

use laktory_core::{Error, ErrorKind, Field, OptionValue, ReadSpec, Result, RunCx};
use spark_connect_proto as proto;

use super::{columns, ddl, scan};
use crate::dsl::{col, project};
use crate::frame::Resolved;
use crate::session::Session;

/// The option by which declared columns are those of the file in their order, whatever its header says.
pub(super) const BY_POSITION: &str = "by_position";

/// Whether declared columns are looked for by name.
pub(super) fn is_by_name(spec: &ReadSpec) -> bool {
    spec.format == laktory_core::Format::Csv
        && spec.has_header
        && spec.options.get(BY_POSITION) != Some(&OptionValue::Bool(true))
}

/// The declared columns, in their order. Spark reads by position: it is told the columns in the order of the header.
pub(super) async fn read(
    session: &Session,
    cx: &RunCx,
    spec: &ReadSpec,
    mut source: proto::read::DataSource,
    declared: &[Field],
) -> Result<Resolved> {
    let mut header = source.clone();
    header
        .options
        .insert("inferSchema".to_owned(), "false".to_owned());
    let present = columns(session, cx, spec, &header).await?;
    let listed = |fields: &[Field]| {
        let names: Vec<String> = fields
            .iter()
            .map(|field| format!("`{}`", field.name))
            .collect();
        names.join(", ")
    };
    let has = |fields: &[Field], name: &str| fields.iter().any(|field| field.name == name);
    if let Some(missing) = declared.iter().find(|field| !has(&present, &field.name)) {
        let message = format!(
            "the header of `{}` has no column `{}`, which the schema declares",
            spec.path, missing.name
        );
        return Err(Error::new(ErrorKind::SchemaMismatch, message)
            .with_hint(format!("columns of the file: {}", listed(&present))));
    }
    let mut in_order = Vec::with_capacity(present.len());
    for column in &present {
        let Some(field) = declared.iter().find(|field| field.name == column.name) else {
            let message = format!(
                "`{}` has a column `{}`, which the schema does not declare",
                spec.path, column.name
            );
            return Err(Error::new(ErrorKind::SchemaMismatch, message)
                .with_hint(format!("declared columns: {}", listed(declared))));
        };
        in_order.push(field.clone());
    }
    source.schema = Some(ddl::ddl(&in_order)?);
    let found = columns(session, cx, spec, &source).await?;
    let ordered: Vec<Field> = declared
        .iter()
        .filter_map(|field| found.iter().find(|found| found.name == field.name))
        .cloned()
        .collect();
    let names = declared.iter().map(|field| col(&field.name)).collect();
    Ok(Resolved {
        relation: project(scan(source), names),
        columns: ordered,
        confirmed: true,
    })
}
