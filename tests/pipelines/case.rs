//! A case as data, and how it is judged. Strict both ways: errors that are not expected fail a case as much as expected
//! ones that do not come.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use serde_json::Value;

use crate::start::{BACKEND, REMOTE, command};

/// An engine that the command links.
#[derive(Clone, Debug, Default)]
pub(crate) struct Engine {
    /// Name of the backend.
    pub(crate) name: &'static str,
    /// Environment that makes the command run on it.
    pub(crate) environment: BTreeMap<String, String>,
    /// Whether it runs on a server.
    pub(crate) is_remote: bool,
    /// Whether nothing names that server.
    pub(crate) is_missing: bool,
    /// Whether it has Delta tables.
    pub(crate) has_delta: bool,
    /// Tests that do not hold on that server, by path, with the reason; they must fail there.
    pub(crate) gaps: BTreeMap<String, String>,
}

impl Engine {
    /// What a test on this engine is called.
    pub(crate) fn test_name(&self, path: &str) -> String {
        format!("{}::{path}", self.name.to_lowercase())
    }

    /// A test on this engine: ignored when it is not to be had, and strict about the gaps of its server.
    pub(crate) fn trial(
        &self,
        path: &str,
        test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
    ) -> Trial {
        let gap = self.gaps.get(path).cloned();
        let trial = Trial::test(self.test_name(path), move || strictly(test(), gap.as_ref()));
        match self.is_missing {
            true => trial.with_kind("no server").with_ignored_flag(true),
            false => trial,
        }
    }
}

/// An outcome in the light of a declared gap: what is declared as not holding must fail.
fn strictly(outcome: Result<(), Failed>, gap: Option<&String>) -> Result<(), Failed> {
    match (outcome, gap) {
        (Ok(()), Some(reason)) => {
            Err(format!("the test holds, but is declared as not holding: {reason}").into())
        }
        (Err(_), Some(_)) => Ok(()),
        (outcome, None) => outcome,
    }
}

/// The gaps of a server, whose name is that of the file.
fn gaps(backend: &str) -> BTreeMap<String, String> {
    let Ok(server) = std::env::var(SERVER_KIND) else {
        return BTreeMap::new();
    };
    let file = format!("gaps/{}.{server}.yaml", backend.to_lowercase());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The server of an engine that is not embedded, as the tests get it.
const SERVER: &str = "LAKTORY_SPARK_REMOTE";
/// What kind of server it is, when it is not Spark.
const SERVER_KIND: &str = "LAKTORY_CONFORMANCE_SERVER";

/// A test on each engine that works on local files: it gets the name of its own, and those of all of them.
pub(crate) fn on_local_engines(
    test: &str,
    run: fn(&'static str, &[&'static str]) -> Result<(), Failed>,
) -> Vec<Trial> {
    let engines = engines().into_iter();
    let local: Vec<Engine> = engines.filter(|engine| !engine.is_remote).collect();
    let names: Vec<&'static str> = local.iter().map(|engine| engine.name).collect();
    local
        .iter()
        .map(|engine| {
            let (own, all) = (engine.name, names.clone());
            let name = engine.test_name(test);
            Trial::test(name, move || run(own, &all))
        })
        .collect()
}

/// The engines of the command, in order of name.
pub(crate) fn engines() -> Vec<Engine> {
    let registry = laktory::registry().expect("the linked drivers have names of their own");
    registry
        .iter()
        .map(|backend| {
            let mut engine = Engine {
                name: backend.name,
                ..Engine::default()
            };
            if backend.name != laktory::DEFAULT_BACKEND {
                let choice = (BACKEND.to_owned(), backend.name.to_owned());
                engine.environment.extend([choice]);
            }
            engine.has_delta = true;
            if !(backend.capabilities)().local_files {
                engine.is_remote = true;
                engine.gaps = gaps(engine.name);
                engine.has_delta = std::env::var(SERVER_KIND).is_ok_and(|kind| kind == "sail");
                match std::env::var(SERVER) {
                    Ok(server) => engine.environment.extend([(REMOTE.to_owned(), server)]),
                    Err(_) => engine.is_missing = true,
                }
            }
            engine
        })
        .collect()
}

