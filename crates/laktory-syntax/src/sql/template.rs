//! One SQL statement, cut into text and placeholders (R-SQL-1, R-PH-2). The text is scanned, not parsed: quotes and
//! comments are skipped, so nothing inside of them is taken for a placeholder or an end of statement.

use std::ops::Range;

use laktory_core::{FrameName, SqlSegment, SqlTemplate};

use crate::diagnostic::FragmentError;
use crate::placeholder::named;
use crate::sql::width::{self, Token};
use crate::sql::{asked, copies};
use crate::written::Part;

/// Longest statement, in bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// A run of characters that the scanner tells apart.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// Blanks.
    Blank,
    /// A comment.
    Comment,
    /// A semicolon.
    End,
    /// A placeholder.
    Frame(FrameName),
    /// Anything else.
    Text,
}

/// Cuts one SQL statement into its text and its placeholders `{df}`, `{nodes.x}`, `{sources.x}` and `{name}`. A final
/// semicolon, and comments behind the statement, are left out; everything else keeps its bytes.
///
/// # Errors
/// An empty statement, several statements, a quote or comment that is not closed.
pub fn sql_statement(text: &str) -> Result<SqlTemplate, Vec<FragmentError>> {
    if text.len() > MAX_BYTES {
        let message = format!(
            "statement of {} bytes; at most {MAX_BYTES} are read",
            text.len()
        );
        return Err(vec![FragmentError::new("too-large", message, 0..0)]);
    }
    let pieces = scan(text)?;
    if let Some(error) = jinja(text, &pieces) {
        return Err(vec![error]);
    }
    let meaningful = |piece: &Piece| !matches!(piece, Piece::Blank | Piece::Comment | Piece::End);
    let Some(last) = pieces.iter().rposition(|(piece, _)| meaningful(piece)) else {
        return Err(vec![
            FragmentError::new("sql-syntax", "the SQL statement is empty", 0..text.len())
                .hint("write one SELECT statement"),
        ]);
    };
    let first = pieces
        .iter()
        .position(|(piece, _)| meaningful(piece))
        .unwrap_or(0);
    let body = &pieces[first..=last];
    let errors: Vec<FragmentError> = body
        .iter()
        .filter(|(piece, _)| *piece == Piece::End)
        .map(|(_, range)| {
            FragmentError::new(
                "sql-syntax",
                "a step holds one SQL statement",
                range.clone(),
            )
            .hint("put each statement in a step of its own")
        })
        .collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    // Comments before the statement stay: they may be hints of the engine.
    let start = pieces
        .iter()
        .position(|(piece, _)| *piece != Piece::End)
        .map_or(0, |index| pieces[index].1.start);
    let leading = pieces[..first]
        .iter()
        .filter(|(piece, range)| *piece != Piece::End && range.start >= start);
    let tokens = tokens(text, body);
    asked::check(&tokens).map_err(|error| vec![error])?;
    copies::check(&tokens).map_err(|error| vec![error])?;
    let mut added = width::parentheses(&tokens)
        .map_err(|error| vec![error])?
        .into_iter()
        .peekable();
    let mut segments: Vec<(SqlSegment, Range<usize>)> = Vec::new();
    for (piece, range) in leading.chain(body) {
        let mut start = range.start;
        while let Some((at, sign)) = added.next_if(|(at, _)| *at < range.end) {
            if start < at {
                let written = SqlSegment::Text(text[start..at].to_owned());
                segments.push((written, start..at));
                start = at;
            }
            segments.push((SqlSegment::Text(sign.to_string()), at..at));
        }
        if start == range.end {
            continue;
        }
        let range = start..range.end;
        let segment = match piece {
            Piece::Frame(name) => SqlSegment::Frame(name.clone()),
            _ => SqlSegment::Text(text[range.clone()].to_owned()),
        };
        match (segments.last_mut(), segment) {
            (Some((SqlSegment::Text(known), known_range)), SqlSegment::Text(more))
                if known_range.end == range.start && known_range.start < known_range.end =>
            {
                known.push_str(&more);
                known_range.end = range.end;
            }
            (_, segment) => segments.push((segment, range.clone())),
        }
    }
    segments.extend(added.map(|(at, sign)| (SqlSegment::Text(sign.to_string()), at..at)));
    Ok(SqlTemplate::new(segments))
}

