//! What the backends of this build can do, as JSON: for programs, and for the support matrix of the documentation.

use std::collections::BTreeMap;

use laktory::core::{
    BackendDescriptor, Capabilities, Format, FormatSupport, Func, FuncDef, FuncKind, OpKind, Param,
    ParamDefault, ParamType, Receiver, Registry, Support,
};
use serde_json::{Map, Value, json};

/// The backends; with `all` also every step and function, with what each backend does with it.
pub(crate) fn machine(registry: &Registry, all: bool) -> Value {
    let backends: Vec<(&BackendDescriptor, Capabilities)> = registry
        .iter()
        .map(|backend| (backend, (backend.capabilities)()))
        .collect();
    let each = |support: &dyn Fn(&Capabilities) -> Support| -> Value {
        let entries = backends
            .iter()
            .map(|(backend, capabilities)| (backend.name.to_owned(), told(support(capabilities))));
        Value::Object(entries.collect())
    };
    let mut document = Map::new();
    document.insert(
        "backends".to_owned(),
        backends
            .iter()
            .map(|(descriptor, capabilities)| backend(descriptor, capabilities))
            .collect(),
    );
    if all {
        let steps = OpKind::ALL
            .iter()
            .map(|&kind| json!({"name": kind.name(), "backends": each(&|known| known.op(kind))}));
        document.insert("steps".to_owned(), steps.collect());
        let functions = Func::all().map(|def| {
            let mut entry = function(def);
            entry["backends"] = each(&|known| known.func(def.func));
            entry
        });
        document.insert("functions".to_owned(), functions.collect());
    }
    Value::Object(document)
}

fn backend(descriptor: &BackendDescriptor, capabilities: &Capabilities) -> Value {
    json!({
        "name": descriptor.name,
        "default": descriptor.name == laktory::DEFAULT_BACKEND,
        "engine": descriptor.engine,
        "driver": descriptor.provided_by,
        "contract": descriptor.contract.to_string(),
        "aliases": descriptor.aliases,
        "tables": told(capabilities.tables),
        "reads": formats(&capabilities.reads),
        "writes": formats(&capabilities.writes),
    })
}

fn formats(formats: &BTreeMap<Format, FormatSupport>) -> Value {
    let entries = formats.iter().map(|(format, known)| {
        let mut entry = told(known.support);
        entry["options"] = known.options.iter().copied().collect();
        entry["schema"] = known.schema.into();
        (format.name().to_owned(), entry)
    });
    Value::Object(entries.collect())
}

/// `{"support": "partial", "note": "..."}`.
pub(super) fn told(support: Support) -> Value {
    match support {
        Support::Full => json!({"support": "full"}),
        Support::Partial { note } => json!({"support": "partial", "note": note}),
        Support::NotYet { reason } => json!({"support": "not_yet", "note": reason}),
        _ => json!({"support": "never"}),
    }
}

fn function(def: &FuncDef) -> Value {
    let receiver = match def.receiver {
        Receiver::Method => "method",
        Receiver::Function => "function",
        Receiver::Operator => "operator",
    };
    let kind = match def.kind {
        FuncKind::Elementwise => "elementwise",
        FuncKind::Aggregate => "aggregate",
        FuncKind::Ordered => "ordered",
        FuncKind::Window => "window",
        FuncKind::LengthChanging => "length_changing",
    };
    json!({
        "path": def.path,
        "receiver": receiver,
        "kind": kind,
        "parameters": def.params.iter().map(parameter).collect::<Vec<_>>(),
        "nulls": def.nulls,
        "doc": def.doc,
    })
}

fn parameter(param: &Param) -> Value {
    let mut entry = json!({
        "name": param.name,
        "required": param.default == ParamDefault::Required,
        "keyword_only": param.keyword_only,
        "variadic": param.ty == ParamType::Columns,
    });
    let default = match param.default {
        ParamDefault::Bool(value) => Some(Value::from(value)),
        ParamDefault::Int(value) => Some(Value::from(value)),
        ParamDefault::Float(value) => Some(Value::from(value)),
        ParamDefault::Str(value) => Some(Value::from(value)),
        ParamDefault::Required | ParamDefault::Absent => None,
    };
    if let Some(default) = default {
        entry["default"] = default;
    }
    if let ParamType::OneOf(values) = param.ty {
        entry["one_of"] = values.iter().copied().collect();
    }
    entry
}
