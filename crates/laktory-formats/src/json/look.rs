//! What an engine has to know of files of JSON before it reads them.

use std::path::Path;
use std::sync::Arc;

use laktory_core::{Error, ErrorKind, Format, ReadSpec, Result, RunCx};

use super::{Answer, Known, Layout, Question, Source};
use crate::files::{Files, shown};
use crate::options::Given;

/// Looks at the files of a read when they are of JSON and hold something. `options` are those that the engine knows, and
/// `source` says how it opens a file.
///
/// # Errors
/// `ConversionFailed` with file and line, `InvalidArgument` for an option, `NotFound`, `Io`.
pub async fn look(
    cx: &RunCx,
    known: &Arc<Known>,
    spec: &ReadSpec,
    files: &Files,
    options: &[&str],
    source: fn(&Path) -> Result<Source>,
) -> Result<Option<Answer>> {
    let layout = match spec.format {
        Format::JsonLines => Layout::Lines,
        Format::Json => Layout::Document,
        _ => return Ok(None),
    };
    let what = format!("reader option of {}", spec.format);
    let given = Given::new(what, &spec.options, options)?;
    let first = given
        .count("infer_schema_length")?
        .filter(|lines| *lines > 0);
    if files.paths.is_empty() {
        return Ok(None);
    }
    let paths = files.paths.clone();
    let sources = cx
        .blocking(move || paths.iter().map(|path| source(path)).collect::<Result<_>>())
        .await?;
    let question = Question {
        sources,
        layout,
        declared: files.own(spec).schema,
        first: first.map(|first| first as u64),
        // Whoever asks for faults to be passed over does not want to hear of them.
        rows: spec.rows && given.flag("ignore_errors")? != Some(true),
    };
    let mut answer = question.ask(cx, known).await?;
    let of_folders = files.of_folders();
    answer
        .columns
        .retain(|column| !of_folders.contains(&column.name.as_str()));
    if answer.columns.is_empty() {
        return Err(Error::new(
            ErrorKind::SchemaMismatch,
            format!(
                "`{}` has no columns but those of its folders",
                shown(&files.paths)
            ),
        )
        .with_hint(
            "set `hive_partitioning: false` in `reader_kwargs` to read the columns of the files",
        ));
    }
    Ok(Some(answer))
}
