//! What users write by habit from other libraries and languages, and what to write here. Only for messages: nothing of
//! this is understood.

/// Methods of expressions.
pub(crate) const METHODS: &[(&str, &str)] = &[
    ("arg_max", "write `nw.col('x').last(order_by='y')`"),
    ("arg_min", "write `nw.col('x').first(order_by='y')`"),
    (
        "arr",
        "a method of `.list` follows; an array is cast to a list first",
    ),
    ("average", "write `.mean()`"),
    ("bfill", "write `.fill_null(strategy='backward')`"),
    ("case", "write `nw.when(condition).then(a).otherwise(b)`"),
    ("concat", "write `nw.concat_str('a', 'b', separator='-')`"),
    (
        "count_distinct",
        "write `.n_unique()`, for which null is a value",
    ),
    ("distinct", "write `.unique()`, with an aggregate behind"),
    ("dt.add", "write `.dt.offset_by('1d')`"),
    (
        "dt.day_of_week",
        "write `.dt.weekday()`, Monday 1 to Sunday 7",
    ),
    ("dt.day_of_year", "write `.dt.ordinal_day()`"),
    (
        "dt.days",
        "write `.dt.total_minutes()` of a duration, or `.dt.day()` of a date",
    ),
    ("dt.floor", "write `.dt.truncate('1d')`"),
    ("dt.round", "write `.dt.truncate('1d')`"),
    (
        "dt.timezone",
        "write `.dt.convert_time_zone(...)` or `.dt.replace_time_zone(...)`",
    ),
    ("dt.tz_convert", "write `.dt.convert_time_zone(...)`"),
    ("dt.tz_localize", "write `.dt.replace_time_zone(...)`"),
    ("ffill", "write `.fill_null(strategy='forward')`"),
    ("first_value", "write `.first(order_by='t')`"),
    ("if_else", "write `nw.when(condition).then(a).otherwise(b)`"),
    ("lag", "write `.shift(1).over(order_by='t')`"),
    ("last_value", "write `.last(order_by='t')`"),
    ("lead", "write `.shift(-1).over(order_by='t')`"),
    ("len_chars", "write `.str.len_chars()`"),
    (
        "length",
        "write `.str.len_chars()`, or `.len()` for the number of rows",
    ),
    ("list.explode", "explode the frame, with a step `explode`"),
    (
        "list.join",
        "there is no counterpart, except on an engine that reads SQL steps itself",
    ),
    ("list.size", "write `.list.len()`"),
    ("negate", "write `-` in front, or `~` for not"),
    ("power", "write `** n`"),
    (
        "replace",
        "write `.str.replace_all(...)` for texts, or `.replace_strict({...})` for values",
    ),
    ("rolling", "write `.rolling_mean(3).over(order_by='t')`"),
    ("rolling_max", "write a SQL step with a window"),
    ("rolling_min", "write a SQL step with a window"),
    (
        "row_number",
        "write `nw.laktory.row_index().over(order_by='t') + 1`",
    ),
    (
        "str.capitalize",
        "write `.str.to_titlecase()`, which begins every word so",
    ),
    ("str.cat", "write `nw.concat_str('a', 'b', separator='-')`"),
    (
        "str.concat",
        "columns are joined with `nw.concat_str('a', 'b')`, the rows of one only by an engine that reads SQL steps itself",
    ),
    (
        "str.find",
        "write `sql_expr(\"POSITION('a' IN x)\")`, from 1",
    ),
    ("str.length", "write `.str.len_chars()`"),
    ("str.match", "write `.str.contains('^...')`"),
    ("str.matches", "write `.str.contains(...)`"),
    ("str.regex", "write `.str.contains(...)`"),
    ("str.size", "write `.str.len_chars()`"),
    ("str.substr", "write `.str.slice(start, length)`, from 0"),
    ("str.substring", "write `.str.slice(start, length)`, from 0"),
    ("str.trim", "write `.str.strip_chars()`"),
    ("strftime", "write `.dt.to_string(...)`"),
    ("trim", "write `.str.strip_chars()`"),
];

