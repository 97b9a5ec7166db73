//! Rules of single sinks: modes, merging, sharing, resetting, custom writers.

use crate::finding::Finding;
use crate::model::{DataSink, MergeCdcOptions, PipelineNode, ResetMode, SinkKind, WriteMode};
use crate::path::Path;
use crate::validate::node::check_schema;
use crate::validate::not_empty;

pub(super) fn check(sink: &DataSink, node: &PipelineNode, path: &Path, found: &mut Vec<Finding>) {
    match &sink.kind {
        SinkKind::File(file) => {
            not_empty(&file.path, &path.key("path"), "a file sink", found);
            not_empty(&file.format, &path.key("format"), "a file sink", found);
        }
        SinkKind::UnityCatalog(table) | SinkKind::HiveMetastore(table) => {
            not_empty(
                &table.table_name,
                &path.key("table_name"),
                "a table sink",
                found,
            );
        }
        SinkKind::PipelineView(view) => {
            let key = "pipeline_view_name";
            not_empty(
                &view.pipeline_view_name,
                &path.key(key),
                "a pipeline view sink",
                found,
            );
        }
    }
    if let Some(schema) = &sink.common.schema_definition {
        check_schema(schema, &path.key("schema_definition"), found);
    }
    merge(sink, node, path, found);
    custom_writer(sink, path, found);
    shared(sink, path, found);
    if sink.common.reset_mode == Some(ResetMode::Truncate) && !is_delta(sink) {
        let message = "`TRUNCATE` is only possible for `DELTA` files and tables";
        found
            .push(Finding::error("reset-mode", path.key("reset_mode"), message).hint("use `DROP`"));
    }
}

fn is_delta(sink: &DataSink) -> bool {
    sink.format() == Some("DELTA")
}

fn merge(sink: &DataSink, node: &PipelineNode, path: &Path, found: &mut Vec<Finding>) {
    let merges = sink.common.mode == Some(WriteMode::Merge);
    let Some(options) = &sink.common.merge_cdc_options else {
        if merges {
            let message = "mode `MERGE` needs `merge_cdc_options`";
            found.push(
                Finding::error("merge", path.key("mode"), message).hint(
                    "add `merge_cdc_options: {primary_keys: [..], order_by: ..}` to the sink",
                ),
            );
        }
        return;
    };
    if let Some(mode) = sink.common.mode.filter(|mode| *mode != WriteMode::Merge) {
        let message = format!(
            "mode `{}` does not merge, and the sink has `merge_cdc_options`",
            mode.name()
        );
        found.push(
            Finding::error("merge", path.key("mode"), message)
                .hint("use mode `MERGE`, or remove the options")
                .related(path.key("merge_cdc_options"), "given here"),
        );
    }
    let path = path.key("merge_cdc_options");
    if !is_delta(sink) && !sink.is_view() && sink.format().is_some() {
        let message = format!(
            "merging needs format `DELTA`, not `{}`",
            sink.format().unwrap_or_default()
        );
        found.push(Finding::error("merge", path.clone(), message).at_key());
    }
    merge_options(options, node, &path, found);
}

fn merge_options(
    options: &MergeCdcOptions,
    node: &PipelineNode,
    path: &Path,
    found: &mut Vec<Finding>,
) {
    match options.scd_type {
        1 => {}
        2 if options.order_by.is_none() => {
            let message = "`scd_type: 2` needs `order_by`";
            found.push(Finding::error("merge", path.key("scd_type"), message));
        }
        2 => {}
        other => {
            let message = format!("`scd_type` is 1 or 2, not {other}");
            found.push(Finding::error("merge", path.key("scd_type"), message));
        }
    }
    if options.include_columns.is_some() && options.exclude_columns.is_some() {
        let message = "`include_columns` and `exclude_columns` exclude each other";
        found.push(
            Finding::error("merge", path.key("exclude_columns"), message)
                .at_key()
                .related(path.key("include_columns"), "given here"),
        );
    }
    if let (Some(order_by), Some(excluded)) = (&options.order_by, &options.exclude_columns)
        && excluded.contains(order_by)
    {
        let message = format!("`order_by` column `{order_by}` is among `exclude_columns`");
        found.push(Finding::error("merge", path.key("order_by"), message));
    }
    if options.scd_type == 1
        && let (Some(order_by), Some(included)) = (&options.order_by, &options.include_columns)
        && !included.contains(order_by)
        && options
            .primary_keys
            .as_ref()
            .is_none_or(|keys| !keys.contains(order_by))
    {
        let message = format!(
            "`order_by` column `{order_by}` is not among `include_columns`: the table has to hold it, so that later changes are compared with it"
        );
        found.push(
            Finding::error("merge", path.key("order_by"), message)
                .related(path.key("include_columns"), "given here"),
        );
    }
    if options.scd_type == 2 && options.ignore_null_updates {
        let message = "`ignore_null_updates` is for `scd_type: 1`: a version of type 2 holds what its change says";
        found.push(
            Finding::error("merge", path.key("ignore_null_updates"), message)
                .at_key()
                .hint("fill the nulls in a step of the transformer, or remove it"),
        );
    }
    if options.start_at_column_name == options.end_at_column_name && options.scd_type == 2 {
        let message = "start and end of a version cannot share a column";
        found.push(Finding::error(
            "merge",
            path.key("end_at_column_name"),
            message,
        ));
    }
    for (option, name) in [
        ("start_at_column_name", &options.start_at_column_name),
        ("end_at_column_name", &options.end_at_column_name),
    ] {
        if name.trim().is_empty() {
            let message = format!("`{option}` is the name of a column, and is empty");
            found.push(Finding::error("merge", path.key(option), message));
        }
    }
    let keys = options.primary_keys.as_ref().or(node.primary_keys.as_ref());
    let excluded = options.exclude_columns.iter().flatten().enumerate();
    for (number, name) in excluded.filter(|(_, name)| keys.is_some_and(|keys| keys.contains(name)))
    {
        let message = format!("column `{name}` is a key, which is always stored");
        let place = path.key("exclude_columns").index(number);
        found.push(Finding::error("merge", place, message).hint("remove it here"));
    }
    let included = options.include_columns.as_deref().unwrap_or_default();
    for (number, name) in included.iter().enumerate() {
        if included[..number].contains(name) {
            let message = format!("column `{name}` is named twice");
            let place = path.key("include_columns").index(number);
            found.push(Finding::error("merge", place, message).hint("remove one of them"));
        }
    }
    if keys.is_none_or(Vec::is_empty) {
        let message = "merging needs `primary_keys`, here or on the node";
        found.push(Finding::error("merge", path.clone(), message).at_key());
    }
}

