//! What a test sees of the recorder's sessions, and what it makes them do.
//!
//! Sessions are opened by the executor, out of the test's reach; a [`Script`] reaches them through the settings of the
//! run. Without one a session keeps no log and does as it is told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use laktory_core::{BackendConfig, Error, ErrorKind, Job, Result, RunCx, Target};

use super::Recorded;

/// The setting that leads a session to its script.
const SETTING: &str = "recorder.script";

static SCRIPTS: Mutex<BTreeMap<String, Weak<State>>> = Mutex::new(BTreeMap::new());

/// A method of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the methods of `Backend`")]
pub enum Verb {
    Apply,
    Read,
    Sql,
    Schema,
    Execute,
    Export,
    Import,
}

/// One call of a session.
#[derive(Clone, Debug)]
pub struct Call {
    /// The session's backend.
    pub backend: &'static str,
    /// The method.
    pub verb: Verb,
    /// What was asked: a path, a step, a statement. For `execute` one line for each job: `write PATH`, `materialize`,
    /// `collect`.
    pub asked: Vec<String>,
    /// The steps of each frame that was handed in.
    pub steps: Vec<Vec<String>>,
}

impl Call {
    pub(super) fn new(
        backend: &'static str,
        verb: Verb,
        asked: impl Into<String>,
        frames: &[&Recorded],
    ) -> Self {
        Self {
            backend,
            verb,
            asked: vec![asked.into()],
            steps: frames.iter().map(|frame| frame.steps.clone()).collect(),
        }
    }

    pub(super) fn execute(backend: &'static str, jobs: &[(&Recorded, &Job)]) -> Self {
        let target = |job: &Job| match &job.target {
            Target::Write(spec) => format!("write {}", spec.path.display()),
            Target::Materialize => "materialize".to_owned(),
            _ => "collect".to_owned(),
        };
        Self {
            backend,
            verb: Verb::Execute,
            asked: jobs.iter().map(|(_, job)| target(job)).collect(),
            steps: jobs.iter().map(|(frame, _)| frame.steps.clone()).collect(),
        }
    }

    /// Whether `text` is part of what was asked, or of a step that led to a frame.
    #[must_use]
    pub fn mentions(&self, text: &str) -> bool {
        let steps = self.steps.iter().flatten();
        self.asked
            .iter()
            .chain(steps)
            .any(|line| line.contains(text))
    }
}

/// Something that a session does beside or instead of what it is told.
#[derive(Clone)]
pub enum Behaviour {
    /// The call fails. An `execute` leaves half-written files behind.
    Fail(ErrorKind, &'static str),
    /// The call panics. An `execute` leaves half-written files behind.
    Panic(&'static str),
    /// The call panics on the pool for blocking work.
    PanicOnPool(&'static str),
    /// `execute` lets other work go on this many times before it begins.
    Turns(usize),
    /// `execute` lets other work go on until this says yes.
    Until(Arc<dyn Fn() -> bool + Send + Sync>),
    /// The test does something of its own first.
    Act(Arc<dyn Fn() + Send + Sync>),
    /// `execute` tells these numbers of rows for its outputs and kept frames, in the order of the jobs.
    Rows(Vec<u64>),
    /// `execute` collects these values, by column.
    Collected(Vec<(&'static str, i64)>),
    /// `execute` writes this text in the place of each document.
    Contents(&'static str),
    /// `execute` loses its last outcome.
    Forget,
}

impl Behaviour {
    /// Waits for something of the test's own.
    #[must_use]
    pub fn until(done: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self::Until(Arc::new(done))
    }

    /// Does something of the test's own.
    #[must_use]
    pub fn act(action: impl Fn() + Send + Sync + 'static) -> Self {
        Self::Act(Arc::new(action))
    }
}

impl fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fail(..) => "Fail",
            Self::Panic(_) => "Panic",
            Self::PanicOnPool(_) => "PanicOnPool",
            Self::Turns(_) => "Turns",
            Self::Until(_) => "Until",
            Self::Act(_) => "Act",
            Self::Rows(_) => "Rows",
            Self::Collected(_) => "Collected",
            Self::Contents(_) => "Contents",
            Self::Forget => "Forget",
        })
    }
}

type Matcher = Box<dyn Fn(&Call) -> bool + Send + Sync>;

#[derive(Default)]
pub(super) struct State {
    calls: Mutex<Vec<Call>>,
    rules: Mutex<Vec<(Matcher, Behaviour)>>,
    running: AtomicUsize,
    most: AtomicUsize,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The log of some sessions, and rules on what they do.
///
/// ```
/// use laktory_core::ErrorKind;
/// use laktory_testkit::recorder::{Behaviour, Script, Verb};
///
/// let script = Script::new().on(Verb::Execute, "a.json", Behaviour::Fail(ErrorKind::Compute, "out of luck"));
/// let settings = script.settings(); // for the run
/// assert!(script.calls(Verb::Execute).is_empty());
/// ```
#[derive(Debug)]
pub struct Script {
    id: String,
    state: Arc<State>,
}

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}

impl Script {
    /// A log without rules.
    #[must_use]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
        let state = Arc::new(State::default());
        locked(&SCRIPTS).insert(id.clone(), Arc::downgrade(&state));
        Self { id, state }
    }

    /// Adds a rule for the calls of `verb` that mention `text`. All rules that match a call apply, in order.
    #[must_use]
    pub fn on(self, verb: Verb, text: &str, behaviour: Behaviour) -> Self {
        let text = text.to_owned();
        self.when(
            move |call| call.verb == verb && call.mentions(&text),
            behaviour,
        )
    }

    /// Adds a rule for the calls that match.
    #[must_use]
    pub fn when(
        self,
        matches: impl Fn(&Call) -> bool + Send + Sync + 'static,
        behaviour: Behaviour,
    ) -> Self {
        locked(&self.state.rules).push((Box::new(matches), behaviour));
        self
    }

    /// The settings that lead a run's sessions here.
    #[must_use]
    pub fn settings(&self) -> BackendConfig {
        BackendConfig::from([(SETTING.to_owned(), self.id.clone())])
    }

    /// The calls of `verb` so far, in order.
    #[must_use]
    pub fn calls(&self, verb: Verb) -> Vec<Call> {
        let calls = locked(&self.state.calls);
        calls
            .iter()
            .filter(|call| call.verb == verb)
            .cloned()
            .collect()
    }

    /// The greatest number of `execute` calls that were under way at a time.
    #[must_use]
    pub fn most_at_a_time(&self) -> usize {
        self.state.most.load(Ordering::SeqCst)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        locked(&SCRIPTS).remove(&self.id);
    }
}

/// A session's end of a script.
#[derive(Debug, Default)]
pub(super) struct Link(Option<Arc<State>>);

impl Link {
    pub(super) fn from(settings: &BackendConfig) -> Self {
        let id = settings.get(SETTING);
        Self(id.and_then(|id| locked(&SCRIPTS).get(id).and_then(Weak::upgrade)))
    }

