//! Looks at processes, sockets that listen, the kernel, and the clock.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use super::super::facts::{Listening, Machine, Process, Running};
use super::super::finding::{Seen, Unseen};
use super::{files, not_root};
use crate::kernel;
use crate::values::plain::Plain;

pub(super) fn look() -> Machine {
    Machine {
        wmem_max: number("/proc/sys/net/core/wmem_max"),
        rmem_max: number("/proc/sys/net/core/rmem_max"),
        somaxconn: number("/proc/sys/net/core/somaxconn"),
        file_max: number("/proc/sys/fs/file-max"),
        memory: memory(),
        clock_is_right: kernel::is_clock_right().map_err(|error| Unseen::hidden(format!("adjtimex: {}", Plain(error)))),
    }
}

fn read(path: &str) -> Seen<String> {
    fs::read_to_string(path).map_err(|error| files::unseen(Path::new(path), &error))
}

fn number(path: &str) -> Seen<u64> {
    read(path)?.trim().parse().map_err(|_| Unseen::hidden(format!("{path} holds no number")))
}

fn memory() -> Seen<u64> {
    let text = read("/proc/meminfo")?;
    let kib =
        text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| Unseen::hidden("/proc/meminfo has no MemTotal"))
}

/// The ids of all processes.
fn processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn process(pid: u32) -> Process {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).trim_end_matches('\0').replace('\0', " ");
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned();
    Process { pid, name, line: line.chars().take(200).collect() }
}

/// Whether the process is a hub, judged by its command line.
pub(super) fn is_hub(pid: u32) -> bool {
    let line = process(pid).line;
    let mut words = line.split(' ');
    let is_ours = words.next().is_some_and(|program| program.rsplit('/').next() == Some("chathub"));
    is_ours && words.next() == Some("serve")
}

/// All processes that are hubs.
pub(super) fn hubs() -> Seen<Vec<Process>> {
    let all = processes();
    if all.is_empty() {
        return Err(Unseen::hidden("/proc cannot be read"));
    }
    Ok(all.into_iter().filter(|pid| is_hub(*pid)).map(process).collect())
}

