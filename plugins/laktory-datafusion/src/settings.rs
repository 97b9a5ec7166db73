//! The settings of the backend, and the engine's session that they make.

use std::path::Path;
use std::sync::Arc;

use datafusion::execution::context::SessionContext;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionConfig;
use laktory_core::{BackendConfig, Error, ErrorKind, Result, Subject};

use crate::error::ResultExt;

const MEMORY_LIMIT: &str = "memory_limit";
const TARGET_PARTITIONS: &str = "target_partitions";

/// What users can set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Bytes that the engine may hold; without a limit nothing is spilled.
    memory_limit: Option<usize>,
    /// Parallel streams of one query; the processor's cores by default.
    target_partitions: Option<usize>,
}

impl Settings {
    /// The settings of a configuration.
    ///
    /// # Errors
    /// `InvalidArgument` for an unknown setting or a value that makes no sense.
    pub(crate) fn parse(config: &BackendConfig) -> Result<Self> {
        let mut settings = Self::default();
        for (name, value) in config {
            let known = match name.as_str() {
                MEMORY_LIMIT => bytes(value).map(|limit| settings.memory_limit = Some(limit)),
                TARGET_PARTITIONS => {
                    count(value).map(|count| settings.target_partitions = Some(count))
                }
                _ => Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("backend DATAFUSION has no setting `{name}`"),
                )
                .with_hint(format!(
                    "its settings are `{MEMORY_LIMIT}` and `{TARGET_PARTITIONS}`"
                ))),
            };
            known.map_err(|error| error.with_subject(Subject::Name(name.clone())))?;
        }
        Ok(settings)
    }

    /// The engine's session, which spills into a folder below `scratch`. Blocks.
    ///
    /// # Errors
    /// `Io` when the folder cannot be made.
    pub(crate) fn context(self, scratch: &Path) -> Result<SessionContext> {
        let mut runtime = RuntimeEnvBuilder::new();
        let disk = match self.memory_limit {
            Some(limit) => {
                std::fs::create_dir_all(scratch)?;
                runtime = runtime.with_memory_pool(Arc::new(FairSpillPool::new(limit)));
                DiskManagerMode::Directories(vec![scratch.to_owned()])
            }
            None => DiskManagerMode::Disabled,
        };
        let runtime = runtime
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(disk))
            .build_arc()
            .or_error()?;
        let state = SessionStateBuilder::new()
            .with_config(self.config())
            .with_runtime_env(runtime)
            .with_default_features();
        let state = crate::optimizer::guarded(state).build();
        Ok(SessionContext::new_with_state(state))
    }

    fn config(self) -> SessionConfig {
        let mut config = SessionConfig::new();
        if let Some(partitions) = self.target_partitions {
            config = config.with_target_partitions(partitions);
        }
        let options = config.options_mut();
        // Names are those of the data, whatever their letter case.
        options.sql_parser.enable_ident_normalization = false;
        options.sql_parser.collect_spans = true;
        options.sql_parser.default_null_ordering = "nulls_last".to_owned();
        options.execution.time_zone = Some("UTC".to_owned());
        // The optimizer may find out that a value is never null, after which the two schemas differ in that alone.
        options.execution.skip_physical_aggregate_schema_check = true;
        // Files belong to partitions, so that partition after partition gives the rows in their order.
        options.execution.enable_file_stream_work_stealing = false;
        // Rows of one partition stay in one, in their order.
        options.optimizer.enable_round_robin_repartition = false;
        config
    }
}

/// A number of bytes, such as `1048576`, `512MB` or `4GB`. Units are powers of 1024.
fn bytes(text: &str) -> Result<usize> {
    let refused = || {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("setting `{MEMORY_LIMIT}` of backend DATAFUSION cannot be `{text}`"),
        )
        .with_hint("it takes a number of bytes, such as `512MB` or `4GB`")
    };
    let trimmed = text.trim();
    let digits = trimmed
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let power = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 1,
        "M" | "MB" | "MIB" => 2,
        "G" | "GB" | "GIB" => 3,
        "T" | "TB" | "TIB" => 4,
        _ => return Err(refused()),
    };
    number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(1024_usize.checked_pow(power)?))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(refused)
}

fn count(text: &str) -> Result<usize> {
    text.trim()
        .parse::<usize>()
        .ok()
        .filter(|count| (1..=4096).contains(count))
        .ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("setting `{TARGET_PARTITIONS}` of backend DATAFUSION cannot be `{text}`"),
            )
            .with_hint("it takes a number from 1 to 4096")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, value: &str) -> Result<Settings> {
        Settings::parse(&BackendConfig::from([(name.to_owned(), value.to_owned())]))
    }

    #[test]
    fn a_memory_limit_is_a_number_of_bytes_with_or_without_unit() {
        let limit = |text| parse(MEMORY_LIMIT, text).map(|settings| settings.memory_limit);
        assert_eq!(limit("1000").unwrap(), Some(1000));
        assert_eq!(limit("512MB").unwrap(), Some(512 << 20));
        assert_eq!(limit(" 4 gb ").unwrap(), Some(4 << 30));
        for wrong in ["", "0", "much", "4 XB", "-1", "99999999999TB"] {
            assert_eq!(
                limit(wrong).unwrap_err().kind(),
                ErrorKind::InvalidArgument,
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        let error = parse("threads", "4").unwrap_err();
        assert_eq!(
            error.message(),
            "backend DATAFUSION has no setting `threads`"
        );
        assert!(parse(TARGET_PARTITIONS, "0").is_err());
        assert_eq!(
            parse(TARGET_PARTITIONS, "3").unwrap().target_partitions,
            Some(3)
        );
    }
}
