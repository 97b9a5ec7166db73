//! Functions: one row for each, in tables by topic. Capabilities are read from the same rows.

mod aggregate;
mod format;
mod nested;
mod numeric;
mod sql;
mod text;
pub(crate) mod time;
mod values;
mod window;

use laktory_core::typing::Signature;
use laktory_core::typing::shown;
use laktory_core::{BoundCall, DType, Error, ErrorKind, Func, Result, Support};

pub(crate) use values::raise;

use crate::dsl::cast;
use crate::expr::{Lw, Val};

/// How a call is lowered.
pub(crate) type Lower = fn(&mut Lw<'_>, &BoundCall<'_>) -> Result<Val>;

/// A row of a table.
pub(crate) type Row = (Func, Support, Lower);

const FULL: Support = Support::Full;

/// Every row of every table.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    [
        numeric::ROWS,
        values::ROWS,
        aggregate::ROWS,
        window::ROWS,
        nested::ROWS,
        text::ROWS,
        time::ROWS,
        sql::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// Lowers a call.
///
/// # Errors
/// `Unsupported` for a function without row.
pub(crate) fn lower(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    match rows().find(|(known, ..)| *known == call.func()) {
        Some((_, support, lower)) if support.is_available() => {
            let value = lower(lw, call)?;
            Ok(match Signature::counts(call.func(), call.all()) {
                // The server counts in other widths.
                true if value.t != DType::Int64 => {
                    value.map(cast(value.e.clone(), &DType::Int64)?, DType::Int64)
                }
                _ => value,
            })
        }
        Some((_, Support::NotYet { reason }, _)) => Err(Error::unsupported(format!(
            "`{}` is not available on backend PYSPARK: {reason}",
            shown(call.func())
        ))),
        _ => Err(Error::unsupported(format!(
            "`{}` is not available on backend PYSPARK",
            shown(call.func())
        ))),
    }
}

/// An error about the type of an operand.
pub(crate) fn mismatch(call: &BoundCall<'_>, t: &DType) -> Error {
    Error::new(
        ErrorKind::TypeMismatch,
        format!("`{}` does not take values of type {t}", shown(call.func())),
    )
}

/// The receiver, which must be of one of some types.
fn this_of(lw: &mut Lw<'_>, call: &BoundCall<'_>, fits: fn(&DType) -> bool) -> Result<Val> {
    let this = lw.lower(&*call.this()?)?;
    if fits(&this.t) || matches!(this.t, DType::Unknown | DType::Null) {
        Ok(this)
    } else {
        Err(mismatch(call, &this.t))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_one_row() {
        for def in Func::all() {
            assert_eq!(
                rows().filter(|(func, ..)| *func == def.func).count(),
                1,
                "{}",
                def.path
            );
        }
    }
}
