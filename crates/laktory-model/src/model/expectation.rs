//! Expectations: what must hold of a node's rows.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::decode::{
    Decode, Decoder, Definitions, FLOAT, FieldInfo, Fields, expected, given, object,
};
use crate::model::{Action, ColumnExpr, DataFrameApi, ExpectationType};
use crate::tree::Node;

object! {
    /// A condition that rows must meet, and what happens when they do not.
    object Expectation ["expectation"] {
        /// Name, for reports.
        name: String, required;
        /// The condition; true is good.
        expr: ColumnExpr, required;
        /// Whether it judges each row or the frame as a whole.
        r#type: ExpectationType;
        /// What happens when it fails.
        action: Action;
        /// How much may fail; nothing when absent.
        tolerance: Tolerance;
        /// Engine; inherited when absent.
        dataframe_backend: Option<String>, upper;
        /// Dataframe API; inherited when absent.
        dataframe_api: Option<DataFrameApi>;
    }
}

/// How many rows may fail before an expectation does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// A number of rows.
    Abs(u64),
    /// A fraction of the rows, 0 to 1.
    Rel(f64),
}

impl Default for Tolerance {
    fn default() -> Self {
        Self::Abs(0)
    }
}

impl Tolerance {
    /// Whether nothing may fail.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::Abs(0)
    }
}

impl Decode for Tolerance {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            expected(
                "a tolerance such as `{abs: 5}` or `{rel: 0.05}`",
                node,
                decoder,
            );
            return None;
        };
        let before = decoder.found();
        let mut fields = Fields::new(entries, decoder);
        let given = fields.peek("abs").is_some() || fields.peek("rel").is_some();
        let abs: Option<u64> = fields.optional("abs");
        let rel: Option<f64> = fields.optional("rel");
        fields.finish("a tolerance", &[&TOLERANCE_FIELDS]);
        match (abs, rel) {
            (Some(_), Some(_)) => {
                let hint = "keep one of them".to_owned();
                decoder.error_with_hint(
                    "tolerance",
                    "a tolerance has either `abs` or `rel`, not both",
                    Some(hint),
                );
                None
            }
            (Some(abs), None) => Some(Self::Abs(abs)),
            (None, Some(rel)) => Some(Self::Rel(rel)),
            (None, None) => {
                if !given && decoder.found() == before {
                    decoder.error("tolerance", "a tolerance needs `abs` or `rel`");
                }
                None
            }
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let doc = "How many rows may fail before the expectation does: `abs` or `rel`.";
        definitions.named("tolerance", |definitions| {
            let mut tolerance = definitions.fields("tolerance", doc, &[&TOLERANCE_FIELDS]);
            let unset = definitions.unset();
            let only = |key: &str, other: &str| {
                json!({ "allOf": [given(key), { "properties": { other: unset } }] })
            };
            if let Value::Object(tolerance) = &mut tolerance {
                let either = json!([only("abs", "rel"), only("rel", "abs")]);
                tolerance.insert("anyOf".to_owned(), either);
            }
            tolerance
        })
    }
}

static TOLERANCE_FIELDS: [FieldInfo; 2] = [
    FieldInfo::optional("abs", "Number of rows.", u64::schema),
    FieldInfo::optional("rel", "Fraction of the rows, 0 to 1.", |_| {
        json!({ "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 1 },
            { "type": "string", "pattern": FLOAT },
        ] })
    }),
];

impl Serialize for Tolerance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Abs(abs) => map.serialize_entry("abs", abs)?,
            Self::Rel(rel) => map.serialize_entry("rel", rel)?,
        }
        map.end()
    }
}
