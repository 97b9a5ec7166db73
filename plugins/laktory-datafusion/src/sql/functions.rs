//! Functions that statements can call beside those of the engine.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::exec_err;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use laktory_core::{Error, ErrorKind};
use regex::Regex;

use crate::error::carry;
use crate::expr::Value;

/// Every function of ours.
pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    ["power", "pow", "regexp_extract"]
        .into_iter()
        .map(|name| Arc::new(ScalarUDF::new_from_impl(Ours::new(name))))
        .collect()
}

/// A function of ours, told by its name.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Ours {
    name: &'static str,
    signature: Signature,
}

impl Ours {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    fn refuse<T>(&self, wanted: &str) -> EngineResult<T> {
        Err(carry(Error::new(
            ErrorKind::TypeMismatch,
            format!("`{}` takes {wanted}", self.name.to_uppercase()),
        )))
    }
}

impl ScalarUDFImpl for Ours {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, args: &[DataType]) -> EngineResult<Vec<DataType>> {
        let is_text = |dtype: &DataType| crate::types::is_text(dtype) || *dtype == DataType::Null;
        let is_number =
            |dtype: &DataType| crate::types::is_number(dtype) || *dtype == DataType::Null;
        match (self.name, args) {
            ("regexp_extract", [text, pattern]) if is_text(text) && is_text(pattern) => {
                Ok(vec![DataType::Utf8View, DataType::Utf8View])
            }
            ("regexp_extract", [text, pattern, group])
                if is_text(text)
                    && is_text(pattern)
                    && (group.is_integer() || *group == DataType::Null) =>
            {
                Ok(vec![
                    DataType::Utf8View,
                    DataType::Utf8View,
                    DataType::Int64,
                ])
            }
            ("regexp_extract", _) => {
                self.refuse("a text, a pattern, and maybe the number of a group")
            }
            (_, [base, exponent]) if is_number(base) && is_number(exponent) => {
                let whole = base.is_integer() && exponent.is_integer();
                let dtype = if whole {
                    DataType::Int64
                } else {
                    DataType::Float64
                };
                Ok(vec![dtype.clone(), dtype])
            }
            _ => self.refuse("two numbers"),
        }
    }

    fn return_type(&self, args: &[DataType]) -> EngineResult<DataType> {
        Ok(match (self.name, args) {
            ("regexp_extract", _) => DataType::Utf8View,
            (_, [base, _]) if base.is_integer() => DataType::Int64,
            _ => DataType::Float64,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        let rows = args.number_rows;
        let arrays = args
            .args
            .iter()
            .map(|arg| arg.to_array(rows))
            .collect::<EngineResult<Vec<_>>>()?;
        let out = match (self.name, arrays.as_slice()) {
            ("regexp_extract", [text, pattern]) => extract(text, pattern, None),
            ("regexp_extract", [text, pattern, group]) => extract(text, pattern, Some(group)),
            (_, [base, exponent]) => power(base, exponent),
            _ => exec_err!("{} with {} arguments", self.name, arrays.len()),
        }?;
        Ok(ColumnarValue::Array(out))
    }
}

/// Powers: of integers an integer, null when it does not fit or the exponent is negative.
fn power(base: &ArrayRef, exponent: &ArrayRef) -> EngineResult<ArrayRef> {
    if base.data_type() == &DataType::Int64 && exponent.data_type() == &DataType::Int64 {
        let (base, exponent) = (
            base.as_primitive::<Int64Type>(),
            exponent.as_primitive::<Int64Type>(),
        );
        let out: Int64Array = base
            .iter()
            .zip(exponent)
            .map(|(base, exponent)| base?.checked_pow(u32::try_from(exponent?).ok()?))
            .collect();
        return Ok(Arc::new(out));
    }
    let (base, exponent) = (
        cast(base, &DataType::Float64)?,
        cast(exponent, &DataType::Float64)?,
    );
    let out = datafusion::arrow::compute::binary::<_, _, _, Float64Type>(
        base.as_primitive::<Float64Type>(),
        exponent.as_primitive::<Float64Type>(),
        f64::powf,
    )?;
    Ok(Arc::new(out))
}

/// The part of each text that a group of the pattern matches, the first one unless told otherwise; null without match.
fn extract(
    text: &ArrayRef,
    pattern: &ArrayRef,
    group: Option<&ArrayRef>,
) -> EngineResult<ArrayRef> {
    let (text, pattern) = (text.as_string_view(), pattern.as_string_view());
    let group = group.map(|group| group.as_primitive::<Int64Type>());
    let mut known: Option<(String, Regex)> = None;
    let mut out = StringViewBuilder::with_capacity(text.len());
    for row in 0..text.len() {
        if text.is_null(row) || pattern.is_null(row) {
            out.append_null();
            continue;
        }
        let wanted = pattern.value(row);
        if known.as_ref().is_none_or(|(known, _)| known != wanted) {
            let regex = Regex::new(wanted).map_err(|error| {
                carry(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("`{wanted}` is no regular expression: {error}"),
                ))
            })?;
            known = Some((wanted.to_owned(), regex));
        }
        let Some((_, regex)) = &known else {
            continue;
        };
        let number = group.map_or(1, |group| group.value(row));
        let found = usize::try_from(number).ok().and_then(|number| {
            let captures = regex.captures(text.value(row))?;
            captures.get(number).map(|found| found.as_str())
        });
        out.append_option(found);
    }
    Ok(Arc::new(out.finish()))
}

/// An expression that fails with an error when its type is asked for.
pub(super) fn refusal(error: Error) -> Value {
    let refused = Refused {
        kind: error.kind(),
        message: error.message().to_owned(),
        hint: error.hint().map(str::to_owned),
        signature: Signature::nullary(Volatility::Immutable),
    };
    Value {
        expr: ScalarUDF::new_from_impl(refused).call(Vec::new()),
        dtype: DataType::Null,
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Refused {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    signature: Signature,
}

impl Hash for Refused {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.message.hash(state);
    }
}

impl Refused {
    fn error(&self) -> Error {
        let error = Error::new(self.kind, self.message.clone());
        match &self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

impl ScalarUDFImpl for Refused {
    fn name(&self) -> &str {
        "refused"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> EngineResult<DataType> {
        Err(carry(self.error()))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        Err(carry(self.error()))
    }
}
