//! YAML text to a tree: one document, YAML 1.2 core schema, anchors expanded, duplicate keys refused.
//!
//! Merge keys and include tags are left in the tree for the include pass, since both need other files or variables.

use std::collections::{HashMap, HashSet};

use granit_parser::{
    ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span as RawSpan, StructureStyle, Tag,
};
use laktory_syntax::{Diagnostic, Diagnostics};

use crate::budget::{Budget, Cause};
use crate::sources::{Sources, place};
use crate::syntax_fault::{explain, is_tab};
use crate::tree::{Atom, Entry, Extent, IncludeTag, Kind, Node, Place, Style, plain_atom};

/// Deepest nesting of lists and mappings. The parsers of Python and JavaScript stop at a comparable depth.
pub(crate) const MAX_DEPTH: usize = 128;

/// A fault that makes the rest of the text unreadable; it is in the diagnostics already.
pub(crate) struct Unreadable;

pub(crate) struct YamlReader<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) budget: &'a mut Budget,
    pub(crate) diagnostics: &'a mut Diagnostics,
}

impl YamlReader<'_> {
    /// The tree of file `file`; an empty text is null.
    pub(crate) fn read(&mut self, file: u32) -> Result<Node, Unreadable> {
        let sources = self.sources;
        let Some(source) = sources.file(file) else {
            return Err(Unreadable);
        };
        let mut options = Options::default();
        options.emit_unresolved_aliases = true;
        let mut build = Build {
            text: source.text(),
            parser: Parser::new_from_str_with_options(source.text(), options),
            file,
            anchors: HashMap::new(),
            reader: self,
        };
        build.document()
    }
}

struct Build<'a, 'b, 'text> {
    text: &'text str,
    parser: Parser<'text, granit_parser::StrInput<'text>>,
    file: u32,
    /// Anchored values. An anchor whose value is still being read is absent.
    anchors: HashMap<usize, (Node, Extent)>,
    reader: &'a mut YamlReader<'b>,
}