/// The words and signs of a text; none where a quote in it is not closed.
pub(super) fn lexed(text: &str) -> Vec<Token<'_>> {
    let pieces = scan(text).unwrap_or_default();
    tokens(text, &pieces)
}

/// The names and placeholders of a statement, where they stand: words as they are, and what is in double or back quotes.
/// Texts and comments have none. A name that another one owns is also there with its owner, `c.name`.
#[must_use]
pub fn sql_words(text: &str) -> Vec<Part> {
    let tokens = lexed(text);
    let mut words: Vec<Part> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let name = match token.text.chars().next() {
            Some(quote @ ('"' | '`')) => token.text.trim_matches(quote).to_owned(),
            Some('{') => token.text.to_owned(),
            Some(first) if first.is_alphabetic() || first == '_' => token.text.to_owned(),
            _ => continue,
        };
        let range = token.start..token.start + token.text.len();
        if let Some([owner, dot]) = at.checked_sub(2).and_then(|start| tokens.get(start..at))
            && dot.text == "."
        {
            let owner = owner.text.trim_matches(['"', '`']);
            words.push(Part::name(format!("{owner}.{name}"), range.clone()));
        }
        words.push(Part::name(name, range));
    }
    words
}

/// The words and signs of a statement.
fn tokens<'a>(text: &'a str, body: &[(Piece, Range<usize>)]) -> Vec<Token<'a>> {
    let mut tokens = Vec::new();
    for (piece, range) in body {
        let opaque = match piece {
            Piece::Text => text[range.clone()].starts_with(['\'', '"', '`']),
            Piece::Frame(_) => true,
            Piece::Blank | Piece::Comment | Piece::End => continue,
        };
        let mut start = range.start;
        while start < range.end {
            let rest = &text[start..range.end];
            let is_word = |char: char| char.is_alphanumeric() || char == '_';
            let length = match rest.chars().next() {
                _ if opaque => rest.len(),
                Some(first) if is_word(first) => {
                    rest.find(|char| !is_word(char)).unwrap_or(rest.len())
                }
                first => first.map_or(1, char::len_utf8),
            };
            tokens.push(Token {
                text: &rest[..length],
                start,
                opaque,
            });
            start += length;
        }
    }
    tokens
}

fn scan(text: &str) -> Result<Vec<(Piece, Range<usize>)>, Vec<FragmentError>> {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let mut index = 0;
    while index < bytes.len() {
        let start = index;
        let piece = match bytes[index] {
            b' ' | b'\t' | b'\r' | b'\n' => {
                while index < bytes.len() && bytes[index].is_ascii_whitespace() {
                    index += 1;
                }
                Piece::Blank
            }
            quote @ (b'\'' | b'"' | b'`') => {
                index = quoted(bytes, start, quote)
                    .ok_or_else(|| vec![unclosed("quote", start, text, start + 1)])?;
                Piece::Text
            }
            b'-' if bytes.get(index + 1) == Some(&b'-') => {
                while index < bytes.len() && bytes[index] != b'\n' {
                    index += 1;
                }
                Piece::Comment
            }
            b'/' if bytes.get(index + 1) == Some(&b'*') => {
                index = block_comment(bytes, start)
                    .ok_or_else(|| vec![unclosed("comment", start, text, start + 2)])?;
                Piece::Comment
            }
            b';' => {
                index += 1;
                Piece::End
            }
            b'{' => {
                // `${x}` is a variable of the engine, not a frame.
                let variable = start > 0 && bytes[start - 1] == b'$';
                let close = text[start + 1..]
                    .find(['{', '}', '\n'])
                    .map(|length| start + 1 + length)
                    .filter(|close| bytes[*close] == b'}');
                match close
                    .filter(|_| !variable)
                    .and_then(|close| named(&text[start + 1..close]).map(|name| (close, name)))
                {
                    Some((close, name)) => {
                        index = close + 1;
                        Piece::Frame(name)
                    }
                    None => {
                        index += 1;
                        Piece::Text
                    }
                }
            }
            _ => {
                index += 1;
                while index < bytes.len()
                    && !matches!(
                        bytes[index],
                        b' ' | b'\t'
                            | b'\r'
                            | b'\n'
                            | b'\''
                            | b'"'
                            | b'`'
                            | b'-'
                            | b'/'
                            | b';'
                            | b'{'
                    )
                {
                    index += 1;
                }
                Piece::Text
            }
        };
        pieces.push((piece, start..index));
    }
    Ok(pieces)
}

