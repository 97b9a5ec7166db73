//! Work that cannot go on, and is left behind: a thread of it hangs, but what it staged is removed, and the process ends.
//!
//! Files may be cut off while they are read. An engine may have them mapped into memory; the system then tells the process by a
//! signal that ends it, without a word and with its staging folders. Here it becomes an error like others. And an engine may
//! not stop soon after an interrupt, since it looks for that between batches only.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use laktory::Runtime;
use laktory::exec::{SourceFiles, changed_error};

use crate::exit::Failure;

/// Why work is left behind.
#[derive(Clone, Copy)]
enum Reason {
    CutOff,
    Interrupted,
}

/// Whether work is to be left behind, who waits for that, and what is being read.
#[derive(Default)]
struct Cut(Mutex<State>);

#[derive(Default)]
struct State {
    reason: Option<Reason>,
    waiting: Option<Waker>,
    files: SourceFiles,
}

impl Cut {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.reason.is_some() {
            return Poll::Ready(());
        }
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    fn tell(&self, reason: Reason) {
        let mut state = self.lock();
        state.reason.get_or_insert(reason);
        if let Some(waker) = state.waiting.take() {
            waker.wake();
        }
    }

    fn failure(&self) -> Failure {
        let state = self.lock();
        if let Some(Reason::Interrupted) = state.reason {
            return Failure::interrupted();
        }
        let error = match state.files.changed() {
            Some(file) => changed_error(&file),
            None => laktory::core::Error::new(
                laktory::core::ErrorKind::Io,
                "a file was cut off while it was read, or its disk failed",
            ),
        };
        Failure::failed(vec![laktory::diagnostic(&error)])
    }
}

/// The one watch of the process, which is never taken back: a signal that nobody takes would come again without end.
static CUT: LazyLock<laktory::core::Result<Arc<Cut>>> = LazyLock::new(|| {
    let cut = Arc::new(Cut::default());
    watch(&cut)?;
    Ok(cut)
});

/// Has the work left behind that does not end within a time after it was interrupted. Waits for that.
pub(crate) fn interrupt() {
    /// What the engines are given to stop by themselves.
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
    std::thread::sleep(PATIENCE);
    if let Ok(cut) = &*CUT {
        cut.tell(Reason::Interrupted);
    }
}

/// Waits for `work`, or until a file that it reads is cut off, or an interrupt has lasted too long; `files` knows the files of a
/// run. The work is dropped then, which removes what it staged, and the runtime is left as it is: a thread of it hangs.
///
/// # Errors
/// The file that was cut off; or the interrupt.
pub(crate) fn block_on<T>(
    runtime: Runtime,
    files: &SourceFiles,
    work: impl Future<Output = T>,
) -> Result<(T, Runtime), Failure> {
    let cut = match &*CUT {
        Ok(cut) => cut,
        Err(error) => return Err(Failure::failed(vec![laktory::diagnostic(error)])),
    };
    cut.lock().files = files.clone();
    let outcome = runtime.block_on(async {
        let mut work = pin!(work);
        std::future::poll_fn(|cx| match cut.poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => work.as_mut().poll(cx).map(Some),
        })
        .await
    });
    if let Some(done) = outcome {
        return Ok((done, runtime));
    }
    std::mem::forget(runtime);
    Err(Failure {
        leaves_threads: true,
        ..cut.failure()
    })
}

/// Ends the process without what else runs at its end.
pub(crate) fn end_at_once(code: u8) {
    #[cfg(unix)]
    {
        // What was written must not be lost.
        let _ = std::io::Write::flush(&mut std::io::stdout());
        signal_hook::low_level::exit(code.into());
    }
    #[cfg(not(unix))]
    std::process::exit(code.into());
}

/// How long the work has to be dropped. Where the thread that drives it hangs at the missing bytes itself, it never is.
#[cfg(unix)]
const GRACE: std::time::Duration = std::time::Duration::from_secs(3);

#[cfg(unix)]
fn watch(cut: &Arc<Cut>) -> laktory::core::Result<()> {
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;

    forget_handler();
    let (mut told, teller) = UnixStream::pair()?;
    signal_hook::low_level::pipe::register(signal_hook::consts::SIGBUS, teller)?;
    let cut = Arc::clone(cut);
    std::thread::Builder::new()
        .name("cut-off".to_owned())
        .spawn(move || {
            // The end of the stream is that of the process.
            if told.read_exact(&mut [0]).is_ok() {
                cut.tell(Reason::CutOff);
                std::thread::sleep(GRACE);
                // What was staged is removed by the next run.
                crate::render::failure(&cut.failure());
                end_at_once(1);
            }
        })?;
    Ok(())
}

/// Has no handler of the signal but ours. That of the standard library, which is called behind ours, looks for overflows of stacks,
/// and takes any other fault for the end of the process. Overflows come by another signal on Linux.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn forget_handler() {
    // SAFETY: setting the default action of a signal is sound at any time, and nothing else in this process sets one for it.
    unsafe { libc::signal(libc::SIGBUS, libc::SIG_DFL) };
}

#[cfg(all(unix, not(target_os = "linux")))]
fn forget_handler() {}

#[cfg(not(unix))]
fn watch(_: &Arc<Cut>) -> laktory::core::Result<()> {
    Ok(())
}
