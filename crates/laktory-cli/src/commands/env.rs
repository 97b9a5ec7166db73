//! `laktory env`: the environments of a stack.

use laktory::model::StackChoice;
use laktory::syntax::{Diagnostic, visible};
use laktory::{Project, Surroundings};
use serde_json::json;

use crate::args::EnvArgs;
use crate::commands::found;
use crate::exit::Failure;
use crate::out::{print, print_json};

/// Lists environments, and the pipelines that each has.
pub(crate) fn list(args: &EnvArgs) -> Result<(), Failure> {
    let path = found::stack(args.file.as_deref())?;
    let within = |environment: Option<&String>| {
        let surroundings = Surroundings {
            stack: StackChoice {
                environment: environment.cloned(),
                pipeline: None,
            },
            ..Surroundings::of_process()
        };
        let stack = Project::stack(&path, &surroundings)?;
        stack.ok_or_else(|| {
            let message = format!("`{}` is no stack", path.display());
            let fault = Diagnostic::error("stack", message);
            vec![
                fault.hint("a stack has pipelines below `resources.pipelines`, and `environments`"),
            ]
        })
    };
    let base = within(None)?;
    let mut environments = Vec::new();
    for environment in &base.environments {
        environments.push((environment, within(Some(environment))?.pipelines));
    }
    if args.json {
        let environments: Vec<_> = environments
            .iter()
            .map(|(name, pipelines)| json!({ "name": name, "pipelines": pipelines }))
            .collect();
        return print_json(&json!({
            "stack": base.name,
            "pipelines": base.pipelines,
            "environments": environments,
        }));
    }
    for (name, pipelines) in &environments {
        print(&format!(
            "{}: {}",
            visible(name),
            visible(&pipelines.join(", "))
        ))?;
    }
    Ok(())
}
