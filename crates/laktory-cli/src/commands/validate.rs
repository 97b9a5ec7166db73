//! `laktory validate`: a verdict on each pipeline file, without reading rows or writing anything.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use laktory::core::Registry;
use laktory::model::StackChoice;
use laktory::syntax::{Diagnostic, visible};
use laktory::testing::Suite;
use laktory::{Planning, Project, Surroundings};

use crate::args::ValidateArgs;
use crate::commands::found::{self, Found};
use crate::commands::{STDIN, compile, open_at, resolve};
use crate::exit::Failure;
use crate::log::Detail;
use crate::out::print;
use crate::render;

/// Checks each file, then every schema with the engines.
pub(crate) fn validate(
    args: &ValidateArgs,
    detail: Detail,
    registry: &Registry,
) -> Result<(), Failure> {
    let mut files = Vec::new();
    if args.files.is_empty() {
        files.push(found::file(None, &args.stack)?);
    }
    for path in &args.files {
        match path.is_dir() {
            true => files.extend(pipelines_in(path)?.into_iter().map(|path| Found {
                path,
                ..Found::default()
            })),
            false => files.push(found::file(Some(path), &args.stack)?),
        }
    }
    let mut all = Vec::new();
    for file in files {
        all.extend(parts(file));
    }
    let files = all;
    let one = files.len() == 1 && args.files.iter().all(|path| !path.is_dir());
    let mut invalid = 0;
    for file in &files {
        let mut name = match file.path == Path::new("-") {
            true => STDIN.into(),
            false => file.path.display().to_string(),
        };
        if let (Some(pipeline), false) = (&file.stack.pipeline, one) {
            name = format!("{name} ({})", visible(pipeline));
        }
        match check(args, file, detail, registry) {
            Ok(what) if detail > Detail::Quiet => print(&format!("{name} is valid: {what}"))?,
            Ok(_) => {}
            Err(failure) if one => return Err(failure),
            Err(failure) => {
                invalid += 1;
                render::failure(&failure);
                if detail > Detail::Quiet {
                    print(&format!("{name} is invalid"))?;
                }
            }
        }
    }
    if !one && detail > Detail::Quiet {
        print(&format!(
            "{} valid, {invalid} invalid",
            files.len() - invalid
        ))?;
    }
    match invalid {
        0 => Ok(()),
        // Each has told its own faults.
        _ => Err(Failure::usage(Vec::new())),
    }
}

/// The pipelines of a stack, where none is named; else what was found.
fn parts(found: Found) -> Vec<Found> {
    if found.stack.pipeline.is_some() || found.path == Path::new("-") {
        return vec![found];
    }
    let surroundings = Surroundings {
        stack: found.stack.clone(),
        ..Surroundings::of_process()
    };
    match Project::stack(&found.path, &surroundings) {
        Ok(Some(stack)) if stack.pipelines.len() > 1 => {
            let pipelines = stack.pipelines.into_iter();
            let part = |pipeline| Found {
                path: found.path.clone(),
                stack: StackChoice {
                    pipeline: Some(pipeline),
                    ..found.stack.clone()
                },
            };
            pipelines.map(part).collect()
        }
        // What is wrong is told when it is opened.
        _ => vec![found],
    }
}

/// Checks one file, and says what is in it.
fn check(
    args: &ValidateArgs,
    file: &Found,
    detail: Detail,
    registry: &Registry,
) -> Result<String, Failure> {
    let project = open_at(file, &args.around)?;
    let planning = Planning {
        backend: args.around.backend.clone(),
        ..Planning::default()
    };
    let plan = compile(&project, registry, &planning, detail)?;
    if !args.offline {
        let options = laktory::exec::RunOptions {
            own_files: project.files(),
            ..args.around.run_options(registry)?
        };
        let (_, faults) = resolve(&plan, registry, &options)?;
        if !faults.is_empty() {
            let faults: Vec<_> = faults.iter().map(|fault| project.explain(fault)).collect();
            return Err(faults.into());
        }
    }
    let nodes = match plan.nodes.len() {
        1 => "1 node".to_owned(),
        count => format!("{count} nodes"),
    };
    Ok(format!("pipeline `{}`, {nodes}", visible(&plan.pipeline)))
}

/// The pipeline files in a folder and those below it, sorted.
fn pipelines_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (found, _) = documents_in(folder)?;
    if found.is_empty() {
        let message = format!("folder `{}` holds no pipeline file", folder.display());
        let fault = Diagnostic::error("io", message)
            .hint("a pipeline is a `.yaml` or `.yml` file with `nodes` at its top");
        return Err(Failure::usage(vec![fault]));
    }
    Ok(found)
}

/// The pipeline files in a folder and those below it, and the files of tests there, both sorted. Hidden files and folders are left
/// out, and so are YAML files without `nodes`: parts of pipelines, variables, stacks.
pub(super) fn documents_in(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Failure> {
    let (mut found, mut tests) = (Vec::new(), Vec::new());
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let unreadable = |error: std::io::Error| {
            let message = format!("cannot list folder `{}`: {error}", folder.display());
            Failure::usage(vec![Diagnostic::error("io", message)])
        };
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(unreadable)?);
            let path = path
                .strip_prefix(".")
                .map_or(path.clone(), Path::to_path_buf);
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            // Links to folders could lead in a circle.
            if kind.is_dir() && !hidden {
                open.push(path);
            } else if !hidden && path.is_file() {
                if Suite::is_test_file(&path) {
                    tests.push(path);
                } else if is_pipeline(&path) {
                    found.push(path);
                }
            }
        }
    }
    found.sort();
    tests.sort();
    Ok((found, tests))
}

/// Whether a file looks like a pipeline. One that cannot be read does: it has something to tell.
fn is_pipeline(path: &Path) -> bool {
    let is_yaml = path
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    if !is_yaml {
        return false;
    }
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| {
        let most = laktory::model::MAX_FILE_BYTES as u64;
        file.take(most).read_to_end(&mut text)
    });
    let text = String::from_utf8_lossy(&text);
    read.is_err()
        || text.lines().any(|line| {
            let key = line.trim_start_matches('\u{feff}');
            ["nodes:", "\"nodes\":", "'nodes':"]
                .iter()
                .any(|nodes| key.starts_with(nodes))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_nodes_is_a_pipeline() {
        let folder = std::env::temp_dir().join(format!("laktory-validate-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("sub/.git")).unwrap();
        for (name, text) in [
            ("b.yaml", "name: p\nnodes:\n- name: a\n"),
            ("sub/a.yml", "name: p\nnodes: []\n"),
            ("sub/part.yaml", "- name: a\n  nodes: 1\n"),
            ("sub/.git/c.yaml", "nodes: []\n"),
            ("notes.txt", "nodes: none\n"),
        ] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let found = pipelines_in(&folder).unwrap();
        assert_eq!(found, [folder.join("b.yaml"), folder.join("sub/a.yml")]);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