/// Functions and types below `nw`.
const FUNCTIONS: &[(&str, &str)] = &[
    ("BigInt", "write `nw.Int64()`"),
    ("Bool", "write `nw.Boolean()`"),
    ("Bytes", "write `nw.Binary()`"),
    ("DateTime", "write `nw.Datetime()`"),
    ("Double", "write `nw.Float64()`"),
    ("Float", "write `nw.Float64()`"),
    ("Int", "write `nw.Int64()`"),
    ("Integer", "write `nw.Int64()`"),
    ("Interval", "write `nw.Duration()`"),
    ("Long", "write `nw.Int64()`"),
    ("Numeric", "write `nw.Decimal(10, 2)`"),
    ("Str", "write `nw.String()`"),
    ("Text", "write `nw.String()`"),
    ("Timestamp", "write `nw.Datetime()`"),
    ("Varchar", "write `nw.String()`"),
    ("and_", "write `(a) & (b)`"),
    ("case", "write `nw.when(condition).then(a).otherwise(b)`"),
    (
        "current_date",
        "write `nw.laktory.current_timestamp().dt.date()`",
    ),
    ("date", "write `datetime.date(2024, 1, 31)`"),
    ("datetime", "write `datetime.datetime(2024, 1, 31, 12, 0)`"),
    ("duration", "write `datetime.timedelta(hours=1)`"),
    (
        "functions",
        "functions stand behind `nw.` themselves: `nw.coalesce(...)`",
    ),
    ("if_else", "write `nw.when(condition).then(a).otherwise(b)`"),
    ("ifelse", "write `nw.when(condition).then(a).otherwise(b)`"),
    ("iff", "write `nw.when(condition).then(a).otherwise(b)`"),
    ("literal", "write `nw.lit(...)`"),
    ("not_", "write `~` in front, with parentheses"),
    ("or_", "write `(a) | (b)`"),
    ("row_index", "write `nw.laktory.row_index()`"),
    ("time", "write `datetime.time(12, 0)`"),
    ("today", "write `nw.laktory.current_timestamp().dt.date()`"),
    ("where", "write `nw.when(condition).then(a).otherwise(b)`"),
];

/// Names at the beginning of an expression.
const NAMES: &[(&str, &str)] = &[
    ("NaN", "write `float('nan')`, or test with `.is_nan()`"),
    ("all", "this function of Python cannot be used here"),
    ("all_horizontal", "write `nw.all_horizontal(...)`"),
    ("any", "this function of Python cannot be used here"),
    ("any_horizontal", "write `nw.any_horizontal(...)`"),
    ("callable", "this function of Python cannot be used here"),
    ("coalesce", "write `nw.coalesce(...)`"),
    ("compile", "this function of Python cannot be used here"),
    ("concat_str", "write `nw.concat_str(...)`"),
    ("corr", "write `nw.corr(...)`"),
    ("cov", "write `nw.cov(...)`"),
    (
        "current_timestamp",
        "write `nw.laktory.current_timestamp()`",
    ),
    ("data", "a column is written `nw.col('name')`"),
    ("df", "a column is written `nw.col('name')`"),
    ("dir", "this function of Python cannot be used here"),
    ("enumerate", "this function of Python cannot be used here"),
    ("eval", "this function of Python cannot be used here"),
    ("exclude", "write `nw.exclude(...)`"),
    ("exec", "this function of Python cannot be used here"),
    ("filter", "this function of Python cannot be used here"),
    ("format", "write `nw.format(...)`"),
    ("frame", "a column is written `nw.col('name')`"),
    ("getattr", "this function of Python cannot be used here"),
    ("globals", "this function of Python cannot be used here"),
    ("hasattr", "this function of Python cannot be used here"),
    ("inf", "write `float('inf')`, or test with `.is_finite()`"),
    ("input", "this function of Python cannot be used here"),
    ("isinstance", "this function of Python cannot be used here"),
    ("iter", "this function of Python cannot be used here"),
    ("laktory", "write `nw.laktory...`"),
    ("locals", "this function of Python cannot be used here"),
    ("map", "this function of Python cannot be used here"),
    ("max_horizontal", "write `nw.max_horizontal(...)`"),
    ("mean_horizontal", "write `nw.mean_horizontal(...)`"),
    ("min_horizontal", "write `nw.min_horizontal(...)`"),
    ("nan", "write `float('nan')`, or test with `.is_nan()`"),
    ("next", "this function of Python cannot be used here"),
    ("nth", "write `nw.nth(...)`"),
    ("open", "this function of Python cannot be used here"),
    ("print", "this function of Python cannot be used here"),
    ("repr", "this function of Python cannot be used here"),
    ("selectors", "write `nw.selectors...`"),
    ("self", "a column is written `nw.col('name')`"),
    ("setattr", "this function of Python cannot be used here"),
    ("sorted", "this function of Python cannot be used here"),
    ("spark", "a column is written `nw.col('name')`"),
    ("struct", "write `nw.struct(...)`"),
    ("sum_horizontal", "write `nw.sum_horizontal(...)`"),
    ("type", "this function of Python cannot be used here"),
    ("vars", "this function of Python cannot be used here"),
    ("zip", "this function of Python cannot be used here"),
];

