//! What processes cost: CPU time to the nanosecond, memory, and the machine's other work.

use std::fs;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// CPU time that a process has used, ended threads included.
pub(crate) fn cpu_of(pid: i32) -> Duration {
    clock_getcpuclockid(Pid::from_raw(pid)).and_then(ClockId::now).map_or(Duration::ZERO, Duration::from)
}

pub(crate) fn own_cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// CPU time that the whole machine was busy, from `/proc/stat`: user, nice, system, irq, softirq, steal.
pub(crate) fn machine_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks = |field: usize| {
        let word = stat.lines().next()?.split_whitespace().nth(field)?;
        word.parse::<u64>().ok()
    };
    let busy: u64 = [1, 2, 3, 6, 7, 8].into_iter().filter_map(ticks).sum();
    Duration::from_millis(busy * 10)
}

/// Proportional set size in bytes: memory of its own and its share of what is shared.
pub(crate) fn pss_of(pid: i32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    rollup
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .map_or(0, |kib| kib * 1024)
}

/// Raises the soft descriptor limit to the hard one; children inherit it.
pub(crate) fn raise_descriptor_limit() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return 1024;
    };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

/// Nanoseconds on the monotonic clock.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux has a monotonic clock");
    now.tv_sec().cast_unsigned() * 1_000_000_000 + now.tv_nsec().cast_unsigned()
}
