//! Expressions drawn from a stream of numbers, such that the parser can give every one of them: each function of the
//! table, with arguments made from its parameters.

use laktory_core::{
    Arg, DType, Expr, Field, Func, FuncDef, FuncKind, NameChange, ParamDefault, ParamType,
    Receiver, Scalar, Selector, SortKey, TimeUnit,
};

/// A stream of numbers; zero when it has run dry, so that what is left becomes plain.
pub(crate) struct Draw<'a>(pub(crate) &'a [u32]);

const UNITS: [TimeUnit; 4] = [
    TimeUnit::Microsecond,
    TimeUnit::Second,
    TimeUnit::Millisecond,
    TimeUnit::Nanosecond,
];

impl Draw<'_> {
    fn next(&mut self) -> u32 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit
    }

    fn flip(&mut self) -> bool {
        self.next() % 2 == 1
    }

    fn of<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }

    fn wide(&mut self) -> i64 {
        i64::from(self.next()) << 31 ^ i64::from(self.next()) ^ (i64::from(self.next() % 2) << 63)
    }

    fn text(&mut self) -> String {
        self.of(&[
            "x",
            "",
            "a b",
            "it's",
            "\"q\"",
            "a\\b\n\t\r\0",
            "é€😀",
            "{df}",
            "{}",
            "nw.col('x')",
            "\u{202e}\u{feff}\u{7f}\u{85}",
            "%Y-%m",
            "^a.*$",
            "#",
            "e\u{301}",
            "'''",
        ])
        .to_owned()
    }

    fn name(&mut self) -> String {
        self.of(&["x", "y", "a b", "it's", "a\\", "Größe", "nw"])
            .to_owned()
    }

    fn float(&mut self) -> f64 {
        let bits = u64::from(self.next()) << 32 | u64::from(self.next());
        self.of(&[
            0.0,
            -0.0,
            1.0,
            -1.5,
            1e300,
            5e-324,
            0.1,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::from_bits(bits),
        ])
    }

    fn scalar(&mut self, depth: usize) -> Scalar {
        match self.below(if depth == 0 { 10 } else { 11 }) {
            0 => Scalar::Int(i128::from(self.next() % 20) - 10),
            1 => Scalar::Null,
            2 => Scalar::Bool(self.flip()),
            3 => {
                let wide = i128::from(self.wide());
                self.of(&[wide, wide << 64, i128::MAX, i128::MIN])
                    .into_scalar()
            }
            4 => Scalar::Float(self.float()),
            5 => Scalar::Str(self.text()),
            6 => Scalar::Bytes(self.text().into_bytes()),
            7 => Scalar::Date(i32::try_from(self.next() % 3_652_058).unwrap() - 719_162),
            8 => Scalar::Time(self.wide().rem_euclid(86_400_000_000_000)),
            9 if self.flip() => Scalar::Duration {
                value: self.wide(),
                unit: TimeUnit::Microsecond,
            },
            9 => Scalar::Datetime {
                value: i64::from(self.next()) * 1_000_003 - 40_000_000_000_000,
                unit: TimeUnit::Microsecond,
                zone: self
                    .of(&[None, Some("UTC"), Some("Europe/Paris")])
                    .map(str::to_owned),
            },
            _ => Scalar::List((0..self.below(3)).map(|_| self.scalar(depth - 1)).collect()),
        }
    }

    pub(crate) fn dtype(&mut self, depth: usize) -> DType {
        let plain = [
            DType::Boolean,
            DType::Int8,
            DType::Int16,
            DType::Int32,
            DType::Int64,
            DType::Int128,
            DType::UInt8,
            DType::UInt16,
            DType::UInt32,
            DType::UInt64,
            DType::UInt128,
            DType::Float16,
            DType::Float32,
            DType::Float64,
            DType::String,
            DType::Binary,
            DType::Date,
            DType::Time,
            DType::Categorical,
            DType::Null,
            DType::Object,
            DType::Unknown,
        ];
        match self.below(if depth == 0 { 5 } else { 9 }) {
            0 => self.of(&plain),
            1 => DType::Datetime {
                unit: self.of(&UNITS),
                zone: self.flip().then(|| "UTC".into()),
            },
            2 => DType::Duration(self.of(&UNITS)),
            3 => DType::Decimal {
                precision: self.of(&[None, Some(10), Some(38)]),
                scale: self.of(&[0, 2]),
            },
            4 => {
                let mut categories: Vec<String> = (0..self.below(3)).map(|_| self.text()).collect();
                categories.sort_unstable();
                categories.dedup();
                DType::Enum(categories)
            }
            5 => DType::List(Box::new(self.dtype(depth - 1))),
            6 => DType::Array(Box::new(self.dtype(depth - 1)), self.below(4)),
            7 => DType::Map(
                Box::new(self.dtype(depth - 1)),
                Box::new(self.dtype(depth - 1)),
            ),
            _ => {
                let mut fields: Vec<Field> = (0..self.below(3))
                    .map(|_| Field::new(self.name(), self.dtype(depth - 1)))
                    .collect();
                fields.sort_by(|a, b| a.name.cmp(&b.name));
                fields.dedup_by(|a, b| a.name == b.name);
                DType::Struct(fields)
            }
        }
    }

    fn selector(&mut self, depth: usize) -> Selector {
        let next = |draw: &mut Self| Box::new(draw.selector(depth - 1));
        match self.below(if depth == 0 { 9 } else { 14 }) {
            13 => Selector::Names((0..=self.below(2)).map(|_| self.name()).collect()),
            0 => Selector::Numeric,
            1 => Selector::String,
            2 => Selector::Boolean,
            3 => Selector::Categorical,
            4 => Selector::Enum,
            5 => Selector::Matches(self.text()),
            6 => Selector::DTypes((0..=self.below(2)).map(|_| self.dtype(1)).collect()),
            7 => Selector::Datetime {
                units: (0..self.below(3)).map(|_| self.of(&UNITS)).collect(),
                zones: (0..self.below(3))
                    .map(|_| self.of(&[None, Some("*".into()), Some("UTC".into())]))
                    .collect(),
            },
            8 => Selector::All,
            9 => Selector::Union(next(self), next(self)),
            10 => Selector::Intersection(next(self), next(self)),
            11 => Selector::Difference(next(self), next(self)),
            _ => Selector::Not(next(self)),
        }
    }

    /// Columns that operators take for an expression, not for a set.
    fn columns(&mut self) -> Expr {
        let names = |draw: &mut Self, least: usize| {
            Selector::Names((0..least + draw.below(2)).map(|_| draw.name()).collect())
        };
        match self.below(5) {
            0 | 1 => Expr::Column(self.name()),
            2 => Expr::Columns(Selector::All),
            3 => Expr::Columns(names(self, 2)),
            _ if self.flip() => Expr::Columns(Selector::Nth(vec![self.wide(), 0])),
            _ => Expr::Columns(Selector::Difference(
                Box::new(Selector::All),
                Box::new(names(self, 1)),
            )),
        }
    }

    fn leaf(&mut self) -> Expr {
        match self.below(5) {
            0 => Expr::Literal(self.scalar(2)),
            1 => Expr::Columns(self.selector(2)),
            _ => self.columns(),
        }
    }

    /// Any expression, at most about `depth` levels deep.
    pub(crate) fn expr(&mut self, depth: usize) -> Expr {
        if depth == 0 {
            return self.leaf();
        }
        match self.below(12) {
            0 => self.leaf(),
            1 => Expr::Cast {
                expr: Box::new(self.expr(depth - 1)),
                to: self.dtype(2),
                strict: self.flip(),
            },
            2 => Expr::When {
                branches: (0..=self.below(2))
                    .map(|_| (self.expr(depth - 1), self.expr(depth - 1)))
                    .collect(),
                otherwise: Some(Box::new(self.expr(depth - 1)))
                    .filter(|expr| **expr != Expr::Literal(Scalar::Null)),
            },
            3 => {
                let aggregate = self.of(&[Func::Sum, Func::First, Func::CumSum, Func::Count]);
                let ordered = matches!(aggregate, Func::First | Func::CumSum);
                let flags = [self.flip(), self.flip()];
                let order_by: Vec<SortKey> = (0..if ordered { 1 + self.below(2) } else { 0 })
                    .map(|index| SortKey {
                        expr: self.expr(depth - 1),
                        descending: flags[index],
                        nulls_last: self.flip(),
                    })
                    .collect();
                let least = usize::from(order_by.is_empty());
                Expr::Over {
                    expr: Box::new(match self.call(aggregate.def(), 0) {
                        // An order of its own leaves nothing to order.
                        Expr::Call {
                            func: Func::First,
                            args,
                        } => Expr::Call {
                            func: Func::First,
                            args: vec![args[0].clone(), Arg::Absent],
                        },
                        other => other,
                    }),
                    partition_by: (0..least + self.below(2))
                        .map(|_| self.expr(depth - 1))
                        .collect(),
                    order_by,
                }
            }
            4 => self.expr(depth - 1).alias(self.text()),
            5 => Expr::Rename {
                expr: Box::new(self.expr(depth - 1)),
                change: match self.below(5) {
                    0 => NameChange::Keep,
                    1 => NameChange::Prefix(self.text()),
                    2 => NameChange::Suffix(self.text()),
                    3 => NameChange::Lowercase,
                    _ => NameChange::Uppercase,
                },
            },
            6..8 => {
                let operators = Func::all().filter(|def| def.receiver == Receiver::Operator);
                let operators: Vec<_> = operators.collect();
                let def = self.of(&operators);
                self.call(def, depth)
            }
            _ => {
                let all: Vec<_> = Func::all()
                    .filter(|def| def.func != Func::ConvertUnits)
                    .collect();
                let def = self.of(&all);
                self.call(def, depth)
            }
        }
    }

    /// A call of one function.
    pub(crate) fn call(&mut self, def: &'static FuncDef, depth: usize) -> Expr {
        let mut args = Vec::new();
        if def.receiver != Receiver::Function {
            // Sets of columns have operators of their own, and an aggregate of one value is refused.
            let receiver = if def.kind != FuncKind::Elementwise || def.func == Func::FillNull {
                self.columns()
            } else if depth == 0
                || matches!(
                    def.func,
                    Func::Not | Func::And | Func::Or | Func::Sub | Func::Xor
                )
            {
                self.operand(depth)
            } else {
                self.expr(depth - 1)
            };
            args.push(Arg::Expr(receiver));
        }
        let operator = def.receiver == Receiver::Operator;
        for param in def.params {
            if let Some(arg) = self.constrained(def.func, param.name, &args) {
                args.push(arg);
                continue;
            }
            if param.default == ParamDefault::Absent && self.flip() {
                args.push(Arg::Absent);
                continue;
            }
            let arg = match param.ty {
                ParamType::Column | ParamType::Literal if operator => {
                    Arg::Expr(self.operand(depth))
                }
                ParamType::Column | ParamType::Literal => {
                    Arg::Expr(self.expr(depth.saturating_sub(1)))
                }
                ParamType::Columns => Arg::Exprs(
                    (0..=self.below(3))
                        .map(|_| self.expr(depth.saturating_sub(1)))
                        .collect(),
                ),
                ParamType::Bool => Arg::Bool(self.flip()),
                ParamType::Int => Arg::Int(self.wide()),
                ParamType::Float => Arg::Float(self.float()),
                ParamType::Str => Arg::Str(self.text()),
                ParamType::OneOf(known) => Arg::Str(self.of(known).to_owned()),
                ParamType::DType => Arg::DType(self.dtype(2)),
                ParamType::Values if self.flip() => Arg::Expr(self.columns()),
                ParamType::Values => {
                    Arg::Values((0..self.below(4)).map(|_| self.scalar(1)).collect())
                }
                ParamType::Mapping => {
                    let mut pairs: Vec<(Scalar, Scalar)> = Vec::new();
                    for _ in 0..=self.below(3) {
                        let (key, value) = (self.scalar(0), self.scalar(1));
                        // Keys are distinct, as in a mapping of Python.
                        if pairs.iter().all(|(known, _)| *known != key) {
                            pairs.push((key, value));
                        }
                    }
                    Arg::Mapping(pairs)
                }
                ParamType::Frame => unreachable!("no function takes a frame"),
            };
            args.push(arg);
        }
        Expr::Call {
            func: def.func,
            args,
        }
    }

    fn operand(&mut self, depth: usize) -> Expr {
        match self.expr(depth.saturating_sub(1)) {
            Expr::Columns(_) => self.columns(),
            other => other,
        }
    }

    /// Arguments of which the function takes some values only.
    fn constrained(&mut self, func: Func, name: &str, before: &[Arg]) -> Option<Arg> {
        let count = i64::from(self.next() % 30);
        Some(match (func, name) {
            (Func::Round, "decimals")
            | (Func::StrPadStart | Func::StrPadEnd, "length")
            | (Func::StrZfill, "width") => Arg::Int(count),
            (Func::StrSlice, "length") => Arg::Int(count),
            (_, "fill_char") => Arg::Str(self.of(&[" ", "'", "é"]).to_owned()),
            (Func::DtTruncate, _) => Arg::Str(self.of(&["1d", "3mo", "15m"]).to_owned()),
            (Func::DtOffsetBy, _) => Arg::Str(self.of(&["1d", "-3mo", "15m"]).to_owned()),
            (Func::DtReplaceTimeZone | Func::DtConvertTimeZone, _) => {
                Arg::Str(self.of(&["UTC", "Europe/Paris"]).to_owned())
            }
            (Func::Quantile, "quantile") => Arg::Float(self.of(&[0.0, 0.25, 1.0])),
            (Func::Std | Func::Var, "ddof") => Arg::Int(count),
            (_, "window_size") => Arg::Int(count + 1),
            (Func::EwmMean, "com") => Arg::Float(0.5),
            (Func::EwmMean, "span" | "half_life" | "alpha") => Arg::Absent,
            (_, "min_samples") => Arg::Int(1),
            (Func::IsClose, "abs_tol") => Arg::Float(self.of(&[0.0, 1.0])),
            (Func::IsClose, "rel_tol") => Arg::Float(self.of(&[1e-9, 0.5])),
            (Func::FillNull, "value") if self.flip() => Arg::Absent,
            (Func::FillNull, "value") => Arg::Expr(self.leaf()),
            (Func::FillNull, "strategy") if before[1] == Arg::Absent => Arg::Str("forward".into()),
            (Func::FillNull, "strategy") => Arg::Absent,
            (Func::ListContains, "item") => Arg::Expr(Expr::Literal(self.scalar(1))),
            (Func::StrToDate | Func::StrToDatetime | Func::StrToTime, _) => {
                self.of(&[Arg::Absent, Arg::Str("%Y-%m-%d".into())])
            }
            (Func::Format, "f_string") => Arg::Str(self.of(&["{}", "a{}b{}", "none"]).to_owned()),
            (Func::Format, "args") => match before {
                [Arg::Str(text)] => Arg::Exprs(
                    (0..text.matches("{}").count())
                        .map(|_| self.leaf())
                        .collect(),
                ),
                _ => return None,
            },
            _ => return None,
        })
    }
}

trait IntoScalar {
    fn into_scalar(self) -> Scalar;
}

impl IntoScalar for i128 {
    fn into_scalar(self) -> Scalar {
        Scalar::Int(self)
    }
}
