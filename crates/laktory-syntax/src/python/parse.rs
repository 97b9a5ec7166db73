//! From a Python text to its syntax tree, within bounds: texts that are too long or too deeply nested are refused
//! before the parser sees them, so that no input can exhaust the stack.
//!
//! Line breaks count as blanks, as if the text stood in parentheses; byte offsets are those of the user's text.

use ruff_python_ast::{self as ast, visitor::Visitor};
use ruff_python_parser::parse_parenthesized_expression_range;
use ruff_text_size::{TextRange, TextSize};

use super::fault::{At, Fault};
use crate::stack::with_room;

/// Longest text, in bytes.
pub(crate) const MAX_BYTES: usize = 900_000;
/// Deepest nesting of the syntax tree.
pub(crate) const MAX_DEPTH: usize = 200;

/// Names that a text may begin an expression with.
const ROOTS: &[&str] = &["nw", "pl", "F", "T"];
/// Functions of the API that stand alone.
pub(crate) const BARE: &[&str] = &["col", "lit", "sql_expr", "expr", "when", "cs"];
/// Python builtins that work on constants.
pub(crate) const BUILTINS: &[&str] = &[
    "abs", "bool", "dict", "float", "int", "len", "list", "max", "min", "range", "round", "set",
    "str", "sum", "tuple",
];

/// Parses one expression; `text` is its number for faults.
pub(crate) fn parse(source: &str, text: u32) -> Result<ast::Expr, Fault> {
    within_bounds(source, text)?;
    let end = TextSize::try_from(source.len()).unwrap_or_default();
    let range = TextRange::new(TextSize::default(), end);
    match with_room(|| parse_parenthesized_expression_range(source, range)) {
        Ok(parsed) => Ok(*parsed.into_syntax().body),
        Err(error) => {
            let at = At::new(text, error.location);
            let message = error.error.to_string();
            if message == "unexpected EOF while parsing" {
                let message = "the expression ends before all of it is closed";
                return Err(Fault::new("syntax-error", message, at).hint(
                    "within `{ }` and `[ ]` of YAML a comma ends a value: put the expression in quotes there",
                ));
            }
            let message = lower_first(message.trim_end_matches('.'));
            Err(Fault::new("syntax-error", message, at).hint_if(syntax_hint(source, at)))
        }
    }
}

fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn syntax_hint(source: &str, at: At) -> Option<String> {
    let end = at.range().end.min(source.len());
    let before = source.get(..end)?;
    if before.ends_with("&&") || source.contains("&&") {
        return Some("write `&` for and, with parentheses around each comparison".into());
    }
    if source.contains("||") {
        return Some("write `|` for or, with parentheses around each comparison".into());
    }
    if source.contains(['\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}']) {
        return Some("write straight quotes: `'...'`".into());
    }
    if source.contains("<>") {
        return Some("write `!=` for not equal".into());
    }
    if source.contains('!') && !source.contains("!=") && !source.contains("=!") {
        return Some("write `~` for not".into());
    }
    let tail = source.get(at.range().start..).unwrap_or("").trim_start();
    if let Some(hint) = super::mistakes::syntax(source, tail) {
        return Some(hint.into());
    }
    for (wrong, right) in [("=>", ">="), ("=<", "<="), ("=!", "!="), ("===", "==")] {
        if source.contains(wrong) {
            return Some(format!("write `{right}`"));
        }
    }
    (tail.starts_with('=') && !tail.starts_with("==")).then(|| "write `==` to compare".into())
}

/// Refuses texts that are too long, or whose tree could become too deep. The estimate counts brackets, operators and
/// attribute steps that are open at once, so it is never less than the depth of the tree.
fn within_bounds(source: &str, text: u32) -> Result<(), Fault> {
    if source.len() > MAX_BYTES {
        let message = format!(
            "expression of {} bytes; at most {MAX_BYTES} are read",
            source.len()
        );
        return Err(Fault::new("too-large", message, At::text(text)));
    }
    let bytes = source.as_bytes();
    let mut open: Vec<usize> = vec![0];
    let mut depth = 0_usize;
    let mut index = 0;
    while index < bytes.len() {
        let byte = bytes[index];
        match byte {
            b'\'' | b'"' => {
                index = skip_string(bytes, index);
                continue;
            }
            b'#' => {
                while index < bytes.len() && bytes[index] != b'\n' {
                    index += 1;
                }
                continue;
            }
            b'(' | b'[' | b'{' => {
                depth += 1;
                bump(&mut open, &mut depth);
                open.push(0);
            }
            b')' | b']' | b'}' if open.len() > 1 => {
                // The bracket itself stays counted by its parent: a call in a chain is one step of the chain.
                depth = depth.saturating_sub(1 + open.pop().unwrap_or(0));
            }
            b',' => {
                if let Some(last) = open.last_mut() {
                    depth = depth.saturating_sub(*last);
                    *last = 0;
                }
            }
            b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^' | b'~' | b'<' | b'>' | b'='
            | b'.' | b':' => bump(&mut open, &mut depth),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let start = index;
                while index < bytes.len()
                    && (bytes[index].is_ascii_alphanumeric() || bytes[index] == b'_')
                {
                    index += 1;
                }
                if matches!(
                    &bytes[start..index],
                    b"not"
                        | b"and"
                        | b"or"
                        | b"if"
                        | b"else"
                        | b"lambda"
                        | b"in"
                        | b"is"
                        | b"for"
                        | b"await"
                        | b"yield"
                        | b"from"
                ) {
                    bump(&mut open, &mut depth);
                }
                if depth > MAX_DEPTH {
                    return Err(too_deep(text, start, index));
                }
                continue;
            }
            _ => {}
        }
        index += 1;
        if depth > MAX_DEPTH {
            return Err(too_deep(text, index - 1, index));
        }
    }
    Ok(())
}

