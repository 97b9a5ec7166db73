//! What the columns of a statement depend on.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use laktory_core::lineage::{Lineage, after};
use laktory_core::{DType, Error, Field, FrameName, Result, SqlTemplate};

use crate::plan::{ONE_ROW, Plan};
use crate::{Outcome, plan};

/// What the columns of a statement depend on, over named frames. None for a statement that this front end cannot plan,
/// because it is wrong or because it uses what an engine alone has.
///
/// # Errors
/// Those of the types of its steps.
pub fn lineage(
    query: &SqlTemplate,
    named: &BTreeMap<FrameName, Lineage>,
) -> Result<Option<Lineage>> {
    let columns = named.iter();
    let columns = columns.map(|(name, frame)| (name.clone(), frame.fields.to_vec()));
    match plan(query, &columns.collect()) {
        Outcome::Plan(plan, _) => of(&plan, named).map(Some),
        Outcome::Wrong(_) | Outcome::Beyond(_) => Ok(None),
    }
}

fn of(plan: &Plan, named: &BTreeMap<FrameName, Lineage>) -> Result<Lineage> {
    let mut made: HashMap<usize, Lineage> = HashMap::new();
    for part in plan.leaves_first() {
        let frame = match part {
            Plan::Frame(name) => {
                let frame = named.get(name).cloned();
                frame.ok_or_else(|| Error::internal(format!("no frame is called `{name}`")))?
            }
            Plan::OneRow => Lineage::constant([Field::new(ONE_ROW, DType::Boolean)].into()),
            Plan::Rows(rows) => Lineage::constant(rows.fields.clone().into()),
            Plan::Step { input, op, others } => {
                let of = |plan: &Arc<Plan>| {
                    made.get(&plan.address())
                        .ok_or_else(|| Error::internal("a step whose input was not made"))
                };
                let mut seen = BTreeMap::new();
                for (name, other) in others {
                    seen.insert(name.clone(), of(other)?.clone());
                }
                after(op, of(input)?, &seen, None)?
            }
        };
        made.insert(part.address(), frame);
    }
    made.remove(&plan.address())
        .ok_or_else(|| Error::internal("a plan that made no frame"))
}

#[cfg(test)]
mod tests {
    use laktory_core::lineage::{Decision, Part};
    use laktory_core::{SqlSegment, SqlTemplate};

    use super::*;

    fn table(name: &str, columns: &[&str]) -> (FrameName, Lineage) {
        let name = FrameName::Node(name.into());
        let fields = columns.iter();
        let fields: Vec<Field> = fields
            .map(|column| Field::new(*column, DType::Int64))
            .collect();
        let lineage = Lineage::source(&name, fields.into());
        (name, lineage)
    }

    fn template(sql: &str) -> SqlTemplate {
        let mut segments = Vec::new();
        let mut at = 0;
        while let Some(open) = sql[at..].find('{').map(|open| at + open) {
            let close = open + sql[open..].find('}').unwrap();
            segments.push((SqlSegment::Text(sql[at..open].into()), at..open));
            let frame = FrameName::Node(sql[open + 1..close].into());
            segments.push((SqlSegment::Frame(frame), open..close + 1));
            at = close + 1;
        }
        segments.push((SqlSegment::Text(sql[at..].into()), at..sql.len()));
        SqlTemplate::new(segments)
    }

