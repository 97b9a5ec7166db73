//! Finding `${vars.x}` and its relatives in a text. What they stand for is decided elsewhere.

use std::ops::Range;

/// What a `${…}` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Namespace {
    Vars,
    Settings,
    Params,
    /// Only known while deploying.
    CurrentUser,
    Resources,
    /// Removed from the language: includes are tags.
    Include,
}

/// One placeholder of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placeholder {
    pub(crate) range: Range<usize>,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Name(Namespace, String),
    /// In a namespace of ours, but not a name.
    BadName(String),
    /// `${{ … }}`.
    Expression,
}

/// The placeholders of `text`, in order. Anything else that begins with `$` (`$1`, `${1}`, `${spark.x}`) is not ours.
pub(crate) fn find(text: &str) -> Vec<Placeholder> {
    let mut found = Vec::new();
    let mut at = 0;
    // Up to here, no `}}` follows on the same line.
    let mut unclosed = 0;
    while let Some(offset) = text[at..].find("${") {
        let start = at + offset;
        at = start + 2;
        if text[at..].starts_with('{') {
            if at < unclosed {
                continue;
            }
            let line = text[at..].find('\n').map_or(text.len(), |end| at + end);
            if let Some(end) = text[at..line].find("}}") {
                let end = at + end + 2;
                found.push(Placeholder {
                    range: start..end,
                    what: What::Expression,
                });
                at = end;
            } else {
                unclosed = line;
            }
            continue;
        }
        let Some(length) = text[at..].find('}') else {
            break;
        };
        let inner = &text[at..at + length];
        let Some((word, name)) = inner.split_once('.') else {
            continue;
        };
        let namespace = match word.trim() {
            "vars" | "var" => Namespace::Vars,
            "settings" | "setting" => Namespace::Settings,
            "params" => Namespace::Params,
            "current_user" => Namespace::CurrentUser,
            "resources" => Namespace::Resources,
            "include" => Namespace::Include,
            _ => continue,
        };
        let named = matches!(
            namespace,
            Namespace::Vars | Namespace::Settings | Namespace::Params
        );
        let what = if named && (word != word.trim() || !is_name(name)) {
            What::BadName(name.to_owned())
        } else {
            What::Name(namespace, name.to_owned())
        };
        let end = at + length + 1;
        found.push(Placeholder {
            range: start..end,
            what,
        });
        at = end;
    }
    found
}

/// Whether `name` can be a variable: a letter or `_`, then letters, digits and `_`.
pub(crate) fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_namespaces_count() {
        for text in [
            "$1",
            "${1}",
            "a${",
            "${x}",
            "${spark.conf}",
            "${VARS.x}",
            "{{secrets/a/b}}",
            "${{ x\n}}",
        ] {
            assert_eq!(find(text), [], "{text}");
        }
        let name = |name: &str| What::Name(Namespace::Vars, name.to_owned());
        let found = find("a-${vars.x}${var.y}-${{ vars.z }}");
        let whats: Vec<_> = found
            .iter()
            .map(|p| (p.range.clone(), p.what.clone()))
            .collect();
        assert_eq!(
            whats,
            [
                (2..11, name("x")),
                (11..19, name("y")),
                (20..33, What::Expression)
            ]
        );
        assert_eq!(find("${vars.a-b}")[0].what, What::BadName("a-b".to_owned()));
        assert_eq!(find("${ vars.a }")[0].what, What::BadName("a ".to_owned()));
    }
}
