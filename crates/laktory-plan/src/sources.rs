//! Sources: what is read, and the post-read steps, in the order filter, selects, renames, drops, drop_duplicates
//! (R-SRC-3).

use laktory_core::{
    Expr, Field, Format, FrameName, Keep, Op, OptionValue, ReadSpec, TableName, TableSpec,
};
use laktory_model::{
    DataSource, DropDuplicates, FileDataSource, Finding, Path, Schema, Selects, SourceCommon,
    SourceKind, TableDataSource,
};
use laktory_syntax::{FragmentError, sql_expression, sql_projection};

use crate::compile::Compiler;
use crate::formats;
use crate::methods::{self, Asked, Role};
use crate::paths;
use crate::plan::{InlineRows, Input, InputSource, Step, StepKind};
use crate::steps::{check_expr, supporters};
use crate::written::{Written, WrittenText};

/// An input for a declared source.
pub(crate) fn compile(
    compiler: &mut Compiler<'_>,
    index: usize,
    source: &DataSource,
    name: FrameName,
    place: &Path,
) -> Option<Input> {
    if source.common.as_stream {
        compiler.report(unsupported(
            place.key("as_stream"),
            "incremental reads (`as_stream`) are not available in this version",
            "remove `as_stream`, or set it to false: the source is then read whole",
        ));
        return None;
    }
    let kind = match &source.kind {
        SourceKind::File(file) => files(compiler, index, file, place),
        SourceKind::DataFrame(inline) => Some(InputSource::Inline(InlineRows {
            data: serde_json::to_value(&inline.data).unwrap_or_default(),
            schema: inline.schema_definition.as_ref().map(fields),
        })),
        SourceKind::PipelineNode(node) => {
            let options = [
                (!node.reader_kwargs.is_empty(), "reader_kwargs"),
                (!node.reader_methods.is_empty(), "reader_methods"),
            ];
            for (_, key) in options.into_iter().filter(|(given, _)| *given) {
                let message =
                    format!("`{key}` has no effect: the output of a node is handed over as it is");
                let finding = Finding::warning("no-effect", place.key(key), message).at_key();
                compiler
                    .report(finding.hint(format!("remove `{key}`, or read the files with `path`")));
            }
            Some(InputSource::open(&node.node_name))
        }
        SourceKind::UnityCatalog(table) | SourceKind::HiveMetastore(table) => {
            self::table(compiler, index, table, place)
        }
        SourceKind::Custom(_) => {
            compiler.report(unsupported(
                place.key("custom_reader"),
                "custom readers are Python functions, which laktory does not run",
                "write the data to files first, and read those",
            ));
            None
        }
    };
    let steps = post_read(compiler, index, &source.common, place);
    Some(Input {
        name,
        source: kind?,
        steps: steps?,
        written_by: Vec::new(),
        place: place.clone(),
    })
}

/// Something that is parsed and valid, but that no engine of this version can do.
pub(crate) fn unsupported(place: Path, message: &str, hint: &str) -> Finding {
    Finding::error("unsupported", place, message).hint(hint)
}

