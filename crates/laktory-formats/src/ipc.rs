//! Arrow IPC files, looked at before an engine reads them: the lengths in footers and messages are compared with the size of
//! the file. Engines ask the system for as many bytes as a file tells them to, and end the process when it has not so many.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use arrow_ipc::{
    Block, CompressionType, Field, MessageHeader, Precision, RecordBatch, Type, UnionMode,
};
use laktory_core::{Error, ErrorKind, Format, Result};

const MAGIC: &[u8; 6] = b"ARROW1";
/// Times that compressed bytes may grow, by the definitions of the two codecs.
const LZ4_GROWTH: u64 = 255;
const ZSTD_GROWTH: u64 = 1 << 15;
/// Rows of a batch whose columns have no bytes.
const ROWS_WITHOUT_BYTES: u64 = 1 << 32;
/// Structures in structures.
const DEPTH: usize = 64;

/// What an IPC file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Rows of all batches.
    pub rows: u64,
    /// Batches.
    pub batches: usize,
}

/// A file whose lengths contradict each other or its size. Nothing is said about it here: the caller knows its name.
struct Damaged;

type Checked<T> = std::result::Result<T, Damaged>;

impl From<std::io::Error> for Damaged {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

/// Looks at footer and messages of a file, not at the rows.
///
/// # Errors
/// `NotFound` and `Io` when it cannot be opened; `ConversionFailed`, naming the file, when it is no IPC file or damaged;
/// `Unsupported` for older forms.
pub fn inspect(path: &Path) -> Result<Content> {
    let named = |error: std::io::Error| Error::from(error).context(format!("`{}`", path.display()));
    let mut file = File::open(path).map_err(named)?;
    let size = file.metadata().map_err(named)?.len();
    let mut head = [0; 6];
    if size >= 6 {
        file.read_exact(&mut head).map_err(named)?;
        if head.starts_with(b"FEA1") {
            return Err(Error::unsupported(format!(
                "`{}` is a Feather file of version 1, which is not read",
                path.display()
            ))
            .with_hint("write it as version 2, which is Arrow IPC"));
        }
        if head[..4] == [0xff; 4] {
            return Err(Error::new(
                ErrorKind::ConversionFailed,
                format!(
                    "`{}` is a stream of Arrow IPC, not a file of it",
                    path.display()
                ),
            )
            .with_hint("write it with a writer of IPC files, such as `pyarrow.ipc.new_file`"));
        }
    }
    if head != *MAGIC {
        return Err(crate::damaged(&Format::Ipc, path));
    }
    Looked { file, size }
        .content()
        .map_err(|Damaged| crate::damaged(&Format::Ipc, path))
}

struct Looked {
    file: File,
    size: u64,
}

impl Looked {
    fn content(&mut self) -> Checked<Content> {
        let end = self.size.checked_sub(10).ok_or(Damaged)?;
        let tail = self.bytes(end, 10)?;
        if tail[4..] != *MAGIC {
            return Err(Damaged);
        }
        let length = i32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]);
        let length = u64::try_from(length).map_err(|_| Damaged)?;
        let start = end
            .checked_sub(length)
            .filter(|start| *start >= 8)
            .ok_or(Damaged)?;
        let footer = self.bytes(start, length)?;
        let footer = arrow_ipc::root_as_footer(&footer).map_err(|_| Damaged)?;
        let schema = footer.schema().ok_or(Damaged)?;
        let fields: Vec<Field<'_>> = schema.fields().ok_or(Damaged)?.iter().collect();
        let mut content = Content::default();
        for block in footer.dictionaries().into_iter().flatten() {
            self.block(block, start, &fields, true)?;
        }
        for block in footer.recordBatches().into_iter().flatten() {
            let rows = self.block(block, start, &fields, false)?;
            content.rows = content.rows.checked_add(rows).ok_or(Damaged)?;
            content.batches += 1;
        }
        Ok(content)
    }

    /// Bytes of the file, which has so many.
    fn bytes(&mut self, at: u64, length: u64) -> Checked<Vec<u8>> {
        if at.checked_add(length).ok_or(Damaged)? > self.size {
            return Err(Damaged);
        }
        self.file.seek(SeekFrom::Start(at))?;
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| Damaged)?];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Rows of a message with its body, which lie before `end`.
    fn block(
        &mut self,
        block: &Block,
        end: u64,
        fields: &[Field<'_>],
        dictionary: bool,
    ) -> Checked<u64> {
        let at = natural(block.offset())?;
        let header = natural(block.metaDataLength().into())?;
        let length = natural(block.bodyLength())?;
        let body = at.checked_add(header).ok_or(Damaged)?;
        if at < 8 || body.checked_add(length).ok_or(Damaged)? > end {
            return Err(Damaged);
        }
        let message = self.bytes(at, header)?;
        let prefix = if message.starts_with(&[0xff; 4]) {
            8
        } else {
            4
        };
        let told = message.get(prefix - 4..prefix).ok_or(Damaged)?;
        let told = i32::from_le_bytes([told[0], told[1], told[2], told[3]]);
        let told = usize::try_from(told).map_err(|_| Damaged)?;
        let message = message.get(prefix..).ok_or(Damaged)?;
        if told > message.len() {
            return Err(Damaged);
        }
        let message = arrow_ipc::root_as_message(message).map_err(|_| Damaged)?;
        if natural(message.bodyLength())? > length {
            return Err(Damaged);
        }
        let (batch, columns) = if dictionary {
            let found = message.header_as_dictionary_batch().ok_or(Damaged)?;
            let field = fields
                .iter()
                .find_map(|field| encoded_by(field, found.id(), 0))
                .ok_or(Damaged)?;
            (found.data().ok_or(Damaged)?, vec![(field, true)])
        } else {
            if message.header_type() != MessageHeader::RecordBatch {
                return Err(Damaged);
            }
            let batch = message.header_as_record_batch().ok_or(Damaged)?;
            let columns = fields.iter().map(|field| (*field, false)).collect();
            (batch, columns)
        };
        let rows = natural(batch.length())?;
        let mut walk = Walk::new(self, batch, body, length)?;
        for (field, values) in &columns {
            walk.column(field, Some(rows), *values, 0)?;
        }
        if !walk.bytes && rows > ROWS_WITHOUT_BYTES {
            return Err(Damaged);
        }
        Ok(rows)
    }
}

