//! What functions take and give, as data: the reference pages are printed from it too.
//!
//! A signature is a list of forms, `takes > gives`. Words of `takes` are classes of types, one for each expression that
//! the function is applied to; `*` behind a word takes any number of them, `?` one or none. Null fits everywhere.

use std::fmt;
use std::sync::LazyLock;

use crate::dtype::{DType, TimeUnit};
use crate::expr::Arg;
use crate::functions::Func;

use super::common::{is_temporal, is_text};

/// The forms of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    text: &'static str,
    forms: Vec<Form>,
}

impl Signature {
    /// The signature of a function.
    #[must_use]
    pub fn of(func: Func) -> &'static Self {
        &TABLE[func as usize]
    }

    /// Whether a call gives 64-bit integers whatever it is applied to: counts, positions, parts of dates. Many engines
    /// give others.
    #[must_use]
    pub fn counts(func: Func, args: &[Arg]) -> bool {
        if func == Func::Rank {
            return !matches!(args.get(1), Some(Arg::Str(method)) if method == "average");
        }
        let mut forms = Self::of(func).forms.iter();
        forms.all(|form| form.gives == Gives::Fixed(DType::Int64))
    }

    pub(super) fn forms(&self) -> &[Form] {
        &self.forms
    }
}

impl fmt::Display for Signature {
    /// As the table has it: `int > int64; number > float`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

static TABLE: LazyLock<Vec<Signature>> = LazyLock::new(|| {
    Func::all()
        .map(|def| {
            let text = text(def.func);
            Signature {
                text,
                forms: text.split(';').filter_map(Form::parse).collect(),
            }
        })
        .collect()
});

/// One way to call a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) takes: Vec<Taken>,
    pub(super) gives: Gives,
}

impl Form {
    fn parse(text: &'static str) -> Option<Self> {
        let (takes, gives) = text.split_once('>')?;
        let takes = takes.split_whitespace().map(Taken::parse);
        Some(Self {
            takes: takes.collect::<Option<_>>()?,
            gives: Gives::parse(gives.trim())?,
        })
    }
}

/// What stands at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) class: Class,
    pub(super) several: bool,
}

impl Taken {
    fn parse(word: &str) -> Option<Self> {
        let class = word.trim_end_matches(['*', '?']);
        let (_, class) = CLASSES.iter().find(|(name, _)| *name == class)?;
        Some(Self {
            class: *class,
            several: word.ends_with('*'),
        })
    }
}

/// A class of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Any,
    Number,
    Int,
    Float,
    Bool,
    Text,
    Date,
    Time,
    Datetime,
    Duration,
    /// A number, a boolean, or a point or span of time.
    Measure,
    List,
    Struct,
    Map,
}

const CLASSES: &[(&str, Class)] = &[
    ("any", Class::Any),
    ("number", Class::Number),
    ("int", Class::Int),
    ("float", Class::Float),
    ("bool", Class::Bool),
    ("text", Class::Text),
    ("date", Class::Date),
    ("time", Class::Time),
    ("datetime", Class::Datetime),
    ("duration", Class::Duration),
    ("measure", Class::Measure),
    ("list", Class::List),
    ("struct", Class::Struct),
    ("map", Class::Map),
];

impl Class {
    /// Whether a type is of the class. What is not known is of every class.
    pub(super) fn has(self, dtype: &DType) -> bool {
        if matches!(dtype, DType::Null | DType::Unknown) {
            return true;
        }
        match self {
            Self::Any => true,
            Self::Number => dtype.is_numeric(),
            Self::Int => dtype.is_integer(),
            Self::Float => dtype.is_float(),
            Self::Bool => *dtype == DType::Boolean,
            Self::Text => is_text(dtype),
            Self::Date => *dtype == DType::Date,
            Self::Time => *dtype == DType::Time,
            Self::Datetime => matches!(dtype, DType::Datetime { .. }),
            Self::Duration => matches!(dtype, DType::Duration(_)),
            Self::Measure => dtype.is_numeric() || *dtype == DType::Boolean || is_temporal(dtype),
            Self::List => matches!(dtype, DType::List(_) | DType::Array(..)),
            Self::Struct => matches!(dtype, DType::Struct(_)),
            Self::Map => matches!(dtype, DType::Map(..)),
        }
    }

    /// The word of the table.
    pub(super) fn name(self) -> &'static str {
        let mut known = CLASSES.iter();
        known
            .find(|(_, class)| *class == self)
            .map_or("", |(name, _)| name)
    }
}

/// What comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    /// This type.
    Fixed(DType),
    /// The type of the first value.
    First,
    /// The type in which all values meet.
    Common,
    /// A 32-bit float of 32-bit floats, else a 64-bit one.
    Float,
    /// Decided by a rule of its own, which is told by the function.
    Rule,
}

impl Gives {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "first" => Self::First,
            "common" => Self::Common,
            "float" => Self::Float,
            "rule" => Self::Rule,
            "bool" => Self::Fixed(DType::Boolean),
            "int64" => Self::Fixed(DType::Int64),
            "float64" => Self::Fixed(DType::Float64),
            "text" => Self::Fixed(DType::String),
            "texts" => Self::Fixed(DType::List(Box::new(DType::String))),
            "date" => Self::Fixed(DType::Date),
            "time" => Self::Fixed(DType::Time),
            "datetime" => Self::Fixed(DType::datetime()),
            "utc" => Self::Fixed(DType::Datetime {
                unit: TimeUnit::Microsecond,
                zone: Some("UTC".to_owned()),
            }),
            _ => return None,
        })
    }
}

