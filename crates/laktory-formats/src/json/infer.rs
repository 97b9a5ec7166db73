//! What the values of a place are, and which type holds them all: the one table of how types meet.
//!
//! - nulls and missing fields fit every type; nothing else gives `Null`
//! - integers are `Int64`; from 2^63 on `UInt64`, where none is negative, else `Decimal(38, 0)`; longer ones are refused
//! - integers and fractions are `Float64`, as long as no integer would lose digits; then they are refused
//! - objects are structs of all fields, in order of appearance; lists are lists of what their elements have in common
//! - whatever else meets is `String`: texts as they are, other values as their JSON text

use laktory_core::{DType, Field};

use super::fault::Flaw;
use super::keys::{Key, Keys};
use super::parse::{Cursor, Number, Parsed, Token};

const NULL: u8 = 1;
const BOOL: u8 = 2;
const INTEGER: u8 = 4;
const FRACTION: u8 = 8;
const TEXT: u8 = 16;
const OBJECT: u8 = 32;
const LIST: u8 = 64;

/// A place in one of several files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: usize,
    pub(super) at: u64,
}

/// A value of which a column has no type.
#[derive(Debug)]
pub(super) struct Conflict {
    pub(super) place: Place,
    pub(super) flaw: Flaw,
    /// The fields around it, the innermost first.
    pub(super) path: Vec<String>,
}

/// The values of a place.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    kinds: u8,
    /// Whether objects and lists are not looked into.
    closed: bool,
    least: i128,
    most: i128,
    /// Whether an integer is written `-0`.
    has_minus_zero: bool,
    /// The first integer that a float does not hold, and the first that 38 digits do not.
    inexact: Option<Box<(Place, String)>>,
    beyond: Option<Box<(Place, String)>>,
    fields: Option<Box<Fields>>,
    items: Option<Box<Node>>,
}

/// The fields of the objects of a place.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    keys: Keys,
    nodes: Vec<Node>,
    /// Whether other fields are passed over.
    closed: bool,
}

impl Fields {
    /// Of declared columns; other fields do not count.
    pub(super) fn declared(fields: &[Field]) -> Self {
        let mut out = Self {
            closed: true,
            ..Self::default()
        };
        for field in fields {
            if out.keys.add(&field.name).is_some() {
                out.nodes.push(Node::declared(&field.dtype));
            }
        }
        out
    }

    /// Looks at the object that has begun.
    pub(super) fn object(&mut self, cursor: &mut Cursor<'_>, file: usize, base: u64) -> Parsed<()> {
        self.keys.begin();
        let (mut likely, mut first) = (0, true);
        while let Some(key) = self.keys.next(cursor, likely, first)? {
            first = false;
            let place = match key {
                Key::Known(place) => place,
                Key::Unknown(_) if self.closed => {
                    cursor.skip()?;
                    continue;
                }
                Key::Unknown(name) => {
                    self.nodes.push(Node::default());
                    self.keys.learn(&name, cursor)?
                }
            };
            likely = place + 1;
            let node = &mut self.nodes[place];
            if let Err(fault) = node.value(cursor, file, base) {
                return Err(fault.within(&self.keys.names()[place]));
            }
        }
        Ok(())
    }

    /// Adds what was found further on.
    pub(super) fn merge(&mut self, other: Self) {
        for (name, node) in other.keys.names().iter().zip(other.nodes) {
            match self.keys.find(name) {
                Some(place) => self.nodes[place].merge(node),
                None => {
                    if self.keys.add(name).is_some() {
                        self.nodes.push(node);
                    }
                }
            }
        }
    }

    /// The columns that hold all values.
    pub(super) fn columns(&self) -> Result<Vec<Field>, Box<Conflict>> {
        self.keys
            .names()
            .iter()
            .zip(&self.nodes)
            .map(|(name, node)| match node.dtype() {
                Ok(dtype) => Ok(Field::new(&**name, dtype)),
                Err(mut conflict) => {
                    conflict.path.push(name.to_string());
                    Err(conflict)
                }
            })
            .collect()
    }

    /// Whether a reader that knows no more than the plainest types of JSON reads these columns exactly.
    pub(super) fn is_plain(&self, columns: &[Field], nested: bool) -> bool {
        columns
            .iter()
            .all(|column| match self.keys.find(&column.name) {
                Some(place) => self.nodes[place].is_plain(&column.dtype, nested),
                None => Node::default().is_plain(&column.dtype, nested),
            })
    }
}

impl Node {
    fn declared(dtype: &DType) -> Self {
        let mut node = Self {
            closed: true,
            ..Self::default()
        };
        match dtype {
            DType::Struct(fields) => node.fields = Some(Box::new(Fields::declared(fields))),
            DType::List(inner) | DType::Array(inner, _) => {
                node.items = Some(Box::new(Self::declared(inner)));
            }
            _ => {}
        }
        node
    }

    fn value(&mut self, cursor: &mut Cursor<'_>, file: usize, base: u64) -> Parsed<()> {
        match cursor.token()? {
            Token::Null => self.kinds |= NULL,
            Token::Bool(_) => self.kinds |= BOOL,
            Token::Text(_) => self.kinds |= TEXT,
            Token::Number(number) => {
                let at = base + (cursor.at() - number.raw.len()) as u64;
                self.number(&number, Place { file, at }, cursor)?;
            }
            Token::Object => {
                self.kinds |= OBJECT;
                match (&mut self.fields, self.closed) {
                    (Some(fields), _) => fields.object(cursor, file, base)?,
                    (None, true) => cursor.skip_rest(&Token::Object)?,
                    (none, false) => none.insert(Box::default()).object(cursor, file, base)?,
                }
            }
            Token::List => {
                self.kinds |= LIST;
                if self.closed && self.items.is_none() {
                    return cursor.skip_rest(&Token::List);
                }
                let items = self.items.get_or_insert_default();
                let mut first = true;
                while cursor.item(first)? {
                    first = false;
                    items.value(cursor, file, base)?;
                }
            }
        }
        Ok(())
    }

