//! Checks of argument values that need no data: signs, intervals, counts, formats.

use laktory_core::{Arg, Expr, Func, FuncDef};

use super::fault::{At, Fault};
use crate::interval;
use crate::limits::MAX_WIDTH;

/// Refuses arguments that the function never accepts.
pub(crate) fn check(def: &FuncDef, args: &[Arg], at: At, places: &[At]) -> Result<(), Fault> {
    let first = if def.receiver == laktory_core::Receiver::Method {
        1
    } else {
        0
    };
    let get = |index: usize| args.get(first + index);
    let place = |index: usize| places.get(index).copied().unwrap_or(at);
    let invalid = |index: usize, message: String| Err(Fault::invalid(message, place(index)));
    let path = def.path;
    match def.func {
        Func::Round => match get(0) {
            Some(Arg::Int(n)) if *n < 0 => Err(Fault::invalid(
                format!("`decimals` is negative: {n}"),
                place(0),
            )
            .hint("SQL takes it: `sql_expr('ROUND(x, -1)')`")),
            _ => Ok(()),
        },
        Func::StrSlice => match get(1) {
            Some(Arg::Int(n)) if *n < 0 => invalid(1, format!("`length` is negative: {n}")),
            _ => Ok(()),
        },
        Func::StrPadStart | Func::StrPadEnd => match (get(0), get(1)) {
            (Some(Arg::Int(n)), _) if *n < 0 => invalid(0, format!("`length` is negative: {n}")),
            (Some(Arg::Int(n)), _) if *n > MAX_WIDTH => {
                invalid(0, format!("`length` is at most {MAX_WIDTH}, not {n}"))
            }
            (_, Some(Arg::Str(text))) if text.chars().count() != 1 => {
                invalid(1, format!("`fill_char` is one character, not `{text}`"))
            }
            _ => Ok(()),
        },
        Func::StrZfill => match get(0) {
            Some(Arg::Int(n)) if *n < 0 => invalid(0, format!("`width` is negative: {n}")),
            Some(Arg::Int(n)) if *n > MAX_WIDTH => {
                invalid(0, format!("`width` is at most {MAX_WIDTH}, not {n}"))
            }
            _ => Ok(()),
        },
        Func::DtTruncate => match get(0) {
            Some(Arg::Str(text)) => interval::truncate(text)
                .map_err(|message| Fault::invalid(message, place(0)).hint(interval::HINT)),
            _ => Ok(()),
        },
        Func::DtOffsetBy => match get(0) {
            Some(Arg::Str(text)) => interval::offset(text)
                .map_err(|message| Fault::invalid(message, place(0)).hint(interval::HINT)),
            _ => Ok(()),
        },
        Func::DtReplaceTimeZone | Func::DtConvertTimeZone => match get(0) {
            Some(Arg::Str(zone)) if !interval::plausible_zone(zone) => Err(Fault::invalid(
                format!("`{zone}` is not a time zone"),
                place(0),
            )
            .hint("names are those of the IANA database, such as `UTC` or `Europe/Paris`")),
            _ => Ok(()),
        },
        Func::Quantile => match get(0) {
            Some(Arg::Float(q)) if !(0.0..=1.0).contains(q) => {
                invalid(0, format!("`quantile` is between 0 and 1, not {q}"))
            }
            _ => Ok(()),
        },
        Func::RollingSum | Func::RollingMean | Func::RollingStd | Func::RollingVar => {
            rolling((get(0), place(0)), (get(1), place(1)))
        }
        Func::Std | Func::Var => match get(0) {
            Some(Arg::Int(ddof)) if !(0..=255).contains(ddof) => {
                invalid(0, format!("`ddof` is between 0 and 255, not {ddof}"))
            }
            _ => Ok(()),
        },
        Func::EwmMean => ewm(&args[first.min(args.len())..], at, places),
        Func::IsClose => match (get(1), get(2)) {
            (Some(Arg::Float(abs)), _) if *abs < 0.0 => {
                invalid(1, format!("`abs_tol` is negative: {abs}"))
            }
            (_, Some(Arg::Float(rel))) if !(0.0..1.0).contains(rel) => invalid(
                2,
                format!("`rel_tol` is at least 0 and less than 1, not {rel}"),
            ),
            _ => Ok(()),
        },
        Func::FillNull => match (get(0), get(1)) {
            (Some(Arg::Absent), Some(Arg::Absent)) => Err(Fault::invalid(
                "`fill_null()` needs a `value` or a `strategy`",
                at,
            )),
            (Some(Arg::Expr(_)), Some(Arg::Str(_))) => Err(Fault::invalid(
                "`fill_null()` takes a `value` or a `strategy`, not both",
                at,
            )),
            _ => Ok(()),
        },
        Func::ReplaceStrict => match get(0) {
            Some(Arg::Mapping(pairs)) if pairs.is_empty() => {
                invalid(0, "`replace_strict()` needs values to replace".into())
            }
            _ => Ok(()),
        },
        Func::ListContains => match get(0) {
            Some(Arg::Expr(Expr::Literal(_))) | None => Ok(()),
            _ => invalid(0, "`list.contains()` takes a constant".into()),
        },
        Func::Format => format(args, place(0)),
        Func::StrToDatetime | Func::StrToDate | Func::StrToTime => match get(0) {
            Some(Arg::Str(text)) if text.is_empty() => {
                invalid(0, format!("`{path}()` with an empty format"))
            }
            _ => Ok(()),
        },
        Func::ConvertUnits => match (get(0), get(1)) {
            (Some(Arg::Str(from)), Some(Arg::Str(to))) => crate::units::check(from, to)
                .map_err(|(code, message, hint)| Fault::new(code, message, place(0)).hint_if(hint)),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn rolling(window: (Option<&Arg>, At), samples: (Option<&Arg>, At)) -> Result<(), Fault> {
    let (Some(Arg::Int(size)), at) = window else {
        return Ok(());
    };
    if !(1..=i64::from(i32::MAX)).contains(size) {
        return Err(Fault::invalid(
            format!("`window_size` is at least 1 and below 2^31, not {size}"),
            at,
        ));
    }
    match samples {
        (Some(Arg::Int(samples)), at) if *samples < 1 => Err(Fault::invalid(
            format!("`min_samples` is at least 1, not {samples}"),
            at,
        )),
        (Some(Arg::Int(samples)), at) if samples > size => Err(Fault::invalid(
            format!("`min_samples` ({samples}) is more than `window_size` ({size})"),
            at,
        )),
        _ => Ok(()),
    }
}

fn ewm(args: &[Arg], at: At, places: &[At]) -> Result<(), Fault> {
    let names = ["com", "span", "half_life", "alpha"];
    let given: Vec<(&str, f64, At)> = names
        .into_iter()
        .zip(args)
        .enumerate()
        .filter_map(|(index, (name, arg))| match arg {
            Arg::Float(value) => Some((name, *value, places.get(index).copied().unwrap_or(at))),
            _ => None,
        })
        .collect();
    match given.as_slice() {
        [] => Err(Fault::invalid(
            "`ewm_mean()` needs one of `com`, `span`, `half_life`, `alpha`",
            at,
        )),
        [(name, value, at)] => {
            let fits = match *name {
                "com" => *value >= 0.0,
                "span" => *value >= 1.0,
                "half_life" => *value > 0.0,
                _ => *value > 0.0 && *value <= 1.0,
            };
            if fits {
                Ok(())
            } else {
                Err(Fault::invalid(format!("`{name}` cannot be {value}"), *at))
            }
        }
        _ => Err(Fault::invalid(
            "`com`, `span`, `half_life` and `alpha` exclude one another",
            at,
        )),
    }
}

fn format(args: &[Arg], at: At) -> Result<(), Fault> {
    let (Some(Arg::Str(text)), Some(Arg::Exprs(exprs))) = (args.first(), args.get(1)) else {
        return Ok(());
    };
    let holes = text.matches("{}").count();
    if holes == exprs.len() {
        return Ok(());
    }
    Err(Fault::invalid(
        format!(
            "the text has {holes} placeholders `{{}}`, but {} arguments follow",
            exprs.len()
        ),
        at,
    ))
}
