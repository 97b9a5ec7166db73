//! CSV: every column is text unless types are declared or guessed.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use laktory_core::{Error, ErrorKind, OptionValue, Result};
use polars::prelude::{
    CommentPrefix, CsvEncoding, CsvParseOptions, CsvReadOptions, DataType, LazyFrame, NullValues,
    PlSmallStr, Schema,
};
use polars_io::prelude::streaming::read_until_start_and_infer_schema;
use polars_io::utils::compression::ByteSourceReader;
use polars_plan::dsl::{FileScanDsl, MissingColumnsPolicy, UnifiedScanArgs};

use super::{Request, select_declared};
use crate::error::{ResultExt, names};

/// Options of CSV.
pub(super) const OPTIONS: &[&str] = &[
    "comment_prefix",
    "decimal_comma",
    "encoding",
    "eol_char",
    "has_header",
    "ignore_errors",
    "include_file_paths",
    "infer_schema",
    "infer_schema_length",
    "low_memory",
    "missing_utf8_is_empty_string",
    "n_rows",
    "new_columns",
    "null_values",
    "quote_char",
    "separator",
    "skip_lines",
    "skip_rows",
    "skip_rows_after_header",
    "truncate_ragged_lines",
    "try_parse_dates",
];

pub(super) fn read(request: &Request<'_>) -> Result<LazyFrame> {
    let mut options = options(request)?;
    let header = columns_of(&request.files[0], &options)?;
    check_headers(request, &options, &header)?;
    let scanned = match (&request.declared, request.given.texts("new_columns")?) {
        (Some(declared), _) => {
            if declared.len() != header.len() {
                return Err(Error::new(
                    ErrorKind::SchemaMismatch,
                    format!(
                        "{} columns are declared, the file `{}` has {}",
                        declared.len(),
                        request.files[0].display(),
                        header.len()
                    ),
                ));
            }
            declared
                .iter()
                .map(|(name, dtype)| (name.clone(), parsed(dtype)))
                .collect()
        }
        (None, Some(new)) => {
            let mut renamed = Schema::with_capacity(header.len());
            for (at, (name, dtype)) in header.iter().enumerate() {
                let name = new
                    .get(at)
                    .map_or_else(|| name.clone(), |new| PlSmallStr::from_str(new));
                renamed.insert(name, dtype.clone());
            }
            renamed
        }
        (None, None) => header,
    };
    options.schema = Some(Arc::new(scanned));
    let args = UnifiedScanArgs {
        missing_columns_policy: MissingColumnsPolicy::Raise,
        ..UnifiedScanArgs::default()
    };
    let scan = FileScanDsl::Csv {
        options: Arc::new(options),
    };
    let lazy = request.scan(scan, request.texts()?, args)?;
    match &request.declared {
        Some(declared) if declared.iter_values().any(|dtype| parsed(dtype) != *dtype) => {
            select_declared(lazy, declared, request.given.text("include_file_paths")?)
        }
        _ => Ok(lazy),
    }
}

/// The type in which the parser reads a column that is declared as `dtype`.
fn parsed(dtype: &DataType) -> DataType {
    match dtype {
        DataType::Boolean | DataType::Float32 | DataType::Float64 | DataType::String => {
            dtype.clone()
        }
        DataType::Decimal(..) => dtype.clone(),
        dtype if dtype.is_integer() && *dtype != DataType::Int128 => dtype.clone(),
        _ => DataType::String,
    }
}