fn find(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, hint)| *hint)
}

/// What to write instead of a method.
pub(super) fn method(path: &str) -> Option<&'static str> {
    find(METHODS, path)
}

/// What to write instead of a function or type below `nw`.
pub(super) fn function(path: &str) -> Option<&'static str> {
    find(FUNCTIONS, path)
}

/// What to write instead of a name.
pub(super) fn name(name: &str) -> Option<&'static str> {
    find(NAMES, name)
}

/// What to write instead of the words and signs of other languages, of which `tail` begins with one.
pub(super) fn syntax(source: &str, tail: &str) -> Option<&'static str> {
    let word: String = tail
        .chars()
        .take_while(|char| char.is_alphanumeric() || *char == '_')
        .collect::<String>()
        .to_uppercase();
    let first = source.split_whitespace().next().unwrap_or("");
    if let Some(hint) = match first {
        "NOT" => Some("write `~` for not, with parentheses"),
        "return" | "import" | "from" | "def" | "class" | "if" | "for" | "while" | "SELECT" => {
            Some("this takes one expression, such as `nw.col('x') + 1`")
        }
        _ => None,
    } {
        return Some(hint);
    }
    Some(match word.as_str() {
        "AS" => "write `.alias('...')` behind the expression",
        "AND" => "write `&` for and, with parentheses around each comparison",
        "OR" => "write `|` for or, with parentheses around each comparison",
        "NOT" => "write `~` for not, with parentheses",
        "IS" => "write `.is_null()`, with `~` in front for not",
        "LIKE" | "ILIKE" | "RLIKE" => "write `.str.contains(...)`, or `sql_expr(\"x LIKE 'a%'\")`",
        "BETWEEN" => "write `.is_between(a, b)`",
        "IN" => "write `.is_in([...])`",
        "ELSE" => "write `.otherwise(...)`",
        _ if tail.starts_with('\u{2264}') => "write `<=`",
        _ if tail.starts_with('\u{2265}') => "write `>=`",
        _ if tail.starts_with('\u{2260}') => "write `!=`",
        _ if tail.starts_with(['\u{2212}', '\u{2013}', '\u{2014}']) => {
            "write the minus of the keyboard: `-`"
        }
        _ if tail.starts_with('\u{d7}') => "write `*`",
        _ if tail.starts_with('?') => "write `nw.when(condition).then(a).otherwise(b)`",
        _ if tail.starts_with(';') => "leave the semicolon out",
        _ if tail.starts_with('$') || tail.starts_with("${") => {
            "a variable is `${vars.x}`, replaced before the text is read"
        }
        _ => return None,
    })
}
