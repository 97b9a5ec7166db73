//! What the bytes of records have to be, by the schema of their file: they are walked before they are decoded, since the
//! reader of Arrow takes other branches, truth values, times and digits than there are for what they are not.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

/// A type, as it is encoded.
#[derive(Debug)]
enum Node {
    Null,
    Boolean,
    Int,
    Long,
    /// A whole number from 0 up to what is below a limit: a time within a day, in a 32-bit number or not.
    Below(i64, bool),
    Bytes,
    /// A number of bytes.
    Fixed(usize),
    /// One of a number of symbols.
    Symbols(usize),
    /// A decimal of a number of digits, of a fixed size or not.
    Decimal(u32, Option<usize>),
    List(Arc<Node>),
    Map(Arc<Node>),
    Union(Vec<Arc<Node>>),
    Record(Vec<Arc<Node>>),
}

/// What a record is made of.
#[derive(Debug)]
pub(super) struct Records {
    root: Arc<Node>,
}

const DAY: i64 = 86_400_000;

impl Records {
    /// By the schema in the header of a file; none for one that is not understood.
    pub(super) fn of(schema: &[u8]) -> Option<Self> {
        let schema: Value = serde_json::from_slice(schema).ok()?;
        let mut names = Names::default();
        let root = names.node(&schema, "")?;
        matches!(*root, Node::Record(_)).then_some(Self { root })
    }

    /// Whether `bytes` are `count` records, and nothing else.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn check(&self, bytes: &[u8], count: u64) -> Result<(), String> {
        let mut rest = bytes;
        if !is_nothing(&self.root) {
            for row in 1..=count {
                walk(&self.root, &mut rest).map_err(|what| match what {
                    Some(what) => format!("its row {row} holds {what}"),
                    None => format!("its bytes end within row {row}"),
                })?;
            }
        }
        match rest.len() {
            0 => Ok(()),
            left => Err(format!("it holds {left} bytes more than its rows")),
        }
    }
}

/// The types of a schema that have names, by their full ones. A type that names itself is not among them yet.
#[derive(Default)]
struct Names {
    known: HashMap<String, Arc<Node>>,
    /// Types around the one that is looked at.
    depth: usize,
}

/// Types within one another, which the reader goes through on the stack.
const DEEPEST: usize = 64;

impl Names {
    fn node(&mut self, schema: &Value, space: &str) -> Option<Arc<Node>> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let node = self.inner(schema, space);
        self.depth -= 1;
        node
    }

    fn inner(&mut self, schema: &Value, space: &str) -> Option<Arc<Node>> {
        match schema {
            Value::String(name) => self.named(name, space),
            Value::Array(branches) => {
                let branches = branches.iter().map(|branch| self.node(branch, space));
                Some(Arc::new(Node::Union(branches.collect::<Option<_>>()?)))
            }
            Value::Object(object) => match object.get("type")? {
                Value::String(name) => self.object(name, object, space),
                inner => self.node(inner, space),
            },
            _ => None,
        }
    }

    fn named(&self, name: &str, space: &str) -> Option<Arc<Node>> {
        let node = match name {
            "null" => Node::Null,
            "boolean" => Node::Boolean,
            "int" => Node::Int,
            "long" => Node::Long,
            "float" => Node::Fixed(4),
            "double" => Node::Fixed(8),
            "bytes" | "string" => Node::Bytes,
            _ => {
                let full = full_name(name, space);
                return self
                    .known
                    .get(&full)
                    .or_else(|| self.known.get(name))
                    .cloned();
            }
        };
        Some(Arc::new(node))
    }

    fn object(
        &mut self,
        name: &str,
        object: &Map<String, Value>,
        space: &str,
    ) -> Option<Arc<Node>> {
        let logical = object.get("logicalType").and_then(Value::as_str);
        let digits = object.get("precision").and_then(Value::as_u64);
        let digits = digits
            .and_then(|digits| u32::try_from(digits).ok())
            .filter(|digits| logical == Some("decimal") && (1..=38).contains(digits));
        let own = object.get("name").and_then(Value::as_str).unwrap_or("");
        let full = match object.get("namespace").and_then(Value::as_str) {
            Some(space) if !own.contains('.') => full_name(own, space),
            _ => full_name(own, space),
        };
        let node = Arc::new(match (name, logical) {
            ("int", Some("time-millis")) => Node::Below(DAY, true),
            ("long", Some("time-micros")) => Node::Below(DAY * 1_000, false),
            ("bytes", _) if let Some(digits) = digits => Node::Decimal(digits, None),
            ("array", _) => Node::List(self.node(object.get("items")?, space)?),
            ("map", _) => Node::Map(self.node(object.get("values")?, space)?),
            ("enum", _) => Node::Symbols(object.get("symbols")?.as_array()?.len()),
            ("fixed", _) => {
                let size = usize::try_from(object.get("size")?.as_u64()?).ok()?;
                match digits {
                    Some(digits) => Node::Decimal(digits, Some(size)),
                    None => Node::Fixed(size),
                }
            }
            ("record", _) => {
                let inner = full.rsplit_once('.').map_or("", |(space, _)| space);
                let fields = object.get("fields")?.as_array()?.iter();
                let fields = fields.map(|field| self.node(field.get("type")?, inner));
                Node::Record(fields.collect::<Option<_>>()?)
            }
            _ => return self.named(name, space),
        });
        if matches!(name, "enum" | "fixed" | "record") {
            self.known.insert(full, Arc::clone(&node));
        }
        Some(node)
    }
}

