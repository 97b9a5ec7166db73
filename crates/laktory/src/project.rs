//! From a file on disk to a plan: loading, the first depth of validation, and the way back from faults to the lines
//! that caused them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use laktory_core::{Error, ErrorKind, Registry, Secrets};
use laktory_exec::Fault;
use laktory_model::{
    DataFrameApi, FileLoader, Finding, LoadOptions, Loaded, MAX_FILE_BYTES, Pipeline, Settings,
    Stack, StackChoice, load, unreadable,
};
use laktory_plan::{Plan, PlanOptions, compile};
use laktory_syntax::{Diagnostic, Diagnostics, Severity, did_you_mean};

use crate::disk;
use crate::hints;
use crate::linked::DEFAULT_BACKEND;

/// What surrounds a pipeline: variables, parameters, environment.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Values of `${vars.x}` given by the caller; they win over all others.
    pub variables: BTreeMap<String, String>,
    /// Values of `${params.x}`.
    pub parameters: BTreeMap<String, String>,
    /// The environment: fallback of variables, and the `LAKTORY_*` settings.
    pub environment: BTreeMap<String, String>,
    /// Which part of a stack is wanted, where the file is one.
    pub stack: StackChoice,
}

impl Surroundings {
    /// The process's environment, without variables and parameters. Entries that are not UTF-8 are left out.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            environment: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            ..Self::default()
        }
    }

    /// Refuses settings in the environment that are none.
    fn check(&self) -> Result<(), Vec<Diagnostic>> {
        const API: &str = "LAKTORY_DATAFRAME_API";
        let api = self.environment.get(API).map_or("", |value| value.trim());
        if api.is_empty() || DataFrameApi::parse(api).is_some() {
            return Ok(());
        }
        let message = format!("the environment variable `{API}` cannot be `{api}`");
        let mut fault = Diagnostic::error("invalid-environment", message);
        let known = DataFrameApi::ALL.iter().map(|api| api.name());
        fault.hint = did_you_mean(&api.to_ascii_uppercase(), known);
        Err(vec![fault])
    }

    /// The settings in the environment.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings::from_environment(&self.environment)
    }
}

/// How to plan a pipeline.
#[derive(Clone, Debug)]
pub struct Planning {
    /// Nodes to run, as `x`, `*x`, `x*`, `*x*`; all when absent.
    pub selects: Option<Vec<String>>,
    /// Backend of every node, whatever the pipeline says.
    pub backend: Option<String>,
    /// Whether sinks will be written.
    pub write: bool,
}

impl Default for Planning {
    fn default() -> Self {
        Self {
            selects: None,
            backend: None,
            write: true,
        }
    }
}

/// A pipeline, and where it came from.
#[derive(Debug)]
pub struct Project {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// What was loaded; none for a pipeline declared in code. It may hold faults: the pipeline is then what could be
    /// read, so that its other faults can be told too.
    loaded: Option<Loaded>,
    /// Faults and warnings of loading, or of a pipeline declared in code.
    findings: Diagnostics,
    settings: Settings,
}

/// Reads files for include tags.
pub(crate) struct Disk;

impl FileLoader for Disk {
    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        disk::read(path, most)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    }

    fn is_dir(&self, path: &Path) -> bool {
        path.is_dir()
    }
}

impl Project {
    /// Loads a pipeline file. Faults that leave something to look at are told by [`Project::plan`], together with
    /// those that it finds.
    ///
    /// # Errors
    /// When nothing can be made of the file.
    pub fn open(path: &Path, surroundings: &Surroundings) -> Result<Self, Vec<Diagnostic>> {
        let name = path.display().to_string();
        let bytes = disk::read(path, MAX_FILE_BYTES).map_err(|error| {
            let mut fault = unreadable(&name, &error);
            if error.kind() == io::ErrorKind::NotFound {
                fault = fault.hint("give the path of a pipeline file, such as `pipeline.yaml`");
            }
            vec![fault]
        })?;
        Self::parse(&name, &bytes, surroundings)
    }

    /// Loads a pipeline from text. `name` is shown in messages, and includes are relative to its folder.
    ///
    /// # Errors
    /// As [`Project::open`].
    pub fn parse(
        name: &str,
        text: &[u8],
        surroundings: &Surroundings,
    ) -> Result<Self, Vec<Diagnostic>> {
        surroundings.check()?;
        let settings = surroundings.settings();
        // In a document, a setting that nobody has set is the default.
        let mut in_effect = settings.clone();
        in_effect
            .dataframe_backend
            .get_or_insert_with(|| DEFAULT_BACKEND.to_owned());
        let mut loaded = load(
            name,
            text,
            &LoadOptions {
                variables: surroundings.variables.clone(),
                parameters: surroundings.parameters.clone(),
                environment: surroundings.environment.clone(),
                files: Some(&Disk),
                settings: in_effect,
                stack: surroundings.stack.clone(),
            },
        );
        let findings = std::mem::take(&mut loaded.diagnostics);
        let settings = match &loaded.stack {
            Some(stack) => settings.overlaid(&stack.settings),
            None => settings,
        };
        match loaded.pipeline.take().or_else(|| loaded.draft.take()) {
            Some(pipeline) if !findings.is_full() => Ok(Self {
                pipeline,
                loaded: Some(loaded),
                findings,
                settings,
            }),
            _ => Err(findings.into_sorted()),
        }
    }