/// The sockets that listen on these ports, each with a process that has it open.
pub(super) fn listening(ports: &[u16]) -> Seen<Vec<Listening>> {
    let mut found = BTreeMap::new();
    let mut any = false;
    for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
        // A kernel without IPv6 has only the first of these files.
        let Ok(text) = fs::read_to_string(path) else { continue };
        any = true;
        for (addr, uid, inode) in text.lines().skip(1).filter_map(listens) {
            if ports.contains(&addr.port()) {
                found.insert(inode, Listening { addr, uid, owner: None });
            }
        }
    }
    if !any {
        return Err(Unseen::hidden("/proc/net/tcp cannot be read"));
    }
    if !found.is_empty() {
        // The process seen last wins: one that inherited the socket comes after the one that
        // started it.
        for pid in processes() {
            let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
            for descriptor in descriptors.flatten() {
                let Ok(target) = fs::read_link(descriptor.path()) else { continue };
                if let Some(listening) = inode(&target).and_then(|inode| found.get_mut(&inode)) {
                    listening.owner = Some(process(pid));
                }
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Whether only the service manager has the Unix socket at this path: then to connect would start a
/// service.
pub(super) fn sleeps(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    let text = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let inodes: Vec<u64> = text.lines().filter_map(|line| listens_at(line, &path)).collect();
    let has = |pid: u32| {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        descriptors
            .filter_map(|descriptor| inode(&fs::read_link(descriptor.path()).ok()?))
            .any(|one| inodes.contains(&one))
    };
    let holders: Vec<Process> = processes().into_iter().filter(|pid| has(*pid)).map(process).collect();
    !inodes.is_empty() && !holders.is_empty() && holders.iter().all(|holder| holder.name.starts_with("systemd"))
}

/// The inode in a line of `/proc/net/unix` (proc(5)), if that socket listens at the path.
fn listens_at(line: &str, path: &Path) -> Option<u64> {
    const LISTENS: &str = "00010000";
    let fields: Vec<&str> = line.split_whitespace().collect();
    let is_ours = *fields.get(3)? == LISTENS && Path::new(fields.get(7)?).canonicalize().ok()? == path;
    if is_ours { fields.get(6)?.parse().ok() } else { None }
}

/// The inode of a socket, from a link in `/proc/PID/fd`.
fn inode(target: &Path) -> Option<u64> {
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// The address, uid and inode in a line of `/proc/net/tcp` or `tcp6` (proc(5)), if that socket
/// listens.
fn listens(line: &str) -> Option<(SocketAddr, u32, u64)> {
    const LISTEN: &str = "0A";
    let fields: Vec<&str> = line.split_whitespace().collect();
    if *fields.get(3)? != LISTEN {
        return None;
    }
    let (ip, port) = fields.get(1)?.split_once(':')?;
    // Each group of four bytes is printed as a number in the processor's byte order.
    let words: Vec<[u8; 4]> = (0..ip.len() / 8)
        .filter_map(|at| Some(u32::from_str_radix(ip.get(8 * at..8 * at + 8)?, 16).ok()?.to_ne_bytes()))
        .collect();
    let ip: IpAddr = match words[..] {
        [four] => Ipv4Addr::from(four).into(),
        [a, b, c, d] => Ipv6Addr::from(<[u8; 16]>::try_from([a, b, c, d].concat()).ok()?).into(),
        _ => return None,
    };
    let port = u16::from_str_radix(port, 16).ok()?;
    Some((SocketAddr::new(ip, port), fields.get(7)?.parse().ok()?, fields.get(9)?.parse().ok()?))
}

/// A daemon's process.
pub(super) fn running(pid: u32) -> Running {
    let descriptors = read(&format!("/proc/{pid}/limits")).and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("Max open files"));
        let hard = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        hard.ok_or_else(|| Unseen::hidden(format!("/proc/{pid}/limits has no number of open files")))
    });
    let program = fs::read_link(format!("/proc/{pid}/exe"))
        .map(|path| path.to_string_lossy().into_owned())
        .map_err(|error| Unseen::hidden(format!("/proc/{pid}/exe: {}{}", Plain(error), not_root())));
    Running { pid, descriptors, program }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_listens_is_read_as_the_kernel_tells_it() {
        let line = "   0: 0100007F:1B39 00000000:0000 0A 00000000:00000000 00:00000000 00000000   998        0 26411 1 0 100 0";
        let (addr, uid, inode) = listens(line).expect("it listens");
        if cfg!(target_endian = "little") {
            assert_eq!(addr, "127.0.0.1:6969".parse().expect("an address"));
        }
        assert_eq!((uid, inode), (998, 26411));
        assert!(listens(&line.replace(" 0A ", " 01 ")).is_none(), "a connection");
        let six = line.replace("0100007F", "00000000000000000000000001000000");
        let (addr, ..) = listens(&six).expect("it listens");
        if cfg!(target_endian = "little") {
            assert_eq!(addr, "[::1]:6969".parse().expect("an address"));
        }
        assert!(listens("").is_none() && listens("a b c 0A").is_none());
    }

    #[test]
    fn a_listener_of_this_process_is_found_with_its_owner() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("an address");
        let found = listening(&[addr.port()]).expect("this is Linux");
        let ours = found.iter().find(|listening| listening.addr == addr).expect("it listens");
        assert!(ours.owner.is_some(), "one's own descriptors can be seen: {found:?}");
    }

    #[test]
    fn this_process_is_not_taken_for_a_hub_and_its_limits_are_read() {
        let pid = std::process::id();
        assert!(!is_hub(pid));
        assert!(running(pid).descriptors.is_ok_and(|most| most > 0));
        assert!(look().memory.is_ok_and(|bytes| bytes > 1 << 20));
    }
}
