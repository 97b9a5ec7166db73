//! Reader and writer options.

pub(crate) use laktory_formats::options::Given;