impl<'text> Build<'_, '_, 'text> {
    fn document(&mut self) -> Result<Node, Unreadable> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) if root.is_some() => {
                    let fault = Diagnostic::error(
                        "several-documents",
                        "the file holds more than one YAML document",
                    )
                    .hint("a pipeline is one document: remove the `---` line, or split the file");
                    return Err(self.fail(fault, &span));
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
        Ok(root.unwrap_or_else(|| {
            let kind = Kind::Scalar {
                text: String::new(),
                atom: Atom::Null,
            };
            Node::new(kind, place(self.file, 0..0))
        }))
    }

    fn next(&mut self) -> Result<(Event<'text>, RawSpan), Unreadable> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => {
                let fault = self.syntax(&error);
                self.reader.diagnostics.push(fault);
                Err(Unreadable)
            }
            None => Ok((Event::StreamEnd, RawSpan::default())),
        }
    }

    fn node(
        &mut self,
        event: Event<'text>,
        span: RawSpan,
        depth: usize,
    ) -> Result<Node, Unreadable> {
        if self.reader.budget.take_value().is_err() {
            return Err(self.exhausted(&span));
        }
        let anchor = event.anchor_id().filter(|id| *id > 0);
        let tag = event.tag().cloned();
        let mut node = match event {
            Event::Scalar(text, style, ..) => self.scalar(&text, style, tag.as_ref(), &span),
            Event::SequenceStart(..) => {
                self.check_collection(tag.as_ref(), "seq", &span);
                self.sequence(&span, depth)?
            }
            Event::MappingStart(style, ..) => {
                self.check_collection(tag.as_ref(), "map", &span);
                self.mapping(style, &span, depth)?
            }
            Event::Alias(id) => return self.alias(id, &span, depth),
            Event::UnresolvedAlias(name) => {
                let fault =
                    Diagnostic::error("unknown-anchor", format!("no anchor `&{name}` above this"))
                        .hint("anchors must be declared before they are used, in the same file");
                self.report(fault, &span);
                Node::poison(self.place(&span))
            }
            _ => Node::poison(self.place(&span)),
        };
        if let Kind::Map(entries) = &node.kind
            && let Some(text) = repaired(entries, self.text, node.at)
        {
            let at = Place {
                style: Style::Plain,
                ..node.at
            };
            node = Node::text(text, at);
        }
        if let Some(id) = anchor {
            let extent = node.extent();
            if self.reader.budget.take(extent, Cause::Anchor).is_err() {
                return Err(self.exhausted(&span));
            }
            self.anchors.insert(id, (node.clone(), extent));
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, span: &RawSpan, depth: usize) -> Result<Node, Unreadable> {
        let Some((node, extent)) = self.anchors.get(&id) else {
            let fault =
                Diagnostic::error("recursive-anchor", "an alias lies inside its own anchor");
            self.report(fault, span);
            return Ok(Node::poison(self.place(span)));
        };
        let (extent, height) = (*extent, extent.height);
        if self.reader.budget.take(extent, Cause::Anchor).is_err() {
            return Err(self.exhausted(span));
        }
        let node = node.clone();
        self.check_depth(depth + height, span)?;
        Ok(node)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: &RawSpan,
    ) -> Node {
        let mut at = self.place(span);
        at.style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        // The parser gives an absent value as `~` with an empty span.
        let text = if at.start == at.end && style == ScalarStyle::Plain {
            ""
        } else {
            text
        };
        let mut atom = if style == ScalarStyle::Plain {
            plain_atom(text)
        } else {
            Atom::Text
        };
        if let Some(tag) = tag {
            match self.tagged(tag, text, atom, span) {
                Ok(meaning) => atom = meaning,
                Err(kind) => return Node::new(kind, at),
            }
        }
        let text = text.to_owned();
        Node::new(Kind::Scalar { text, atom }, at)
    }

    /// The meaning of a tagged scalar, or what stands in its place.
    fn tagged(&mut self, tag: &Tag, text: &str, plain: Atom, span: &RawSpan) -> Result<Atom, Kind> {
        let name = tag.original();
        if let Some(suffix) = tag.core_suffix() {
            let meaning = plain_atom(text);
            let fits = match suffix {
                "str" => return Ok(Atom::Text),
                "null" => matches!(meaning, Atom::Null),
                "bool" => matches!(meaning, Atom::Bool(_)),
                "int" => matches!(meaning, Atom::Int(_) | Atom::UInt(_)),
                "float" => matches!(meaning, Atom::Float(_) | Atom::Int(_)),
                _ => false,
            };
            if fits {
                return Ok(match (suffix, meaning) {
                    #[allow(clippy::cast_precision_loss, reason = "the document asks for a float")]
                    ("float", Atom::Int(value)) => Atom::Float(value as f64),
                    (_, meaning) => meaning,
                });
            }
            let fault = Diagnostic::error("wrong-tag", format!("`{text}` is not a `{name}`"));
            self.report(fault, span);
            return Err(Kind::Poison);
        }
        let include = match name.as_str() {
            "!use" => IncludeTag::Use,
            "!update" => IncludeTag::Update,
            "!extend" => IncludeTag::Extend,
            "!" => return Ok(Atom::Text),
            _ => {
                self.unknown_tag(&name, span);
                return Err(Kind::Poison);
            }
        };
        if plain == Atom::Null {
            let fault = Diagnostic::error("include", format!("`{name}` names no file"));
            self.report(fault, span);
            return Err(Kind::Poison);
        }
        Err(Kind::Include {
            tag: include,
            target: text.to_owned(),
        })
    }

    fn unknown_tag(&mut self, name: &str, span: &RawSpan) {
        let known = ["!use", "!update", "!extend"];
        let fault = Diagnostic::error("unknown-tag", format!("unknown tag `{name}`"))
            .hint(laktory_syntax::did_you_mean(name, known).unwrap_or_default());
        let fault = match span.tag_span().and_then(|tag| tag.byte_range()) {
            Some(range) => fault.at(self.reader.sources.span(place(self.file, range))),
            None => fault.at(self.reader.sources.span(self.place(span))),
        };
        self.reader.diagnostics.push(fault);
    }

    fn check_collection(&mut self, tag: Option<&Tag>, wanted: &str, span: &RawSpan) {
        if let Some(tag) = tag
            && tag.core_suffix() != Some(wanted)
        {
            self.unknown_tag(&tag.original(), span);
        }
    }

    fn sequence(&mut self, span: &RawSpan, depth: usize) -> Result<Node, Unreadable> {
        self.check_depth(depth, span)?;
        let mut at = self.place(span);
        let mut items = Vec::new();
        loop {
            let (event, item) = self.next()?;
            if matches!(event, Event::SequenceEnd | Event::StreamEnd) {
                at = self.until(at, items.last().map(|node: &Node| node.at), &item);
                return Ok(Node::new(Kind::Seq(items), at));
            }
            let node = self.node(event, item, depth + 1)?;
            if items.is_empty() && at.start == at.end {
                at.start = at.start.min(node.at.start);
            }
            items.push(node);
        }
    }

    fn mapping(
        &mut self,
        style: StructureStyle,
        span: &RawSpan,
        depth: usize,
    ) -> Result<Node, Unreadable> {
        self.check_depth(depth, span)?;
        let mut at = self.place(span);
        let mut entries: Vec<Entry> = Vec::new();
        let mut keys = Keys::default();
        loop {
            let (event, key_span) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                let last = entries.last().map(|entry| match entry.value.at {
                    at if at.start == at.end => entry.key_at,
                    at => at,
                });
                at = self.until(at, last, &key_span);
                // Only flow mappings can be placeholders that lost their quotes.
                if style == StructureStyle::Block {
                    at.style = Style::Literal;
                }
                return Ok(Node::new(Kind::Map(entries), at));
            }
            let key = self.node(event, key_span, depth + 1)?;
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span, depth + 1)?;
            let text = match key.kind {
                Kind::Scalar { text, .. } => text,
                Kind::Poison => continue,
                _ => {
                    let fault = Diagnostic::error("bad-key", "a key must be a text");
                    let fault = fault
                        .at(self.reader.sources.span(key.at))
                        .hint("quote it when it begins with `{` or `[`, such as `\"{df}\": ...`");
                    self.reader.diagnostics.push(fault);
                    continue;
                }
            };
            let merge = text == "<<" && key.at.style == Style::Plain;
            if !merge && let Some(first) = keys.insert(&text, &entries) {
                let first = entries[first].key_at;
                let mut fault =
                    Diagnostic::error("duplicate-key", format!("key `{text}` is given twice"))
                        .at(self.reader.sources.span(key.at))
                        .hint("keep one of them");
                if let Some(span) = self.reader.sources.span(first) {
                    fault = fault.related(span, "first given here");
                }
                self.reader.diagnostics.push(fault);
                continue;
            }
            entries.push(Entry {
                key: text,
                key_at: key.at,
                value,
            });
        }
    }

    /// `at`, widened to the end of the collection.
    fn until(&self, at: Place, last: Option<Place>, end: &RawSpan) -> Place {
        let flow = self.place(end);
        let end = if flow.end > flow.start {
            flow.end
        } else {
            last.map_or(at.end, |last| last.end.max(at.end))
        };
        Place { end, ..at }
    }

    fn check_depth(&mut self, depth: usize, span: &RawSpan) -> Result<(), Unreadable> {
        if depth < MAX_DEPTH {
            return Ok(());
        }
        let fault = Diagnostic::error(
            "too-deep",
            format!("values are nested more than {MAX_DEPTH} levels deep"),
        );
        Err(self.fail(fault, span))
    }

    fn exhausted(&mut self, span: &RawSpan) -> Unreadable {
        if let Some(fault) = self.reader.budget.fault() {
            self.report(fault, span);
        }
        Unreadable
    }

    fn place(&self, span: &RawSpan) -> Place {
        let end = self.text.len();
        place(self.file, span.byte_range().unwrap_or(end..end))
    }

    fn report(&mut self, fault: Diagnostic, span: &RawSpan) {
        let span = self.reader.sources.span(self.place(span));
        self.reader.diagnostics.push(fault.at(span));
    }

    fn fail(&mut self, fault: Diagnostic, span: &RawSpan) -> Unreadable {
        self.report(fault, span);
        Unreadable
    }

    fn syntax(&self, error: &ScanError) -> Diagnostic {
        let (message, hint) = explain(error);
        let mut at = error.marker().byte_offset().unwrap_or(self.text.len());
        if is_tab(error) {
            // The parser stops at the end of the line before.
            at += self
                .text
                .get(at..)
                .and_then(|rest| rest.find('\t'))
                .unwrap_or(0);
        }
        let code = match error.kind() {
            ErrorKind::RecursionLimitExceeded => "too-deep",
            _ => "yaml-syntax",
        };
        let mut fault =
            Diagnostic::error(code, message).at(self.reader.sources.span(place(self.file, at..at)));
        fault.hint = hint.map(str::to_owned);
        fault
    }
}

