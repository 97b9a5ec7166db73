//! The examples of the reference as cases: each must give what the page says, on every driver that has its parts.

use laktory_syntax::reference::{self, Entry, EntryKind, ExampleColumn, SqlPlace};
use serde_json::{Map, Value, json};

use crate::case::Case;
use crate::example::typed;

/// The cases of every step, function, method and operator.
///
/// # Errors
/// One sentence for each example that cannot be read.
pub fn reference_cases() -> Result<Vec<Case>, Vec<String>> {
    documented(&reference::entries())
}

/// The cases of some entries. An entry without an example is an error.
///
/// # Errors
/// One sentence for each example that cannot be read.
pub fn documented(entries: &[Entry]) -> Result<Vec<Case>, Vec<String>> {
    let (mut cases, mut errors) = (Vec::new(), Vec::new());
    for entry in entries {
        match of_entry(entry) {
            Ok(found) => cases.extend(found),
            Err(error) => errors.push(format!("the example of `{}`: {error}", entry.name)),
        }
    }
    if errors.is_empty() {
        Ok(cases)
    } else {
        Err(errors)
    }
}

/// The column of a result that has no name.
const RESULT: &str = "result";

fn of_entry(entry: &Entry) -> Result<Vec<Case>, String> {
    let text = entry.example.text;
    if text.is_empty() || entry.example.gives.is_empty() {
        return Err("there is none".to_owned());
    }
    let id = format!(
        "reference/{}/{}",
        entry.kind.name(),
        entry.name.replace(' ', "_")
    );
    let given = Given::of(entry)?;
    let gives = reference::example_columns(entry.example.gives);
    let whole = text.starts_with("- ") || entry.kind == EntryKind::Clause;
    if whole {
        let steps = match entry.kind {
            EntryKind::Clause => json!([{ "expr": text }]),
            _ => {
                let options = serde_saphyr::options! { strict_booleans: true };
                serde_saphyr::from_str_with_options(text, options)
                    .map_err(|error| error.to_string())?
            }
        };
        let expected = gives.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let case = given.case(&id, &steps, expected, is_ordered(text))?;
        return Ok(vec![case]);
    }
    let (named, [first, ..]) = (
        gives.iter().any(|column| !column.name.is_empty()),
        gives.as_slice(),
    ) else {
        return Err("it gives nothing".to_owned());
    };
    let mut expected = Vec::new();
    // A value for each row stands beside its input, one value alone.
    let beside = !named && first.values.len() == given.rows;
    if beside {
        expected.extend(given.columns.iter().cloned());
    }
    for found in &gives {
        let mut found = column(found)?;
        if !named {
            found[0] = RESULT.into();
        }
        expected.push(found);
    }
    if entry.kind == EntryKind::Sql {
        return of_sql(entry, &id, &given, expected, beside);
    }
    let method = if beside { "with_columns" } else { "select" };
    let steps = match named {
        true => json!([{"func_name": method, "func_args": [text]}]),
        false => json!([{"func_name": method, "func_kwargs": {RESULT: text}}]),
    };
    Ok(vec![given.case(&id, &steps, expected, false)?])
}

/// A function of SQL in a statement, and among methods.
fn of_sql(
    entry: &Entry,
    id: &str,
    given: &Given,
    expected: Vec<Value>,
    beside: bool,
) -> Result<Vec<Case>, String> {
    let text = entry.example.text;
    let all = if beside { "*, " } else { "" };
    let statement = format!("SELECT {all}{text} AS {RESULT} FROM {{df}}");
    let steps = json!([{ "expr": statement }]);
    let mut cases =
        vec![given.case(&format!("{id}/statement"), &steps, expected.clone(), false)?];
    if entry.place == SqlPlace::Everywhere {
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        let method = if beside { "with_columns" } else { "select" };
        let expr = format!("nw.sql_expr(\"{quoted}\")");
        let steps = json!([{"func_name": method, "func_kwargs": {RESULT: expr}}]);
        cases.push(given.case(&format!("{id}/expression"), &steps, expected, false)?);
    }
    Ok(cases)
}

/// What an example is applied to.
struct Given {
    frames: Map<String, Value>,
    /// Columns of the first frame.
    columns: Vec<Value>,
    rows: usize,
}

