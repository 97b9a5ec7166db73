//! Functions of the user's own that cases call, so that drivers are held to run them: `testkit.join`, `testkit.range`.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, ArrayRef, Int64Array, StringArray};
use laktory_core::user::{Body, Kernel, Types, UserFunction};
use laktory_core::{DType, Param, ParamDefault, ParamType, Result, register_function};

register_function! {
    /// Texts, and a constant between them. Its result is in another encoding than its arguments.
    static JOIN = UserFunction {
        name: "testkit.join",
        provided_by: env!("CARGO_PKG_NAME"),
        params: &[
            Param::new("first", ParamType::Column),
            Param::new("rest", ParamType::Columns).optional(),
            Param::new("separator", ParamType::Str).or(ParamDefault::Str("-")).keyword(),
        ],
        doc: "Texts joined; null if one is.",
        body: Body::Scalar(Kernel { output: texts, run: |arrays| {
            let separator = arrays.text("separator")?;
            let mut columns = vec![arrays.input("first")?.as_string_view()];
            columns.extend(arrays.inputs("rest").iter().map(|array| array.as_string_view()));
            let joined: StringArray = (0..columns[0].len())
                .map(|row| {
                    let parts: Option<Vec<&str>> = columns
                        .iter()
                        .map(|column| column.is_valid(row).then(|| column.value(row)))
                        .collect();
                    parts.map(|parts| parts.join(separator))
                })
                .collect();
            Ok(Arc::new(joined) as ArrayRef)
        } }),
    };
}

fn texts(types: &Types<'_>) -> Result<DType> {
    for name in ["first", "rest"] {
        if types
            .inputs(name)
            .iter()
            .any(|dtype| *dtype != DType::String)
        {
            return Err(types.mismatch(name));
        }
    }
    Ok(DType::String)
}

register_function! {
    /// One value of all values of a group, null when it has none.
    static RANGE = UserFunction {
        name: "testkit.range",
        provided_by: env!("CARGO_PKG_NAME"),
        params: &[Param::new("x", ParamType::Column)],
        doc: "Greatest value less smallest value.",
        body: Body::Aggregate(Kernel {
            output: |types| match types.input("x")? {
                DType::Int64 => Ok(DType::Int64),
                _ => Err(types.mismatch("x")),
            },
            run: |arrays| {
                let values = arrays.input("x")?.as_primitive::<Int64Type>();
                let least = values.iter().flatten().min();
                let most = values.iter().flatten().max();
                let range = most.zip(least).map(|(most, least)| most - least);
                Ok(Arc::new(Int64Array::from(vec![range])) as ArrayRef)
            },
        }),
    };
}
