//! Expressions: the shapes. Lowering is typed, and gives closures over the rows of a frame; functions are lowered by the
//! tables of [`crate::funcs`].

mod literal;
mod over;
mod window;

use std::fmt;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt64Array, new_null_array,
};
use arrow::compute::kernels::zip::zip;
use arrow::compute::take;
use arrow::datatypes::{DataType, Schema};
use laktory_core::{Error, ErrorKind, Expr, Result, RunCx, Scalar, SortKey, no_column};

use crate::batch::{Key, keyed};
use crate::cast::{cast, convert};
use crate::error::OrError;
use crate::types::{common, fields, shown};
use crate::{funcs, unsupported};

pub(crate) use literal::array_of;
pub(crate) use over::ordered;
pub(crate) use window::FUNCS as WINDOWS;

/// What an expression gives for some rows.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    /// One value for all of them, as an array of that one.
    One(ArrayRef),
    /// A value for each; another number of values behind functions such as `drop_nulls`.
    Each(ArrayRef),
}

type Compute = Arc<dyn Fn(&RecordBatch) -> Result<Column> + Send + Sync>;

/// An expression with its type, ready to compute.
#[derive(Clone)]
pub(crate) struct Value {
    /// The type of what it gives.
    pub(crate) dtype: DataType,
    /// The constant, if it is one as written.
    pub(crate) constant: Option<Scalar>,
    compute: Compute,
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value")
            .field("dtype", &self.dtype)
            .finish_non_exhaustive()
    }
}

impl Value {
    /// What a function gives for the rows of a frame.
    pub(crate) fn new(
        dtype: DataType,
        compute: impl Fn(&RecordBatch) -> Result<Column> + Send + Sync + 'static,
    ) -> Self {
        Self {
            dtype,
            constant: None,
            compute: Arc::new(compute),
        }
    }

    /// A constant.
    ///
    /// # Errors
    /// `Unsupported` for constants of types that the engine does not compute with.
    pub(crate) fn constant(value: &Scalar) -> Result<Self> {
        let array = literal::array(value)?;
        let constant = Self::new(array.data_type().clone(), move |_| {
            Ok(Column::One(Arc::clone(&array)))
        });
        Ok(constant.known_as(Some(value.clone())))
    }

    /// The same value, known to be a constant as written.
    pub(crate) fn known_as(self, constant: Option<Scalar>) -> Self {
        Self { constant, ..self }
    }

    /// A null of a type.
    pub(crate) fn null(dtype: DataType) -> Self {
        let array = new_null_array(&dtype, 1);
        Self::new(dtype, move |_| Ok(Column::One(Arc::clone(&array))))
    }

    /// What it gives for some rows.
    pub(crate) fn compute(&self, rows: &RecordBatch) -> Result<Column> {
        (self.compute)(rows)
    }

    /// One value for each row.
    ///
    /// # Errors
    /// Those of the expression; `LengthChanging` when it gives another number of values.
    pub(crate) fn column(&self, rows: &RecordBatch) -> Result<ArrayRef> {
        let array = match self.compute(rows)? {
            Column::One(array) => return repeated(&array, rows.num_rows()),
            Column::Each(array) => array,
        };
        if array.len() == rows.num_rows() {
            return Ok(array);
        }
        Err(Error::new(
            ErrorKind::LengthChanging,
            format!("{} values for {} rows", array.len(), rows.num_rows()),
        ))
    }

    /// The values, however many there are.
    pub(crate) fn values(&self, rows: &RecordBatch) -> Result<ArrayRef> {
        Ok(match self.compute(rows)? {
            Column::One(array) | Column::Each(array) => array,
        })
    }
}

/// The first value of an array, as often as there are rows.
pub(crate) fn repeated(array: &ArrayRef, rows: usize) -> Result<ArrayRef> {
    take(array, &UInt64Array::from(vec![0; rows]), None).or_error()
}

/// A function of arrays of one length, which gives an array of that length and of type `dtype`.
pub(crate) fn kernel(
    args: Vec<Value>,
    dtype: DataType,
    run: impl Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync + 'static,
) -> Value {
    Value::new(dtype, move |rows| {
        let (arrays, each) = aligned(&args, rows)?;
        let out = run(&arrays)?;
        Ok(if each {
            Column::Each(out)
        } else {
            Column::One(out)
        })
    })
}

