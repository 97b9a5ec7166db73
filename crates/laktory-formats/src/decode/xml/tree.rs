//! Rows of a document as trees, one after the other, so that no more than a row is held.

use std::io::BufRead;
use std::sync::Arc;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// How elements become columns.
#[derive(Debug)]
pub(super) struct Names {
    /// The name of elements that are rows.
    pub(super) row: String,
    /// What names of attributes begin with.
    pub(super) prefix: String,
    /// The field of texts beside attributes and elements.
    pub(super) value: String,
    /// The text that stands for null.
    pub(super) null: Option<String>,
    /// Whether attributes are read.
    pub(super) attributes: bool,
    /// Whether prefixes of namespaces are left out.
    pub(super) local: bool,
    /// Whether texts are read without blanks around them.
    pub(super) trims: bool,
}

/// A value: of a row, of an element, of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Text(String),
    /// Fields in the order in which they come, each of them once.
    Object(Vec<(String, Node)>),
    /// Elements of one name.
    List(Vec<Node>),
}

/// What is wrong with a document, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) what: String,
    pub(super) at: Option<u64>,
    pub(super) io: Option<std::io::Error>,
}

/// The rows of a document.
pub(super) struct Rows<R> {
    reader: Reader<R>,
    names: Arc<Names>,
    buffer: Vec<u8>,
    /// Names of elements that are open around rows.
    open: Vec<String>,
    /// Names of elements that are no rows, each once, as many as are told.
    seen: Vec<String>,
    rooted: bool,
}

/// Names that are told when none is that of rows.
const TOLD: usize = 40;
/// Elements in elements.
const DEPTH: usize = 200;

impl<R: BufRead> Rows<R> {
    pub(super) fn new(text: R, names: Arc<Names>) -> Self {
        let mut reader = Reader::from_reader(text);
        reader.config_mut().check_end_names = true;
        Self {
            reader,
            names,
            buffer: Vec::new(),
            open: Vec::new(),
            seen: Vec::new(),
            rooted: false,
        }
    }

    /// Names of elements that are no rows.
    pub(super) fn seen(&self) -> &[String] {
        &self.seen
    }

    /// The next row; none behind the last one, at the end of a whole document.
    pub(super) fn next_row(&mut self) -> Result<Option<Node>, Fault> {
        loop {
            self.buffer.clear();
            let at = self.reader.buffer_position();
            let event = self.reader.read_event_into(&mut self.buffer);
            let (start, is_empty) = match event.map_err(|error| fault(&self.reader, error))? {
                Event::Start(start) => (start, false),
                Event::Empty(start) => (start, true),
                Event::End(_) => {
                    self.open.pop();
                    continue;
                }
                Event::Text(text) if self.open.is_empty() && !text.trim().is_empty() => {
                    return Err(Fault {
                        what: "there is text outside of the document".to_owned(),
                        at: Some(at),
                        io: None,
                    });
                }
                Event::Eof => {
                    return match (self.open.pop(), self.rooted) {
                        (Some(name), _) => Err(early(&name, at)),
                        (None, false) => Err(Fault {
                            what: "there is no element".to_owned(),
                            at: None,
                            io: None,
                        }),
                        (None, true) => Ok(None),
                    };
                }
                _ => continue,
            };
            self.rooted = true;
            let name = name(&self.names, &start);
            if name == self.names.row {
                let start = start.into_owned();
                return self.element(&start, is_empty, 0).map(Some);
            }
            if self.seen.len() < TOLD && !self.seen.contains(&name) {
                self.seen.push(name.clone());
            }
            if !is_empty {
                if self.open.len() >= DEPTH {
                    return Err(deep(at));
                }
                self.open.push(name);
            }
        }
    }

