//! What users bring along from elsewhere and is refused by its name, with what to write instead: the tables that hints are
//! taken from.

/// What is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What it would be: `function of SQL`, `step`, `method of expressions`, `clause`.
    pub kind: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What to write instead.
    pub instead: &'static str,
}

/// Functions of SQL, steps and methods that are refused by name. Clauses are those of `laktory-sql`.
#[must_use]
pub fn refused() -> Vec<Refused> {
    let of = |kind: &'static str| {
        move |(name, instead): &(&'static str, &'static str)| Refused {
            kind,
            name,
            instead,
        }
    };
    let functions = crate::sql::REFUSED.iter().map(of("function of SQL"));
    let steps = crate::frame::REFUSED.iter().map(of("step"));
    let methods = crate::python::REFUSED_METHODS.iter();
    let methods = methods.map(of("method of expressions"));
    functions.chain(steps).chain(methods).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::{Api, method, python_expression, sql_expression};

    /// How it is refused where it is used.
    fn provoked(refused: &Refused) -> Option<crate::FragmentError> {
        let name = refused.name;
        match refused.kind {
            "step" => {
                let errors = method(name, &[], &Map::new(), Api::Narwhals).err()?;
                errors.into_iter().next().map(|error| error.error)
            }
            "function of SQL" => {
                let errors = sql_expression(&format!("{name}(x)")).err()?;
                errors.into_iter().next()
            }
            _ => {
                let call = format!("nw.col('x').{name}()");
                let errors = python_expression(&call, Api::Narwhals).err()?;
                errors.into_iter().next()
            }
        }
    }

    #[test]
    fn each_is_refused_with_its_name_and_its_hint() {
        let wrong: Vec<String> = refused()
            .iter()
            .filter_map(|refused| {
                let error = provoked(refused);
                let fits = error.as_ref().is_some_and(|error| {
                    error.message.contains(refused.name)
                        && error.hint.as_deref() == Some(refused.instead)
                });
                (!fits).then(|| format!("{} {}: {error:?}", refused.kind, refused.name))
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
