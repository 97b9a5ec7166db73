//! How fast files of JSON lines are looked at and decoded:
//! `cargo run --release -p laktory-formats --example json_speed [FILE]`.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement")]

mod speed;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use laktory_core::{BlockingPool, Cancel, RunCx};
use laktory_formats::json::{Decoding, Known, Layout, Question, Source, decode};
use speed::{cpu, per_second};

struct Inline;

impl BlockingPool for Inline {
    fn spawn(&self, work: Box<dyn FnOnce() + Send>) {
        work();
    }
}

fn main() {
    let file = std::env::args()
        .nth(1)
        .map_or_else(generated, PathBuf::from);
    let bytes = std::fs::metadata(&file).unwrap().len() as f64;
    let scratch = std::env::temp_dir();
    let cx = RunCx::new(
        Arc::new(Inline),
        Cancel::new(),
        scratch,
        1 << 20,
        SystemTime::now(),
    );
    for _ in 0..3 {
        let question = Question {
            sources: vec![Source::new(&file, None)],
            layout: Layout::Lines,
            declared: None,
            first: None,
            rows: true,
        };
        let known = Arc::new(Known::default());
        let start = cpu();
        let mut asked = pin!(question.ask(&cx, &known));
        let Poll::Ready(answer) = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        else {
            return;
        };
        let answer = answer.unwrap();
        let looked = per_second(bytes, start);
        let start = cpu();
        let decoding = Decoding {
            source: Source::new(&file, None),
            layout: Layout::Lines,
            range: None,
            batch_size: 8_192,
            complete: false,
        };
        let batches = decode(decoding, &answer.columns).unwrap();
        let rows: usize = batches.map(|batch| batch.unwrap().num_rows()).sum();
        let decoded = per_second(bytes, start);
        println!(
            "{:?} rows, looked at: {looked:.2} GB/s, decoded ({rows} rows): {decoded:.2} GB/s",
            answer.records
        );
    }
}

/// A file of orders.
fn generated() -> PathBuf {
    let path = std::env::temp_dir().join("laktory_json_speed.jsonl");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    for row in 0..1_500_000_u64 {
        let day = row % 28 + 1;
        writeln!(
            file,
            r#"{{"id":{row},"customer":"customer {}","day":"2024-01-{day:02}","price":{}.{:02},"note":"sold and paid","lines":{{"count":{},"parts":[1,2]}}}}"#,
            row % 997,
            row % 1000,
            row % 100,
            row % 7
        )
        .unwrap();
    }
    file.flush().unwrap();
    path
}
