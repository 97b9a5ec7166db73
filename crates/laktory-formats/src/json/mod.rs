//! JSON documents and JSON lines: one grammar, one table of how types meet, one decoder.
//!
//! [`Question::ask`] looks at every record of the files, in parallel, and says which columns they have, how many records
//! there are, and whether all values are plain enough for any reader. [`decode()`] gives the rows. Both find the same faults,
//! with file and line: what is not JSON, a name that stands twice in an object, a value that does not fit its column.

mod column;
mod decode;
mod fault;
mod infer;
mod keys;
mod look;
mod parse;
mod records;
mod scan;
#[cfg(test)]
mod tests;
mod write;

pub use decode::{Batches, Decoding, decode, schema};
pub use look::look;
pub use records::{Layout, Open, Source, Text};
pub use scan::{Answer, Known, Question};
pub use write::{NAN_AS_NULL, finite, may_be_non_finite};
