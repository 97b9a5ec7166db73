//! What an engine has to know of files of CSV before it reads them.

use std::sync::Arc;

use laktory_core::{ReadSpec, Result, RunCx};

use super::{Open, Reading, Survey, survey};
use crate::files::{Files, named};

/// What was found out about files before their plan is built.
#[derive(Clone, Debug)]
pub struct Looked {
    /// How they are read.
    pub reading: Arc<Reading>,
    /// What they hold; nothing while a pipeline is checked.
    pub survey: Option<Survey>,
}

/// Looks at the files of a read; nothing for files that are all empty. Errors name a file.
///
/// # Errors
/// As [`Reading::new`] and [`survey`].
pub async fn look(
    cx: &RunCx,
    spec: &ReadSpec,
    files: &Files,
    open: Open,
) -> Result<Option<Looked>> {
    if files.paths.is_empty() {
        return Ok(None);
    }
    let (own, found) = (files.own(spec), files.clone());
    let at_files = |error| named(error, &files.paths);
    let reading = cx
        .blocking(move || Reading::new(&own, &found.paths, &found.of_folders(), open))
        .await
        .map(Arc::new)
        .map_err(at_files)?;
    let survey = match spec.rows {
        true => Some(survey(cx, &reading).await.map_err(at_files)?),
        false => None,
    };
    Ok(Some(Looked { reading, survey }))
}
