//! Short constructors for expressions and relations of the protocol. No meaning of laktory's language lives here.

use laktory_core::{DType, Result, TableName};
use proto::expression::{
    self, Cast, ExprType, Literal, SortOrder, UnresolvedFunction, UnresolvedNamedLambdaVariable,
    Window,
    literal::LiteralType,
    window::{WindowFrame, window_frame},
};
use proto::relation::RelType;
use spark_connect_proto as proto;

use crate::types::spark_type;

/// An expression of the protocol.
pub(crate) type Ex = proto::Expression;

fn ex(kind: ExprType) -> Ex {
    Ex {
        common: None,
        expr_type: Some(kind),
    }
}

/// A name in backticks.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// The name of a table, each part in backticks.
pub(crate) fn identifier(table: &TableName) -> String {
    let parts: Vec<String> = table.parts().iter().map(|part| quoted(part)).collect();
    parts.join(".")
}

/// A column of the input.
pub(crate) fn col(name: &str) -> Ex {
    attribute(&quoted(name))
}

/// A name as it stands: one of a hidden column, or of a part of one.
pub(crate) fn attribute(name: &str) -> Ex {
    ex(ExprType::UnresolvedAttribute(
        expression::UnresolvedAttribute {
            unparsed_identifier: name.to_owned(),
            plan_id: None,
            is_metadata_column: None,
        },
    ))
}

/// An expression in Spark's SQL. Texts of users never go into it.
pub(crate) fn sql(text: &str) -> Ex {
    ex(ExprType::ExpressionString(expression::ExpressionString {
        expression: text.to_owned(),
    }))
}

/// Every column of the input.
pub(crate) fn star() -> Ex {
    ex(ExprType::UnresolvedStar(Default::default()))
}

/// A function by name.
pub(crate) fn f(name: &str, arguments: impl Into<Vec<Ex>>) -> Ex {
    if name == "!=" {
        // The server knows no function of this name.
        return not(f("==", arguments));
    }
    ex(ExprType::UnresolvedFunction(UnresolvedFunction {
        function_name: name.to_owned(),
        arguments: arguments.into(),
        ..Default::default()
    }))
}

/// An aggregate over distinct values.
pub(crate) fn distinct(name: &str, arguments: impl Into<Vec<Ex>>) -> Ex {
    ex(ExprType::UnresolvedFunction(UnresolvedFunction {
        function_name: name.to_owned(),
        arguments: arguments.into(),
        is_distinct: true,
        ..Default::default()
    }))
}

fn lit(kind: LiteralType) -> Ex {
    ex(ExprType::Literal(Literal {
        literal_type: Some(kind),
        data_type: None,
    }))
}

pub(crate) fn int(value: i32) -> Ex {
    lit(LiteralType::Integer(value))
}

pub(crate) fn long(value: i64) -> Ex {
    lit(LiteralType::Long(value))
}

pub(crate) fn double(value: f64) -> Ex {
    lit(LiteralType::Double(value))
}

pub(crate) fn text(value: &str) -> Ex {
    lit(LiteralType::String(value.to_owned()))
}

pub(crate) fn boolean(value: bool) -> Ex {
    lit(LiteralType::Boolean(value))
}

/// A literal of any other kind.
pub(crate) fn literal(kind: LiteralType) -> Ex {
    lit(kind)
}

/// Null without a type.
pub(crate) fn null() -> Ex {
    lit(LiteralType::Null(proto::DataType {
        kind: Some(proto::data_type::Kind::Null(Default::default())),
    }))
}

/// Null of a type.
pub(crate) fn null_of(dtype: &DType) -> Result<Ex> {
    Ok(lit(LiteralType::Null(spark_type(dtype)?)))
}

fn cast_as(expr: Ex, to: &DType, mode: expression::cast::EvalMode) -> Result<Ex> {
    Ok(ex(ExprType::Cast(Box::new(Cast {
        expr: Some(Box::new(expr)),
        eval_mode: mode as i32,
        cast_to_type: Some(expression::cast::CastToType::Type(spark_type(to)?)),
    }))))
}

/// Conversion that fails on values that do not fit.
pub(crate) fn cast(expr: Ex, to: &DType) -> Result<Ex> {
    cast_as(expr, to, expression::cast::EvalMode::Ansi)
}

/// Conversion that gives null for values that do not fit.
pub(crate) fn try_cast(expr: Ex, to: &DType) -> Result<Ex> {
    cast_as(expr, to, expression::cast::EvalMode::Try)
}

pub(crate) fn alias(expr: Ex, name: &str) -> Ex {
    ex(ExprType::Alias(Box::new(expression::Alias {
        expr: Some(Box::new(expr)),
        name: vec![name.to_owned()],
        metadata: None,
    })))
}

/// The value of the first condition that holds, else the last.
pub(crate) fn when(branches: impl IntoIterator<Item = (Ex, Ex)>, otherwise: Option<Ex>) -> Ex {
    let mut arguments: Vec<Ex> = branches
        .into_iter()
        .flat_map(|(condition, value)| [condition, value])
        .collect();
    arguments.extend(otherwise);
    f("when", arguments)
}

