//! Folders whose names give columns: `day=2024-01-31/part.parquet` holds rows whose `day` is in no file.
//!
//! The rule is Spark's: below the folder that is read, and below the part of a glob that has no wildcard, each folder
//! `name=value` gives a column, behind those of the files. The values of all files together decide its type: whole numbers
//! (32 bits, or 64), other numbers, dates, or else text. `%20` and the like stand for characters, and
//! `__HIVE_DEFAULT_PARTITION__` for null. A column of a file that is named like a folder's gives way to it.

use std::path::{Component, Path, PathBuf};

use laktory_core::semantics::iso;
use laktory_core::{DType, Error, ErrorKind, Field, OptionValue, Options, Result};

/// The reader option that turns columns of folders off.
pub const OPTION: &str = "hive_partitioning";
/// Spark's option, which turns them off when it is true.
pub const SPARK_OPTION: &str = "recursiveFileLookup";

const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// Columns that folders give.
#[derive(Clone, Debug, PartialEq)]
pub struct Partitions {
    /// The columns, from the outer folder to the inner one.
    pub fields: Vec<Field>,
    /// For each file the values of the columns, as text in the form of their type.
    pub values: Vec<Vec<Option<String>>>,
}

/// The columns of the folders of `files`, which were found behind `path` (a folder or a glob); none for files that lie in no
/// such folder, or where `options` turn them off. Columns that are `declared` have their declared type.
///
/// # Errors
/// `SchemaMismatch` when files lie in folders of other names; `InvalidArgument` for an option that is no flag.
pub fn partitions(
    path: &str,
    files: &[PathBuf],
    declared: Option<&[Field]>,
    options: &Options,
) -> Result<Option<Partitions>> {
    if !enabled(options)? {
        return Ok(None);
    }
    let root = root(path);
    let mut names: Option<(Vec<String>, &Path)> = None;
    let mut values = Vec::with_capacity(files.len());
    for file in files {
        let (own, texts): (Vec<String>, Vec<Option<String>>) =
            folders(&root, file).into_iter().unzip();
        match &names {
            None => names = Some((own, file)),
            Some((known, first)) if *known != own => return Err(other(known, first, &own, file)),
            Some(_) => {}
        }
        values.push(texts);
    }
    let Some((names, first)) = names.filter(|(names, _)| !names.is_empty()) else {
        return Ok(None);
    };
    if let Some((at, name)) = names
        .iter()
        .enumerate()
        .find(|(at, name)| names[..*at].contains(name))
    {
        return Err(Error::new(
            ErrorKind::DuplicateColumn,
            format!(
                "folder {} of `{}` names the column `{name}` once more",
                at + 1,
                first.display()
            ),
        )
        .with_hint(format!(
            "set `{OPTION}: false` in `reader_kwargs` to read no columns of folders"
        )));
    }
    let fields = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let declared = declared
                .into_iter()
                .flatten()
                .find(|field| field.name == *name);
            let dtype = match declared {
                Some(field) => field.dtype.clone(),
                None => inferred(values.iter().filter_map(|row| row[at].as_deref())),
            };
            Field::new(name.as_str(), dtype)
        })
        .collect();
    Ok(Some(Partitions { fields, values }))
}

fn enabled(options: &Options) -> Result<bool> {
    let flag = |name: &str| match options.get(name) {
        None | Some(OptionValue::Null) => Ok(None),
        Some(OptionValue::Bool(value)) => Ok(Some(*value)),
        Some(_) => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("reader option `{name}` takes true or false"),
        )),
    };
    let recursive = flag(SPARK_OPTION)?;
    Ok(flag(OPTION)?.unwrap_or(recursive != Some(true)))
}

/// The folder below which folders give columns.
fn root(path: &str) -> PathBuf {
    let path = path.strip_prefix("file://").unwrap_or(path);
    let whole = PathBuf::from(path);
    if whole.exists() {
        return whole;
    }
    let wild = |part: &Component<'_>| {
        part.as_os_str()
            .to_str()
            .is_some_and(|part| part.contains(['*', '?', '[']))
    };
    whole.components().take_while(|part| !wild(part)).collect()
}

/// Names and values of the folders of a file.
fn folders(root: &Path, file: &Path) -> Vec<(String, Option<String>)> {
    let below = file.strip_prefix(root).unwrap_or(Path::new(""));
    let Some(folder) = below.parent() else {
        return Vec::new();
    };
    folder
        .components()
        .filter_map(|part| {
            let (name, value) = part.as_os_str().to_str()?.split_once('=')?;
            let value = (!value.is_empty() && value != NULL).then(|| decoded(value));
            (!name.is_empty()).then(|| (decoded(name), value))
        })
        .collect()
}

