//! Functions of the user's own: bound as declared, resolved where they are made of the language, printed and read back.

use laktory_core::user::{Body, Kernel, Native, UserFunction};
use laktory_core::{Error, ErrorKind, Param, ParamDefault, ParamType, register_function};

use super::*;

const KERNEL: Kernel = Kernel {
    output: |_| Ok(DType::Float64),
    run: |_| Err(Error::unsupported("a test computes nothing")),
};

const fn own(name: &'static str, params: &'static [Param], body: Body) -> UserFunction {
    UserFunction {
        name,
        provided_by: "tests",
        params,
        doc: "A test.",
        body,
    }
}

register_function! {
    static SPREAD = own(
        "own.spread",
        &[Param::new("high", ParamType::Column), Param::new("low", ParamType::Column)],
        Body::Expr(|args| {
            if args.expr("high")? == args.expr("low")? {
                return Err(args.invalid("both are one").with_hint("give two columns"));
            }
            Ok(Expr::call(Func::Sub, [args.expr("high")?.into_owned(), args.expr("low")?.into_owned()]))
        }),
    );
}

register_function! {
    static SCORE = own(
        "own.deep.score",
        &[
            Param::new("x", ParamType::Column),
            Param::new("rest", ParamType::Columns).optional(),
            Param::new("mode", ParamType::OneOf(&["fast", "slow"])).or(ParamDefault::Str("fast")).keyword(),
        ],
        Body::Scalar(KERNEL),
    );
}

register_function! {
    static TOTAL = own(
        "own.total",
        &[Param::new("x", ParamType::Column), Param::new("n", ParamType::Int).or(ParamDefault::Int(2))],
        Body::Aggregate(KERNEL),
    );
}

register_function! {
    static CLEAN = own(
        "own.clean",
        &[Param::new("column", ParamType::Str)],
        Body::Steps(|args| {
            let subset = Some(vec![args.text("column")?.to_owned()]);
            Ok(vec![Op::DropNulls { subset }, Op::Head { n: 3 }])
        }),
    );
}

register_function! {
    static MATCHED = own(
        "own.matched",
        &[Param::new("other", ParamType::Frame), Param::new("key", ParamType::Column)],
        Body::NativeStep(&[Native { backend: "NOWHERE", function: &() }]),
    );
}

fn user(name: &str, args: Vec<Arg>) -> Expr {
    Expr::User {
        name: name.into(),
        args,
    }
}

fn step(name: &str, args: &[Json]) -> Result<Vec<Op>, Vec<MethodError>> {
    method(name, args, &Map::new(), Api::Narwhals)
}

fn step_error(name: &str, args: &[Json]) -> FragmentError {
    step(name, args).unwrap_err().remove(0).error
}

#[test]
fn expressions_are_resolved_where_they_are_called() {
    let resolved = py("nw.col('h') - nw.col('l')");
    assert_eq!(py("nw.own.spread('h', low=nw.col('l'))"), resolved);
    assert_eq!(py("nw.col('h').own.spread('l')"), resolved);
    assert_eq!(sql_expression("own.spread(h, l)").unwrap(), resolved);
}

#[test]
fn functions_of_engines_keep_their_arguments() {
    let score = |rest: Arg, mode: &str| {
        user(
            "own.deep.score",
            vec![Arg::Expr(Expr::column("a")), rest, Arg::Str(mode.into())],
        )
    };
    assert_eq!(
        py("nw.col('a').own.deep.score()"),
        score(Arg::Absent, "fast")
    );
    let rest = Arg::Exprs(vec![Expr::column("b"), Expr::column("c")]);
    let called = py("nw.own.deep.score('a', 'b', 'c', mode='slow') + 1");
    let Expr::Call { args, .. } = &called else {
        panic!("{called:?}");
    };
    assert_eq!(args[0], Arg::Expr(score(rest, "slow")));
    assert_eq!(output_name(&called).as_deref(), Some("a"));
    assert_eq!(columns(&called).len(), 3);
    assert!(!is_aggregate(&called));
    let total = sql_expression("own.total(a, 5) > 1").unwrap();
    assert!(is_aggregate(&total));
    assert_eq!(total, py("nw.own.total('a', 5) > 1"));
    py("nw.col('a').own.total().over('g')");
}

