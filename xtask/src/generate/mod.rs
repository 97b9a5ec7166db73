//! `generate`: the pages of the documentation that are printed from what the command says of itself: the support matrix, the
//! reference of steps, expressions and SQL, the commands, the JSON schema.
//!
//! The data comes from the command (`laktory docs --json` and others), so that this program links no engine and no page can say
//! more than the product does. Pages that people write hold generated parts between two comments.

mod commands;
mod examples;
mod expressions;
mod matrix;
mod page;
mod sql;
mod steps;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::{cargo, protoc};

/// The command that is asked.
const COMMAND: &str = "laktory-under-test";

/// Writes all pages, or with `--check` says which of them are not what they should be.
///
/// # Errors
/// When the command cannot be built or run, a page not be written, or is not up to date.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    match arguments {
        [] => write(),
        [option] if option == "--check" => {
            check()?;
            println!("the generated pages are up to date");
            Ok(())
        }
        _ => Err("`generate` takes `--check` only".to_owned()),
    }
}

fn write() -> Result<(), String> {
    for page in pages()? {
        let kept = page.kept();
        if kept == page.text {
            continue;
        }
        fs::write(page.path(), &page.text).map_err(|error| format!("{}: {error}", page.name))?;
        println!("{} is written", page.name);
    }
    println!("the generated pages are up to date");
    Ok(())
}

/// Whether the pages say what the command says.
///
/// # Errors
/// A line for each page, with the first line that differs.
pub(crate) fn check() -> Result<(), String> {
    let stale: Vec<String> = pages()?
        .iter()
        .filter_map(|page| {
            let kept = page.kept();
            if kept == page.text {
                return None;
            }
            let same = page.text.lines().zip(kept.lines());
            let line = same.take_while(|(a, b)| a == b).count() + 1;
            Some(format!(
                "{}:{line}: is not what the command says; run `cargo xtask generate`",
                page.name
            ))
        })
        .collect();
    match stale.is_empty() {
        true => Ok(()),
        false => Err(stale.join("\n")),
    }
}

/// A page as it should be.
struct Page {
    /// Its path below the root.
    name: &'static str,
    text: String,
}

impl Page {
    fn path(&self) -> PathBuf {
        cargo::root().join(self.name)
    }

    fn kept(&self) -> String {
        fs::read_to_string(self.path()).unwrap_or_default()
    }
}

fn pages() -> Result<Vec<Page>, String> {
    let command = Asked::build()?;
    let backends = command.json(&["backends", "--all", "--json"])?;
    let docs = command.json(&["docs", "--json"])?;
    pages_of(&backends, &docs, command.json(&["json-schema"])?)
}

/// The pages that documents of the command make.
fn pages_of(backends: &Value, docs: &Value, schema_said: Value) -> Result<Vec<Page>, String> {
    let schema = schema(schema_said, docs);
    let part = |name: &'static str, parts: &[(&str, String)]| {
        let kept = fs::read_to_string(cargo::root().join(name)).unwrap_or_default();
        let mut text = kept;
        for (part, body) in parts {
            text =
                page::with_part(&text, part, body).map_err(|error| format!("{name}: {error}"))?;
        }
        Ok::<_, String>(Page { name, text })
    };
    Ok(vec![
        Page {
            name: "docs/support-matrix.md",
            text: matrix::render(backends),
        },
        part("docs/steps.md", &[("steps", steps::render(docs))])?,
        part(
            "docs/expressions.md",
            &[
                ("expressions", expressions::render(docs)),
                ("refused", expressions::refused(docs)),
            ],
        )?,
        part(
            "docs/sql.md",
            &[
                ("statements", sql::statements(docs)),
                ("functions", sql::functions(docs)),
                ("types", sql::types(docs)),
                ("refused", sql::refused(docs)),
            ],
        )?,
        part(
            "docs/command-line.md",
            &[("commands", commands::render(docs))],
        )?,
        Page {
            name: "docs/laktory.schema.json",
            text: schema,
        },
    ])
}

/// The JSON schema of laktory alone: the command under test also links functions of an example.
fn schema(mut schema: Value, docs: &Value) -> String {
    let own: Vec<&Value> = page::list(&docs["own"]).collect();
    without(&mut schema, &own);
    format!("{schema:#}\n")
}

/// Takes values out of every list.
fn without(value: &mut Value, own: &[&Value]) {
    match value {
        Value::Array(items) => {
            items.retain(|item| !own.contains(&item));
            items.iter_mut().for_each(|item| without(item, own));
        }
        Value::Object(members) => members.values_mut().for_each(|member| without(member, own)),
        _ => {}
    }
}

/// The command, built.
struct Asked(PathBuf);

impl Asked {
    fn build() -> Result<Self, String> {
        if let Some(protoc) = protoc::path()? {
            cargo::set_variable("PROTOC", &protoc.display().to_string());
        }
        // The command under test holds every driver, and is there after the tests; another selection of packages would have
        // the engines built anew.
        if !cargo::stream(&["build", "--workspace", "--bin", COMMAND], |_| {})? {
            return Err("the command does not build".to_owned());
        }
        let name = format!("{COMMAND}{}", std::env::consts::EXE_SUFFIX);
        Ok(Self(cargo::target()?.join("debug").join(name)))
    }

    /// What it prints.
    fn said(&self, arguments: &[&str]) -> Result<String, String> {
        let program = self.0.display();
        let output = Command::new(&self.0)
            .args(arguments)
            .output()
            .map_err(|error| format!("{program}: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        String::from_utf8(output.stdout).map_err(|error| format!("{program}: {error}"))
    }

    fn json(&self, arguments: &[&str]) -> Result<Value, String> {
        serde_json::from_str(&self.said(arguments)?)
            .map_err(|error| format!("{}: {error}", self.0.display()))
    }
}
