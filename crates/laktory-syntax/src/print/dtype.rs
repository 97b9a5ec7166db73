//! Data types as Narwhals writes them.

use std::fmt::Write as _;

use laktory_core::{DType, TimeUnit};

use super::{literal, separated};

pub(super) fn write(out: &mut String, dtype: &DType) {
    out.push_str("nw.");
    match dtype {
        DType::Decimal { precision, scale } => {
            out.push_str("Decimal(");
            match (precision, scale) {
                (None, 0) => {}
                (None, scale) => {
                    let _ = write!(out, "scale={scale}");
                }
                (Some(precision), 0) => {
                    let _ = write!(out, "{precision}");
                }
                (Some(precision), scale) => {
                    let _ = write!(out, "{precision}, {scale}");
                }
            }
        }
        DType::Datetime { unit, zone } => {
            out.push_str("Datetime(");
            if *unit != TimeUnit::default() || zone.is_some() {
                literal::string(out, unit.name());
            }
            if let Some(zone) = zone {
                out.push_str(", ");
                literal::string(out, zone);
            }
        }
        DType::Duration(unit) => {
            out.push_str("Duration(");
            if *unit != TimeUnit::default() {
                literal::string(out, unit.name());
            }
        }
        DType::Enum(categories) => {
            out.push_str("Enum([");
            separated(out, categories, |out, name| literal::string(out, name));
            out.push(']');
        }
        DType::List(inner) => {
            out.push_str("List(");
            write(out, inner);
        }
        DType::Array(inner, width) => {
            out.push_str("Array(");
            write(out, inner);
            let _ = write!(out, ", {width}");
        }
        DType::Struct(fields) => {
            out.push_str("Struct({");
            separated(out, fields, |out, field| {
                literal::string(out, &field.name);
                out.push_str(": ");
                write(out, &field.dtype);
            });
            out.push('}');
        }
        DType::Map(key, value) => {
            out.push_str("Map(");
            write(out, key);
            out.push_str(", ");
            write(out, value);
        }
        plain => {
            // The variants without parameters are named as Narwhals names them.
            let _ = write!(out, "{plain:?}(");
        }
    }
    out.push(')');
}
