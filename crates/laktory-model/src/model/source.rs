//! Sources: what a node reads, and what is done to it right after reading.

use indexmap::IndexMap;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::decode::{
    Decode, Decoder, Definitions, FieldInfo, Fields, Item, Object as _, a, expected, object,
    one_of_words,
};
use crate::model::{
    CustomCall, DataFrameApi, InlineData, Kwargs, ReaderMethod, Schema, full_table_name,
};
use crate::tree::{Kind, Node};

object! {
    /// What every source has.
    part SourceCommon ["source"] {
        /// Name, used as `{sources.<name>}`. The first source needs none.
        name: Option<String>;
        /// Read only what is new.
        as_stream: bool;
        /// SQL condition of the rows to keep.
        filter: Option<String>;
        /// Columns to keep: a list of SQL expressions, or a mapping of expressions to new names.
        selects: Option<Selects>;
        /// Old column names to new ones.
        renames: IndexMap<String, String>;
        /// Columns to leave out; unknown names are ignored.
        drops: Vec<String>;
        /// Leave out duplicates: of whole rows, or of the listed columns.
        drop_duplicates: Option<DropDuplicates>;
        /// Engine; inherited when absent.
        dataframe_backend: Option<String>, upper;
        /// Dataframe API; inherited when absent.
        dataframe_api: Option<DataFrameApi>;
    }
}

object! {
    /// Files.
    part FileDataSource ["file source"] {
        /// File, folder, glob or URL.
        path: String, required;
        /// Format, such as `PARQUET`.
        format: String, required_upper;
        /// Whether the first line of a CSV file holds the names; default true.
        has_header: Option<bool>;
        /// Whether types are guessed from the text; default false.
        infer_schema: Option<bool>;
        /// Whether the columns of `schema` are those of a CSV file by their order; default false: by the names of its header.
        by_position: Option<bool>;
        /// Columns and their types.
        schema_definition: Option<Schema>;
        /// Where schemas of a stream are kept; next to `path` when absent.
        schema_location: Option<String>;
        /// Options of the reader.
        reader_kwargs: Kwargs;
        /// Calls on the reader.
        reader_methods: Vec<ReaderMethod>;
    }
}

object! {
    /// A table of a catalog.
    part TableDataSource ["table source"] {
        /// Catalog.
        catalog_name: Option<String>;
        /// Schema (database) in the catalog.
        schema_name: Option<String>;
        /// Table; `schema.table` and `catalog.schema.table` win over the other keys.
        table_name: String, required;
        /// Options of the reader.
        reader_kwargs: Kwargs;
        /// Calls on the reader.
        reader_methods: Vec<ReaderMethod>;
    }
}

impl TableDataSource {
    /// Catalog, schema and table, as far as known, joined by dots.
    #[must_use]
    pub fn full_name(&self) -> String {
        full_table_name(
            self.catalog_name.as_deref(),
            self.schema_name.as_deref(),
            &self.table_name,
        )
    }
}

object! {
    /// Rows written in the pipeline itself.
    part DataFrameDataSource ["inline data source"] {
        /// A mapping of columns to values, or a list of rows.
        data: InlineData, required;
        /// Columns and their types; what a row lacks is null. Told from the values when absent.
        schema_definition: Option<Schema>;
    }
}

object! {
    /// Another node of the pipeline.
    part PipelineNodeDataSource ["pipeline node source"] {
        /// Its name.
        node_name: String, required;
        /// Options of the reader, when its sink is read.
        reader_kwargs: Kwargs;
        /// Calls on the reader, when its sink is read.
        reader_methods: Vec<ReaderMethod>;
    }
}

object! {
    /// A reader of a plug-in.
    part CustomDataSource ["custom source"] {
        /// The function that reads.
        custom_reader: CustomCall, required;
    }
}

