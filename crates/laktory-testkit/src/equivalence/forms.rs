//! Which kinds of values each function takes and gives: what makes most drawn trees well-typed.
//!
//! A form is a letter for each expression the function takes, `>`, and a letter for what it gives; `*` follows the letter
//! of a variadic parameter. `?` is any scalar kind, the same one throughout; `.` is any kind. Parameters that take
//! constants are not part of it: [`super::generate`] makes them from the function table.

use laktory_core::Func;

/// A kind of value: a type, and the range of values with which a function is worth calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 64-bit integers far from their ends.
    Int,
    /// Integers of several widths, up to their ends: for what does not calculate.
    Huge,
    /// Integers without sign, which meet others in types of their own on each engine.
    Unsigned,
    /// Narrow integers, of which engines may choose other widths.
    Narrow,
    Float,
    Bool,
    Text,
    /// Texts that are dates, times and both in ISO form.
    IsoDate,
    IsoTime,
    IsoStamp,
    Date,
    Time,
    /// Datetimes without a zone.
    Naive,
    /// Datetimes with a zone that has daylight saving.
    Zoned,
    Duration,
    Ints,
    Floats,
    Texts,
    Struct,
}

/// Kinds with their letters.
const LETTERS: &[(char, Kind)] = &[
    ('I', Kind::Int),
    ('H', Kind::Huge),
    ('U', Kind::Unsigned),
    ('J', Kind::Narrow),
    ('F', Kind::Float),
    ('B', Kind::Bool),
    ('S', Kind::Text),
    ('Y', Kind::IsoDate),
    ('W', Kind::IsoTime),
    ('V', Kind::IsoStamp),
    ('D', Kind::Date),
    ('T', Kind::Time),
    ('N', Kind::Naive),
    ('Z', Kind::Zoned),
    ('P', Kind::Duration),
    ('L', Kind::Ints),
    ('K', Kind::Floats),
    ('M', Kind::Texts),
    ('X', Kind::Struct),
];

/// What `?` stands for.
pub(crate) const SCALARS: &[Kind] = &[
    Kind::Int,
    Kind::Huge,
    Kind::Unsigned,
    Kind::Narrow,
    Kind::Float,
    Kind::Bool,
    Kind::Text,
    Kind::Date,
    Kind::Time,
    Kind::Naive,
    Kind::Zoned,
    Kind::Duration,
];

/// What `.` stands for, beside the scalars.
pub(crate) const NESTED: &[Kind] = &[Kind::Ints, Kind::Floats, Kind::Texts, Kind::Struct];

/// What stands at one place of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// This kind.
    Of(Kind),
    /// The scalar kind that the form was drawn for.
    Scalar,
    /// Any kind.
    Any,
}

/// One way to call a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// For each expression: its kind, and whether there may be several.
    pub(crate) takes: Vec<(Slot, bool)>,
    /// The kind of the result.
    pub(crate) gives: Slot,
}

impl Form {
    fn parse(text: &str) -> Option<Self> {
        let (takes, gives) = text.split_once('>')?;
        let mut slots = Vec::new();
        for letter in takes.chars() {
            match letter {
                '*' => slots.last_mut().map(|(_, several)| *several = true)?,
                letter => slots.push((slot(letter)?, false)),
            }
        }
        Some(Self {
            takes: slots,
            gives: slot(gives.chars().next()?)?,
        })
    }
}

fn slot(letter: char) -> Option<Slot> {
    match letter {
        '?' => Some(Slot::Scalar),
        '.' => Some(Slot::Any),
        letter => {
            let mut known = LETTERS.iter();
            known.find_map(|(other, kind)| (*other == letter).then_some(Slot::Of(*kind)))
        }
    }
}

/// The ways to call a function; none for those that are never drawn.
pub(crate) fn forms(func: Func) -> Vec<Form> {
    text(func)
        .split_whitespace()
        .filter_map(Form::parse)
        .collect()
}

