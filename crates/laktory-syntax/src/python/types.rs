//! Data types by their Narwhals, Polars and Spark names, as class (`nw.Int64`) or instance (`nw.Datetime('us')`).

use laktory_core::{DType, Field, TimeUnit};

use super::bind::{Call, Slot, bind};
use super::fault::{At, Fault, Outcome, collect};
use super::value::{Item, Root, Value};

/// Types of Narwhals; Polars has the same names.
pub(crate) const NAMES: &[&str] = &[
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "Int128",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "UInt128",
    "Float16",
    "Float32",
    "Float64",
    "Decimal",
    "Boolean",
    "String",
    "Binary",
    "Date",
    "Time",
    "Datetime",
    "Duration",
    "Categorical",
    "Enum",
    "List",
    "Array",
    "Struct",
    "Map",
    "Object",
    "Unknown",
    "Field",
    "Null",
    "Schema",
];

/// Spark's names for them.
const SPARK: &[(&str, &str)] = &[
    ("ByteType", "Int8"),
    ("ShortType", "Int16"),
    ("IntegerType", "Int32"),
    ("LongType", "Int64"),
    ("FloatType", "Float32"),
    ("DoubleType", "Float64"),
    ("DecimalType", "Decimal"),
    ("BooleanType", "Boolean"),
    ("StringType", "String"),
    ("BinaryType", "Binary"),
    ("DateType", "Date"),
    ("TimestampType", "Datetime"),
    ("TimestampNTZType", "Datetime"),
    ("ArrayType", "List"),
    ("StructType", "Struct"),
    ("StructField", "Field"),
    ("MapType", "Map"),
    ("NullType", "Null"),
];

/// The type called `name` below `root`, under its Narwhals name.
pub(crate) fn class(root: Root, name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("dtypes.").unwrap_or(name);
    if root == Root::SparkTypes {
        return SPARK
            .iter()
            .find(|(spark, _)| *spark == name)
            .map(|(_, narwhals)| *narwhals);
    }
    let name = if name == "Utf8" { "String" } else { name };
    NAMES.iter().find(|known| **known == name).copied()
}

/// Spark's name list, for hints.
pub(crate) fn spark_names() -> impl Iterator<Item = &'static str> + Clone {
    SPARK.iter().map(|(name, _)| *name)
}

fn plain(name: &str) -> Option<DType> {
    Some(match name {
        "Int8" => DType::Int8,
        "Int16" => DType::Int16,
        "Int32" => DType::Int32,
        "Int64" => DType::Int64,
        "Int128" => DType::Int128,
        "UInt8" => DType::UInt8,
        "UInt16" => DType::UInt16,
        "UInt32" => DType::UInt32,
        "UInt64" => DType::UInt64,
        "UInt128" => DType::UInt128,
        "Float16" => DType::Float16,
        "Float32" => DType::Float32,
        "Float64" => DType::Float64,
        "Boolean" => DType::Boolean,
        "String" => DType::String,
        "Binary" => DType::Binary,
        "Date" => DType::Date,
        "Time" => DType::Time,
        "Categorical" => DType::Categorical,
        "Object" => DType::Object,
        "Unknown" => DType::Unknown,
        "Null" => DType::Null,
        _ => return None,
    })
}

/// A class used where a type is wanted.
pub(crate) fn instance(name: &str, at: At) -> Result<DType, Fault> {
    if let Some(dtype) = plain(name) {
        return Ok(dtype);
    }
    match name {
        "Decimal" => Ok(DType::Decimal {
            precision: None,
            scale: 0,
        }),
        "Datetime" => Ok(DType::datetime()),
        "Duration" => Ok(DType::Duration(TimeUnit::default())),
        _ => Err(
            Fault::invalid(format!("the type `{name}` needs arguments"), at).hint(match name {
                "List" | "Array" => format!("such as `nw.{name}(nw.Int64())`"),
                "Struct" => "such as `nw.Struct({'a': nw.Int64()})`".into(),
                "Enum" => "such as `nw.Enum(['a', 'b'])`".into(),
                _ => format!("such as `nw.{name}(...)`"),
            }),
        ),
    }
}

const fn slot(name: &str, required: bool) -> Slot<'_> {
    Slot {
        name,
        required,
        keyword_only: false,
        variadic: false,
    }
}