fn natural(number: i64) -> Checked<u64> {
    u64::try_from(number).map_err(|_| Damaged)
}

/// The field whose values are those of a dictionary.
fn encoded_by<'a>(field: &Field<'a>, id: i64, depth: usize) -> Option<Field<'a>> {
    if depth > DEPTH {
        return None;
    }
    if field.dictionary().is_some_and(|found| found.id() == id) {
        return Some(*field);
    }
    let mut children = field.children()?.iter();
    children.find_map(|child| encoded_by(&child, id, depth + 1))
}

/// The nodes and buffers of a batch, taken in the order of the columns.
struct Walk<'a, 'f> {
    looked: &'f mut Looked,
    batch: RecordBatch<'a>,
    /// Where the body begins.
    body: u64,
    /// Its length.
    length: u64,
    codec: Option<CompressionType>,
    node: usize,
    buffer: usize,
    variadic: usize,
    /// Whether any column has bytes for its rows.
    bytes: bool,
}

impl<'a, 'f> Walk<'a, 'f> {
    fn new(
        looked: &'f mut Looked,
        batch: RecordBatch<'a>,
        body: u64,
        length: u64,
    ) -> Checked<Self> {
        let codec = batch.compression().map(|found| found.codec());
        if codec.is_some_and(|codec| {
            codec != CompressionType::LZ4_FRAME && codec != CompressionType::ZSTD
        }) {
            return Err(Damaged);
        }
        Ok(Self {
            looked,
            batch,
            body,
            length,
            codec,
            node: 0,
            buffer: 0,
            variadic: 0,
            bytes: false,
        })
    }

