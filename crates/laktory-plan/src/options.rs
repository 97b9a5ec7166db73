//! Reader and writer options: from YAML values, checked against what the engine understands.

use laktory_core::{OptionValue, Options};
use laktory_model::{Finding, Kwargs, Path};
use laktory_syntax::did_you_mean;
use serde_json::Value;

use crate::compile::Compiler;

/// The options under `place`; each one that the engine does not understand is reported.
pub(crate) fn compile(
    compiler: &mut Compiler<'_>,
    kwargs: &Kwargs,
    known: &[&str],
    what: &str,
    place: &Path,
) -> Option<Options> {
    let mut options = Options::new();
    let mut complete = true;
    for (name, value) in kwargs {
        if !known.contains(&name.as_str()) {
            complete = false;
            let message = format!("`{name}` is not an option of {what}");
            let mut finding =
                Finding::error("unknown-option", place.key(name.as_str()), message).at_key();
            if let Some(hint) = did_you_mean(name, known.iter().copied()) {
                finding = finding.hint(hint);
            }
            compiler.report(finding);
        }
        options.insert(name.clone(), option(value));
    }
    complete.then_some(options)
}

/// A value of the document as an option.
pub(crate) fn option(value: &Value) -> OptionValue {
    match value {
        Value::Null => OptionValue::Null,
        Value::Bool(value) => OptionValue::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => OptionValue::Int(integer),
            None => OptionValue::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => OptionValue::Text(text.clone()),
        Value::Array(values) => OptionValue::List(values.iter().map(option).collect()),
        Value::Object(entries) => OptionValue::Map(
            entries
                .iter()
                .map(|(name, value)| (name.clone(), option(value)))
                .collect(),
        ),
    }
}
