//! Lambdas and comprehensions: names bound to values while their body is lowered. Both are bounded by the budget of
//! the text.

use ruff_python_ast as ast;

use super::fault::{At, Fault, Outcome};
use super::lower::{Lowerer, not_allowed};
use super::operators::ambiguous;
use super::value::{Item, Lambda, Value};
use super::{fold, methods};

/// Nesting of lambdas and the like, beyond that of the text.
const MAX_CALLS: usize = 32;

impl Lowerer {
    /// Applies a lambda to arguments.
    pub(crate) fn apply(
        &mut self,
        lambda: &Lambda,
        args: Vec<Item>,
        kwargs: Vec<(String, Item)>,
        at: At,
    ) -> Outcome<Item> {
        if self.calls == MAX_CALLS {
            return Err(Fault::new("too-large", "lambdas are nested too deeply", at).into());
        }
        let mut scope = lambda.scope.clone();
        let mut args = args.into_iter();
        let mut kwargs = kwargs;
        if let Some(parameters) = &lambda.lambda.parameters {
            if parameters.vararg.is_some() || parameters.kwarg.is_some() {
                let message = "a lambda with `*` or `**` is not supported";
                return Err(Fault::new("not-implemented", message, at).into());
            }
            for parameter in parameters.iter_non_variadic_params() {
                let name = parameter.parameter.name.to_string();
                let keyword = kwargs.iter().position(|(known, _)| *known == name);
                let item = match (args.next(), keyword, &parameter.default) {
                    (Some(item), _, _) => item,
                    (None, Some(index), _) => kwargs.remove(index).1,
                    (None, None, Some(default)) => self.eval(default)?,
                    (None, None, None) => {
                        let message = format!("the lambda needs an argument `{name}`");
                        return Err(Fault::invalid(message, at).into());
                    }
                };
                scope.push((name, item));
            }
        }
        if args.next().is_some() || !kwargs.is_empty() {
            return Err(Fault::invalid("the lambda takes fewer arguments", at).into());
        }
        let outer_scope = std::mem::replace(&mut self.scope, scope);
        let outer_text = std::mem::replace(&mut self.text, lambda.text);
        self.calls += 1;
        let result = self.eval(&lambda.lambda.body);
        self.calls -= 1;
        self.text = outer_text;
        self.scope = outer_scope;
        result
    }

    pub(super) fn comprehension(
        &mut self,
        element: &ast::Expr,
        generators: &[ast::Comprehension],
        at: At,
    ) -> Outcome<Value> {
        let mut items = Vec::new();
        self.generate(element, generators, at, &mut items)?;
        Ok(Value::List(items))
    }

    fn generate(
        &mut self,
        element: &ast::Expr,
        generators: &[ast::Comprehension],
        at: At,
        items: &mut Vec<Item>,
    ) -> Outcome<()> {
        let Some((generator, inner)) = generators.split_first() else {
            items.push(self.eval(element)?);
            return Ok(());
        };
        if generator.is_async {
            return Err(Fault::new("syntax-error", "a coroutine cannot be used here", at).into());
        }
        let source = self.eval(&generator.iter)?;
        let values = match source.value {
            Value::List(values) => values,
            Value::Dict(entries) => entries.into_iter().map(|(key, _)| key).collect(),
            other => {
                let message = format!("{} cannot be iterated", other.kind());
                return Err(Fault::invalid(message, source.at).into());
            }
        };
        for value in values {
            self.charge(1, at)?;
            let depth = self.scope.len();
            let result = self.iterate(generator, element, inner, at, value, items);
            self.scope.truncate(depth);
            result?;
        }
        Ok(())
    }

    fn iterate(
        &mut self,
        generator: &ast::Comprehension,
        element: &ast::Expr,
        inner: &[ast::Comprehension],
        at: At,
        value: Item,
        items: &mut Vec<Item>,
    ) -> Outcome<()> {
        self.bind_target(&generator.target, value)?;
        for condition in &generator.ifs {
            let condition = self.eval(condition)?;
            match fold::truth(&condition.value) {
                Some(true) => {}
                Some(false) => return Ok(()),
                None => return Err(ambiguous(condition.at).into()),
            }
        }
        self.generate(element, inner, at, items)
    }

    fn bind_target(&mut self, target: &ast::Expr, value: Item) -> Outcome<()> {
        match target {
            ast::Expr::Name(name) => self.scope.push((name.id.to_string(), value)),
            ast::Expr::Tuple(tuple) => {
                let values = methods::list(value);
                if values.len() != tuple.elts.len() {
                    let at = self.at(tuple);
                    return Err(Fault::invalid("the number of values does not fit", at).into());
                }
                for (target, value) in tuple.elts.iter().zip(values) {
                    self.bind_target(target, value)?;
                }
            }
            other => return Err(not_allowed(other, self.at(other)).into()),
        }
        Ok(())
    }
}