    /// A column of so many rows, if that is known; `values` are those of a dictionary.
    fn column(
        &mut self,
        field: &Field<'_>,
        rows: Option<u64>,
        values: bool,
        depth: usize,
    ) -> Checked<()> {
        if depth > DEPTH {
            return Err(Damaged);
        }
        let nodes = self.batch.nodes().ok_or(Damaged)?;
        if self.node >= nodes.len() {
            return Err(Damaged);
        }
        let node = nodes.get(self.node);
        self.node += 1;
        let length = natural(node.length())?;
        let nulls = natural(node.null_count())?;
        if nulls > length || rows.is_some_and(|rows| rows != length) {
            return Err(Damaged);
        }
        let bits = length.div_ceil(8);
        let entries = length.checked_add(1).ok_or(Damaged)?;
        let kind = field.type_type();
        if !matches!(kind, Type::Null | Type::Union | Type::RunEndEncoded) {
            self.take(if nulls > 0 { bits } else { 0 })?;
        }
        if let Some(dictionary) = field.dictionary().filter(|_| !values) {
            let width = match dictionary.indexType() {
                Some(index) => whole_bytes(index.bitWidth())?,
                None => 4,
            };
            return self.take_values(length, width);
        }
        match kind {
            Type::Null if length > ROWS_WITHOUT_BYTES => Err(Damaged),
            Type::Null => Ok(()),
            Type::Bool => self.take_values(bits, 1),
            Type::Utf8 | Type::Binary => {
                self.take_offsets(entries, length, 4)?;
                self.take(0)
            }
            Type::LargeUtf8 | Type::LargeBinary => {
                self.take_offsets(entries, length, 8)?;
                self.take(0)
            }
            Type::Utf8View | Type::BinaryView => {
                self.take_values(length, 16)?;
                let counts = self.batch.variadicBufferCounts().ok_or(Damaged)?;
                if self.variadic >= counts.len() {
                    return Err(Damaged);
                }
                let count = natural(counts.get(self.variadic))?;
                self.variadic += 1;
                for _ in 0..count {
                    self.take(0)?;
                }
                Ok(())
            }
            Type::List | Type::Map => {
                self.take_offsets(entries, length, 4)?;
                self.children(field, 1, None, depth)
            }
            Type::LargeList => {
                self.take_offsets(entries, length, 8)?;
                self.children(field, 1, None, depth)
            }
            Type::ListView | Type::LargeListView => {
                let width = if kind == Type::ListView { 4 } else { 8 };
                self.take_values(length, width)?;
                self.take_values(length, width)?;
                self.children(field, 1, None, depth)
            }
            Type::FixedSizeList => {
                let list = field.type_as_fixed_size_list().ok_or(Damaged)?;
                let width = natural(list.listSize().into())?;
                let items = length.checked_mul(width).ok_or(Damaged)?;
                self.children(field, 1, Some(items), depth)
            }
            Type::Struct_ => {
                let count = field.children().map_or(0, |children| children.len());
                self.children(field, count, Some(length), depth)
            }
            Type::Union => {
                let union = field.type_as_union().ok_or(Damaged)?;
                self.take_values(length, 1)?;
                let dense = union.mode() == UnionMode::Dense;
                if dense {
                    self.take_values(length, 4)?;
                }
                let count = field.children().map_or(0, |children| children.len());
                self.children(field, count, (!dense).then_some(length), depth)
            }
            Type::RunEndEncoded => self.children(field, 2, None, depth),
            _ => self.take_values(length, width(field)?),
        }
    }

    fn children(
        &mut self,
        field: &Field<'_>,
        count: usize,
        rows: Option<u64>,
        depth: usize,
    ) -> Checked<()> {
        let Some(children) = field.children() else {
            return if count == 0 { Ok(()) } else { Err(Damaged) };
        };
        if children.len() != count {
            return Err(Damaged);
        }
        for child in children {
            self.column(&child, rows, false, depth + 1)?;
        }
        Ok(())
    }

