//! A limit on the memory of a server: what its settings say that it takes at most, and a tenth.
//!
//! Where a control group can be made, it is one: with version 2 for all of it, with version 1 for what the process
//! takes and for its sockets' memory apart. Elsewhere it is `RLIMIT_DATA`, which neither counts what is shared nor what
//! the kernel holds.

use std::fs;
use std::path::{Path, PathBuf};

use chathub::config;

/// Where control groups of version 2 are, and those for memory of version 1.
const UNIFIED: &str = "/sys/fs/cgroup";
const MEMORY: &str = "/sys/fs/cgroup/memory";

/// How a server is kept within a limit.
pub(crate) struct Confined {
    /// In bytes: of the process, and of its sockets' memory.
    limit: u64,
    kernel: u64,
    group: Option<Group>,
}

enum Group {
    One(PathBuf),
    Two(PathBuf),
}

/// What the limit has come to: in bytes, and how often something was taken back or refused for it.
pub(crate) struct Held {
    pub(crate) limit: u64,
    pub(crate) most: Option<u64>,
    pub(crate) kernel_limit: Option<u64>,
    pub(crate) kernel_most: Option<u64>,
    pub(crate) failures: Option<u64>,
    pub(crate) by: &'static str,
}

impl Confined {
    /// To what these settings say.
    ///
    /// # Errors
    /// In words, if they cannot be read.
    pub(crate) fn to_sum_of(settings: &Path) -> Result<Self, String> {
        let loaded = config::load(Some(settings)).map_err(|problems| format!("{problems:?}"))?;
        let parts = loaded.settings.memory();
        let sum = |kernel| parts.iter().filter(|part| part.kernel == kernel).map(|part| part.bytes).sum::<u64>();
        let (limit, kernel) = (sum(false) / 10 * 11, sum(true) / 10 * 11);
        let group = Group::of_version_one(limit, kernel).or_else(|| Group::of_version_two(limit + kernel));
        Ok(Self { limit, kernel, group })
    }

    /// What a shell does to be within it, and what it executes.
    pub(crate) fn script(&self) -> String {
        match &self.group {
            Some(Group::One(dir) | Group::Two(dir)) => format!("echo $$ >'{}/cgroup.procs' && ", dir.display()),
            None => format!("ulimit -d {} && ", self.limit.div_ceil(1024)),
        }
    }

    pub(crate) fn held(&self) -> Held {
        let Self { limit, kernel, group } = self;
        let held = |by| Held { limit: *limit, most: None, kernel_limit: None, kernel_most: None, failures: None, by };
        match group {
            None => held("RLIMIT_DATA"),
            Some(Group::One(dir)) => Held {
                most: number(dir, "memory.max_usage_in_bytes"),
                kernel_limit: Some(*kernel),
                kernel_most: number(dir, "memory.kmem.tcp.max_usage_in_bytes"),
                failures: number(dir, "memory.failcnt")
                    .zip(number(dir, "memory.kmem.tcp.failcnt"))
                    .map(|(one, other)| one + other),
                ..held("a control group, version 1")
            },
            Some(Group::Two(dir)) => Held {
                limit: *limit + *kernel,
                most: number(dir, "memory.peak"),
                failures: events(dir),
                ..held("a control group, version 2")
            },
        }
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        if let Some(Group::One(dir) | Group::Two(dir)) = &self.group {
            fs::remove_dir(dir).ok();
        }
    }
}

impl Group {
    fn of_version_one(limit: u64, kernel: u64) -> Option<Self> {
        let dir = make(MEMORY)?;
        let set = fs::write(dir.join("memory.limit_in_bytes"), limit.to_string())
            .and_then(|()| fs::write(dir.join("memory.kmem.tcp.limit_in_bytes"), kernel.to_string()));
        Self::if_set(set, dir, Self::One)
    }

    fn of_version_two(limit: u64) -> Option<Self> {
        let dir = make(UNIFIED)?;
        let set = fs::write(dir.join("memory.max"), limit.to_string());
        Self::if_set(set, dir, Self::Two)
    }

    fn if_set(set: std::io::Result<()>, dir: PathBuf, group: fn(PathBuf) -> Self) -> Option<Self> {
        if set.is_err() {
            fs::remove_dir(&dir).ok();
            return None;
        }
        Some(group(dir))
    }
}

/// A group of our own, where there are groups.
fn make(root: &str) -> Option<PathBuf> {
    let root = Path::new(root);
    root.join("cgroup.procs").is_file().then_some(())?;
    let mut nonce = [0; 8];
    getrandom::fill(&mut nonce).ok()?;
    let dir = root.join(format!("chathub-bench-{:016x}", u64::from_le_bytes(nonce)));
    fs::create_dir(&dir).ok()?;
    Some(dir)
}

fn number(dir: &Path, file: &str) -> Option<u64> {
    fs::read_to_string(dir.join(file)).ok()?.trim().parse().ok()
}

/// How often the limit was met.
fn events(dir: &Path) -> Option<u64> {
    let text = fs::read_to_string(dir.join("memory.events")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("max ")?.parse().ok())
}
