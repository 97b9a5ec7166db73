//! One function for each command.

mod backends;
mod capabilities;
mod docs;
mod env;
mod found;
mod init;
mod inspect;
mod lineage;
mod run;
mod schema;
mod show;
mod tables;
mod test;
mod validate;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use clap::CommandFactory as _;
use laktory::core::secret::is_secret;
use laktory::core::{Error, Format, Registry, Secrets, Subject};
use laktory::exec::{Fault, NodeSchema, RunOptions};
use laktory::model::SchemaWords;
use laktory::plan::Plan;
use laktory::syntax::Diagnostic;
use laktory::{Planning, Project, Surroundings};

use crate::args::{Args, AroundArgs, Command, EnvCommand, FileArgs, TablesCommand};
use crate::commands::found::Found;
use crate::exit::Failure;
use crate::log::Detail;
use crate::out::{self, print, print_json};
use crate::{cut_off, environment, render};

/// Carries out a command.
pub(crate) fn dispatch(args: &Args, registry: &Registry) -> Result<(), Failure> {
    render::set_format(args.error_format);
    if let Some(folder) = &args.directory {
        std::env::set_current_dir(folder).map_err(|error| {
            let message = format!("cannot enter folder `{}`: {error}", folder.display());
            Failure::usage(vec![Diagnostic::error("io", message)])
        })?;
    }
    match &args.command {
        Command::Init(init) => init::init(init, environment::detail(args)?, registry),
        Command::Run(run) => run::run(run, environment::detail(args)?, registry),
        Command::Validate(validate) => {
            validate::validate(validate, environment::detail(args)?, registry)
        }
        Command::Schema(schema) => schema::schema(schema, environment::detail(args)?, registry),
        Command::Show(show) => show::show(show, environment::detail(args)?, registry),
        Command::Test(test) => test::test(test, environment::detail(args)?, registry),
        Command::Plan(plan) => inspect::plan(plan, environment::detail(args)?, registry),
        Command::Graph(graph) => inspect::graph(graph, environment::detail(args)?, registry),
        Command::Lineage(lineage) => {
            lineage::lineage(lineage, environment::detail(args)?, registry)
        }
        Command::Docs(docs) => docs::docs(docs, registry),
        Command::Backends(backends) => backends::backends(backends, registry),
        Command::Env(EnvCommand::List(list)) => env::list(list),
        Command::Tables(TablesCommand::History(history)) => tables::history(history, registry),
        Command::JsonSchema => print_json(&laktory::model::json_schema(&words(registry))),
        Command::Version => print(&backends::versions(registry)),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "laktory", &mut script);
            print(String::from_utf8_lossy(&script).trim_end())
        }
    }
}

/// The columns of every node, and what the engines find wrong.
fn resolve(
    plan: &Plan,
    registry: &Registry,
    options: &RunOptions,
) -> Result<(Vec<NodeSchema>, Vec<Fault>), Failure> {
    let resolved = laktory::exec::resolve(plan, registry, options);
    let (resolved, _) = cut_off::block_on(laktory::runtime()?, &options.files, resolved)?;
    resolved.map_err(|error| unopened(options, error))
}

/// No session of a backend is open: usage, where a setting of the command is at fault.
fn unopened(options: &RunOptions, error: Error) -> Failure {
    let mut given = options.backends.values();
    match error.subject() {
        Some(Subject::Name(setting)) if given.any(|given| given.contains_key(setting.as_str())) => {
            Failure::usage(vec![laktory::diagnostic(&error).path("--setting")])
        }
        _ => error.into(),
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

/// Name of a pipeline that comes from standard input, in messages.
const STDIN: &str = "<stdin>";

/// Loads the pipeline file.
fn open(file: &FileArgs) -> Result<Project, Failure> {
    open_at(
        &found::file(file.file.as_deref(), &file.stack)?,
        &file.around,
    )
}

/// Loads the pipeline file of a command that takes a name behind it, and that name.
fn open_with_name(
    file: &FileArgs,
    name: Option<&String>,
) -> Result<(Project, Option<String>), Failure> {
    let (path, name) = found::file_and_name(file.file.as_deref(), name);
    let project = open_at(&found::file(path.as_deref(), &file.stack)?, &file.around)?;
    Ok((project, name))
}

/// Loads a pipeline; what it includes is beside it, or in the current folder for standard input.
fn open_at(found: &Found, around: &AroundArgs) -> Result<Project, Failure> {
    let path = found.path.as_path();
    let surroundings = Surroundings {
        variables: around.variables.iter().cloned().collect(),
        parameters: around.parameters.iter().cloned().collect(),
        stack: found.stack.clone(),
        ..Surroundings::of_process()
    };
    out::hide(&given_secrets(around));
    if path != Path::new("-") {
        return opened(Project::open(path, &surroundings));
    }
    let mut text = Vec::new();
    // One byte more than is allowed is refused as too large.
    let most = laktory::model::MAX_FILE_BYTES as u64 + 1;
    let read = std::io::stdin().take(most).read_to_end(&mut text);
    read.map_err(|error| {
        let message = format!("cannot read the pipeline from standard input: {error}");
        Failure::usage(vec![Diagnostic::error("io", message)])
    })?;
    opened(Project::parse(STDIN, &text, &surroundings))
}

/// The values among the arguments that are credentials by their names.
fn given_secrets(around: &AroundArgs) -> Secrets {
    let mut secrets = Secrets::new();
    let settings = around.settings.iter().map(|(_, name, value)| (name, value));
    let values = around.variables.iter().chain(&around.parameters);
    let values = values.map(|(name, value)| (name, value)).chain(settings);
    for (_, value) in values.filter(|(name, _)| is_secret(name)) {
        secrets.add(value);
    }
    secrets
}

/// A project, or what is wrong with its file; credentials in either are not printed.
fn opened(project: Result<Project, Vec<Diagnostic>>) -> Result<Project, Failure> {
    match project {
        Ok(project) => {
            out::hide(&project.secrets());
            Ok(project)
        }
        Err(faults) => {
            let mut secrets = Secrets::new();
            for span in faults.iter().filter_map(|fault| fault.span.as_ref()) {
                secrets.scan(span.file.text());
            }
            out::hide(&secrets);
            Err(faults.into())
        }
    }
}

/// Compiles the pipeline; warnings are printed.
fn compile(
    project: &Project,
    registry: &Registry,
    planning: &Planning,
    detail: Detail,
) -> Result<Plan, Failure> {
    let (plan, warnings) = project.plan(registry, planning)?;
    if detail > Detail::Quiet {
        render::print(&warnings);
    }
    Ok(plan)
}
