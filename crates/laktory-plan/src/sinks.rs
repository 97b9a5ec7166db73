//! Sinks: what is written where, and what happens to an existing target.

use laktory_core::{Format, ReadSpec};
use laktory_model::{DataSink, FileDataSink, Finding, Path, SinkKind, WriteMode};

use crate::compile::Compiler;
use crate::options;
use crate::plan::{SinkMode, SinkPlan};
use crate::sources::{fields, unsupported};

/// A declared sink.
pub(crate) fn compile(
    compiler: &mut Compiler<'_>,
    index: usize,
    sink: &DataSink,
    place: &Path,
) -> Option<SinkPlan> {
    let before = compiler.findings.len();
    refuse_unsupported(compiler, sink, place);
    let mode = match sink.common.mode {
        None | Some(WriteMode::Overwrite) => SinkMode::Overwrite,
        Some(WriteMode::Append) => SinkMode::Append,
        Some(WriteMode::Ignore) => SinkMode::Ignore,
        Some(WriteMode::Error) => SinkMode::Error,
        // The sink is refused at its `merge_cdc_options`, once.
        Some(WriteMode::Merge) if sink.common.merge_cdc_options.is_some() => SinkMode::Overwrite,
        Some(other @ (WriteMode::Complete | WriteMode::Update | WriteMode::Merge)) => {
            let message = format!(
                "write mode `{}` is not available in this version",
                other.name()
            );
            compiler.report(unsupported(
                place.key("mode"),
                &message,
                "use OVERWRITE, APPEND, IGNORE or ERROR",
            ));
            // The sink is refused at the end; its other faults are told too.
            SinkMode::Overwrite
        }
    };
    let SinkKind::File(file) = &sink.kind else {
        return None;
    };
    let plan = file_sink(compiler, index, sink, file, mode, place)?;
    let failed = compiler.findings[before..].iter().any(Finding::is_error);
    (!failed).then_some(plan)
}

/// Keys that are understood, but that no engine of this version can carry out.
fn refuse_unsupported(compiler: &mut Compiler<'_>, sink: &DataSink, place: &Path) {
    let common = &sink.common;
    let refused = [
        (
            matches!(
                sink.kind,
                SinkKind::UnityCatalog(_) | SinkKind::HiveMetastore(_)
            ),
            "table_name",
            "table sinks are not available in this version",
            "write files with `path` and `format`",
        ),
        (
            matches!(sink.kind, SinkKind::PipelineView(_)),
            "pipeline_view_name",
            "pipeline views exist only inside of a declarative runtime",
            "leave the node without sinks: other nodes can read it all the same",
        ),
        (
            common.custom_writer.is_some(),
            "custom_writer",
            "custom writers are Python functions, which laktory does not run",
            "write files, and let another program take them from there",
        ),
        (
            common.merge_cdc_options.is_some(),
            "merge_cdc_options",
            "merging changes is not available in this version",
            "use mode OVERWRITE or APPEND",
        ),
        (
            common.shared.is_some(),
            "shared",
            "targets with several writers are not available in this version",
            "give each node a target of its own",
        ),
        (
            common.as_stream == Some(true),
            "as_stream",
            "streaming writes are not available in this version",
            "remove `as_stream`",
        ),
        (
            !common.writer_methods.is_empty(),
            "writer_methods",
            "this backend has no writer to call methods on",
            "give the options in `writer_kwargs`",
        ),
    ];
    for (present, key, message, hint) in refused {
        if present {
            compiler.report(unsupported(place.key(key), message, hint));
        }
    }
}

fn file_sink(
    compiler: &mut Compiler<'_>,
    index: usize,
    sink: &DataSink,
    file: &FileDataSink,
    mode: SinkMode,
    place: &Path,
) -> Option<SinkPlan> {
    let format = Format::parse(&file.format);
    let engine = compiler.engine(index)?;
    let backend = engine.descriptor.name;
    let support = engine.capabilities.write(&format);
    let readable = engine.capabilities.read(&format).options;
    if !support.support.is_available() {
        let known: Vec<&str> = engine
            .capabilities
            .writes
            .iter()
            .filter(|(_, support)| support.support.is_available())
            .map(|(format, _)| format.name())
            .collect();
        let message = format!("format `{format}` cannot be written on backend {backend}");
        let hint = format!("formats written here: {}", known.join(", "));
        compiler.report(Finding::error("unsupported", place.key("format"), message).hint(hint));
        return None;
    }
    let what = format!("writing `{format}` on backend {backend}");
    let options = options::compile(
        compiler,
        &sink.common.writer_kwargs,
        support,
        &what,
        &place.key("writer_kwargs"),
    )?;
    let header = options.get("include_header") != Some(&laktory_core::OptionValue::Bool(false));
    // Options that mean the same on both sides (a separator) hold for reading back too.
    let read = ReadSpec {
        has_header: header,
        options: options
            .iter()
            .filter(|(name, _)| readable.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        ..ReadSpec::new(format.clone(), &file.path)
    };
    Some(SinkPlan {
        path: file.path.clone(),
        format,
        mode,
        quarantine: sink.common.is_quarantine,
        schema: sink.common.schema_definition.as_ref().map(fields),
        options,
        read,
        place: place.clone(),
    })
}
