//! One tree from one number: a function of the table at its root, typed expressions below, and what the language asks
//! for around aggregates, ordered and length-changing functions.

use std::fmt;
use std::ops::Range;

use laktory_core::shape::{Rows, shape};
use laktory_core::{
    Arg, DType, Expr, Func, FuncDef, FuncKind, Op, Param, ParamDefault, ParamType, Receiver,
    Scalar, SortKey,
};
use laktory_syntax::{Api, print, python_expression};

use super::data::{self, GROUP, ROW};
use super::declared;
use super::draw::Draw;
use super::forms::{Form, Kind, NESTED, SCALARS, Slot, forms};

/// Levels of calls below the root.
const DEPTH: usize = 3;

/// How often a tree is drawn again that the language refuses, or that holds something declared.
const TRIES: usize = 50;

/// Rows of the data.
pub(crate) const ROWS: usize = 10;

/// An expression, and where it is computed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    /// The expression.
    pub(crate) expr: Expr,
    /// Whether for each group, in place of each row.
    pub(crate) grouped: bool,
    /// Rows of the data that there are.
    pub(crate) rows: Range<usize>,
}

impl Tree {
    /// The step that computes the tree.
    pub(crate) fn op(&self) -> Op {
        let tree = self.expr.clone().alias("out");
        if self.grouped {
            return Op::Aggregate {
                keys: vec![Expr::column(GROUP)],
                aggs: vec![tree],
                drop_null_keys: false,
            };
        }
        Op::Select {
            exprs: vec![Expr::column(ROW), tree],
        }
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.grouped { ", for each group" } else { "" };
        write!(f, "{}{place}, rows {:?}", print(&self.expr), self.rows)
    }
}

/// Draws a tree.
pub(crate) struct Generator<'a> {
    draw: Draw,
    functions: &'a [Func],
    /// The function at the root: each in turn.
    root: Option<Func>,
}

impl<'a> Generator<'a> {
    pub(crate) fn new(seed: u64, number: u64, functions: &'a [Func]) -> Self {
        let drawn: Vec<Func> = functions
            .iter()
            .copied()
            .filter(|func| declared::never(*func).is_none() && !forms(*func).is_empty())
            .collect();
        let length = u64::try_from(drawn.len()).unwrap_or(1).max(1);
        let at = usize::try_from(number % length).unwrap_or(0);
        Self {
            draw: Draw::new(seed, number),
            functions,
            root: drawn.get(at).copied(),
        }
    }

    /// The tree.
    pub(crate) fn tree(mut self) -> Tree {
        let rows = match self.draw.below(12) {
            0 => 0..0,
            1 => {
                let row = self.draw.below(ROWS);
                row..row + 1
            }
            _ => 0..ROWS,
        };
        let mut grouped = false;
        let mut expr = Expr::column(ROW);
        for _ in 0..TRIES {
            (expr, grouped) = self.rooted();
            if accepted(&expr, grouped) && declared::differs(&expr).is_none() {
                break;
            }
        }
        Tree {
            expr,
            grouped,
            rows,
        }
    }

    fn rooted(&mut self) -> (Expr, bool) {
        let Some(func) = self.root else {
            return (Expr::column(ROW), false);
        };
        let form = self.draw.of(&forms(func)).clone();
        let kind = self.scalar();
        // Shallow trees tell best what is wrong, deep ones find what only shows together.
        let depth = self.draw.below(DEPTH + 1);
        if func.def().kind == FuncKind::Aggregate && self.draw.one_in(3) {
            return (self.call(func, &form, kind, depth, true), true);
        }
        (self.whole(func, &form, kind, depth), false)
    }

    fn scalar(&mut self) -> Kind {
        *self.draw.of(SCALARS)
    }

    /// A call with what its kind of function needs around it.
    fn whole(&mut self, func: Func, form: &Form, kind: Kind, depth: usize) -> Expr {
        let how = func.def().kind;
        let plain = how != FuncKind::Elementwise;
        let call = self.call(func, form, kind, depth, plain);
        let grouped = |draw: &mut Draw| {
            if draw.one_in(2) {
                vec![Expr::column(GROUP)]
            } else {
                Vec::new()
            }
        };
        let partition_by = grouped(&mut self.draw);
        let expr = Box::new(call);
        match how {
            FuncKind::Elementwise => *expr,
            FuncKind::LengthChanging => {
                let reduce = *self.draw.of(&[Func::Min, Func::Max]);
                Expr::call(reduce, [*expr])
            }
            FuncKind::Ordered => Expr::Over {
                expr,
                partition_by,
                order_by: vec![SortKey {
                    expr: Expr::column(ROW),
                    descending: self.draw.one_in(3),
                    nulls_last: false,
                }],
            },
            _ if partition_by.is_empty() => *expr,
            _ => Expr::Over {
                expr,
                partition_by,
                order_by: Vec::new(),
            },
        }
    }

