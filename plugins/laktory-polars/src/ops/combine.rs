//! Steps over several frames.

use laktory_core::{AsofStrategy, Error, ErrorKind, JoinHow, Result, UnionHow};
use polars::prelude::{
    AsOfOptions, AsofStrategy as PolarsStrategy, Expr, JoinType, LazyFrame, PlSmallStr,
    SortMultipleOptions, UnionArgs, concat, lit, when,
};

use crate::error::ResultExt;
use crate::expr::column;

fn columns(names: &[String]) -> Vec<Expr> {
    names.iter().map(|name| column(name)).collect()
}

pub(super) fn join(
    left: LazyFrame,
    right: LazyFrame,
    how: JoinHow,
    (left_on, right_on): (&[String], &[String]),
    nulls_equal: bool,
    suffix: &str,
) -> Result<LazyFrame> {
    let invalid = |why: &str| Error::new(ErrorKind::InvalidArgument, format!("`join`: {why}"));
    if left_on.len() != right_on.len() {
        return Err(invalid("both sides need the same number of keys"));
    }
    let how = match how {
        JoinHow::Cross => {
            if !left_on.is_empty() {
                return Err(invalid("a cross join has no keys"));
            }
            return Ok(left.cross_join(right, Some(suffix.into())));
        }
        _ if left_on.is_empty() => return Err(invalid("keys are needed")),
        JoinHow::Inner => JoinType::Inner,
        JoinHow::Left => JoinType::Left,
        JoinHow::Full => JoinType::Full,
        JoinHow::Semi => JoinType::Semi,
        JoinHow::Anti => JoinType::Anti,
        _ => return Err(Error::unsupported("this kind of join")),
    };
    let joined = |left: LazyFrame, right: LazyFrame, more: Option<&str>| {
        let with = |names: &[String]| {
            let mut keys = columns(names);
            keys.extend(more.map(column));
            keys
        };
        left.join_builder()
            .with(right)
            .how(how.clone())
            .left_on(with(left_on))
            .right_on(with(right_on))
            .join_nulls(nulls_equal)
            .suffix(suffix)
            .finish()
    };
    if nulls_equal || left_on.len() < MANY_KEYS {
        return Ok(joined(left, right, None));
    }
    Ok(match how {
        JoinType::Inner | JoinType::Semi => joined(
            left.filter(whole(left_on)),
            right.filter(whole(right_on)),
            None,
        ),
        JoinType::Left | JoinType::Anti => joined(left, right.filter(whole(right_on)), None),
        _ => {
            // A key more, in which rows with a null differ from all of the other side.
            const KEY: &str = "__laktory_whole";
            let marked = |frame: LazyFrame, names: &[String], mark: i32| {
                let mark = when(whole(names)).then(lit(0)).otherwise(lit(mark));
                frame.with_columns([mark.alias(KEY)])
            };
            let joined = joined(
                marked(left, left_on, 1),
                marked(right, right_on, 2),
                Some(KEY),
            );
            let other = format!("{KEY}{suffix}");
            joined.drop(crate::expr::by_name(&[KEY, &other], true))
        }
    })
}

/// Of so many keys and more, the engine (0.55.2) takes nulls for equal, whatever it is asked.
const MANY_KEYS: usize = 4;

/// Whether no key is null.
fn whole(names: &[String]) -> Expr {
    let known = names.iter().map(|name| column(name).is_not_null());
    known.reduce(Expr::and).unwrap_or_else(|| lit(true))
}

pub(super) fn join_asof(
    left: LazyFrame,
    right: LazyFrame,
    (left_on, right_on): (&str, &str),
    (by_left, by_right): (&[String], &[String]),
    strategy: AsofStrategy,
    suffix: &str,
) -> LazyFrame {
    let by = |names: &[String]| {
        (!names.is_empty()).then(|| {
            names
                .iter()
                .map(|name| PlSmallStr::from_str(name))
                .collect::<Vec<_>>()
        })
    };
    let options = AsOfOptions {
        strategy: match strategy {
            AsofStrategy::Backward => PolarsStrategy::Backward,
            AsofStrategy::Forward => PolarsStrategy::Forward,
            AsofStrategy::Nearest => PolarsStrategy::Nearest,
        },
        tolerance: None,
        tolerance_str: None,
        left_by: by(by_left),
        right_by: by(by_right),
        allow_eq: true,
        check_sortedness: by_left.is_empty(),
    };
    let nearest = |left: LazyFrame, right: LazyFrame| {
        left.join_builder()
            .with(right)
            .how(JoinType::AsOf(Box::new(options)))
            .left_on([column(left_on)])
            .right_on([column(right_on)])
            .suffix(suffix)
            .finish()
    };
    if by_left.is_empty() {
        return nearest(left, right);
    }
    // Within groups the engine takes rows as sorted, and does not look.
    const ROW: &str = "__laktory_row";
    let sorted = |frame: LazyFrame, by: &str| {
        let options = SortMultipleOptions::default()
            .with_maintain_order(true)
            .with_nulls_last(true);
        frame.sort_by_exprs([column(by)], options)
    };
    let left = sorted(left.with_row_index(ROW, None), left_on);
    let right = sorted(right.filter(column(right_on).is_not_null()), right_on);
    let joined = nearest(left, right).sort([ROW], SortMultipleOptions::default());
    joined.drop(polars::prelude::by_name([ROW], true, false))
}

pub(super) fn union(
    first: LazyFrame,
    mut others: Vec<LazyFrame>,
    how: UnionHow,
) -> Result<LazyFrame> {
    others.insert(0, first);
    let args = UnionArgs {
        diagonal: how == UnionHow::Diagonal,
        strict: true,
        to_supertypes: how == UnionHow::Coerced,
        maintain_order: true,
        ..UnionArgs::default()
    };
    concat(others, args).or_error()
}
