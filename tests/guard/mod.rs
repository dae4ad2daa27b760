//! A hang is a failure with a story: whatever a test waits for, somebody looks at the clock.
//!
//! Every wait of the tests is to have an end of its own, which says what is waited for in vain. This is behind
//! them all: a test that has not let go of its [`Guard`] after the time that was stated ends the whole
//! program, and its story is told first.

use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Watches over one test, until it is dropped.
pub(crate) struct Guard {
    over: Arc<(Mutex<bool>, Condvar)>,
    watching: Option<JoinHandle<()>>,
}

impl Guard {
    /// After `patience` the program ends, and says what `story` tells.
    pub(crate) fn new(patience: Duration, story: impl FnOnce() -> String + Send + 'static) -> Self {
        let over = Arc::new((Mutex::new(false), Condvar::new()));
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let watched = over.clone();
        let watching = std::thread::spawn(move || {
            let end = Instant::now() + patience;
            let mut is_over = watched.0.lock().unwrap_or_else(PoisonError::into_inner);
            while !*is_over {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    drop(is_over);
                    give_up(&test, patience, story);
                }
                is_over = watched.1.wait_timeout(is_over, left).unwrap_or_else(PoisonError::into_inner).0;
            }
        });
        Self { over, watching: Some(watching) }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        *self.over.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.over.1.notify_all();
        if let Some(watching) = self.watching.take() {
            let _ = watching.join();
        }
    }
}

fn give_up(test: &str, patience: Duration, story: impl FnOnce() -> String) -> ! {
    // Straight to standard error: the test harness keeps what is printed by macros for itself. What the others
    // of this program do is lost with it.
    let mut to = std::io::stderr();
    let _ = writeln!(to, "\n!!! {test} HANGS: it has not ended within {patience:?}\n---- the story");
    let _ = writeln!(to, "{}---- its end", story());
    for process in children() {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), nix::sys::signal::Signal::SIGKILL);
    }
    std::process::exit(101)
}

/// The processes that this one has started and not waited for.
fn children() -> Vec<i32> {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|one| one.parse().ok()).collect::<Vec<_>>()).collect()
}
