//! Numbers and texts as they stand in a Python text.

use ruff_python_ast::{self as ast, Number};

use super::fault::{At, Fault, Outcome};
use super::lower::Lowerer;
use super::value::Value;
use super::{fold, parse};

impl Lowerer {
    pub(super) fn f_string(&mut self, string: &ast::ExprFString) -> Outcome<String> {
        let mut text = String::new();
        for part in &string.value {
            match part {
                ast::FStringPart::Literal(literal) => text.push_str(&literal.value),
                ast::FStringPart::FString(part) => {
                    for element in &part.elements {
                        match element {
                            ast::InterpolatedStringElement::Literal(literal) => {
                                text.push_str(&literal.value);
                            }
                            ast::InterpolatedStringElement::Interpolation(hole) => {
                                let at = self.at(hole);
                                let converted = !matches!(
                                    hole.conversion,
                                    ast::ConversionFlag::None | ast::ConversionFlag::Str
                                );
                                if converted
                                    || hole.format_spec.is_some()
                                    || hole.debug_text.is_some()
                                {
                                    return Err(Fault::new(
                                        "not-implemented",
                                        "format specifications are not supported",
                                        at,
                                    )
                                    .into());
                                }
                                let item = self.eval(&hole.expression)?;
                                text.push_str(&fold::display(&item.value, at)?);
                            }
                        }
                    }
                }
            }
            let at = self.at(string);
            self.charge(text.len() as u64 / 64, at)?;
            if text.len() > parse::MAX_BYTES {
                return Err(Fault::new("too-large", "the text is too large", at).into());
            }
        }
        Ok(text)
    }
}

pub(super) fn number(number: &Number, at: At) -> Result<Value, Fault> {
    match number {
        Number::Int(value) => {
            let parsed = match value.as_u64() {
                Some(value) => Some(i128::from(value)),
                None => big_integer(&value.to_string()),
            };
            parsed
                .map(Value::Int)
                .ok_or_else(|| Fault::new("too-large", "the number is too large", at))
        }
        Number::Float(value) => Ok(Value::Float(*value)),
        Number::Complex { .. } => Err(Fault::invalid("complex numbers are not supported", at)),
    }
}

fn big_integer(text: &str) -> Option<i128> {
    let text = text.replace('_', "").to_lowercase();
    let (digits, radix) = match text.get(..2) {
        Some("0x") => (&text[2..], 16),
        Some("0o") => (&text[2..], 8),
        Some("0b") => (&text[2..], 2),
        _ => (text.as_str(), 10),
    };
    i128::from_str_radix(digits, radix).ok()
}
