//! The table of what is called like a function or method of expressions, but is a shape of its own: columns, constants,
//! conditions, windows, names, selectors. `shapes`, `methods` and `selectors` build them.

use laktory_core::Example;

use crate::parameter::{Parameter, key, may, need, rest};

/// A row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Below `nw`, or below an expression.
    pub(crate) path: &'static str,
    pub(crate) is_method: bool,
    /// What it takes and gives, in the words of signatures.
    pub(crate) signature: &'static str,
    pub(crate) params: &'static [Parameter],
    pub(crate) nulls: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) example: Example,
}

/// A row for each shape: path, whether it is a method, signature, parameters; null rule, documentation, example.
macro_rules! shapes {
    ($( $path:literal, $is_method:literal, $signature:literal, [$($param:expr),* $(,)?],
        $nulls:literal, $doc:literal, $given:literal => $text:literal => $gives:literal; )+) => {
        &[ $( Shape {
            path: $path,
            is_method: $is_method,
            signature: $signature,
            params: { const PARAMS: &[Parameter] = &[$($param),*]; PARAMS },
            nulls: $nulls,
            doc: $doc,
            example: Example { given: $given, text: $text, gives: $gives },
        } ),+ ]
    };
}

const NAMES: Parameter = rest("names", true).of("names").says("names of columns");
const TEXTS: Parameter = rest("names", true)
    .of("texts")
    .says("one text, or several of which one must fit");

