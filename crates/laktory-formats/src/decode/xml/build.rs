//! Values of trees as arrays.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, LargeListArray, StringViewArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType};

use super::tree::Node;
use crate::decode::converted;

/// The field of each value: of objects by its name; a text that is no object is its field `value`.
pub(super) fn fields<'a>(
    nodes: &[Option<&'a Node>],
    name: &str,
    value: &str,
) -> Vec<Option<&'a Node>> {
    let of = |node: &&'a Node| match node {
        Node::Object(fields) => fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, field)| field),
        text @ Node::Text(_) if name == value => Some(*text),
        _ => None,
    };
    nodes
        .iter()
        .map(|node| node.as_ref().and_then(of))
        .collect()
}

/// Values as an array of a type.
///
/// # Errors
/// A value that is not of the type.
pub(super) fn array(
    dtype: &DataType,
    nodes: &[Option<&Node>],
    value: &str,
) -> Result<ArrayRef, ArrowError> {
    match dtype {
        DataType::LargeList(item) => {
            let mut items: Vec<Option<&Node>> = Vec::new();
            let mut lengths = Vec::with_capacity(nodes.len());
            let mut valid = Vec::with_capacity(nodes.len());
            for node in nodes {
                let before = items.len();
                match node {
                    None => valid.push(false),
                    // An element without anything in it is there.
                    Some(Node::List(values)) => {
                        items.extend(values.iter().map(Some));
                        valid.push(true);
                    }
                    Some(one) => {
                        items.push(Some(*one));
                        valid.push(true);
                    }
                }
                lengths.push(items.len() - before);
            }
            let values = array(item.data_type(), &items, value)?;
            let lists = LargeListArray::try_new(
                Arc::clone(item),
                OffsetBuffer::from_lengths(lengths),
                values,
                Some(NullBuffer::from(valid)),
            )?;
            Ok(Arc::new(lists))
        }
        DataType::Struct(children) => {
            let mut valid = Vec::with_capacity(nodes.len());
            for node in nodes {
                match node {
                    None | Some(Node::Null) => valid.push(false),
                    Some(Node::List(_)) => return Err(several()),
                    Some(_) => valid.push(true),
                }
            }
            let columns = children
                .iter()
                .map(|child| {
                    let of = fields(nodes, child.name(), value);
                    array(child.data_type(), &of, value)
                })
                .collect::<Result<Vec<_>, _>>()?;
            let valid = Some(NullBuffer::from(valid));
            let structs = StructArray::try_new(children.clone(), columns, valid)?;
            Ok(Arc::new(structs))
        }
        leaf => {
            let texts = nodes
                .iter()
                .map(|node| match node {
                    None | Some(Node::Null) => Ok(None),
                    Some(Node::Text(text)) => Ok(Some(text.as_str())),
                    Some(Node::Object(_)) => Err(ArrowError::CastError(
                        "an element with attributes or elements is no single value".to_owned(),
                    )),
                    Some(Node::List(_)) => Err(several()),
                })
                .collect::<Result<Vec<_>, _>>()?;
            let texts: ArrayRef = Arc::new(StringViewArray::from(texts));
            match leaf {
                DataType::Utf8View => Ok(texts),
                // A column of nothing but nulls.
                leaf if texts.null_count() == texts.len() => {
                    Ok(arrow_array::new_null_array(leaf, texts.len()))
                }
                leaf => converted(&texts, leaf),
            }
        }
    }
}

fn several() -> ArrowError {
    ArrowError::CastError("several elements of one name are no single value".to_owned())
}
