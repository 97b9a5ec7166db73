//! The ways in which a file can carry a text: plain, in quotes, in blocks, from other files, with variables in it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Mistake;

/// The rows that mistakes are made on.
pub(super) const FRAMES: &[(&str, &str)] = &[
    (
        "orders.jsonl",
        concat!(
            r#"{"order_id": 1, "customer": "ann", "amount": 2.5, "qty": 2, "paid": true, "day": "2024-01-31", "#,
            r#""at": "2024-01-31T10:00:00", "price": 9.99, "tags": ["a"], "address": {"street": "x", "zip": 1}}"#,
            "\n"
        ),
    ),
    (
        "customers.jsonl",
        "{\"customer\": \"ann\", \"city\": \"bern\", \"since\": \"2023-01-01\", \"order_id\": \"1\", \"score\": 1.5}\n",
    ),
    (SOUND.0, SOUND.1),
];

/// A pipeline without a mistake.
pub(super) const SOUND: (&str, &str) = (
    "sound.yaml",
    "name: sound\nnodes:\n- name: a\n  source: {data: [{x: 1}]}\n",
);

const ORDERS: &str = "path: orders.jsonl
    format: JSONL
    schema: {columns: {order_id: int64, customer: string, amount: float64, qty: int32, paid: boolean, day: date, at: timestamp_ntz, price: 'decimal(10, 2)', tags: list<string>, address: 'struct<street: string, zip: int64>'}}";

const CUSTOMERS: &str = "
- name: customers
  source:
    path: customers.jsonl
    format: JSONL
    schema: {columns: {customer: string, city: string, since: date, order_id: string, score: float64}}";

/// A pipeline with the mistake in it.
#[derive(Debug)]
pub(super) struct Carried {
    /// How it carries the text.
    pub(super) carrier: &'static str,
    /// The file to validate.
    pub(super) name: String,
    /// All files, without marks.
    pub(super) files: BTreeMap<String, String>,
    pub(super) word: Word,
}

/// Where the wrong word is: lines and columns of its start and end, without and with the quotes around it.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) file: String,
    pub(super) spans: Vec<(Place, Place)>,
}

/// Line and column, from 1.
type Place = (usize, usize);

/// The files of a mistake, one for each way to carry it.
pub(super) fn of(mistake: &Mistake) -> Result<Vec<Carried>, String> {
    let mut carried = Vec::new();
    let mut add = |carrier: &'static str, text: String, part: Option<(&str, String)>| {
        let number = carried.len() + 1;
        let name = format!("{number}.yaml");
        let mut files = BTreeMap::new();
        if let Some((file, part)) = part {
            files.insert(format!("{number}.{file}"), part);
        }
        files.insert(name.clone(), text.replace("@@", &number.to_string()));
        carried.push(marked(carrier, name, files)?);
        Ok::<_, String>(())
    };
    if let Some(file) = &mistake.file {
        add("as it is", file.clone(), None)?;
        return Ok(carried);
    }
    if let Some(keys) = &mistake.node {
        let keys = keys.trim_end();
        let node = format!("name: a\n{keys}\n");
        add(
            "as it is",
            pipeline(&format!("\n- {}", indented(&node, 2))),
            None,
        )?;
        let outer = pipeline("\n- !use @@.part.yaml");
        add("included", outer, Some(("part.yaml", node)))?;
        return Ok(carried);
    }
    if let Some(steps) = mistake.steps.as_ref().or(mistake.step.as_ref()) {
        let steps = match &mistake.steps {
            Some(steps) => steps.trim_end().to_owned(),
            None => format!("- {}", indented(steps.trim_end(), 2)),
        };
        let node = |steps: &str| {
            format!("\n- name: a\n  source:\n    {ORDERS}\n  transformer:\n    nodes:{steps}")
        };
        let inner = format!("\n    {}", indented(&steps, 4));
        add("as it is", pipeline(&node(&inner)), None)?;
        let outer = pipeline(&node(" !use @@.part.yaml"));
        add("included", outer, Some(("part.yaml", format!("{steps}\n"))))?;
        return Ok(carried);
    }
    let slot = Slot::of(mistake)?;
    for (carrier, written) in ways(&slot.text, slot.is_sql) {
        let (carrier, node) = (carrier, slot.node(&written));
        add(carrier, pipeline(&node), None)?;
    }
    let single = quoted(&slot.text);
    let node = slot.node(&single);
    let item = node.trim_start().trim_start_matches("- ");
    let outer = pipeline("\n- !use @@.part.yaml");
    add(
        "included",
        outer,
        Some(("part.yaml", format!("{}\n", dedented(item)))),
    )?;
    if slot.is_statement {
        let node = slot.node("!use @@.part.sql");
        let text = format!("-- from a file\n{}\n", slot.text);
        add(
            "of a file of SQL",
            pipeline(&node),
            Some(("part.sql", text)),
        )?;
    }
    if let Some((text, value)) = with_variable(&slot.text) {
        let node = format!(
            "{}\n  variables: {{word: {value}}}",
            slot.node(&quoted(&text))
        );
        add("with a variable", pipeline(&node), None)?;
    }
    Ok(carried)
}

