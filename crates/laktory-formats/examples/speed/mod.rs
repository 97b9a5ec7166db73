//! What measurements share.

/// Seconds of a processor that were used so far; other work of the machine counts little then.
pub(crate) fn cpu() -> f64 {
    let used = std::fs::read_to_string("/proc/self/schedstat").ok();
    let nanoseconds = used.and_then(|used| used.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.unwrap() / 1e9
}

/// GB for each second since.
pub(crate) fn per_second(bytes: f64, since: f64) -> f64 {
    bytes / (cpu() - since) / 1e9
}