    /// Takes the call down, and gives what the rules say about it.
    pub(super) fn note(&self, call: Call) -> Vec<Behaviour> {
        let Some(state) = &self.0 else {
            return Vec::new();
        };
        let rules = locked(&state.rules);
        let matching = rules.iter().filter(|(matches, _)| matches(&call));
        let behaviours = matching.map(|(_, behaviour)| behaviour.clone()).collect();
        drop(rules);
        locked(&state.calls).push(call);
        behaviours
    }

    /// As [`Link::note`], for a call that only fails or not.
    pub(super) fn obey(&self, call: Call) -> Result<()> {
        for behaviour in self.note(call) {
            match behaviour {
                Behaviour::Fail(kind, message) => return Err(Error::new(kind, message)),
                Behaviour::Panic(message) => panic!("{message}"),
                Behaviour::Act(action) => action(),
                _ => {}
            }
        }
        Ok(())
    }

    /// Counts an `execute` call until the guard is dropped.
    pub(super) fn enter(&self) -> Option<Running> {
        let state = Arc::clone(self.0.as_ref()?);
        let now = state.running.fetch_add(1, Ordering::SeqCst) + 1;
        state.most.fetch_max(now, Ordering::SeqCst);
        Some(Running(state))
    }
}

pub(super) struct Running(Arc<State>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How an `execute` call ends differently.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) rows: Option<Vec<u64>>,
    pub(super) collected: Option<Vec<(&'static str, i64)>>,
    pub(super) contents: Option<&'static str>,
    pub(super) forget: bool,
}

impl Answers {
    /// Goes through the rules on an `execute` call.
    pub(super) async fn after(
        behaviours: Vec<Behaviour>,
        cx: &RunCx,
        jobs: &[Job],
    ) -> Result<Self> {
        let mut answers = Self::default();
        for behaviour in behaviours {
            match behaviour {
                Behaviour::Turns(turns) => {
                    for _ in 0..turns {
                        tokio::task::yield_now().await;
                    }
                }
                Behaviour::Until(done) => {
                    while !done() {
                        tokio::task::yield_now().await;
                    }
                }
                Behaviour::Act(action) => action(),
                Behaviour::Rows(rows) => answers.rows = Some(rows),
                Behaviour::Collected(values) => answers.collected = Some(values),
                Behaviour::Contents(text) => answers.contents = Some(text),
                Behaviour::Forget => answers.forget = true,
                Behaviour::Fail(kind, message) => {
                    half_written(jobs)?;
                    return Err(Error::new(kind, message));
                }
                Behaviour::Panic(message) => {
                    half_written(jobs)?;
                    panic!("{message}");
                }
                Behaviour::PanicOnPool(message) => {
                    half_written(jobs)?;
                    cx.blocking(move || -> Result<()> { panic!("{message}") })
                        .await?;
                }
            }
        }
        Ok(answers)
    }
}

fn half_written(jobs: &[Job]) -> Result<()> {
    for job in jobs {
        if let Target::Write(spec) = &job.target {
            std::fs::write(&spec.path, "half of the ro")?;
        }
    }
    Ok(())
}
