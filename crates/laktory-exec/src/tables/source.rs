//! A table as a source: its log says which files count, and what their columns are.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::stream;
use laktory_core::arrow::schema::{Field as ArrowField, Schema, SchemaRef};
use laktory_core::table::{
    LoggedFiles, READ_OPTIONS, TableColumn, TableFormat, TableScan, TableSnapshot,
};
use laktory_core::{
    Backend, BatchStream, DType, Error, ErrorKind, Expr, Field, Format, Frame, NamedFrames, Op,
    Options, ReadSpec, Result, RunCx, typing,
};

use crate::files;

/// A version of a table that is read.
pub(crate) struct Opened {
    scan: TableScan,
    /// The files, as an engine reads them; none where there is no file.
    read: Option<ReadSpec>,
}

/// Opens the table that a source names, as its options say. Files without a row that passes `filter` may be left out.
///
/// # Errors
/// `NotFound` where there is no table; those of the format.
pub(crate) async fn open(
    cx: &RunCx,
    tables: &'static dyn TableFormat,
    spec: &ReadSpec,
    filter: Option<&Expr>,
    rows: bool,
) -> Result<Opened> {
    let folder = files::local_path(&spec.path)?;
    let known = |name: &String| READ_OPTIONS.contains(&name.as_str());
    let (options, rest): (Options, Options) =
        (spec.options.clone().into_iter()).partition(|(name, _)| known(name));
    let filter = filter.cloned();
    let scan = cx
        .blocking(move || {
            let snapshot: Arc<dyn TableSnapshot> = tables.open(&folder, &options)?;
            let scan = || snapshot.scan(filter.as_ref());
            snapshot.version().map(|_| scan()).transpose()
        })
        .await?;
    let Some(scan) = scan else {
        let message = format!("there is no {} table `{}`", spec.format, spec.path);
        return Err(Error::new(ErrorKind::NotFound, message)
            .with_hint("a table is a folder with the log of its versions in it"));
    };
    let read = (!scan.files.is_empty()).then(|| as_files(spec, &scan, rest, rows));
    Ok(Opened { scan, read })
}

/// Some files of a version of a table, by their positions in it, each row with that of its file in a column `number`.
///
/// # Errors
/// Those of the engine.
pub(crate) async fn numbered(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    scan: &TableScan,
    files: &[usize],
    number: &str,
) -> Result<Frame> {
    let column = TableColumn {
        field: Field::new(number, DType::Int64),
        stored: number.to_owned(),
    };
    let columns = scan.columns.iter().cloned().chain([column]).collect();
    let mut partition_by = scan.partition_by.clone();
    partition_by.push(number.to_owned());
    let files = files.iter().filter_map(|at| {
        let mut file = scan.files.get(*at)?.clone();
        file.partition.push(Some(at.to_string()));
        Some(file)
    });
    let scan = TableScan::new(columns, partition_by, files.collect());
    let spec = ReadSpec::new(Format::Parquet, "");
    let read = (!scan.files.is_empty()).then(|| as_files(&spec, &scan, Options::new(), true));
    Opened { scan, read }.frame(cx, backend).await
}

/// The files of a table as an engine reads them.
fn as_files(spec: &ReadSpec, scan: &TableScan, options: Options, rows: bool) -> ReadSpec {
    let (mut own, mut logged) = (Vec::new(), Vec::new());
    for column in &scan.columns {
        if !scan.partition_by.contains(&column.field.name) {
            own.push(Field::new(&column.stored, column.field.dtype.clone()));
        }
    }
    for name in &scan.partition_by {
        let column = scan
            .columns
            .iter()
            .find(|column| column.field.name == *name);
        logged.extend(column.map(|column| Field::new(&column.stored, column.field.dtype.clone())));
    }
    let mut read = ReadSpec::new(Format::Parquet, &spec.path);
    read.files = scan.files.iter().map(|file| file.path.clone()).collect();
    let values = scan
        .files
        .iter()
        .map(|file| file.partition.clone())
        .collect();
    let deleted = scan.files.iter().map(|file| file.deleted.clone()).collect();
    read.schema = Some(own);
    read.logged = Some(LoggedFiles::new(logged, values, deleted));
    read.options = options;
    read.rows = rows;
    read
}

impl Opened {
    /// The files of the table.
    pub(crate) fn files(&self) -> &[PathBuf] {
        self.read.as_ref().map_or(&[], |read| &read.files)
    }

    /// The frame of the table. Without rows, what the log says of the columns is enough.
    ///
    /// # Errors
    /// Those of the engine.
    pub(crate) async fn frame(self, cx: &RunCx, backend: &Arc<dyn Backend>) -> Result<Frame> {
        let read = match self.read {
            Some(read) if read.rows => read,
            _ => {
                let empty = BatchStream::new(schema(&self.scan)?, stream::empty());
                return backend.import(cx, empty).await;
            }
        };
        let frame = backend.read(cx, &read).await.map_err(|error| {
            match (error.kind(), error.hint()) {
                (ErrorKind::NotFound, None) => error.with_hint(
                    "the log of the table names the file: it was lost, or removed as one that no newer version needs",
                ),
                _ => error,
            }
        })?;
        let behind = read.logged.iter().flat_map(|logged| &logged.fields);
        let found = read.schema.iter().flatten().chain(behind);
        let wanted = &self.scan.columns;
        let as_it_is = wanted.len() == found.clone().count()
            && (wanted.iter().zip(found)).all(|(column, found)| column.field.name == found.name);
        if as_it_is {
            return Ok(frame);
        }
        let exprs = wanted
            .iter()
            .map(|column| Expr::column(&column.stored).alias(&column.field.name));
        let select = Op::Select {
            exprs: exprs.collect(),
        };
        let rows = frame.source_rows();
        let chosen = typing::apply(&**backend, cx, &frame, &select, &NamedFrames::new()).await?;
        Ok(match rows {
            Some(rows) => chosen.with_source_rows(rows),
            None => chosen,
        })
    }
}

fn schema(scan: &TableScan) -> Result<SchemaRef> {
    let fields = scan.columns.iter().map(|column| {
        let Field { name, dtype } = &column.field;
        let arrow = dtype.to_arrow().ok_or_else(|| {
            Error::unsupported(format!("column `{name}` of the table has no type of Arrow"))
        })?;
        Ok(ArrowField::new(name, arrow, true))
    });
    Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<_>>>()?)))
}