    /// An expression of a kind. A plain one looks at no other rows.
    fn value(&mut self, kind: Kind, depth: usize, plain: bool) -> Expr {
        if depth == 0 || self.draw.one_in(5) {
            return self.leaf(kind);
        }
        match self.draw.below(12) {
            0 => Expr::When {
                branches: (0..=self.draw.below(2))
                    .map(|_| {
                        let condition = self.value(Kind::Bool, depth - 1, plain);
                        (condition, self.value(kind, depth - 1, plain))
                    })
                    .collect(),
                otherwise: self
                    .draw
                    .one_in(2)
                    .then(|| Box::new(self.value(kind, depth - 1, plain))),
            },
            1 => match self.cast(kind, depth, plain) {
                Some(cast) => cast,
                None => self.leaf(kind),
            },
            _ => {
                let giving: Vec<(Func, Form)> = self
                    .functions
                    .iter()
                    .filter(|func| !plain || func.def().kind == FuncKind::Elementwise)
                    .flat_map(|func| forms(*func).into_iter().map(|form| (*func, form)))
                    .filter(|(_, form)| match form.gives {
                        Slot::Of(given) => given == kind,
                        Slot::Scalar => SCALARS.contains(&kind),
                        Slot::Any => false,
                    })
                    .collect();
                if giving.is_empty() {
                    return self.leaf(kind);
                }
                let (func, form) = self.draw.of(&giving).clone();
                let inner = if form.gives == Slot::Scalar {
                    kind
                } else {
                    self.scalar()
                };
                if plain {
                    self.call(func, &form, inner, depth - 1, true)
                } else {
                    self.whole(func, &form, inner, depth - 1)
                }
            }
        }
    }

    fn leaf(&mut self, kind: Kind) -> Expr {
        if self.draw.one_in(4)
            && let Some(scalar) = data::constant(&mut self.draw, kind)
        {
            return Expr::Literal(scalar);
        }
        data::column(&mut self.draw, kind)
    }

    /// A conversion from another kind that loses nothing that engines could lose differently.
    fn cast(&mut self, kind: Kind, depth: usize, plain: bool) -> Option<Expr> {
        let (from, to, strict): (&[Kind], DType, bool) = match kind {
            Kind::Int => (
                &[Kind::Narrow, Kind::Bool, Kind::Float],
                DType::Int64,
                false,
            ),
            Kind::Float => (
                &[Kind::Int, Kind::Narrow, Kind::Bool, Kind::Huge],
                DType::Float64,
                true,
            ),
            Kind::Text => (
                &[Kind::Int, Kind::Huge, Kind::Bool, Kind::Date],
                DType::String,
                true,
            ),
            Kind::Narrow => (&[Kind::Int, Kind::Bool, Kind::Huge], DType::Int16, false),
            Kind::Date => (&[Kind::Naive, Kind::Zoned], DType::Date, true),
            Kind::Naive => (&[Kind::Date], DType::datetime(), true),
            Kind::Bool => (&[Kind::Int], DType::Boolean, true),
            _ => return None,
        };
        let from = *self.draw.of(from);
        Some(Expr::Cast {
            expr: Box::new(self.value(from, depth - 1, plain)),
            to,
            strict,
        })
    }

    /// A call of one function. `kind` is what `?` stands for.
    fn call(&mut self, func: Func, form: &Form, kind: Kind, depth: usize, plain: bool) -> Expr {
        let def = func.def();
        let mut slots = form.takes.iter();
        let mut args = Vec::new();
        // A struct needs names, and distinct ones.
        if func == Func::Struct {
            let a = self.value(Kind::Int, depth, plain).alias("a");
            let b = self.value(Kind::Text, depth, plain).alias("b");
            return Expr::Call {
                func,
                args: vec![Arg::Exprs(vec![a, b])],
            };
        }
        if def.receiver != Receiver::Function
            && let Some((slot, _)) = slots.next()
        {
            args.push(Arg::Expr(self.slot(*slot, kind, depth, plain)));
        }
        for param in def.params {
            let arg = match param.ty {
                ParamType::Column | ParamType::Literal => match slots.next() {
                    Some((slot, _)) => Arg::Expr(self.slot(*slot, kind, depth, plain)),
                    None => self.constant(def, param, form),
                },
                ParamType::Columns => match slots.next() {
                    Some((slot, _)) => {
                        let count = match (func, args.first()) {
                            (Func::Format, Some(Arg::Str(text))) => text.matches("{}").count(),
                            _ => 1 + self.draw.below(3),
                        };
                        Arg::Exprs(
                            (0..count)
                                .map(|_| self.slot(*slot, kind, depth, plain))
                                .collect(),
                        )
                    }
                    None => Arg::Exprs(vec![Expr::column(ROW)]),
                },
                _ => self.constant(def, param, form),
            };
            args.push(arg);
        }
        Expr::Call { func, args }
    }

