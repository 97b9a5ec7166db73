//! Windows that a SELECT names.

use laktory_core::{Error, ErrorKind};
use sqlparser::ast::{self, NamedWindowExpr, Select, SelectItem, WindowSpec, WindowType};

use crate::fault::{Planned, Stop, beyond};
use crate::refused;
use crate::tree;

fn no_window(name: &ast::Ident) -> Stop {
    let message = format!("there is no window `{}`", name.value);
    let error = Error::new(ErrorKind::SqlSyntax, message)
        .with_hint("name it behind FROM: `WINDOW w AS (PARTITION BY ... ORDER BY ...)`");
    Stop::from(error).within(name.span)
}

/// The windows that a SELECT names, written where they are used.
pub(crate) fn windows_in_place(select: &Select) -> Planned<Select> {
    let mut known: Vec<(String, WindowSpec)> = Vec::new();
    let find = |known: &[(String, WindowSpec)], name: &ast::Ident| {
        let called = |(known, _): &&(String, WindowSpec)| known.eq_ignore_ascii_case(&name.value);
        known.iter().find(called).map(|(_, spec)| spec.clone())
    };
    let whole = |known: &[(String, WindowSpec)], spec: &WindowSpec| -> Planned<WindowSpec> {
        let Some(name) = &spec.window_name else {
            return Ok(spec.clone());
        };
        let Some(base) = find(known, name) else {
            return Err(no_window(name));
        };
        if !spec.partition_by.is_empty() || (!spec.order_by.is_empty() && !base.order_by.is_empty())
        {
            return beyond(refused::WINDOW_CHANGED);
        }
        Ok(WindowSpec {
            window_name: None,
            partition_by: base.partition_by,
            order_by: if spec.order_by.is_empty() {
                base.order_by
            } else {
                spec.order_by.clone()
            },
            window_frame: spec.window_frame.clone().or(base.window_frame),
        })
    };
    for definition in &select.named_window {
        let spec = match &definition.1 {
            NamedWindowExpr::WindowSpec(spec) => whole(&known, spec)?,
            NamedWindowExpr::NamedWindow(other) => match find(&known, other) {
                Some(spec) => spec,
                None => return Err(no_window(other)),
            },
        };
        known.push((definition.0.value.clone(), spec));
    }
    let mut select = Select {
        named_window: Vec::new(),
        ..select.clone()
    };
    let in_place = |expr: &mut ast::Expr| {
        tree::rewrite(expr, &mut |node| {
            if let ast::Expr::Function(function) = node {
                match &mut function.over {
                    Some(WindowType::NamedWindow(name)) => match find(&known, name) {
                        Some(spec) => function.over = Some(WindowType::WindowSpec(spec)),
                        None => return Err(no_window(name)),
                    },
                    Some(WindowType::WindowSpec(spec)) => *spec = whole(&known, spec)?,
                    None => {}
                }
            }
            Ok(())
        })
    };
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            in_place(expr)?;
        }
    }
    if let Some(qualify) = &mut select.qualify {
        in_place(qualify)?;
    }
    Ok(select)
}
