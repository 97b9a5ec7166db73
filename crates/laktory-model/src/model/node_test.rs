//! Tests of nodes: rows for what a node reads, and what must come of them.

use indexmap::IndexMap;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::decode::{
    Decode, Decoder, Definitions, Fields, Object as _, a, choice, expected, object,
};
use crate::model::{InlineData, Schema};
use crate::tree::{Kind, Node};

object! {
    /// A test of a node: it is computed from the given rows alone, and nothing is written.
    object NodeTest ["test"] {
        /// Name, unique among the tests of the pipeline.
        name: String, required;
        /// The node that is tested.
        node: String, required;
        /// What the test shows, for readers.
        description: Option<String>;
        /// The rows after this step of the transformer, counted from 1, before any rule, instead of the node's output; 0 is the
        /// source.
        step: Option<u64>;
        /// What the clock of expressions shows, such as `2024-01-31T08:00:00Z`; without a zone it is UTC. The current time when
        /// absent.
        clock: Option<String>;
        /// Values of `${vars.x}` in the pipeline; they win over those of the pipeline.
        variables: IndexMap<String, Value>;
        /// Values of `${params.x}`.
        parameters: IndexMap<String, Value>;
        /// Rows for what is read, by the name of a source of the node (`df` is the first), of another node, or by a path or table as
        /// written.
        given: IndexMap<String, GivenRows>;
        /// What must come of it.
        expect: ExpectedRows, required;
    }
}

object! {
    /// The tests of a pipeline, in a file of their own.
    object TestFile ["test file"] {
        /// The pipeline, relative to this file; `x.yaml` for `x.test.yaml` when absent.
        pipeline: Option<String>;
        /// The tests.
        tests: Vec<NodeTest>, required;
    }
}

object! {
    /// Rows for something that a node reads: a list of rows, a mapping of columns to values, or either under `data` with the types
    /// of the columns beside it.
    part GivenRows ["given rows object"] {
        /// A mapping of columns to values, or a list of rows. What a row lacks is null.
        data: InlineData, required;
        /// Columns and their types; those of what is replaced, where they are known, when absent.
        schema: Option<Schema>;
    }
}

impl From<InlineData> for GivenRows {
    fn from(data: InlineData) -> Self {
        Self { data, schema: None }
    }
}

impl Decode for GivenRows {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        // A column may be called `data` too; its values are no rows, and have no schema beside them.
        let whole = |entries: &'a [crate::tree::Entry]| {
            let nested = |node: &Node| match &node.kind {
                Kind::Map(_) => true,
                Kind::Seq(items) => items.iter().all(|item| item.as_map().is_some()),
                _ => false,
            };
            entries.iter().any(|entry| entry.key == "data")
                && entries.iter().all(|entry| match entry.key.as_str() {
                    "data" => nested(&entry.value),
                    "schema" => entry.value.as_map().is_some() || entry.value.is_null(),
                    key => key == "variables",
                })
        };
        match node.as_map().filter(|entries| whole(entries)) {
            Some(entries) => {
                let mut fields = Fields::new(entries, decoder);
                let given = Self::take(&mut fields);
                fields.finish(&a(Self::LABEL), &[Self::FIELDS]);
                Some(given)
            }
            None => InlineData::decode(node, decoder).map(Self::from),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let object = definitions.object::<Self>();
        let data = InlineData::schema(definitions);
        json!({ "anyOf": [object, data] })
    }
}

impl Serialize for GivenRows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.dump(&mut map)?;
        map.end()
    }
}

object! {
    /// What a test expects: the rows of the node, or more about it.
    part ExpectedRows ["expectation of a test"] {
        /// The rows, as a list of rows or a mapping of columns to values; columns that they do not name are not looked at.
        rows: Option<InlineData>;
        /// The rows that the node's rules quarantine.
        quarantine: Option<InlineData>;
        /// How many rows the node's `DROP` rules remove.
        dropped: Option<u64>;
        /// What the node's expectations find, by their names.
        expectations: IndexMap<String, ExpectedCheck>;
        /// Columns of the node and their types, which must be just these.
        schema: Option<Schema>;
        /// Whether the rows stand in this order; default false: in any order.
        ordered: bool;
        /// Whether the node has no columns but those of the rows, or of the schema; default false.
        exact: bool;
        /// How far floats may be off, as a fraction of the expected value.
        tolerance: f64 = 1e-9;
    }
}

impl ExpectedRows {
    /// Whether nothing is expected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_none()
            && self.quarantine.is_none()
            && self.dropped.is_none()
            && self.expectations.is_empty()
            && self.schema.is_none()
    }
}

impl Decode for ExpectedRows {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        if let Kind::Seq(_) = node.kind {
            let rows = InlineData::decode(node, decoder)?;
            return Some(Self {
                rows: Some(rows),
                ..Self::default()
            });
        }
        let Some(entries) = node.as_map() else {
            expected("a list of rows, or a mapping with `rows`", node, decoder);
            return None;
        };
        let mut fields = Fields::new(entries, decoder);
        let value = Self::take(&mut fields);
        fields.finish(&a(Self::LABEL), &[Self::FIELDS]);
        Some(value)
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let object = definitions.object::<Self>();
        let row = json!({ "type": "object" });
        let rows = definitions.list(&row, false);
        json!({ "anyOf": [object, rows] })
    }
}

impl Serialize for ExpectedRows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.dump(&mut map)?;
        map.end()
    }
}

choice! {
    /// Whether an expectation holds.
    Verdict ["verdict of an expectation"] {
        /// Within its tolerance.
        Pass = "PASS",
        /// Not.
        Fail = "FAIL",
    }
}

object! {
    /// What an expectation of the node finds: `2` rows that fail, `PASS` or `FAIL`, or both.
    part ExpectedCheck ["expected result of an expectation"] {
        /// Rows that fail.
        fails: Option<u64>;
        /// Rows that it looks at.
        rows: Option<u64>;
        /// Whether it holds.
        status: Option<Verdict>;
    }
}

impl Decode for ExpectedCheck {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        if let Some(entries) = node.as_map() {
            let mut fields = Fields::new(entries, decoder);
            let value = Self::take(&mut fields);
            fields.finish(&a(Self::LABEL), &[Self::FIELDS]);
            return Some(value);
        }
        match node.as_text().and_then(Verdict::parse) {
            Some(status) => Some(Self {
                status: Some(status),
                ..Self::default()
            }),
            None => Some(Self {
                fails: Some(u64::decode(node, decoder)?),
                ..Self::default()
            }),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let object = definitions.object::<Self>();
        let verdict = Verdict::schema(definitions);
        let fails = u64::schema(definitions);
        json!({ "anyOf": [object, verdict, fails] })
    }
}

impl Serialize for ExpectedCheck {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.dump(&mut map)?;
        map.end()
    }
}
