//! Places at which tests have a debug build die, to kill the daemon between any two steps that
//! matter.
//!
//! With `CHATHUB_FAULT=LABEL` in the environment, the process kills itself (`SIGKILL`) when it
//! reaches that place for the first time; with `LABEL:N`, for the `N`th time. A release build has
//! none of this.

/// All labels, in the order in which a connection meets them.
pub const LABELS: &[&str] = &[
    "accept.taken",
    "accept.queued",
    "accept.committed",
    "take.peeked",
    "take.slotted",
    "take.queued",
    "take.dropped",
    "proxy.taken",
    "proxy.header",
    "input.read",
    "input.written",
    "input.committed",
    "input.handled",
    "seal.sealed",
    "seal.marked",
    "write.before",
    "write.after",
    "close.before",
    "close.after",
    "merge.batched",
    "merge.drained",
    "rotate.sent",
    "rotate.dropped",
    "snapshot.started",
    "snapshot.written",
    "snapshot.flipped",
    "recover.adopted",
    "recover.loaded",
    "recover.replayed",
    "recover.ready",
    "handover.snapshot",
];

/// Dies here, if `CHATHUB_FAULT` asks for that.
#[inline]
pub fn point(label: &'static str) {
    #[cfg(debug_assertions)]
    asked::point(label);
    #[cfg(not(debug_assertions))]
    let _ = label;
}

/// Aborts the process if `bytes`, which are about to be handled, contain the text of
/// `CHATHUB_POISON` in the environment. Kills it, as from outside, if they contain the text of
/// `CHATHUB_DEADLY`.
#[inline]
pub fn poison(bytes: &[u8]) {
    #[cfg(debug_assertions)]
    asked::poison(bytes);
    #[cfg(not(debug_assertions))]
    let _ = bytes;
}

#[cfg(debug_assertions)]
mod asked {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ASKED: LazyLock<Option<(String, AtomicU64)>> = LazyLock::new(|| {
        let asked = std::env::var("CHATHUB_FAULT").ok()?;
        let (label, count) = asked.split_once(':').unwrap_or((&asked, "1"));
        assert!(super::LABELS.contains(&label), "CHATHUB_FAULT={asked}: no such place");
        Some((label.to_owned(), AtomicU64::new(count.parse().expect("CHATHUB_FAULT=LABEL:N"))))
    });

    static POISON: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("CHATHUB_POISON").ok());
    static DEADLY: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("CHATHUB_DEADLY").ok());

    pub(super) fn poison(bytes: &[u8]) {
        let has = |text: &String| bytes.windows(text.len()).any(|some| some == text.as_bytes());
        if POISON.as_ref().is_some_and(has) {
            std::process::abort();
        }
        if DEADLY.as_ref().is_some_and(has) {
            let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
        }
    }

    pub(super) fn point(label: &'static str) {
        debug_assert!(super::LABELS.contains(&label), "{label} stands in the list");
        if let Some((asked, left)) = &*ASKED
            && asked == label
            && left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
        }
    }
}
