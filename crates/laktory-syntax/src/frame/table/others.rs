//! Methods that carry over from programs: what changes nothing in a pipeline, and what gives no frame.

use crate::frame::{Build, MethodDef, build};
use crate::parameter::{may, need};

use super::methods;

pub(super) const STEPS: &[MethodDef] = methods! {
    "pipe", true, [need("function").of("lambda of a frame").says("the steps; further arguments go to the lambda")], Build::Pipe,
        "those of its steps", "The steps that a lambda takes, for code that comes from a program.",
        "x = 3, 1, 2" => "- func_name: pipe\n  func_args: [\"lambda df, n: df.sort('x').head(n)\", 2]" => "x = 1, 2";
    "lazy", false, [may("backend").of("anything").or("null").says("passed over")], Build::Steps(build::nothing),
        "no matter", "Nothing: every frame is lazy.",
        "x = 1, 2" => "- func_name: lazy" => "x = 1, 2";
    "collect", false, [may("backend").of("anything").or("null").says("passed over")], Build::Steps(build::nothing),
        "no matter", "Nothing: rows are computed when the node is.",
        "x = 1, 2" => "- func_name: collect" => "x = 1, 2";
    "to_native", false, [], Build::Steps(build::nothing),
        "no matter", "Nothing: the step goes on with the same frame.",
        "x = 1, 2" => "- func_name: to_native" => "x = 1, 2";
    "clone", false, [], Build::Steps(build::nothing),
        "no matter", "Nothing: the step goes on with the same frame.",
        "x = 1, 2" => "- func_name: clone" => "x = 1, 2";
};

/// A method that gives no frame.
const fn inspection(name: &'static str, gives: &'static str) -> MethodDef {
    MethodDef {
        name,
        params: &[],
        open: true,
        native: false,
        doc: "An inspection, not a step.",
        nulls: "",
        example: None,
        build: Build::NoFrame(gives),
    }
}

pub(super) const INSPECTIONS: &[MethodDef] = &[
    inspection("columns", "a list of names"),
    inspection("schema", "a schema"),
    inspection("collect_schema", "a schema"),
    inspection("implementation", "a name"),
    inspection("shape", "two numbers"),
    inspection("is_empty", "a boolean"),
    inspection("item", "a value"),
    inspection("row", "a row"),
    inspection("rows", "a list of rows"),
    inspection("get_column", "a series"),
    inspection("laktory.display", "nothing"),
    inspection("laktory.has_column", "a boolean"),
    inspection("laktory.schema_flat", "a list of names"),
    inspection("laktory.signature", "a text"),
];