    fn number(&mut self, number: &Number<'_>, place: Place, cursor: &Cursor<'_>) -> Parsed<()> {
        if !number.is_integer {
            self.kinds |= FRACTION;
            if !self.closed && number.is_beyond_floats() {
                return cursor.fault(Flaw::Beyond(number.raw.to_owned()));
            }
            return Ok(());
        }
        match number
            .integer()
            .filter(|value| value.unsigned_abs() < 10_u128.pow(38))
        {
            Some(value) => {
                let fresh = self.kinds & INTEGER == 0;
                self.least = if fresh { value } else { self.least.min(value) };
                self.most = if fresh { value } else { self.most.max(value) };
                self.has_minus_zero |= value == 0 && number.raw.starts_with('-');
            }
            None if self.beyond.is_none() => {
                self.beyond = Some(Box::new((place, number.raw.to_owned())));
            }
            None => {}
        }
        self.kinds |= INTEGER;
        if self.inexact.is_none() && !number.is_exact_float() {
            self.inexact = Some(Box::new((place, number.raw.to_owned())));
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        if other.kinds & INTEGER != 0 {
            let fresh = self.kinds & INTEGER == 0;
            self.least = if fresh {
                other.least
            } else {
                self.least.min(other.least)
            };
            self.most = if fresh {
                other.most
            } else {
                self.most.max(other.most)
            };
        }
        self.kinds |= other.kinds;
        self.has_minus_zero |= other.has_minus_zero;
        self.inexact = self.inexact.take().or(other.inexact);
        self.beyond = self.beyond.take().or(other.beyond);
        match (&mut self.fields, other.fields) {
            (Some(fields), Some(more)) => fields.merge(*more),
            (none @ None, more) => *none = more,
            _ => {}
        }
        match (&mut self.items, other.items) {
            (Some(items), Some(more)) => items.merge(*more),
            (none @ None, more) => *none = more,
            _ => {}
        }
    }

    /// The type that holds all values.
    fn dtype(&self) -> Result<DType, Box<Conflict>> {
        let conflict = |found: &(Place, String), flaw: fn(String) -> Flaw| {
            Err(Box::new(Conflict {
                place: found.0,
                flaw: flaw(found.1.clone()),
                path: Vec::new(),
            }))
        };
        Ok(match self.kinds & !NULL {
            0 => DType::Null,
            BOOL => DType::Boolean,
            TEXT => DType::String,
            INTEGER => {
                if let Some(found) = &self.beyond {
                    return conflict(found, Flaw::Beyond);
                }
                if self.least >= i64::MIN.into() && self.most <= i64::MAX.into() {
                    DType::Int64
                } else if self.least >= 0 && self.most <= u64::MAX.into() {
                    DType::UInt64
                } else {
                    DType::Decimal {
                        precision: Some(38),
                        scale: 0,
                    }
                }
            }
            FRACTION => DType::Float64,
            kinds if kinds == INTEGER | FRACTION => match &self.inexact {
                Some(found) => return conflict(found, Flaw::Inexact),
                None => DType::Float64,
            },
            OBJECT => DType::Struct(
                self.fields
                    .as_deref()
                    .map_or(Ok(Vec::new()), Fields::columns)?,
            ),
            LIST => {
                let items = self.items.as_deref();
                DType::List(Box::new(items.map_or(Ok(DType::Null), Self::dtype)?))
            }
            _ => DType::String,
        })
    }

    fn is_plain(&self, dtype: &DType, nested: bool) -> bool {
        let only = |kinds: u8| self.kinds & !(kinds | NULL) == 0;
        let integers = |least: i128, most: i128| {
            self.kinds & INTEGER == 0
                || (self.beyond.is_none() && self.least >= least && self.most <= most)
        };
        match dtype {
            DType::Null => only(0) && !nested,
            DType::Boolean => only(BOOL),
            DType::Int32 => only(INTEGER) && integers(i32::MIN.into(), i32::MAX.into()),
            DType::Int64 => only(INTEGER) && integers(i64::MIN.into(), i64::MAX.into()),
            DType::UInt32 => only(INTEGER) && integers(0, u32::MAX.into()),
            DType::UInt64 => only(INTEGER) && integers(0, u64::MAX.into()),
            DType::Float64 => {
                only(INTEGER | FRACTION)
                    && integers(i64::MIN.into(), u64::MAX.into())
                    && !self.has_minus_zero
            }
            DType::String => only(TEXT),
            DType::Date | DType::Time | DType::Datetime { .. } => only(TEXT) && !nested,
            DType::Categorical | DType::Enum(_) => only(TEXT) && !nested,
            DType::List(inner) => {
                only(LIST)
                    && match &self.items {
                        Some(items) => items.is_plain(inner, true),
                        None => Self::default().is_plain(inner, true),
                    }
            }
            DType::Struct(fields) => {
                only(OBJECT)
                    && !fields.is_empty()
                    && match &self.fields {
                        Some(known) => known.is_plain(fields, true),
                        None => Fields::default().is_plain(fields, true),
                    }
            }
            _ => false,
        }
    }
}
