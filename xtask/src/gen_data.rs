//! `gen-data`: stock prices as JSON Lines, in the shape of the example pipeline. The same seed gives the same bytes.
//!
//! Bars lie in market hours of weekdays: hourly ones for small sets, one for each minute for large ones, so that two
//! million rows take five years and not two centuries. About one row in twenty is repeated, about one price in forty
//! is null.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::Options;

/// Symbols, with a price to start from in millionths and a typical volume.
const SYMBOLS: &[(&str, i64, i64)] = &[
    ("AAPL", 125_070_000, 4_300_000),
    ("AMZN", 85_820_000, 4_100_000),
    ("GOOGL", 89_120_000, 3_000_000),
    ("MSFT", 239_580_000, 2_600_000),
];

/// From this number of rows on, bars are a minute long.
const LARGE: u64 = 100_000;

/// What to generate.
#[derive(Clone, Debug)]
struct Plan {
    rows: u64,
    files: u64,
    seed: u64,
}

/// Carries out the task.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let rows = options.number("rows", 80)?;
    let plan = Plan {
        rows,
        files: options.number(
            "files",
            if rows < LARGE {
                3
            } else {
                rows.div_ceil(250_000)
            },
        )?,
        seed: options.number("seed", 7)?,
    };
    let folder = options.get("out").map_or_else(
        || crate::cargo::root().join("examples/stock_prices/data/stock_prices"),
        PathBuf::from,
    );
    let started = Instant::now();
    let bytes = generate(&plan, &folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    println!(
        "{rows} rows, {bytes} bytes, {} files in {} ({:.1} s)",
        plan.files,
        folder.display(),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Writes the files; returns the bytes written. Files of an earlier call are replaced.
fn generate(plan: &Plan, folder: &Path) -> std::io::Result<u64> {
    std::fs::create_dir_all(folder)?;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.starts_with("part-") && name.ends_with(".jsonl") {
            std::fs::remove_file(&path)?;
        }
    }
    let files = plan.files.clamp(1, plan.rows.max(1));
    let mut market = Market::new(plan.seed, plan.rows >= LARGE);
    let (mut written, mut bytes) = (0, 0);
    let mut line = Vec::with_capacity(512);
    for file in 0..files {
        let until = plan.rows * (file + 1) / files;
        let path = folder.join(format!("part-{file:04}.jsonl"));
        let mut writer = BufWriter::with_capacity(1 << 20, File::create(path)?);
        while written < until {
            if line.is_empty() || !market.random.one_in(20) {
                line.clear();
                market.next_line(&mut line);
            }
            writer.write_all(&line)?;
            bytes += line.len() as u64;
            written += 1;
        }
        writer.flush()?;
    }
    Ok(bytes)
}

/// Where time and prices stand.
struct Market {
    random: Random,
    /// Days since 1970-01-01.
    day: i64,
    /// Bar of the day.
    bar: i64,
    symbol: usize,
    prices: Vec<i64>,
    minutes: i64,
    bars: i64,
}

impl Market {
    fn new(seed: u64, large: bool) -> Self {
        let (minutes, bars) = if large { (1, 390) } else { (60, 7) };
        Self {
            random: Random::new(seed),
            // 2023-01-03, the first day of trading of its year.
            day: 19_360,
            bar: 0,
            symbol: 0,
            prices: SYMBOLS.iter().map(|(_, price, _)| *price).collect(),
            minutes,
            bars,
        }
    }

    fn next_line(&mut self, line: &mut Vec<u8>) {
        let (name, _, volume) = SYMBOLS[self.symbol];
        let open = self.prices[self.symbol];
        // At most half a percent in either direction.
        let close = (open + self.random.between(-open / 200, open / 200)).max(1_000_000);
        let high = open.max(close) + self.random.between(0, open / 500);
        let low = open.min(close) - self.random.between(0, open / 500);
        self.prices[self.symbol] = close;
        let volume = volume + self.random.between(-volume / 2, volume);

        line.extend_from_slice(b"{\"name\":\"stock_price\",\"description\":\"price of one bar\",");
        line.extend_from_slice(b"\"producer\":{\"name\":\"gen-data\"},\"data\":{\"created_at\":\"");
        self.write_time(line);
        line.extend_from_slice(b"\",\"symbol\":\"");
        line.extend_from_slice(name.as_bytes());
        line.push(b'"');
        for (field, price) in [
            ("open", open),
            ("close", close),
            ("high", high),
            ("low", low),
        ] {
            line.extend_from_slice(b",\"");
            line.extend_from_slice(field.as_bytes());
            line.extend_from_slice(b"\":");
            if self.random.one_in(40) {
                line.extend_from_slice(b"null");
            } else {
                write_number(line, price / 1_000_000, 1);
                line.push(b'.');
                write_number(line, price % 1_000_000, 6);
            }
        }
        line.extend_from_slice(b",\"volume\":");
        write_number(line, volume, 1);
        line.extend_from_slice(b".0}}\n");
        self.advance();
    }

    fn write_time(&self, line: &mut Vec<u8>) {
        let (year, month, day) = civil(self.day);
        let minute = 9 * 60 + 30 + self.bar * self.minutes;
        write_number(line, year, 4);
        line.push(b'-');
        write_number(line, month, 2);
        line.push(b'-');
        write_number(line, day, 2);
        line.push(b'T');
        write_number(line, minute / 60, 2);
        line.push(b':');
        write_number(line, minute % 60, 2);
        line.extend_from_slice(b":00");
    }

    fn advance(&mut self) {
        self.symbol += 1;
        if self.symbol < SYMBOLS.len() {
            return;
        }
        self.symbol = 0;
        self.bar += 1;
        if self.bar < self.bars {
            return;
        }
        self.bar = 0;
        self.day += 1;
        // 1970-01-01 was a Thursday; no trading on Saturday and Sunday.
        while (self.day + 4) % 7 == 0 || (self.day + 4) % 7 == 6 {
            self.day += 1;
        }
    }
}

/// Digits of a number that is not negative, with at least `width` of them.
fn write_number(line: &mut Vec<u8>, mut number: i64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    while number > 0 {
        start -= 1;
        digits[start] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
    let start = start.min(digits.len() - width);
    line.extend_from_slice(&digits[start..]);
}

/// Year, month and day of a day since 1970-01-01 (Gregorian, after 1970).
fn civil(days: i64) -> (i64, i64, i64) {
    // Eras of 400 years that begin on the first of March.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A small generator (xorshift64*): no dependency, and the same numbers on every machine.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        // Zero is the one state that the generator cannot leave.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 1
    }

    /// A number from `low` to `high`, both included.
    fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low).unwrap_or(0) + 1;
        low + i64::try_from(self.next() % width).unwrap_or(0)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn lines(plan: &Plan, tag: &str) -> Vec<String> {
        let folder = std::env::temp_dir().join(format!("laktory-gen-{tag}-{}", std::process::id()));
        generate(plan, &folder).unwrap();
        let mut files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        files.sort();
        assert_eq!(files.len() as u64, plan.files);
        let lines = files
            .iter()
            .flat_map(|file| {
                std::fs::read_to_string(file)
                    .unwrap()
                    .lines()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        std::fs::remove_dir_all(&folder).unwrap();
        lines
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let plan = Plan {
            rows: 200,
            files: 3,
            seed: 7,
        };
        let first = lines(&plan, "a");
        assert_eq!(first.len(), 200);
        assert_eq!(first, lines(&plan, "b"));
        assert_ne!(first, lines(&Plan { seed: 8, ..plan }, "c"));
    }

    #[test]
    fn rows_have_the_shape_of_the_example() {
        let lines = lines(
            &Plan {
                rows: 2_000,
                files: 2,
                seed: 1,
            },
            "d",
        );
        let rows: Vec<Value> = lines
            .iter()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        let mut nulls = 0;
        for row in &rows {
            let data = &row["data"];
            assert_eq!(data["created_at"].as_str().unwrap().len(), 19);
            assert!(data["volume"].as_f64().unwrap() > 0.0);
            if let (Some(low), Some(high)) = (data["low"].as_f64(), data["high"].as_f64()) {
                assert!(low <= high);
            }
            nulls += ["open", "close", "high", "low"]
                .iter()
                .filter(|f| data[**f].is_null())
                .count();
        }
        let repeated = lines.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert!((50..200).contains(&repeated), "{repeated} repeated");
        assert!((120..300).contains(&nulls), "{nulls} nulls");
    }

    #[test]
    fn days_become_dates_and_weekends_are_left_out() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(19_360), (2023, 1, 3));
        assert_eq!(civil(19_782), (2024, 2, 29));
        let mut market = Market::new(1, false);
        for _ in 0..5_000 {
            market.advance();
            assert!(!matches!((market.day + 4) % 7, 0 | 6));
        }
    }
}