fn files(
    compiler: &mut Compiler<'_>,
    index: usize,
    file: &FileDataSource,
    place: &Path,
) -> Option<InputSource> {
    let format = Format::parse(&file.format);
    let engine = compiler.engine(index)?;
    let backend = engine.descriptor.name;
    let support = engine.capabilities.read(&format);
    if !support.support.is_available() {
        let known = &engine.capabilities.reads;
        let finding = formats::refused(&format, "read", backend, known, place.key("format"));
        compiler.report(finding);
        return None;
    }
    let before = compiler.findings.len();
    let path = place.key("path");
    let capabilities = &compiler.engine(index)?.capabilities;
    if let Some(fault) = paths::check(capabilities, &file.path, paths::Use::Source, &path) {
        compiler.report(fault);
    }
    if file.schema_definition.is_some() && !support.schema {
        let message =
            format!("a schema cannot be given for format `{format}` on backend {backend}");
        compiler.report(unsupported(
            place.key("schema_definition"),
            &message,
            "remove `schema`",
        ));
    }
    let asked = Asked {
        role: Role::Reader,
        kwargs: &file.reader_kwargs,
        methods: &file.reader_methods,
        known: support.options,
        more: &[],
    };
    let (mut options, _) =
        methods::compile(compiler, index, &asked, &format!("`{format}`"), place)?;
    if let Some(by_position) = file.by_position {
        if support.options.contains(&BY_POSITION) {
            options
                .entry(BY_POSITION.to_owned())
                .or_insert(OptionValue::Bool(by_position));
        } else {
            let message =
                format!("`by_position` cannot be given for format `{format}` on backend {backend}");
            compiler.report(unsupported(
                place.key(BY_POSITION),
                &message,
                "remove `by_position`",
            ));
        }
    }
    if compiler.findings[before..].iter().any(Finding::is_error) {
        return None;
    }
    let mut spec = ReadSpec::new(format, &file.path);
    spec.has_header = file.has_header.unwrap_or(true);
    spec.infer_schema = file.infer_schema.unwrap_or(false);
    spec.schema = file.schema_definition.as_ref().map(fields);
    spec.options = options;
    Some(InputSource::Files(spec))
}

/// The key, and the reader option, that takes the columns of a schema in the order of a file.
const BY_POSITION: &str = "by_position";

/// A table of the engine's catalog.
fn table(
    compiler: &mut Compiler<'_>,
    index: usize,
    table: &TableDataSource,
    place: &Path,
) -> Option<InputSource> {
    let engine = compiler.engine(index)?;
    let known = engine.capabilities.table_options;
    if !engine.capabilities.tables.is_available() {
        let finding = without_tables(compiler, index, "read", place)?;
        compiler.report(finding);
        return None;
    }
    let asked = Asked {
        role: Role::Reader,
        kwargs: &table.reader_kwargs,
        methods: &table.reader_methods,
        known,
        more: &[],
    };
    let (options, _) = methods::compile(compiler, index, &asked, "a table", place)?;
    let mut spec = TableSpec::new(TableName::parse(&table.full_name()));
    spec.options = options;
    Some(InputSource::Table(spec))
}

/// The refusal of a table on a backend that has none, where files could be `done` (`read`, `write`) instead.
pub(crate) fn without_tables(
    compiler: &Compiler<'_>,
    index: usize,
    done: &str,
    place: &Path,
) -> Option<Finding> {
    let backend = compiler.engine(index)?.descriptor.name;
    let message = format!("backend {backend} has no catalog of tables");
    let files = format!("{done} files with `path` and `format`");
    let hint = match supporters(compiler, |engine| engine.capabilities.tables).first() {
        Some(other) => format!("set `dataframe_backend: {other}` on the node, or {files}"),
        None => format!(
            "set `dataframe_backend` of the node to one that has tables (`laktory backends` tells), or {files}"
        ),
    };
    Some(unsupported(place.key("table_name"), &message, &hint))
}

/// The columns of a declared schema.
pub(crate) fn fields(schema: &Schema) -> Vec<Field> {
    schema
        .columns
        .iter()
        .map(|column| Field::new(&column.name, column.dtype.clone()))
        .collect()
}

