//! What a reset removes: only what runs of ours wrote.

use std::fs;
use std::path::{Path, PathBuf};

use laktory_core::{Error, ErrorKind, Result};

use crate::folder::{self, Contents};
use crate::outputs;
use crate::record;
use crate::staging::Staging;
use crate::tables::Table;
use crate::target::Target as Spot;

/// What a reset removes of a sink's output.
#[derive(Debug)]
pub(crate) enum Removal {
    Nothing,
    File(PathBuf, u64),
    /// A table, with what its files have in all.
    Table(PathBuf, (usize, u64)),
    /// The parts of a folder, and the folder when nothing else is in it.
    Parts(PathBuf, Contents),
}

impl Removal {
    /// What a reset (R-PURGE-1) would remove of a target: only what runs of ours wrote there.
    ///
    /// # Errors
    /// `InvalidArgument` for a file that no run of ours is known to have written, and for a link.
    pub(crate) fn of(target: &Spot, table: Option<&Table>) -> Result<Self> {
        outputs::outside_of_tables(target, table.is_some())?;
        let Some(existing) = &target.existing else {
            return Ok(Self::Nothing);
        };
        let refused = |message: String| Error::new(ErrorKind::InvalidArgument, message);
        if target.is_link {
            return Err(refused(format!(
                "`{}` is a link; a reset removes nothing behind it",
                target.given
            ))
            .with_hint("remove the link, or what it leads to, by hand"));
        }
        if let Some(table) = table {
            return match table.exists() {
                true => {
                    let size = table.removable(&target.given)?;
                    Ok(Self::Table(target.real.clone(), size))
                }
                false => Ok(Self::Nothing),
            };
        }
        if target.is_folder {
            return Ok(Self::Parts(
                target.real.clone(),
                folder::look(&target.real)?,
            ));
        }
        if !record::is_ours(&target.real) {
            return Err(refused(format!(
                "nothing tells that a run of laktory wrote `{}` as it is now",
                target.given
            ))
            .with_hint(
                "remove it by hand if it may go; a release before this one may have written it, or it was copied or changed since",
            ));
        }
        Ok(Self::File(target.real.clone(), existing.len()))
    }

    /// Files to be removed, and their bytes.
    pub(crate) fn size(&self) -> (usize, u64) {
        match self {
            Self::Nothing => (0, 0),
            Self::File(_, bytes) => (1, *bytes),
            Self::Table(_, size) => *size,
            Self::Parts(_, contents) => (contents.parts.len(), contents.bytes()),
        }
    }

    /// What stays, for people.
    pub(crate) fn rest(&self) -> Option<String> {
        match self {
            Self::Parts(folder, contents) if !contents.foreign.is_empty() => Some(format!(
                "{} that no run of laktory wrote stay{} in `{}`: {}",
                folder::counted(contents.foreign.len()),
                if contents.foreign.len() == 1 { "s" } else { "" },
                crate::files::shown(folder),
                folder::named(&contents.foreign, folder)
            )),
            _ => None,
        }
    }

    /// Removes it; `id` is unique among living runs. Gives whether there was anything.
    ///
    /// # Errors
    /// `Io` when something cannot be removed.
    pub(crate) fn carry_out(&self, id: &str) -> Result<bool> {
        let failed = |path: &Path, error: std::io::Error| {
            Error::from(error).context(format!("cannot remove `{}`", crate::files::shown(path)))
        };
        match self {
            Self::Nothing => return Ok(false),
            Self::File(file, _) => {
                fs::remove_file(file).map_err(|error| failed(file, error))?;
                record::forget(file);
            }
            Self::Table(folder, _) => {
                // Out of sight at once, and then gone, or swept by the next run.
                let parent = folder.parent().unwrap_or(Path::new("/"));
                let staging = Staging::create(parent, id)?;
                fs::rename(folder, staging.path("whole")).map_err(|error| failed(folder, error))?;
            }
            Self::Parts(folder, contents) => {
                for (part, _) in &contents.parts {
                    fs::remove_file(part).map_err(|error| failed(part, error))?;
                }
                if contents.parts.is_empty() {
                    return Ok(false);
                }
                if contents.foreign.is_empty() && !contents.others {
                    // Somebody may have put something there meanwhile: the folder stays then.
                    let _ = fs::remove_dir(folder);
                }
            }
        }
        Ok(true)
    }
}