    fn take_values(&mut self, count: u64, width: u64) -> Checked<()> {
        self.bytes |= count > 0 && width > 0;
        self.take(count.checked_mul(width).ok_or(Damaged)?)
    }

    /// Offsets, which writers leave out for no rows.
    fn take_offsets(&mut self, entries: u64, rows: u64, width: u64) -> Checked<()> {
        self.take_values(if rows == 0 { 0 } else { entries }, width)
    }

    /// The next buffer, which has at least so many bytes when it is decompressed.
    fn take(&mut self, needed: u64) -> Checked<()> {
        let buffers = self.batch.buffers().ok_or(Damaged)?;
        if self.buffer >= buffers.len() {
            return Err(Damaged);
        }
        let buffer = buffers.get(self.buffer);
        self.buffer += 1;
        let (at, length) = (natural(buffer.offset())?, natural(buffer.length())?);
        if at.checked_add(length).ok_or(Damaged)? > self.length {
            return Err(Damaged);
        }
        let available = match self.codec {
            Some(codec) if length > 0 => self.decompressed(codec, at, length)?,
            _ => length,
        };
        if available < needed {
            return Err(Damaged);
        }
        Ok(())
    }

    /// Bytes of a compressed buffer when it is decompressed.
    fn decompressed(&mut self, codec: CompressionType, at: u64, length: u64) -> Checked<u64> {
        let packed = length.checked_sub(8).ok_or(Damaged)?;
        let head = self.looked.bytes(self.body + at, length.min(8 + 18))?;
        let (told, frame) = head.split_at_checked(8).ok_or(Damaged)?;
        let told = i64::from_le_bytes(told.try_into().map_err(|_| Damaged)?);
        if told == -1 {
            return Ok(packed);
        }
        let told = natural(told)?;
        let growth = if codec == CompressionType::ZSTD {
            if zstd_size(frame).is_some_and(|size| size != told) {
                return Err(Damaged);
            }
            ZSTD_GROWTH
        } else {
            LZ4_GROWTH
        };
        if told > packed.saturating_mul(growth) {
            return Err(Damaged);
        }
        Ok(told)
    }
}

/// Bytes of a value of a type of fixed width.
fn width(field: &Field<'_>) -> Checked<u64> {
    let kind = field.type_type();
    Ok(match kind {
        Type::Int => whole_bytes(field.type_as_int().ok_or(Damaged)?.bitWidth())?,
        Type::FloatingPoint => match field.type_as_floating_point().ok_or(Damaged)?.precision() {
            Precision::HALF => 2,
            Precision::SINGLE => 4,
            Precision::DOUBLE => 8,
            _ => return Err(Damaged),
        },
        Type::Decimal => whole_bytes(field.type_as_decimal().ok_or(Damaged)?.bitWidth())?,
        Type::Date => match field.type_as_date().ok_or(Damaged)?.unit() {
            arrow_ipc::DateUnit::DAY => 4,
            arrow_ipc::DateUnit::MILLISECOND => 8,
            _ => return Err(Damaged),
        },
        Type::Time => whole_bytes(field.type_as_time().ok_or(Damaged)?.bitWidth())?,
        Type::Timestamp | Type::Duration => 8,
        Type::Interval => match field.type_as_interval().ok_or(Damaged)?.unit() {
            arrow_ipc::IntervalUnit::YEAR_MONTH => 4,
            arrow_ipc::IntervalUnit::DAY_TIME => 8,
            arrow_ipc::IntervalUnit::MONTH_DAY_NANO => 16,
            _ => return Err(Damaged),
        },
        Type::FixedSizeBinary => {
            let binary = field.type_as_fixed_size_binary().ok_or(Damaged)?;
            natural(binary.byteWidth().into())?
        }
        _ => return Err(Damaged),
    })
}

