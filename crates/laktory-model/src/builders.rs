//! Pipelines declared in code: constructors and chained setters that read like the YAML.
//!
//! Fields are public; the setters cover what most pipelines use.

use serde_json::Value;

use crate::model::{
    Action, ColumnExpr, CustomCall, CustomDataSource, DataFrameApi, DataFrameDataSource,
    DataFrameExpr, DataFrameMethod, DataSink, DataSource, DropDuplicates, Expectation,
    ExpectationType, FileDataSink, FileDataSource, InlineData, Pipeline, PipelineNode,
    PipelineNodeDataSource, PipelineViewDataSink, Schema, SchemaColumn, Selects, SinkKind,
    SourceCommon, SourceKind, TableDataSink, TableDataSource, Tolerance, Transformer,
    TransformerNode, WriteMode,
};

impl Pipeline {
    /// A pipeline without nodes.
    ///
    /// ```
    /// use laktory_model::{
    ///     Action, DataFrameMethod, Expectation, FileDataSink, FileDataSource, Pipeline, PipelineNode,
    ///     PipelineNodeDataSource, validate,
    /// };
    ///
    /// let brz = PipelineNode::new("brz")
    ///     .source(FileDataSource::new("./data/", "JSONL"))
    ///     .sink(FileDataSink::new("./brz.parquet", "PARQUET"));
    /// let slv = PipelineNode::new("slv")
    ///     .source(PipelineNodeDataSource::new("brz"))
    ///     .sql("SELECT data.symbol AS symbol, data.open AS open FROM {df}")
    ///     .method(DataFrameMethod::new("unique").kwarg("subset", ["symbol"]).kwarg("keep", "any"))
    ///     .expectation(Expectation::new("price positive", "open > 0").action(Action::Drop))
    ///     .sink(FileDataSink::new("./slv.parquet", "PARQUET"));
    /// let pipeline = Pipeline::new("pl").dataframe_backend("POLARS").node(brz).node(slv);
    /// assert!(validate(&pipeline).is_empty());
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Sets the engine.
    #[must_use]
    pub fn dataframe_backend(mut self, backend: impl AsRef<str>) -> Self {
        self.dataframe_backend = Some(backend.as_ref().to_ascii_uppercase());
        self
    }

    /// Sets the API of method steps.
    #[must_use]
    pub fn dataframe_api(mut self, api: DataFrameApi) -> Self {
        self.dataframe_api = Some(api);
        self
    }

    /// Adds a node.
    #[must_use]
    pub fn node(mut self, node: PipelineNode) -> Self {
        self.nodes.push(node);
        self
    }

    /// Gives an engine a setting, such as `("PYSPARK", "spark_remote", "sc://host")`.
    #[must_use]
    pub fn backend_setting(
        mut self,
        backend: impl AsRef<str>,
        name: impl Into<String>,
        value: impl Into<serde_json::Value>,
    ) -> Self {
        let backend = backend.as_ref().to_ascii_uppercase();
        let settings = self.backend_settings.entry(backend).or_default();
        settings.insert(name.into(), value.into());
        self
    }
}

impl PipelineNode {
    /// A node that neither reads nor writes yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Adds a source; the first one is the primary source.
    #[must_use]
    pub fn source(mut self, source: impl Into<DataSource>) -> Self {
        self.sources.push(source.into());
        self
    }

    /// Adds a sink.
    #[must_use]
    pub fn sink(mut self, sink: impl Into<DataSink>) -> Self {
        self.sinks.push(sink.into());
        self
    }

    /// Adds a step to the transformer.
    #[must_use]
    pub fn step(mut self, step: impl Into<TransformerNode>) -> Self {
        let transformer = self.transformer.get_or_insert_with(Transformer::default);
        transformer.nodes.push(step.into());
        self
    }

    /// Adds a SQL step.
    #[must_use]
    pub fn sql(self, statement: impl Into<String>) -> Self {
        self.step(DataFrameExpr::new(statement))
    }

    /// Adds a method step.
    #[must_use]
    pub fn method(self, method: DataFrameMethod) -> Self {
        self.step(method)
    }

    /// Adds an expectation.
    #[must_use]
    pub fn expectation(mut self, expectation: Expectation) -> Self {
        self.expectations.push(expectation);
        self
    }

