//! Files that are cut off while they are read. An engine may have them mapped into memory; the system then tells the process by a
//! signal that ends it, without a word and with its staging folders. Here it becomes an error like others.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use laktory::Runtime;
use laktory::exec::{SourceFiles, changed_error};

use crate::exit::Failure;

/// Whether a mapped file was cut off, and who waits for that.
#[derive(Default)]
struct Cut(Mutex<(bool, Option<Waker>)>);

impl Cut {
    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 {
            return Poll::Ready(());
        }
        state.1 = Some(cx.waker().clone());
        Poll::Pending
    }

    #[cfg(unix)]
    fn tell(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = true;
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }
}

/// Waits for `work`, or until one of the `files` that it reads is cut off. The work is dropped then, which removes what it
/// staged, and the runtime is left as it is: a thread of it hangs at the missing bytes.
///
/// # Errors
/// The file that was cut off.
pub(crate) fn block_on<T>(
    runtime: Runtime,
    files: &SourceFiles,
    work: impl Future<Output = T>,
) -> Result<(T, Runtime), Failure> {
    let cut = Arc::new(Cut::default());
    watch(&cut, files)?;
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
    Err(cut_off(files))
}

fn cut_off(files: &SourceFiles) -> Failure {
    let error = match files.changed() {
        Some(file) => changed_error(&file),
        None => laktory::core::Error::new(
            laktory::core::ErrorKind::Io,
            "a file was cut off while it was read, or its disk failed",
        ),
    };
    Failure::failed(vec![laktory::diagnostic(&error)])
}

/// How long the work has to be dropped. Where the thread that drives it hangs at the missing bytes itself, it never is.
#[cfg(unix)]
const GRACE: std::time::Duration = std::time::Duration::from_secs(3);

#[cfg(unix)]
fn watch(cut: &Arc<Cut>, files: &SourceFiles) -> Result<(), Failure> {
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;

    let failed = |error: std::io::Error| -> Failure { laktory::core::Error::from(error).into() };
    let (mut told, teller) = UnixStream::pair().map_err(failed)?;
    signal_hook::low_level::pipe::register(signal_hook::consts::SIGBUS, teller).map_err(failed)?;
    let (cut, files) = (Arc::clone(cut), files.clone());
    std::thread::Builder::new()
        .name("cut-off".to_owned())
        .spawn(move || {
            // The end of the stream is that of the process.
            if told.read_exact(&mut [0]).is_ok() {
                cut.tell();
                std::thread::sleep(GRACE);
                // What was staged is removed by the next run.
                crate::render::failure(&cut_off(&files));
                // At once: what else runs at the end of a process may wait for the thread that hangs.
                signal_hook::low_level::exit(1);
            }
        })
        .map(drop)
        .map_err(failed)
}

#[cfg(not(unix))]
fn watch(_: &Arc<Cut>, _: &SourceFiles) -> Result<(), Failure> {
    Ok(())
}
