//! Placeholders for frames: `{df}`, `{nodes.x}`, `{sources.x}`, `{name}`.

use laktory_core::FrameName;

/// The frame that a whole text stands for, blanks around it allowed (R-PH-1). Names of nodes and sources may hold any
/// character but braces; other names are identifiers.
#[must_use]
pub fn placeholder(text: &str) -> Option<FrameName> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    named(inner)
}

/// The frame called by what stands between braces.
pub(crate) fn named(inner: &str) -> Option<FrameName> {
    let inner = inner.trim();
    if inner.contains(['{', '}', '\n']) {
        return None;
    }
    if inner == "df" {
        return Some(FrameName::Df);
    }
    if let Some(name) = inner.strip_prefix("nodes.") {
        return (!name.is_empty()).then(|| FrameName::Node(name.to_owned()));
    }
    if let Some(name) = inner.strip_prefix("sources.") {
        return (!name.is_empty()).then(|| FrameName::Source(name.to_owned()));
    }
    let mut chars = inner.chars();
    let identifier = chars
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|char| char.is_alphanumeric() || char == '_');
    identifier.then(|| FrameName::Named(inner.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_ph_1_whole_texts_are_frames() {
        assert_eq!(placeholder(" {df} "), Some(FrameName::Df));
        assert_eq!(placeholder("{ df }"), Some(FrameName::Df));
        assert_eq!(
            placeholder("{nodes.a-b c.d}"),
            Some(FrameName::Node("a-b c.d".into()))
        );
        assert_eq!(
            placeholder("{sources.df}"),
            Some(FrameName::Source("df".into()))
        );
        assert_eq!(
            placeholder("{hello}"),
            Some(FrameName::Named("hello".into()))
        );
        for text in [
            "{}", "{'a': 1}", "{8,8}", "df", "{nodes.}", "{a} {b}", "x{df}",
        ] {
            assert_eq!(placeholder(text), None, "{text}");
        }
    }
}
