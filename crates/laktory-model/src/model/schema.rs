//! Declared schemas: columns with types.

use laktory_core::DType;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::decode::{Decode, Decoder, Definitions, FieldInfo, Fields, Object, Step, expected};
use crate::dtype;
use crate::tree::{Kind, Node};

/// Columns and their types, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// The columns.
    pub columns: Vec<SchemaColumn>,
}

/// One column of a [`Schema`].
#[derive(Clone, Debug, PartialEq)]
pub struct SchemaColumn {
    /// Name.
    pub name: String,
    /// Type.
    pub dtype: DType,
    /// Whether it may hold nulls; default true.
    pub nullable: bool,
    /// Whether it is part of the primary key.
    pub is_primary: bool,
}

impl SchemaColumn {
    /// A nullable column.
    #[must_use]
    pub fn new(name: impl Into<String>, dtype: DType) -> Self {
        Self {
            name: name.into(),
            dtype,
            nullable: true,
            is_primary: false,
        }
    }
}

impl Default for SchemaColumn {
    fn default() -> Self {
        Self::new("", DType::Unknown)
    }
}

impl Object for Schema {
    const LABEL: &'static str = "schema";
    const DOC: &'static str = "Columns and their types, in order.";
    const FIELDS: &'static [FieldInfo] = &[FieldInfo::required(
        "columns",
        "A list of columns, or a mapping of names to types.",
        |definitions| {
            let column = definitions.object::<SchemaColumn>();
            let list = definitions.list(&column, false);
            let unnamed = definitions.named("unnamed schema column", |definitions| {
                let doc = "A column whose name is the key.";
                definitions.fields("schema column", doc, &[&SchemaColumn::FIELDS[1..]])
            });
            let dtype = dtype::json_schema(definitions);
            json!({ "anyOf": [
                list,
                { "type": "object", "additionalProperties": { "anyOf": [unnamed, dtype] } },
            ] })
        },
    )];

    fn take<'a>(fields: &mut Fields<'a, '_>) -> Self {
        let Columns(columns) = fields.required("columns");
        Self { columns }
    }

    fn dump<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("columns", &self.columns)
    }
}

impl Decode for Schema {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            expected("a schema (a mapping with `columns`)", node, decoder);
            return None;
        };
        let mut fields = Fields::new(entries, decoder);
        let schema = Self::take(&mut fields);
        fields.finish("a schema", &[Self::FIELDS]);
        Some(schema)
    }

    fn schema(definitions: &mut Definitions) -> Value {
        definitions.object::<Self>()
    }
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        self.dump(&mut map)?;
        map.end()
    }
}

/// The value of `columns`.
#[derive(Default)]
struct Columns(Vec<SchemaColumn>);

impl Decode for Columns {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            return Vec::decode(node, decoder).map(Self);
        };
        let columns = entries.iter().map(|entry| {
            let column = decoder.at(Step::Key(&entry.key), |decoder| {
                let full = entry.value.entry("dtype").is_some();
                if full && let Some(entries) = entry.value.as_map() {
                    let mut fields = Fields::new(entries, decoder);
                    let column = SchemaColumn::take_unnamed(&mut fields);
                    fields.finish("a schema column", &[&SchemaColumn::FIELDS[1..]]);
                    return column;
                }
                let dtype = dtype::decode(&entry.value, decoder).unwrap_or(DType::Unknown);
                SchemaColumn::new("", dtype)
            });
            SchemaColumn {
                name: entry.key.clone(),
                ..column
            }
        });
        Some(Self(columns.collect()))
    }

    fn schema(definitions: &mut Definitions) -> Value {
        definitions.object::<SchemaColumn>()
    }
}

/// A type, decoded by the rules of `dtype`.
struct ColumnType(DType);

impl Default for ColumnType {
    fn default() -> Self {
        Self(DType::Unknown)
    }
}

impl Decode for ColumnType {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        dtype::decode(node, decoder).map(Self)
    }

    fn schema(definitions: &mut Definitions) -> Value {
        dtype::json_schema(definitions)
    }
}

impl SchemaColumn {
    fn take_unnamed<'a>(fields: &mut Fields<'a, '_>) -> Self {
        let ColumnType(dtype) = fields.required("dtype");
        Self {
            name: String::new(),
            dtype,
            nullable: fields.optional("nullable").unwrap_or(true),
            is_primary: fields.optional("is_primary").unwrap_or(false),
        }
    }
}

impl Object for SchemaColumn {
    const LABEL: &'static str = "schema column";
    const DOC: &'static str = "A column and its type.";
    const FIELDS: &'static [FieldInfo] = &[
        FieldInfo::required("name", "Name.", String::schema),
        FieldInfo::required(
            "dtype",
            "Type: a text such as `Int64`, `decimal(10, 2)` or `array<string>`, or a mapping.",
            ColumnType::schema,
        ),
        FieldInfo::optional(
            "nullable",
            "Whether it may hold nulls; default true.",
            bool::schema,
        ),
        FieldInfo::optional(
            "is_primary",
            "Whether it is part of the primary key.",
            bool::schema,
        ),
    ];

    fn take<'a>(fields: &mut Fields<'a, '_>) -> Self {
        let name = fields.required("name");
        Self {
            name,
            ..Self::take_unnamed(fields)
        }
    }

    fn dump<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("dtype", &dtype::text(&self.dtype))?;
        if !self.nullable {
            map.serialize_entry("nullable", &false)?;
        }
        if self.is_primary {
            map.serialize_entry("is_primary", &true)?;
        }
        Ok(())
    }
}

impl Decode for SchemaColumn {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            expected("a schema column (a mapping)", node, decoder);
            return None;
        };
        let mut fields = Fields::new(entries, decoder);
        let column = Self::take(&mut fields);
        fields.finish("a schema column", &[Self::FIELDS]);
        Some(column)
    }

    fn schema(definitions: &mut Definitions) -> Value {
        definitions.object::<Self>()
    }
}

impl Serialize for SchemaColumn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.dump(&mut map)?;
        map.end()
    }
}
