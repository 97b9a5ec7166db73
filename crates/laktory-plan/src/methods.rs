//! What sources and sinks ask of readers and writers: options (`reader_kwargs`, `writer_kwargs`), and calls with PySpark's names
//! (`reader_methods`, `writer_methods`), as values.

use laktory_core::{Layout, Options};
use laktory_model::{Finding, Kwargs, Path, ReaderMethod};
use laktory_syntax::did_you_mean;
use serde_json::Value;

use crate::compile::Compiler;
use crate::options::{self, option};

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Reader,
    Writer,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
        }
    }
}

/// What a source or a sink asks of its reader or writer.
pub(crate) struct Asked<'a> {
    pub(crate) role: Role,
    /// `reader_kwargs` or `writer_kwargs`.
    pub(crate) kwargs: &'a Kwargs,
    /// `reader_methods` or `writer_methods`.
    pub(crate) methods: &'a [ReaderMethod],
    /// The options that are understood.
    pub(crate) known: &'a [&'a str],
    /// Calls that are understood beside those of the engine.
    pub(crate) more: &'static [&'static str],
}

/// The options and the layout that are asked for, by keys and by calls. None when one of them is at fault. `thing` is what
/// is read or written, for messages.
pub(crate) fn compile(
    compiler: &mut Compiler<'_>,
    index: usize,
    asked: &Asked<'_>,
    thing: &str,
    place: &Path,
) -> Option<(Options, Layout)> {
    let engine = compiler.engine(index)?;
    let backend = engine.descriptor.name;
    let (known, doing) = match asked.role {
        Role::Reader => (engine.capabilities.reader_methods, "reading"),
        Role::Writer => (engine.capabilities.writer_methods, "writing"),
    };
    let role = asked.role.name();
    let known: Vec<&str> = known.iter().chain(asked.more).copied().collect();
    let called = calls(
        compiler,
        asked.methods,
        &known,
        (role, backend),
        &place.key(format!("{role}_methods")),
    );
    let options = options::compile(
        compiler,
        asked.kwargs,
        asked.known,
        &format!("{doing} {thing} on backend {backend}"),
        &place.key(format!("{role}_kwargs")),
    );
    let (mut options, (more, layout)) = (options?, called?);
    options.extend(more);
    Some((options, layout))
}

/// What calls ask for.
fn calls(
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
