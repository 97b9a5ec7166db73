//! Transformers: chains of SQL and method steps.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::decode::{Decode, Decoder, Definitions, Fields, Item, Object as _, expected, object};
use crate::model::{DataFrameApi, ExprType, Kwargs};
use crate::tree::Node;

object! {
    /// A chain of steps; the output of one is `{df}` of the next.
    object Transformer ["transformer"] {
        /// The steps, in order.
        nodes: Vec<TransformerNode>;
        /// Engine; inherited when absent.
        dataframe_backend: Option<String>, upper;
        /// Dataframe API; inherited when absent.
        dataframe_api: Option<DataFrameApi>;
    }
}

object! {
    /// A step in SQL: one `SELECT` statement.
    object DataFrameExpr ["SQL step"] {
        /// The statement, with `{df}`, `{sources.x}` and `{nodes.x}` for frames.
        expr: String, required;
        /// `SQL`, the only language of statements.
        r#type: Option<ExprType>;
        /// Engine; inherited when absent.
        dataframe_backend: Option<String>, upper;
        /// Dataframe API; inherited when absent.
        dataframe_api: Option<DataFrameApi>;
    }
}

object! {
    /// A step that calls a method of the frame.
    object DataFrameMethod ["method step"] {
        /// The method; dots walk namespaces.
        func_name: String, required;
        /// Positional arguments. Texts may be expressions or placeholders of frames.
        func_args: Vec<Value>;
        /// Keyword arguments.
        func_kwargs: Kwargs;
        /// Engine; inherited when absent.
        dataframe_backend: Option<String>, upper;
        /// Dataframe API; inherited when absent.
        dataframe_api: Option<DataFrameApi>;
    }
}

/// One step of a transformer.
#[derive(Clone, Debug, PartialEq)]
pub enum TransformerNode {
    /// A statement.
    Sql(DataFrameExpr),
    /// A method call.
    Method(DataFrameMethod),
}

impl Default for TransformerNode {
    fn default() -> Self {
        Self::Sql(DataFrameExpr::default())
    }
}

impl From<DataFrameExpr> for TransformerNode {
    fn from(step: DataFrameExpr) -> Self {
        Self::Sql(step)
    }
}

impl From<DataFrameMethod> for TransformerNode {
    fn from(step: DataFrameMethod) -> Self {
        Self::Method(step)
    }
}

impl Item for TransformerNode {}

impl Decode for TransformerNode {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            if let Some(text) = node.as_text() {
                let short: String = text.chars().take(20).collect();
                let hint =
                    format!("write `expr: {short}…` for SQL, or `func_name: …` for a method");
                let message = "a step is a mapping with `expr` or `func_name`, not a text";
                decoder.error_with_hint("wrong-type", message, Some(hint));
            } else {
                expected(
                    "a step (a mapping with `expr` or `func_name`)",
                    node,
                    decoder,
                );
            }
            return None;
        };
        let mut fields = Fields::new(entries, decoder);
        let sql = fields.peek("expr").is_some();
        let method = fields.peek("func_name").is_some();
        let method_like = method
            || entries.iter().any(|entry| {
                let key = entry.key.as_str();
                key == "func_args"
                    || key == "func_kwargs"
                    || laktory_syntax::nearest(key, ["func_name", "expr"]) == Some("func_name")
            });
        if sql && method {
            fields.claim("func_name");
            fields.claim("func_args");
            fields.claim("func_kwargs");
            let step = DataFrameExpr::take(&mut fields);
            fields.decoder.error_with_hint(
                "step",
                "a step has either `expr` or `func_name`, not both",
                Some("make it two steps".to_owned()),
            );
            fields.finish("a SQL step", &[DataFrameExpr::FIELDS]);
            return Some(Self::Sql(step));
        }
        if method_like && !sql {
            let step = DataFrameMethod::take(&mut fields);
            fields.finish("a method step", &[DataFrameMethod::FIELDS]);
            return Some(Self::Method(step));
        }
        let step = DataFrameExpr::take(&mut fields);
        fields.finish("a SQL step", &[DataFrameExpr::FIELDS]);
        Some(Self::Sql(step))
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let sql = definitions.object::<DataFrameExpr>();
        let method = definitions.object::<DataFrameMethod>();
        let columns = definitions.named("column step", |definitions| {
            let columns = definitions.named("added column", |_| added_column());
            let columns = json!({ "anyOf": [columns, { "type": "array", "items": columns }] });
            let doc = "Old form of `func_name: with_columns`.";
            json!({
                "type": "object",
                "description": doc,
                "deprecated": true,
                "properties": { "with_column": columns, "with_columns": columns },
                "anyOf": [{ "required": ["with_column"] }, { "required": ["with_columns"] }],
            })
        });
        json!({ "anyOf": [sql, method, columns] })
    }
}

impl Serialize for TransformerNode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Sql(step) => step.serialize(serializer),
            Self::Method(step) => step.serialize(serializer),
        }
    }
}

/// A column of the old column steps.
fn added_column() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": ["string", "number", "boolean"] },
            "expr": { "type": ["string", "number", "boolean"] },
            "unit": { "type": "null" },
        },
        "required": ["name", "expr"],
    })
}