    /// Each column as `name: what it is made of | what decides`, the rows last.
    fn told(sql: &str) -> Vec<String> {
        let frames = [
            table("o", &["id", "customer", "amount", "status"]),
            table("c", &["id", "name"]),
        ];
        let lineage = lineage(&template(sql), &frames.into()).unwrap().unwrap();
        let shown = |origin: &laktory_core::lineage::Origin| match &origin.part {
            Part::Column { name, .. } => Some(format!(
                "{}.{name}",
                match &origin.frame {
                    FrameName::Node(node) => node,
                    _ => "?",
                }
            )),
            _ => None,
        };
        let decisions = |decisions: &laktory_core::lineage::Decisions| {
            let decisions = decisions.iter().filter_map(|(origin, how)| {
                let how: Vec<&str> = how.iter().map(|how: &Decision| how.name()).collect();
                Some(format!("{} {}", shown(origin)?, how.join("+")))
            });
            decisions.collect::<Vec<_>>().join(", ")
        };
        let mut told: Vec<String> = (lineage.fields.iter())
            .zip(&lineage.columns)
            .map(|(field, column)| {
                let made: Vec<String> = column.made_of.iter().filter_map(shown).collect();
                let decided = decisions(&column.decided_by);
                format!("{}: {} | {decided}", field.name, made.join(", "))
            })
            .collect();
        told.push(format!("rows: {}", decisions(&lineage.rows)));
        told
    }

    #[test]
    fn a_join_keeps_the_columns_of_both_sides_apart() {
        assert_eq!(
            told("SELECT o.*, c.name AS who FROM {o} o LEFT JOIN {c} c ON o.customer = c.id"),
            [
                "id: o.id | ",
                "customer: o.customer | ",
                "amount: o.amount | ",
                "status: o.status | ",
                "who: c.name | ",
                "rows: c.id join, o.customer join"
            ]
        );
    }

    #[test]
    fn a_self_join_and_a_common_table_used_twice_are_followed() {
        assert_eq!(
            told(
                "WITH t AS (SELECT id, amount * 2 AS x FROM {o} WHERE status = 1)
                 SELECT a.x AS x, b.id AS other FROM t a JOIN t b ON a.id = b.x"
            ),
            [
                "x: o.amount | ",
                "other: o.id | ",
                "rows: o.amount join, o.id join, o.status filter"
            ]
        );
    }

    #[test]
    fn set_operations_match_columns_by_position() {
        assert_eq!(
            told("SELECT id AS a, 1 AS one FROM {o} UNION ALL SELECT name, id FROM {c}"),
            ["a: c.name, o.id | ", "one: c.id | ", "rows: "]
        );
        assert_eq!(
            told("SELECT id FROM {o} EXCEPT SELECT id FROM {c}"),
            [
                "id: o.id | ",
                "rows: c.id join+distinct, o.id join+distinct"
            ]
        );
    }

    #[test]
    fn groups_conditions_and_constants() {
        assert_eq!(
            told(
                "SELECT customer, SUM(CASE WHEN status = 1 THEN amount ELSE 0 END) AS paid, COUNT(*) AS n, 'x' AS x
                 FROM {o} GROUP BY customer HAVING MAX(id) > 3"
            ),
            [
                "customer: o.customer | ",
                "paid: o.amount | o.status condition",
                "n:  | ",
                "x:  | ",
                "rows: o.customer group, o.id filter"
            ]
        );
    }

    #[test]
    fn order_decides_where_rows_are_taken_by_it() {
        let all = told("SELECT id FROM {o} ORDER BY amount");
        assert_eq!(all, ["id: o.id | ", "rows: "]);
        let first = told("SELECT id FROM {o} ORDER BY amount LIMIT 3");
        assert_eq!(first, ["id: o.id | ", "rows: o.amount limit"]);
    }

    #[test]
    fn sub_queries_decide_by_what_they_compare() {
        assert_eq!(
            told("SELECT amount FROM {o} WHERE customer IN (SELECT id FROM {c} WHERE name = 7)"),
            [
                "amount: o.amount | ",
                "rows: c.id join, c.name filter, o.customer join"
            ]
        );
    }

    #[test]
    fn what_cannot_be_planned_has_none() {
        let frames = [table("o", &["id"])].into();
        let query = template("SELECT id FROM {o} TABLESAMPLE (10 PERCENT)");
        assert_eq!(lineage(&query, &frames).unwrap(), None);
    }
}