fn custom_writer(sink: &DataSink, path: &Path, found: &mut Vec<Finding>) {
    let Some(writer) = &sink.common.custom_writer else {
        return;
    };
    not_empty(
        &writer.func_name,
        &path.key("custom_writer"),
        "a sink",
        found,
    );
    let others = [
        ("mode", sink.common.mode.is_some()),
        ("merge_cdc_options", sink.common.merge_cdc_options.is_some()),
    ];
    for (key, _) in others.iter().filter(|(_, given)| *given) {
        let message =
            format!("`{key}` cannot be combined with `custom_writer`, which does the whole write");
        found.push(Finding::error("custom-writer", path.key(*key), message).at_key());
    }
}

fn shared(sink: &DataSink, path: &Path, found: &mut Vec<Finding>) {
    let Some(shared) = &sink.common.shared else {
        return;
    };
    if let Some(mode) = sink.common.mode.filter(|mode| *mode != WriteMode::Append) {
        let message = format!(
            "a shared sink only appends; mode `{mode}` would touch the rows of other writers"
        );
        found.push(Finding::error("shared", path.key("mode"), message).hint("use `APPEND`"));
    }
    if !is_delta(sink) {
        let message = "only `DELTA` files and tables can be shared";
        found.push(Finding::error("shared", path.key("shared"), message).at_key());
    }
    if shared.r#where.is_some() && (shared.writer_id.is_some() || shared.column.is_some()) {
        let message = "`where` excludes `writer_id` and `column`";
        let path = path.key("shared").key("where");
        found.push(Finding::error("shared", path, message).at_key());
    }
}

/// Rules for pipelines that declare datasets instead of writing them.
pub(super) fn check_declarative(
    sink: &DataSink,
    orchestrator: &str,
    path: &Path,
    found: &mut Vec<Finding>,
) {
    if orchestrator == "LAKEFLOW_DECLARATIVE_PIPELINE" {
        if matches!(sink.kind, SinkKind::File(_)) {
            let message = format!(
                "orchestrator `{orchestrator}` writes tables and pipeline views, not files"
            );
            found.push(Finding::error("orchestrator", path.clone(), message));
        }
        if sink.common.custom_writer.is_some() {
            let message = format!("orchestrator `{orchestrator}` does not allow `custom_writer`");
            let path = path.key("custom_writer");
            found.push(Finding::error("custom-writer", path, message).at_key());
        }
        if let Some(options) = &sink.common.merge_cdc_options
            && options.order_by.is_none()
            && options.scd_type == 1
        {
            let message = format!("orchestrator `{orchestrator}` needs `order_by` for merging");
            let path = path.key("merge_cdc_options");
            found.push(Finding::error("merge", path, message).at_key());
        }
    }
    if sink.common.shared.is_some() {
        let message = format!("orchestrator `{orchestrator}` does not allow `shared`");
        found.push(Finding::error("shared", path.key("shared"), message).at_key());
    }
    if sink.common.reset_mode == Some(ResetMode::Truncate) && is_delta(sink) {
        let message = format!("orchestrator `{orchestrator}` does not allow `TRUNCATE`");
        found
            .push(Finding::error("reset-mode", path.key("reset_mode"), message).hint("use `DROP`"));
    }
}
