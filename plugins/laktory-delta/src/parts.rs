//! Conditions on the values by which a table is partitioned: which of its files a change replaces.

use std::cmp::Ordering;

use laktory_core::semantics::iso;
use laktory_core::{Arg, DType, Error, ErrorKind, Expr, Func, Result, Scalar};

use crate::actions::Texts;
use crate::schema::Column;

/// A condition, checked against the columns of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    expr: Expr,
    columns: Vec<(String, DType)>,
}

/// A value in the form in which values of its type are compared.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum Value {
    Number(i128),
    Text(String),
    Flag(bool),
    Day(i32),
}

impl Condition {
    /// A condition on columns by which a table is partitioned.
    ///
    /// # Errors
    /// `Unsupported` for other columns, and for functions that are not known here.
    pub(crate) fn new(expr: Expr, columns: &[Column], partition_by: &[String]) -> Result<Self> {
        let of_table = |name: &String| {
            let column = columns.iter().find(|column| column.field.name == *name);
            column.map(|column| (name.clone(), column.field.dtype.clone()))
        };
        let condition = Self {
            expr,
            columns: partition_by.iter().filter_map(of_table).collect(),
        };
        // Any values tell whether the condition can be asked at all.
        condition.truth(&condition.expr, &Texts::new())?;
        Ok(condition)
    }

    /// The parts of a filter that values by which a table is partitioned decide; others say nothing here.
    pub(crate) fn those_of(
        filter: &Expr,
        columns: &[Column],
        partition_by: &[String],
    ) -> Vec<Self> {
        if let Expr::Call {
            func: Func::And,
            args,
        } = filter
        {
            let parts = args.iter().filter_map(|arg| match arg {
                Arg::Expr(expr) => Some(Self::those_of(expr, columns, partition_by)),
                _ => None,
            });
            return parts.flatten().collect();
        }
        Self::new(filter.clone(), columns, partition_by)
            .into_iter()
            .collect()
    }

    /// Whether rows of such values are meant.
    ///
    /// # Errors
    /// `ConversionFailed` for a value that is not of its column's type.
    pub(crate) fn holds(&self, values: &Texts) -> Result<bool> {
        Ok(self.truth(&self.expr, values)? == Some(true))
    }

