//! How the rows of a node are merged into a table, as changes of its rows: `merge_cdc_options`, compiled.

use serde::Serialize;

use laktory_core::shape::{Rows, shape};
use laktory_core::{Expr, OpKind, Support};
use laktory_model::{DataSink, Finding, Path};
use laktory_syntax::{column_expr, column_expr_parts};

use crate::compile::Compiler;
use crate::sources::unsupported;
use crate::steps;
use crate::written::Text;

/// How changes are merged into a table (`merge_cdc_options`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MergePlan {
    /// Columns that identify a row.
    pub keys: Vec<String>,
    /// Where the table keeps history (`scd_type: 2`), the columns for the bounds of a version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryColumns>,
    /// The column that orders the changes of a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_by: Option<String>,
    /// Which changes delete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_where: Option<MergeCondition>,
    /// The columns that are stored beside the keys; none for all but those excluded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include: Option<Vec<String>>,
    /// Columns that are not stored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Whether a null of a change keeps the value that is stored.
    pub ignore_nulls: bool,
    /// Whether a null in a key equals a null.
    pub nulls_equal: bool,
    /// Place of the options in the document.
    #[serde(skip)]
    pub place: Path,
    /// Place of the keys, which may be those of the node.
    #[serde(skip)]
    pub keys_place: Path,
}

/// The columns for the bounds of a version: it counts from its start on, until its end, which is not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryColumns {
    /// Start.
    pub start: String,
    /// End; null in the newest version of a row.
    pub end: String,
}

/// The condition of changes that delete.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MergeCondition {
    /// As written.
    pub text: String,
    /// As understood.
    #[serde(skip)]
    pub expr: Expr,
    /// Place in the document.
    #[serde(skip)]
    pub place: Path,
}

impl MergeCondition {
    /// The text of the condition.
    #[must_use]
    pub fn read(&self) -> Text {
        Text {
            place: self.place.clone(),
            at_key: false,
            parts: column_expr_parts(&self.text, None),
        }
    }
}

/// Steps that a merge is made of.
const STEPS: &[OpKind] = &[
    OpKind::Aggregate,
    OpKind::Filter,
    OpKind::Join,
    OpKind::Select,
    OpKind::Union,
    OpKind::Unique,
    OpKind::WithColumns,
];

/// The options of a sink; none where there are none, or something about them is reported.
pub(crate) fn compile(
    compiler: &mut Compiler<'_>,
    index: usize,
    sink: &DataSink,
    place: &Path,
) -> Option<MergePlan> {
    let options = sink.common.merge_cdc_options.as_ref()?;
    let place = place.key("merge_cdc_options");
    let engine = compiler.engine(index)?;
    let steps = |kind: &OpKind| engine.capabilities.op(*kind).is_available();
    if !engine.capabilities.local_files || !STEPS.iter().all(steps) {
        let message = format!(
            "backend {} does not merge changes in this version",
            engine.descriptor.name
        );
        let others = steps::supporters(compiler, |engine| match engine.capabilities.local_files {
            true => engine.capabilities.op(OpKind::Join),
            false => Support::Never,
        });
        let hint = match others.first() {
            Some(other) => format!(
                "set `dataframe_backend: {other}` on the node, or use mode OVERWRITE or APPEND"
            ),
            None => "set `dataframe_backend` of the node to one that works on files of this machine (`laktory backends` tells), or use mode OVERWRITE or APPEND".to_owned(),
        };
        compiler.report(unsupported(place, &message, &hint));
        return None;
    }
    if sink.common.schema_definition.is_some() {
        compiler.report(unsupported(
            place.clone(),
            "a merge with `schema_definition` is not available in this version",
            "cast the columns in a step of the transformer",
        ));
    }
    let own = options.primary_keys.as_ref();
    let node = &compiler.pipeline.nodes[index];
    let keys = own.or(node.primary_keys.as_ref()).cloned();
    let keys_place = match own {
        Some(_) => place.key("primary_keys"),
        None => Path::node(index).key("primary_keys"),
    };
    let delete_where = match &options.delete_where {
        Some(text) => Some(condition(
            compiler,
            index,
            text,
            &place.key("delete_where"),
        )?),
        None => None,
    };
    if options.order_by.is_none() {
        let message = "without `order_by` the last row of a run counts, so that changes which come late or again are taken for new ones";
        compiler.report(
            Finding::warning("no-order", place.clone(), message)
                .at_key()
                .hint("name the column that orders changes, such as their time"),
        );
    }
    Some(MergePlan {
        keys: keys.unwrap_or_default(),
        history: (options.scd_type == 2).then(|| HistoryColumns {
            start: options.start_at_column_name.clone(),
            end: options.end_at_column_name.clone(),
        }),
        order_by: options.order_by.clone(),
        delete_where,
        include: options.include_columns.clone(),
        exclude: options.exclude_columns.clone().unwrap_or_default(),
        ignore_nulls: options.ignore_null_updates,
        nulls_equal: options.null_equals_null,
        place,
        keys_place,
    })
}

fn condition(
    compiler: &mut Compiler<'_>,
    index: usize,
    text: &str,
    place: &Path,
) -> Option<MergeCondition> {
    let expr = match column_expr(text, None) {
        Ok(expr) => expr,
        Err(errors) => {
            for error in errors {
                compiler.report(Finding::in_text(place.clone(), error));
            }
            return None;
        }
    };
    steps::check_expr(compiler, index, &expr, place)?;
    let shape = shape(&expr);
    if shape.windowable || shape.has_over || shape.unordered || shape.rows == Rows::Other {
        let message = "`delete_where` looks at one change at a time, and this looks at several";
        compiler.report(
            Finding::error("invalid-expression", place.clone(), message)
                .hint("compute it as a column in a step of the transformer, and name that here"),
        );
        return None;
    }
    Some(MergeCondition {
        text: text.to_owned(),
        expr,
        place: place.clone(),
    })
}
