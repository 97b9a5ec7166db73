//! Sinks: what is written where, and what happens to an existing target.

use laktory_core::table::replaces_a_part;
use laktory_core::{Format, Layout, OptionValue, Options, ReadSpec, TableName, TableSpec};
use laktory_model::{
    DataSink, FileDataSink, Finding, Path, ResetMode, SinkKind, TableDataSink, TableType, WriteMode,
};

use crate::compile::Compiler;
use crate::formats;
use crate::merge;
use crate::methods::{self, Asked, Role};
use crate::paths;
use crate::plan::{SinkMode, SinkPlan, SinkTarget, Stored};
use crate::sources::{fields, unsupported, without_tables};

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
        None | Some(WriteMode::Merge) if sink.common.merge_cdc_options.is_some() => SinkMode::Merge,
        None | Some(WriteMode::Overwrite) => SinkMode::Overwrite,
        Some(WriteMode::Append) => SinkMode::Append,
        Some(WriteMode::Ignore) => SinkMode::Ignore,
        Some(WriteMode::Error) => SinkMode::Error,
        // The rules of the language say what is missing.
        Some(WriteMode::Merge) => SinkMode::Overwrite,
        Some(other @ (WriteMode::Complete | WriteMode::Update)) => {
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
    let merge = merge::compile(compiler, index, sink, place);
    let plan = match &sink.kind {
        SinkKind::File(file) => file_sink(compiler, index, sink, file, mode, place),
        SinkKind::UnityCatalog(table) | SinkKind::HiveMetastore(table) => {
            table_sink(compiler, index, sink, table, mode, place)
        }
        SinkKind::PipelineView(_) => None,
    };
    let failed = compiler.findings[before..].iter().any(Finding::is_error);
    let plan = plan.map(|plan| SinkPlan { merge, ..plan });
    plan.filter(|_| !failed)
}

/// Keys that are understood, but that no engine of this version can carry out.
fn refuse_unsupported(compiler: &mut Compiler<'_>, sink: &DataSink, place: &Path) {
    let common = &sink.common;
    let refused = [
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
    ];
    refuse(compiler, &refused, place);
}

