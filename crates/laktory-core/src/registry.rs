//! Which backends this program holds. Drivers submit themselves through `inventory`; everything below `main` takes
//! a [`Registry`] and reads no global.

use crate::backend::BackendDescriptor;
use crate::contract::CONTRACT;
use crate::error::{Error, ErrorKind, Result};
use crate::table::{TableFormat, TableFormatEntry};

inventory::collect!(&'static BackendDescriptor);

/// Backends that exist outside of this program, with the way to get them: for the message about a missing one.
const ELSEWHERE: &[(&str, &str)] = &[
    ("POLARS", "polars"),
    ("DATAFUSION", "datafusion"),
    ("PYSPARK", "spark"),
];

/// The backends that this program holds, sorted by name, and the formats of tables.
#[derive(Clone, Debug)]
pub struct Registry {
    backends: Vec<&'static BackendDescriptor>,
    tables: Vec<&'static dyn TableFormat>,
}

impl Registry {
    /// Submitted backends and the `linked` ones that the facade names, each once, with the submitted formats of tables.
    ///
    /// # Errors
    /// As [`Registry::new`], and as [`crate::user::check`].
    pub fn discover(linked: impl IntoIterator<Item = &'static BackendDescriptor>) -> Result<Self> {
        crate::user::check()?;
        Self::new(
            inventory::iter::<&'static BackendDescriptor>
                .into_iter()
                .copied()
                .chain(linked),
        )?
        .with_tables(
            inventory::iter::<TableFormatEntry>
                .into_iter()
                .map(|entry| entry.0),
        )
    }

    /// These backends with more formats of tables.
    ///
    /// # Errors
    /// `InvalidArgument` when two crates claim one format; the message names them.
    pub fn with_tables(
        mut self,
        tables: impl IntoIterator<Item = &'static dyn TableFormat>,
    ) -> Result<Self> {
        for table in tables {
            match self
                .tables
                .iter()
                .find(|other| other.format() == table.format())
            {
                None => self.tables.push(table),
                Some(other) if other.provided_by() == table.provided_by() => {}
                Some(other) => {
                    let message = format!(
                        "format `{}` is claimed by both `{}` and `{}`",
                        table.format(),
                        other.provided_by(),
                        table.provided_by()
                    );
                    return Err(Error::new(ErrorKind::InvalidArgument, message)
                        .with_hint("link only one of them"));
                }
            }
        }
        Ok(self)
    }

    /// The formats of tables.
    pub fn tables(&self) -> impl Iterator<Item = &'static dyn TableFormat> + '_ {
        self.tables.iter().copied()
    }

    /// Exactly these backends.
    ///
    /// # Errors
    /// `InvalidArgument` when two of them claim one name or alias, and for a driver that was written for another
    /// [contract](crate::Contract); the message names the crates.
    pub fn new(backends: impl IntoIterator<Item = &'static BackendDescriptor>) -> Result<Self> {
        let mut known: Vec<&'static BackendDescriptor> = Vec::new();
        for backend in backends {
            if known.iter().any(|other| std::ptr::eq(*other, backend)) {
                continue;
            }
            fits(backend)?;
            for other in &known {
                if let Some(name) = shared_name(backend, other) {
                    return Err(Error::new(
                        ErrorKind::InvalidArgument,
                        format!(
                            "backend `{name}` is claimed by both `{}` and `{}`",
                            other.provided_by, backend.provided_by
                        ),
                    )
                    .with_hint("link only one of them"));
                }
            }
            known.push(backend);
        }
        known.sort_by_key(|backend| backend.name);
        Ok(Self {
            backends: known,
            tables: Vec::new(),
        })
    }

    /// The backends, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &'static BackendDescriptor> + '_ {
        self.backends.iter().copied()
    }

    /// The backend that answers to `name`, in any letter case.
    ///
    /// # Errors
    /// `UnknownBackend`, with the linked backends and how to get another.
    pub fn get(&self, name: &str) -> Result<&'static BackendDescriptor> {
        self.iter()
            .find(|backend| names(backend).any(|known| known.eq_ignore_ascii_case(name)))
            .ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> Error {
        let linked: Vec<&str> = self.iter().map(|backend| backend.name).collect();
        let linked = if linked.is_empty() {
            "no backend is linked".to_owned()
        } else {
            format!("linked backends: {}", linked.join(", "))
        };
        let upper = name.to_ascii_uppercase();
        let canonical = if upper == "SPARK" {
            "PYSPARK"
        } else {
            upper.as_str()
        };
        match ELSEWHERE.iter().find(|(known, _)| *known == canonical) {
            Some((known, feature)) => Error::new(
                ErrorKind::UnknownBackend,
                format!("backend `{known}` is not part of this build"),
            )
            .with_hint(format!(
                "{linked}; build laktory with `--features {feature}` to add it"
            )),
            None => Error::new(
                ErrorKind::UnknownBackend,
                format!("there is no backend called `{name}`"),
            )
            .with_siblings(self.iter().map(|backend| backend.name))
            .with_hint(format!(
                "{linked}; a backend of your own is linked into a binary of your own"
            )),
        }
    }
}

