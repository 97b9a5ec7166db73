//! Derived names and paths (section 17 of the language reference).

use sha1::{Digest, Sha1};

use crate::model::{DataSink, Orchestrator, Pipeline, PipelineNode, SinkKind};
use crate::settings::{DEFAULT_RUNTIME_ROOT, Settings};

/// `name` for use in a path: each of space `.` `@` `{` `}` `[` `]` `$` `|` becomes `-` (R-PL-2).
#[must_use]
pub fn safe_name(name: &str) -> String {
    name.replace([' ', '.', '@', '{', '}', '[', ']', '$', '|'], "-")
}

/// Joins path texts with one slash, leaving URLs alone.
fn join(base: &str, rest: &str) -> String {
    let base = base
        .strip_prefix("./")
        .filter(|rest| !rest.is_empty())
        .unwrap_or(base);
    format!("{}/{rest}", base.trim_end_matches('/'))
}

impl Pipeline {
    /// The name for use in paths.
    #[must_use]
    pub fn safe_name(&self) -> String {
        safe_name(&self.name)
    }

    /// The working folder: `root_path`, else `<runtime root>/pipelines/<safe name>`. With an orchestrator whose jobs run
    /// elsewhere, the default runtime root is `/.laktory/`.
    #[must_use]
    pub fn root_path(&self, settings: &Settings) -> String {
        if let Some(root) = &self.root_path {
            return root.clone();
        }
        let runtime = settings.runtime_root();
        let remote = self
            .orchestrator
            .as_ref()
            .is_some_and(Orchestrator::is_remote);
        let runtime = if runtime == DEFAULT_RUNTIME_ROOT && remote {
            "/.laktory/"
        } else {
            runtime
        };
        join(runtime, &format!("pipelines/{}", self.safe_name()))
    }

    /// The node called `name`.
    #[must_use]
    pub fn node_by_name(&self, name: &str) -> Option<&PipelineNode> {
        self.nodes.iter().find(|node| node.name == name)
    }
}

impl Orchestrator {
    /// Whether nodes run in processes of a remote workspace or of a declarative runtime.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.is_declarative() || self.r#type == "LAKEFLOW_JOB"
    }
}

impl PipelineNode {
    /// The working folder: `root_path`, else `<pipeline root>/<name>`.
    #[must_use]
    pub fn root_path(&self, pipeline_root: &str) -> String {
        match &self.root_path {
            Some(root) => root.clone(),
            None => join(pipeline_root, &self.name),
        }
    }

    /// The task the node runs in: its own name for it, else `node-<name>`.
    #[must_use]
    pub fn execution_task_name(&self) -> String {
        match &self.execution_task_name {
            Some(name) => name.clone(),
            None => format!("node-{}", self.name),
        }
    }

    /// The checkpoint of the expectations of a stream.
    #[must_use]
    pub fn expectations_checkpoint_path(&self, node_root: &str) -> String {
        match &self.expectations_checkpoint_path {
            Some(path) => path.clone(),
            None => join(node_root, "checkpoints/expectations"),
        }
    }

    /// The sinks of the output, with their positions.
    pub fn output_sinks(&self) -> impl Iterator<Item = (usize, &DataSink)> {
        self.sinks
            .iter()
            .enumerate()
            .filter(|(_, sink)| !sink.common.is_quarantine)
    }

    /// The sinks of quarantined rows, with their positions.
    pub fn quarantine_sinks(&self) -> impl Iterator<Item = (usize, &DataSink)> {
        self.sinks
            .iter()
            .enumerate()
            .filter(|(_, sink)| sink.common.is_quarantine)
    }

    /// The sink that others read the node from: the first one of the output.
    #[must_use]
    pub fn primary_sink(&self) -> Option<&DataSink> {
        self.output_sinks().next().map(|(_, sink)| sink)
    }

    /// Whether any source is a stream.
    #[must_use]
    pub fn has_streaming_source(&self) -> bool {
        self.sources.iter().any(|source| source.common.as_stream)
    }

    /// Whether any sink makes a view.
    #[must_use]
    pub fn is_view(&self) -> bool {
        self.sinks.iter().any(DataSink::is_view)
    }
}

impl DataSink {
    /// What identifies the target: the path as written, the full table name, or the name of the view.
    #[must_use]
    pub fn id(&self) -> String {
        match &self.kind {
            SinkKind::File(file) => file.path.clone(),
            SinkKind::UnityCatalog(table) | SinkKind::HiveMetastore(table) => table.full_name(),
            SinkKind::PipelineView(view) => view.pipeline_view_name.clone(),
        }
    }

    /// The first 32 digits of the SHA-1 of the id, written as a UUID.
    #[must_use]
    pub fn uuid(&self) -> String {
        let digest = Sha1::digest(self.id().as_bytes());
        let mut out = String::with_capacity(36);
        for (position, byte) in digest.iter().take(16).enumerate() {
            if matches!(position, 4 | 6 | 8 | 10) {
                out.push('-');
            }
            for digit in [byte >> 4, byte & 0xF] {
                out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        out
    }

    /// The checkpoint of a stream into this sink.
    #[must_use]
    pub fn checkpoint_path(&self, node_root: &str) -> String {
        match &self.common.checkpoint_path {
            Some(path) => path.clone(),
            None => join(node_root, &format!("checkpoints/sink-{}", self.uuid())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FileDataSink, PipelineNode};

    #[test]
    fn section_17_paths() {
        let settings = Settings::default();
        let mut pipeline = Pipeline::new("p");
        assert_eq!(pipeline.root_path(&settings), ".laktory/pipelines/p");
        assert_eq!(safe_name("p l.x@{}[]$|"), "p-l-x-------");
        pipeline.orchestrator = Some(Orchestrator {
            r#type: "LAKEFLOW_JOB".to_owned(),
            ..Orchestrator::default()
        });
        assert_eq!(pipeline.root_path(&settings), "/.laktory/pipelines/p");
        let node = PipelineNode::new("n").sink(FileDataSink::new("s/x", "parquet"));
        assert_eq!(node.root_path("r/p"), "r/p/n");
        assert_eq!(node.execution_task_name(), "node-n");
        assert_eq!(
            node.expectations_checkpoint_path("r/n"),
            "r/n/checkpoints/expectations"
        );
        let sink = node.primary_sink().expect("a sink");
        assert_eq!(sink.uuid(), "755cbbed-31d7-b3cb-57ca-10550130fae6");
        assert_eq!(
            sink.checkpoint_path("r/n"),
            "r/n/checkpoints/sink-755cbbed-31d7-b3cb-57ca-10550130fae6"
        );
    }
}
