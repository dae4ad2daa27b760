//! Passwords are overwritten before their memory is given back: an allocator looks at each block that is.
#![allow(unsafe_code, reason = "an allocator is unsafe code; this one hands everything on to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chathub::hub::account::Hashed;
use chathub::hub::login::{Against, Answer, Job};
use chathub::hub::{Effect, Hub, Input, News};
use chathub::settings::Settings;
use chathub::values::id::SessionId;
use chathub::values::time::{Mono, Now, Wall};

/// What passwords have in them here; in lower case, so that a folded one has it too.
const MARK: &[u8] = b"never-left-behind";

static LOOKS: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);

struct Looking;

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if LOOKS.load(Ordering::Relaxed) {
            // SAFETY: the block is `layout.size()` bytes long, all of them were zeroed or written since.
            let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
            if bytes.windows(MARK.len()).any(|window| window == MARK) {
                FOUND.fetch_add(1, Ordering::Relaxed);
            }
        }
        // SAFETY: the caller keeps to the contract.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Looking = Looking;

const NOW: Now = Now { mono: Mono(1_000_000_000), wall: Wall(0) };

fn answer(job: &Job) -> News {
    let hashed = |password: &str| Hashed(format!("$argon2-not${}", password.len()).into());
    let answer = match &job.against {
        Against::Nothing => Answer::Made(hashed(job.password.reveal())),
        Against::Known(known) if *known == hashed(job.password.reveal()) => Answer::Right { renewed: None },
        Against::Known(_) | Against::Unknown => Answer::Wrong,
    };
    News::Hashed { number: job.number, answer }
}

/// Has the hub handle a line, and all that is to be hashed because of it; how many blocks were given back
/// with a password in them.
fn left_behind(hub: &mut Hub, text: &str) -> usize {
    let session = SessionId(1);
    let mut inputs = vec![Input::Line { session, text: text.to_owned() }];
    FOUND.store(0, Ordering::Relaxed);
    LOOKS.store(true, Ordering::Relaxed);
    while let Some(input) = inputs.pop() {
        let mut effects = Vec::new();
        hub.handle(input, NOW, &mut effects);
        let jobs: Vec<Arc<Job>> = effects
            .into_iter()
            .filter_map(|effect| if let Effect::Hash(job) = effect { Some(job) } else { None })
            .collect();
        inputs.extend(jobs.iter().map(|job| answer(job).into()));
    }
    LOOKS.store(false, Ordering::Relaxed);
    FOUND.load(Ordering::Relaxed)
}

#[test]
fn a_password_is_overwritten_before_its_memory_is_given_back() {
    let mut settings = Settings::default();
    settings.accounts.attempts = 1000;
    let mut hub = Hub::new(settings, [7; 16], NOW, &mut Vec::new());
    hub.handle(News::Archive(Some(Box::default())), NOW, &mut Vec::new());
    let peer = ([192, 0, 2, 1], 4000).into();
    hub.handle(
        Input::Connect { session: SessionId(1), peer, encrypted: false, certificate: None },
        NOW,
        &mut Vec::new(),
    );
    // What is said is nobody's secret: the test sees what it looks for.
    assert_ne!(left_behind(&mut hub, "hello never-left-behind"), 0);
    for line in [
        "/nick ann",
        "/register",
        "short",
        "ann",
        "Never-Left-Behind",
        "never-left-behind-but-another",
        "never-left-behind",
        "never-left-behind",
        "/passwd",
        "never-left-behind wrong",
        "never-left-behind",
        "never-left-behind-now",
        "never-left-behind-now",
        "/logout",
        "/login ann",
        "never-left-behind wrong",
        "/login ann never-left-behind wrong",
        "never-left-behind-now",
        "/logout",
        "/login ann never-left-behind-now",
        "/register never-left-behind",
        "/logout",
        "login ann never-left-behind",
        "/logn ann never-left-behind",
        "never-left-behind",
    ] {
        assert_eq!(left_behind(&mut hub, line), 0, "{line}");
    }
    let counters = hub.counters();
    assert_eq!((counters.registrations, counters.logins, counters.logins_failed), (1, 2, 3), "all of it was tried");
}
