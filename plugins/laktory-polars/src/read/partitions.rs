//! Columns of folders in a scan. Where the engine finds the same columns in the paths, it has them, and leaves out files
//! by them; else files of equal values are scans of their own with constants.

use std::ops::Range;
use std::path::Component;
use std::sync::Arc;

use laktory_core::Result;
use laktory_formats::folder;
use polars::prelude::{
    DataType, Expr, IdxSize, LazyFrame, NULL, NamedFrom, PlSmallStr, ScanSources, Schema, Selector,
    Series, col, lit,
};
use polars_io::{HiveOptions, RowIndex};
use polars_plan::dsl::{DslPlan, FileScanDsl, UnifiedScanArgs};

use super::Request;

impl Request<'_> {
    /// Columns that come with a scan beside those of the files.
    pub(super) fn kept(&self) -> Result<Vec<&str>> {
        let mut kept = self.files.of_folders();
        kept.extend(self.given.text("include_file_paths")?);
        Ok(kept)
    }

    /// A schema of the files, with the columns that come beside.
    pub(super) fn with_kept(&self, mut schema: Schema) -> Result<Schema> {
        for field in self.files.partitions.iter().flat_map(|found| &found.fields) {
            let dtype = crate::schema::data_type(&field.dtype)?;
            schema.insert(field.name.as_str().into(), dtype);
        }
        if let Some(name) = self.given.text("include_file_paths")? {
            schema.insert(name.into(), DataType::String);
        }
        Ok(schema)
    }

    /// The columns that come with the rows of the file `at`.
    pub(super) fn constants(&self, at: usize) -> Result<Vec<Expr>> {
        let mut constants = self.of_folder(at)?;
        if let Some(name) = self.given.text("include_file_paths")? {
            let path = self.files.paths[at].display().to_string();
            constants.push(lit(path).alias(name));
        }
        Ok(constants)
    }

    /// The columns that the folders of the file `at` give.
    fn of_folder(&self, at: usize) -> Result<Vec<Expr>> {
        let Some(partitions) = &self.files.partitions else {
            return Ok(Vec::new());
        };
        let values = partitions.values[at].iter().zip(&partitions.fields);
        values
            .map(|(value, field)| {
                let dtype = crate::schema::data_type(&field.dtype)?;
                let value = match value {
                    Some(text) => crate::expr::convert(lit(text.as_str()), &dtype, true),
                    None => lit(NULL).cast(dtype),
                };
                Ok(value.alias(field.name.as_str()))
            })
            .collect()
    }

    /// The lazy scan of some of the files.
    pub(super) fn scan_part(
        &self,
        scan: FileScanDsl,
        sources: &ScanSources,
        files: Range<usize>,
        mut args: UnifiedScanArgs,
    ) -> Result<LazyFrame> {
        args.glob = false;
        args.cache = false;
        args.hive_options = HiveOptions::new_disabled();
        if let Some(name) = self.given.text("include_file_paths")? {
            args.include_file_paths = Some(name.into());
        }
        if let Some(at) = files.clone().find(|at| !self.deleted(*at).is_empty())
            && files.len() > 1
        {
            // A file with deleted rows is a scan of its own, since rows are counted within a scan.
            let runs = [files.start..at, at..at + 1, at + 1..files.end];
            let runs = runs.into_iter().filter(|run| !run.is_empty());
            let frames = runs.map(|run| self.scan_part(scan.clone(), sources, run, args.clone()));
            return super::tables::stacked(frames.collect::<Result<_>>()?);
        }
        let deleted = self.deleted(files.start);
        if !deleted.is_empty() {
            args.row_index = Some(RowIndex {
                name: NUMBER.into(),
                offset: 0,
            });
            let first = files.start;
            let lazy = without(scanned(scan, sources, files, args), deleted);
            return self.with_constants(lazy, first);
        }
        let Some(partitions) = &self.files.partitions else {
            return Ok(scanned(scan, sources, files, args));
        };
        // Its readers of text do not look at folders.
        let looks = matches!(scan, FileScanDsl::Parquet { .. } | FileScanDsl::Ipc { .. })
            && matches!(sources, ScanSources::Paths(_));
        if looks && self.found_by_engine() {
            let mut schema = Schema::with_capacity(partitions.fields.len());
            for field in &partitions.fields {
                let dtype = crate::schema::data_type(&field.dtype)?;
                schema.insert(field.name.as_str().into(), dtype);
            }
            args.hive_options = HiveOptions {
                enabled: Some(true),
                hive_start_idx: 0,
                schema: Some(Arc::new(schema)),
                try_parse_dates: true,
            };
            return Ok(scanned(scan, sources, files, args));
        }
        let within = &self.files.paths[files.clone()];
        let runs = folder::runs(within, |at| &partitions.values[files.start + at]);
        let frames = runs.into_iter().map(|run| {
            let run = files.start + run.start..files.start + run.end;
            let first = run.start;
            self.with_constants(scanned(scan.clone(), sources, run, args.clone()), first)
        });
        super::tables::stacked(frames.collect::<Result<_>>()?)
    }

    /// The rows of the file `at` that its table has deleted.
    fn deleted(&self, at: usize) -> &[u64] {
        let logged = self.spec.logged.as_ref();
        logged.map_or(&[], |logged| logged.deleted(at))
    }

    /// The rows of the file `at`, and of others in folders of the same values, with the columns of their folders.
    pub(super) fn with_constants(&self, lazy: LazyFrame, at: usize) -> Result<LazyFrame> {
        if self.files.partitions.is_none() {
            return Ok(lazy);
        }
        let path = self.given.text("include_file_paths")?;
        let behind: Vec<PlSmallStr> = self.kept()?.into_iter().map(PlSmallStr::from_str).collect();
        let others = Selector::ByName {
            names: behind.into(),
            strict: false,
        };
        let mut exprs = vec![(Selector::Wildcard - others).as_expr()];
        exprs.extend(self.of_folder(at)?);
        exprs.extend(path.map(col));
        Ok(lazy.select(exprs))
    }

    /// Whether the engine, which looks at whole paths, finds the columns that the rule finds, with the same values.
    fn found_by_engine(&self) -> bool {
        let Some(partitions) = &self.files.partitions else {
            return false;
        };
        // It takes a condition on such columns for true where it is null.
        if partitions.values.iter().flatten().any(Option::is_none) {
            return false;
        }
        let declared = self.declared.as_deref();
        if partitions
            .fields
            .iter()
            .any(|field| declared.is_some_and(|declared| declared.contains(field.name.as_str())))
        {
            return false;
        }
        self.files.paths.iter().all(|file| {
            let mut folders: Vec<Component<'_>> = file.components().collect();
            folders.pop();
            let mut found = folders
                .iter()
                .filter_map(|folder| folder.as_os_str().to_str())
                .filter(|folder| folder.contains('='));
            let plain = |folder: &str, name: &str| {
                folder.split_once('=').is_some_and(|(own, value)| {
                    own == name && !value.is_empty() && !value.contains(['=', '*', '%'])
                })
            };
            partitions.fields.iter().all(|field| {
                found
                    .next()
                    .is_some_and(|folder| plain(folder, &field.name))
            }) && found.next().is_none()
        })
    }
}

