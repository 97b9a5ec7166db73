//! The patterns of `SIMILAR TO` as regular expressions: `%` and `_` as in `LIKE`, groups, choices and repetitions as in
//! regular expressions, every other character for itself.

/// The regular expression of a pattern, which covers the whole text; `None` where the escape escapes nothing.
pub(super) fn regex(pattern: &str, escape: Option<char>) -> Option<String> {
    let mut regex = String::from("(?s)\\A(?:");
    let mut chars = pattern.chars();
    let mut set = false;
    while let Some(char) = chars.next() {
        if Some(char) == escape {
            literal(chars.next()?, &mut regex);
            continue;
        }
        if set && char == '[' && chars.as_str().starts_with(':') {
            // A class of letters: `[[:alpha:]]`.
            let (class, rest) = chars.as_str().split_once(":]")?;
            regex.push_str(&format!("[{class}:]"));
            chars = rest.chars();
            continue;
        }
        if set {
            match char {
                ']' => set = false,
                '[' | '&' | '~' | '\\' => regex.push('\\'),
                _ => {}
            }
            regex.push(char);
            continue;
        }
        match char {
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            '[' => {
                set = true;
                regex.push('[');
            }
            '|' | '*' | '+' | '?' | '(' | ')' | '{' | '}' => regex.push(char),
            other => literal(other, &mut regex),
        }
    }
    regex.push_str(")\\z");
    Some(regex)
}

fn literal(char: char, regex: &mut String) {
    if r".^$|*+?()[]{}\".contains(char) {
        regex.push('\\');
    }
    regex.push(char);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_become_regular_expressions() {
        for (pattern, expected) in [
            ("(a|b)%", r"(?s)\A(?:(a|b).*)\z"),
            ("a.b^$", r"(?s)\A(?:a\.b\^\$)\z"),
            ("<[[:alpha:]_]", r"(?s)\A(?:<[[:alpha:]_])\z"),
            ("[a-c]{2}_", r"(?s)\A(?:[a-c]{2}.)\z"),
            (r"5\%", r"(?s)\A(?:5%)\z"),
        ] {
            assert_eq!(
                regex(pattern, Some('\\')).as_deref(),
                Some(expected),
                "{pattern}"
            );
        }
        assert_eq!(regex("a\\", Some('\\')), None);
    }
}