/// A place for a text.
struct Slot {
    text: String,
    is_sql: bool,
    is_statement: bool,
    /// What stands before the text, in a node whose source is the orders.
    before: String,
}

impl Slot {
    fn of(mistake: &Mistake) -> Result<Self, String> {
        let steps = |step: &str| format!("\n  transformer:\n    nodes:\n    - {step}");
        let texts = [
            (&mistake.sql, steps("expr: "), true),
            (
                &mistake.rule,
                "\n  expectations:\n  - name: rule\n    expr: ".to_owned(),
                true,
            ),
            (&mistake.filter, "\n    filter: ".to_owned(), true),
            (&mistake.selects, "\n    selects:\n    - ".to_owned(), true),
            (
                &mistake.column,
                steps("func_name: with_columns\n      func_kwargs:\n        made: "),
                false,
            ),
        ];
        for (text, before, is_sql) in texts {
            if let Some(text) = text {
                return Ok(Self {
                    text: text.clone(),
                    is_sql,
                    is_statement: mistake.sql.is_some(),
                    before,
                });
            }
        }
        let (Some(text), Some(method)) = (&mistake.argument, &mistake.to) else {
            return Err("a mistake without a text".to_owned());
        };
        let (method, first) = match method.split_once(", ") {
            Some((method, first)) => (method, format!("\n      - {first}")),
            None => (method.as_str(), String::new()),
        };
        Ok(Self {
            text: text.clone(),
            is_sql: false,
            is_statement: false,
            before: steps(&format!(
                "func_name: {method}\n      func_args:{first}\n      - "
            )),
        })
    }

    /// The node with the text, written in some way.
    fn node(&self, written: &str) -> String {
        format!(
            "\n- name: a\n  source:\n    {ORDERS}{}{written}",
            self.before
        )
    }
}

fn pipeline(nodes: &str) -> String {
    format!("name: p\nnodes:{CUSTOMERS}{nodes}\n")
}

/// A text in every way that a scalar of YAML can be written.
fn ways(text: &str, is_sql: bool) -> Vec<(&'static str, String)> {
    let mut ways = Vec::new();
    let bare = bare(text);
    let is_plain = bare.starts_with(|char: char| char.is_alphabetic() || char == '_')
        && !bare.contains(": ")
        && !bare.contains(" #")
        && !bare.ends_with([':', ' '])
        && !bare.contains('\n');
    if is_plain {
        ways.push(("plain", text.to_owned()));
    }
    ways.push(("in single quotes", quoted(text)));
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    ways.push(("in double quotes", format!("\"{escaped}\"")));
    // As deep as a list in the arguments of a step, and deeper than any key around it.
    let block = |text: &str| text.replace('\n', "\n            ");
    let broken = broken(text);
    let literal = if is_sql { &broken } else { text };
    // A name has no line end.
    let strip = if is_sql { "" } else { "-" };
    ways.push((
        "in a block",
        format!("|{strip}\n            {}", block(literal)),
    ));
    if !text.contains('\n') {
        ways.push((
            "in a folded block",
            format!(">{strip}\n            {}", block(&broken)),
        ));
    }
    ways
}