/// What a source is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceKind {
    /// A reader of a plug-in.
    Custom(CustomDataSource),
    /// Files.
    File(FileDataSource),
    /// A table of Unity Catalog.
    UnityCatalog(TableDataSource),
    /// A table of a Hive metastore.
    HiveMetastore(TableDataSource),
    /// Rows written in the pipeline.
    DataFrame(DataFrameDataSource),
    /// Another node.
    PipelineNode(PipelineNodeDataSource),
}

impl SourceKind {
    /// The `type` of the source.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Custom(_) => "CUSTOM",
            Self::File(_) => "FILE",
            Self::UnityCatalog(_) => "UNITY_CATALOG",
            Self::HiveMetastore(_) => "HIVE_METASTORE",
            Self::DataFrame(_) => "DATAFRAME",
            Self::PipelineNode(_) => "PIPELINE_NODE",
        }
    }
}

/// One source of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSource {
    /// What every source has.
    pub common: SourceCommon,
    /// What it is made of.
    pub kind: SourceKind,
}

impl Default for DataSource {
    fn default() -> Self {
        Self {
            common: SourceCommon::default(),
            kind: SourceKind::File(FileDataSource::default()),
        }
    }
}

impl DataSource {
    /// The node it reads, when it reads one.
    #[must_use]
    pub fn node_name(&self) -> Option<&str> {
        match &self.kind {
            SourceKind::PipelineNode(source) => Some(&source.node_name),
            _ => None,
        }
    }

    /// What it reads, for logs: path, table, node or function.
    #[must_use]
    pub fn id(&self) -> String {
        match &self.kind {
            SourceKind::Custom(source) => source.custom_reader.func_name.clone(),
            SourceKind::File(source) => source.path.clone(),
            SourceKind::UnityCatalog(source) | SourceKind::HiveMetastore(source) => {
                source.full_name()
            }
            SourceKind::DataFrame(_) => "DataFrame".to_owned(),
            SourceKind::PipelineNode(source) => source.node_name.clone(),
        }
    }
}

/// One way to say which kind an object of several kinds is.
pub(crate) struct KindRule {
    pub(crate) type_name: &'static str,
    /// The key that only this kind has. A table key stands for both kinds of table.
    pub(crate) key: &'static str,
}

const SOURCE_KINDS: [KindRule; 6] = [
    KindRule {
        type_name: "CUSTOM",
        key: "custom_reader",
    },
    KindRule {
        type_name: "FILE",
        key: "path",
    },
    KindRule {
        type_name: "UNITY_CATALOG",
        key: "table_name",
    },
    KindRule {
        type_name: "HIVE_METASTORE",
        key: "table_name",
    },
    KindRule {
        type_name: "DATAFRAME",
        key: "data",
    },
    KindRule {
        type_name: "PIPELINE_NODE",
        key: "node_name",
    },
];