/// Reports each key that is present: whether it is, its name, what is wrong, and what to do.
fn refuse(compiler: &mut Compiler<'_>, keys: &[(bool, &str, &str, &str)], place: &Path) {
    for (_, key, message, hint) in keys.iter().filter(|(present, ..)| *present) {
        compiler.report(unsupported(place.key(*key), message, hint));
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
    let capabilities = &compiler.engine(index)?.capabilities;
    let local = capabilities.local_files;
    let path = place.key("path");
    if let Some(fault) = paths::check(capabilities, &file.path, paths::Use::Target, &path) {
        compiler.report(fault);
    }
    let known = writer(compiler, index, &format, place)?;
    let readable = compiler.engine(index)?.capabilities.read(&format).options;
    let (mut options, layout) = writer_options(compiler, index, sink, &format, known, place)?;
    let packed = format.packed_by_name(&file.path);
    if let Some(packed) = packed.filter(|_| local && known.contains(&COMPRESSION)) {
        let packed = OptionValue::Text(packed.to_owned());
        options.entry(COMPRESSION.to_owned()).or_insert(packed);
    }
    let mut read = ReadSpec::new(format.clone(), &file.path);
    let lost = match format.holds_types() {
        true => None,
        false => compiler
            .engine(index)?
            .capabilities
            .round_trip(&format)
            .read_back(&options, &mut read),
    };
    let lost = lost.map(|option| {
        format!("is written with `{option}`, by which the rows may come back otherwise")
    });
    if !layout.partition_by.is_empty() && readable.contains(&FOLDERS_ARE_LISTED) {
        // The values of these columns stand in the names of folders.
        let unlisted = (FOLDERS_ARE_LISTED.to_owned(), OptionValue::Bool(false));
        read.options.extend([unlisted]);
    }
    let target = SinkTarget::File {
        path: file.path.clone(),
        format,
    };
    let read = Stored::Files(read);
    let is_mixed = replaces_a_part(&options);
    let lost = lost.or_else(|| {
        is_mixed.then(|| "is replaced in part, and holds the rows of other runs too".to_owned())
    });
    Some(SinkPlan {
        inexact: inexact(sink, mode).or(lost),
        ..planned(sink, target, mode, options, layout, read, place)
    })
}

/// The option of writing that compresses a file.
const COMPRESSION: &str = "compression";

/// The option of reading by which folders below a path mean nothing but files in them.
const FOLDERS_ARE_LISTED: &str = "recursiveFileLookup";

fn table_sink(
    compiler: &mut Compiler<'_>,
    index: usize,
    sink: &DataSink,
    table: &TableDataSink,
    mode: SinkMode,
    place: &Path,
) -> Option<SinkPlan> {
    let engine = compiler.engine(index)?;
    if !engine.capabilities.tables.is_available() {
        let finding = without_tables(compiler, index, "write", place)?;
        compiler.report(finding);
        return None;
    }
    let refused = [
        (
            table.metadata.is_some(),
            "metadata",
            "comments, owners, properties and tags of tables are not set in this version",
            "remove `metadata`, and set them with the tools of the catalog",
        ),
        (
            sink.common.reset_mode == Some(ResetMode::Truncate),
            "reset_mode",
            "truncating tables is not available in this version",
            "use `DROP`",
        ),
    ];
    refuse(compiler, &refused, place);
    let name = TableName::parse(&table.full_name());
    let read = Stored::Table(TableSpec::new(name.clone()));
    if table.table_type == TableType::View {
        view_alone(compiler, sink, mode, place);
        let tables = Vec::new();
        let target = SinkTarget::View { name, tables };
        let (options, layout) = Default::default();
        return Some(planned(sink, target, mode, options, layout, read, place));
    }
    let format = Format::parse(table.format());
    // A table with a path lies outside of the catalog's own folder.
    let known = writer(compiler, index, &format, place)?;
    let known: Vec<&str> = known.iter().copied().chain(["path"]).collect();
    let (options, layout) = writer_options(compiler, index, sink, &format, &known, place)?;
    let target = SinkTarget::Table { name, format };
    Some(planned(sink, target, mode, options, layout, read, place))
}

/// A view has no rows of its own, so that what concerns rows has no meaning.
fn view_alone(compiler: &mut Compiler<'_>, sink: &DataSink, mode: SinkMode, place: &Path) {
    let common = &sink.common;
    let keys = [
        (mode != SinkMode::Overwrite, "mode"),
        (common.is_quarantine, "is_quarantine"),
        (common.schema_definition.is_some(), "schema_definition"),
        (!common.writer_kwargs.is_empty(), "writer_kwargs"),
        (!common.writer_methods.is_empty(), "writer_methods"),
    ];
    for (_, key) in keys.into_iter().filter(|(given, _)| *given) {
        let message = format!("`{key}` has no meaning for a view, which holds no rows");
        let finding = Finding::error("view", place.key(key), message).at_key();
        compiler.report(finding.hint(format!("remove `{key}`, or write a table")));
    }
}

/// The options with which the engine of a node writes a format; one that it does not write is reported.
fn writer(
    compiler: &mut Compiler<'_>,
    index: usize,
    format: &Format,
    place: &Path,
) -> Option<&'static [&'static str]> {
    let engine = compiler.engine(index)?;
    let backend = engine.descriptor.name;
    let support = engine.capabilities.write(format);
    if support.support.is_available() {
        return Some(support.options);
    }
    let known = &engine.capabilities.writes;
    let finding = formats::refused(format, "written", backend, known, place.key("format"));
    compiler.report(finding);
    None
}

/// The options and the layout that a sink asks for, by keys and by calls on the writer.
fn writer_options(
    compiler: &mut Compiler<'_>,
    index: usize,
    sink: &DataSink,
    format: &Format,
    known: &[&str],
    place: &Path,
) -> Option<(Options, Layout)> {
    let local = compiler.engine(index)?.capabilities.local_files;
    let asked = Asked {
        role: Role::Writer,
        kwargs: &sink.common.writer_kwargs,
        methods: &sink.common.writer_methods,
        known,
        // The executor spreads the rows of tables for engines that write single files.
        more: match local && format.has_log() {
            true => &["partitionBy"],
            false => &[],
        },
    };
    methods::compile(compiler, index, &asked, &format!("`{format}`"), place)
}

fn planned(
    sink: &DataSink,
    target: SinkTarget,
    mode: SinkMode,
    options: Options,
    layout: Layout,
    read: Stored,
    place: &Path,
) -> SinkPlan {
    SinkPlan {
        target,
        mode,
        merge: None,
        quarantine: sink.common.is_quarantine,
        schema: sink.common.schema_definition.as_ref().map(fields),
        options,
        layout,
        read,
        inexact: inexact(sink, mode),
        place: place.clone(),
    }
}

/// Why the target of a sink does not hold the rows of the last run alone, and all of their columns.
fn inexact(sink: &DataSink, mode: SinkMode) -> Option<String> {
    let reason = match mode {
        SinkMode::Append => "is appended to, and holds the rows of other runs too",
        SinkMode::Merge => "is merged into, and holds the rows of other runs too",
        SinkMode::Ignore => "is left as it is when it exists, with the rows of another run",
        SinkMode::Overwrite | SinkMode::Error => {
            return sink.common.schema_definition.as_ref().map(|_| {
                "has a schema of its own, and need not hold every column as it was".to_owned()
            });
        }
    };
    Some(reason.to_owned())
}
