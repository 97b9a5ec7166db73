//! SQL steps: the statement goes to Spark's parser, with its inputs as sub-plans of private names. Nothing is registered
//! on the server, so that nothing can clash and nothing is left behind.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use laktory_core::{
    Error, ErrorKind, Frame, FrameName, NamedFrames, RenderedSql, Result, RunCx, SqlTemplate,
    ViewSpec, typing,
};
use proto::command::CommandType;
use proto::relation::RelType;
use spark_connect_proto as proto;

use crate::analysed::Signature;
use crate::dsl::{identifier, quoted, relation};
use crate::frame::{Resolved, SparkFrame};
use crate::session::Session;
use crate::{private, types};

/// The result of one statement. The server resolves it at once, so that faults have their place. What it refuses is told in
/// the words of the front end that other engines have, where that finds the fault too.
pub(crate) async fn sql(
    session: &Session,
    cx: &RunCx,
    query: &SqlTemplate,
    named: &NamedFrames,
) -> Result<Frame> {
    let error = match resolved_by_server(session, cx, query, named).await {
        Ok(frame) => return Ok(frame),
        Err(error) => error,
    };
    if matches!(
        error.kind(),
        ErrorKind::Io | ErrorKind::Cancelled | ErrorKind::Internal
    ) {
        return Err(error);
    }
    let mut columns = BTreeMap::new();
    for name in query.frames() {
        let frame = named.get(name)?;
        // A server that does not answer any more must not hide what it has said.
        let Ok(known) = typing::columns(session, cx, frame).await else {
            return Err(error);
        };
        columns.insert(name.clone(), known.to_vec());
    }
    Err(laktory_sql::fault(query, &columns, &error).unwrap_or(error))
}

async fn resolved_by_server(
    session: &Session,
    cx: &RunCx,
    query: &SqlTemplate,
    named: &NamedFrames,
) -> Result<Frame> {
    is_query(query)?;
    let mut inputs = Vec::new();
    let mut signatures = Vec::new();
    for name in query.frames() {
        let frame = SparkFrame::of(named.get(name)?)?;
        let input = session.resolve(cx, frame).await?;
        inputs.push((name.clone(), input.relation.clone()));
        signatures.push(frame.0.signature);
    }
    let signature = Signature::of(query, &signatures);
    let resolved = match session.takes_sub_plans.load(Ordering::Relaxed) {
        true => over_sub_plans(session, cx, query, &inputs, &signature).await?,
        false => None,
    };
    let resolved = match resolved {
        Some(resolved) => resolved,
        None => {
            session.takes_sub_plans.store(false, Ordering::Relaxed);
            over_views(session, cx, query, &inputs, &signature).await?
        }
    };
    unique(&resolved.columns)?;
    session.analysed.add(signature, resolved.columns.clone());
    Ok(SparkFrame::of_statement(resolved, signature).into_frame())
}

/// The statement with its inputs beside it. None on a server that does not take them so.
async fn over_sub_plans(
    session: &Session,
    cx: &RunCx,
    query: &SqlTemplate,
    inputs: &[(FrameName, proto::Relation)],
    signature: &Signature,
) -> Result<Option<Resolved>> {
    let aliases: Vec<String> = (0..inputs.len()).map(private::name).collect();
    let (statement, rendered) = statement(query, inputs, &aliases);
    if inputs.is_empty() {
        let resolved = resolved(session, cx, statement, &rendered, inputs, signature).await;
        return resolved.map(Some);
    }
    let references = inputs
        .iter()
        .zip(&aliases)
        .map(|((_, input), alias)| {
            relation(RelType::SubqueryAlias(Box::new(proto::SubqueryAlias {
                input: Some(Box::new(input.clone())),
                alias: alias.clone(),
                qualifier: Vec::new(),
            })))
        })
        .collect();
    let whole = relation(RelType::WithRelations(Box::new(proto::WithRelations {
        root: Some(Box::new(statement)),
        references,
    })));
    match resolved(session, cx, whole, &rendered, inputs, signature).await {
        // The words of Sail, which knows references of subqueries only.
        Err(error) if error.message().contains("reference missing plan_id") => Ok(None),
        other => other.map(Some),
    }
}

/// The statement over views of the session, which go with it.
async fn over_views(
    session: &Session,
    cx: &RunCx,
    query: &SqlTemplate,
    inputs: &[(FrameName, proto::Relation)],
    signature: &Signature,
) -> Result<Resolved> {
    let views: Vec<String> = (0..inputs.len()).map(private::view).collect();
    for ((_, input), name) in inputs.iter().zip(&views) {
        let view = CommandType::CreateDataframeView(proto::CreateDataFrameViewCommand {
            input: Some(input.clone()),
            name: name.clone(),
            is_global: false,
            replace: true,
        });
        session.client.command(view, cx.cancel()).await?;
    }
    let (statement, rendered) = statement(query, inputs, &views);
    resolved(session, cx, statement, &rendered, inputs, signature).await
}