/// The kind of a source or sink: by `type`, else by its distinguishing key, else by a key that looks like one
/// (R-MODEL-6). Reports a `type` that is unknown or contradicts the keys. None after a report.
pub(crate) fn pick_kind(
    fields: &mut Fields<'_, '_>,
    rules: &[KindRule],
    label: &str,
    node: &Node,
) -> Option<&'static str> {
    let keys: Vec<&str> = node
        .as_map()
        .unwrap_or(&[])
        .iter()
        .map(|entry| entry.key.as_str())
        .collect();
    let by_key = rules.iter().find(|rule| fields.peek(rule.key).is_some());
    let declared = fields.claim("type");
    if let Some(entry) = declared
        && !entry.value.is_poison()
    {
        let text = entry.value.as_text().unwrap_or_default();
        let rule = rules
            .iter()
            .find(|rule| rule.type_name.eq_ignore_ascii_case(text.trim()));
        match (rule, by_key) {
            (None, _) => {
                let hint =
                    laktory_syntax::did_you_mean(text, rules.iter().map(|rule| rule.type_name));
                fields
                    .decoder
                    .at(crate::decode::Step::Key(&entry.key), |decoder| {
                        decoder.error_with_hint(
                            "unknown-word",
                            format!("`{text}` is not a type of {label}"),
                            hint,
                        );
                    });
            }
            (Some(rule), Some(keyed))
                if rule.key != keyed.key && fields.peek(rule.key).is_none() =>
            {
                let message = format!(
                    "`type` is `{}`, but `{}` belongs to type `{}`",
                    rule.type_name, keyed.key, keyed.type_name
                );
                let hint = format!("a `{}` {label} has `{}`", rule.type_name, rule.key);
                fields
                    .decoder
                    .at(crate::decode::Step::Key(&entry.key), |decoder| {
                        decoder.error_with_hint("type-conflict", message, Some(hint));
                    });
            }
            (Some(rule), _) => return Some(rule.type_name),
        }
    }
    if let Some(rule) = by_key {
        return Some(rule.type_name);
    }
    let near = |key: &&str| {
        let rules = rules.iter().map(|rule| rule.key).chain(["format"]);
        let found = laktory_syntax::nearest(key, rules)?;
        Some(if found == "format" { "path" } else { found })
    };
    let common = ["name", "type", "filter", "mode", "variables"];
    let guess = keys
        .iter()
        .filter(|key| !common.contains(key))
        .find_map(near);
    if let Some(key) = guess {
        return rules
            .iter()
            .find(|rule| rule.key == key)
            .map(|rule| rule.type_name);
    }
    if declared.is_none()
        || by_key.is_none() && declared.is_some_and(|entry| entry.value.is_poison())
    {
        let mut names: Vec<&str> = rules.iter().map(|rule| rule.key).collect();
        names.dedup();
        let message = format!("cannot tell what kind of {label} this is");
        let hint = format!("give one of `{}`", names.join("`, `"));
        fields
            .decoder
            .error_with_hint("unknown-kind", message, Some(hint));
    }
    None
}

impl Item for DataSource {
    /// A single source, or a mapping of names to sources.
    fn instead_of_list(definitions: &mut Definitions) -> Vec<Value> {
        let source = Self::schema(definitions);
        let named = definitions.named(
            NAMED_SOURCES,
            |_| json!({ "type": "object", "additionalProperties": source, "minProperties": 1 }),
        );
        vec![source, named]
    }
}

/// The part of the JSON schema for sources by name.
pub(crate) const NAMED_SOURCES: &str = "named sources";

impl Decode for DataSource {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            expected("a source (a mapping)", node, decoder);
            return None;
        };
        let mut fields = Fields::new(entries, decoder);
        let live = fields.peek("df").is_some() && fields.peek("path").is_none();
        if live && !live_frame(&mut fields) {
            return None;
        }
        let kind = pick_kind(&mut fields, &SOURCE_KINDS, "source", node)?;
        let common = SourceCommon::take(&mut fields);
        macro_rules! finish {
            ($variant:ident, $object:ty) => {{
                let part = <$object>::take(&mut fields);
                fields.finish(
                    &a(<$object>::LABEL),
                    &[<$object>::FIELDS, SourceCommon::FIELDS, &TYPE],
                );
                SourceKind::$variant(part)
            }};
        }
        let kind = match kind {
            "CUSTOM" => finish!(Custom, CustomDataSource),
            "UNITY_CATALOG" => finish!(UnityCatalog, TableDataSource),
            "HIVE_METASTORE" => finish!(HiveMetastore, TableDataSource),
            "DATAFRAME" => finish!(DataFrame, DataFrameDataSource),
            "PIPELINE_NODE" => finish!(PipelineNode, PipelineNodeDataSource),
            _ => finish!(File, FileDataSource),
        };
        Some(Self { common, kind })
    }

    fn schema(definitions: &mut Definitions) -> Value {
        macro_rules! part {
            ($object:ty) => {
                (<$object>::LABEL, <$object>::DOC, <$object>::FIELDS)
            };
        }
        let kinds = [
            part!(CustomDataSource),
            part!(FileDataSource),
            part!(TableDataSource),
            part!(DataFrameDataSource),
            part!(PipelineNodeDataSource),
        ];
        let kinds: Vec<Value> = kinds
            .into_iter()
            .map(|(label, doc, own)| {
                definitions.named(label, |definitions| {
                    let tables = [own, SourceCommon::FIELDS];
                    let object = definitions.fields("source", doc, &tables);
                    typed(object, own, &SOURCE_KINDS)
                })
            })
            .collect();
        json!({ "anyOf": kinds })
    }
}