/// Which keys of a mapping were seen. Small mappings are searched; large ones (inline data, args) are hashed.
#[derive(Default)]
struct Keys {
    seen: HashSet<String>,
}

impl Keys {
    const SMALL: usize = 24;

    /// Notes `key`; the position of the earlier entry when there is one.
    fn insert(&mut self, key: &str, entries: &[Entry]) -> Option<usize> {
        let search = || entries.iter().position(|entry| entry.key == key);
        if entries.len() < Self::SMALL {
            return search();
        }
        if self.seen.is_empty() {
            self.seen
                .extend(entries.iter().map(|entry| entry.key.clone()));
        }
        if self.seen.insert(key.to_owned()) {
            None
        } else {
            search()
        }
    }
}

/// The placeholder that an unquoted `{df}`, `{nodes.x}` or `{sources.x}` was meant to be (R-YAML-1).
fn repaired(entries: &[Entry], text: &str, at: Place) -> Option<String> {
    let [entry] = entries else { return None };
    let flow = at.style != Style::Literal && text.get(at.start as usize..)?.starts_with('{');
    let key = entry.key.trim();
    let known = key == "df" || key.starts_with("nodes.") || key.starts_with("sources.");
    (flow && known && entry.value.is_null()).then(|| format!("{{{key}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Node>, Diagnostics) {
        let mut sources = Sources::default();
        let file = sources.add("t.yaml", text.to_owned());
        let mut diagnostics = Diagnostics::default();
        let node = YamlReader {
            sources: &sources,
            budget: &mut crate::budget::Budget::default(),
            diagnostics: &mut diagnostics,
        }
        .read(file);
        (node.ok(), diagnostics)
    }

    fn json(text: &str) -> String {
        let (node, diagnostics) = read(text);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        node.expect("readable").to_json().to_string()
    }

    #[test]
    fn r_yaml_1_unquoted_placeholders_are_texts() {
        assert_eq!(
            json("a: {df}\nb: {nodes.x}\nc: [{sources.y}, {df: null}]\nd: {x}\ne: {df: 1}\n"),
            r#"{"a":"{df}","b":"{nodes.x}","c":["{sources.y}","{df}"],"d":{"x":null},"e":{"df":1}}"#
        );
        // A block mapping is meant as one.
        assert_eq!(json("a:\n  df:\n"), r#"{"a":{"df":null}}"#);
    }

    #[test]
    fn r_yaml_2_boolean_words_stay_texts() {
        assert_eq!(
            json("on: yes\noff: no\ny: n\n? no\n: on\n"),
            r#"{"on":"yes","off":"no","y":"n","no":"on"}"#
        );
    }

    #[test]
    fn r_yaml_3_block_scalars_are_standard() {
        assert_eq!(
            json("a: |\n  l1\n\n  l2\nb: >\n  x\n  y\n\n  z\nc: one\n  two\n"),
            r#"{"a":"l1\n\nl2\n","b":"x y\nz\n","c":"one two"}"#
        );
    }

    #[test]
    fn duplicate_keys_name_both_places() {
        let (_, faults) = read("a: 1\nb: 2\na: 3\n");
        assert_eq!(faults.len(), 1);
        assert_eq!(
            faults[0].to_string(),
            "t.yaml:3:1: error: key `a` is given twice; keep one of them"
        );
        assert_eq!(faults[0].related[0].0.location(), "t.yaml:1:1");
        let large: String = (0..100).map(|i| format!("k{i}: 1\n")).collect();
        let (_, faults) = read(&format!("{large}k70: 2\n"));
        assert_eq!(faults[0].related[0].0.location(), "t.yaml:71:1");
    }

    #[test]
    fn anchors_expand_within_a_budget() {
        assert_eq!(
            json("a: &x {b: 1}\nc: *x\n"),
            r#"{"a":{"b":1},"c":{"b":1}}"#
        );
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..12 {
            let last = i - 1;
            let list = vec![format!("*a{last}"); 10].join(", ");
            bomb.push_str(&format!("a{i}: &a{i} [{list}]\n"));
        }
        let (_, faults) = read(&bomb);
        assert_eq!(faults[0].code, "too-large");
        let (_, faults) = read("a: &x [*x]\nb: *nope\n");
        assert_eq!(faults[0].code, "recursive-anchor");
        assert_eq!(
            faults[1].to_string(),
            "t.yaml:2:4: error: no anchor `&nope` above this; anchors must be declared before they are used, in the same file"
        );
    }

    #[test]
    fn depth_is_bounded() {
        let (_, faults) = read(&"[".repeat(5000));
        assert_eq!(faults[0].code, "too-deep");
        let deep: String = (0..3000)
            .map(|i| format!("{}a:\n", " ".repeat(i)))
            .collect();
        let (_, faults) = read(&deep);
        assert_eq!(faults[0].code, "too-deep");
    }

    #[test]
    fn syntax_faults_are_placed_and_explained() {
        for (text, code, shown) in [
            ("a:\n\tb: 1\n", "yaml-syntax", "t.yaml:2:2: error: a tab"),
            ("a: 1\n---\nb: 1\n", "several-documents", "t.yaml:2:1"),
            (
                "a: !foo 1\n",
                "unknown-tag",
                "t.yaml:1:4: error: unknown tag `!foo`",
            ),
            (
                "a: !foo {x: 1}\n",
                "unknown-tag",
                "t.yaml:1:4: error: unknown tag `!foo`",
            ),
            (
                "a: \"x\n",
                "yaml-syntax",
                "t.yaml:1:4: error: a quoted text is not closed",
            ),
            (
                "a: !!int x\n",
                "wrong-tag",
                "t.yaml:1:10: error: `x` is not a `!!int`",
            ),
            ("{a: 1}: 2\n", "bad-key", "t.yaml:1:1"),
        ] {
            let (_, faults) = read(text);
            assert_eq!(faults.len(), 1, "{text:?} {faults:?}");
            assert_eq!(faults[0].code, code);
            assert!(faults[0].to_string().starts_with(shown), "{}", faults[0]);
        }
    }
}