impl Given {
    fn of(entry: &Entry) -> Result<Self, String> {
        let mut frames = Map::new();
        let (mut first, mut rows) = (Vec::new(), 0);
        for frame in reference::example_frames(entry.example.given) {
            let columns = frame.columns.iter().map(column);
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            if frame.name == "df" {
                first.clone_from(&columns);
                rows = frame
                    .columns
                    .first()
                    .map_or(0, |column| column.values.len());
            }
            frames.insert(frame.name.to_owned(), columns.into());
        }
        if frames.is_empty() {
            // One row without interest, so that constants have something to stand in.
            first = vec![json!(["id", "int64", [1]])];
            rows = 1;
            frames.insert("df".to_owned(), first.clone().into());
        }
        Ok(Self {
            frames,
            columns: first,
            rows,
        })
    }

    fn case(
        &self,
        id: &str,
        steps: &Value,
        expected: Vec<Value>,
        is_ordered: bool,
    ) -> Result<Case, String> {
        Case::from_json(&json!({
            "id": id,
            "frames": self.frames,
            "steps": steps,
            "expect": {"columns": expected, "ordered": is_ordered},
        }))
    }
}

/// `[name, type, values]`.
fn column(column: &ExampleColumn<'_>) -> Result<Value, String> {
    let (dtype, values) = typed(column.dtype, &column.values)?;
    Ok(json!([column.name, dtype, values]))
}

/// Whether the order of rows is said: by a step `sort`, or an ORDER BY outside of parentheses.
fn is_ordered(text: &str) -> bool {
    let mut depth = 0_usize;
    let outside: String = text
        .chars()
        .filter(|char| {
            match char {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })
        .collect();
    text.contains("func_name: sort") || outside.contains("ORDER BY")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use laktory_core::{Field, FrameName, typing};

    use super::*;
    use crate::case::Expect;
    use crate::frames::Table;
    use crate::runner::{Compiled, compiled, frame_name};

    fn fields(table: &Table) -> Vec<Field> {
        let columns = table.columns.iter();
        columns
            .map(|column| Field::new(column.name.as_str(), column.dtype.clone()))
            .collect()
    }

    /// The columns that typing promises; none where only an engine can tell.
    fn promised(case: &Case) -> Result<Option<Vec<Field>>, String> {
        let mut named: BTreeMap<FrameName, Arc<[Field]>> = case
            .frames
            .iter()
            .filter(|(name, _)| name != "df")
            .map(|(name, table)| (frame_name(name), fields(table).into()))
            .collect();
        let mut input = case.frame("df").map(fields).ok_or("no frame `df`")?;
        let steps = compiled(&case.steps);
        let steps = steps.map_err(|refusals| {
            let messages = refusals.iter().map(|refusal| refusal.message.clone());
            messages.collect::<Vec<_>>().join("; ")
        })?;
        for step in steps {
            let Compiled::Ops(ops) = step else {
                return Ok(None);
            };
            named.insert(FrameName::Df, input.clone().into());
            for op in ops {
                let after =
                    typing::after(&op, &input, &named).map_err(|error| error.to_string())?;
                match after.columns {
                    Some(columns) => input = columns,
                    None => return Ok(None),
                }
            }
        }
        Ok(Some(input))
    }

    #[test]
    fn every_example_is_read_and_has_the_types_that_typing_promises() {
        let cases = reference_cases().unwrap();
        assert!(cases.len() > 400, "{}", cases.len());
        let wrong: Vec<String> = cases
            .iter()
            .filter_map(|case| {
                let Expect::Frame { table, .. } = &case.expect else {
                    return Some(format!("{}: expects no frame", case.id));
                };
                match promised(case) {
                    Err(error) => Some(format!("{}: {error}", case.id)),
                    Ok(Some(columns)) if columns != fields(table) => Some(format!(
                        "{}: expects {:?}, typing promises {columns:?}",
                        case.id,
                        fields(table)
                    )),
                    Ok(_) => None,
                }
            })
            .collect();
        assert!(
            wrong.is_empty(),
            "{} of them:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }

    #[test]
    fn orders_are_found() {
        assert!(is_ordered("SELECT x FROM {df} ORDER BY x"));
        assert!(!is_ordered("SELECT SUM(x) OVER (ORDER BY x) FROM {df}"));
    }
}
