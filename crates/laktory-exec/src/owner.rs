//! Mode and owner of what is replaced: an output that only its owner may read stays so.

use std::fs::Metadata;
use std::io;
use std::path::Path;

/// Gives a staged file or folder the mode and the owner of what it will replace. Tells when that was not permitted.
///
/// # Errors
/// When the mode cannot be set.
#[cfg(unix)]
pub(crate) fn keep(old: &Metadata, staged: &Path) -> io::Result<Option<String>> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    let new = std::fs::metadata(staged)?;
    let (user, group) = (old.uid(), old.gid());
    let mut refused = None;
    if (new.uid(), new.gid()) != (user, group) {
        // One of them may be permitted where both are not.
        let whole = chown(staged, Some(user), Some(group));
        if whole.is_err() && (chown(staged, None, Some(group)).is_err() || new.uid() != user) {
            refused = Some(format!("{user}:{group}"));
        }
    }
    let mode = old.permissions().mode() & 0o777;
    if new.permissions().mode() & 0o777 != mode {
        std::fs::set_permissions(staged, std::fs::Permissions::from_mode(mode))?;
    }
    Ok(refused)
}

/// Gives a staged file or folder the mode of what it will replace.
///
/// # Errors
/// When the mode cannot be set.
#[cfg(not(unix))]
pub(crate) fn keep(old: &Metadata, staged: &Path) -> io::Result<Option<String>> {
    std::fs::set_permissions(staged, old.permissions())?;
    Ok(None)
}