/// A type with its parentheses.
pub(crate) fn construct(name: &'static str, call: Call) -> Outcome<Value> {
    let at = call.at;
    if let Some(dtype) = plain(name) {
        bind(call, &[], false)?;
        return Ok(Value::DType(dtype));
    }
    let dtype = match name {
        "Decimal" => {
            let mut bound = bind(
                call,
                &[slot("precision", false), slot("scale", false)],
                false,
            )?;
            let precision = small(bound.one(0), 38)?;
            let scale = small(bound.one(1), 38)?.unwrap_or(0);
            if precision.is_some_and(|precision| scale > precision) {
                return Err(Fault::invalid("the scale is greater than the precision", at).into());
            }
            DType::Decimal { precision, scale }
        }
        "Datetime" => {
            let mut bound = bind(
                call,
                &[slot("time_unit", false), slot("time_zone", false)],
                false,
            )?;
            let unit = unit(bound.one(0))?;
            let zone = match bound.one(1) {
                Some(item) => match item.value {
                    Value::Str(zone) if crate::interval::plausible_zone(&zone) => Some(zone),
                    Value::Str(zone) => {
                        let message = format!("`{zone}` is not a time zone");
                        return Err(Fault::invalid(message, item.at)
                            .hint("such as `UTC` or `Europe/Paris`")
                            .into());
                    }
                    Value::None => None,
                    other => {
                        let message = format!("`time_zone` is {}, not a text", other.kind());
                        return Err(Fault::invalid(message, item.at).into());
                    }
                },
                None => None,
            };
            DType::Datetime { unit, zone }
        }
        "Duration" => {
            let mut bound = bind(call, &[slot("time_unit", false)], false)?;
            DType::Duration(unit(bound.one(0))?)
        }
        "Enum" => {
            let mut bound = bind(call, &[slot("categories", true)], false)?;
            let categories = match bound.one(0).map(|item| (item.value, item.at)) {
                Some((Value::List(items), _)) => collect(items.into_iter().map(|item| {
                    match item.value {
                        Value::Str(text) => Ok(text),
                        other => Err(Fault::invalid(
                            format!("a category is {}, not a text", other.kind()),
                            item.at,
                        )
                        .into()),
                    }
                }))?,
                _ => return Err(Fault::invalid("`categories` is a list of texts", at).into()),
            };
            if let Some(twice) = repeated(categories.iter().map(String::as_str)) {
                let message = format!("the category `{twice}` stands twice");
                return Err(Fault::invalid(message, at).into());
            }
            DType::Enum(categories)
        }
        "List" => {
            let slots = [slot("inner", true), slot("containsNull", false)];
            let mut bound = bind(call, &slots, false)?;
            DType::List(Box::new(required(bound.one(0), at)?))
        }
        "Array" => {
            let mut bound = bind(call, &[slot("inner", true), slot("shape", true)], false)?;
            let inner = required(bound.one(0), at)?;
            array(inner, bound.one(1), at)?
        }
        "Map" => {
            let slots = [
                slot("key", true),
                slot("value", true),
                slot("valueContainsNull", false),
            ];
            let mut bound = bind(call, &slots, false)?;
            let key = required(bound.one(0), at)?;
            DType::Map(Box::new(key), Box::new(required(bound.one(1), at)?))
        }
        "Field" => {
            let slots = [
                slot("name", true),
                slot("dtype", true),
                slot("nullable", false),
            ];
            let mut bound = bind(call, &slots, false)?;
            let name = match bound.one(0).map(|item| item.value) {
                Some(Value::Str(name)) => name,
                _ => return Err(Fault::invalid("the name of a field is a text", at).into()),
            };
            return Ok(Value::Field(Field::new(name, required(bound.one(1), at)?)));
        }
        "Schema" => {
            let mut bound = bind(call, &[slot("schema", true)], false)?;
            return match bound.one(0).map(|item| item.value) {
                Some(mapping @ Value::Dict(_)) => Ok(mapping),
                _ => Err(Fault::invalid("a schema is a mapping of names to types", at).into()),
            };
        }
        _ => {
            let mut bound = bind(call, &[slot("fields", true)], false)?;
            let fields = fields(bound.one(0), at)?;
            if let Some(twice) = repeated(fields.iter().map(|field| field.name.as_str())) {
                let message = format!("the field `{twice}` stands twice");
                return Err(Fault::invalid(message, at).into());
            }
            DType::Struct(fields)
        }
    };
    Ok(Value::DType(dtype))
}