#[allow(clippy::too_many_lines, reason = "one arm for each group of functions")]
fn text(func: Func) -> &'static str {
    use Func as F;
    match func {
        F::Add
        | F::Sub
        | F::Mul
        | F::TrueDiv
        | F::FloorDiv
        | F::Mod
        | F::Pow
        | F::SqlMod
        | F::ExactAdd
        | F::ExactSub
        | F::ExactMul => "any any > rule",
        F::Neg => "number > rule; duration > first",
        F::Eq | F::Ne | F::Lt | F::Le | F::Gt | F::Ge | F::SqlEqNullSafe => "any any > rule",
        F::And | F::Or | F::Xor => "bool bool > bool; int int > common",
        F::Not => "bool > bool; int > first",
        F::Abs => "number > first; duration > first",
        F::Sqrt | F::Exp | F::Log | F::Sin | F::Cos | F::SqlTan => "number > float",
        F::SqlCbrt | F::ConvertUnits => "number > float64",
        F::Floor | F::Ceil | F::Round | F::SqlRound | F::SqlRoundHalfUp | F::SqlSign => {
            "number > first"
        }
        F::Clip => "measure measure? measure? > first",
        F::FillNull => "any any? > common",
        F::FillNan => "number number > common",
        F::IsNull => "any > bool",
        F::IsNan | F::IsFinite => "number > bool",
        F::IsIn => "any any? > rule",
        F::IsBetween => "any any any > rule",
        F::IsClose => "number number > bool",
        F::ReplaceStrict => "any any? > rule",
        F::Coalesce => "any* > common",
        F::Len | F::RowIndex => "> int64",
        F::LenOf | F::Count | F::NullCount | F::NUnique | F::CumCount | F::SqlCountDistinct => {
            "any > int64"
        }
        F::Sum | F::ExactSum | F::SqlSum | F::CumSum | F::RollingSum => {
            "number > rule; bool > rule; duration > rule"
        }
        F::Mean | F::Median | F::RollingMean => "measure > rule",
        F::Min | F::Max | F::CumMin | F::CumMax => "any > first",
        F::Std | F::Var | F::Skew | F::Kurtosis | F::RollingStd | F::RollingVar | F::EwmMean => {
            "number > float; bool > float64"
        }
        F::Quantile => "number > rule; date > rule; time > rule; datetime > rule; duration > rule",
        F::Any | F::All => "bool > bool; int > bool",
        F::AnyValue | F::ModeAny | F::DropNulls | F::Unique | F::Shift => "any > first",
        F::First | F::Last => "any any* > first",
        F::Corr | F::Cov => "measure measure > float64",
        F::Filter => "any bool* > first",
        F::CumProd => "int > int64; float > first",
        F::Diff => "any > rule",
        F::Rank => "any > rule",
        F::IsDuplicated | F::IsUnique | F::IsFirstDistinct | F::IsLastDistinct => "any > bool",
        F::SumHorizontal => "any* > rule",
        F::MinHorizontal | F::MaxHorizontal => "any* > common",
        F::MeanHorizontal => "measure* > rule",
        F::AllHorizontal | F::AnyHorizontal => "bool* > bool; number* > bool",
        F::ConcatStr | F::Format | F::SqlConcat => "any* > text",
        F::Struct | F::List => "any* > rule",
        F::StrLenChars => "text > int64",
        F::StrContains | F::StrStartsWith | F::StrEndsWith => "text text > bool",
        F::SqlLike => "text > bool",
        F::StrReplace | F::StrReplaceAll => "text text? > text",
        F::StrSlice
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
        | F::SqlReverse => "text > text",
        F::StrSplit => "text > texts",
        F::StrToDatetime => "text > rule",
        F::StrToDate => "text > date",
        F::StrToTime => "text > time",
        F::SqlPosition => "text text > int64",
        F::DtDate => "datetime > date; date > date",
        F::DtYear
        | F::DtMonth
        | F::DtDay
        | F::DtOrdinalDay
        | F::DtWeekday
        | F::SqlQuarter
        | F::SqlWeek
        | F::SqlDayOfWeek => "date > int64; datetime > int64",
        F::DtHour | F::DtMinute | F::DtSecond => "datetime > int64; time > int64",
        F::DtMillisecond | F::DtMicrosecond | F::DtNanosecond => "datetime > int64; time > int64",
        F::DtToString => "date > rule; datetime > rule; time > rule; duration > text",
        F::DtTimestamp => "date > int64; datetime > int64",
        F::DtTruncate | F::DtOffsetBy => "date > first; datetime > first",
        F::DtReplaceTimeZone | F::DtConvertTimeZone => "datetime > rule",
        F::DtTotalMinutes
        | F::DtTotalSeconds
        | F::DtTotalMilliseconds
        | F::DtTotalMicroseconds
        | F::DtTotalNanoseconds => "duration > int64",
        F::ListLen => "list > int64",
        F::ListGet | F::ListMin | F::ListMax | F::ListSum | F::ListMean | F::ListMedian => {
            "list > rule"
        }
        F::ListContains => "list any > rule",
        F::ListUnique | F::ListSort => "list > first",
        F::StructField => "any > rule",
        F::CatGetCategories => "text > text",
        F::MapGet => "map any > rule",
        F::RoundP => "number number > rule",
        F::CurrentTimestamp => "> utc",
        F::SqlIsTrue | F::SqlIsFalse => "bool > bool",
        F::SqlSingle => "any int > first",
        F::SqlNullIf => "any any > first",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_can_be_read() {
        for def in Func::all() {
            let written = text(def.func).split(';').count();
            assert_eq!(Signature::of(def.func).forms.len(), written, "{}", def.path);
        }
    }
}
