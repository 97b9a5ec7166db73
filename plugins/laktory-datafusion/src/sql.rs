//! SQL steps: the statement is parsed with the engine's own parser, rewritten where the engine departs from what other
//! engines agree on, and planned over the frames under private names. Errors point into the text as the user wrote it.

mod catalog;
mod functions;
mod guard;
mod names;
mod outputs;
mod planner;
mod position;
mod rewrite;

use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::planner::{ParserOptions, SqlToRel};
use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserOptions as SyntaxOptions};
use laktory_core::{Error, ErrorKind, Frame, FrameName, NamedFrames, Result, RunCx, SqlTemplate};

use crate::DataFusionFrame;
use crate::session::Session;
use crate::source::unqualified;

use catalog::{Catalog, relation};
use position::Place;

/// The result of a statement.
///
/// # Errors
/// `SqlSyntax`, `UnknownFrame`, `UnknownFunction`, `ColumnNotFound`, `FieldNotFound`, `TypeMismatch`, `Unsupported`,
/// with the range in the text where it is known.
pub(crate) async fn sql(
    session: &Session,
    cx: &RunCx,
    query: &SqlTemplate,
    named: &NamedFrames,
) -> Result<Frame> {
    let names: Vec<FrameName> = query.frames().into_iter().cloned().collect();
    let mut frames = Vec::with_capacity(names.len());
    for name in &names {
        frames.push(session.plan(cx, named.get(name)?).await?);
    }
    let rendered = query.render(|name| {
        let at = names.iter().position(|known| known == name).unwrap_or(0);
        format!("\"{}\"", relation(at))
    });
    let text = query.source();
    let place = Place::new(&rendered, &text, &names);
    let statement = parse(&rendered.text, &place)?;
    guard::check(&statement)?;
    let plan = planned(session, statement, frames).map_err(|error| place.present(error))?;
    Ok(DataFusionFrame::from_plan(plan))
}

fn parse(text: &str, place: &Place<'_>) -> Result<Statement> {
    let options = SyntaxOptions {
        trailing_commas: true,
        ..SyntaxOptions::default()
    };
    let statements = Parser::new(&GenericDialect)
        .with_options(options)
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| place.syntax_error(error))?;
    let count = statements.len();
    match (statements.into_iter().next(), count) {
        (Some(statement @ Statement::Query(_)), 1) => Ok(statement),
        (Some(_), 1) => Err(Error::new(
            ErrorKind::SqlSyntax,
            "a SQL step is one SELECT statement",
        )),
        (None, _) => Err(Error::new(ErrorKind::SqlSyntax, "there is no statement")),
        _ => Err(Error::new(
            ErrorKind::SqlSyntax,
            "a SQL step holds exactly one statement",
        )
        .with_hint("write each statement as a step of its own")),
    }
}

/// The plan of a statement over frames, with types settled.
fn planned(
    session: &Session,
    mut statement: Statement,
    frames: Vec<LogicalPlan>,
) -> Result<LogicalPlan, DataFusionError> {
    rewrite::rewrite(&mut statement, &frames).map_err(crate::error::carry)?;
    let state = session.context().state();
    let options = ParserOptions::from(&state.config_options().sql_parser);
    let catalog = Catalog::new(&state, frames);
    let plan = SqlToRel::new_with_options(&catalog, options).sql_statement_to_plan(statement)?;
    let plan = unqualified(plan).map_err(crate::error::carry)?;
    bounded(&plan)?;
    // Names and types are wrong here or nowhere; later nobody knows the text any more.
    state
        .analyzer()
        .execute_and_check(plan, state.config_options(), |_, _| {})
}

/// Refuses a plan that reads frames so often that the engine would not end optimizing it: it walks each copy of a frame,
/// and one that is joined with itself in every step doubles each time.
fn bounded(plan: &LogicalPlan) -> Result<(), DataFusionError> {
    const MOST: usize = 5_000;
    let mut count = 0;
    plan.apply(|_| {
        count += 1;
        Ok(if count > MOST {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    })?;
    if count <= MOST {
        return Ok(());
    }
    let error = Error::new(
        ErrorKind::Unsupported,
        format!("the plan has more than {MOST} steps, since frames are read several times over"),
    );
    Err(crate::error::carry(error.with_hint(
        "make a node of its own of what is read several times: it is computed once",
    )))
}
