//! The drivers and formats of tables that this build links. The one place outside of `plugins/` that names them.

use laktory_core::table::TableFormat;
use laktory_core::{BackendDescriptor, Registry, Result};

/// Backend of pipelines that name none: embedded, and always quick to start.
pub const DEFAULT_BACKEND: &str = "POLARS";

/// The backends whose features are on. Naming them here is what makes the linker keep them.
#[must_use]
pub fn linked() -> Vec<&'static BackendDescriptor> {
    vec![
        #[cfg(feature = "polars")]
        &laktory_polars::POLARS,
        #[cfg(feature = "datafusion")]
        &laktory_datafusion::DATAFUSION,
        #[cfg(feature = "spark")]
        &laktory_spark::PYSPARK,
    ]
}

/// The formats of tables whose features are on.
#[must_use]
pub fn linked_tables() -> Vec<&'static dyn TableFormat> {
    vec![
        #[cfg(feature = "delta")]
        &laktory_delta::DELTA,
    ]
}

/// Every backend in this program: the linked ones, and those of third-party drivers that submitted themselves.
///
/// # Errors
/// When two drivers claim one name; when functions of the user's own have names that are taken, or cannot be called as
/// they are declared.
pub fn registry() -> Result<Registry> {
    laktory_syntax::check_user_functions()?;
    Registry::discover(linked())?.with_tables(linked_tables())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_holds_what_the_features_say() {
        let names: Vec<&str> = registry()
            .unwrap()
            .iter()
            .map(|backend| backend.name)
            .collect();
        let mut expected: Vec<&str> = [
            (cfg!(feature = "datafusion"), "DATAFUSION"),
            (cfg!(feature = "polars"), "POLARS"),
            (cfg!(feature = "spark"), "PYSPARK"),
        ]
        .into_iter()
        .filter_map(|(linked, name)| linked.then_some(name))
        .collect();
        // As the registry sorts them.
        expected.sort_unstable();
        assert_eq!(names, expected);
    }
}