/// Fails for a driver that was written for another contract.
fn fits(backend: &BackendDescriptor) -> Result<()> {
    if backend.contract.fits(CONTRACT) {
        return Ok(());
    }
    let BackendDescriptor {
        name,
        provided_by,
        contract,
        ..
    } = backend;
    let message = format!(
        "backend `{name}` of `{provided_by}` was written for contract {contract}; this program has {CONTRACT}"
    );
    let hint = match *contract < CONTRACT {
        true => {
            "take a version of the driver for this contract; docs/writing-a-driver.md tells its authors what has changed"
        }
        false => {
            "build with the version of laktory that the driver asks for, or take an older driver"
        }
    };
    Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(hint))
}

fn names(backend: &'static BackendDescriptor) -> impl Iterator<Item = &'static str> {
    std::iter::once(backend.name).chain(backend.aliases.iter().copied())
}

fn shared_name(
    a: &'static BackendDescriptor,
    b: &'static BackendDescriptor,
) -> Option<&'static str> {
    names(a).find(|name| names(b).any(|other| other.eq_ignore_ascii_case(name)))
}

/// Registers a backend: makes the static and submits it, as one item.
///
/// ```text
/// laktory_core::register_backend! {
///     /// The MINE backend.
///     pub static MINE = BackendDescriptor::new("MINE", Contract::new(1, 0), env!("CARGO_PKG_NAME"), capabilities, connect);
/// }
/// ```
#[macro_export]
macro_rules! register_backend {
    ($(#[$meta:meta])* $vis:vis static $name:ident = $descriptor:expr;) => {
        $(#[$meta])*
        $vis static $name: $crate::BackendDescriptor = $descriptor;
        $crate::inventory::submit! { &$name }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::BackendConfig;
    use crate::{Backend, BoxFuture, Capabilities, Contract, RunCx};
    use std::sync::Arc;

    fn refuse<'a>(_: &'a RunCx, _: &'a BackendConfig) -> BoxFuture<'a, Result<Arc<dyn Backend>>> {
        Box::pin(async { Err(Error::unsupported("a test backend")) })
    }

    const fn backend(
        name: &'static str,
        aliases: &'static [&'static str],
        provided_by: &'static str,
    ) -> BackendDescriptor {
        BackendDescriptor::new(name, CONTRACT, provided_by, Capabilities::default, refuse)
            .with_aliases(aliases)
    }

    static ONE: BackendDescriptor = backend("ONE", &["UNO"], "crate-one");
    static TWO: BackendDescriptor = backend("TWO", &["uno"], "crate-two");

    #[test]
    fn a_name_claimed_twice_names_both_crates() {
        let error = Registry::new([&ONE, &TWO]).unwrap_err();
        assert_eq!(
            error.message(),
            "backend `uno` is claimed by both `crate-one` and `crate-two`"
        );
        assert_eq!(Registry::new([&ONE, &ONE]).unwrap().iter().count(), 1);
    }

    #[test]
    fn a_driver_of_another_contract_is_refused_by_name() {
        static OLD: BackendDescriptor = BackendDescriptor::new(
            "OLD",
            Contract::new(0, 9),
            "crate-old",
            Capabilities::default,
            refuse,
        );
        let error = Registry::new([&ONE, &OLD]).unwrap_err();
        assert_eq!(
            error.message(),
            format!(
                "backend `OLD` of `crate-old` was written for contract 0.9; this program has {CONTRACT}"
            )
        );
    }

    #[test]
    fn a_missing_backend_says_which_are_linked_and_how_to_get_it() {
        let registry = Registry::new([&ONE]).unwrap();
        assert_eq!(registry.get("uno").unwrap().name, "ONE");
        let error = registry.get("spark").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownBackend);
        assert_eq!(
            error.hint(),
            Some("linked backends: ONE; build laktory with `--features spark` to add it")
        );
        assert!(
            registry
                .get("duckdb")
                .unwrap_err()
                .message()
                .contains("duckdb")
        );
    }
}