    /// Adds a node that must run before.
    #[must_use]
    pub fn depends_on(mut self, node: impl Into<String>) -> Self {
        self.depends_on.push(node.into());
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Sets the engine of this node.
    #[must_use]
    pub fn dataframe_backend(mut self, backend: impl AsRef<str>) -> Self {
        self.dataframe_backend = Some(backend.as_ref().to_ascii_uppercase());
        self
    }
}

impl FileDataSource {
    /// Files at `path` in `format`.
    #[must_use]
    pub fn new(path: impl Into<String>, format: impl AsRef<str>) -> Self {
        Self {
            path: path.into(),
            format: format.as_ref().to_ascii_uppercase(),
            ..Self::default()
        }
    }

    /// Sets whether the first line of a CSV file holds the names.
    #[must_use]
    pub fn has_header(mut self, has_header: bool) -> Self {
        self.has_header = Some(has_header);
        self
    }

    /// Sets whether types are guessed.
    #[must_use]
    pub fn infer_schema(mut self, infer_schema: bool) -> Self {
        self.infer_schema = Some(infer_schema);
        self
    }

    /// Sets the columns and their types.
    #[must_use]
    pub fn schema(mut self, columns: impl IntoIterator<Item = SchemaColumn>) -> Self {
        self.schema_definition = Some(Schema {
            columns: columns.into_iter().collect(),
        });
        self
    }

    /// Sets an option of the reader.
    #[must_use]
    pub fn reader_kwarg(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.reader_kwargs.insert(name.into(), value.into());
        self
    }
}

impl PipelineNodeDataSource {
    /// The node called `node_name`.
    #[must_use]
    pub fn new(node_name: impl Into<String>) -> Self {
        Self {
            node_name: node_name.into(),
            ..Self::default()
        }
    }
}

impl TableDataSource {
    /// The table called `table_name`, which may be dotted.
    #[must_use]
    pub fn new(table_name: impl Into<String>) -> Self {
        Self {
            table_name: table_name.into(),
            ..Self::default()
        }
    }
}

impl DataFrameDataSource {
    /// The given rows.
    #[must_use]
    pub fn new(data: InlineData) -> Self {
        Self {
            data,
            ..Self::default()
        }
    }

    /// Sets the columns and their types.
    #[must_use]
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema_definition = Some(schema);
        self
    }
}

impl CustomDataSource {
    /// The reader at the dotted path `function`.
    #[must_use]
    pub fn new(function: impl Into<String>) -> Self {
        Self {
            custom_reader: CustomCall {
                func_name: function.into(),
                ..CustomCall::default()
            },
        }
    }
}

impl DataSource {
    fn of(kind: SourceKind) -> Self {
        Self {
            common: SourceCommon::default(),
            kind,
        }
    }

    /// Sets the name, used as `{sources.<name>}`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.common.name = Some(name.into());
        self
    }

    /// Sets the SQL condition of the rows to keep.
    #[must_use]
    pub fn filter(mut self, condition: impl Into<String>) -> Self {
        self.common.filter = Some(condition.into());
        self
    }

    /// Sets the SQL expressions of the columns to keep.
    #[must_use]
    pub fn selects<T: Into<String>>(mut self, columns: impl IntoIterator<Item = T>) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        self.common.selects = Some(Selects::List(columns));
        self
    }

    /// Renames a column.
    #[must_use]
    pub fn rename(mut self, old: impl Into<String>, new: impl Into<String>) -> Self {
        self.common.renames.insert(old.into(), new.into());
        self
    }

    /// Leaves a column out.
    #[must_use]
    pub fn drop_column(mut self, column: impl Into<String>) -> Self {
        self.common.drops.push(column.into());
        self
    }

    /// Leaves duplicates out.
    #[must_use]
    pub fn drop_duplicates(mut self, which: DropDuplicates) -> Self {
        self.common.drop_duplicates = Some(which);
        self
    }

    /// Reads only what is new.
    #[must_use]
    pub fn as_stream(mut self) -> Self {
        self.common.as_stream = true;
        self
    }
}

