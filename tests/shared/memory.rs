//! The memory of another process.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use rustix::fs::{SeekFrom, seek};

/// How often each byte string of `wanted` occurs in the memory that process `pid` can write to, its
/// memory files included. `None` if that memory cannot be read.
pub(crate) fn occurrences(pid: impl std::fmt::Display, wanted: &[&[u8]]) -> Option<Vec<usize>> {
    let process = format!("/proc/{pid}");
    let maps = std::fs::read_to_string(format!("{process}/maps")).ok()?;
    let memory = File::open(format!("{process}/mem")).ok()?;
    let mut found = vec![0; wanted.len()];
    let mut seen = 0;
    for line in maps.lines().filter(|line| line.contains(" rw") && !line.contains("[vvar")) {
        let place = line.split(' ').next()?;
        let (from, to) = place.split_once('-')?;
        let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        let pieces = if line.contains("/memfd:") {
            written(File::open(format!("{process}/map_files/{place}")).ok()?)?
        } else {
            let mut bytes = vec![0; usize::try_from(to - from).ok()?];
            memory.read_exact_at(&mut bytes, from).map_or_else(|_| vec![], |()| vec![bytes])
        };
        for bytes in pieces {
            seen += bytes.len();
            for (count, wanted) in found.iter_mut().zip(wanted) {
                *count += memchr::memmem::find_iter(&bytes, wanted).count();
            }
        }
    }
    (seen > 0).then_some(found)
}

/// The parts of a memory file that were ever written to. The holes are left out: they are large,
/// and reading them would allocate memory.
fn written(file: File) -> Option<Vec<Vec<u8>>> {
    let mut parts = Vec::new();
    let mut at = 0;
    // ENXIO: there is no data after `at`.
    while let Ok(from) = seek(&file, SeekFrom::Data(at)) {
        let to = seek(&file, SeekFrom::Hole(from)).ok()?;
        let mut bytes = vec![0; usize::try_from(to - from).ok()?];
        file.read_exact_at(&mut bytes, from).ok()?;
        parts.push(bytes);
        at = to;
    }
    Some(parts)
}