fn post_read(
    compiler: &mut Compiler<'_>,
    index: usize,
    common: &SourceCommon,
    place: &Path,
) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut complete = true;
    if let Some(filter) = &common.filter {
        let place = place.key("filter");
        match parsed(compiler, index, sql_expression(filter), &place, false) {
            Some(predicate) => {
                let written = Written::Expressions(vec![written(filter, &place, false)]);
                steps.push(step("filter", Op::Filter { predicate }, place, written));
            }
            None => complete = false,
        }
    }
    // An empty list selects as little as none.
    let selects = common.selects.as_ref().filter(|selects| match selects {
        Selects::List(list) => !list.is_empty(),
        Selects::Map(map) => !map.is_empty(),
    });
    if let Some(selects) = selects {
        let place = place.key("selects");
        match projections(compiler, index, selects, &place) {
            Some(exprs) => {
                let written = Written::Expressions(selected(selects, &place));
                steps.push(step("selects", Op::Select { exprs }, place, written));
            }
            None => complete = false,
        }
    }
    if !common.renames.is_empty() {
        let mapping = common
            .renames
            .iter()
            .map(|(old, new)| (old.clone(), new.clone()))
            .collect();
        let place = place.key("renames");
        let pairs = common.renames.iter().flat_map(|(old, new)| {
            let pair = place.key(old.as_str());
            [written(old, &pair, true), written(new, &pair, false)]
        });
        let names = Written::Names(pairs.collect());
        steps.push(step("renames", Op::Rename { mapping }, place, names));
    }
    if !common.drops.is_empty() {
        let drop = Op::Drop {
            columns: common.drops.clone(),
            strict: false,
        };
        let place = place.key("drops");
        let names = listed(&common.drops, &place);
        steps.push(step("drops", drop, place, names));
    }
    let subset = match &common.drop_duplicates {
        None | Some(DropDuplicates::All(false)) => None,
        Some(DropDuplicates::All(true)) => Some(None),
        Some(DropDuplicates::Subset(columns)) if columns.is_empty() => None,
        Some(DropDuplicates::Subset(columns)) => Some(Some(columns.clone())),
    };
    if let Some(subset) = subset {
        let place = place.key("drop_duplicates");
        let names = listed(subset.as_deref().unwrap_or_default(), &place);
        let unique = Op::Unique {
            subset,
            keep: Keep::Any,
            order_by: Vec::new(),
        };
        steps.push(step("drop_duplicates", unique, place, names));
    }
    complete.then_some(steps)
}

fn written(text: &str, place: &Path, at_key: bool) -> WrittenText {
    WrittenText {
        text: text.to_owned(),
        place: place.clone(),
        at_key,
    }
}

/// Names of a list.
fn listed(names: &[String], place: &Path) -> Written {
    let names = names.iter().enumerate();
    Written::Names(
        names
            .map(|(number, name)| written(name, &place.index(number), false))
            .collect(),
    )
}

/// The texts of the expressions that are selected.
fn selected(selects: &Selects, place: &Path) -> Vec<WrittenText> {
    match selects {
        Selects::List(texts) => {
            let texts = texts.iter().enumerate();
            texts
                .map(|(number, text)| written(text, &place.index(number), false))
                .collect()
        }
        Selects::Map(texts) => {
            let texts = texts.iter();
            texts
                .map(|(text, _)| written(text, &place.key(text.as_str()), true))
                .collect()
        }
    }
}

fn step(label: &str, op: Op, place: Path, written: Written) -> Step {
    Step {
        written,
        arguments: Vec::new(),
        label: label.to_owned(),
        kind: StepKind::Ops(vec![op]),
        place,
    }
}

fn projections(
    compiler: &mut Compiler<'_>,
    index: usize,
    selects: &Selects,
    place: &Path,
) -> Option<Vec<Expr>> {
    let exprs: Vec<Option<Expr>> = match selects {
        Selects::List(texts) => texts
            .iter()
            .enumerate()
            .map(|(number, text)| {
                parsed(
                    compiler,
                    index,
                    sql_projection(text),
                    &place.index(number),
                    false,
                )
            })
            .collect(),
        Selects::Map(texts) => texts
            .iter()
            .map(|(text, name)| {
                let expr = sql_expression(text);
                let expr = parsed(compiler, index, expr, &place.key(text.as_str()), true)?;
                Some(expr.alias(name.as_str()))
            })
            .collect(),
    };
    exprs.into_iter().collect()
}

fn parsed(
    compiler: &mut Compiler<'_>,
    index: usize,
    expr: Result<Expr, Vec<FragmentError>>,
    place: &Path,
    at_key: bool,
) -> Option<Expr> {
    match expr {
        Ok(expr) => {
            check_expr(compiler, index, &expr, place)?;
            Some(expr)
        }
        Err(errors) => {
            for error in errors {
                let mut finding = Finding::in_text(place.clone(), error);
                finding.at_key = at_key;
                finding.range = finding.range.filter(|_| !at_key);
                compiler.report(finding);
            }
            None
        }
    }
}