/// Every shape.
pub(crate) const SHAPES: &[Shape] = shapes! {
    "col", false, "> any", [rest("names", true).of("names, or types").says("one column, several, or all of a type")],
        "as it stands in the column", "A column by its name. Several names stand for several columns, each treated alike.",
        "x = 1, null" => "nw.col('x')" => "1, null";
    "nth", false, "> any", [rest("indices", true).of("integers").says("positions from 0; negative ones count from the end")],
        "as it stands in the column", "Columns by their position.",
        "x = 1, 2; y = 3, 4" => "nw.nth(-1)" => "y = 3, 4";
    "all", false, "> any", [],
        "as it stands in the columns", "Every column.",
        "x = 1, 2; y = 3, 4" => "nw.all() * 10" => "x = 10, 20; y = 30, 40";
    "exclude", false, "> any", [NAMES],
        "as it stands in the columns", "Every column but these.",
        "x = 1, 2; y = 3, 4; z = 5, 6" => "nw.exclude('z')" => "x = 1, 2; y = 3, 4";
    "lit", false, "> any", [need("value").of("constant").says("number, text, truth value, date, list or null"), may("dtype").of("type").says("its type, where that of the constant is not wanted")],
        "`None` is null", "A constant. Texts stand for columns in most places, so that a text is written `nw.lit('a')`.",
        "x = 1, 2" => "nw.lit('a')" => "literal = 'a'";
    "when", false, "bool* > common", [rest("predicates", true).of("expressions").says("conditions, all of which must hold")],
        "a null condition does not hold; without `otherwise`, null", "A value that depends on conditions: `nw.when(..).then(..)`, further `.when(..).then(..)`, and `.otherwise(..)` for what is left. Texts in `then` and `otherwise` are columns.",
        "x = 5, 50, null" => "nw.when(nw.col('x') >= 10).then(nw.lit('high')).otherwise(nw.lit('low'))" => "'low', 'high', 'low'";
    "max", false, "any > first", [NAMES],
        "skips null and NaN", "Greatest value of each column: short for `nw.col(..).max()`.",
        "x = 1, 2, null" => "nw.max('x')" => "2";
    "min", false, "any > first", [NAMES],
        "skips null and NaN", "Smallest value of each column: short for `nw.col(..).min()`.",
        "x = 1, 2, null" => "nw.min('x')" => "1";
    "sum", false, "number > rule", [NAMES],
        "skips null; 0 when there is none", "Sum of each column: short for `nw.col(..).sum()`.",
        "x = 1, 2, null" => "nw.sum('x')" => "3";
    "mean", false, "measure > rule", [NAMES],
        "skips null; null when there is none", "Mean of each column: short for `nw.col(..).mean()`.",
        "x = 1, 2, null" => "nw.mean('x')" => "1.5";
    "median", false, "measure > rule", [NAMES],
        "skips null", "Median of each column: short for `nw.col(..).median()`.",
        "x = 1, 2, 9, null" => "nw.median('x')" => "2.0";
    "concat", false, "> any", [need("items").of("list of frames").says("frames, the first of which may have steps of its own"), key("how").of("`vertical`, `diagonal`").or("vertical").says("the same columns, or the columns of all")],
        "`diagonal` fills with null", "Frames below one another, inside of a lambda of the step `pipe`. Elsewhere use the step `concat`.",
        "x = 1, 2" => "- func_name: pipe\n  func_args: [\"lambda df: nw.concat([df, df])\"]" => "x = 1, 2, 1, 2";
    "sql_expr", false, "> any", [need("expr").of("text").says("one expression of SQL, without SELECT")],
        "those of SQL", "An expression of SQL among methods; [SQL](sql.md#functions) lists its functions.",
        "x = 1, null" => "nw.sql_expr('COALESCE(x, 0) + 1')" => "2, 1";
    "laktory.sql_expr", false, "> any", [need("expr").of("text").says("one expression of SQL, without SELECT")],
        "those of SQL", "The same as `nw.sql_expr`.",
        "x = 1, null" => "nw.laktory.sql_expr('COALESCE(x, 0) + 1')" => "2, 1";

    "alias", true, "any > first", [need("name").of("text").says("the name")],
        "no matter", "The value under another name. In a step, a keyword argument does the same: `func_kwargs: {y: ..}`.",
        "x = 1, 2" => "(nw.col('x') * 2).alias('y')" => "y = 2, 4";
    "cast", true, "any > any", [need("dtype").of("type").says("such as `nw.Int64()` or `nw.Datetime('us', 'UTC')`"), key("strict").of("true or false").or("True").says("whether a value that does not fit is an error; otherwise it becomes null")],
        "null in, null out", "The value converted to another type.",
        "s = '1', 'x', null" => "nw.col('s').cast(nw.Int64(), strict=False)" => "1, null, null";
    "over", true, "any > first", [
            rest("partition_by", false).of("names or expressions").says("what makes rows belong together; without it, all do"),
            key("order_by").of("names or expressions").says("the order within them, for what depends on one"),
            key("descending").of("true or false, or a list of them").or("False").says("greatest values first"),
            key("nulls_last").of("true or false, or a list of them").or("False").says("nulls at the end"),
        ],
        "null is a partition of its own", "An aggregate, rank or running value computed for each partition, and given to each of its rows.",
        "g = 'a', 'a', 'b'; x = 1, 2, 5" => "nw.col('x').sum().over('g')" => "3, 3, 5";
    "pipe", true, "any > any", [need("function").of("lambda of an expression").says("further arguments go to the lambda")],
        "those of its expression", "What a lambda makes of the expression, for code that comes from a program.",
        "x = 1, 2" => "nw.col('x').pipe(lambda e, n: e * n, 10)" => "10, 20";
    "name.keep", true, "any > first", [],
        "no matter", "The value under the name of its first column, whatever came between.",
        "x = 1, 2" => "nw.col('x').alias('y').name.keep()" => "x = 1, 2";
    "name.prefix", true, "any > first", [need("prefix").of("text").says("the beginning")],
        "no matter", "A text put before the name of the column.",
        "x = 1, 2" => "nw.col('x').name.prefix('old_')" => "old_x = 1, 2";
    "name.suffix", true, "any > first", [need("suffix").of("text").says("the end")],
        "no matter", "A text put behind the name of the column; of several columns, behind each.",
        "x = 1, 2; y = 3, 4" => "nw.col('x', 'y').max().name.suffix('_max')" => "x_max = 2; y_max = 4";
    "name.map", true, "any > first", [need("function").of("lambda of a name").says("adds a beginning or an end, or changes the case of letters")],
        "no matter", "The value under the name that a lambda makes of its name.",
        "x = 1, 2" => "nw.col('x').name.map(lambda n: 'my_' + n)" => "my_x = 1, 2";
    "name.to_lowercase", true, "any > first", [],
        "no matter", "The value under its name in lower case.",
        "ID = 1, 2" => "nw.col('ID').name.to_lowercase()" => "id = 1, 2";
    "name.to_uppercase", true, "any > first", [],
        "no matter", "The value under its name in upper case.",
        "id = 1, 2" => "nw.col('id').name.to_uppercase()" => "ID = 1, 2";

    "selectors.all", false, "> any", [],
        "as it stands in the columns", "Every column.",
        "x = 1, 2; s = 'a', 'b'" => "cs.all()" => "x = 1, 2; s = 'a', 'b'";
    "selectors.numeric", false, "> number", [],
        "as it stands in the columns", "Columns of numbers: integers, floats, decimals.",
        "x = 1, 2; y = 0.5, 1.5; s = 'a', 'b'" => "cs.numeric()" => "x = 1, 2; y = 0.5, 1.5";
    "selectors.string", false, "> text", [],
        "as it stands in the columns", "Columns of texts.",
        "x = 1, 2; s = 'a', 'b'" => "cs.string()" => "s = 'a', 'b'";
    "selectors.boolean", false, "> bool", [],
        "as it stands in the columns", "Columns of truth values.",
        "x = 1, 2; b = true, false" => "cs.boolean()" => "b = true, false";
    "selectors.categorical", false, "> text", [],
        "as it stands in the columns", "Columns of the type `nw.Categorical()`.",
        "x = 1, 2; s = 'a', 'b'" => "cs.all() - cs.categorical()" => "x = 1, 2; s = 'a', 'b'";
    "selectors.enum", false, "> text", [],
        "as it stands in the columns", "Columns of a type `nw.Enum([..])`.",
        "x = 1, 2; s = 'a', 'b'" => "cs.all() - cs.enum()" => "x = 1, 2; s = 'a', 'b'";
    "selectors.datetime", false, "> datetime", [
            may("time_unit").of("`s`, `ms`, `us`, `ns`, or a list of them").or("any").says("of this unit"),
            may("time_zone").of("name of a zone, or a list of them").or("any").says("of this zone; `None` has none"),
        ],
        "as it stands in the columns", "Columns of datetimes.",
        "d = 2024-01-31; t = 2024-01-31T10:00:00" => "cs.datetime()" => "t = 2024-01-31T10:00:00";
    "selectors.by_dtype", false, "> any", [rest("dtypes", true).of("types").says("types, or classes such as `nw.Datetime`")],
        "as it stands in the columns", "Columns of these types.",
        "x = 1, 2; y = 0.5, 1.5; s = 'a', 'b'" => "cs.by_dtype(nw.Int64, nw.String)" => "x = 1, 2; s = 'a', 'b'";
    "selectors.matches", false, "> any", [need("pattern").of("text").says("regular expression")],
        "as it stands in the columns", "Columns whose name has a match.",
        "x_1 = 1, 2; x_2 = 3, 4; y = 5, 6" => "cs.matches('^x_')" => "x_1 = 1, 2; x_2 = 3, 4";
    "selectors.by_name", false, "> any", [NAMES],
        "as it stands in the columns", "Columns of these names.",
        "x = 1, 2; y = 3, 4" => "cs.by_name('y')" => "y = 3, 4";
    "selectors.contains", false, "> any", [TEXTS],
        "as it stands in the columns", "Columns whose name holds a text.",
        "open_price = 1, 2; volume = 3, 4" => "cs.contains('price')" => "open_price = 1, 2";
    "selectors.starts_with", false, "> any", [TEXTS],
        "as it stands in the columns", "Columns whose name begins with a text.",
        "x_1 = 1, 2; y_1 = 3, 4" => "cs.starts_with('x_')" => "x_1 = 1, 2";
    "selectors.ends_with", false, "> any", [TEXTS],
        "as it stands in the columns", "Columns whose name ends with a text.",
        "x_1 = 1, 2; x_2 = 3, 4" => "cs.ends_with('_2')" => "x_2 = 3, 4";
    "selectors.first", false, "> any", [],
        "as it stands in the column", "The first column.",
        "x = 1, 2; y = 3, 4" => "cs.first()" => "x = 1, 2";
    "selectors.last", false, "> any", [],
        "as it stands in the column", "The last column.",
        "x = 1, 2; y = 3, 4" => "cs.last()" => "y = 3, 4";
    "selectors.integer", false, "> int", [],
        "as it stands in the columns", "Columns of integers.",
        "x = 1, 2; y = 0.5, 1.5" => "cs.integer()" => "x = 1, 2";
    "selectors.float", false, "> float", [],
        "as it stands in the columns", "Columns of floats.",
        "x = 1, 2; y = 0.5, 1.5" => "cs.float()" => "y = 0.5, 1.5";
    "selectors.date", false, "> date", [],
        "as it stands in the columns", "Columns of dates.",
        "d = 2024-01-31; t = 2024-01-31T10:00:00" => "cs.date()" => "d = 2024-01-31";
};

/// The functions below `nw` that are shapes.
pub(crate) fn functions() -> impl Iterator<Item = &'static str> + Clone {
    let shapes = SHAPES.iter().filter(|shape| !shape.is_method);
    shapes.map(|shape| shape.path)
}

/// The methods of expressions that are shapes.
pub(crate) fn methods() -> impl Iterator<Item = &'static str> + Clone {
    let shapes = SHAPES.iter().filter(|shape| shape.is_method);
    shapes.map(|shape| shape.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_and_parameter_is_documented() {
        for shape in SHAPES {
            assert!(shape.doc.ends_with('.'), "{}: {}", shape.path, shape.doc);
            for param in shape.params {
                let place = format!("{}: {}", shape.path, param.name);
                assert!(!param.takes.is_empty(), "{place}");
                assert!(!param.doc.is_empty(), "{place}");
            }
        }
    }
}
