//! `laktory json-schema` accepts what `laktory validate` accepts, and refuses what is refused for its keys, shapes and
//! words. What is refused for names, expressions or data is out of its reach.

mod validator;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use laktory::model::{LoadOptions, SchemaWords};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use self::validator::Validator;
use crate::case;
use crate::start::command;

/// Codes of faults that the schema sees too.
const SHAPE: [&str; 7] = [
    "missing-key",
    "out-of-range",
    "type-conflict",
    "unknown-key",
    "unknown-kind",
    "unknown-word",
    "wrong-type",
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("schema/agrees_with_the_command", agrees),
        Trial::test("schema/accepts_examples_and_pages", pages),
        Trial::test("schema/agrees_with_the_reader_on_mutations", mutations),
    ]
}

fn call(folder: &Path, arguments: &[&str]) -> Result<Output, Failed> {
    Ok(command(folder).args(arguments).output()?)
}

fn schema() -> Result<Value, Failed> {
    let output = call(Path::new("."), &["json-schema"])?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The pipelines of all cases, valid and invalid, judged by both.
fn agrees() -> Result<(), Failed> {
    let schema = schema()?;
    let validator = Validator::new(&schema)?;
    let mut wrong = Vec::new();
    let mut seen = [0; 2];
    for (path, files) in case::documents() {
        let folder = tempfile::tempdir()?;
        for (name, text) in &files {
            let target = folder.path().join(name);
            fs::create_dir_all(target.parent().unwrap_or(folder.path()))?;
            fs::write(target, text)?;
        }
        for (name, text) in files.iter().filter(|(name, text)| is_pipeline(name, text)) {
            let Ok(document) = serde_saphyr::from_str::<Value>(text) else {
                continue;
            };
            let output = call(
                folder.path(),
                &["--error-format", "json", "validate", name, "--offline"],
            )?;
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            let faults: Vec<Value> = told
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .filter(|fault: &Value| fault["severity"] == "error")
                .collect();
            // What placeholders, tags and merge keys bring is not in the document.
            let whole = !["${", "!use", "!update", "!extend", "<<:"]
                .iter()
                .any(|mark| text.contains(mark));
            let of_shape: Vec<&Value> = faults
                .iter()
                .filter(|fault| SHAPE.iter().any(|code| fault["code"] == *code))
                .filter(|fault| fault["place"]["file"] == **name)
                // Inside of an expression it is a name.
                .filter(|fault| !fault["path"].to_string().contains("func_kwargs"))
                .collect();
            let accepted = validator.accepts(&document);
            let label = format!("{path}: {name}");
            if faults.is_empty() && output.status.success() {
                seen[0] += 1;
                if !accepted {
                    wrong.push(format!("{label}: valid, but the schema refuses it"));
                }
            } else if whole && !of_shape.is_empty() {
                seen[1] += 1;
                if accepted {
                    wrong.push(format!("{label}: the schema accepts {of_shape:?}"));
                }
            }
        }
    }
    if wrong.is_empty() && seen[0] > 100 && seen[1] > 10 {
        return Ok(());
    }
    Err(format!("{seen:?} documents\n{}", wrong.join("\n")).into())
}

fn is_pipeline(name: &str, text: &str) -> bool {
    // A stack has several, and no schema.
    name.ends_with(".yaml") && text.contains("nodes") && !text.contains("pipelines:")
}

/// Documents of our own, which use every object of the language, in each of its shapes.
const WIDE: &str = include_str!("schema/wide.yaml");

/// What a value is changed to.
fn others(value: &Value) -> Vec<Value> {
    let mut others = vec![
        Value::Null,
        json!(true),
        json!("no"),
        json!(1),
        json!(1.5),
        json!(-1),
        json!("7"),
        json!(" text "),
        json!([]),
        json!({}),
        json!([value]),
        json!({ "k": value }),
        json!([null]),
        json!("${vars.x}"),
    ];
    if let Value::String(text) = value {
        others.push(json!(text.to_lowercase()));
        others.push(json!(text.to_uppercase()));
        others.push(json!(format!(" {text} ")));
        others.push(json!(format!("{text}x")));
    }
    others
}

/// Every document that differs from `value` at one place.
fn mutants(value: &Value, make: &mut dyn FnMut(Value)) {
    match value {
        Value::Object(entries) => {
            for (key, inner) in entries {
                let mut with = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
                    let mut changed = entries.clone();
                    change(&mut changed);
                    make(Value::Object(changed));
                };
                with(&|changed| {
                    changed.remove(key);
                });
                for renamed in [format!("{key}x"), key.to_uppercase()] {
                    with(&|changed| {
                        changed.remove(key);
                        changed.insert(renamed.clone(), inner.clone());
                    });
                }
                for (old, new) in OLD {
                    if new == *key {
                        with(&|changed| {
                            changed.insert(old.to_owned(), inner.clone());
                        });
                        with(&|changed| {
                            changed.remove(key);
                            changed.insert(old.to_owned(), inner.clone());
                        });
                    }
                }
                for other in others(inner) {
                    with(&|changed| {
                        changed.insert(key.clone(), other.clone());
                    });
                }
                mutants(inner, &mut |inner| {
                    let mut changed = entries.clone();
                    changed.insert(key.clone(), inner);
                    make(Value::Object(changed));
                });
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                for other in others(item) {
                    let mut changed = items.clone();
                    changed[index] = other;
                    make(Value::Array(changed));
                }
                mutants(item, &mut |item| {
                    let mut changed = items.clone();
                    changed[index] = item;
                    make(Value::Array(changed));
                });
            }
        }
        _ => {}
    }
}