/// A case file. One file holds one pipeline and one or more calls of the command on it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// That of the file, without its extension.
    #[serde(skip)]
    path: String,
    /// The engine it runs on.
    #[serde(skip)]
    engine: Engine,
    /// What the case shows, for readers.
    #[serde(rename = "about")]
    _about: String,
    /// For a case that has nothing to do with engines: run once, on the default backend.
    #[serde(default)]
    once: bool,
    /// Backends on which the case does not hold yet, with the reason; it must fail there.
    #[serde(default)]
    not_yet: BTreeMap<String, String>,
    /// Backends on which the case is not run, with the reason: it would end the server that others need.
    #[serde(default)]
    never: BTreeMap<String, String>,
    /// Input files by path, as text.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Input files by path, as hexadecimal bytes, for bad encodings.
    #[serde(default)]
    bytes: BTreeMap<String, String>,
    /// `pipeline.yaml`.
    #[serde(default)]
    pipeline: Option<String>,
    /// The calls, in order.
    calls: Vec<Call>,
}

/// One call of the command, and what must come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    /// Arguments; `run pipeline.yaml` by default.
    #[serde(default)]
    args: Option<Vec<String>>,
    /// Environment.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Files written before the call.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Exit code.
    #[serde(default)]
    exit: i32,
    /// Every error, in order: a text that its line must contain. Lines are `file:line:column: error: message`.
    #[serde(default)]
    errors: Vec<String>,
    /// Every warning, likewise.
    #[serde(default)]
    warnings: Vec<String>,
    /// Texts that standard output must contain, in order.
    #[serde(default)]
    stdout: Vec<String>,
    /// Texts that standard error must contain, in order.
    #[serde(default)]
    stderr: Vec<String>,
    /// Rows of output files, in any order. The format is told from the extension.
    #[serde(default)]
    outputs: BTreeMap<String, Vec<Value>>,
    /// Exact texts of output files.
    #[serde(default)]
    texts: BTreeMap<String, String>,
    /// Paths that must not exist.
    #[serde(default)]
    absent: Vec<String>,
    /// What is otherwise on a backend, such as the words of its errors; each takes the place of what is above.
    #[serde(default)]
    on: BTreeMap<String, Otherwise>,
}

/// What a call must bring on one backend.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Otherwise {
    exit: Option<i32>,
    errors: Option<Vec<String>>,
    warnings: Option<Vec<String>>,
    stdout: Option<Vec<String>>,
    stderr: Option<Vec<String>>,
    outputs: Option<BTreeMap<String, Vec<Value>>>,
    texts: Option<BTreeMap<String, String>>,
    absent: Option<Vec<String>>,
}

/// Every case below `cases/` on each backend that the command links, named by backend and path. Cases are written for
/// the default backend; for another one its name takes the place of the default's.
pub(crate) fn all() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let engines = engines();
    let mut cases = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).expect("a case file is UTF-8");
        let path = file
            .strip_prefix(&root)
            .expect("a case lies below the root")
            .with_extension("");
        for engine in &engines {
            let mut case: Case =
                serde_saphyr::from_str(&text.replace(laktory::DEFAULT_BACKEND, engine.name))
                    .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            if case.once && engine.name != laktory::DEFAULT_BACKEND {
                continue;
            }
            case.path = path.display().to_string();
            case.engine = engine.clone();
            cases.push(case);
        }
    }
    cases
}

/// The files of every case, its pipeline included, by the path of the case; as they are on the default backend.
pub(crate) fn documents() -> Vec<(String, BTreeMap<String, String>)> {
    let on_default = |case: &Case| case.engine.name == laktory::DEFAULT_BACKEND;
    all()
        .into_iter()
        .filter(on_default)
        .map(|case| {
            let mut files = case.files;
            let pipeline = case.pipeline.map(|text| ("pipeline.yaml".to_owned(), text));
            files.extend(pipeline);
            (case.path, files)
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder)
        .expect("the folder of cases can be listed")
        .flatten()
    {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            files.push(path);
        }
    }
}

impl Case {
    /// The case as a test.
    pub(crate) fn trial(self) -> Trial {
        let (engine, path) = (self.engine.clone(), self.path.clone());
        let never = self.never.get(engine.name).cloned();
        let trial = engine.trial(&path, move || self.run());
        match never {
            Some(reason) => trial.with_ignored_flag(true).with_kind(reason),
            None => trial,
        }
    }

