//! Arguments matched with parameters, as Python does: by position, by name, the rest to a variadic parameter.

use super::fault::{At, Fault, Faults, Outcome};
use super::value::{Item, Value};
use crate::suggest::nearest;

/// A call whose arguments are lowered already.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The name for messages, such as `nw.coalesce`.
    pub(crate) name: String,
    /// Its name.
    pub(crate) at: At,
    pub(crate) args: Vec<Item>,
    pub(crate) kwargs: Vec<(String, Item)>,
}

impl Call {
    /// Takes the function that `pipe` is called with, by position or as `function=`.
    pub(crate) fn take_function(&mut self) -> Option<Item> {
        if !self.args.is_empty() {
            return Some(self.args.remove(0));
        }
        let named = self
            .kwargs
            .iter()
            .position(|(name, _)| name == "function")?;
        Some(self.kwargs.remove(named).1)
    }
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot<'a> {
    pub(crate) name: &'a str,
    pub(crate) required: bool,
    pub(crate) keyword_only: bool,
    /// Takes the rest of the positional arguments; lists among them are flattened.
    pub(crate) variadic: bool,
}

pub(crate) const fn required(name: &str) -> Slot<'_> {
    Slot {
        name,
        required: true,
        keyword_only: false,
        variadic: false,
    }
}

pub(crate) const fn optional(name: &str) -> Slot<'_> {
    Slot {
        name,
        required: false,
        keyword_only: false,
        variadic: false,
    }
}

pub(crate) const fn keyword(name: &str) -> Slot<'_> {
    Slot {
        name,
        required: false,
        keyword_only: true,
        variadic: false,
    }
}

pub(crate) const fn rest(name: &str, required: bool) -> Slot<'_> {
    Slot {
        name,
        required,
        keyword_only: false,
        variadic: true,
    }
}

/// Arguments by parameter.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    slots: Vec<Option<Vec<Item>>>,
    /// Keyword arguments that no parameter takes, where the call accepts any.
    pub(crate) extra: Vec<(String, Item)>,
    pub(crate) at: At,
    pub(crate) name: String,
    /// The rows of the frame have an order, so that what depends on it may leave it out.
    pub(crate) is_ordered: bool,
}

impl Bound {
    /// The argument of a plain parameter.
    pub(crate) fn one(&mut self, index: usize) -> Option<Item> {
        self.slots.get_mut(index)?.take()?.into_iter().next()
    }

    /// Puts back arguments of a parameter.
    pub(crate) fn put(&mut self, index: usize, items: Vec<Item>) {
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Some(items);
        }
    }

    /// Where the argument of a parameter stands.
    pub(crate) fn place(&self, index: usize) -> Option<At> {
        let items = self.slots.get(index)?.as_ref()?;
        items.first().map(|item| item.at)
    }

    /// The arguments of a variadic parameter.
    pub(crate) fn many(&mut self, index: usize) -> Option<Vec<Item>> {
        self.slots.get_mut(index)?.take()
    }
}

/// The parameters as a signature, for messages: `round(decimals=..)`.
pub(crate) fn signature(name: &str, slots: &[Slot<'_>]) -> String {
    let mut parts = Vec::new();
    let mut starred = false;
    for slot in slots {
        if slot.variadic {
            starred = true;
            parts.push(format!("*{}", slot.name));
            continue;
        }
        if slot.keyword_only && !starred {
            starred = true;
            parts.push("*".into());
        }
        let optional = if slot.required { "" } else { "=.." };
        parts.push(format!("{}{optional}", slot.name));
    }
    format!("{name}({})", parts.join(", "))
}

/// Binds a call; `open` accepts keyword arguments of any name beside the parameters.
pub(crate) fn bind(call: Call, slots: &[Slot<'_>], open: bool) -> Outcome<Bound> {
    let hint = || format!("its signature is `{}`", signature(&call.name, slots));
    let mut filled: Vec<Option<Vec<Item>>> = vec![None; slots.len()];
    let mut extra = Vec::new();
    let mut faults = Vec::new();
    let mut next = 0;
    let mut surplus = None;
    for item in call.args {
        match slots.get(next).filter(|slot| !slot.keyword_only) {
            Some(slot) if slot.variadic => {
                let rest = filled[next].get_or_insert_with(Vec::new);
                flatten(item, rest);
            }
            Some(_) => {
                filled[next] = Some(vec![item]);
                next += 1;
            }
            None => {
                surplus.get_or_insert(item.at);
            }
        }
    }
    if let Some(at) = surplus {
        let most = slots.iter().filter(|slot| !slot.keyword_only).count();
        let message = match most {
            0 => format!("`{}()` takes no positional argument", call.name),
            1 => format!("`{}()` takes one positional argument", call.name),
            _ => format!(
                "`{}()` takes at most {most} positional arguments",
                call.name
            ),
        };
        faults.push(Fault::invalid(message, at).hint(hint()));
    }
    for (name, item) in call.kwargs {
        let Some(index) = slots.iter().position(|slot| slot.name == name) else {
            if open {
                extra.push((name, item));
                continue;
            }
            let known = slots.iter().map(|slot| slot.name);
            let hint = match nearest(&name, known) {
                Some(known) => format!("did you mean `{known}`?"),
                None => hint(),
            };
            let message = format!("`{}()` has no argument `{name}`", call.name);
            faults.push(Fault::invalid(message, item.name_at.unwrap_or(item.at)).hint(hint));
            continue;
        };
        if filled[index].is_some() {
            let message = format!("`{}()` is given `{name}` twice", call.name);
            faults.push(Fault::invalid(message, item.name_at.unwrap_or(item.at)).hint(hint()));
            continue;
        }
        let mut items = Vec::new();
        if slots[index].variadic {
            flatten(item, &mut items);
        } else {
            items.push(item);
        }
        filled[index] = Some(items);
    }
    for (slot, items) in slots.iter().zip(&filled) {
        let empty = items.as_ref().is_none_or(Vec::is_empty);
        if slot.required && empty && faults.is_empty() {
            let message = if slot.variadic {
                format!("`{}()` needs at least one of `{}`", call.name, slot.name)
            } else {
                format!("`{}()` needs the argument `{}`", call.name, slot.name)
            };
            faults.push(Fault::invalid(message, call.at).hint(hint()));
        }
    }
    if faults.is_empty() {
        Ok(Bound {
            slots: filled,
            extra,
            at: call.at,
            name: call.name,
            is_ordered: false,
        })
    } else {
        Err(Faults(faults))
    }
}

fn flatten(item: Item, into: &mut Vec<Item>) {
    match item.value {
        Value::List(items) => {
            for item in items {
                flatten(item, into);
            }
        }
        _ => into.push(item),
    }
}
