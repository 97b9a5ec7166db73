//! Arguments of a method step: values of a YAML document become values of the language. Texts are frames
//! (`{nodes.x}`), expressions (`nw.col('x') + 1`) or plain texts, also inside of lists and mappings.

use laktory_core::FrameName;
use serde_json::{Map, Value as Json};

use super::{ArgPlace, MethodError, Segment};
use crate::parameter::Parameter;
use crate::placeholder::placeholder;
use crate::python::bind::Call;
use crate::python::fault::{At, Fault, Faults, Outcome, both, collect};
use crate::python::lower::Lowerer;
use crate::python::parse::{self, Reading};
use crate::python::value::{FrameValue, Item, Value};

/// Deepest nesting of an argument.
const MAX_NESTING: usize = 64;

/// The texts of a step by number, with the way to each.
#[derive(Debug, Default)]
pub(super) struct Texts(Vec<TextPlace>);

/// Where a text of a step stands: the argument, the way into it, and whether it is the key there rather than the value.
pub(super) type TextPlace = (ArgPlace, Vec<Segment>, bool);

impl Texts {
    pub(super) fn add(&mut self, place: ArgPlace, inside: Vec<Segment>) -> u32 {
        self.add_text((place, inside, false))
    }

    fn add_text(&mut self, text: TextPlace) -> u32 {
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.push(text);
        number
    }

    /// Adds the key of a value.
    fn key(&mut self, place: ArgPlace, inside: Vec<Segment>, key: &str) -> At {
        let number = self.add_text((place, inside, true));
        At {
            end: u32::try_from(key.len()).unwrap_or(u32::MAX),
            ..At::text(number)
        }
    }

    /// Where text number `text` stands.
    pub(super) fn place(&self, text: u32) -> TextPlace {
        let known = self.0.get(text as usize).cloned();
        known.unwrap_or((ArgPlace::Name, Vec::new(), false))
    }

    /// Faults with the way to the text that each lies in.
    pub(super) fn errors(&self, faults: Faults) -> Vec<MethodError> {
        faults
            .0
            .into_iter()
            .map(|fault| {
                let (place, inside, at_key) = self.place(fault.text);
                MethodError {
                    place,
                    inside,
                    at_key,
                    error: fault.error,
                }
            })
            .collect()
    }
}

/// The arguments of a step as a call.
pub(super) fn call(
    lowerer: &mut Lowerer,
    texts: &mut Texts,
    params: &[Parameter],
    name: &str,
    args: &[Json],
    kwargs: &Map<String, Json>,
) -> Outcome<Call> {
    let raw = |index: usize| params.get(index).is_some_and(|param| is_raw(param.name));
    let positional = args
        .iter()
        .enumerate()
        .map(|(index, json)| {
            let place = ArgPlace::Positional(index);
            let evaluate = !raw(index);
            item(lowerer, texts, &place, &mut Vec::new(), json, evaluate)
        })
        .collect::<Vec<_>>();
    let keywords = kwargs
        .iter()
        .map(|(key, json)| {
            let place = ArgPlace::Keyword(key.clone());
            let evaluate = !is_raw(key);
            let key_at = texts.key(place.clone(), Vec::new(), key);
            if let Some(parts) = &mut lowerer.parts {
                parts.name(key, key_at);
            }
            let item = item(lowerer, texts, &place, &mut Vec::new(), json, evaluate)?;
            let name_at = item.name_at.unwrap_or(key_at);
            Ok((key.clone(), item.named_at(name_at)))
        })
        .collect::<Vec<_>>();
    let (args, kwargs) = both(collect(positional), collect(keywords))?;
    Ok(Call {
        name: name.to_owned(),
        at: At::text(0),
        args,
        kwargs,
    })
}

/// Parameters whose texts are column expressions, SQL or Python, told apart later.
fn is_raw(name: &str) -> bool {
    name == "agg_expressions"
}