impl From<FileDataSource> for DataSource {
    fn from(source: FileDataSource) -> Self {
        Self::of(SourceKind::File(source))
    }
}

impl From<PipelineNodeDataSource> for DataSource {
    fn from(source: PipelineNodeDataSource) -> Self {
        Self::of(SourceKind::PipelineNode(source))
    }
}

impl From<TableDataSource> for DataSource {
    /// A Unity Catalog table, the default kind of table.
    fn from(source: TableDataSource) -> Self {
        Self::of(SourceKind::UnityCatalog(source))
    }
}

impl From<DataFrameDataSource> for DataSource {
    fn from(source: DataFrameDataSource) -> Self {
        Self::of(SourceKind::DataFrame(source))
    }
}

impl From<CustomDataSource> for DataSource {
    fn from(source: CustomDataSource) -> Self {
        Self::of(SourceKind::Custom(source))
    }
}

impl FileDataSink {
    /// A file or folder at `path` in `format`.
    #[must_use]
    pub fn new(path: impl Into<String>, format: impl AsRef<str>) -> Self {
        Self {
            path: path.into(),
            format: format.as_ref().to_ascii_uppercase(),
        }
    }
}

impl TableDataSink {
    /// The table called `table_name`, which may be dotted.
    #[must_use]
    pub fn new(table_name: impl Into<String>) -> Self {
        Self {
            table_name: table_name.into(),
            ..Self::default()
        }
    }
}

impl DataSink {
    fn of(kind: SinkKind) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    /// Sets what happens to what the target holds already.
    #[must_use]
    pub fn mode(mut self, mode: WriteMode) -> Self {
        self.common.mode = Some(mode);
        self
    }

    /// Makes it receive the quarantined rows.
    #[must_use]
    pub fn quarantine(mut self) -> Self {
        self.common.is_quarantine = true;
        self
    }

    /// Sets an option of the writer.
    #[must_use]
    pub fn writer_kwarg(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.common.writer_kwargs.insert(name.into(), value.into());
        self
    }
}

impl From<FileDataSink> for DataSink {
    fn from(sink: FileDataSink) -> Self {
        Self::of(SinkKind::File(sink))
    }
}

impl From<TableDataSink> for DataSink {
    /// A Unity Catalog table, the default kind of table.
    fn from(sink: TableDataSink) -> Self {
        Self::of(SinkKind::UnityCatalog(sink))
    }
}

impl From<PipelineViewDataSink> for DataSink {
    fn from(sink: PipelineViewDataSink) -> Self {
        Self::of(SinkKind::PipelineView(sink))
    }
}

impl DataFrameExpr {
    /// A SQL step.
    #[must_use]
    pub fn new(expr: impl Into<String>) -> Self {
        Self {
            expr: expr.into(),
            ..Self::default()
        }
    }
}

impl DataFrameMethod {
    /// A call of `func_name` without arguments.
    #[must_use]
    pub fn new(func_name: impl Into<String>) -> Self {
        Self {
            func_name: func_name.into(),
            ..Self::default()
        }
    }

    /// Adds a positional argument.
    #[must_use]
    pub fn arg(mut self, value: impl Into<Value>) -> Self {
        self.func_args.push(value.into());
        self
    }

    /// Sets a keyword argument.
    #[must_use]
    pub fn kwarg(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.func_kwargs.insert(name.into(), value.into());
        self
    }

    /// Calls the engine's own method.
    #[must_use]
    pub fn native(mut self) -> Self {
        self.dataframe_api = Some(DataFrameApi::Native);
        self
    }
}

impl Expectation {
    /// Rows must meet `expr`; a failure is a warning until [`Self::action`] says otherwise.
    #[must_use]
    pub fn new(name: impl Into<String>, expr: impl Into<ColumnExpr>) -> Self {
        Self {
            name: name.into(),
            expr: expr.into(),
            ..Self::default()
        }
    }

    /// Sets what happens when it fails.
    #[must_use]
    pub fn action(mut self, action: Action) -> Self {
        self.action = action;
        self
    }

    /// Sets how much may fail.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Judges the frame as a whole.
    #[must_use]
    pub fn aggregate(mut self) -> Self {
        self.r#type = ExpectationType::Aggregate;
        self
    }
}
