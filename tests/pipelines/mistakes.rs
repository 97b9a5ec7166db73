//! Mistakes that people make, each with the very word that is wrong: refused before data is read, with one error, whose caret
//! is under that word and nowhere else, in plain words. Each text is tried in every way in which a file can carry it.

mod carriers;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use serde_json::Value;

use crate::case::{Engine, engines};
use crate::start::command;

use self::carriers::{Carried, Word};

/// A file of mistakes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What they have in common, for readers.
    #[serde(rename = "about")]
    _about: String,
    mistakes: Vec<Mistake>,
}

/// One mistake. The wrong word stands between « and »; with nothing between them, it is what is missing there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mistake {
    /// A statement of SQL.
    #[serde(default)]
    sql: Option<String>,
    /// An expression of SQL that judges rows.
    #[serde(default)]
    rule: Option<String>,
    /// An expression of SQL by which a source is filtered.
    #[serde(default)]
    filter: Option<String>,
    /// An expression that a source selects.
    #[serde(default)]
    selects: Option<String>,
    /// An expression that makes a column.
    #[serde(default)]
    column: Option<String>,
    /// An argument of the method in `to`.
    #[serde(default)]
    argument: Option<String>,
    /// The method that `argument` is given to; another argument stands behind a comma.
    #[serde(default)]
    to: Option<String>,
    /// A step, as YAML.
    #[serde(default)]
    step: Option<String>,
    /// Several steps, as YAML.
    #[serde(default)]
    steps: Option<String>,
    /// Keys of a node, as YAML.
    #[serde(default)]
    node: Option<String>,
    /// A whole file.
    #[serde(default)]
    file: Option<String>,
    /// What the error says, among other things.
    says: String,
    /// What its hint says, among other things.
    #[serde(default)]
    hint: Option<String>,
    /// Backends on which it is found otherwise yet, with the reason; it must fail there.
    #[serde(default)]
    not_yet: BTreeMap<String, String>,
}

/// Words that no user has to know: of engines and libraries, of debug output, of our own insides.
const FOREIGN: &[&str] = &[
    "polars",
    "datafusion",
    "arrow",
    "sqlparser",
    "ruff",
    "serde",
    "logicalplan",
    "dataframe error",
    "some(",
    "none,",
    "ident {",
    "panicked",
    "internal error",
    "__laktory",
    "schema_definition",
    "`sql.",
    "`exact.",
    "::",
];

pub(crate) fn trials() -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mistakes");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the folder of mistakes can be listed")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    let engines = engines();
    let mut trials = Vec::new();
    for path in &files {
        let text = fs::read_to_string(path).expect("a file of mistakes is UTF-8");
        let file: File = serde_saphyr::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let group = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for (number, mistake) in file.mistakes.into_iter().enumerate() {
            for engine in &engines {
                let name = format!("mistakes/{group}/{:03}", number + 1);
                let (engine, mistake) = (engine.clone(), mistake.clone());
                trials.push(
                    engine
                        .clone()
                        .trial(&name, move || judged(&engine, &mistake)),
                );
            }
        }
    }
    trials
}

fn judged(engine: &Engine, mistake: &Mistake) -> Result<(), Failed> {
    let outcome = holds(engine, mistake);
    match (outcome, mistake.not_yet.get(engine.name)) {
        (Ok(()), Some(reason)) => {
            Err(format!("it is found as it should be, but declared otherwise: {reason}").into())
        }
        (Err(_), Some(_)) => Ok(()),
        (outcome, None) => outcome,
    }
}

/// Whether the mistake is found as it should be, however the file carries it.
fn holds(engine: &Engine, mistake: &Mistake) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    for (name, rows) in carriers::FRAMES {
        fs::write(root.join(name), rows)?;
    }
    let carried = carriers::of(mistake)?;
    for file in &carried {
        for (name, text) in &file.files {
            fs::write(root.join(name), text)?;
        }
    }
    let output = command(root)
        .arg("validate")
        .args(carried.iter().map(|file| file.name.as_str()))
        // One file alone is told of in another way.
        .arg(carriers::SOUND.0)
        .args(["--error-format", "json"])
        .envs(&engine.environment)
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut errors: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut faults = String::new();
    for line in told.lines() {
        let Ok(error) = serde_json::from_str::<Value>(line) else {
            let _ = writeln!(faults, "not JSON: {line}");
            continue;
        };
        if error["severity"] != "error" {
            continue;
        }
        let file = error["place"]["file"].as_str().unwrap_or("");
        let number: String = file.chars().take_while(char::is_ascii_digit).collect();
        errors.entry(number).or_default().push(error);
    }
    if output.status.code() != Some(2) {
        let _ = writeln!(faults, "exit {:?}, expected 2", output.status.code());
    }
    for (number, file) in carried.iter().enumerate() {
        let found = errors
            .remove(&format!("{}", number + 1))
            .unwrap_or_default();
        if let Err(fault) = is_right(file, &found, mistake) {
            let _ = writeln!(faults, "{}: {fault}", file.carrier);
            if let Some(text) = file.files.get(&file.word.file) {
                let _ = writeln!(faults, "{text}");
            }
        }
    }
    for error in errors.values().flatten() {
        let _ = writeln!(faults, "an error of no file: {error}");
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults.into()),
    }
}

/// Whether what was found in a file is one error, at the word and in plain words.
fn is_right(file: &Carried, found: &[Value], mistake: &Mistake) -> Result<(), String> {
    let [error] = found else {
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        return Err(format!("{} errors\n  {}", found.len(), told.join("\n  ")));
    };
    let word = &file.word;
    if !stands_at(word, &error["place"]) {
        return Err(format!("the word is at {word:?}, the error is {error}"));
    }
    let message = error["message"].as_str().unwrap_or("");
    let hint = error["hint"].as_str().unwrap_or("");
    if !message.contains(&mistake.says) {
        return Err(format!("it does not say `{}`: {error}", mistake.says));
    }
    if let Some(wanted) = &mistake.hint
        && !hint.contains(wanted)
    {
        return Err(format!("it does not hint `{wanted}`: {error}"));
    }
    if message.starts_with(char::is_uppercase) && !is_name(message) {
        return Err(format!("it begins with a capital letter: {error}"));
    }
    // The names of backends are words of the user's.
    let names = engines().into_iter().map(|engine| engine.name);
    let words = names.fold(format!("{message} {hint}"), |words, name| {
        words.replace(name, "")
    });
    let words = words.to_lowercase();
    match FOREIGN.iter().find(|word| words.contains(**word)) {
        Some(word) => Err(format!("users need not know `{word}`: {error}")),
        None => Ok(()),
    }
}

/// Whether a message begins with a word of SQL.
fn is_name(message: &str) -> bool {
    let word: String = message
        .chars()
        .take_while(|char| char.is_alphanumeric())
        .collect();
    word.chars().count() > 1 && word.chars().all(char::is_uppercase)
}

/// Whether an error is told at a word; quotes around it are part of it or not.
fn stands_at(word: &Word, place: &Value) -> bool {
    let number = |key: &str| {
        place[key]
            .as_u64()
            .and_then(|number| usize::try_from(number).ok())
    };
    let start = number("line").zip(number("column"));
    let end = number("end_line").zip(number("end_column"));
    place["file"] == word.file.as_str()
        && word
            .spans
            .iter()
            .any(|(from, to)| start == Some(*from) && (from == to || end == Some(*to)))
}
