//! The objects of a pipeline, as plain values: what may be written, not what it does.
//!
//! Every object is declared by one table (see the `decode` module). An `Option` that is `None`, and a field at its
//! default, is left out of dumps; a dump reloads to an equal value.

mod choices;
mod dataset;
mod expectation;
mod inline_data;
mod method;
mod node;
mod node_test;
mod orchestrator;
mod orchestrator_keys;
mod pipeline;
mod schema;
mod sink;
mod source;
mod transformer;

pub use choices::{
    Action, DataFrameApi, ExpectationType, ExprType, QuarantinedRows, ResetMode, TableType,
    WriteMode,
};
pub use dataset::{ColumnMetadata, MergeCdcOptions, SharedOptions, TableMetadata, full_table_name};
pub use expectation::{Expectation, Tolerance};
pub use inline_data::InlineData;
pub use method::{ColumnExpr, CustomCall, ReaderMethod};
pub use node::PipelineNode;
pub use node_test::{ExpectedCheck, ExpectedRows, GivenRows, NodeTest, TestFile, Verdict};
pub use orchestrator::Orchestrator;
pub use pipeline::{Parameter, Pipeline};
pub use schema::{Schema, SchemaColumn};
pub use sink::{DataSink, FileDataSink, PipelineViewDataSink, SinkCommon, SinkKind, TableDataSink};
pub use source::{
    CustomDataSource, DataFrameDataSource, DataSource, DropDuplicates, FileDataSource,
    PipelineNodeDataSource, Selects, SourceCommon, SourceKind, TableDataSource,
};
pub use transformer::{DataFrameExpr, DataFrameMethod, Transformer, TransformerNode};

pub(crate) use source::NAMED_SOURCES;

use crate::decode::{FieldInfo, Object};

/// Options by name, in the order of the document.
pub type Kwargs = serde_json::Map<String, serde_json::Value>;

/// Every object with its fields.
pub(crate) fn tables() -> Vec<(&'static str, &'static [FieldInfo])> {
    macro_rules! of {
        ($($object:ty),* $(,)?) => { vec![$((<$object>::LABEL, <$object>::FIELDS)),*] };
    }
    of![
        Pipeline,
        PipelineNode,
        SourceCommon,
        FileDataSource,
        TableDataSource,
        DataFrameDataSource,
        PipelineNodeDataSource,
        CustomDataSource,
        Transformer,
        DataFrameExpr,
        DataFrameMethod,
        Expectation,
        SinkCommon,
        FileDataSink,
        TableDataSink,
        PipelineViewDataSink,
        MergeCdcOptions,
        SharedOptions,
        TableMetadata,
        Schema,
        SchemaColumn,
        NodeTest,
        GivenRows,
        ExpectedRows,
        ExpectedCheck,
    ]
}
