//! Patterns of dates that other languages write.

/// A pattern of Java, such as `yyyy-MM-dd`, as a format of strftime; none when it has other letters.
#[must_use]
pub fn strftime(pattern: &str) -> Option<String> {
    let mut format = String::new();
    let mut rest = pattern;
    'next: while let Some(char) = rest.chars().next() {
        for (java, strftime) in [
            ("yyyy", "%Y"),
            ("yy", "%y"),
            ("MM", "%m"),
            ("dd", "%d"),
            ("HH", "%H"),
            ("mm", "%M"),
            ("ss", "%S"),
            ("'T'", "T"),
        ] {
            if let Some(after) = rest.strip_prefix(java) {
                format.push_str(strftime);
                rest = after;
                continue 'next;
            }
        }
        if char.is_alphabetic() || char == '\'' || char == '%' {
            return None;
        }
        format.push(char);
        rest = &rest[char.len_utf8()..];
    }
    Some(format)
}
