//! The files of a read: which hold something, which columns their folders give, their names in errors.

use std::path::PathBuf;

use laktory_core::{Error, ReadSpec, Result};

use crate::hive::{self, Partitions};

/// Files that are read as one, and hold something.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Where they are.
    pub paths: Vec<PathBuf>,
    /// Columns that their folders give, or the log of a table.
    pub partitions: Option<Partitions>,
}

impl Files {
    /// The files of a read. Blocks.
    ///
    /// # Errors
    /// `NotFound` and `Io` for a file that cannot be looked at; those of [`hive::partitions`].
    pub fn of(spec: &ReadSpec) -> Result<Self> {
        if let Some(logged) = &spec.logged {
            let partitions = (!logged.fields.is_empty()).then(|| Partitions {
                fields: logged.fields.clone(),
                values: logged.values.clone(),
            });
            return Ok(Self {
                paths: all(spec),
                partitions,
            });
        }
        let mut paths = Vec::new();
        for path in all(spec) {
            let held = std::fs::metadata(&path)
                .map_err(|error| Error::from(error).context(format!("`{}`", path.display())))?;
            if held.len() > 0 {
                paths.push(path);
            }
        }
        let declared = spec.schema.as_deref();
        let partitions = hive::partitions(&spec.path, &paths, declared, &spec.options)?;
        Ok(Self { paths, partitions })
    }

    /// Names of the columns that folders give.
    #[must_use]
    pub fn of_folders(&self) -> Vec<&str> {
        let fields = self.partitions.iter().flat_map(|found| &found.fields);
        fields.map(|field| field.name.as_str()).collect()
    }

    /// What is asked of the files themselves: columns that folders give are not declared for them.
    #[must_use]
    pub fn own(&self, spec: &ReadSpec) -> ReadSpec {
        let mut own = spec.clone();
        let given = self.of_folders();
        if let Some(schema) = &mut own.schema {
            schema.retain(|field| !given.contains(&field.name.as_str()));
        }
        own
    }
}

/// All files of a read, empty ones among them.
#[must_use]
pub fn all(spec: &ReadSpec) -> Vec<PathBuf> {
    match spec.files.as_slice() {
        [] => vec![PathBuf::from(&spec.path)],
        files => files.to_vec(),
    }
}

/// Files, for messages.
#[must_use]
pub fn shown(files: &[PathBuf]) -> String {
    match files {
        [] => String::new(),
        [file] => file.display().to_string(),
        [first, rest @ ..] => format!("{} and {} more files", first.display(), rest.len()),
    }
}

/// The error, which names one of the files.
#[must_use]
pub fn named(error: Error, files: &[PathBuf]) -> Error {
    let named = files
        .iter()
        .any(|file| error.message().contains(&*file.to_string_lossy()));
    if named {
        error
    } else {
        error.context(format!("`{}`", shown(files)))
    }
}