fn bump(open: &mut [usize], depth: &mut usize) {
    if let Some(last) = open.last_mut() {
        *last += 1;
        *depth += 1;
    }
}

fn too_deep(text: u32, start: usize, end: usize) -> Fault {
    let at = At {
        text,
        start: u32::try_from(start).unwrap_or(u32::MAX),
        end: u32::try_from(end).unwrap_or(u32::MAX),
    };
    Fault::new(
        "too-large",
        format!("expression nested or chained more than {MAX_DEPTH} deep"),
        at,
    )
    .hint("split it into several steps")
}

/// The index behind the string literal that starts at `index`; the end of the text when it is not closed.
pub(crate) fn skip_string(bytes: &[u8], index: usize) -> usize {
    let quote = bytes[index];
    let triple = bytes.get(index + 1) == Some(&quote) && bytes.get(index + 2) == Some(&quote);
    let mut at = index + if triple { 3 } else { 1 };
    while at < bytes.len() {
        if bytes[at] == b'\\' {
            at += 2;
        } else if bytes[at] == quote {
            if !triple {
                return at + 1;
            }
            if bytes.get(at + 1) == Some(&quote) && bytes.get(at + 2) == Some(&quote) {
                return at + 3;
            }
            at += 1;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// How a text of a method argument reads (R-ARG-4).
#[derive(Debug)]
pub(crate) enum Reading {
    /// An expression, already parsed.
    Expression(Box<ast::Expr>),
    /// An expression by its names, but it does not parse.
    Broken(Fault),
    /// Just text.
    Text,
}

/// Decides whether a text is a Python expression rooted in a known name, or just text.
pub(crate) fn read(source: &str, text: u32) -> Reading {
    let dotted = ROOTS.iter().any(|root| {
        source
            .trim_start()
            .strip_prefix(root)
            .is_some_and(|rest| rest.starts_with('.'))
    });
    if !source.contains('(') && !dotted {
        return Reading::Text;
    }
    match parse(source, text) {
        Ok(tree) => {
            let mut names = Names::default();
            names.visit_expr(&tree);
            let is_expression = if source.contains('(') {
                names.is_rooted()
            } else {
                // Without a call only the name of a type can be meant.
                matches!(&tree, ast::Expr::Attribute(_)) && names.is_rooted()
            };
            if is_expression {
                Reading::Expression(Box::new(tree))
            } else {
                Reading::Text
            }
        }
        Err(fault) if source.contains('(') && looks_rooted(source) => Reading::Broken(fault),
        Err(_) => Reading::Text,
    }
}

/// The names that a tree uses.
#[derive(Debug, Default)]
struct Names {
    /// A module was used, or a function of the API was called.
    api: bool,
    /// A builtin was called.
    builtin: bool,
    /// Names that nothing defines.
    unknown: bool,
    bound: Vec<String>,
}

impl Names {
    fn is_rooted(&self) -> bool {
        self.api || self.builtin && !self.unknown
    }
}

impl<'a> Visitor<'a> for Names {
    fn visit_expr(&mut self, expr: &'a ast::Expr) {
        match expr {
            ast::Expr::Attribute(attribute) => {
                if let ast::Expr::Name(name) = &*attribute.value
                    && (ROOTS.contains(&name.id.as_str()) || name.id.as_str() == "cs")
                {
                    self.api = true;
                }
            }
            ast::Expr::Call(call) => {
                if let ast::Expr::Name(name) = &*call.func {
                    if BARE.contains(&name.id.as_str()) {
                        self.api = true;
                    }
                    if BUILTINS.contains(&name.id.as_str()) {
                        self.builtin = true;
                    }
                }
            }
            ast::Expr::Name(name) => {
                let name = name.id.as_str();
                if !ROOTS.contains(&name)
                    && !BARE.contains(&name)
                    && !BUILTINS.contains(&name)
                    && !self.bound.iter().any(|bound| bound == name)
                {
                    self.unknown = true;
                }
            }
            ast::Expr::Lambda(lambda) => {
                // A text that is a whole lambda is never a column name.
                self.api = true;
                if let Some(parameters) = &lambda.parameters {
                    self.bound.extend(
                        parameters
                            .iter_non_variadic_params()
                            .map(|parameter| parameter.parameter.name.to_string()),
                    );
                }
            }
            _ => {}
        }
        ast::visitor::walk_expr(self, expr);
    }
}

/// Whether a text that does not parse still mentions a name of the API outside of string literals.
pub(crate) fn looks_rooted(source: &str) -> bool {
    let bytes = source.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        let byte = bytes[index];
        if byte == b'\'' || byte == b'"' {
            index = skip_string(bytes, index);
        } else if byte.is_ascii_alphabetic() || byte == b'_' {
            let start = index;
            while index < bytes.len()
                && (bytes[index].is_ascii_alphanumeric() || bytes[index] == b'_')
            {
                index += 1;
            }
            let Some(word) = source.get(start..index) else {
                continue;
            };
            let after_dot = start > 0 && bytes[start - 1] == b'.';
            let rest = source.get(index..).unwrap_or("").trim_start();
            if !after_dot
                && (ROOTS.contains(&word) && rest.starts_with('.')
                    || BARE.contains(&word) && source[index..].starts_with('('))
            {
                return true;
            }
        } else {
            index += 1;
        }
    }
    false
}