/// Old keys and current ones.
const OLD: [(&str, &str); 12] = [
    ("dataframe_type", "dataframe_backend"),
    ("dataframe_backend_", "dataframe_backend"),
    ("options", "resource_options"),
    ("description", "comment"),
    ("sink", "sinks"),
    ("source", "sources"),
    ("read_options", "reader_kwargs"),
    ("write_options", "writer_kwargs"),
    ("schema", "schema_definition"),
    ("checkpoint_location", "checkpoint_path"),
    ("sql_expr", "expr"),
    ("value", "expr"),
];

/// The schema and the reader on documents that differ at one place from those above: what the reader takes the schema
/// accepts, and what it refuses for a key, a shape or a word, the schema refuses.
fn mutations() -> Result<(), Failed> {
    let schema = laktory::model::json_schema(&SchemaWords::default());
    let validator = Validator::new(&schema)?;
    let options = LoadOptions {
        variables: BTreeMap::from([("x".to_owned(), "1".to_owned())]),
        ..LoadOptions::default()
    };
    let mut wrong = BTreeMap::new();
    let mut count = 0;
    for document in serde_saphyr::from_multiple::<Value>(WIDE)? {
        let mut judge = |changed: Value| {
            count += 1;
            let text = changed.to_string();
            let loaded = laktory::model::load("p.yaml", text.as_bytes(), &options);
            let errors: Vec<_> = loaded
                .diagnostics
                .iter()
                .filter(|fault| fault.is_error())
                .collect();
            // A value stands for the placeholder, and it has a type.
            let replaced = text.contains("${");
            let of_shape = errors.iter().find(|fault| {
                SHAPE.contains(&fault.code)
                    && !(replaced && matches!(fault.code, "wrong-type" | "unknown-word"))
            });
            let accepted = validator.accepts(&changed);
            let fault = match (accepted, of_shape) {
                (false, None) if errors.is_empty() => {
                    "the schema refuses what the reader takes".to_owned()
                }
                (true, Some(fault)) => {
                    format!("the schema accepts: {fault}")
                }
                _ => return,
            };
            wrong.entry(fault).or_insert(text);
        };
        judge(document.clone());
        mutants(&document, &mut judge);
    }
    if wrong.is_empty() && count > 5_000 {
        return Ok(());
    }
    let told: Vec<String> = wrong
        .iter()
        .take(40)
        .map(|(fault, text)| format!("{fault}\n    {text}"))
        .collect();
    Err(format!("{} of {count} documents\n{}", wrong.len(), told.join("\n")).into())
}

/// Keys of which a part of a node has at least one.
const PARTS: [&str; 5] = ["expectations", "sinks", "source", "sources", "transformer"];

/// The pipelines of examples, and the blocks of YAML in pages, whole or in part.
fn pages() -> Result<(), Failed> {
    let schema = schema()?;
    let validator = Validator::new(&schema)?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut judge = |label: String, document: Value| {
        let whole = match &document {
            Value::Object(keys) if keys.contains_key("nodes") => {
                let mut keys = keys.clone();
                keys.entry("name").or_insert_with(|| json!("p"));
                Value::Object(keys)
            }
            Value::Object(keys) if PARTS.iter().any(|part| keys.contains_key(*part)) => {
                let mut node = keys.clone();
                node.entry("name").or_insert_with(|| json!("n"));
                json!({ "name": "p", "nodes": [node] })
            }
            _ => return,
        };
        count += 1;
        if !validator.accepts(&whole) {
            wrong.push(format!("{label}: {document}"));
        }
    };
    let mut files = Vec::new();
    collect(&root.join("examples"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file)?;
        // A driver of one's own has a backend of its own, and a command that knows it.
        if text.contains("nodes:")
            && !text.contains("ARROWLITE")
            && let Ok(document) = serde_saphyr::from_str::<Value>(&text)
        {
            judge(file.display().to_string(), document);
        }
    }
    let docs = fs::read_dir(root.join("docs"))?.flatten();
    let pages = docs
        .map(|entry| entry.path())
        .chain([root.join("README.md")]);
    for page in pages.filter(|path| path.extension().is_some_and(|kind| kind == "md")) {
        let text = fs::read_to_string(&page)?;
        for block in text.split("```yaml\n").skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            // `[...]` stands for what the page leaves out.
            let block = block.replace("[...]", "[]");
            if let Ok(document) = serde_saphyr::from_str::<Value>(&block) {
                judge(page.display().to_string(), document);
            }
        }
    }
    if wrong.is_empty() && count > 15 {
        return Ok(());
    }
    Err(format!("{count} documents\n{}", wrong.join("\n")).into())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|kind| kind == "yaml") {
            files.push(path);
        }
    }
}
