//! Process-wide fallbacks, as values. Where they come from (environment, command line) is the caller's business.

use std::collections::BTreeMap;

use crate::model::DataFrameApi;

/// Fallbacks for what a pipeline leaves open. `None` means "the built-in default".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Engine of objects that name none, upper case. Without it the registry decides.
    pub dataframe_backend: Option<String>,
    /// API of method steps that name none.
    pub dataframe_api: Option<DataFrameApi>,
    /// Root of pipeline working folders; default `./.laktory/`.
    pub runtime_root: Option<String>,
    /// Root in the remote workspace; default `/.laktory/`.
    pub workspace_root: Option<String>,
    /// Folder of generated artefacts; from the environment, the user's cache folder when nothing else is set.
    pub build_root: Option<String>,
    /// Level of the log, such as `INFO`.
    pub log_level: Option<String>,
}

/// Root of pipeline working folders when nothing else is set.
pub const DEFAULT_RUNTIME_ROOT: &str = "./.laktory/";

/// Root in the remote workspace when nothing else is set.
pub const DEFAULT_WORKSPACE_ROOT: &str = "/.laktory/";

impl Settings {
    /// Reads the `LAKTORY_*` variables out of `environment`, old names included. Empty values count as unset.
    #[must_use]
    pub fn from_environment(environment: &BTreeMap<String, String>) -> Self {
        let read = |names: &[&str]| {
            names
                .iter()
                .filter_map(|name| environment.get(*name))
                .map(|value| value.trim().to_owned())
                .find(|value| !value.is_empty())
        };
        Self {
            dataframe_backend: read(&["LAKTORY_DATAFRAME_BACKEND"])
                .map(|name| name.to_ascii_uppercase()),
            dataframe_api: read(&["LAKTORY_DATAFRAME_API"])
                .and_then(|name| DataFrameApi::parse(&name)),
            runtime_root: read(&["LAKTORY_RUNTIME_ROOT", "LAKTORY_ROOT"]),
            workspace_root: read(&["LAKTORY_WORKSPACE_ROOT", "LAKTORY_WORKSPACE_LAKTORY_ROOT"]),
            build_root: read(&["LAKTORY_BUILD_ROOT"]).or_else(|| {
                let folder =
                    |name: &str| read(&[name]).map(|path| path.trim_end_matches('/').to_owned());
                let cache = folder("XDG_CACHE_HOME")
                    .or_else(|| folder("LOCALAPPDATA"))
                    .or_else(|| {
                        let below = if cfg!(target_os = "macos") {
                            "Library/Caches"
                        } else {
                            ".cache"
                        };
                        Some(format!("{}/{below}", folder("HOME")?))
                    })?;
                Some(format!("{cache}/laktory"))
            }),
            log_level: read(&["LAKTORY_LOG_LEVEL"]),
        }
    }

    /// These, where `over` has none of its own.
    #[must_use]
    pub fn overlaid(&self, over: &Self) -> Self {
        Self {
            dataframe_backend: over
                .dataframe_backend
                .clone()
                .or_else(|| self.dataframe_backend.clone()),
            dataframe_api: over.dataframe_api.or(self.dataframe_api),
            runtime_root: over
                .runtime_root
                .clone()
                .or_else(|| self.runtime_root.clone()),
            workspace_root: over
                .workspace_root
                .clone()
                .or_else(|| self.workspace_root.clone()),
            build_root: over.build_root.clone().or_else(|| self.build_root.clone()),
            log_level: over.log_level.clone().or_else(|| self.log_level.clone()),
        }
    }

    /// The runtime root in effect.
    #[must_use]
    pub fn runtime_root(&self) -> &str {
        self.runtime_root.as_deref().unwrap_or(DEFAULT_RUNTIME_ROOT)
    }

    /// The workspace root in effect.
    #[must_use]
    pub fn workspace_root(&self) -> &str {
        self.workspace_root
            .as_deref()
            .unwrap_or(DEFAULT_WORKSPACE_ROOT)
    }

    /// The names that `${settings.x}` knows.
    pub(crate) const NAMES: [&str; 6] = [
        "dataframe_backend",
        "dataframe_api",
        "runtime_root",
        "workspace_root",
        "build_root",
        "log_level",
    ];

    /// The value of `${settings.name}`; `name` in any letter case.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        match name.to_ascii_lowercase().as_str() {
            "dataframe_backend" => self.dataframe_backend.clone(),
            "dataframe_api" => Some(self.dataframe_api.unwrap_or_default().name().to_owned()),
            "runtime_root" => Some(self.runtime_root().to_owned()),
            "workspace_root" => Some(self.workspace_root().to_owned()),
            "build_root" => self.build_root.clone(),
            "log_level" => Some(self.log_level.clone().unwrap_or_else(|| "INFO".to_owned())),
            _ => None,
        }
    }
}
