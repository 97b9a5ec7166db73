//! SQL steps: the statement goes to Spark's parser, with its inputs as sub-plans of private names. Nothing is registered
//! on the server, so that nothing can clash and nothing is left behind.

use laktory_core::{Error, ErrorKind, Frame, NamedFrames, RenderedSql, Result, RunCx, SqlTemplate};
use proto::relation::RelType;
use spark_connect_proto as proto;

use crate::dsl::{quoted, relation};
use crate::frame::{Resolved, SparkFrame};
use crate::session::Session;
use crate::types;

/// The result of one statement. The server resolves it at once, so that faults have their place.
pub(crate) async fn sql(
    session: &Session,
    cx: &RunCx,
    query: &SqlTemplate,
    named: &NamedFrames,
) -> Result<Frame> {
    let mut references = Vec::new();
    let mut names = Vec::new();
    for name in query.frames() {
        let input = session
            .resolve(cx, SparkFrame::of(named.get(name)?)?)
            .await?;
        let alias = format!("laktory_input_{}", references.len());
        references.push(relation(RelType::SubqueryAlias(Box::new(
            proto::SubqueryAlias {
                input: Some(Box::new(input.relation.clone())),
                alias: alias.clone(),
                qualifier: Vec::new(),
            },
        ))));
        names.push((name.clone(), alias));
    }
    let rendered = query.render(|name| {
        names
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, alias)| quoted(alias))
            .unwrap_or_default()
    });
    let statement = relation(RelType::Sql(proto::Sql {
        query: rendered.text.clone(),
        ..Default::default()
    }));
    let relation = if references.is_empty() {
        statement
    } else {
        relation(RelType::WithRelations(Box::new(proto::WithRelations {
            root: Some(Box::new(statement)),
            references,
        })))
    };
    let schema = session
        .client
        .schema(&relation, cx.cancel())
        .await
        .map_err(|error| {
            placed(
                error,
                &rendered,
                &names
                    .iter()
                    .map(|(name, alias)| (name.to_string(), alias.clone()))
                    .collect::<Vec<_>>(),
            )
        })?;
    let columns = types::columns(&schema);
    unique(&columns)?;
    Ok(SparkFrame::of_relation(Resolved {
        relation,
        columns,
        confirmed: true,
    })
    .into_frame())
}

/// Frames have unique names; a statement may give one name twice.
fn unique(columns: &[laktory_core::Field]) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    match columns
        .iter()
        .find(|field| !seen.insert(field.name.as_str()))
    {
        Some(field) => Err(Error::new(
            ErrorKind::DuplicateColumn,
            format!("two columns of the result are called `{}`", field.name),
        )
        .with_hint("give one of them another name with AS")),
        None => Ok(()),
    }
}

/// The error with its place in the user's text, and the user's names in its message.
fn placed(error: Error, rendered: &RenderedSql, names: &[(String, String)]) -> Error {
    let mut message = error.message().to_owned();
    for (name, alias) in names {
        message = message.replace(&quoted(alias), &format!("`{name}`"));
    }
    let mut placed = Error::new(error.kind(), message);
    if let Some(hint) = error.hint() {
        let mut hint = hint.to_owned();
        for (name, alias) in names {
            hint = hint.replace(&quoted(alias), &format!("`{name}`"));
        }
        placed = placed.with_hint(hint);
    }
    let bytes = |characters: usize| {
        rendered
            .text
            .char_indices()
            .nth(characters)
            .map_or(rendered.text.len(), |(at, _)| at)
    };
    if let Some(range) = error.range() {
        let (start, end) = (bytes(range.start), bytes(range.end));
        let last = rendered.source_offset(end.saturating_sub(1));
        placed = placed.with_range(rendered.source_offset(start)..last + 1);
    } else if let Some((line, column)) = position(&error) {
        let at = rendered.source_offset_of_position(line, column + 1);
        placed = placed.with_range(at..at + 1);
    }
    if error.is_retryable() {
        placed = placed.retryable();
    }
    placed.with_source(error)
}

/// Line and column of `(line 1, pos 7)` in the server's own words.
fn position(error: &Error) -> Option<(usize, usize)> {
    let source = std::error::Error::source(error)?.to_string();
    let rest = source.split_once("(line ")?.1;
    let (line, rest) = rest.split_once(", pos")?;
    let digits: String = rest
        .trim_start_matches(|c: char| !c.is_ascii_digit())
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    Some((line.trim().parse().ok()?, digits.parse().ok()?))
}