/// A fault for `{{ ref('x') }}` and the like, which users of other tools write out of habit.
fn jinja(text: &str, pieces: &[(Piece, Range<usize>)]) -> Option<FragmentError> {
    let (_, range) = pieces.iter().find(|(piece, range)| {
        let is_open = *piece == Piece::Text && &text[range.clone()] == "{";
        let before = text[..range.start].chars().next_back();
        let rest = &text[range.start..];
        is_open && before != Some('$') && (rest.starts_with("{{") || rest.starts_with("{%"))
    })?;
    let rest = &text[range.start..];
    let length = ["}}", "%}"]
        .iter()
        .filter_map(|close| rest.find(close).map(|at| at + close.len()))
        .min();
    let call = &rest[..length.unwrap_or(rest.len())];
    let inner = call.trim_matches(['{', '}', '%', '-', ' ']);
    let name = inner.split(['\'', '"']).skip(1).step_by(2).last();
    let hint = match (inner.split('(').next().map(str::trim), name) {
        (Some("ref"), Some(name)) => format!("the output of node `{name}` is `{{nodes.{name}}}`"),
        (Some("source"), Some(name)) => {
            format!("give the node a source with `name: {name}`, and write `{{sources.{name}}}`")
        }
        (Some("var"), _) => match inner.split(['\'', '"']).nth(1) {
            Some(name) => format!("the value of a variable is `${{vars.{name}}}`"),
            None => "the value of a variable is `${vars.name}`".to_owned(),
        },
        (Some("env_var"), _) => "variables of the environment are `${vars.NAME}`".to_owned(),
        (Some("config"), _) => "options of outputs stand under `sinks` of the node".to_owned(),
        _ => "frames are `{df}`, `{nodes.x}` and `{sources.x}`, variables `${vars.x}`".to_owned(),
    };
    let message = "`{{ ... }}` and `{% ... %}` are templates of another tool";
    let range = range.start..range.start + call.len();
    Some(FragmentError::new("sql-syntax", message, range).hint(hint))
}

/// The index behind a quoted text, where a doubled quote stands for itself and a backslash for a backslash.
fn quoted(bytes: &[u8], start: usize, quote: u8) -> Option<usize> {
    let mut index = start + 1;
    while index < bytes.len() {
        if bytes[index] == quote {
            if bytes.get(index + 1) == Some(&quote) {
                index += 2;
                continue;
            }
            return Some(index + 1);
        }
        index += 1;
    }
    None
}

