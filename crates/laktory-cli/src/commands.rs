//! One function for each command.

mod backends;
mod capabilities;
mod inspect;
mod run;
mod schema;
mod show;

use std::collections::BTreeSet;
use std::io::Write as _;

use clap::CommandFactory as _;
use laktory::core::{Format, Registry};
use laktory::model::SchemaWords;
use laktory::plan::Plan;
use laktory::{Planning, Project, Surroundings};

use crate::args::{Args, Command, FileArgs};
use crate::exit::Failure;
use crate::log::Detail;
use crate::render;

/// Carries out a command.
pub(crate) fn dispatch(args: &Args, registry: &Registry) -> Result<(), Failure> {
    render::set_format(args.error_format);
    if let Some(folder) = &args.directory {
        std::env::set_current_dir(folder).map_err(|error| {
            let message = format!("cannot enter folder `{}`: {error}", folder.display());
            Failure::usage(vec![laktory::syntax::Diagnostic::error("io", message)])
        })?;
    }
    match &args.command {
        Command::Run(run) => run::run(run, detail(args), registry),
        Command::Validate(validate) => inspect::validate(validate, args.quiet, registry),
        Command::Schema(schema) => schema::schema(schema, args.quiet, registry),
        Command::Show(show) => show::show(show, detail(args), registry),
        Command::Plan(plan) => inspect::plan(plan, registry),
        Command::Graph(graph) => inspect::graph(graph, registry),
        Command::Backends(backends) => backends::backends(backends, registry),
        Command::JsonSchema => {
            let schema =
                serde_json::to_string_pretty(&laktory::model::json_schema(&words(registry)));
            print(&schema.map_err(|error| laktory::core::Error::internal(error.to_string()))?)
        }
        Command::Version => print(&backends::versions(registry)),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "laktory", &mut script);
            print(String::from_utf8_lossy(&script).trim_end())
        }
    }
}

/// The names that this program knows, for the JSON schema.
fn words(registry: &Registry) -> SchemaWords {
    let mut words = SchemaWords {
        methods: laktory::syntax::method_names(),
        ..SchemaWords::default()
    };
    let mut formats = BTreeSet::new();
    for backend in registry.iter() {
        words.backends.push(backend.name.to_owned());
        words
            .backends
            .extend(backend.aliases.iter().map(|alias| (*alias).to_owned()));
        let capabilities = (backend.capabilities)();
        let known = capabilities.reads.iter().chain(&capabilities.writes);
        let available = known.filter(|(_, support)| support.support.is_available());
        let mut names = available.flat_map(|(format, _)| format.names());
        formats.extend(names.by_ref().map(str::to_owned));
        if capabilities.tables.is_available() {
            formats.insert(Format::Delta.name().to_owned());
        }
    }
    words.formats = formats.into_iter().collect();
    words
}

fn detail(args: &Args) -> Detail {
    match (args.quiet, args.verbose) {
        (true, _) => Detail::Quiet,
        (false, 0) => Detail::Normal,
        _ => Detail::Verbose,
    }
}

/// Prints a line or more to standard output. A reader that has gone away (`| head`) is not an error.
fn print(text: &str) -> Result<(), Failure> {
    match writeln!(anstream::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(laktory::core::Error::from(error).into())
        }
        _ => Ok(()),
    }
}

/// Loads the pipeline file.
fn open(file: &FileArgs) -> Result<Project, Failure> {
    let surroundings = Surroundings {
        variables: file.variables.iter().cloned().collect(),
        parameters: file.parameters.iter().cloned().collect(),
        ..Surroundings::of_process()
    };
    Ok(Project::open(&file.file, &surroundings)?)
}

/// Compiles the pipeline; warnings are printed.
fn compile(
    project: &Project,
    registry: &Registry,
    planning: &Planning,
    quiet: bool,
) -> Result<Plan, Failure> {
    let (plan, warnings) = project.plan(registry, planning)?;
    if !quiet {
        render::print(&warnings);
    }
    Ok(plan)
}
