//! The tests of one document: a pipeline, or a file beside it.

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};

use laktory_core::Secrets;
use laktory_model::{
    Document, Finding, LoadOptions, MAX_FILE_BYTES, NodeTest, Path, load_tests, unreadable,
    validate_tests,
};
use laktory_syntax::{Diagnostic, nearest};

use crate::disk;
use crate::project::{Disk, Project, Surroundings};

/// The end of the name of a file of tests.
const SUFFIXES: [&str; 2] = [".test.yaml", ".test.yml"];

/// The tests of one document.
#[derive(Debug)]
pub struct Suite {
    /// The document, as it was named.
    pub file: PathBuf,
    /// The pipeline that is tested.
    pub pipeline: PathBuf,
    /// The tests, in order. Those with faults of their own are not whole.
    pub tests: Vec<NodeTest>,
    /// What is wrong with the document as a whole, of which no test can be run then.
    pub broken: Vec<Diagnostic>,
    /// What is wrong with tests as they are written, by their positions.
    faults: BTreeMap<usize, Vec<Diagnostic>>,
    /// The document, where it is another one than the pipeline.
    document: Option<Document>,
    secrets: Secrets,
}

impl Suite {
    /// Whether a file holds tests by its name.
    #[must_use]
    pub fn is_test_file(file: &FilePath) -> bool {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
    }

    /// The tests in a pipeline. What else is wrong with it is told when one of them is run.
    ///
    /// # Errors
    /// When nothing can be made of the file.
    pub fn of_pipeline(
        file: &FilePath,
        surroundings: &Surroundings,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut project = Project::open(file, surroundings)?;
        let (faults, broken) = project.take_test_faults();
        Ok(Self {
            file: file.to_owned(),
            pipeline: file.to_owned(),
            tests: std::mem::take(&mut project.pipeline.tests),
            broken,
            faults,
            document: None,
            secrets: project.secrets(),
        })
    }

    /// A document of which nothing can be made.
    #[must_use]
    pub fn of_broken(file: &FilePath, faults: Vec<Diagnostic>) -> Self {
        Self {
            file: file.to_owned(),
            pipeline: file.to_owned(),
            tests: Vec::new(),
            broken: faults,
            faults: BTreeMap::new(),
            document: None,
            secrets: Secrets::default(),
        }
    }

    /// The tests in a file of their own.
    ///
    /// # Errors
    /// What is wrong with the file; a pipeline that is not there.
    pub fn of_file(file: &FilePath, surroundings: &Surroundings) -> Result<Self, Vec<Diagnostic>> {
        let name = file.display().to_string();
        let bytes =
            disk::read(file, MAX_FILE_BYTES).map_err(|error| vec![unreadable(&name, &error)])?;
        // Variables of the command line are for the pipeline; the file of tests need not name them.
        let mut environment = surroundings.environment.clone();
        environment.extend(surroundings.variables.clone());
        let options = LoadOptions {
            environment,
            files: Some(&Disk),
            settings: surroundings.settings(),
            ..LoadOptions::default()
        };
        let loaded = load_tests(&name, &bytes, &options);
        let Some(tests) = loaded.file else {
            return Err(loaded.diagnostics.into_sorted());
        };
        let document = &loaded.document;
        let mut faults = BTreeMap::<usize, Vec<Diagnostic>>::new();
        let mut broken = Vec::new();
        for fault in loaded.diagnostics.into_sorted() {
            match document.test_at(&fault) {
                _ if !fault.is_error() => {}
                Some(index) => faults.entry(index).or_default().push(fault),
                None => broken.push(fault),
            }
        }
        if !broken.is_empty() {
            // Of a file that is not read to its end, all that is known is told.
            broken.extend(faults.into_values().flatten());
            return Err(broken);
        }
        let pipeline = pipeline_of(file, tests.pipeline.as_deref())
            .map_err(|finding| vec![document.locate(*finding)])?;
        Ok(Self {
            file: file.to_owned(),
            pipeline,
            tests: tests.tests,
            broken,
            faults,
            document: Some(loaded.document),
            secrets: loaded.secrets,
        })
    }

    /// Values that must not be shown.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The place of a test in its document.
    pub(crate) fn place(index: usize) -> Path {
        Path::root().key("tests").index(index)
    }

    /// Whether something is wrong with a test as it is written.
    #[must_use]
    pub fn is_faulty(&self, index: usize) -> bool {
        self.faults.contains_key(&index)
    }

    /// What is wrong with a test itself.
    pub(crate) fn check(&self, project: &Project, index: usize) -> Vec<Diagnostic> {
        let own = Self::place(index);
        let found = validate_tests(&self.tests, &project.pipeline, &Path::root().key("tests"));
        found
            .into_iter()
            .filter(|finding| finding.is_error() && finding.path.starts_with(&own))
            .map(|finding| self.locate(project, finding))
            .collect()
    }

    /// What is wrong with a test as it is written.
    pub(crate) fn faults(&self, index: usize) -> Option<&Vec<Diagnostic>> {
        self.faults.get(&index)
    }

    /// The place of a finding of a test.
    pub(crate) fn locate(&self, project: &Project, finding: Finding) -> Diagnostic {
        match &self.document {
            Some(document) => document.locate(finding),
            None => project.locate(finding),
        }
    }
}

/// The pipeline that a file of tests is about.
fn pipeline_of(file: &FilePath, named: Option<&str>) -> Result<PathBuf, Box<Finding>> {
    let folder = file.parent().unwrap_or(FilePath::new(""));
    let place = Path::root().key("pipeline");
    if let Some(named) = named {
        let path = folder.join(named);
        if path.is_file() {
            return Ok(path);
        }
        let message = format!("there is no pipeline `{}`", path.display());
        let mut finding = Finding::error("io", place, message);
        let beside = names_in(folder);
        finding.hint = nearest(named, beside.iter().map(String::as_str))
            .map(|near| format!("did you mean `{near}`? The path is relative to this file"));
        return Err(Box::new(finding));
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let stem = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix));
    let stem = stem.unwrap_or(&name);
    let names = [
        format!("{stem}.yaml"),
        format!("{stem}.yml"),
        "pipeline.yaml".to_owned(),
        "laktory.yaml".to_owned(),
    ];
    let found = names.iter().map(|name| folder.join(name));
    let mut found = found.filter(|path| path.is_file() && path != file);
    found.next().ok_or_else(|| {
        let message = format!("there is no `{}` beside this file", names[0]);
        let finding = Finding::error("io", Path::root().key("tests"), message).at_key();
        Box::new(finding.hint("name the pipeline: `pipeline: path/to/pipeline.yaml`"))
    })
}

fn names_in(folder: &FilePath) -> Vec<String> {
    let folder = match folder.as_os_str().is_empty() {
        true => FilePath::new("."),
        false => folder,
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}