fn whole_bytes(bits: i32) -> Checked<u64> {
    match bits {
        8 | 16 | 32 | 64 | 128 | 256 => Ok(natural(bits.into())? / 8),
        _ => Err(Damaged),
    }
}

/// The size that the head of a frame of Zstandard tells, if it does.
fn zstd_size(frame: &[u8]) -> Option<u64> {
    let rest = frame.strip_prefix(&[0x28, 0xb5, 0x2f, 0xfd])?;
    let (flags, rest) = rest.split_first()?;
    let single = flags & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(flags & 3)];
    let rest = rest.get(usize::from(!single) + dictionary..)?;
    let bytes = |count: usize| {
        let mut number = [0; 8];
        number[..count].copy_from_slice(rest.get(..count)?);
        Some(u64::from_le_bytes(number))
    };
    match flags >> 6 {
        0 if single => bytes(1),
        0 => None,
        1 => bytes(2).map(|size| size + 256),
        2 => bytes(4),
        _ => bytes(8),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_ipc::writer::FileWriter;
    use laktory_core::arrow::array::{
        ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, StringViewArray, StructArray,
    };

    use super::*;

    fn file() -> Vec<u8> {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "", "ccc"]));
        let views: ArrayRef = Arc::new(StringViewArray::from(vec![
            "a",
            "a text of more than twelve bytes",
            "c",
        ]));
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true, false, true]));
        let nested = StructArray::try_from(vec![("x", Arc::clone(&numbers))]).unwrap();
        let batch = RecordBatch::try_from_iter([
            ("n", numbers),
            ("t", texts),
            ("v", views),
            ("b", flags),
            ("s", Arc::new(nested) as ArrayRef),
        ])
        .unwrap();
        let mut out = Vec::new();
        let mut writer = FileWriter::try_new(&mut out, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.write(&batch.slice(0, 2)).unwrap();
        writer.write(&batch.slice(0, 0)).unwrap();
        writer.finish().unwrap();
        drop(writer);
        out
    }

    fn inspected(bytes: &[u8]) -> Result<Content> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.arrow");
        std::fs::write(&path, bytes).unwrap();
        inspect(&path)
    }

    #[test]
    fn rows_and_batches_are_counted() {
        let content = inspected(&file()).unwrap();
        assert_eq!(
            content,
            Content {
                rows: 5,
                batches: 3
            }
        );
    }

    #[test]
    fn files_cut_off_are_refused() {
        let whole = file();
        for length in (0..whole.len()).step_by(7) {
            let error = inspected(&whole[..length]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConversionFailed, "{length}");
            assert!(error.message().contains("x.arrow"), "{}", error.message());
        }
    }

    #[test]
    fn any_changed_byte_ends_in_an_answer() {
        let whole = file();
        for at in 0..whole.len() {
            for change in [0x80, 0x01, 0xff] {
                let mut changed = whole.clone();
                changed[at] ^= change;
                if let Ok(content) = inspected(&changed) {
                    assert!(content.rows < 100, "{at}");
                }
            }
        }
    }

    #[test]
    fn other_forms_are_told_apart() {
        let error = inspected(b"\xff\xff\xff\xff\x10\x00\x00\x00....").unwrap_err();
        assert!(error.message().contains("is a stream of Arrow IPC"));
        let error = inspected(b"FEA1 and more").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn the_size_in_a_frame_of_zstandard_is_read() {
        let frame = |bytes: &[u8]| {
            let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd];
            frame.extend_from_slice(bytes);
            zstd_size(&frame)
        };
        assert_eq!(frame(&[0x20, 7]), Some(7));
        assert_eq!(frame(&[0x60, 1, 0]), Some(257));
        assert_eq!(frame(&[0x80, 0, 4, 0, 0, 0]), Some(4));
        assert_eq!(frame(&[0x00, 0, 7]), None);
        assert_eq!(frame(&[0xe0, 1]), None);
        assert_eq!(zstd_size(b"no frame"), None);
    }
}