    fn truth(&self, expr: &Expr, values: &Texts) -> Result<Option<bool>> {
        match expr {
            Expr::Literal(Scalar::Bool(value)) => return Ok(Some(*value)),
            Expr::Literal(Scalar::Null) => return Ok(None),
            Expr::Alias { expr, .. } => return self.truth(expr, values),
            Expr::Column(_) => {
                return Ok(match self.value(expr, values, None)? {
                    Some(Value::Flag(flag)) => Some(flag),
                    _ => None,
                });
            }
            _ => {}
        }
        let Expr::Call { func, args } = expr else {
            return Err(unknown());
        };
        let operands: Vec<&Expr> = args
            .iter()
            .filter_map(|arg| match arg {
                Arg::Expr(expr) => Some(expr),
                _ => None,
            })
            .collect();
        match (func, operands.as_slice(), args.last()) {
            (Func::And, [left, right], _) => Ok(
                match (self.truth(left, values)?, self.truth(right, values)?) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), other) | (other, Some(true)) => other,
                    (None, None) => None,
                },
            ),
            (Func::Or, [left, right], _) => Ok(
                match (self.truth(left, values)?, self.truth(right, values)?) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), other) | (other, Some(false)) => other,
                    (None, None) => None,
                },
            ),
            (Func::Not, [inner], _) => Ok(self.truth(inner, values)?.map(|truth| !truth)),
            (Func::IsNull, [inner], _) => Ok(Some(self.value(inner, values, None)?.is_none())),
            (Func::IsIn, [inner], Some(Arg::Values(list))) => {
                let dtype = self.dtype(inner)?;
                let value = self.value(inner, values, None)?;
                let mut any = Some(false);
                for scalar in list {
                    let other = constant(scalar, dtype)?;
                    any = match (&value, other) {
                        (Some(value), Some(other)) if *value == other => return Ok(Some(true)),
                        (Some(_), Some(_)) => any,
                        _ => None,
                    };
                }
                Ok(any)
            }
            (Func::IsBetween, [inner, low, high], Some(Arg::Str(ends))) if ends == "both" => {
                let above = Expr::call(Func::Ge, [(*inner).clone(), (*low).clone()]);
                let below = Expr::call(Func::Le, [(*inner).clone(), (*high).clone()]);
                self.truth(&above.and(below), values)
            }
            (func, [left, right], _) => {
                let fits = fits(*func)?;
                let dtype = match literal(left) {
                    Some(_) => self.dtype(right)?,
                    None => self.dtype(left)?,
                };
                let left = self.value(left, values, Some(dtype))?;
                let right = self.value(right, values, Some(dtype))?;
                Ok(left
                    .zip(right)
                    .and_then(|(left, right)| Some(fits(left.partial_cmp(&right)?))))
            }
            _ => Err(unknown()),
        }
    }

    /// The type of a column by which the table is partitioned.
    fn dtype(&self, expr: &Expr) -> Result<&DType> {
        let Expr::Column(name) = expr else {
            return Err(unknown());
        };
        let column = self.columns.iter().find(|(known, _)| known == name);
        column.map(|(_, dtype)| dtype).ok_or_else(|| {
            let known: Vec<String> = self
                .columns
                .iter()
                .map(|(name, _)| format!("`{name}`"))
                .collect();
            let message =
                format!("`replaceWhere` asks for `{name}`, by which the table is not partitioned");
            Error::unsupported(message).with_hint(match known.is_empty() {
                true => "the table is not partitioned: replace it as a whole".to_owned(),
                false => format!("it is partitioned by {}", known.join(", ")),
            })
        })
    }

    fn value(&self, expr: &Expr, values: &Texts, like: Option<&DType>) -> Result<Option<Value>> {
        if let (Some(scalar), Some(dtype)) = (literal(expr), like) {
            return constant(scalar, dtype);
        }
        let dtype = self.dtype(expr)?;
        let Expr::Column(name) = expr else {
            return Err(unknown());
        };
        let text = values.get(name).and_then(Option::as_deref);
        let text = text.filter(|text| !text.is_empty());
        text.map(|text| {
            parsed(text, dtype).ok_or_else(|| {
                Error::new(
                    ErrorKind::ConversionFailed,
                    format!("the log gives `{text}` for column `{name}`, which is no {dtype}"),
                )
            })
        })
        .transpose()
    }
}

/// A constant, whose type may be left to what it is compared with.
fn literal(expr: &Expr) -> Option<&Scalar> {
    match expr {
        Expr::Literal(scalar) => Some(scalar),
        Expr::Cast {
            expr,
            to: DType::Unknown | DType::Date,
            ..
        } => literal(expr),
        _ => None,
    }
}

/// Which orders of two values a comparison takes.
fn fits(func: Func) -> Result<fn(Ordering) -> bool> {
    Ok(match func {
        Func::Eq => Ordering::is_eq,
        Func::Ne => Ordering::is_ne,
        Func::Lt => Ordering::is_lt,
        Func::Le => Ordering::is_le,
        Func::Gt => Ordering::is_gt,
        Func::Ge => Ordering::is_ge,
        _ => return Err(unknown()),
    })
}

fn constant(scalar: &Scalar, dtype: &DType) -> Result<Option<Value>> {
    let value = match (scalar, dtype) {
        (Scalar::Null, _) => return Ok(None),
        (Scalar::Int(number), dtype) if dtype.is_integer() => Some(Value::Number(*number)),
        (Scalar::Bool(flag), DType::Boolean) => Some(Value::Flag(*flag)),
        (Scalar::Date(day), DType::Date) => Some(Value::Day(*day)),
        (Scalar::Str(text), DType::String | DType::Date) => parsed(text, dtype),
        _ => None,
    };
    value.map(Some).ok_or_else(|| {
        let message = format!("`replaceWhere` compares a column of type {dtype} with what is none");
        Error::new(ErrorKind::TypeMismatch, message)
    })
}

/// A value of a text in the form of its type.
fn parsed(text: &str, dtype: &DType) -> Option<Value> {
    Some(match dtype {
        DType::String => Value::Text(text.to_owned()),
        DType::Boolean => Value::Flag(iso::boolean(text)?),
        // Other forms mean another day to somebody.
        DType::Date if text.as_bytes().get(4) == Some(&b'-') => Value::Day(iso::plain_date(text)?),
        dtype if dtype.is_integer() => Value::Number(text.parse().ok()?),
        _ => return None,
    })
}