/// The text with the characters that `%41` and the like stand for.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    // What is no text when it is decoded was not encoded.
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// The type of values.
fn inferred<'a>(values: impl Iterator<Item = &'a str> + Clone) -> DType {
    let all = |holds: fn(&str) -> bool| values.clone().all(holds);
    if values.clone().next().is_none() {
        DType::String
    } else if all(|value| whole(value) && value.parse::<i32>().is_ok()) {
        DType::Int32
    } else if all(|value| whole(value) && value.parse::<i64>().is_ok()) {
        DType::Int64
    } else if all(number) {
        DType::Float64
    } else if all(|value| value.len() == 10 && iso::plain_date(value).is_some()) {
        DType::Date
    } else {
        DType::String
    }
}

fn whole(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a value is a number in decimal form. Longer ones than a float holds, as keys may be, stay text.
fn number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (before, after) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    plain(before) && plain(after) && digits.len() <= 16
}

fn other(known: &[String], first: &Path, own: &[String], file: &Path) -> Error {
    let named = |names: &[String]| {
        if names.is_empty() {
            return "no columns".to_owned();
        }
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    Error::new(
        ErrorKind::SchemaMismatch,
        format!(
            "the folders of `{}` give {}, but those of `{}` give {}",
            file.display(),
            named(own),
            first.display(),
            named(known)
        ),
    )
    .with_hint(format!(
        "read them as separate sources, or set `{OPTION}: false` in `reader_kwargs` to read no columns of folders"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str, files: &[&str]) -> Result<String> {
        let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        let Some(found) = partitions(path, &files, None, &Options::new())? else {
            return Ok("none".to_owned());
        };
        let columns = found.fields.iter().enumerate().map(|(at, field)| {
            let values = found.values.iter().map(|row| row[at].as_deref());
            let values: Vec<&str> = values.map(|value| value.unwrap_or("null")).collect();
            format!("{} {}: {}", field.name, field.dtype, values.join(" "))
        });
        Ok(columns.collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn folders_give_typed_columns() {
        assert_eq!(
            shown(
                "in",
                &[
                    "in/year=2024/month=01/a.x",
                    "in/year=2024/month=__HIVE_DEFAULT_PARTITION__/b.x"
                ]
            )
            .unwrap(),
            "year Int32: 2024 2024, month Int32: 01 null"
        );
        for (values, wanted) in [
            (["1", "5000000000"], "Int64"),
            (["1", "2.5"], "Float64"),
            (["-1", "00"], "Int32"),
            (["2024-01-31", "2024-02-29"], "Date"),
            (["2024-01-31", "2023-02-29"], "String"),
            (["1", "x"], "String"),
            (["1e5", "1"], "String"),
            (["99999999999999999999", "1"], "String"),
        ] {
            let files = values.map(|value| format!("in/k={value}/a.x"));
            let files: Vec<&str> = files.iter().map(String::as_str).collect();
            let found = shown("in/", &files).unwrap();
            assert_eq!(found, format!("k {wanted}: {} {}", values[0], values[1]));
        }
    }

    #[test]
    fn values_are_decoded() {
        assert_eq!(
            shown("in", &["in/k=a%20b%2Fc%3D%C3%A9/a.x", "in/k=50%/a.x"]).unwrap(),
            "k String: a b/c=\u{e9} 50%"
        );
    }

    #[test]
    fn only_folders_below_the_path_count() {
        assert_eq!(
            shown("a=1/in", &["a=1/in/x=2/f=3.x"]).unwrap(),
            "x Int32: 2"
        );
        assert_eq!(shown("a=1", &["a=1/f.x"]).unwrap(), "none");
        assert_eq!(
            shown("in/a=1/b=*/f.x", &["in/a=1/b=2/f.x"]).unwrap(),
            "b Int32: 2"
        );
        assert_eq!(shown("in/f.x", &["in/f.x"]).unwrap(), "none");
    }

    #[test]
    fn folders_of_other_names_are_refused() {
        let error = shown("in", &["in/a=1/f.x", "in/g.x"]).unwrap_err();
        assert_eq!(
            error.message(),
            "the folders of `in/g.x` give no columns, but those of `in/a=1/f.x` give `a`"
        );
        let off = Options::from([(OPTION.to_owned(), OptionValue::Bool(false))]);
        let files = [PathBuf::from("in/a=1/f.x"), PathBuf::from("in/g.x")];
        assert_eq!(partitions("in", &files, None, &off).unwrap(), None);
        let spark = Options::from([(SPARK_OPTION.to_owned(), OptionValue::Bool(true))]);
        assert_eq!(partitions("in", &files, None, &spark).unwrap(), None);
        assert!(shown("in", &["in/a=1/a=2/f.x"]).is_err());
    }

    #[test]
    fn declared_columns_have_their_type() {
        let files = [PathBuf::from("in/zip=01234/f.x")];
        let declared = [Field::new("zip", DType::String)];
        let found = partitions("in", &files, Some(&declared), &Options::new())
            .unwrap()
            .unwrap();
        assert_eq!(found.fields, declared);
        assert_eq!(found.values, [[Some("01234".to_owned())]]);
    }
}
