//! Functions that need a window. Aggregates take one too.

use super::Shape::Windowed;
use super::{SqlRow, sql};

pub(super) const ROWS: &[SqlRow] = sql! {
    ["ROW_NUMBER"] ") OVER (ORDER BY ..", "> int64", Windowed, Everywhere,
        "never null", "Position of the row in the order, from 1.", "x = 30, 10, 20" => "ROW_NUMBER() OVER (ORDER BY x)" => "3, 1, 2";
    ["RANK"] ") OVER (ORDER BY ..", "> int64", Windowed, Everywhere,
        "never null", "Rank of the row, from 1; equal rows have one rank, and gaps follow.", "x = 10, 10, 30" => "RANK() OVER (ORDER BY x)" => "1, 1, 3";
    ["DENSE_RANK"] ") OVER (ORDER BY ..", "> int64", Windowed, Everywhere,
        "never null", "Rank of the row, from 1, without gaps.", "x = 10, 10, 30" => "DENSE_RANK() OVER (ORDER BY x)" => "1, 1, 2";
    ["PERCENT_RANK"] ") OVER (ORDER BY ..", "> float64", Windowed, Statements,
        "never null", "Rank from 0 to 1.", "x = 10, 20, 30" => "PERCENT_RANK() OVER (ORDER BY x)" => "0.0, 0.5, 1.0";
    ["CUME_DIST"] ") OVER (ORDER BY ..", "> float64", Windowed, Statements,
        "never null", "Share of the rows up to this one.", "x = 10, 20" => "CUME_DIST() OVER (ORDER BY x)" => "0.5, 1.0";
    ["NTILE"] "n) OVER (ORDER BY ..", "int > int64", Windowed, Statements,
        "never null", "Which of n parts of equal size the row is in, from 1.", "x = 10, 20, 30, 40" => "NTILE(2) OVER (ORDER BY x)" => "1, 1, 2, 2";
    ["LAG"] "x[, n[, other]]) OVER (ORDER BY ..", "any > first", Windowed, Everywhere,
        "null before the first row, or `other` in statements", "The value n rows before, 1 by default.", "t = 1, 2, 3; x = 5, 9, 10" => "LAG(x) OVER (ORDER BY t)" => "null, 5, 9";
    ["LEAD"] "x[, n[, other]]) OVER (ORDER BY ..", "any > first", Windowed, Everywhere,
        "null behind the last row, or `other` in statements", "The value n rows behind, 1 by default.", "t = 1, 2, 3; x = 5, 9, 10" => "LEAD(x) OVER (ORDER BY t)" => "9, 10, null";
    ["FIRST_VALUE"] "x) OVER (ORDER BY ..", "any > first", Windowed, Everywhere,
        "may be null; `IGNORE NULLS` in statements", "The value of the first row of the frame.", "t = 1, 2, 3; x = 5, 9, 10" => "FIRST_VALUE(x) OVER (ORDER BY t)" => "5, 5, 5";
    ["LAST_VALUE"] "x) OVER (ORDER BY .. ROWS ..", "any > first", Windowed, Everywhere,
        "may be null; `IGNORE NULLS` in statements", "The value of the last row of the frame, which ends at the current row unless told otherwise.", "t = 1, 2, 3; x = 5, 9, 10" => "LAST_VALUE(x) OVER (ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)" => "10, 10, 10";
    ["NTH_VALUE"] "x, n) OVER (ORDER BY ..", "any int > first", Windowed, Statements,
        "null where the frame has fewer rows", "The value of row n of the frame, from 1.", "t = 1, 2, 3; x = 5, 9, 10" => "NTH_VALUE(x, 2) OVER (ORDER BY t)" => "null, 9, 9";
};