fn unknown() -> Error {
    Error::unsupported("`replaceWhere` takes comparisons of columns with constants").with_hint(
        "columns by which the table is partitioned, =, <>, <, <=, >, >=, BETWEEN, IN, IS NULL, AND, OR and NOT",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use laktory_core::Field;

    fn condition(expr: Expr) -> Result<Condition> {
        let columns: Vec<Column> = [
            ("day", DType::Date),
            ("n", DType::Int32),
            ("s", DType::String),
        ]
        .map(|(name, dtype)| crate::schema::column(&Field::new(name, dtype)).unwrap())
        .into();
        let by = ["day", "n", "s"].map(str::to_owned);
        Condition::new(expr, &columns, &by)
    }

    fn values(day: Option<&str>, n: Option<&str>) -> Texts {
        [("day", day), ("n", n)]
            .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
            .into()
    }

    #[test]
    fn conditions_compare_values_of_their_types() {
        // As statements have texts: of the type of what they are compared with.
        let compare = |func, name: &str, value: Scalar| {
            let value = Expr::Cast {
                expr: Box::new(Expr::Literal(value)),
                to: DType::Unknown,
                strict: true,
            };
            Expr::call(func, [Expr::column(name), value])
        };
        let day = compare(Func::Ge, "day", Scalar::Str("2024-02-01".into()));
        let number = compare(Func::Lt, "n", Scalar::Int(10));
        let both = condition(day.clone().and(number.clone())).unwrap();
        for (day, n, expected) in [
            (Some("2024-02-01"), Some("9"), true),
            (Some("2024-02-01"), Some("10"), false),
            (Some("2024-01-31"), Some("9"), false),
            (None, Some("9"), false),
        ] {
            assert_eq!(
                both.holds(&values(day, n)).unwrap(),
                expected,
                "{day:?} {n:?}"
            );
        }
        let either = condition(day.or(Expr::call(Func::IsNull, [Expr::column("n")]))).unwrap();
        assert!(either.holds(&values(None, None)).unwrap());
        let list = Arg::Values(vec![Scalar::Int(1), Scalar::Int(2)]);
        let list = Expr::Call {
            func: Func::IsIn,
            args: vec![Arg::Expr(Expr::column("n")), list],
        };
        let inside = condition(list.clone()).unwrap();
        assert!(inside.holds(&values(None, Some("2"))).unwrap());
        assert!(!inside.holds(&values(None, Some("3"))).unwrap());
        assert!(
            !condition(Expr::call(Func::Not, [list]))
                .unwrap()
                .holds(&values(None, None))
                .unwrap()
        );
    }

    #[test]
    fn of_a_filter_those_parts_count_that_partitions_decide() {
        let number = Expr::call(Func::Eq, [Expr::column("n"), Expr::literal(1_i64)]);
        let other = Expr::call(Func::Eq, [Expr::column("x"), Expr::literal(1_i64)]);
        let found = |filter: &Expr| {
            let column = crate::schema::column(&Field::new("n", DType::Int32)).unwrap();
            Condition::those_of(filter, &[column], &["n".to_owned()])
        };
        let both = other.clone().and(number.clone());
        let [condition] = found(&both).try_into().unwrap();
        assert!(condition.holds(&values(None, Some("1"))).unwrap());
        assert!(!condition.holds(&values(None, Some("2"))).unwrap());
        // Rows of any value may pass one of two ways.
        assert_eq!(found(&other.or(number)), []);
    }

    #[test]
    fn what_cannot_be_told_by_partitions_is_refused() {
        let other = Expr::call(Func::Eq, [Expr::column("x"), Expr::literal(1_i64)]);
        let error = condition(other).unwrap_err();
        assert!(error.message().contains("`x`"), "{error}");
        let text = Expr::call(Func::Eq, [Expr::column("n"), Expr::literal("a")]);
        assert_eq!(condition(text).unwrap_err().kind(), ErrorKind::TypeMismatch);
        let sum = Expr::call(
            Func::Eq,
            [
                Expr::call(Func::Abs, [Expr::column("n")]),
                Expr::literal(1_i64),
            ],
        );
        assert_eq!(condition(sum).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
