//! Functions of the user's own, held against the engines of the nodes that call them.

use laktory_core::user::{Body, Kernel, Native, UserFunction};
use laktory_core::{DType, Error, Param, ParamType, register_function};

use crate::support::findings;

register_function! {
    static TOTAL = UserFunction {
        name: "own.total",
        provided_by: "tests",
        params: &[Param::new("x", ParamType::Column)],
        doc: "A test.",
        body: Body::Aggregate(Kernel {
            output: |_| Ok(DType::Float64),
            run: |_| Err(Error::unsupported("a test computes nothing")),
        }),
    };
}

register_function! {
    static TWIST = UserFunction {
        name: "own.twist",
        provided_by: "tests",
        params: &[],
        doc: "A test.",
        body: Body::NativeStep(&[Native { backend: "LEFT", function: &() }]),
    };
}

register_function! {
    static LOST = UserFunction {
        name: "own.lost",
        provided_by: "tests",
        params: &[],
        doc: "A test.",
        body: Body::NativeStep(&[Native { backend: "ELSEWHERE", function: &() }]),
    };
}

#[test]
fn functions_that_the_engine_cannot_run() {
    let yaml = "
name: p
dataframe_backend: RIGHT
nodes:
  - name: other
    dataframe_backend: LEFT
    source: {path: in.json, format: JSON}
    transformer: {nodes: [{func_name: own.twist}]}
  - name: a
    source: {path: in.json, format: JSON}
    transformer:
      nodes:
        - {func_name: own.twist}
        - {func_name: own.lost}
        - {func_name: select, func_args: [nw.own.total('x')]}
    expectations: [{name: e, expr: own.total(x) > 1, type: AGGREGATE}]
";
    let steps = "nodes[1].transformer.nodes";
    let elsewhere = "supported by: LEFT; set `dataframe_backend` on the node";
    assert_eq!(
        findings(yaml),
        [
            format!(
                "{steps}[0]: unsupported: function `own.twist` is not available on backend RIGHT; {elsewhere}"
            ),
            format!(
                "{steps}[1]: unsupported: function `own.lost` is not available on backend RIGHT; crate `tests` has it for no backend of this program"
            ),
            format!(
                "{steps}[2]: unsupported: function `own.total` is not available on backend RIGHT; {elsewhere}"
            ),
            format!(
                "nodes[1].expectations[0].expr.expr: unsupported: function `own.total` is not available on backend RIGHT; {elsewhere}"
            ),
        ]
    );
}