fn item(
    lowerer: &mut Lowerer,
    texts: &mut Texts,
    place: &ArgPlace,
    inside: &mut Vec<Segment>,
    json: &Json,
    evaluate: bool,
) -> Outcome<Item> {
    let number = texts.add(place.clone(), inside.clone());
    let at = At::text(number);
    if inside.len() > MAX_NESTING {
        return Err(Fault::new("too-large", "the argument is nested too deeply", at).into());
    }
    let value = match json {
        Json::Null => Value::None,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(value) => match (value.as_i64(), value.as_u64(), value.as_f64()) {
            (Some(value), _, _) => Value::Int(value.into()),
            (None, Some(value), _) => Value::Int(value.into()),
            (None, None, value) => Value::Float(value.unwrap_or(f64::NAN)),
        },
        Json::String(value) if evaluate => return text(lowerer, number, value),
        Json::String(value) => {
            let end = u32::try_from(value.len()).unwrap_or(u32::MAX);
            let at = At { end, ..at };
            if let Some(parts) = &mut lowerer.parts {
                parts.nested(crate::column_expr_parts(value, None), number, 0);
            }
            return Ok(Item::new(Value::Str(value.clone()), at));
        }
        Json::Array(values) => {
            let mut items = Vec::with_capacity(values.len());
            for (index, value) in values.iter().enumerate() {
                inside.push(Segment::Index(index));
                items.push(item(lowerer, texts, place, inside, value, evaluate));
                inside.pop();
            }
            Value::List(collect(items)?)
        }
        Json::Object(values) => {
            let mut entries = Vec::with_capacity(values.len());
            for (key, value) in values {
                inside.push(Segment::Key(key.clone()));
                let key_at = texts.key(place.clone(), inside.clone(), key);
                if let Some(parts) = &mut lowerer.parts {
                    parts.name(key, key_at);
                }
                let value = item(lowerer, texts, place, inside, value, evaluate);
                inside.pop();
                let key = Item::new(Value::Str(key.clone()), key_at);
                entries.push(value.map(|value| (key, value)));
            }
            Value::Dict(collect(entries)?)
        }
    };
    Ok(Item::new(value, at))
}

/// A text: a frame, an expression, or just text (R-ARG-4).
fn text(lowerer: &mut Lowerer, number: u32, source: &str) -> Outcome<Item> {
    let at = At {
        text: number,
        start: 0,
        end: u32::try_from(source.len()).unwrap_or(u32::MAX),
    };
    if let Some(name) = placeholder(source) {
        if let Some(parts) = &mut lowerer.parts {
            parts.name(&name.to_string(), at);
        }
        let frame = FrameValue {
            name,
            ops: Vec::new(),
        };
        return Ok(Item::new(Value::Frame(frame), at));
    }
    if let Some(parts) = &mut lowerer.parts {
        parts.name(source, at);
    }
    match parse::read(source, number) {
        Reading::Text => Ok(Item::new(Value::Str(source.to_owned()), at)),
        Reading::Broken(fault) => Err(fault.into()),
        Reading::Expression(tree) => match lowerer.lower(&tree, number) {
            // A dotted text without call that names nothing, such as a column `F.x`, is text.
            Ok(item) if !source.contains('(') && !matches!(item.value, Value::DTypeClass(_)) => {
                Ok(Item::new(Value::Str(source.to_owned()), at))
            }
            Err(_) if !source.contains('(') => Ok(Item::new(Value::Str(source.to_owned()), at)),
            outcome => outcome,
        },
    }
}

/// `pipe(lambda d, ...: ..., ...)`: the steps that the lambda takes.
pub(super) fn pipe(
    lowerer: &mut Lowerer,
    frame: FrameValue,
    mut call: Call,
) -> Outcome<FrameValue> {
    let at = call.at;
    let Some(function) = call.take_function() else {
        return Err(Fault::invalid("`pipe` needs a function", at).into());
    };
    let Value::Lambda(lambda) = function.value else {
        return Err(Fault::invalid(
            format!("`pipe` takes a lambda, not {}", function.value.kind()),
            function.at,
        )
        .hint("such as `lambda df: df.head(5)`")
        .into());
    };
    call.args.insert(0, Item::new(Value::Frame(frame), at));
    let result = lowerer.apply(&lambda, call.args, call.kwargs, at)?;
    match result.value {
        Value::Frame(frame) => Ok(frame),
        other => Err(Fault::new(
            "not-a-frame",
            format!("the lambda gives {}, not a frame", other.kind()),
            result.at,
        )
        .into()),
    }
}

/// A frame given as argument; it must be one that the plan knows by name.
pub(crate) fn frame(item: Item) -> Outcome<FrameName> {
    let at = item.at;
    match item.value {
        Value::Frame(frame) if frame.ops.is_empty() => Ok(frame.name),
        Value::Frame(_) => {
            Err(
                Fault::new("not-implemented", "the other frame must be unchanged", at)
                    .hint("make it a node of its own, and write `{nodes.name}`")
                    .into(),
            )
        }
        other => Err(
            Fault::invalid(format!("{} where a frame is wanted", other.kind()), at)
                .hint("write `{nodes.name}` or `{sources.name}`")
                .into(),
        ),
    }
}
