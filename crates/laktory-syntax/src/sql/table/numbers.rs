//! Functions of numbers.

use laktory_core::Func;

use super::Shape::{Of, Own};
use super::Target::{Exprs, With};
use super::{Fixed, SqlRow, sql};

pub(super) const ROWS: &[SqlRow] = sql! {
    ["ABS"] "x", "number > first", Of(1, 1, Exprs(Func::Abs)), Everywhere,
        "null in, null out", "Absolute value.", "x = -2, 3, null" => "ABS(x)" => "2, 3, null";
    ["SIGN", "SIGNUM"] "x", "number > first", Of(1, 1, Exprs(Func::SqlSign)), Everywhere,
        "null in, null out", "-1, 0 or 1.", "x = -2.5, 0.0, null" => "SIGN(x)" => "-1.0, 0.0, null";
    ["ROUND"] "x[, n]", "number int? > first", Own, Everywhere,
        "null in, null out", "Rounded to n digits, 0 by default; negative n round to tens and hundreds. In statements halves go away from zero, as engines of SQL have it; in expressions to even, as the method `round` has it.", "x = 1.26, -1.24, null" => "ROUND(x, 1)" => "1.3, -1.2, null";
    ["BROUND"] "x[, n]", "number int? > first", Own, Everywhere,
        "null in, null out", "Rounded to n digits, halves to even.", "x = 2.5, 3.5, null" => "BROUND(x)" => "2.0, 4.0, null";
    ["CEIL", "CEILING"] "x", "number > first", Of(1, 1, Exprs(Func::Ceil)), Everywhere,
        "null in, null out", "Rounded up; floats stay floats.", "x = 1.5, -1.5, null" => "CEIL(x)" => "2.0, -1.0, null";
    ["FLOOR"] "x", "number > first", Of(1, 1, Exprs(Func::Floor)), Everywhere,
        "null in, null out", "Rounded down; floats stay floats.", "x = 1.5, -1.5, null" => "FLOOR(x)" => "1.0, -2.0, null";
    ["TRUNC", "TRUNCATE"] "x", "number > first", Own, Everywhere,
        "null in, null out", "Without what stands behind the point. `TRUNC(t, 'month')` is the first day of a month, quarter or year.", "x = 1.5, -1.5, null" => "TRUNC(x)" => "1.0, -1.0, null";
    ["MOD"] "x, y", "number number > rule (as the operands)", Of(2, 2, Exprs(Func::SqlMod)), Everywhere,
        "null in, null out; an integer by zero is null", "Remainder with the sign of x, as `x % y`.", "x = 7, -7, null" => "MOD(x, 3)" => "1, -1, null";
    ["TRY_DIVIDE"] "x, y", "number number > float", Own, Everywhere,
        "null in, null out", "Quotient, null where y is 0.", "x = 7, null" => "TRY_DIVIDE(x, 0)" => ":float64 = null, null";
    ["POWER", "POW"] "x, y", "number number > rule (as the first)", Of(2, 2, Exprs(Func::Pow)), Everywhere,
        "null in, null out", "x to the power of y.", "x = 2.0, 3.0, null" => "POWER(x, 2)" => "4.0, 9.0, null";
    ["SQRT"] "x", "number > float", Of(1, 1, Exprs(Func::Sqrt)), Everywhere,
        "null in, null out; negative is NaN", "Square root.", "x = 4.0, 2.25, null" => "SQRT(x)" => "2.0, 1.5, null";
    ["CBRT"] "x", "number > float64", Of(1, 1, Exprs(Func::SqlCbrt)), Everywhere,
        "null in, null out", "Cube root; in statements of negative numbers too.", "x = 27.0, null" => "CBRT(x)" => "3.0, null";
    ["EXP"] "x", "number > float", Of(1, 1, Exprs(Func::Exp)), Everywhere,
        "null in, null out", "e to the power of x.", "x = 0.0, null" => "EXP(x)" => "1.0, null";
    ["LN"] "x", "number > float", Of(1, 1, With(Func::Log, &[Fixed::Float(std::f64::consts::E)])), Everywhere,
        "null in, null out", "Natural logarithm.", "x = 1.0, null" => "LN(x)" => "0.0, null";
    ["LOG"] "[base, ]x", "number > float", Own, Everywhere,
        "null in, null out", "Logarithm, of base 10 by default.", "x = 8.0, null" => "LOG(2, x)" => "3.0, null";
    ["LOG10"] "x", "number > float", Of(1, 1, With(Func::Log, &[Fixed::Float(10.0)])), Everywhere,
        "null in, null out", "Logarithm of base 10.", "x = 100.0, null" => "LOG10(x)" => "2.0, null";
    ["LOG2"] "x", "number > float", Of(1, 1, With(Func::Log, &[Fixed::Float(2.0)])), Everywhere,
        "null in, null out", "Logarithm of base 2.", "x = 8.0, null" => "LOG2(x)" => "3.0, null";
    ["LOG1P"] "x", "number > float", Own, Everywhere,
        "null in, null out", "Natural logarithm of 1 + x.", "x = 0.0, null" => "LOG1P(x)" => "0.0, null";
    ["SIN"] "x", "number > float", Of(1, 1, Exprs(Func::Sin)), Everywhere,
        "null in, null out", "Sine of radians.", "x = 0.0, null" => "SIN(x)" => "0.0, null";
    ["COS"] "x", "number > float", Of(1, 1, Exprs(Func::Cos)), Everywhere,
        "null in, null out", "Cosine of radians.", "x = 0.0, null" => "COS(x)" => "1.0, null";
    ["TAN"] "x", "number > float", Of(1, 1, Exprs(Func::SqlTan)), Everywhere,
        "null in, null out", "Tangent of radians.", "x = 0.0, null" => "TAN(x)" => "0.0, null";
    ["COT"] "x", "number > float", Own, Everywhere,
        "null in, null out", "Cotangent of radians.", "x = 1.0, null" => "COT(x) * TAN(x)" => "1.0, null";
    ["DEGREES"] "x", "number > float", Own, Everywhere,
        "null in, null out", "Radians as degrees.", "x = 3.141592653589793, null" => "DEGREES(x)" => "180.0, null";
    ["RADIANS"] "x", "number > float", Own, Everywhere,
        "null in, null out", "Degrees as radians.", "x = 180.0, null" => "RADIANS(x)" => "3.141592653589793, null";
    ["PI"] "", "> float64", Own, Everywhere,
        "never null", "The number pi.", "" => "PI()" => "3.141592653589793";
    ["E"] "", "> float64", Own, Everywhere,
        "never null", "Euler's number.", "" => "E()" => "2.718281828459045";
    ["ISNAN"] "x", "number > bool", Of(1, 1, Exprs(Func::IsNan)), Everywhere,
        "null in, null out", "Whether x is not a number.", "x = 1.5, nan" => "ISNAN(x)" => "false, true";
    ["ISFINITE"] "x", "number > bool", Of(1, 1, Exprs(Func::IsFinite)), Everywhere,
        "null in, null out", "Whether x is neither infinite nor not a number.", "x = 1.5, inf, null" => "ISFINITE(x)" => "true, false, null";
};