/// The index behind a block comment; block comments nest.
fn block_comment(bytes: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut index = start;
    while index + 1 < bytes.len() {
        match &bytes[index..index + 2] {
            b"/*" => {
                depth += 1;
                index += 2;
            }
            b"*/" => {
                depth -= 1;
                index += 2;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => index += 1,
        }
    }
    None
}

fn unclosed(what: &str, start: usize, text: &str, end: usize) -> FragmentError {
    let end = end.min(text.len());
    FragmentError::new(
        "sql-syntax",
        format!("the {what} is not closed"),
        start..end,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(text: &str) -> Vec<String> {
        sql_statement(text)
            .unwrap()
            .frames()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn r_sql_1_one_statement_with_trailing_semicolon() {
        for text in [
            "SELECT 1;",
            "SELECT 1 ; -- done; really",
            "SELECT 1 /* a; b */ ;;\n/* c */",
            ";SELECT 1",
        ] {
            let template = sql_statement(text).unwrap();
            assert_eq!(template.source().trim(), "SELECT 1", "{text}");
        }
        for text in [
            "SELECT ';' AS a, \"b;\", `c;` FROM {df}",
            "SELECT 'it''s; ok'",
            "SELECT 1 -- x; y\n, 2",
        ] {
            assert_eq!(sql_statement(text).unwrap().source(), text);
        }
        let errors = sql_statement("SELECT 1; SELECT 2; SELECT 3").unwrap_err();
        assert_eq!(errors.len(), 2);
        assert_eq!(errors[0].range, 8..9);
        for text in ["", "  ", ";", "-- only a comment", "/* x */;"] {
            assert_eq!(sql_statement(text).unwrap_err()[0].code, "sql-syntax");
        }
        for text in [
            "SELECT 'a",
            "SELECT /* a",
            "SELECT \"a",
            "SELECT `a",
            "SELECT 'a''",
        ] {
            let error = sql_statement(text).unwrap_err().remove(0);
            assert!(error.message.contains("not closed"), "{text}");
        }
    }

    #[test]
    fn r_ph_2_placeholders_outside_of_quotes_and_comments() {
        assert_eq!(
            frames(
                "SELECT * FROM {df} JOIN { nodes.a-b c } USING (x) -- {nodes.no}\nWHERE s <> '{nodes.n}'"
            ),
            ["{df}", "{nodes.a-b c}"]
        );
        assert_eq!(
            frames("SELECT * FROM {sources.a.b}, {other} /* {df} */ WHERE s LIKE x{8,8} AND {y 1}"),
            ["{sources.a.b}", "{other}"]
        );
        assert!(frames("SELECT ${df}, {'a': 1}, {}").is_empty());
    }

    #[test]
    fn templates_of_other_tools_are_told() {
        for (text, wanted) in [
            ("SELECT * FROM {{ ref('a') }}", "`{nodes.a}`"),
            ("SELECT * FROM {{ ref('pkg', 'a') }} x", "`{nodes.a}`"),
            ("SELECT * FROM {{source('raw', 'b')}}", "`{sources.b}`"),
            ("SELECT {{ var(\"c\", 'd') }}", "`${vars.c}`"),
            ("{{ config(materialized='table') }} SELECT 1", "`sinks`"),
            ("SELECT {% if x %} 1 {% endif %}", "`{df}`"),
            ("SELECT {{", "`{df}`"),
        ] {
            let error = sql_statement(text).unwrap_err().remove(0);
            assert!(
                error.hint.as_deref().unwrap().contains(wanted),
                "{text}: {error:?}"
            );
        }
        let error = sql_statement("SELECT {{ ref('a') }} x")
            .unwrap_err()
            .remove(0);
        assert_eq!(error.range, 7..21);
        for text in [
            "SELECT '{{ x }}', ${{ x }} -- {{ y }}",
            "SELECT '{{ ref(\"a\") }}' AS s /* {{ source('a', 'b') }} */ FROM {df}",
        ] {
            assert!(sql_statement(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn ranges_are_those_of_the_text() {
        let text = "-- hint\nSELECT é FROM {df} ;";
        let template = sql_statement(text).unwrap();
        assert_eq!(template.source(), "-- hint\nSELECT é FROM {df}");
        let rendered = template.render(|_| "t".into());
        let at = rendered.text.find("FROM").unwrap();
        assert_eq!(rendered.source_offset(at), text.find("FROM").unwrap());
    }
}