/// `if condition then value else otherwise`.
pub(crate) fn iff(condition: Ex, value: Ex, otherwise: Ex) -> Ex {
    when([(condition, value)], Some(otherwise))
}

pub(crate) fn and(a: Ex, b: Ex) -> Ex {
    f("and", [a, b])
}

pub(crate) fn or(a: Ex, b: Ex) -> Ex {
    f("or", [a, b])
}

pub(crate) fn not(a: Ex) -> Ex {
    f("not", [a])
}

pub(crate) fn is_null(a: Ex) -> Ex {
    f("isnull", [a])
}

pub(crate) fn not_null(a: Ex) -> Ex {
    f("isnotnull", [a])
}

pub(crate) fn field(expr: Ex, name: &str) -> Ex {
    ex(ExprType::UnresolvedExtractValue(Box::new(
        expression::UnresolvedExtractValue {
            child: Some(Box::new(expr)),
            extraction: Some(Box::new(text(name))),
        },
    )))
}

/// A variable of a lambda.
pub(crate) fn var(name: &str) -> Ex {
    ex(ExprType::UnresolvedNamedLambdaVariable(variable(name)))
}

fn variable(name: &str) -> UnresolvedNamedLambdaVariable {
    UnresolvedNamedLambdaVariable {
        name_parts: vec![name.to_owned()],
    }
}

/// A function of the elements of a list.
pub(crate) fn lambda(names: &[&str], body: Ex) -> Ex {
    ex(ExprType::LambdaFunction(Box::new(
        expression::LambdaFunction {
            function: Some(Box::new(body)),
            arguments: names.iter().map(|name| variable(name)).collect(),
        },
    )))
}

/// A sort key.
pub(crate) fn order(child: Ex, descending: bool, nulls_last: bool) -> SortOrder {
    use expression::sort_order::{NullOrdering, SortDirection};
    SortOrder {
        child: Some(Box::new(child)),
        direction: if descending {
            SortDirection::Descending
        } else {
            SortDirection::Ascending
        } as i32,
        null_ordering: if nulls_last {
            NullOrdering::SortNullsLast
        } else {
            NullOrdering::SortNullsFirst
        } as i32,
    }
}

/// One end of a moving window: rows from the current one, or none for all.
pub(crate) type Bound = Option<i64>;

/// A function over partitions; `rows` are the bounds of a frame.
pub(crate) fn window(
    function: Ex,
    partition: &[Ex],
    orders: &[SortOrder],
    rows: Option<(Bound, Bound)>,
) -> Ex {
    use window_frame::{FrameBoundary, FrameType, frame_boundary::Boundary};
    let bound = |bound: Bound| {
        let boundary = match bound {
            None => Boundary::Unbounded(true),
            Some(0) => Boundary::CurrentRow(true),
            Some(rows) => Boundary::Value(Box::new(int(i32::try_from(rows).unwrap_or(i32::MAX)))),
        };
        Some(Box::new(FrameBoundary {
            boundary: Some(boundary),
        }))
    };
    ex(ExprType::Window(Box::new(Window {
        window_function: Some(Box::new(function)),
        partition_spec: partition.to_vec(),
        order_spec: orders.to_vec(),
        frame_spec: rows.map(|(lower, upper)| {
            Box::new(WindowFrame {
                frame_type: FrameType::Row as i32,
                lower: bound(lower),
                upper: bound(upper),
            })
        }),
    })))
}

/// A relation of the protocol.
pub(crate) fn relation(kind: RelType) -> proto::Relation {
    proto::Relation {
        common: None,
        rel_type: Some(kind),
    }
}

pub(crate) fn project(input: proto::Relation, expressions: Vec<Ex>) -> proto::Relation {
    relation(RelType::Project(Box::new(proto::Project {
        input: Some(Box::new(input)),
        expressions,
    })))
}

pub(crate) fn filter(input: proto::Relation, condition: Ex) -> proto::Relation {
    relation(RelType::Filter(Box::new(proto::Filter {
        input: Some(Box::new(input)),
        condition: Some(condition),
    })))
}

/// One row for each group.
pub(crate) fn aggregate(
    input: proto::Relation,
    keys: Vec<Ex>,
    expressions: Vec<Ex>,
) -> proto::Relation {
    relation(RelType::Aggregate(Box::new(proto::Aggregate {
        input: Some(Box::new(input)),
        group_type: proto::aggregate::GroupType::Groupby as i32,
        grouping_expressions: keys,
        aggregate_expressions: expressions,
        ..Default::default()
    })))
}

pub(crate) fn sort(input: proto::Relation, orders: Vec<SortOrder>) -> proto::Relation {
    relation(RelType::Sort(Box::new(proto::Sort {
        input: Some(Box::new(input)),
        order: orders,
        is_global: Some(true),
    })))
}

pub(crate) fn limit(input: proto::Relation, rows: u64) -> proto::Relation {
    relation(RelType::Limit(Box::new(proto::Limit {
        input: Some(Box::new(input)),
        limit: i32::try_from(rows).unwrap_or(i32::MAX),
    })))
}
