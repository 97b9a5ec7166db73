//! What the system gives this process. Engines end a process that gets no thread or no memory, without a word of ours;
//! what can be known is told before.

use laktory_core::{Error, ErrorKind, Result};

/// Address space that a run needs, in bytes: stacks of threads, and what engines set aside.
const ADDRESS_SPACE: u64 = 1_500 << 20;
/// Files that a run needs open at once.
const OPEN_FILES: u64 = 24;

/// Whether limits of this process leave room for a run.
///
/// # Errors
/// `Io`, which names the limit.
pub fn enough_resources() -> Result<()> {
    enough_stack(std::env::var("RUST_MIN_STACK").ok().as_deref())?;
    // Other systems have no such file, and seldom such limits.
    match std::fs::read_to_string("/proc/self/limits") {
        Ok(limits) => judge(&limits),
        Err(_) => Ok(()),
    }
}

/// Threads of engines have stacks of this many bytes, if nothing else is asked for.
const STACK: u64 = 2 << 20;

/// Whether the environment leaves threads the stack that they would have without it.
fn enough_stack(asked: Option<&str>) -> Result<()> {
    match asked.map(str::parse::<u64>) {
        Some(Ok(bytes)) if bytes < STACK => few(
            format!(
                "{bytes} bytes of stack for each thread (`RUST_MIN_STACK`), {STACK} are needed"
            ),
            "leave the variable out",
        ),
        _ => Ok(()),
    }
}

fn few(what: String, hint: &str) -> Result<()> {
    Err(Error::new(
        ErrorKind::Io,
        format!("the limits of this process leave too little for a run: {what}"),
    )
    .with_hint(hint))
}

fn judge(limits: &str) -> Result<()> {
    if let Some(space) = soft(limits, "Max address space").filter(|space| *space < ADDRESS_SPACE) {
        let what = format!(
            "{} MB of address space, {} are needed",
            space >> 20,
            ADDRESS_SPACE >> 20
        );
        return few(
            what,
            "raise it (`ulimit -v`), or limit the memory of the container",
        );
    }
    if let Some(files) = soft(limits, "Max open files").filter(|files| *files < OPEN_FILES) {
        let what = format!("{files} open files, {OPEN_FILES} are needed");
        return few(what, "raise it (`ulimit -n`)");
    }
    Ok(())
}

/// The limit in force; none where there is none.
fn soft(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_resources_are_told() {
        let limits = |space: &str, files: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units\n\
                 Max open files            {files}                 1048576              files\n\
                 Max address space         {space}            unlimited            bytes\n"
            )
        };
        assert!(judge(&limits("unlimited", "1024")).is_ok());
        assert!(judge("").is_ok());
        let space = judge(&limits("409600000", "1024")).unwrap_err();
        assert!(space.message().contains("390 MB of address space"));
        let files = judge(&limits("unlimited", "12")).unwrap_err();
        assert!(files.message().contains("12 open files"));
    }
    #[test]
    fn a_stack_of_nothing_is_no_stack() {
        for (asked, fits) in [
            (None, true),
            (Some("x"), true),
            (Some("8388608"), true),
            (Some("1"), false),
        ] {
            assert_eq!(enough_stack(asked).is_ok(), fits, "{asked:?}");
        }
    }
}
