//! Text of others on its way to people: what a terminal would obey, or nobody would see, is spelled out.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal or an editor takes the character for an order, or shows nothing for it, or writes what follows in
/// another direction. Joiners between letters and emoji (U+200C, U+200D) are text.
#[must_use]
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{fffe}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The text on one line: hidden characters as `\u{1b}`, ends of lines and tabs as `\n`, `\r`, `\t`.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |_, _| false)
}

/// The text on its own lines: as [`visible`], but ends of lines and tabs stay.
#[must_use]
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |letter, next| match letter {
        '\n' | '\t' => true,
        // The end of a line as Windows has it.
        '\r' => next == Some('\n'),
        _ => false,
    })
}

/// Styled lines of our own making: as [`visible_lines`], but colours and weights stay (`ESC [ digits m`). What others
/// wrote must be made [`visible`] before it is styled.
#[must_use]
pub fn visible_styled(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        shown.push_str(&visible_lines(&rest[..at]));
        rest = &rest[at..];
        let style = style_length(rest);
        if style > 0 {
            shown.push_str(&rest[..style]);
            rest = &rest[style..];
        } else {
            shown.push_str("\\u{1b}");
            rest = &rest[1..];
        }
    }
    shown.push_str(&visible_lines(rest));
    Cow::Owned(shown)
}

/// Bytes of the style at the beginning of the text, which begins with ESC; 0 when it is something else.
fn style_length(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else {
        return 0;
    };
    let length = parameters
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b';')
        .count();
    match parameters.as_bytes().get(length) {
        Some(b'm') => length + 3,
        _ => 0,
    }
}

/// A JSON document with the hidden characters in its texts as JSON spells them: the same document for programs.
#[must_use]
pub fn visible_json(document: &str) -> Cow<'_, str> {
    let bare = |letter: char| is_hidden(letter) && !matches!(letter, '\n' | '\t' | '\r');
    if !document.contains(bare) {
        return Cow::Borrowed(document);
    }
    let mut shown = String::with_capacity(document.len());
    for letter in document.chars() {
        if bare(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

fn escaped(text: &str, stays: impl Fn(char, Option<char>) -> bool) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if !is_hidden(letter) || stays(letter, letters.peek().copied()) {
            shown.push(letter);
        } else if matches!(letter, '\n' | '\r' | '\t') {
            shown.extend(letter.escape_default());
        } else {
            shown.extend(letter.escape_unicode());
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}]0;title\u{7}\u{9b}2J\u{202e}\u{2066}\u{61c}\0\r\nb\tc\u{7f}";

    #[test]
    fn nothing_hidden_is_left() {
        for text in [visible(HOSTILE), visible_lines(HOSTILE)] {
            let left: Vec<char> = text.chars().filter(|letter| is_hidden(*letter)).collect();
            assert!(
                left.iter().all(|letter| "\r\n\t".contains(*letter)),
                "{left:?}"
            );
        }
        assert!(!visible(HOSTILE).contains(is_hidden));
        assert_eq!(visible("a\u{1b}[0m\r\n"), "a\\u{1b}[0m\\r\\n");
        assert_eq!(visible_lines("a\rb\r\nc"), "a\\rb\r\nc");
    }

    #[test]
    fn ordinary_text_stays() {
        for text in ["", "plain", "naïve Grüße 東京 👩‍👩‍👧 नमस्ते", "שלום"]
        {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn styles_stay_and_orders_do_not() {
        let text = "\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m\u{1b}[2J\u{1b}]0;x\u{7}\u{1b}";
        let shown = "\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m\\u{1b}[2J\\u{1b}]0;x\\u{7}\\u{1b}";
        assert_eq!(visible_styled(text), shown);
    }

    #[test]
    fn json_is_the_same_document() {
        assert_eq!(
            visible_json("{\n\"a\": \"\u{9b}\u{202e}\u{e0041}\"}"),
            "{\n\"a\": \"\\u009b\\u202e\\udb40\\udc41\"}"
        );
    }
}