    /// What a file has, if it is a stack.
    ///
    /// # Errors
    /// When the file cannot be read. What is wrong with a stack is told when one of its pipelines is opened.
    pub fn stack(
        path: &Path,
        surroundings: &Surroundings,
    ) -> Result<Option<Stack>, Vec<Diagnostic>> {
        let name = path.display().to_string();
        let bytes =
            disk::read(path, MAX_FILE_BYTES).map_err(|error| vec![unreadable(&name, &error)])?;
        let options = LoadOptions {
            environment: surroundings.environment.clone(),
            files: Some(&Disk),
            // No pipeline has an empty name.
            stack: StackChoice {
                pipeline: Some(String::new()),
                ..surroundings.stack.clone()
            },
            ..LoadOptions::default()
        };
        Ok(load(&name, &bytes, &options).stack)
    }

    /// A pipeline declared in code.
    #[must_use]
    pub fn of(pipeline: Pipeline, surroundings: &Surroundings) -> Self {
        let findings = laktory_model::validate(&pipeline)
            .into_iter()
            .map(in_code)
            .collect();
        Self {
            pipeline,
            loaded: None,
            findings,
            settings: surroundings.settings(),
        }
    }

    /// The files that the pipeline was loaded from; none for one declared in code. A run does not write over them.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let files = self
            .loaded
            .iter()
            .flat_map(|loaded| loaded.document.files());
        files.map(PathBuf::from).collect()
    }

    /// Takes away what was found about the tests of the pipeline: that of each by its position, and that of no single one.
    pub(crate) fn take_test_faults(
        &mut self,
    ) -> (BTreeMap<usize, Vec<Diagnostic>>, Vec<Diagnostic>) {
        let (mut of_tests, mut of_all) = (BTreeMap::<usize, Vec<Diagnostic>>::new(), Vec::new());
        let Some(loaded) = &self.loaded else {
            return (of_tests, of_all);
        };
        let document = &loaded.document;
        let (tests, others): (Vec<Diagnostic>, Vec<Diagnostic>) =
            std::mem::take(&mut self.findings)
                .into_vec()
                .into_iter()
                .partition(|found| document.is_of_tests(found));
        self.findings.extend(others);
        for fault in tests.into_iter().filter(Diagnostic::is_error) {
            match document.test_at(&fault) {
                Some(index) => of_tests.entry(index).or_default().push(fault),
                None => of_all.push(fault),
            }
        }
        (of_tests, of_all)
    }

    /// The name of the backend that a node is planned for; of one that there is not, that of the pipeline.
    pub(crate) fn backend_of(&self, node: &str, forced: Option<&str>) -> String {
        let node = self.pipeline.node_by_name(node);
        let named = forced
            .or_else(|| node?.dataframe_backend.as_deref())
            .or(self.pipeline.dataframe_backend.as_deref())
            .or(self.settings.dataframe_backend.as_deref());
        named.unwrap_or(DEFAULT_BACKEND).to_owned()
    }

    /// Takes away the values that are given for variables which the pipeline does not have, where they are among `names`.
    pub(crate) fn take_unknown_variables<'a>(
        &mut self,
        names: impl Iterator<Item = &'a String> + Clone,
    ) -> Vec<(&'a str, Diagnostic)> {
        let mut taken = Vec::new();
        let findings = std::mem::take(&mut self.findings).into_vec();
        for fault in findings {
            let about = |name: &&String| {
                let named = fault.message.split('`').nth(1);
                named.is_some_and(|named| named.eq_ignore_ascii_case(name))
            };
            match names.clone().find(about) {
                Some(name) if fault.code == "unknown-variable" => {
                    taken.push((name.as_str(), fault))
                }
                _ => self.findings.extend([fault]),
            }
        }
        taken
    }

    /// Faults and warnings of loading.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.findings
    }

    /// Values that must not be shown: those of variables, parameters and options that are credentials by their names.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        match &self.loaded {
            Some(loaded) => loaded.secrets.clone(),
            None => Secrets::default(),
        }
    }

    /// Compiles the pipeline: order, backends, steps, capabilities. No engine, and of the disk only where paths lead.
    ///
    /// # Errors
    /// Every fault, of loading and of compiling, each with its place.
    pub fn plan(
        &self,
        registry: &Registry,
        planning: &Planning,
    ) -> Result<(Plan, Vec<Diagnostic>), Vec<Diagnostic>> {
        let options = PlanOptions {
            selects: planning.selects.clone(),
            default_backend: self
                .settings
                .dataframe_backend
                .clone()
                .unwrap_or_else(|| DEFAULT_BACKEND.to_owned()),
            backend: planning.backend.clone(),
            default_api: self
                .settings
                .dataframe_api
                .unwrap_or(DataFrameApi::Narwhals),
            write: planning.write,
            survey: laktory_exec::survey(&self.pipeline),
        };
        let (plan, findings) = compile(&self.pipeline, registry, &options);
        let mut diagnostics = self.findings.clone();
        let faulty = diagnostics.iter().any(Diagnostic::is_error);
        let loaded = self.loaded.as_ref().filter(|_| faulty);
        for finding in findings {
            // Consequences of known faults need not be told from others that nobody reads.
            if diagnostics.is_full() || loaded.is_none_or(|loaded| loaded.admits(&finding)) {
                diagnostics.push_with(finding.severity, || self.locate(finding));
            }
        }
        let diagnostics = diagnostics.into_sorted();
        match plan {
            Some(plan) if !diagnostics.iter().any(Diagnostic::is_error) => Ok((plan, diagnostics)),
            _ => Err(diagnostics),
        }
    }

    /// The place of a finding in the file, or its path for a pipeline declared in code.
    #[must_use]
    pub fn locate(&self, finding: Finding) -> Diagnostic {
        if let Some(option) = finding.option {
            let stack = self
                .loaded
                .as_ref()
                .and_then(|loaded| loaded.stack.as_ref());
            let by_stack = stack.is_some_and(|stack| stack.settings.dataframe_backend.is_some());
            if option == "default_backend" && by_stack {
                return in_code(finding).path("settings.dataframe_backend");
            }
            return in_code(finding).path(option_name(option));
        }
        match &self.loaded {
            Some(loaded) => loaded.document.locate(finding),
            None => in_code(finding),
        }
    }

    /// A fault of the engine as a diagnostic at the step that caused it; at the name in question, where an argument of
    /// the step holds it.
    #[must_use]
    pub fn explain(&self, fault: &Fault) -> Diagnostic {
        let error = &fault.error;
        let mut finding = Finding::error(error.kind().name(), fault.place.clone(), error.message());
        finding.range = error.range().filter(|_| !fault.at_key);
        finding.at_key = fault.at_key;
        finding.hint = self
            .node_meant(error)
            .or_else(|| error.hint().map(str::to_owned));
        let mut diagnostic = self.locate(finding);
        if let Some(hint) = self.meant(fault) {
            diagnostic.hint = Some(hint);
        }
        diagnostic
    }

    /// How the text at a fault was probably meant.
    fn meant(&self, fault: &Fault) -> Option<String> {
        let document = &self.loaded.as_ref()?.document;
        let place = document.written(fault.place.clone());
        let text = document.text(&place)?;
        let path = fault.place.to_string();
        // Rules may be expressions too.
        let sql = path.ends_with(".expr") && !text.contains("nw.");
        let nodes = self.pipeline.nodes.iter().map(|node| node.name.as_str());
        let place = hints::Place {
            text,
            sql,
            nodes: nodes.collect(),
        };
        hints::hint(&fault.error, &place)
    }

    /// How to write the node that a statement names as if it were a table.
    fn node_meant(&self, error: &Error) -> Option<String> {
        if error.kind() != ErrorKind::UnknownFrame {
            return None;
        }
        let mut names = error.message().split(['`', '\'']);
        let name = names.find(|name| self.pipeline.node_by_name(name).is_some())?;
        Some(format!(
            "write `{{nodes.{name}}}` for the output of node `{name}`"
        ))
    }
}

/// What users know an option of planning by.
fn option_name(option: &'static str) -> &'static str {
    match option {
        "selects" => "--select",
        "backend" => "--backend",
        "default_backend" => "LAKTORY_DATAFRAME_BACKEND",
        other => other,
    }
}

/// A diagnostic of a pipeline without a file: its path takes the place of the line.
fn in_code(finding: Finding) -> Diagnostic {
    let path = finding.path.to_string();
    let mut diagnostic = match finding.severity {
        Severity::Error => Diagnostic::error(finding.code, finding.message),
        Severity::Warning => Diagnostic::warning(finding.code, finding.message),
    };
    if let Some(hint) = finding.hint {
        diagnostic = diagnostic.hint(hint);
    }
    diagnostic.path(path)
}

/// A core error without a place, as a diagnostic.
#[must_use]
pub fn diagnostic(error: &Error) -> Diagnostic {
    let diagnostic = Diagnostic::error(error.kind().name(), error.message());
    match error.hint() {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}