/// The statement with names for its inputs.
fn statement(
    query: &SqlTemplate,
    inputs: &[(FrameName, proto::Relation)],
    names: &[String],
) -> (proto::Relation, RenderedSql) {
    let rendered = query.render(|frame| {
        let known = inputs.iter().position(|(name, _)| name == frame);
        known.map_or_else(String::new, |at| quoted(&names[at]))
    });
    let statement = relation(RelType::Sql(proto::Sql {
        query: rendered.text.clone(),
        ..Default::default()
    }));
    (statement, rendered)
}

async fn resolved(
    session: &Session,
    cx: &RunCx,
    relation: proto::Relation,
    rendered: &RenderedSql,
    inputs: &[(FrameName, proto::Relation)],
    signature: &Signature,
) -> Result<Resolved> {
    if let Some(columns) = session.analysed.get(signature) {
        return Ok(Resolved {
            relation,
            columns,
            confirmed: true,
        });
    }
    let schema = session
        .client
        .schema(&relation, cx.cancel())
        .await
        .map_err(|error| {
            let users: Vec<String> = inputs.iter().map(|(name, _)| name.to_string()).collect();
            placed(error, rendered, &users)
        })?;
    Ok(Resolved {
        relation,
        columns: types::columns(&schema),
        confirmed: true,
    })
}

/// Creates or replaces a view on a query whose frames are tables.
pub(crate) async fn create_view(session: &Session, cx: &RunCx, view: &ViewSpec) -> Result<()> {
    is_query(&view.query)?;
    let name = identifier(&view.name);
    let statement = view
        .query
        .behind(format!("CREATE OR REPLACE VIEW {name} AS "));
    let rendered = statement.render(|frame| {
        let known = view.tables.iter().find(|(known, _)| known == frame);
        known.map_or_else(String::new, |(_, table)| identifier(table))
    });
    session.analysed.clear();
    command(session, cx, &rendered.text)
        .await
        .map_err(|error| placed(error, &rendered, &[]))
}

/// Carries out a statement that gives no rows.
pub(crate) async fn command(session: &Session, cx: &RunCx, text: &str) -> Result<()> {
    let input = relation(RelType::Sql(proto::Sql {
        query: text.to_owned(),
        ..Default::default()
    }));
    let command = CommandType::SqlCommand(proto::SqlCommand {
        input: Some(input),
        ..Default::default()
    });
    session.client.command(command, cx.cancel()).await?;
    Ok(())
}

/// Refuses commands: the server would carry them out as soon as it looks at them.
fn is_query(query: &SqlTemplate) -> Result<()> {
    let text = query.source();
    let mut rest = text.as_str();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        rest = match (rest.strip_prefix("--"), rest.strip_prefix("/*")) {
            (Some(comment), _) => comment.split_once('\n').map_or("", |(_, rest)| rest),
            (_, Some(comment)) => comment.split_once("*/").map_or("", |(_, rest)| rest),
            _ => break,
        };
    }
    let word: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
    // What does not begin like a command is left to the server's parser.
    const COMMANDS: &[&str] = &[
        "ADD", "ALTER", "ANALYZE", "CACHE", "CALL", "CLEAR", "COMMENT", "CREATE", "DECLARE",
        "DELETE", "DROP", "EXECUTE", "EXPORT", "GRANT", "IMPORT", "INSERT", "LIST", "LOAD", "LOCK",
        "MERGE", "MSCK", "OPTIMIZE", "REFRESH", "REPAIR", "REPLACE", "RESET", "REVOKE", "SET",
        "START", "TRUNCATE", "UNCACHE", "UNLOCK", "UPDATE", "USE", "VACUUM",
    ];
    let upper = word.to_ascii_uppercase();
    if COMMANDS.contains(&upper.as_str()) {
        return Err(Error::unsupported(format!(
            "`{upper}` is a command; a SQL step is one SELECT statement"
        ))
        .with_range(text.len() - rest.len()..text.len() - rest.len() + word.len()));
    }
    Ok(())
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
fn placed(error: Error, rendered: &RenderedSql, users: &[String]) -> Error {
    let mut placed = Error::new(error.kind(), private::readable(error.message(), users));
    if let Some(hint) = error.hint() {
        placed = placed.with_hint(private::readable(hint, users));
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