#[test]
fn steps_are_resolved_and_take_frames() {
    assert_eq!(step("own.clean", &[json!("x")]).unwrap().len(), 2);
    let ops = step("own.matched", &[json!("{nodes.b}"), json!("k")]).unwrap();
    let frame = FrameName::Node("b".into());
    assert_eq!(ops[0].frames(), [&frame]);
    assert_eq!(laktory_syntax::op_columns(&ops[0]).len(), 1);
    assert_eq!(
        laktory_syntax::print_op(&ops[0]),
        "own.matched({nodes.b}, nw.col('k'))"
    );
    let piped = step("pipe", &[json!("lambda df: df.own.clean('x').head(1)")]);
    assert_eq!(piped.unwrap().len(), 3);
}

#[test]
fn faults_say_what_was_meant() {
    for (text, message, hint) in [
        (
            "nw.own.spraed('h', 'l')",
            "`nw.own.spraed` does not exist",
            "did you mean `nw.own.spread`?",
        ),
        (
            "nw.col('h').own.totl()",
            "an expression has no method `own.totl`",
            "did you mean `.own.total(...)`?",
        ),
        (
            "nw.own.clean('x')",
            "`nw.own.clean` does not exist",
            "it is a step: `func_name: own.clean`",
        ),
        (
            "nw.own.spread('h')",
            "`nw.own.spread()` needs the argument `low`",
            "its signature is `nw.own.spread(high, low)`",
        ),
        (
            "nw.col('h').own.spread(lo='l')",
            "`own.spread()` has no argument `lo`",
            "did you mean `low`?",
        ),
        (
            "nw.own.deep.score('a', mode='quick')",
            "`mode` cannot be `quick`",
            "one of `fast`, `slow`",
        ),
        (
            "nw.own.spread('h', 'h')",
            "`own.spread`: both are one",
            "give two columns",
        ),
        (
            "nw.col('a').mean().own.total()",
            "`own.total()` of a single value",
            "the receiver is an aggregate or a constant already",
        ),
    ] {
        let error = py_error(text);
        assert_eq!(error.message, message, "{text}");
        assert_eq!(error.hint.as_deref(), Some(hint), "{text}");
        assert!(!error.range.is_empty(), "{text}");
    }
}

#[test]
fn faults_of_steps_say_what_was_meant() {
    let error = step_error("own.claen", &[json!("x")]);
    assert_eq!(error.hint.as_deref(), Some("did you mean `own.clean`?"));
    let error = step_error("own.spread", &[json!("x"), json!("y")]);
    assert_eq!(
        error.hint.as_deref(),
        Some("it is a method of expressions: `nw.col('x').own.spread(...)` inside `with_columns`")
    );
    let error = step_error("own.clean", &[json!(3)]);
    assert_eq!(error.message, "`column` is an integer, not a text");
    let error = step_error("own.matched", &[json!("b"), json!("k")]);
    assert_eq!(error.message, "a text where a frame is wanted");
}

#[test]
fn names_of_the_language_cannot_be_taken() {
    laktory_syntax::check_user_functions().unwrap();
    laktory_core::user::check().unwrap();
    for (index, name) in [
        "str.twice",
        "laktory.more",
        "round.up",
        "head.first",
        "Int64.x",
    ]
    .into_iter()
    .enumerate()
    {
        let error =
            laktory_syntax::check_user_function(&own(name, &[], Body::Steps(|_| Ok(Vec::new()))))
                .expect_err(name);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{index}");
        assert!(error.message().ends_with("is a name of the language"));
    }
}
