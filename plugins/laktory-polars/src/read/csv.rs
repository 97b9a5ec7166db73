//! CSV: every column is text unless types are declared or guessed.
//!
//! `laktory_formats` says what the files hold. Files that every reader reads alike are left to that of the engine, which is
//! faster; all others are decoded by ours, and kept as a spool.

use std::num::NonZeroUsize;
use std::sync::Arc;

use laktory_core::{DType, Error, Field, Result};
use laktory_formats::csv::Reading;
use polars::prelude::{
    CsvParseOptions, CsvReadOptions, DataFrame, IntoLazy, LazyFrame, NullValues, PlSmallStr,
    PolarsResult, Schema,
};
use polars_plan::dsl::{DslPlan, FileScanDsl, MissingColumnsPolicy, UnifiedScanArgs};
use polars_plan::plans::{DslFunction, FunctionIR};

use super::{Request, select_declared};
use crate::error::{ResultExt, carry};
use crate::spool::Spool;

/// Rows that are decoded at once.
const BATCH: usize = 16_384;

/// The plan that reads the files.
pub(super) fn read(request: &Request<'_>) -> Result<LazyFrame> {
    let Some(looked) = &request.csv else {
        return Err(Error::internal("files of CSV that nobody looked at"));
    };
    let reading = &looked.reading;
    let (lazy, read) = match &looked.survey {
        None => {
            let schema = crate::schema::schema(reading.columns())?;
            (unread(&request.with_kept(schema)?), None)
        }
        Some(survey) => match reading.in_order() {
            Some(fields) if survey.clean && reading.is_plain() => {
                let fields: Vec<Field> = fields.iter().map(parsed).collect();
                (scan(request, &fields)?, Some(fields))
            }
            _ => (decoded(request, reading)?, Some(reading.decoded())),
        },
    };
    match read {
        Some(read) if read != reading.columns() => {
            let wanted = crate::schema::schema(reading.columns())?;
            Ok(select_declared(lazy, &wanted, &request.kept()?))
        }
        _ => Ok(lazy),
    }
}

/// A plan that has columns and must not be carried out.
fn unread(schema: &Schema) -> LazyFrame {
    let lazy = DataFrame::empty_with_schema(schema).lazy();
    let refused = |_: DataFrame| -> PolarsResult<DataFrame> {
        Err(carry(&Error::internal("rows of a check were asked for")))
    };
    let function = FunctionIR::Opaque {
        function: Arc::new(refused),
        schema: None,
        predicate_pd: false,
        projection_pd: false,
        streamable: true,
        fmt_str: "rows that were not looked at".into(),
    };
    LazyFrame::from(DslPlan::MapFunction {
        input: Arc::new(lazy.logical_plan),
        function: DslFunction::FunctionIR(function),
    })
}

/// The engine's own scan of files whose fields are `fields`.
fn scan(request: &Request<'_>, fields: &[Field]) -> Result<LazyFrame> {
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
        null_values: null_values(request)?,
        missing_is_null: !given.flag("missing_utf8_is_empty_string")?.unwrap_or(false),
        ..defaults
    };
    let options = CsvReadOptions {
        parse_options: Arc::new(parse),
        has_header: given.flag("has_header")?.unwrap_or(request.spec.has_header),
        infer_schema_length: Some(0),
        infer_schema_files: NonZeroUsize::MIN,
        low_memory: given.flag("low_memory")?.unwrap_or(false),
        raise_if_empty: true,
        schema: Some(Arc::new(crate::schema::schema(fields)?)),
        ..CsvReadOptions::default()
    };
    let args = UnifiedScanArgs {
        missing_columns_policy: MissingColumnsPolicy::Raise,
        ..UnifiedScanArgs::default()
    };
    let options = Arc::new(options);
    request.scan(FileScanDsl::Csv { options }, request.texts()?, args)
}

/// A column as the engine's parser reads it; types that it does not know are converted from text.
fn parsed(field: &Field) -> Field {
    let dtype = match &field.dtype {
        DType::Boolean | DType::Float32 | DType::Float64 => field.dtype.clone(),
        dtype if dtype.is_integer() => dtype.clone(),
        _ => DType::String,
    };
    Field::new(field.name.as_str(), dtype)
}