    /// Runs the case; one that is declared as not holding yet must fail.
    fn run(&self) -> Result<(), Failed> {
        let gap = self.not_yet.get(self.engine.name);
        strictly(self.judge().map_err(Into::into), gap)
    }

    /// Runs every call and judges it; the error says all that differs.
    fn judge(&self) -> Result<(), String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let root = folder.path();
        write(root, &self.files)?;
        for (path, hex) in &self.bytes {
            write_bytes(root, path, &unhex(hex)?)?;
        }
        if let Some(pipeline) = &self.pipeline {
            write_bytes(root, "pipeline.yaml", pipeline.as_bytes())?;
        }
        for (number, call) in self.calls.iter().enumerate() {
            write(root, &call.files)?;
            let faults = call.judge(root, &self.engine)?;
            if !faults.is_empty() {
                return Err(format!("call {number}:\n{faults}"));
            }
        }
        Ok(())
    }
}

impl Call {
    fn judge(&self, root: &Path, engine: &Engine) -> Result<String, String> {
        let default = || vec!["run".to_owned(), "pipeline.yaml".to_owned()];
        let arguments = self.args.clone().unwrap_or_else(default);
        let mut environment = engine.environment.clone();
        environment.extend(self.env.clone());
        let other = self.on.get(engine.name);
        let exit = other.and_then(|other| other.exit).unwrap_or(self.exit);
        let errors = other
            .and_then(|other| other.errors.as_ref())
            .unwrap_or(&self.errors);
        let warnings = other
            .and_then(|other| other.warnings.as_ref())
            .unwrap_or(&self.warnings);
        let on_stdout = other
            .and_then(|other| other.stdout.as_ref())
            .unwrap_or(&self.stdout);
        let on_stderr = other
            .and_then(|other| other.stderr.as_ref())
            .unwrap_or(&self.stderr);
        let outputs = other
            .and_then(|other| other.outputs.as_ref())
            .unwrap_or(&self.outputs);
        let texts = other
            .and_then(|other| other.texts.as_ref())
            .unwrap_or(&self.texts);
        let absent = other
            .and_then(|other| other.absent.as_ref())
            .unwrap_or(&self.absent);
        let output = laktory(root, &arguments, &environment)?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let mut faults = String::new();
        if output.status.code() != Some(exit) {
            let _ = writeln!(faults, "exit {:?}, expected {exit}", output.status.code());
        }
        compare_lines(&mut faults, ": error: ", "error", &stderr, errors);
        compare_lines(&mut faults, ": warning: ", "warning", &stderr, warnings);
        contains(&mut faults, "standard output", &stdout, on_stdout);
        contains(&mut faults, "standard error", &stderr, on_stderr);
        for (path, expected) in outputs {
            // Columns have no order of the file's on engines that look for them on many machines.
            let any_order = engine.is_remote;
            if let Err(error) = compare_rows(&mut faults, root, path, expected, any_order) {
                let _ = writeln!(faults, "{error}");
            }
        }
        for (path, expected) in texts {
            match text(&root.join(path)) {
                Ok(text) if text == *expected => {}
                Ok(text) => {
                    let _ = writeln!(faults, "{path} holds\n{text}expected\n{expected}");
                }
                Err(error) => {
                    let _ = writeln!(faults, "{path}: {error}");
                }
            }
        }
        for path in absent {
            if root.join(path).exists() {
                let _ = writeln!(faults, "{path} exists");
            }
        }
        if let Some(litter) = litter(root) {
            let _ = writeln!(faults, "left behind: {}", litter.display());
        }
        if !faults.is_empty() {
            let _ = writeln!(
                faults,
                "--- standard output\n{stdout}--- standard error\n{stderr}"
            );
        }
        Ok(faults)
    }
}

/// Runs the command in a folder, with one line for each error.
pub(crate) fn laktory(
    root: &Path,
    arguments: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<Output, String> {
    command(root)
        .args(arguments)
        .args(["--error-format", "short"])
        .envs(environment)
        .output()
        .map_err(|error| format!("cannot start the command: {error}"))
}

fn compare_lines(
    faults: &mut String,
    marker: &str,
    start: &str,
    stderr: &str,
    expected: &[String],
) {
    let found: Vec<&str> = stderr
        .lines()
        .filter(|line| line.contains(marker) || line.starts_with(&format!("{start}: ")))
        .collect();
    let same = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, expected)| found.contains(expected.as_str()));
    if !same {
        let _ = writeln!(faults, "{start}s are\n  {}", found.join("\n  "));
        let _ = writeln!(faults, "expected\n  {}", expected.join("\n  "));
    }
}

