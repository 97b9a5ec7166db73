//! Parts of texts by the positions of their characters.

use laktory_core::Result;

use super::cut;
use crate::expr::Value;
use crate::funcs::Call;

/// `str.slice`.
pub(super) fn slice(call: &Call<'_, '_>) -> Result<Value> {
    let (offset, length) = (call.int("offset")?, call.opt_int("length")?);
    if length.is_some_and(|length| length < 0) {
        return Err(call.invalid("`length` cannot be negative"));
    }
    sliced(call, call.receiver()?, offset, length)
}

/// `str.head`: all but the last when negative.
pub(super) fn head(call: &Call<'_, '_>) -> Result<Value> {
    let n = call.int("n")?;
    cut(call, call.receiver()?, format!("head({n})"), move |text| {
        let end = if n < 0 {
            length(text).saturating_add(n)
        } else {
            n
        };
        &text[..position(text, end)]
    })
}

/// `str.tail`: the whole text for 0, all but the first when negative.
pub(super) fn tail(call: &Call<'_, '_>) -> Result<Value> {
    sliced(
        call,
        call.receiver()?,
        call.int("n")?.saturating_neg(),
        None,
    )
}

/// Characters from an offset, which counts from the end when it is negative. A slice that begins before the text is
/// cut to what exists.
pub(crate) fn sliced(
    call: &Call<'_, '_>,
    value: Value,
    offset: i64,
    length: Option<i64>,
) -> Result<Value> {
    cut(
        call,
        value,
        format!("slice({offset}, {length:?})"),
        move |text| {
            let start = if offset < 0 {
                self::length(text).saturating_add(offset)
            } else {
                offset
            };
            let end = length.map_or(i64::MAX, |length| start.saturating_add(length));
            let (start, end) = (position(text, start), position(text, end));
            text.get(start..end).unwrap_or_default()
        },
    )
}

fn length(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// The byte at which a character begins; the end of the text beyond the last.
fn position(text: &str, character: i64) -> usize {
    match usize::try_from(character) {
        Ok(character) => text
            .char_indices()
            .nth(character)
            .map_or(text.len(), |(at, _)| at),
        Err(_) => 0,
    }
}