/// The rows as our own decoder reads them.
fn decoded(request: &Request<'_>, reading: &Arc<Reading>) -> Result<LazyFrame> {
    let limit = request.given.count("n_rows")?;
    let schema = request.with_kept(crate::schema::schema(&reading.decoded())?)?;
    let all: Vec<usize> = (0..reading.columns().len()).collect();
    let mut left = limit.unwrap_or(usize::MAX);
    let mut spool = Spool::new(request.cx, Arc::new(schema));
    // Files without records are among those of the request alone.
    let mut paths = request.files.paths.iter().enumerate();
    for (file, (path, _)) in reading.files().enumerate() {
        if left == 0 {
            break;
        }
        let constants = match paths.find(|(_, known)| *known == path) {
            Some((at, _)) => request.constants(at)?,
            None => return Err(Error::internal("a file that nobody asked for")),
        };
        for batch in reading.batches(file, &all, BATCH)? {
            request.cx.cancel().check()?;
            let mut frame = crate::arrow::from_batch(&batch?)?;
            if frame.height() > left {
                frame = frame.head(Some(left));
            }
            left -= frame.height();
            if !constants.is_empty() {
                frame = frame.lazy().with_columns(&constants).collect().or_error()?;
            }
            spool.push(frame)?;
        }
    }
    spool.finish().map(|(_, lazy)| lazy)
}

fn null_values(request: &Request<'_>) -> Result<Option<NullValues>> {
    if let Some(laktory_core::OptionValue::Map(columns)) = request.given.get("null_values") {
        let named = columns.iter().filter_map(|(column, value)| match value {
            laktory_core::OptionValue::Text(value) => {
                Some((column.as_str().into(), value.as_str().into()))
            }
            _ => None,
        });
        return Ok(Some(NullValues::Named(named.collect())));
    }
    Ok(request.given.texts("null_values")?.map(|values| {
        NullValues::AllColumns(values.into_iter().map(PlSmallStr::from_str).collect())
    }))
}

#[cfg(test)]
mod tests {
    use laktory_core::{Format, OptionValue, ReadSpec};
    use laktory_formats::csv;

    use super::*;
    use crate::testing::{Bench, wait};

    /// Numbers that look random.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(self.0 >> 33).unwrap() % limit
        }

        fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
            of[self.below(of.len())]
        }
    }

    const FIELDS: &[&str] = &[
        "1",
        "-7",
        "+3",
        "007",
        "1.5",
        "1e3",
        "true",
        "FALSE",
        "x y",
        "",
        "\"\"",
        "\"a,b\"",
        "\"say \"\"no\"\"\"",
        "\"two\nlines\"",
        "NA",
        " 4",
        "5 ",
        "9223372036854775808",
        "nan",
        "inf",
        "\u{e4}\u{20ac}",
        "5\" pipe",
        "\"12\"",
    ];

    #[test]
    fn the_engine_reads_clean_files_as_our_decoder_does() {
        let bench = Bench::new();
        let mut dice = Dice(7);
        let types = [
            DType::String,
            DType::Int64,
            DType::Float64,
            DType::Boolean,
            DType::Int16,
            DType::Float32,
            DType::UInt8,
            DType::Date,
        ];
        let mut by_engine = 0;
        for round in 0..600 {
            // Few kinds of fields in a file, so that some files have none that is refused.
            let kinds = 1 + dice.below(4);
            let fields: Vec<&str> = (0..kinds).map(|_| dice.one(FIELDS)).collect();
            let end = dice.one(&["\n", "\r\n"]);
            let mut content = format!("a,b{end}");
            for _ in 0..dice.below(40) {
                content += &format!("{},{}{end}", dice.one(&fields), dice.one(&fields));
            }
            let mut spec = ReadSpec::new(Format::Csv, "x");
            spec.files = vec![bench.file("x.csv", &content)];
            spec.rows = true;
            let named = |name: &str, dice: &mut Dice| {
                Field::new(name, types[dice.below(types.len())].clone())
            };
            match round % 3 {
                0 => {}
                1 => spec.infer_schema = true,
                _ => spec.schema = Some(vec![named("b", &mut dice), named("a", &mut dice)]),
            }
            let read = |spec: &ReadSpec| {
                let files = laktory_formats::files::Files::of(spec)?;
                let looked = csv::look(&bench.cx, spec, &files, laktory_formats::packed::raw);
                let looked = wait(looked)?;
                let fast = looked.is_some_and(|looked| {
                    looked.reading.is_plain() && looked.survey.is_some_and(|survey| survey.clean)
                });
                let frame = wait(bench.backend.read(&bench.cx, spec))?;
                Ok::<_, Error>((bench.collect(&frame)?, fast))
            };
            let engine = read(&spec);
            spec.options
                .insert("n_rows".to_owned(), OptionValue::Int(1_000));
            let ours = read(&spec);
            match (engine, ours) {
                (Ok((engine, fast)), Ok((ours, _))) => {
                    by_engine += usize::from(fast);
                    assert!(engine.equals_missing(&ours), "{content}\n{engine}\n{ours}");
                    assert_eq!(engine.schema(), ours.schema(), "{content}");
                }
                (Err(engine), Err(ours)) => {
                    assert_eq!(engine.message(), ours.message(), "{content}");
                }
                (engine, ours) => panic!("{content}\n{engine:?}\n{ours:?}\n{:?}", spec.schema),
            }
        }
        assert!(by_engine > 100, "{by_engine}");
    }
}
