//! Case files read from a folder: JSON Lines (one case on each line) and YAML written by hand.
//!
//! A YAML file is one case, or `cases:` with a list of them and, optionally, `frames:` that all of them share. Columns
//! are written as `name: [type, value, ...]`; see the README beside the cases of this repository.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::case::Case;

/// Every case below `folder`, in order of path.
///
/// # Errors
/// One sentence for each file or line that is wrong, for each id that appears twice, and when there is no case at all.
pub fn load_cases(folder: &Path) -> Result<Vec<Case>, Vec<String>> {
    let mut files = Vec::new();
    let mut errors = Vec::new();
    if let Err(error) = collect(folder, &mut files) {
        errors.push(error);
    }
    files.sort();
    let mut cases = Vec::new();
    for file in &files {
        let stem = file
            .strip_prefix(folder)
            .unwrap_or(file)
            .with_extension("")
            .to_string_lossy()
            .replace('\\', "/");
        let read = std::fs::read_to_string(file).map_err(|error| vec![error.to_string()]);
        let parsed = read.and_then(|text| match file.extension() {
            Some(extension) if extension == "jsonl" => parse_lines(&text),
            _ => parse_yaml(&stem, &text),
        });
        match parsed {
            Ok(parsed) => cases.extend(parsed),
            Err(found) => {
                errors.extend(
                    found
                        .into_iter()
                        .map(|e| format!("{}: {e}", file.display())),
                );
            }
        }
    }
    let mut ids = BTreeSet::new();
    for case in &cases {
        if !ids.insert(case.id.as_str()) {
            errors.push(format!("two cases are called `{}`", case.id));
        }
    }
    if cases.is_empty() && errors.is_empty() {
        errors.push(format!("no cases in {}", folder.display()));
    }
    if errors.is_empty() {
        Ok(cases)
    } else {
        Err(errors)
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let describe = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(describe)? {
        let path = entry.map_err(describe)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|e| e == "jsonl" || e == "yaml")
        {
            files.push(path);
        }
    }
    Ok(())
}

/// Cases of a JSON Lines text.
///
/// # Errors
/// One sentence for each line that is wrong.
pub fn parse_lines(text: &str) -> Result<Vec<Case>, Vec<String>> {
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    gather(lines.map(|(number, line)| {
        serde_json::from_str(line)
            .map_err(|error| error.to_string())
            .and_then(|json| Case::from_json(&json))
            .map_err(|error| format!("line {}: {error}", number + 1))
    }))
}

/// Cases of a YAML text; their ids are `stem` and their names, in lower case with dashes.
///
/// # Errors
/// One sentence for each case that is wrong.
pub fn parse_yaml(stem: &str, text: &str) -> Result<Vec<Case>, Vec<String>> {
    let options = serde_saphyr::options! { strict_booleans: true };
    let file: Value = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| vec![error.to_string()])?;
    let Some(list) = file.get("cases") else {
        return gather([yaml_case(stem, &file, None)]);
    };
    let list = list
        .as_array()
        .ok_or_else(|| vec!["`cases` is not a list".to_owned()])?;
    gather(
        list.iter()
            .map(|case| yaml_case(stem, case, file.get("frames"))),
    )
}

fn gather(cases: impl IntoIterator<Item = Result<Case, String>>) -> Result<Vec<Case>, Vec<String>> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for case in cases {
        match case {
            Ok(case) => good.push(case),
            Err(error) => bad.push(error),
        }
    }
    if bad.is_empty() { Ok(good) } else { Err(bad) }
}

/// The JSON form of a YAML case.
fn yaml_case(stem: &str, case: &Value, shared: Option<&Value>) -> Result<Case, String> {
    let mut object = case.as_object().ok_or("a case is a mapping")?.clone();
    let name = match object.remove("name") {
        Some(Value::String(name)) => name,
        _ => return Err("a case has no `name`".to_owned()),
    };
    let describe = |error: String| format!("case `{name}`: {error}");
    object.insert("id".to_owned(), json!(format!("{stem}/{}", slug(&name))));
    let mut frames = Map::new();
    for source in [shared, object.get("frames")].into_iter().flatten() {
        for (frame, columns) in source.as_object().ok_or("`frames` is not a mapping")? {
            let columns = columns
                .as_object()
                .ok_or_else(|| describe(format!("frame `{frame}` is not a mapping")))?;
            frames.insert(frame.clone(), columns_of(columns).map_err(describe)?);
        }
    }
    object.insert("frames".to_owned(), Value::Object(frames));
    if let Some(Value::Object(expect)) = object.get("expect") {
        let expect = expectation(expect).map_err(describe)?;
        object.insert("expect".to_owned(), expect);
    }
    Case::from_json(&Value::Object(object))
}

fn expectation(expect: &Map<String, Value>) -> Result<Value, String> {
    if let Some(Value::String(_)) = expect.get("error") {
        return Ok(Value::Object(expect.clone()));
    }
    if expect.contains_key("value") && !expect["value"].is_array() {
        return Ok(Value::Object(expect.clone()));
    }
    let mut columns = expect.clone();
    let ordered = match columns.shift_remove("rows") {
        None => true,
        Some(Value::String(rows)) if rows == "ordered" => true,
        Some(Value::String(rows)) if rows == "unordered" => false,
        Some(other) => return Err(format!("`rows` is {other}, not ordered or unordered")),
    };
    if let Some(Value::Object(inner)) = columns.get("columns") {
        columns = inner.clone();
    }
    Ok(json!({"columns": columns_of(&columns)?, "ordered": ordered}))
}

/// `name: [type, value, ...]` as `[name, type, [value, ...]]`.
fn columns_of(columns: &Map<String, Value>) -> Result<Value, String> {
    columns
        .iter()
        .map(
            |(name, column)| match column.as_array().and_then(|c| c.split_first()) {
                Some((Value::String(dtype), values)) => Ok(json!([name, dtype, values])),
                _ => Err(format!("column `{name}` is not [type, value, ...]")),
            },
        )
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array)
}

fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Expect;

    #[test]
    fn a_yaml_file_shares_frames_between_its_cases() {
        let cases = parse_yaml(
            "ops/unique",
            "frames: { df: { x: [int64, 1, null], y: [string, on, no] } }\n\
             cases:\n\
             - name: Keep, any\n\
             \x20 steps: [{ func_name: unique, func_kwargs: { keep: any } }]\n\
             \x20 expect: { rows: unordered, x: [int64, 1, null], y: [string, on, no] }\n\
             - name: gone\n\
             \x20 steps: [{ func_name: select, func_args: [z] }]\n\
             \x20 expect: { error: column_not_found }\n",
        )
        .unwrap();
        assert_eq!(cases[0].id, "ops/unique/keep-any");
        assert_eq!(cases[0].frame("df").unwrap().columns.len(), 2);
        assert!(matches!(
            cases[0].expect,
            Expect::Frame { ordered: false, .. }
        ));
        assert!(matches!(&cases[1].expect, Expect::Error(kind) if kind == "column_not_found"));
    }

    #[test]
    fn wrong_lines_are_all_reported() {
        let errors = parse_lines("{}\n\nnot json\n").unwrap_err();
        assert_eq!(errors.len(), 2);
        assert!(errors[0].starts_with("line 1:") && errors[1].starts_with("line 3:"));
    }

    #[test]
    fn a_folder_without_cases_is_an_error() {
        let folder = std::env::temp_dir().join(format!("laktory-no-cases-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let errors = load_cases(&folder).unwrap_err();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(errors[0].starts_with("no cases in"));
    }
}
