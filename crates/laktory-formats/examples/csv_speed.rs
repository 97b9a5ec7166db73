//! How fast files of CSV are looked at and decoded: `cargo run --release -p laktory-formats --example csv_speed [FILE]`.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement")]

mod speed;

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use laktory_core::{Format, ReadSpec};
use laktory_formats::csv::Reading;
use speed::{cpu, per_second};

fn main() {
    match std::env::args().nth(1) {
        Some(file) => measured(&PathBuf::from(file)),
        None => {
            for note in ["sold and paid", "\"sold, and paid\""] {
                measured(&generated(note));
            }
        }
    }
}

fn measured(file: &PathBuf) {
    let bytes = std::fs::metadata(file).unwrap().len() as f64;
    let spec = ReadSpec::new(Format::Csv, "x");
    for _ in 0..3 {
        let reading = Reading::new(&spec, std::slice::from_ref(file), &[], |file| {
            Ok(Box::new(BufReader::with_capacity(
                1 << 16,
                File::open(file)?,
            )))
        });
        let reading = Arc::new(reading.unwrap());
        let start = cpu();
        let survey = reading.survey().unwrap();
        let looked = per_second(bytes, start);
        let start = cpu();
        let all: Vec<usize> = (0..reading.columns().len()).collect();
        let rows: usize = reading
            .batches(0, &all, 8192)
            .unwrap()
            .map(|batch| batch.unwrap().num_rows())
            .sum();
        let decoded = per_second(bytes, start);
        println!(
            "{} rows, clean: {}, looked at: {looked:.2} GB/s, decoded ({rows} rows): {decoded:.2} GB/s",
            survey.rows, survey.clean
        );
    }
}

/// A file of orders.
fn generated(note: &str) -> PathBuf {
    let path = std::env::temp_dir().join("laktory_csv_speed.csv");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    writeln!(file, "id,customer,day,price,note").unwrap();
    for row in 0..3_000_000_u64 {
        let day = row % 28 + 1;
        writeln!(
            file,
            "{row},customer {},2024-01-{day:02},{}.{:02},{note}",
            row % 997,
            row % 1000,
            row % 100
        )
        .unwrap();
    }
    file.flush().unwrap();
    path
}
