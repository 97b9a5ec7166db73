//! Functions of dates and times.

use laktory_core::Func;

use super::Shape::{Of, Own};
use super::Target::Exprs;
use super::{SqlRow, sql};

pub(super) const ROWS: &[SqlRow] = sql! {
    ["YEAR"] "t", "date > int64; datetime > int64", Of(1, 1, Exprs(Func::DtYear)), Everywhere,
        "null in, null out", "Year.", "d = 2024-05-17, null" => "YEAR(d)" => "2024, null";
    ["QUARTER"] "t", "date > int64; datetime > int64", Of(1, 1, Exprs(Func::SqlQuarter)), Everywhere,
        "null in, null out", "Quarter, 1 to 4.", "d = 2024-05-17, null" => "QUARTER(d)" => "2, null";
    ["MONTH"] "t", "date > int64; datetime > int64", Of(1, 1, Exprs(Func::DtMonth)), Everywhere,
        "null in, null out", "Month, 1 to 12.", "d = 2024-05-17, null" => "MONTH(d)" => "5, null";
    ["WEEK", "WEEKOFYEAR"] "t", "date > int64; datetime > int64", Of(1, 1, Exprs(Func::SqlWeek)), Everywhere,
        "null in, null out", "Week of ISO 8601, 1 to 53.", "d = 2024-05-17, null" => "WEEKOFYEAR(d)" => "20, null";
    ["DAY", "DAYOFMONTH"] "t", "date > int64; datetime > int64", Of(1, 1, Exprs(Func::DtDay)), Everywhere,
        "null in, null out", "Day of the month.", "d = 2024-05-17, null" => "DAY(d)" => "17, null";
    ["DAYOFYEAR"] "t", "date > int64; datetime > int64", Of(1, 1, Exprs(Func::DtOrdinalDay)), Everywhere,
        "null in, null out", "Day of the year, from 1.", "d = 2024-02-01, null" => "DAYOFYEAR(d)" => "32, null";
    ["ISODOW", "DAYOFWEEK_ISO"] "t", "date > int64; datetime > int64", Of(1, 1, Exprs(Func::DtWeekday)), Everywhere,
        "null in, null out", "Day of the week, Monday 1 to Sunday 7. `EXTRACT(DOW FROM t)` counts from Sunday 0.", "d = 2024-05-19, null" => "ISODOW(d)" => "7, null";
    ["HOUR"] "t", "datetime > int64; time > int64", Of(1, 1, Exprs(Func::DtHour)), Everywhere,
        "null in, null out", "Hour, 0 to 23.", "t = 2024-05-17T13:45:30, null" => "HOUR(t)" => "13, null";
    ["MINUTE"] "t", "datetime > int64; time > int64", Of(1, 1, Exprs(Func::DtMinute)), Everywhere,
        "null in, null out", "Minute, 0 to 59.", "t = 2024-05-17T13:45:30, null" => "MINUTE(t)" => "45, null";
    ["SECOND"] "t", "datetime > int64; time > int64", Of(1, 1, Exprs(Func::DtSecond)), Everywhere,
        "null in, null out", "Whole second, 0 to 59.", "t = 2024-05-17T13:45:30, null" => "SECOND(t)" => "30, null";
    ["DATE_PART", "DATEPART"] "part, t", "date > int64; datetime > int64", Own, Everywhere,
        "null in, null out", "A part by its name: `year`, `quarter`, `month`, `week`, `day`, `dow`, `isodow`, `doy`, `hour`, `minute`, `second`, `epoch`.", "t = 2024-05-17T13:45:30, null" => "DATE_PART('hour', t)" => "13, null";
    ["EPOCH"] "t", "datetime > float64", Own, Everywhere,
        "null in, null out", "Seconds since 1970, with their fraction.", "t = 1970-01-02T00:00:00, null" => "EPOCH(t)" => "86400.0, null";
    ["EPOCH_MS"] "t", "datetime > int64", Own, Everywhere,
        "null in, null out", "Milliseconds since 1970.", "t = 1970-01-02T00:00:00, null" => "EPOCH_MS(t)" => "86400000, null";
    ["DATE_TRUNC"] "unit, t", "date > first; datetime > first", Own, Everywhere,
        "null in, null out", "The start of the year, quarter, month, day, hour, minute, second, millisecond or microsecond.", "t = 2024-05-17T13:45:30, null" => "DATE_TRUNC('hour', t)" => "2024-05-17T13:00:00, null";
    ["DATEADD", "TIMESTAMPADD"] "unit, n, t", "date > first; datetime > first", Own, Everywhere,
        "null in, null out", "Moved by n units; n is a constant, and months end at their last day. `t + INTERVAL '1' MONTH` does the same.", "d = 2024-01-31, null" => "DATEADD(month, 1, d)" => "2024-02-29, null";
    ["DATE_ADD"] "t, n", "date > date; datetime > date", Own, Everywhere,
        "null in, null out", "A date moved by n days; n is a constant. `DATE_ADD(t, INTERVAL '1' MONTH)` moves by an interval.", "d = 2024-01-31, null" => "DATE_ADD(d, 1)" => "2024-02-01, null";
    ["DATE_SUB"] "t, n", "date > date; datetime > date", Own, Everywhere,
        "null in, null out", "A date moved back by n days, or by an interval.", "d = 2024-03-01, null" => "DATE_SUB(d, 1)" => "2024-02-29, null";
    ["ADD_MONTHS"] "t, n", "date > date; datetime > date", Own, Everywhere,
        "null in, null out", "A date moved by n months; n is a constant.", "d = 2024-01-31, null" => "ADD_MONTHS(d, 1)" => "2024-02-29, null";
    ["DATE_DIFF", "DATEDIFF"] "[unit, ]start, end", "datetime datetime > int64", Own, Everywhere,
        "null in, null out", "How many borders of the unit (year to second) lie between two times. With two arguments the days, and the end comes first, as in Spark: `DATEDIFF(end, start)`.", "a = 2024-01-31, null; b = 2024-03-01, 2024-03-01" => "DATEDIFF(b, a)" => "30, null";
    ["LAST_DAY"] "t", "date > date; datetime > date", Own, Everywhere,
        "null in, null out", "The last day of the month.", "d = 2024-02-10, null" => "LAST_DAY(d)" => "2024-02-29, null";
    ["MAKE_DATE"] "year, month, day", "int int int > date", Own, Everywhere,
        "takes constants", "A date from its parts, which are constants.", "" => "MAKE_DATE(2024, 2, 29)" => "2024-02-29";
    ["DATE"] "x", "text > date; datetime > date", Own, Everywhere,
        "null in, null out", "As `CAST(x AS DATE)`.", "t = 2024-05-17T13:45:30, null" => "DATE(t)" => "2024-05-17, null";
    ["TO_DATE"] "s[, format]", "text > date", Own, Everywhere,
        "null in, null out; a bad value fails", "A date from a text, of ISO 8601 or a format such as `dd.MM.yyyy` or `%d.%m.%Y`.", "s = '17.05.2024', null" => "TO_DATE(s, 'dd.MM.yyyy')" => "2024-05-17, null";
    ["TO_TIMESTAMP"] "s[, format]", "text > datetime", Own, Everywhere,
        "null in, null out; a bad value fails", "A datetime from a text, of ISO 8601 or a format such as `dd.MM.yyyy HH:mm` or `%d.%m.%Y %H:%M`.", "s = '17.05.2024 13:45', null" => "TO_TIMESTAMP(s, 'dd.MM.yyyy HH:mm')" => "2024-05-17T13:45:00, null";
    ["STRPTIME"] "s, format", "text > datetime", Own, Everywhere,
        "null in, null out; a bad value fails", "A datetime from a text in a format.", "s = '17.05.2024 13:45', null" => "STRPTIME(s, '%d.%m.%Y %H:%M')" => "2024-05-17T13:45:00, null";
    ["STRFTIME"] "t, format", "datetime > text; date > text", Own, Everywhere,
        "null in, null out", "A text in a format of strftime.", "t = 2024-05-17T13:45:30, null" => "STRFTIME(t, '%Y/%m/%d')" => "'2024/05/17', null";
    ["DATE_FORMAT"] "t, format", "datetime > text; date > text", Own, Everywhere,
        "null in, null out", "A text in a format of Java, such as `yyyy-MM-dd HH:mm`.", "t = 2024-05-17T13:45:30, null" => "DATE_FORMAT(t, 'yyyy/MM/dd')" => "'2024/05/17', null";
    ["CURRENT_DATE", "CURDATE", "TODAY"] "", "> date", Own, Everywhere,
        "never null", "The day on which the run began, in UTC. CURRENT_DATE is also written without parentheses.", "" => "YEAR(CURRENT_DATE) > 2000" => "true";
    ["CURRENT_TIMESTAMP", "NOW", "GETDATE"] "", "> utc", Of(0, 0, Exprs(Func::CurrentTimestamp)), Everywhere,
        "never null", "The time at which the run began, the same for each of its rows. CURRENT_TIMESTAMP is also written without parentheses.", "" => "YEAR(CURRENT_TIMESTAMP) > 2000" => "true";
};
