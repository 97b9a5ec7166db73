//! The meaning of the language where it is arithmetic on plain values: what a driver needs when its engine has no such
//! function, or one that answers differently. Nothing here knows an engine or a column; a driver applies it value by
//! value, or bakes its result (a factor, a pattern) into a plan.

pub mod decimal;
pub mod interval;
pub mod iso;
pub mod pattern;
pub mod text;
pub mod units;
