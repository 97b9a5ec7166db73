//! The pipeline itself.

use indexmap::IndexMap;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::decode::{Decode, Decoder, Definitions, Fields, Object as _, object};
use crate::model::{DataFrameApi, NodeTest, Orchestrator, PipelineNode};
use crate::tree::Node;

object! {
    /// A pipeline: nodes that read, transform, check and write.
    object Pipeline ["pipeline"] {
        /// Name of the pipeline.
        name: String, required;
        /// The nodes. Their order only breaks ties; edges come from what they read.
        nodes: Vec<PipelineNode>;
        /// Engine that runs the nodes, in upper case.
        dataframe_backend: Option<String>, upper;
        /// Settings of engines, by their upper-case names: `{PYSPARK: {spark_remote: "sc://host"}}`. Each engine gets its own.
        backend_settings: IndexMap<String, IndexMap<String, Value>>;
        /// Dataframe API of method steps.
        dataframe_api: Option<DataFrameApi>;
        /// Packages that custom code needs.
        dependencies: Vec<String>;
        /// Modules to load before the first node runs.
        imports: Vec<String>;
        /// Parameters of a run, used as `${params.x}`.
        parameters: IndexMap<String, Option<Parameter>>;
        /// Tests of its nodes, run by `laktory test`: rows for what a node reads, and the rows that must come of them.
        tests: Vec<NodeTest>;
        /// What runs the pipeline when it is deployed.
        orchestrator: Option<Orchestrator>;
        /// Working folder; below the runtime root when absent.
        root_path: Option<String>;
        /// Options of the pipeline as a resource of a deployment.
        resource_options: Option<Value>;
        /// Name of the pipeline as a resource of a deployment.
        resource_name: Option<String>;
        /// Existing resource to refer to instead of deploying one.
        lookup_existing: Option<Value>;
    }
}

object! {
    /// A parameter of a run.
    part Parameter ["parameter"] {
        /// Value when a run gives none; without it the parameter is required.
        default: Option<Value>;
    }
}

impl Decode for Parameter {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            if !node.is_poison() {
                let message = format!(
                    "expected a parameter (a mapping), found {}",
                    node.describe()
                );
                let value = node.as_text().unwrap_or("...");
                let hint = format!("write `{{default: {value}}}` for a parameter with a default");
                decoder.error_with_hint("wrong-type", message, Some(hint));
            }
            return None;
        };
        let mut fields = Fields::new(entries, decoder);
        let parameter = Self::take(&mut fields);
        fields.finish("a parameter", &[Self::FIELDS]);
        Some(parameter)
    }

    fn schema(definitions: &mut Definitions) -> Value {
        definitions.object::<Self>()
    }
}

impl Serialize for Parameter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.dump(&mut map)?;
        map.end()
    }
}
