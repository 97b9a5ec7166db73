//! Conversions from type to type, with the meaning that they have on the other engines.

use laktory_core::{DType, Error, ErrorKind, Result, Scalar};

use super::{Lw, Val, constant};
use crate::dsl::{self, Ex, cast, f, text, try_cast, when};
use crate::funcs::{self, time};
use crate::types::{self, held};

impl Lw<'_> {
    /// Conversion to a type of the contract.
    ///
    /// # Errors
    /// `UnsupportedCast`.
    pub(crate) fn cast(&mut self, value: &Val, to: &DType, strict: bool) -> Result<Val> {
        let wanted = to;
        let to = held(to);
        let convert = |e: Ex, t: &DType| if strict { cast(e, t) } else { try_cast(e, t) };
        let refused = || {
            Error::new(
                ErrorKind::UnsupportedCast,
                format!("{} cannot be cast to {to}", value.t),
            )
        };
        if matches!(to, DType::Unknown) {
            return Ok(value.clone());
        }
        match wanted {
            DType::Categorical | DType::Enum(_)
                if value.t != DType::String && value.t != DType::Null =>
            {
                return Err(Error::new(
                    ErrorKind::UnsupportedCast,
                    format!("{} cannot be cast to {wanted}", value.t),
                ));
            }
            DType::Enum(categories) => {
                let value = self.share(value.clone());
                let mut members = vec![value.e.clone()];
                members.extend(categories.iter().map(|category| text(category)));
                let member = if categories.is_empty() {
                    dsl::boolean(false)
                } else {
                    f("in", members)
                };
                let outside = if strict {
                    funcs::raise(
                        ErrorKind::ConversionFailed,
                        "a text is not among the categories of the enum",
                    )
                } else {
                    dsl::null_of(&DType::String)?
                };
                let branches = [
                    (dsl::is_null(value.e.clone()), value.e.clone()),
                    (member, value.e.clone()),
                ];
                return Ok(value.map(when(branches, Some(outside)), DType::String));
            }
            DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64
                if value.t != to || !value.constant =>
            {
                return self.unsigned(value, wanted, &to, strict);
            }
            _ => {}
        }
        if value.t == to {
            return Ok(value.clone());
        }
        let us = |e: Ex| f("unix_micros", [e]);
        let e = match (&value.t, &to) {
            (
                DType::Datetime {
                    zone: Some(zone), ..
                },
                DType::Datetime { zone: None, .. },
            ) => time::local(value.e.clone(), zone)?,
            (
                DType::Datetime {
                    zone: Some(zone), ..
                },
                DType::Date | DType::String | DType::Time,
            ) => {
                // The day of an instant is that of UTC, as on the other engines.
                let zone = if to == DType::Date { types::UTC } else { zone };
                let local = value.map(time::local(value.e.clone(), zone)?, DType::datetime());
                return self.cast(&local, &to, strict);
            }
            (
                DType::Datetime { zone: None, .. } | DType::Date | DType::String,
                DType::Datetime { zone: Some(_), .. },
            ) => convert(value.e.clone(), &types::zoned(types::UTC))?,
            (
                DType::Datetime { .. } | DType::Date | DType::Duration(_) | DType::Time,
                DType::Decimal { .. },
            ) => {
                return Err(refused());
            }
            (DType::Datetime { zone, .. }, to) if to.is_numeric() => {
                let instant = if zone.is_some() {
                    value.e.clone()
                } else {
                    cast(value.e.clone(), &types::zoned(types::UTC))?
                };
                convert(us(instant), to)?
            }
            (from, DType::Time) if from.is_integer() => {
                let nanos =
                    self.share(value.map(cast(value.e.clone(), &DType::Int64)?, DType::Int64));
                let at = f(
                    "timestamp_micros",
                    [f("div", [nanos.e.clone(), dsl::long(1_000)])],
                );
                let clock = cast(cast(at, &DType::datetime())?, &DType::Time)?;
                let day = dsl::long(86_400_000_000_000);
                let outside = dsl::or(
                    f("<", [nanos.e.clone(), dsl::long(0)]),
                    f(">=", [nanos.e.clone(), day]),
                );
                let failed = if strict {
                    funcs::raise(
                        ErrorKind::ConversionFailed,
                        "a number is no time of day in nanoseconds",
                    )
                } else {
                    dsl::null_of(&DType::Time)?
                };
                return Ok(nanos.map(dsl::iff(outside, failed, clock), DType::Time));
            }
            (DType::Time, to) if to.is_integer() => {
                let moment = f(
                    "concat",
                    [text("1970-01-01 "), cast(value.e.clone(), &DType::String)?],
                );
                let at = cast(cast(moment, &DType::datetime())?, &types::zoned(types::UTC))?;
                convert(f("*", [us(at), dsl::long(1_000)]), to)?
            }
            (from, DType::Date | DType::Datetime { .. } | DType::Duration(_))
                if from.is_float() =>
            {
                let whole = value.map(convert(value.e.clone(), &DType::Int64)?, DType::Int64);
                return self.cast(&whole, wanted, strict);
            }
            (DType::Decimal { .. }, DType::Binary) => return Err(refused()),
            (from, DType::Binary) if from.is_numeric() || matches!(from, DType::Boolean) => {
                cast(cast(value.e.clone(), &DType::String)?, &to)?
            }
            (from, DType::Datetime { zone, .. }) if from.is_integer() => {
                let counted = scaled(cast(value.e.clone(), &DType::Int64)?, wanted);
                let instant = f("timestamp_micros", [counted]);
                if zone.is_some() {
                    instant
                } else {
                    cast(instant, &DType::datetime())?
                }
            }
            (DType::Date, to) if to.is_numeric() => convert(f("unix_date", [value.e.clone()]), to)?,
            (from, DType::Date) if from.is_integer() => f(
                "date_from_unix_date",
                [cast(value.e.clone(), &DType::Int32)?],
            ),
            (DType::Duration(_), to) if to.is_numeric() => {
                convert(time::micros(value.e.clone())?, to)?
            }
            (from, DType::Duration(_)) if from.is_integer() => {
                time::duration(scaled(cast(value.e.clone(), &DType::Int64)?, wanted))
            }
            (DType::Duration(_), DType::String) => return Err(refused()),
            (DType::Binary, DType::String) => {
                let name = if strict {
                    "validate_utf8"
                } else {
                    "try_validate_utf8"
                };
                f(name, [cast(value.e.clone(), &to)?])
            }
            (DType::Duration(_), DType::Duration(_)) => value.e.clone(),
            (DType::Datetime { .. }, DType::Datetime { .. }) => value.e.clone(),
            (DType::Boolean, DType::Decimal { .. }) => {
                convert(cast(value.e.clone(), &DType::Int32)?, &to)?
            }
            (DType::String, DType::Boolean | DType::Binary) | (DType::Boolean, DType::String) => {
                convert(value.e.clone(), &to)?
            }
            (DType::String, DType::Duration(_))
            | (DType::Date, DType::Time | DType::Duration(_)) => {
                return Err(refused());
            }
            (from, DType::Date | DType::Datetime { .. } | DType::Duration(_) | DType::Time)
                if from.is_numeric() || matches!(from, DType::Boolean | DType::Binary) =>
            {
                return Err(refused());
            }
            (from, DType::Boolean) if from.is_float() => {
                // Spark's own conversion takes NaN for true as well; both are the same here.
                convert(value.e.clone(), &to)?
            }
            (from, DType::Int64) if from.is_float() => {
                // Spark's own conversion takes 2^63, which is one more, for the greatest integer.
                const BEYOND: f64 = 9_223_372_036_854_775_808.0;
                let number = self.share(value.clone());
                let wide = cast(number.e.clone(), &DType::Float64)?;
                let outside = if strict {
                    funcs::raise(
                        ErrorKind::ConversionFailed,
                        "a number is beyond integers of 64 bits",
                    )
                } else {
                    dsl::null_of(&DType::Int64)?
                };
                let within = convert(number.e.clone(), &DType::Int64)?;
                let is_beyond = f("==", [wide, dsl::double(BEYOND)]);
                return Ok(number.map(dsl::iff(is_beyond, outside, within), DType::Int64));
            }
            (from, to) if from.is_float() && to.is_integer() && strict => {
                convert(value.e.clone(), to)?
            }
            (DType::List(_), DType::List(_)) | (DType::Struct(_), DType::Struct(_)) => {
                convert(value.e.clone(), &to)?
            }
            (DType::List(_) | DType::Struct(_) | DType::Map(..), DType::String) => {
                return Err(refused());
            }
            _ => convert(value.e.clone(), &to)?,
        };
        Ok(value.map(e, to))
    }

    /// A number that must not be negative, nor greater than the type holds.
    fn unsigned(&mut self, value: &Val, wanted: &DType, to: &DType, strict: bool) -> Result<Val> {
        let most: i128 = match wanted {
            DType::UInt8 => u8::MAX.into(),
            DType::UInt16 => u16::MAX.into(),
            DType::UInt32 => u32::MAX.into(),
            _ => u64::MAX.into(),
        };
        let wide = self.cast(value, to, strict)?;
        let wide = self.share(wide);
        let most = constant(&Scalar::Int(most))?;
        let outside = dsl::or(
            f("<", [wide.e.clone(), dsl::int(0)]),
            f(">", [wide.e.clone(), most.e]),
        );
        let failed = if strict {
            funcs::raise(
                ErrorKind::ConversionFailed,
                "a number does not fit into an unsigned type",
            )
        } else {
            dsl::null_of(to)?
        };
        Ok(wide.map(dsl::iff(outside, failed, wide.e.clone()), to.clone()))
    }
}

/// A count in the unit of a type as microseconds.
fn scaled(count: Ex, t: &DType) -> Ex {
    use laktory_core::TimeUnit::{Millisecond, Nanosecond, Second};
    let unit = match t {
        DType::Datetime { unit, .. } | DType::Duration(unit) => *unit,
        _ => return count,
    };
    match unit {
        Second => f("*", [count, dsl::long(1_000_000)]),
        Millisecond => f("*", [count, dsl::long(1_000)]),
        Nanosecond => {
            let rest = f("pmod", [count.clone(), dsl::long(1_000)]);
            f("div", [f("-", [count, rest]), dsl::long(1_000)])
        }
        _ => count,
    }
}
