//! Which file a command is about, when none is named.

use std::path::{Path, PathBuf};

use laktory::model::StackChoice;
use laktory::syntax::Diagnostic;

use crate::args::StackArgs;
use crate::exit::Failure;

/// Names of stacks that are found, in this order.
const STACKS: [&str; 2] = ["stack.yaml", "stack.yml"];

/// Names of pipeline files that are found behind them.
const PIPELINES: [&str; 4] = [
    "laktory.yaml",
    "laktory.yml",
    "pipeline.yaml",
    "pipeline.yml",
];

/// A file, and which part of it where it is a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) stack: StackChoice,
}

/// The file that is named, else the one that is found in the current folder.
pub(super) fn file(named: Option<&Path>, stack: &StackArgs) -> Result<Found, Failure> {
    let mut choice = StackChoice {
        environment: stack.env.clone(),
        pipeline: stack.pipeline.clone(),
    };
    let here = |names: &[&str]| {
        let mut names = names.iter().map(PathBuf::from);
        names.find(|path| path.is_file())
    };
    if let Some(named) = named {
        let by_name = || here(&STACKS).filter(|_| !is_file(named) && choice.pipeline.is_none());
        if let Some(path) = by_name() {
            choice.pipeline = Some(named.display().to_string());
            return Ok(Found {
                path,
                stack: choice,
            });
        }
        return Ok(Found {
            path: named.to_owned(),
            stack: choice,
        });
    }
    match here(&STACKS).or_else(|| here(&PIPELINES)) {
        Some(path) => Ok(Found {
            path,
            stack: choice,
        }),
        None => {
            let message =
                "the current folder has no `stack.yaml`, `laktory.yaml` or `pipeline.yaml`";
            let fault = Diagnostic::error("io", message);
            Err(Failure::usage(vec![fault.hint(
                "give the path of a pipeline file, or begin with `laktory init`",
            )]))
        }
    }
}

/// The stack that is named, else the one that is found in the current folder.
pub(super) fn stack(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let mut names = STACKS.iter().map(PathBuf::from);
    names.find(|path| path.is_file()).ok_or_else(|| {
        let fault = Diagnostic::error("io", "the current folder has no `stack.yaml`");
        Failure::usage(vec![fault.hint("give the path of a stack")])
    })
}

/// Of `[FILE] [NAME]`, what is which: a single one that is no file, and does not look like one, is the name.
pub(super) fn file_and_name(
    file: Option<&Path>,
    name: Option<&String>,
) -> (Option<PathBuf>, Option<String>) {
    match (file, name) {
        (Some(only), None) if !is_file(only) => (None, Some(only.display().to_string())),
        (file, name) => (file.map(Path::to_owned), name.cloned()),
    }
}

fn is_file(path: &Path) -> bool {
    let extensions = ["yaml", "yml", "json"];
    let extension = path.extension().and_then(|extension| extension.to_str());
    path == Path::new("-")
        || path.exists()
        || path.components().count() > 1
        || extension.is_some_and(|extension| extensions.contains(&extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_word_is_a_name() {
        let split = |file: &str, name: Option<&str>| {
            let name = name.map(str::to_owned);
            let (file, name) = file_and_name(Some(Path::new(file)), name.as_ref());
            (file.map(|file| file.display().to_string()), name)
        };
        let (some, none) = (|text: &str| Some(text.to_owned()), None);
        assert_eq!(split("slv", None), (none.clone(), some("slv")));
        assert_eq!(split("slv.close", None), (none.clone(), some("slv.close")));
        assert_eq!(split("p.yaml", None), (some("p.yaml"), none.clone()));
        assert_eq!(split("nowhere/p", None), (some("nowhere/p"), none));
        assert_eq!(split("p", Some("slv")), (some("p"), some("slv")));
    }
}