fn full_name(name: &str, space: &str) -> String {
    match name.contains('.') || space.is_empty() {
        true => name.to_owned(),
        false => format!("{space}.{name}"),
    }
}

/// Whether values of a type take no bytes.
fn is_nothing(node: &Node) -> bool {
    match node {
        Node::Null | Node::Fixed(0) | Node::Decimal(_, Some(0)) => true,
        Node::Record(fields) => fields.iter().all(|field| is_nothing(field)),
        _ => false,
    }
}

/// What is wrong; none where bytes end.
type Fault = Option<String>;

fn walk(node: &Node, bytes: &mut &[u8]) -> Result<(), Fault> {
    match node {
        Node::Null => {}
        Node::Boolean => {
            let byte = taken(bytes, 1)?[0];
            if byte > 1 {
                return Err(Some(format!("{byte} in the place of a truth value")));
            }
        }
        Node::Int => {
            int(bytes)?;
        }
        Node::Long => {
            long(bytes)?;
        }
        Node::Below(limit, of_32) => {
            let value = match of_32 {
                true => int(bytes)?,
                false => long(bytes)?,
            };
            if !(0..*limit).contains(&value) {
                return Err(Some(format!("{value} in the place of a time of the day")));
            }
        }
        Node::Bytes => {
            let length = length(bytes)?;
            taken(bytes, length)?;
        }
        Node::Fixed(size) => {
            taken(bytes, *size)?;
        }
        Node::Symbols(count) => {
            let place = int(bytes)?;
            if usize::try_from(place).map_or(true, |place| place >= *count) {
                return Err(Some(format!("symbol {place} of {count}")));
            }
        }
        Node::Decimal(digits, size) => {
            let size = match size {
                Some(size) => *size,
                None => length(bytes)?,
            };
            if !has_digits(taken(bytes, size)?, *digits) {
                return Err(Some(format!("a decimal of more than {digits} digits")));
            }
        }
        Node::List(item) => items(bytes, is_nothing(item), |bytes| walk(item, bytes))?,
        Node::Map(value) => items(bytes, false, |bytes| {
            let length = length(bytes)?;
            taken(bytes, length)?;
            walk(value, bytes)
        })?,
        Node::Union(branches) => {
            let place = long(bytes)?;
            let branch = usize::try_from(place).ok();
            let Some(branch) = branch.and_then(|place| branches.get(place)) else {
                let count = branches.len();
                return Err(Some(format!("branch {place} of a union of {count}")));
            };
            walk(branch, bytes)?;
        }
        Node::Record(fields) => {
            for field in fields {
                walk(field, bytes)?;
            }
        }
    }
    Ok(())
}

/// Walks the items of a list, which come in runs, up to one of none.
fn items(
    bytes: &mut &[u8],
    are_nothing: bool,
    mut item: impl FnMut(&mut &[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    loop {
        let count = long(bytes)?;
        if count == 0 {
            return Ok(());
        }
        let size = match count < 0 {
            true => Some(length(bytes)?),
            false => None,
        };
        let before = bytes.len();
        let count = count.unsigned_abs();
        if are_nothing {
            // There is nothing by which to tell that they are there.
            if count > MOST_OF_NOTHING {
                return Err(Some(format!("a list of {count} values without a byte")));
            }
        } else {
            for _ in 0..count {
                item(bytes)?;
            }
        }
        if size.is_some_and(|size| size != before - bytes.len()) {
            return Err(Some("a list of another length than it says".to_owned()));
        }
    }
}

/// Values without a byte that a list may have.
const MOST_OF_NOTHING: u64 = 1 << 20;

fn taken<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], Fault> {
    let (first, rest) = bytes.split_at_checked(length).ok_or(None)?;
    *bytes = rest;
    Ok(first)
}

fn length(bytes: &mut &[u8]) -> Result<usize, Fault> {
    let length = long(bytes)?;
    usize::try_from(length).map_err(|_| Some(format!("a length of {length}")))
}

fn int(bytes: &mut &[u8]) -> Result<i64, Fault> {
    let value = long(bytes)?;
    match i32::try_from(value) {
        Ok(_) => Ok(value),
        Err(_) => Err(Some(format!("{value} in the place of a number of 32 bits"))),
    }
}

/// A whole number of variable length, in zigzag.
fn long(bytes: &mut &[u8]) -> Result<i64, Fault> {
    let mut value = 0_u64;
    for place in 0..10 {
        let (&byte, rest) = bytes.split_first().ok_or(None)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            if place == 9 && byte > 1 {
                break;
            }
            return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    Err(Some("a number of more than 64 bits".to_owned()))
}

/// Whether a number, its greatest byte first, has no more digits than there may be.
fn has_digits(bytes: &[u8], digits: u32) -> bool {
    let sign = match bytes.first() {
        Some(first) if first & 0x80 != 0 => 0xff,
        _ => 0,
    };
    let extra = bytes.len().saturating_sub(16);
    let mut value = [sign; 16];
    value[16_usize.saturating_sub(bytes.len())..].copy_from_slice(&bytes[extra..]);
    let is_whole = bytes[..extra].iter().all(|byte| *byte == sign) && value[0] >> 7 == sign >> 7;
    is_whole && i128::from_be_bytes(value).unsigned_abs() < 10_u128.pow(digits)
}