fn options(request: &Request<'_>) -> Result<CsvReadOptions> {
    let given = &request.given;
    let defaults = CsvParseOptions::default();
    let quote_char = match given.text("quote_char")? {
        Some("") => None,
        _ if given.has("quote_char") => given.byte("quote_char")?,
        _ => defaults.quote_char,
    };
    let parse = CsvParseOptions {
        separator: given.byte("separator")?.unwrap_or(defaults.separator),
        quote_char,
        eol_char: given.byte("eol_char")?.unwrap_or(defaults.eol_char),
        encoding: given
            .one_of(
                "encoding",
                &[
                    ("utf8", CsvEncoding::Utf8),
                    ("utf8-lossy", CsvEncoding::LossyUtf8),
                ],
            )?
            .unwrap_or_default(),
        null_values: null_values(request)?,
        missing_is_null: !given.flag("missing_utf8_is_empty_string")?.unwrap_or(false),
        truncate_ragged_lines: given.flag("truncate_ragged_lines")?.unwrap_or(false),
        comment_prefix: given
            .text("comment_prefix")?
            .map(CommentPrefix::new_from_str),
        try_parse_dates: given.flag("try_parse_dates")?.unwrap_or(false),
        decimal_comma: given.flag("decimal_comma")?.unwrap_or(false),
    };
    let guess = given
        .flag("infer_schema")?
        .unwrap_or(request.spec.infer_schema);
    let length = match (guess, given.get("infer_schema_length")) {
        (false, _) => Some(0),
        (true, Some(_)) => given.count("infer_schema_length")?,
        (true, None) if given.has("infer_schema_length") => None,
        (true, None) => Some(GUESSED_LINES),
    };
    Ok(CsvReadOptions {
        parse_options: Arc::new(parse),
        has_header: given.flag("has_header")?.unwrap_or(request.spec.has_header),
        infer_schema_length: length,
        infer_schema_files: NonZeroUsize::MIN,
        skip_rows: given.count("skip_rows")?.unwrap_or(0),
        skip_lines: given.count("skip_lines")?.unwrap_or(0),
        skip_rows_after_header: given.count("skip_rows_after_header")?.unwrap_or(0),
        ignore_errors: given.flag("ignore_errors")?.unwrap_or(false),
        low_memory: given.flag("low_memory")?.unwrap_or(false),
        raise_if_empty: true,
        ..CsvReadOptions::default()
    })
}

/// Lines from which types are guessed when `infer_schema` is on.
const GUESSED_LINES: usize = 10_000;

fn null_values(request: &Request<'_>) -> Result<Option<NullValues>> {
    if let Some(OptionValue::Map(columns)) = request.given.get("null_values") {
        return columns
            .iter()
            .map(|(column, value)| match value {
                OptionValue::Text(value) => Ok((column.as_str().into(), value.as_str().into())),
                _ => Err(Error::new(
                    ErrorKind::InvalidArgument,
                    "reader option of CSV `null_values` maps columns to texts",
                )),
            })
            .collect::<Result<_>>()
            .map(|columns| Some(NullValues::Named(columns)));
    }
    Ok(request.given.texts("null_values")?.map(|values| {
        NullValues::AllColumns(values.into_iter().map(PlSmallStr::from_str).collect())
    }))
}

/// Names and guessed types of a file's columns; without a header they are `column_1`, `column_2`, ...
fn columns_of(file: &Path, options: &CsvReadOptions) -> Result<Schema> {
    let bytes = polars_buffer::Buffer::from_owner(
        polars_utils::mmap::MMapSemaphore::new_from_file(&std::fs::File::open(file)?).or_error()?,
    );
    let infer = || {
        let mut reader = ByteSourceReader::from_memory(bytes)?;
        read_until_start_and_infer_schema(options, None, None, None, &mut reader)
    };
    let (schema, _) = infer().map_err(|error| {
        Error::new(
            ErrorKind::ConversionFailed,
            format!(
                "`{}` has no header: {}",
                file.display(),
                crate::error::engine_error(error).message()
            ),
        )
        .with_hint("declare its columns with `schema_definition`, or write a header")
    })?;
    if options.has_header {
        return Ok(schema);
    }
    Ok(schema
        .into_iter()
        .enumerate()
        .map(|(at, (_, dtype))| (format!("column_{}", at + 1).into(), dtype))
        .collect())
}

/// Every file must have the header of the first one.
fn check_headers(request: &Request<'_>, options: &CsvReadOptions, first: &Schema) -> Result<()> {
    let options = CsvReadOptions {
        infer_schema_length: Some(0),
        ..options.clone()
    };
    for file in &request.files[1..] {
        let other = columns_of(file, &options)?;
        if !other.iter_names().eq(first.iter_names()) {
            let expected: Vec<&PlSmallStr> = first.iter_names().collect();
            let found: Vec<&PlSmallStr> = other.iter_names().collect();
            return Err(Error::new(
                ErrorKind::SchemaMismatch,
                format!(
                    "`{}` has the columns {}, but `{}` has {}",
                    file.display(),
                    names(&found),
                    request.files[0].display(),
                    names(&expected)
                ),
            )
            .with_hint("read files with different columns as separate sources and unite them"));
        }
    }
    Ok(())
}