/// The column that numbers the rows of a file, as long as some of them have to go.
const NUMBER: &str = "__laktory_row";

/// The rows that are left of a file.
fn without(lazy: LazyFrame, deleted: &[u64]) -> LazyFrame {
    let numbers = deleted
        .iter()
        .filter_map(|row| IdxSize::try_from(*row).ok());
    let numbers: Vec<IdxSize> = numbers.collect();
    let numbers = Series::new(NUMBER.into(), numbers);
    let deleted = col(NUMBER).is_in(lit(numbers).implode(false), false);
    let others = Selector::ByName {
        names: [PlSmallStr::from_static(NUMBER)].into(),
        strict: false,
    };
    lazy.filter(deleted.not())
        .select([(Selector::Wildcard - others).as_expr()])
}

fn scanned(
    scan: FileScanDsl,
    sources: &ScanSources,
    files: Range<usize>,
    args: UnifiedScanArgs,
) -> LazyFrame {
    let sources = match sources {
        ScanSources::Paths(paths) => ScanSources::Paths(paths.clone().sliced(files)),
        ScanSources::Buffers(buffers) => {
            let some: Vec<_> = buffers[files].to_vec();
            ScanSources::Buffers(some.into())
        }
        other => other.clone(),
    };
    LazyFrame::from(DslPlan::Scan {
        sources,
        unified_scan_args: Box::new(args),
        scan_type: Box::new(scan),
        cached_ir: Arc::default(),
    })
}