/// The values of several expressions, as many of each; and whether there may be more than one of them.
///
/// # Errors
/// `LengthChanging` when they give different numbers of values.
pub(crate) fn aligned(args: &[Value], rows: &RecordBatch) -> Result<(Vec<ArrayRef>, bool)> {
    let columns = args
        .iter()
        .map(|arg| arg.compute(rows))
        .collect::<Result<Vec<_>>>()?;
    let each = columns.iter().find_map(|column| match column {
        Column::Each(array) => Some(array.len()),
        Column::One(_) => None,
    });
    let arrays = columns.iter().map(|column| match (column, each) {
        (Column::One(array), Some(len)) => repeated(array, len),
        (Column::Each(array), Some(len)) if array.len() != len => Err(Error::new(
            ErrorKind::LengthChanging,
            format!("{len} and {} values stand beside each other", array.len()),
        )),
        (Column::One(array) | Column::Each(array), _) => Ok(Arc::clone(array)),
    });
    Ok((arrays.collect::<Result<_>>()?, each.is_some()))
}

/// Lowers expressions against the columns of one frame.
pub(crate) struct Lower<'a> {
    pub(crate) cx: &'a RunCx,
    pub(crate) schema: &'a Schema,
}

impl Lower<'_> {
    /// Lowers an expression whose selectors are resolved ([`laktory_core::expand`]).
    ///
    /// # Errors
    /// `Unsupported`, `TypeMismatch`, `UnsupportedCast`, `ColumnNotFound`, `InvalidArgument`.
    pub(crate) fn lower(&self, expr: &Expr) -> Result<Value> {
        match expr {
            Expr::Column(name) => self.named(name),
            Expr::Literal(value) => Value::constant(value),
            Expr::Call { func, args } => funcs::lower(self, *func, args),
            Expr::User { name, args } => funcs::user::lower(self, name, args),
            Expr::Cast { expr, to, strict } => cast(self.lower(expr)?, to, *strict),
            Expr::When {
                branches,
                otherwise,
            } => self.when(branches, otherwise.as_deref()),
            Expr::Over {
                expr,
                partition_by,
                order_by,
            } => {
                let partition_by = partition_by
                    .iter()
                    .map(|key| keyed(self.lower(key)?))
                    .collect::<Result<_>>()?;
                let order_by = self.sort_keys(order_by)?;
                Ok(over::over(self.lower(expr)?, partition_by, order_by))
            }
            Expr::Window(window) => window::window(self, window),
            // Names are those of the outputs.
            Expr::Alias { expr, .. } | Expr::Rename { expr, .. } => self.lower(expr),
            Expr::Columns(_) => Err(Error::internal("a selector that was not resolved")),
            _ => Err(unsupported("this kind of expression")),
        }
    }

    /// A column by its exact name.
    pub(crate) fn named(&self, name: &str) -> Result<Value> {
        let Some((at, field)) = self.schema.column_with_name(name) else {
            return Err(no_column(name, &fields(self.schema)));
        };
        Ok(Value::new(field.data_type().clone(), move |rows| {
            Ok(Column::Each(Arc::clone(rows.column(at))))
        }))
    }

    /// Sort keys.
    pub(crate) fn sort_keys(&self, keys: &[SortKey]) -> Result<Vec<Key>> {
        keys.iter()
            .map(|key| Key::new(self.lower(&key.expr)?, key))
            .collect()
    }

    fn when(&self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result<Value> {
        let mut conditions = Vec::with_capacity(branches.len());
        let mut values = Vec::with_capacity(branches.len() + 1);
        for (condition, value) in branches {
            conditions.push(truth(self.lower(condition)?, "a condition")?);
            values.push(self.lower(value)?);
        }
        values.push(match otherwise {
            Some(otherwise) => self.lower(otherwise)?,
            None => Value::null(DataType::Null),
        });
        let dtype = common(&values)?;
        let count = conditions.len();
        let mut args = conditions;
        for value in values {
            args.push(convert(value, &dtype)?);
        }
        Ok(kernel(args, dtype, move |arrays| {
            let (conditions, values) = arrays.split_at(count);
            let mut out = Arc::clone(&values[count]);
            for (condition, value) in conditions.iter().zip(values).rev() {
                let holds = holding(condition.as_boolean());
                out = zip(&holds, value, &out).or_error()?;
            }
            Ok(out)
        }))
    }
}

/// Where a condition is true: neither false nor null.
pub(crate) fn holding(condition: &BooleanArray) -> BooleanArray {
    match condition.nulls() {
        Some(nulls) => BooleanArray::new(condition.values() & nulls.inner(), None),
        None => condition.clone(),
    }
}

/// A value as a truth value.
///
/// # Errors
/// `TypeMismatch`.
pub(crate) fn truth(value: Value, what: &str) -> Result<Value> {
    match value.dtype {
        DataType::Boolean => Ok(value),
        DataType::Null => convert(value, &DataType::Boolean),
        other => Err(Error::new(
            ErrorKind::TypeMismatch,
            format!("{what} is of type {}, not Boolean", shown(&other)),
        )),
    }
}