    /// The value of an element that has begun.
    fn element(
        &mut self,
        start: &BytesStart<'_>,
        is_empty: bool,
        depth: usize,
    ) -> Result<Node, Fault> {
        let at = self.reader.buffer_position();
        if depth >= DEPTH {
            return Err(deep(at));
        }
        let mut fields = Vec::new();
        for attribute in start.attributes() {
            let bad = |what: String| Fault {
                what,
                at: Some(at),
                io: None,
            };
            let attribute = attribute.map_err(|error| bad(error.to_string()))?;
            let key = attribute.key;
            let name: &str = match self.names.local {
                true => key.local_name().into_inner(),
                false => key.into_inner(),
            };
            // What declares a namespace says nothing of the row.
            if !self.names.attributes || key.as_namespace_binding().is_some() {
                continue;
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| bad(error.to_string()))?;
            let value = self.text(&value);
            put(&mut fields, format!("{}{name}", self.names.prefix), value);
        }
        let mut text = String::new();
        if !is_empty {
            self.content(start, &mut fields, &mut text, depth)?;
        }
        let text = self.text(&text);
        Ok(match (fields.is_empty(), text) {
            (true, text) => text,
            (false, Node::Null) => Node::Object(fields),
            (false, text) => {
                put(&mut fields, self.names.value.clone(), text);
                Node::Object(fields)
            }
        })
    }

    /// What is in an element, up to its end.
    fn content(
        &mut self,
        start: &BytesStart<'_>,
        fields: &mut Vec<(String, Node)>,
        text: &mut String,
        depth: usize,
    ) -> Result<(), Fault> {
        loop {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            let at = self.reader.buffer_position();
            let event = self.reader.read_event_into(&mut buffer);
            let mut child = None;
            match event.map_err(|error| fault(&self.reader, error))? {
                Event::Start(start) => child = Some((start.into_owned(), false)),
                Event::Empty(start) => child = Some((start.into_owned(), true)),
                Event::Text(part) => text.push_str(&part.xml10_content()),
                Event::CData(part) => text.push_str(&part.xml10_content()),
                Event::GeneralRef(entity) => {
                    let letter = entity.resolve_char_ref();
                    let known = resolve_predefined_entity(&entity);
                    match (letter, known) {
                        (Ok(Some(letter)), _) => text.push(letter),
                        (_, Some(known)) => text.push_str(known),
                        _ => {
                            return Err(Fault {
                                what: format!("the entity `&{};` is not known", &*entity),
                                at: Some(at),
                                io: None,
                            });
                        }
                    }
                }
                Event::End(_) => {
                    self.buffer = buffer;
                    return Ok(());
                }
                Event::Eof => return Err(early(start.name().into_inner(), at)),
                _ => {}
            }
            self.buffer = buffer;
            if let Some((start, is_empty)) = child {
                let name = name(&self.names, &start);
                let value = self.element(&start, is_empty, depth + 1)?;
                put(fields, name, value);
            }
        }
    }

    fn text(&self, text: &str) -> Node {
        let text = match self.names.trims {
            true => text.trim(),
            false if text.trim().is_empty() => "",
            false => text,
        };
        match text {
            "" => Node::Null,
            text if self.names.null.as_deref() == Some(text) => Node::Null,
            text => Node::Text(text.to_owned()),
        }
    }
}

fn name(names: &Names, start: &BytesStart<'_>) -> String {
    match names.local {
        true => start.local_name().into_inner().to_owned(),
        false => start.name().into_inner().to_owned(),
    }
}

/// Adds a field; what comes a second time makes a list.
fn put(fields: &mut Vec<(String, Node)>, name: String, value: Node) {
    match fields.iter_mut().find(|(known, _)| *known == name) {
        None => fields.push((name, value)),
        Some((_, Node::List(items))) => items.push(value),
        Some((_, known)) => {
            let first = std::mem::replace(known, Node::Null);
            *known = Node::List(vec![first, value]);
        }
    }
}

fn early(element: &str, at: u64) -> Fault {
    Fault {
        what: format!("the document ends within the element `{element}`"),
        at: Some(at),
        io: None,
    }
}

fn deep(at: u64) -> Fault {
    Fault {
        what: format!("elements are nested deeper than {DEPTH}"),
        at: Some(at),
        io: None,
    }
}

fn fault<R>(reader: &Reader<R>, error: quick_xml::Error) -> Fault {
    match error {
        quick_xml::Error::Io(error) => Fault {
            what: error.to_string(),
            at: Some(reader.error_position()),
            io: Some(std::io::Error::new(error.kind(), error.to_string())),
        },
        error => Fault {
            what: error.to_string(),
            at: Some(reader.error_position()),
            io: None,
        },
    }
}