/// The first name that stands twice.
fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    let mut names = names;
    names.find(|name| !seen.insert(*name))
}

fn small(item: Option<Item>, most: i128) -> Result<Option<u8>, Fault> {
    match item.map(|item| (item.value, item.at)) {
        None | Some((Value::None, _)) => Ok(None),
        Some((Value::Int(value), at)) => u8::try_from(value)
            .ok()
            .filter(|_| value <= most)
            .map(Some)
            .ok_or_else(|| Fault::invalid(format!("`{value}` is not between 0 and {most}"), at)),
        Some((other, at)) => Err(Fault::invalid(
            format!("{} where an integer is wanted", other.kind()),
            at,
        )),
    }
}

fn unit(item: Option<Item>) -> Result<TimeUnit, Fault> {
    match item.map(|item| (item.value, item.at)) {
        None | Some((Value::None, _)) => Ok(TimeUnit::default()),
        Some((Value::Str(text), at)) => TimeUnit::parse(&text).ok_or_else(|| {
            Fault::invalid(format!("`{text}` is not a time unit"), at)
                .hint("one of `s`, `ms`, `us`, `ns`")
        }),
        Some((other, at)) => Err(Fault::invalid(
            format!("`time_unit` is {}, not a text", other.kind()),
            at,
        )),
    }
}

fn array(inner: DType, shape: Option<Item>, at: At) -> Outcome<DType> {
    let widths = match shape.map(|item| item.value) {
        Some(Value::Int(width)) => vec![width],
        Some(Value::List(items)) => items
            .iter()
            .filter_map(|item| match item.value {
                Value::Int(width) => Some(width),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let mut dtype = inner;
    for width in widths.iter().rev() {
        let width = i32::try_from(*width)
            .ok()
            .and_then(|width| usize::try_from(width).ok())
            .ok_or_else(|| Fault::invalid(format!("an array cannot be {width} wide"), at))?;
        dtype = DType::Array(Box::new(dtype), width);
    }
    if widths.is_empty() {
        return Err(Fault::invalid("`shape` is an integer or a tuple of integers", at).into());
    }
    Ok(dtype)
}

fn fields(item: Option<Item>, at: At) -> Outcome<Vec<Field>> {
    match item.map(|item| item.value) {
        Some(Value::Dict(entries)) => {
            collect(entries.into_iter().map(|(key, value)| match key.value {
                Value::Str(name) => Ok(Field::new(name, dtype(value)?)),
                _ => Err(Fault::invalid("the name of a field is a text", key.at).into()),
            }))
        }
        Some(Value::List(items)) => collect(items.into_iter().map(|item| {
            match item.value {
                Value::Field(field) => Ok(field),
                other => Err(Fault::invalid(
                    format!("{} where `nw.Field(...)` is wanted", other.kind()),
                    item.at,
                )
                .into()),
            }
        })),
        _ => Err(Fault::invalid("the fields of a struct are a mapping or a list", at).into()),
    }
}

fn required(item: Option<Item>, at: At) -> Outcome<DType> {
    match item {
        Some(item) => dtype(item),
        None => Err(Fault::invalid("a type is wanted", at).into()),
    }
}

/// A value as type.
pub(crate) fn dtype(item: Item) -> Outcome<DType> {
    match item.value {
        Value::DType(dtype) => Ok(dtype),
        Value::DTypeClass(name) => Ok(instance(name, item.at)?),
        Value::Builtin("int") => Ok(DType::Int64),
        Value::Builtin("float") => Ok(DType::Float64),
        Value::Builtin("str") => Ok(DType::String),
        Value::Builtin("bool") => Ok(DType::Boolean),
        Value::Str(text) => {
            let hint = match class(Root::Narwhals, &text) {
                Some(name) => format!("write `nw.{name}()`"),
                None => match crate::sql::dtype(&text) {
                    Some(dtype) => format!("write `{}`", crate::print_dtype(&dtype)),
                    None => "write a type such as `nw.Int64()`".into(),
                },
            };
            Err(
                Fault::invalid(format!("the text `{text}` where a type is wanted"), item.at)
                    .hint(hint)
                    .into(),
            )
        }
        other => Err(
            Fault::invalid(format!("{} where a type is wanted", other.kind()), item.at)
                .hint("write a type such as `nw.Int64()`")
                .into(),
        ),
    }
}