    fn slot(&mut self, slot: Slot, kind: Kind, depth: usize, plain: bool) -> Expr {
        let kind = match slot {
            Slot::Of(kind) => kind,
            Slot::Scalar => kind,
            Slot::Any if self.draw.one_in(3) => *self.draw.of(NESTED),
            Slot::Any => self.scalar(),
        };
        self.value(kind, depth, plain)
    }

    /// The argument of a parameter that takes a constant.
    fn constant(&mut self, def: &FuncDef, param: &Param, form: &Form) -> Arg {
        let text = |text: &&str| Arg::Str((*text).to_owned());
        let this = match form.takes.first() {
            Some((Slot::Of(kind), _)) => *kind,
            _ => Kind::Int,
        };
        let given = match form.gives {
            Slot::Of(kind) => kind,
            _ => this,
        };
        let draw = &mut self.draw;
        match (def.func, param.name) {
            (Func::FillNull, _) => Arg::Absent,
            (Func::FillNan, _) => Arg::Expr(Expr::Literal(Scalar::Float(*draw.of(&[0.0, -1.5])))),
            (Func::IsIn, _) => Arg::Values(constants(draw, this)),
            (Func::ReplaceStrict, "mapping") => {
                let mut keys = constants(draw, this);
                keys.retain(|key| *key != Scalar::Null);
                let mut pairs: Vec<(Scalar, Scalar)> = Vec::new();
                for key in keys {
                    if pairs.iter().all(|(known, _)| *known != key) {
                        let value = data::constant(draw, given);
                        pairs.push((key, value.unwrap_or(Scalar::Null)));
                    }
                }
                Arg::Mapping(pairs)
            }
            (Func::ReplaceStrict, "default") => {
                let default = data::constant(draw, given).unwrap_or(Scalar::Null);
                Arg::Expr(Expr::Literal(default))
            }
            (Func::ListContains, _) => {
                let item = match this {
                    Kind::Floats => Kind::Float,
                    Kind::Texts => Kind::Text,
                    _ => Kind::Int,
                };
                let item = data::constant(draw, item).unwrap_or(Scalar::Null);
                Arg::Expr(Expr::Literal(item))
            }
            (Func::ListGet, _) => Arg::Int(*draw.of(&[0, 1, 4])),
            (Func::ListUnique, _) => Arg::Bool(true),
            (Func::StructField, _) => text(if given == Kind::Int { &"a" } else { &"b" }),
            (Func::StrContains, "pattern") => {
                let pattern = *draw.of(&["a", "^a", "[0-9]+", "é|b", "", r"\s", "a.b"]);
                Arg::Expr(Expr::literal(pattern))
            }
            (Func::StrReplace | Func::StrReplaceAll, "pattern") => {
                text(draw.of(&["a", "(a)", "[0-9]", "é", r"\s+", "a.b"]))
            }
            (Func::StrReplace | Func::StrReplaceAll, "value") => {
                Arg::Expr(Expr::literal(*draw.of(&["", "x", "<$0>", "é"])))
            }
            (Func::StrReplace, "n") => Arg::Int(*draw.of(&[1, 2])),
            (Func::SqlRegexpExtract, "pattern") => text(draw.of(&["(a)", "([0-9]+)", "(.)(.)"])),
            (Func::SqlRegexpExtract, "group") => Arg::Int(1),
            (Func::SqlLike, "pattern") => text(draw.of(&["a%", "%a%", "_", "%é%", "", "%", "A_1"])),
            (Func::SqlLike, "escape") => Arg::Absent,
            (Func::StrSplit, _) => text(draw.of(&[".", "a", " ", "é"])),
            (Func::StringSplit, "pattern") => text(draw.of(&[".", "a", " "])),
            (Func::StringSplit, "key") => Arg::Int(*draw.of(&[0, 1, 2])),
            (Func::StrSlice, "offset") => Arg::Int(*draw.of(&[0, 1, -1, -2, 3, -10, 10])),
            (Func::StrSlice | Func::SqlSubstring, "length") => draw
                .of(&[Arg::Absent, Arg::Int(0), Arg::Int(2), Arg::Int(20)])
                .clone(),
            (Func::SqlSubstring, _) => Arg::Int(*draw.of(&[1, 2, 5])),
            (Func::StrHead | Func::StrTail, _) => Arg::Int(*draw.of(&[0, 1, 3, -1, 20])),
            (Func::StrZfill | Func::StrPadStart | Func::StrPadEnd, "width" | "length") => {
                Arg::Int(*draw.of(&[0, 1, 4, 8]))
            }
            (_, "fill_char") => text(draw.of(&[" ", "*", "é"])),
            (_, "characters") => draw
                .of(&[
                    Arg::Absent,
                    Arg::Str("a".to_owned()),
                    Arg::Str(" é".to_owned()),
                ])
                .clone(),
            (Func::StrToDate, _) => text(&"%Y-%m-%d"),
            (Func::StrToDatetime, _) => text(&"%Y-%m-%d %H:%M:%S"),
            (Func::StrToTime, _) => text(&"%H:%M:%S"),
            (Func::DtToString, _) => {
                text(draw.of(&["%Y-%m-%d", "%d.%m.%y", "%j", "%G-%V", "%A %B"]))
            }
            (Func::DtTruncate, _) if this == Kind::Date => {
                text(draw.of(&["1d", "1mo", "1y", "3mo"]))
            }
            (Func::DtTruncate, _) => text(draw.of(&["1d", "1h", "15m", "1mo", "3mo", "1y", "7s"])),
            (Func::DtOffsetBy, _) if this == Kind::Date => {
                text(draw.of(&["1d", "-1mo", "1y", "-3d"]))
            }
            (Func::DtOffsetBy, _) => text(draw.of(&["1d", "24h", "-1mo", "1y", "-3d", "90s"])),
            (Func::DtReplaceTimeZone, _) if this == Kind::Naive => text(&"UTC"),
            (Func::DtReplaceTimeZone, _) => Arg::Absent,
            (Func::DtConvertTimeZone, _) => {
                text(draw.of(&["UTC", "America/New_York", "Europe/Paris"]))
            }
            (Func::ConvertUnits, "input_unit") => text(&"m"),
            (Func::ConvertUnits, _) => text(&"ft"),
            (Func::RoundP, _) => {
                Arg::Expr(Expr::Literal(Scalar::Float(*draw.of(&[1.0, 0.5, 5.0]))))
            }
            (Func::Round | Func::SqlRound | Func::SqlRoundHalfUp, _) => {
                Arg::Int(*draw.of(&[0, 1, 2]))
            }
            (Func::Log, _) => Arg::Float(*draw.of(&[std::f64::consts::E, 2.0, 10.0])),
            (Func::Quantile, "quantile") => Arg::Float(*draw.of(&[0.0, 0.25, 0.5, 1.0])),
            (Func::IsClose, "abs_tol") => Arg::Float(*draw.of(&[0.0, 0.5])),
            (Func::IsClose, "rel_tol") => Arg::Float(*draw.of(&[1e-9, 0.1])),
            (Func::Format, _) => text(draw.of(&["{}", "<{}-{}>", "{}é{}{}"])),
            (Func::ConcatStr, "separator") => text(draw.of(&["", "-", "é"])),
            (Func::Shift, _) => Arg::Int(*draw.of(&[0, 1, -1, 2, 100])),
            (_, "window_size") => Arg::Int(*draw.of(&[1, 2, 3, 20])),
            (_, "min_samples") => Arg::Int(1),
            (_, "ddof") => Arg::Int(*draw.of(&[0, 1])),
            (Func::EwmMean, "alpha") => Arg::Float(*draw.of(&[0.5, 1.0, 0.1])),
            (Func::ModeAny, _) => text(&"all"),
            (_, "time_unit") => text(draw.of(&["ns", "us", "ms"])),
            _ => match (param.ty, param.default) {
                (ParamType::Bool, _) => Arg::Bool(draw.one_in(2)),
                (ParamType::OneOf(known), _) => text(draw.of(known)),
                (_, ParamDefault::Int(value)) => Arg::Int(value),
                (_, ParamDefault::Float(value)) => Arg::Float(value),
                (_, ParamDefault::Str(value)) => text(&value),
                _ => Arg::Absent,
            },
        }
    }
}

/// Whether the language has the expression as a column, or as an aggregate of a group: what it refuses, drivers never
/// see.
pub(crate) fn accepted(expr: &Expr, grouped: bool) -> bool {
    let shape = shape(expr);
    !shape.unordered
        && shape.rows != Rows::Other
        && (!grouped || shape.is_aggregate())
        && python_expression(&print(expr), Api::Narwhals).is_ok()
}

/// One to three constants of a kind, and sometimes null.
fn constants(draw: &mut Draw, kind: Kind) -> Vec<Scalar> {
    let mut constants: Vec<Scalar> = (0..=draw.below(3))
        .filter_map(|_| data::constant(draw, kind))
        .collect();
    if draw.one_in(4) {
        constants.push(Scalar::Null);
    }
    constants
}
