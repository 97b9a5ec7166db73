//! Sinks: where the output of a node goes.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::decode::{Decode, Decoder, Definitions, Fields, Item, Object as _, a, expected, object};
use crate::model::source::{KindRule, TYPE, pick_kind, typed};
use crate::model::{
    CustomCall, DataFrameApi, Kwargs, MergeCdcOptions, ReaderMethod, ResetMode, Schema,
    SharedOptions, TableMetadata, TableType, WriteMode, full_table_name,
};
use crate::tree::Node;

object! {
    /// What every sink has.
    part SinkCommon ["sink"] {
        /// What happens to what the target holds already; overwritten when absent.
        mode: Option<WriteMode>;
        /// Receives the quarantined rows instead of the output.
        is_quarantine: bool;
        /// Force or forbid a streaming write.
        as_stream: Option<bool>;
        /// Checkpoint of a stream; below the node's folder when absent.
        checkpoint_path: Option<String>;
        /// How changes are merged.
        merge_cdc_options: Option<MergeCdcOptions>;
        /// Columns and their types, for creating the target.
        schema_definition: Option<Schema>;
        /// Options of the writer.
        writer_kwargs: Kwargs;
        /// Calls on the writer.
        writer_methods: Vec<ReaderMethod>;
        /// The function that writes, instead of the engine.
        custom_writer: Option<CustomCall>;
        /// How a full refresh empties the target; dropped when absent.
        reset_mode: Option<ResetMode>;
        /// The target has other writers too.
        shared: Option<SharedOptions>, switch;
        /// Engine; inherited when absent.
        dataframe_backend: Option<String>, upper;
        /// Dataframe API; inherited when absent.
        dataframe_api: Option<DataFrameApi>;
    }
}

object! {
    /// A file or folder.
    part FileDataSink ["file sink"] {
        /// Where.
        path: String, required;
        /// Format, such as `PARQUET`.
        format: String, required_upper;
    }
}

object! {
    /// A table or view of a catalog.
    part TableDataSink ["table sink"] {
        /// Catalog.
        catalog_name: Option<String>;
        /// Schema (database) in the catalog.
        schema_name: Option<String>;
        /// Table; `schema.table` and `catalog.schema.table` win over the other keys.
        table_name: String, required;
        /// Table or view.
        table_type: TableType;
        /// Format of a table; `DELTA` when absent.
        format: Option<String>, upper;
        /// Comments, owner, properties and tags.
        metadata: Option<TableMetadata>;
        /// Data profiling (Unity Catalog).
        databricks_data_profiling_config: Option<Value>;
    }
}

impl TableDataSink {
    /// Catalog, schema and table, as far as known, joined by dots.
    #[must_use]
    pub fn full_name(&self) -> String {
        full_table_name(
            self.catalog_name.as_deref(),
            self.schema_name.as_deref(),
            &self.table_name,
        )
    }

    /// The format in effect.
    #[must_use]
    pub fn format(&self) -> &str {
        self.format.as_deref().unwrap_or("DELTA")
    }
}

object! {
    /// A view inside a declarative pipeline.
    part PipelineViewDataSink ["pipeline view sink"] {
        /// Its name.
        pipeline_view_name: String, required;
    }
}

/// What a sink is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum SinkKind {
    /// A view inside a declarative pipeline.
    PipelineView(PipelineViewDataSink),
    /// A file or folder.
    File(FileDataSink),
    /// A table of Unity Catalog.
    UnityCatalog(TableDataSink),
    /// A table of a Hive metastore.
    HiveMetastore(TableDataSink),
}

impl SinkKind {
    /// The `type` of the sink.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::PipelineView(_) => "PIPELINE_VIEW",
            Self::File(_) => "FILE",
            Self::UnityCatalog(_) => "UNITY_CATALOG",
            Self::HiveMetastore(_) => "HIVE_METASTORE",
        }
    }
}

/// One sink of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSink {
    /// What every sink has.
    pub common: SinkCommon,
    /// What it is made of.
    pub kind: SinkKind,
}

impl Default for DataSink {
    fn default() -> Self {
        Self {
            common: SinkCommon::default(),
            kind: SinkKind::File(FileDataSink::default()),
        }
    }
}

impl DataSink {
    /// The table, when it is one.
    #[must_use]
    pub fn table(&self) -> Option<&TableDataSink> {
        match &self.kind {
            SinkKind::UnityCatalog(table) | SinkKind::HiveMetastore(table) => Some(table),
            _ => None,
        }
    }

    /// The format of what it writes; none for views.
    #[must_use]
    pub fn format(&self) -> Option<&str> {
        match &self.kind {
            SinkKind::File(file) => Some(&file.format),
            SinkKind::UnityCatalog(table) | SinkKind::HiveMetastore(table) => {
                (table.table_type == TableType::Table).then(|| table.format())
            }
            SinkKind::PipelineView(_) => None,
        }
    }

    /// Whether it makes a view of a catalog.
    #[must_use]
    pub fn is_view(&self) -> bool {
        self.table()
            .is_some_and(|table| table.table_type == TableType::View)
    }
}

const SINK_KINDS: [KindRule; 4] = [
    KindRule {
        type_name: "PIPELINE_VIEW",
        key: "pipeline_view_name",
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
];

impl Item for DataSink {
    /// A single sink.
    fn instead_of_list(definitions: &mut Definitions) -> Vec<Value> {
        vec![Self::schema(definitions)]
    }
}

impl Decode for DataSink {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            expected("a sink (a mapping)", node, decoder);
            return None;
        };
        let mut fields = Fields::new(entries, decoder);
        let kind = pick_kind(&mut fields, &SINK_KINDS, "sink", node)?;
        let common = SinkCommon::take(&mut fields);
        macro_rules! finish {
            ($variant:ident, $object:ty) => {{
                let part = <$object>::take(&mut fields);
                fields.finish(
                    &a(<$object>::LABEL),
                    &[<$object>::FIELDS, SinkCommon::FIELDS, &TYPE],
                );
                SinkKind::$variant(part)
            }};
        }
        let kind = match kind {
            "PIPELINE_VIEW" => finish!(PipelineView, PipelineViewDataSink),
            "UNITY_CATALOG" => finish!(UnityCatalog, TableDataSink),
            "HIVE_METASTORE" => finish!(HiveMetastore, TableDataSink),
            _ => finish!(File, FileDataSink),
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
            part!(PipelineViewDataSink),
            part!(FileDataSink),
            part!(TableDataSink),
        ];
        let kinds: Vec<Value> = kinds
            .into_iter()
            .map(|(label, doc, own)| {
                definitions.named(label, |definitions| {
                    let tables = [own, SinkCommon::FIELDS];
                    let mut object = definitions.fields("sink", doc, &tables);
                    if label == TableDataSink::LABEL {
                        let old = "Old form of a node with one SQL step: the statement of a view.";
                        object["properties"]["view_definition"] =
                            json!({ "type": "string", "deprecated": true, "description": old });
                    }
                    typed(object, own, &SINK_KINDS)
                })
            })
            .collect();
        json!({ "anyOf": kinds })
    }
}

impl Serialize for DataSink {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if matches!(self.kind, SinkKind::HiveMetastore(_)) {
            map.serialize_entry("type", self.kind.type_name())?;
        }
        match &self.kind {
            SinkKind::PipelineView(sink) => sink.dump(&mut map)?,
            SinkKind::File(sink) => sink.dump(&mut map)?,
            SinkKind::UnityCatalog(sink) | SinkKind::HiveMetastore(sink) => sink.dump(&mut map)?,
        }
        self.common.dump(&mut map)?;
        map.end()
    }
}