fn contains(faults: &mut String, what: &str, text: &str, expected: &[String]) {
    let mut rest = text;
    for part in expected {
        match rest.find(part.as_str()) {
            Some(at) => rest = &rest[at + part.len()..],
            None => {
                let _ = writeln!(faults, "{what} lacks (in order) {part:?}");
                return;
            }
        }
    }
}

fn compare_rows(
    faults: &mut String,
    root: &Path,
    path: &str,
    expected: &[Value],
    any_order: bool,
) -> Result<(), String> {
    let found = sorted(&rows(&root.join(path))?, any_order);
    let expected = sorted(expected, any_order);
    if found != expected {
        let _ = writeln!(faults, "{path} holds\n  {}", found.join("\n  "));
        let _ = writeln!(faults, "expected\n  {}", expected.join("\n  "));
    }
    Ok(())
}

/// Rows as texts, in an order of their own; where columns have none either, in that of their names.
pub(crate) fn sorted(rows: &[Value], any_order: bool) -> Vec<String> {
    let mut texts: Vec<String> = rows
        .iter()
        .map(|row| {
            if any_order {
                ordered(row).to_string()
            } else {
                row.to_string()
            }
        })
        .collect();
    texts.sort();
    texts
}

/// A value with the keys of its mappings in order.
fn ordered(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(ordered).collect(),
        Value::Object(fields) => {
            let fields: BTreeMap<&String, Value> = fields
                .iter()
                .map(|(name, value)| (name, ordered(value)))
                .collect();
            fields
                .into_iter()
                .map(|(name, value)| (name.clone(), value))
                .collect()
        }
        other => other.clone(),
    }
}

/// The rows of a file (or folder) of any format, read by the command itself and turned into JSON lines.
pub(crate) fn rows(path: &Path) -> Result<Vec<Value>, String> {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or("parquet");
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let copied = folder.path().join("rows.jsonl");
    let pipeline = format!(
        "name: copy\nnodes:\n- name: copy\n  source: {{path: {path:?}, format: {extension}}}\n  sinks:\n  - {{path: {copied:?}, format: JSONL}}\n"
    );
    write_bytes(folder.path(), "pipeline.yaml", pipeline.as_bytes())?;
    let arguments = ["run", "pipeline.yaml", "-q"].map(str::to_owned);
    let output = laktory(folder.path(), &arguments, &BTreeMap::new())?;
    if !output.status.success() {
        return Err(format!(
            "cannot read {}: {}",
            path.display(),
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    let text = fs::read_to_string(&copied).map_err(|error| error.to_string())?;
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(|error| error.to_string()))
        .collect()
}

/// The text of a file, or of the files of a folder in their order: engines that run on many machines write folders.
fn text(path: &Path) -> std::io::Result<String> {
    if path.is_file() {
        return fs::read_to_string(path);
    }
    let mut parts: Vec<PathBuf> = fs::read_dir(path)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    parts.sort();
    let is_data = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with(['.', '_'])
    };
    parts
        .iter()
        .filter(|path| is_data(path))
        .map(fs::read_to_string)
        .collect()
}

/// A staging folder or a lock that a run left behind.
pub(crate) fn litter(folder: &Path) -> Option<PathBuf> {
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(".laktory-staging-") || name.starts_with(".laktory-lock-") {
            return Some(path);
        }
        if path.is_dir()
            && let Some(found) = litter(&path)
        {
            return Some(found);
        }
    }
    None
}

fn write(root: &Path, files: &BTreeMap<String, String>) -> Result<(), String> {
    files
        .iter()
        .try_for_each(|(path, text)| write_bytes(root, path, text.as_bytes()))
}

fn write_bytes(root: &Path, path: &str, bytes: &[u8]) -> Result<(), String> {
    let path = root.join(path);
    let parent = path.parent().unwrap_or(root);
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(&path, bytes))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| {
            let pair = digits.get(at..at + 2).ok_or("an odd number of digits")?;
            u8::from_str_radix(pair, 16).map_err(|error| error.to_string())
        })
        .collect()
}
