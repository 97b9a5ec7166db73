//! Keys that the engine (0.55.2) cannot match or group by as they are: nulls without a type, decimals of different scales or beside other
//! numbers, decimals alone where groups are kept in memory, and rows with structs in cross joins.

use std::sync::Arc;

use laktory_core::{DType, Field, Frame, JoinHow, NamedFrames, Op, Result};
use polars::prelude::{Expr, LazyFrame, lit};

use crate::expr::{by_name, cast, column};

/// What is known of the columns of a step's frames; nothing where only the engine could tell.
pub(super) struct Known {
    left: Option<Arc<[Field]>>,
    right: Option<Arc<[Field]>>,
}

impl Known {
    pub(super) fn of(input: &Frame, op: &Op, named: &NamedFrames) -> Result<Self> {
        let right = match op {
            Op::Join { right, .. } => named.get(right)?.columns(),
            _ => None,
        };
        Ok(Self {
            left: input.columns(),
            right,
        })
    }

    /// Whether a column of the step's frame is a decimal.
    pub(super) fn is_decimal(&self, name: &str) -> bool {
        matches!(dtype(&self.left, name), Some(DType::Decimal { .. }))
    }

    /// A join whose keys are of types that the engine matches.
    pub(super) fn joined(
        &self,
        left: LazyFrame,
        right: LazyFrame,
        how: JoinHow,
        (left_on, right_on): (&[String], &[String]),
        join: impl Fn(LazyFrame, LazyFrame, JoinHow, (&[String], &[String])) -> Result<LazyFrame>,
    ) -> Result<LazyFrame> {
        if how == JoinHow::Cross && left_on.is_empty() && self.has_struct() {
            // The engine's cross joins panic on structs that are null.
            let (a, b) = (
                ["__laktory_left".to_owned()],
                ["__laktory_right".to_owned()],
            );
            let with = |frame: LazyFrame, name: &str| frame.with_columns([lit(true).alias(name)]);
            let (left, right) = (with(left, &a[0]), with(right, &b[0]));
            return Ok(dropped(join(left, right, JoinHow::Inner, (&a, &b))?, &a));
        }
        let mut keys = (left_on.to_vec(), right_on.to_vec());
        let mut added: (Vec<Expr>, Vec<Expr>) = (Vec::new(), Vec::new());
        let mut helpers = Vec::new();
        for (at, (a, b)) in left_on.iter().zip(right_on).enumerate() {
            let (from, to) = (dtype(&self.left, a), dtype(&self.right, b));
            let Some(common) = common(from, to) else {
                continue;
            };
            keys.0[at] = format!("__laktory_left_{at}");
            added
                .0
                .push(cast(column(a), &common, true)?.alias(&keys.0[at]));
            helpers.push(keys.0[at].clone());
            if how == JoinHow::Full {
                keys.1[at] = format!("__laktory_right_{at}");
                helpers.push(keys.1[at].clone());
            }
            added
                .1
                .push(cast(column(b), &common, true)?.alias(&keys.1[at]));
        }
        if helpers.is_empty() {
            return join(left, right, how, (left_on, right_on));
        }
        let (left, right) = (left.with_columns(added.0), right.with_columns(added.1));
        Ok(dropped(
            join(left, right, how, (&keys.0, &keys.1))?,
            &helpers,
        ))
    }

    fn has_struct(&self) -> bool {
        let sides = [&self.left, &self.right].into_iter().flatten();
        sides
            .flat_map(|fields| fields.iter())
            .any(|field| holds_struct(&field.dtype))
    }
}

/// Groups by a key and by a constant: groups of several keys are told apart by rows of bytes, which decimals have, and
/// those of one decimal by integers of 128 bits, which this build of the engine has not.
pub(super) fn grouped_by_one(
    lazy: LazyFrame,
    grouped: impl FnOnce(LazyFrame, &str) -> Result<LazyFrame>,
) -> Result<LazyFrame> {
    const MORE: &str = "__laktory_group";
    let lazy = lazy.with_columns([lit(true).alias(MORE)]);
    Ok(dropped(grouped(lazy, MORE)?, &[MORE.to_owned()]))
}

fn dropped(lazy: LazyFrame, names: &[String]) -> LazyFrame {
    lazy.drop(by_name(names, true))
}

fn dtype<'a>(fields: &'a Option<Arc<[Field]>>, name: &str) -> Option<&'a DType> {
    let field = fields.as_ref()?.iter().find(|field| field.name == name)?;
    Some(&field.dtype)
}

fn holds_struct(dtype: &DType) -> bool {
    match dtype {
        DType::Struct(_) => true,
        DType::List(item) | DType::Array(item, _) => holds_struct(item),
        _ => false,
    }
}

/// The type in which keys meet that the engine does not match: nulls without a type, decimals that are not of one scale, and
/// decimals beside other numbers, as `=` compares them.
fn common(a: Option<&DType>, b: Option<&DType>) -> Option<DType> {
    const MOST: u8 = 38;
    match (a?, b?) {
        (DType::Null, DType::Null) => return None,
        (DType::Null, other) | (other, DType::Null) => return Some(other.clone()),
        (DType::Decimal { .. }, other) | (other, DType::Decimal { .. }) if other.is_float() => {
            return Some(DType::Float64);
        }
        (DType::Decimal { scale, .. }, other) | (other, DType::Decimal { scale, .. })
            if other.is_integer() =>
        {
            return Some(DType::Decimal {
                precision: Some(MOST),
                scale: *scale,
            });
        }
        _ => {}
    }
    let (
        DType::Decimal {
            precision: first,
            scale,
        },
        DType::Decimal {
            precision: second,
            scale: other,
        },
    ) = (a?, b?)
    else {
        return None;
    };
    if scale == other && first == second {
        return None;
    }
    let (first, second) = (first.unwrap_or(MOST), second.unwrap_or(MOST));
    let whole = first
        .saturating_sub(*scale)
        .max(second.saturating_sub(*other));
    let scale = *(scale.max(other));
    Some(DType::Decimal {
        precision: Some(whole.saturating_add(scale).min(MOST)),
        scale,
    })
}
