//! The notation of examples taken apart: frames into columns, columns into values.

/// A frame of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleFrame<'a> {
    /// Its name, `df` when it has none.
    pub name: &'a str,
    /// Its columns.
    pub columns: Vec<ExampleColumn<'a>>,
}

/// A column of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleColumn<'a> {
    /// Its name; empty for values without one.
    pub name: &'a str,
    /// Its type, where it is written.
    pub dtype: Option<&'a str>,
    /// Its values as written.
    pub values: Vec<&'a str>,
}

/// The frames that an example is given, one on each line.
#[must_use]
pub fn frames(text: &str) -> Vec<ExampleFrame<'_>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let frame = |line| match frame_name(line) {
        Some((name, rest)) => (name, rest),
        None => ("df", line),
    };
    lines
        .map(frame)
        .map(|(name, line)| ExampleFrame {
            name,
            columns: columns(line),
        })
        .collect()
}

/// `df: x = 1` split behind its name.
fn frame_name(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once(": ")?;
    let word = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '.');
    (!name.is_empty() && name.chars().all(word)).then_some((name, rest))
}

/// The columns of a line: `x = 1, 2; s = 'a', 'b'`, or values without a name.
#[must_use]
pub fn columns(line: &str) -> Vec<ExampleColumn<'_>> {
    split(line, ';').into_iter().map(column).collect()
}

fn column(text: &str) -> ExampleColumn<'_> {
    let parts = split(text, '=');
    let (head, values) = match parts.as_slice() {
        [head, values] => (*head, *values),
        _ => ("", text),
    };
    let (name, dtype) = match head.split_once(':') {
        Some((name, dtype)) => (name.trim(), Some(dtype.trim())),
        None => (head.trim(), None),
    };
    ExampleColumn {
        name,
        dtype,
        values: split(values, ','),
    }
}

/// Parts between separators that stand in no quotes and brackets.
#[must_use]
pub fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut quoted, mut start) = (0_usize, false, 0);
    for (index, char) in text.char_indices() {
        match char {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => depth = depth.saturating_sub(1),
            char if char == separator && depth == 0 => {
                parts.push(text[start..index].trim());
                start = index + char.len_utf8();
            }
            _ => {}
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() || !parts.is_empty() {
        parts.push(last);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_taken_apart() {
        let given = "df: x:int32 = 1, null; s = 'a, b', '='\nnodes.r: l = [1, 2], {a: 1, b: 2}";
        let frames = frames(given);
        assert_eq!(frames[0].name, "df");
        assert_eq!(frames[0].columns[0].dtype, Some("int32"));
        assert_eq!(frames[0].columns[1].values, ["'a, b'", "'='"]);
        assert_eq!(frames[1].name, "nodes.r");
        assert_eq!(frames[1].columns[0].values, ["[1, 2]", "{a: 1, b: 2}"]);
        assert_eq!(columns("10:30:00, null")[0].values, ["10:30:00", "null"]);
        assert_eq!(columns(":int32 = 1, 2")[0].dtype, Some("int32"));
    }
}
