//! The pipeline itself.

use indexmap::IndexMap;
use serde_json::Value;

use crate::decode::object;
use crate::model::{DataFrameApi, Orchestrator, PipelineNode};

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
    object Parameter ["parameter"] {
        /// Value when a run gives none; without it the parameter is required.
        default: Option<Value>;
    }
}
