//! Paths of files as the log writes them: relative to the table, with `%20` and the like.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use laktory_core::{Error, ErrorKind, Result};

/// The file of this machine that an entry of the log names.
///
/// # Errors
/// `Unsupported` for a file on remote storage; `ConversionFailed` for a name that cannot be decoded.
pub(crate) fn file(folder: &Path, path: &str) -> Result<PathBuf> {
    if let Some(rest) = path.strip_prefix("file:") {
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        return Ok(PathBuf::from(decoded(rest)?));
    }
    let scheme = path.split_once("://").map(|(scheme, _)| scheme);
    if let Some(scheme) = scheme
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        let message = format!("the table names a file on remote storage (`{scheme}`): `{path}`");
        return Err(Error::unsupported(message).with_hint("read a copy of the table"));
    }
    Ok(folder.join(decoded(path)?))
}

/// A text with the characters that `%20` and the like stand for.
///
/// # Errors
/// `ConversionFailed` where that gives no text.
pub(crate) fn decoded(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digit = |at: usize| char::from(*tail.get(at)?).to_digit(16);
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                // Two digits make a byte.
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| {
        Error::new(
            ErrorKind::ConversionFailed,
            format!("the log names a file that is no text: `{text}`"),
        )
    })
}

/// A path below the table as the log writes it.
pub(crate) fn encoded(path: &str) -> String {
    escaped(path, |byte| {
        byte.is_ascii_alphanumeric() || b"-._~/=!$&'()*+,;:@".contains(&byte)
    })
}

fn escaped(text: &str, plain: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        let mut bytes = [0; 4];
        let bytes = character.encode_utf8(&mut bytes).as_bytes();
        if bytes.iter().all(|byte| plain(*byte)) {
            out.push(character);
            continue;
        }
        for byte in bytes {
            // Writing to a text does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_path_comes_back(path in ".*") {
            prop_assert_eq!(decoded(&encoded(&path)).unwrap(), path);
        }
    }

    #[test]
    fn names_are_relative_or_whole() {
        let table = Path::new("/t");
        for (path, expected) in [
            ("a%20b/x.parquet", "/t/a b/x.parquet"),
            ("file:///a%25/x", "/a%/x"),
            ("file:/a/x", "/a/x"),
            ("p=12:30/x", "/t/p=12:30/x"),
        ] {
            assert_eq!(file(table, path).unwrap(), Path::new(expected), "{path}");
        }
        assert!(
            file(table, "s3://b/x")
                .unwrap_err()
                .message()
                .contains("`s3`")
        );
    }
}