/// `df` holds a live frame, which no document can (E7). Whether there is `data` to go on with.
fn live_frame(fields: &mut Fields<'_, '_>) -> bool {
    let both = fields.peek("data").is_some();
    let Some(entry) = fields.claim("df") else {
        return both;
    };
    let (message, hint) = if both {
        (
            "a source has either `data` or `df`, not both",
            "remove `df`",
        )
    } else {
        (
            "`df` is a live frame and cannot be written in a document",
            "write the rows under `data`",
        )
    };
    fields
        .decoder
        .at(crate::decode::Step::Key(&entry.key), |decoder| {
            decoder.error_with_hint("inline-data", message, Some(hint.to_owned()));
        });
    both
}

/// The `type` key of sources and sinks.
pub(crate) static TYPE: [FieldInfo; 1] = [FieldInfo::optional(
    "type",
    "Kind; told from the other keys when absent.",
    String::schema,
)];

/// The schema of a kind of source or sink, with the words for the kind under `type`.
pub(crate) fn typed(mut object: Value, own: &[FieldInfo], rules: &[KindRule]) -> Value {
    let words: Vec<&str> = rules
        .iter()
        .filter(|rule| own.iter().any(|field| field.name == rule.key))
        .map(|rule| rule.type_name)
        .collect();
    let mut kind = one_of_words(&words, &words);
    if let Some(forms) = kind["anyOf"].as_array_mut() {
        // As every value, it may be unset or a placeholder.
        forms.push(json!({ "$ref": "#/$defs/unset" }));
        forms.push(json!({ "$ref": "#/$defs/elsewhere" }));
    }
    kind["description"] = TYPE[0].doc.into();
    object["properties"]["type"] = kind;
    object
}

impl Serialize for DataSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if matches!(self.kind, SourceKind::HiveMetastore(_)) {
            map.serialize_entry("type", self.kind.type_name())?;
        }
        match &self.kind {
            SourceKind::Custom(source) => source.dump(&mut map)?,
            SourceKind::File(source) => source.dump(&mut map)?,
            SourceKind::UnityCatalog(source) | SourceKind::HiveMetastore(source) => {
                source.dump(&mut map)?;
            }
            SourceKind::DataFrame(source) => source.dump(&mut map)?,
            SourceKind::PipelineNode(source) => source.dump(&mut map)?,
        }
        self.common.dump(&mut map)?;
        map.end()
    }
}

/// The columns that a source keeps.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Selects {
    /// SQL expressions.
    List(Vec<String>),
    /// SQL expressions and the names of their results.
    Map(IndexMap<String, String>),
}

impl Decode for Selects {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        match node.kind {
            Kind::Map(_) => IndexMap::decode(node, decoder).map(Self::Map),
            _ => Vec::decode(node, decoder).map(Self::List),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let list = Vec::<String>::schema(definitions);
        let map = IndexMap::<String, String>::schema(definitions);
        json!({ "anyOf": [list, map] })
    }
}

/// Which duplicates a source leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DropDuplicates {
    /// Of whole rows; false leaves out none.
    All(bool),
    /// Of these columns.
    Subset(Vec<String>),
}

impl Decode for DropDuplicates {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        match node.kind {
            Kind::Seq(_) => Vec::decode(node, decoder).map(Self::Subset),
            _ => bool::decode(node, decoder).map(Self::All),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let name = String::schema(definitions);
        let list = definitions.list(&name, false);
        let switch = bool::schema(definitions);
        json!({ "anyOf": [switch, list] })
    }
}