#[allow(clippy::too_many_lines, reason = "one arm for each group of functions")]
fn text(func: Func) -> &'static str {
    use Func as F;
    match func {
        F::Add => "II>I FF>F IF>F FI>F SS>S NP>N ZP>Z PP>P",
        F::Sub => "II>I FF>F IF>F FI>F NN>P ZZ>P NP>N ZP>Z PP>P",
        F::Mul => "II>I FF>F IF>F FI>F",
        F::TrueDiv => "II>F FF>F IF>F FI>F",
        F::FloorDiv | F::Mod => "II>I FF>F IF>F",
        F::Pow => "FF>F FI>F",
        F::Neg => "I>I F>F P>P",
        F::Eq | F::Ne | F::Lt | F::Le | F::Gt | F::Ge => "??>B IF>B FI>B",
        F::And | F::Or | F::Xor => "BB>B",
        F::Not => "B>B",
        F::Abs => "I>I F>F",
        F::Floor | F::Ceil | F::Round => "F>F I>I",
        F::Sqrt | F::Exp | F::Log | F::Sin | F::Cos => "F>F I>F",
        F::Clip => "III>I FFF>F DDD>D NNN>N",
        F::FillNull => "??>?",
        F::FillNan => "F>F",
        F::IsNull => ".>B",
        F::IsNan => "F>B",
        F::IsFinite => "F>B I>B",
        F::IsIn => "I>B F>B S>B D>B N>B",
        F::IsBetween => "???>B",
        F::IsClose => "FF>B IF>B",
        F::ReplaceStrict => "I>I S>S I>S S>I",
        F::Coalesce => "?*>?",
        F::Len => ">J",
        F::LenOf | F::Count | F::NullCount => ".>J",
        F::NUnique | F::SqlCountDistinct => "?>J",
        F::Sum => "I>I F>F B>J J>I P>P",
        F::Mean | F::Median => "I>F F>F B>F J>F",
        F::Min | F::Max | F::First | F::Last => "?>?",
        F::Std | F::Var | F::Quantile | F::Skew | F::Kurtosis => "I>F F>F J>F",
        F::Any | F::All => "B>B",
        F::ModeAny | F::DropNulls | F::Unique => "?>?",
        F::Corr | F::Cov => "FF>F II>F",
        F::Filter => "?B*>?",
        F::CumSum => "I>I F>F",
        F::CumProd => "F>F",
        F::CumMin | F::CumMax => "I>I F>F D>D N>N",
        F::CumCount => "?>J",
        F::Shift => "?>?",
        F::Diff => "I>I F>F N>P Z>P",
        F::Rank => "I>F F>F S>F D>F H>F U>F",
        F::RollingSum => "I>I F>F",
        F::RollingMean | F::RollingStd | F::RollingVar | F::EwmMean => "I>F F>F",
        F::IsDuplicated | F::IsUnique | F::IsFirstDistinct | F::IsLastDistinct => "?>B",
        F::RowIndex => ">J",
        F::SumHorizontal => "I*>I F*>F",
        F::MinHorizontal | F::MaxHorizontal => "I*>I F*>F D*>D N*>N",
        F::MeanHorizontal => "F*>F I*>F",
        F::AllHorizontal | F::AnyHorizontal => "B*>B",
        F::ConcatStr | F::Format | F::SqlConcat => "S*>S",
        F::Struct => "IS*>X",
        F::List => "I*>L F*>K S*>M",
        F::StrLenChars => "S>J",
        F::StrContains => "S>B",
        F::StrStartsWith | F::StrEndsWith => "SS>B",
        F::StrReplace
        | F::StrReplaceAll
        | F::StrSlice
        | F::StrHead
        | F::StrTail
        | F::StrStripChars
        | F::StrStripCharsStart
        | F::StrStripCharsEnd
        | F::StrToLowercase
        | F::StrToUppercase
        | F::StrToTitlecase
        | F::StrZfill
        | F::StrPadStart
        | F::StrPadEnd
        | F::StringSplit
        | F::SqlRegexpExtract
        | F::SqlSubstring
        | F::SqlReverse => "S>S",
        F::StrSplit => "S>M",
        F::StrToDatetime => "V>N",
        F::StrToDate => "Y>D",
        F::StrToTime => "W>T",
        F::DtDate => "N>D Z>D",
        F::DtYear
        | F::DtMonth
        | F::DtDay
        | F::DtOrdinalDay
        | F::DtWeekday
        | F::SqlQuarter
        | F::SqlWeek
        | F::SqlDayOfWeek => "D>J N>J Z>J",
        F::DtHour | F::DtMinute | F::DtSecond => "N>J Z>J T>J",
        F::DtMillisecond | F::DtMicrosecond | F::DtNanosecond => "N>J Z>J",
        F::DtToString => "D>S N>S Z>S",
        F::DtTimestamp => "N>H Z>H D>H",
        F::DtTruncate | F::DtOffsetBy => "N>N Z>Z D>D",
        F::DtReplaceTimeZone => "Z>N N>Z",
        F::DtConvertTimeZone => "Z>Z",
        F::DtTotalMinutes | F::DtTotalSeconds | F::DtTotalMilliseconds => "P>I",
        F::DtTotalMicroseconds | F::DtTotalNanoseconds => "P>H",
        F::ListLen => "L>J K>J M>J",
        F::ListGet | F::ListMin | F::ListMax => "L>I K>F M>S",
        F::ListContains => "L>B K>B M>B",
        F::ListUnique | F::ListSort => "L>L K>K M>M",
        F::ListSum => "L>I K>F",
        F::ListMean | F::ListMedian => "L>F K>F",
        F::StructField => "X>I X>S",
        F::RoundP => "F>F I>F",
        F::ConvertUnits => "F>F I>F",
        F::SqlDiv => "II>F FF>F IF>F FI>F",
        F::SqlMod => "II>I FF>F",
        F::SqlIsTrue | F::SqlIsFalse => "B>B",
        F::SqlEqNullSafe => "??>B",
        F::SqlLike => "S>B",
        F::SqlRound | F::SqlRoundHalfUp => "F>F I>I",
        F::SqlPosition => "SS>J",
        F::SqlSign => "I>I F>F",
        F::SqlNullIf => "??>?",
        F::SqlSum => "I>I F>F",
        F::SqlGreatest => "FF>F IF>F II>I",
        F::SqlMax => "I>I F>F S>S D>D",
        F::SqlTan | F::SqlCbrt => "F>F I>F",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_can_be_read() {
        for def in Func::all() {
            let written = text(def.func).split_whitespace().count();
            assert_eq!(forms(def.func).len(), written, "{}", def.path);
        }
    }
}
