//! Private names of the inputs of SQL statements. The server registers them for the time of one request, in the session:
//! two requests at once must not share a name, so that each request is sent with names of its own. A server that takes no
//! inputs with a statement gets them as views of the session before, whose names stay.

use prost::Message as _;
use spark_connect_proto as proto;

const INPUT: &str = "laktory_input_";
const VIEW: &str = "laktory_view_";
/// Digits of the part that differs from request to request.
const DIGITS: usize = 32;

/// The name of input number `index` of a statement.
pub(crate) fn name(index: usize) -> String {
    format!("{INPUT}{index}_{}", uuid::Uuid::new_v4().simple())
}

/// The name of the view that stands for input number `index` of a statement.
pub(crate) fn view(index: usize) -> String {
    format!("{VIEW}{index}_{}", uuid::Uuid::new_v4().simple())
}

/// The names with a prefix in a text: where each begins and ends, and the number of its input.
fn names(text: &[u8], prefix: &str) -> Vec<(usize, usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + prefix.len() < text.len() {
        if !text[at..].starts_with(prefix.as_bytes()) {
            at += 1;
            continue;
        }
        let number = at + prefix.len();
        let digits = text[number..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let start = number + digits + 1;
        let end = start + DIGITS;
        let index = std::str::from_utf8(&text[number..number + digits])
            .ok()
            .and_then(|n| n.parse().ok());
        match (index, text.get(start..end)) {
            (Some(index), Some(hex))
                if text[start - 1] == b'_' && hex.iter().all(u8::is_ascii_hexdigit) =>
            {
                found.push((at, end, index));
                at = end;
            }
            _ => at = number,
        }
    }
    found
}

/// The plan with fresh names. Names keep their length, so that nothing else of the encoded plan changes.
pub(crate) fn refreshed(plan: proto::Plan) -> proto::Plan {
    let mut bytes = plan.encode_to_vec();
    let names = names(&bytes, INPUT);
    if names.is_empty() {
        return plan;
    }
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    for (_, end, _) in names {
        for (byte, salt) in bytes[end - DIGITS..end].iter_mut().zip(nonce.bytes()) {
            let digit = |c: u8| char::from(c).to_digit(16).unwrap_or(0);
            let mixed = digit(*byte) ^ digit(salt);
            *byte = char::from_digit(mixed, 16).map_or(b'0', |c| c as u8);
        }
    }
    proto::Plan::decode(bytes.as_slice()).unwrap_or(plan)
}

/// A message of the server with the user's names for the inputs.
pub(crate) fn readable(message: &str, users: &[String]) -> String {
    let mut out = String::with_capacity(message.len());
    let mut done = 0;
    let mut found = [INPUT, VIEW]
        .map(|prefix| names(message.as_bytes(), prefix))
        .concat();
    found.sort_unstable();
    for (start, end, index) in found {
        out.push_str(&message[done..start]);
        out.push_str(users.get(index).map_or("input", String::as_str));
        done = end;
    }
    out.push_str(&message[done..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::plan;
    use crate::dsl::relation;

    #[test]
    fn each_request_has_names_of_its_own_in_text_and_alias() {
        let alias = name(3);
        let query = proto::Sql {
            query: format!("SELECT * FROM `{alias}`, `{alias}` AS b"),
            ..Default::default()
        };
        let sql = relation(proto::relation::RelType::Sql(query));
        let once = format!("{:?}", refreshed(plan(sql.clone())));
        let twice = format!("{:?}", refreshed(plan(sql)));
        assert!(!once.contains(&alias) && once != twice);
        let found = names(once.as_bytes(), INPUT);
        assert_eq!(found.len(), 2);
        assert_eq!(once[found[0].0..found[0].1], once[found[1].0..found[1].1]);
    }

    #[test]
    fn messages_show_the_names_of_the_user() {
        let users = ["{df}".to_owned(), "{nodes.x}".to_owned()];
        let message = format!("no column `a` in `{}`", name(1));
        assert_eq!(readable(&message, &users), "no column `a` in `{nodes.x}`");
        let message = format!("no column `a` in `{}`, `{}`", view(1), view(0));
        assert_eq!(
            readable(&message, &users),
            "no column `a` in `{nodes.x}`, `{df}`"
        );
        assert_eq!(readable("laktory_input_x", &users), "laktory_input_x");
    }
}