fn quoted(text: &str) -> String {
    format!(
        "'{}'",
        text.replace('\'', "''").replace('\n', "\n\n            ")
    )
}

/// The text in two lines: the first blank outside of quotes and marks, other than the last character, ends a line.
fn broken(text: &str) -> String {
    let (mut quote, mut in_mark) = (None, false);
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (None, '«') => in_mark = true,
            (None, '»') => in_mark = false,
            (None, '\'' | '"') => quote = Some(char),
            (Some(open), char) if open == char => quote = None,
            (None, ' ') if !in_mark && at > 0 && !text[at + 1..].starts_with(' ') => {
                return format!("{}\n{}", &text[..at], &text[at + 1..]);
            }
            _ => {}
        }
    }
    text.to_owned()
}

/// The text with a variable for one of its words, and that word.
fn with_variable(text: &str) -> Option<(String, &'static str)> {
    const WORDS: &[&str] = &[
        "order_id", "customer", "amount", "qty", "paid", "day", "tags", "price", "FROM", "with",
        "city",
    ];
    let marked = text.find('«')?..text.find('»')?;
    let found = WORDS.iter().filter_map(|word| {
        let at = text.find(word)?;
        let is_word =
            |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
        let alone = !is_word(text[..at].chars().next_back())
            && !is_word(text[at + word.len()..].chars().next());
        let apart = at + word.len() <= marked.start || at >= marked.end;
        (alone && apart).then_some((at, word))
    });
    let (at, word) = found.min()?;
    let rest = &text[at + word.len()..];
    Some((format!("{}${{vars.word}}{rest}", &text[..at]), word))
}

fn indented(text: &str, by: usize) -> String {
    text.replace('\n', &format!("\n{}", " ".repeat(by)))
}

/// An item of a list as a document of its own.
fn dedented(item: &str) -> String {
    item.replace("\n  ", "\n")
}

fn bare(text: &str) -> String {
    text.replace(['«', '»'], "")
}

/// The files without their marks, and where these stood.
fn marked(
    carrier: &'static str,
    name: String,
    mut files: BTreeMap<String, String>,
) -> Result<Carried, String> {
    let mut word = None;
    for (file, text) in &mut files {
        let (Some(start), Some(end)) = (text.find('«'), text.find('»')) else {
            continue;
        };
        let range = start..end - '«'.len_utf8();
        *text = bare(text);
        word = Some(Word {
            file: file.clone(),
            spans: spans(text, &range),
        });
    }
    Ok(Carried {
        carrier,
        name,
        files,
        word: word.ok_or("a mistake without a mark")?,
    })
}

/// The places of a word, without and with the quotes around it.
fn spans(text: &str, range: &Range<usize>) -> Vec<(Place, Place)> {
    let mut spans = vec![(place(text, range.start), place(text, range.end))];
    let (before, after) = (
        text[..range.start].chars().next_back(),
        text[range.end..].chars().next(),
    );
    // The quotes of YAML alone: those of an expression are not part of the word.
    let is_value = |before: &str| before.ends_with([' ', '[']) || before.ends_with("- ");
    if let (Some(open @ ('\'' | '"')), Some(close)) = (before, after)
        && open == close
        && is_value(&text[..range.start - 1])
        && !text[..range.start - 1].ends_with(['(', ','])
    {
        spans.push((place(text, range.start - 1), place(text, range.end + 1)));
    }
    spans
}

fn place(text: &str, at: usize) -> Place {
    let line = text[..at].matches('\n').count() + 1;
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    (line, text[start..at].chars().count() + 1)
}
