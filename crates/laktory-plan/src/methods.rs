//! Calls on readers and writers (`reader_methods`, `writer_methods`), with PySpark's names: what they ask for, as values.

use laktory_core::{Layout, Options};
use laktory_model::{Finding, Path, ReaderMethod};
use laktory_syntax::did_you_mean;
use serde_json::Value;

use crate::compile::Compiler;
use crate::options::option;

/// The options that calls on a reader set. None when one of them is at fault.
pub(crate) fn reader(
    compiler: &mut Compiler<'_>,
    methods: &[ReaderMethod],
    known: &[&str],
    backend: &str,
    place: &Path,
) -> Option<Options> {
    let (options, _) = compile(compiler, methods, known, ("reader", backend), place)?;
    Some(options)
}

/// The options and the layout that calls on a writer set. None when one of them is at fault.
pub(crate) fn writer(
    compiler: &mut Compiler<'_>,
    methods: &[ReaderMethod],
    known: &[&str],
    backend: &str,
    place: &Path,
) -> Option<(Options, Layout)> {
    compile(compiler, methods, known, ("writer", backend), place)
}

fn compile(
    compiler: &mut Compiler<'_>,
    methods: &[ReaderMethod],
    known: &[&str],
    (what, backend): (&str, &str),
    place: &Path,
) -> Option<(Options, Layout)> {
    if methods.is_empty() {
        return Some(Default::default());
    }
    if known.is_empty() {
        let message = format!("backend {backend} has no {what} to call methods on");
        compiler.report(
            Finding::error("unsupported", place.clone(), message)
                .hint(format!("give the options in `{what}_kwargs`")),
        );
        return None;
    }
    let (mut options, mut layout) = (Options::new(), Layout::default());
    let mut complete = true;
    for (number, method) in methods.iter().enumerate() {
        let place = place.index(number);
        let name = method.name.as_str();
        if !known.contains(&name) {
            complete = false;
            let message = format!("`{name}` is not a method of the {what} on backend {backend}");
            let hint = did_you_mean(name, known.iter().copied())
                .unwrap_or_else(|| format!("methods here: {}", known.join(", ")));
            let finding = Finding::error("unknown-method", place.key("name"), message);
            compiler.report(finding.hint(hint));
        } else if let Err(message) = call(method, &mut options, &mut layout) {
            complete = false;
            compiler.report(Finding::error("invalid-argument", place, message));
        }
    }
    complete.then_some((options, layout))
}

/// Carries out one call.
fn call(method: &ReaderMethod, options: &mut Options, layout: &mut Layout) -> Result<(), String> {
    let name = method.name.as_str();
    let only_positional = || match method.kwargs.is_empty() {
        true => Ok(()),
        false => Err(format!("`{name}` takes positional arguments (`args`)")),
    };
    match name {
        "option" => {
            let named = |name: &str| method.kwargs.get(name);
            let key = method.args.first().or_else(|| named("key"));
            let value = method.args.get(1).or_else(|| named("value"));
            match (key.and_then(Value::as_str), value) {
                (Some(key), Some(value)) => options.insert(key.to_owned(), option(value)),
                _ => return Err("`option` takes the name of an option and its value".to_owned()),
            };
        }
        "options" => {
            if !method.args.is_empty() {
                return Err("`options` takes options by name (`kwargs`)".to_owned());
            }
            let given = method.kwargs.iter();
            options.extend(given.map(|(name, value)| (name.clone(), option(value))));
        }
        "partitionBy" | "clusterBy" | "sortBy" => {
            only_positional()?;
            let columns = columns(name, &method.args)?;
            match name {
                "partitionBy" => layout.partition_by = columns,
                "clusterBy" => layout.cluster_by = columns,
                _ => layout.sort_by = columns,
            }
        }
        "bucketBy" => {
            only_positional()?;
            let (number, rest) = method.args.split_first().ok_or_else(wanted_buckets)?;
            layout.buckets = number
                .as_u64()
                .and_then(|number| u32::try_from(number).ok())
                .filter(|number| *number > 0)
                .ok_or_else(wanted_buckets)?;
            layout.bucket_by = columns(name, rest)?;
        }
        other => return Err(format!("`{other}` cannot be called here")),
    }
    Ok(())
}

fn wanted_buckets() -> String {
    "`bucketBy` takes a number of buckets, then columns".to_owned()
}

/// Names of columns, one by one or as one list.
fn columns(method: &str, args: &[Value]) -> Result<Vec<String>, String> {
    let names = match args {
        [Value::Array(names)] => names.as_slice(),
        names => names,
    };
    let names: Option<Vec<String>> = names
        .iter()
        .map(|name| name.as_str().map(str::to_owned))
        .collect();
    names
        .filter(|names| !names.is_empty())
        .ok_or_else(|| format!("`{method}` takes names of columns"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use laktory_core::OptionValue;
    use serde_json::json;

    fn called(name: &str, args: Value, kwargs: Value) -> Result<(Options, Layout), String> {
        let method = ReaderMethod {
            name: name.to_owned(),
            args: serde_json::from_value(args).unwrap(),
            kwargs: serde_json::from_value(kwargs).unwrap(),
        };
        let (mut options, mut layout) = (Options::new(), Layout::default());
        call(&method, &mut options, &mut layout)?;
        Ok((options, layout))
    }

    #[test]
    fn columns_come_one_by_one_or_as_a_list() {
        for args in [json!(["a", "b"]), json!([["a", "b"]])] {
            let (_, layout) = called("partitionBy", args, json!({})).unwrap();
            assert_eq!(layout.partition_by, ["a", "b"]);
        }
        let (_, layout) = called("bucketBy", json!([4, "a"]), json!({})).unwrap();
        assert_eq!(
            (layout.buckets, layout.bucket_by),
            (4, vec!["a".to_owned()])
        );
        for (name, args) in [
            ("partitionBy", json!([])),
            ("partitionBy", json!([1])),
            ("bucketBy", json!(["a", 4])),
            ("bucketBy", json!([0, "a"])),
            ("bucketBy", json!([])),
        ] {
            assert!(called(name, args, json!({})).is_err(), "{name}");
        }
    }

    #[test]
    fn options_come_one_by_one_or_by_name() {
        let (one, _) = called("option", json!(["x", 1]), json!({})).unwrap();
        let (named, _) = called("option", json!([]), json!({"key": "x", "value": 1})).unwrap();
        let (many, _) = called("options", json!([]), json!({"x": 1})).unwrap();
        let expected = Options::from([("x".to_owned(), OptionValue::Int(1))]);
        assert!(one == expected && named == expected && many == expected);
        assert!(called("option", json!(["x"]), json!({})).is_err());
        assert!(called("options", json!(["x"]), json!({})).is_err());
    }
}
