//! Many people who all talk at once.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd as _;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::stage::{Client, Daemon, Deadline, UNPACED, not_tested};

/// One of the crowd: what it has seen, as numbers of lines, in order.
struct Member {
    stream: TcpStream,
    rest: Vec<u8>,
    seen: Vec<u32>,
}

impl Member {
    /// Reads what is there; whether the connection lives.
    fn read(&mut self, chunk: &mut [u8]) {
        match self.stream.read(chunk) {
            Ok(0) => panic!("a connection has ended"),
            Ok(count) => self.rest.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => panic!("{error}"),
        }
        let mut at = 0;
        while let Some(end) = self.rest[at..].iter().position(|byte| *byte == b'\n') {
            let line = &self.rest[at..at + end];
            at += end + 1;
            // guest-abcd: #17 and so on: torn or mixed lines do not parse.
            let text = std::str::from_utf8(line).unwrap();
            let number = text
                .strip_prefix("guest-")
                .and_then(|text| text.strip_suffix(" and so on\r"))
                .and_then(|text| text.split_once(": #"))
                .unwrap_or_else(|| panic!("what is {text:?}?"))
                .1;
            self.seen.push(number.parse().unwrap());
        }
        self.rest.drain(..at);
    }
}

#[test]
fn a_thousand_people_see_every_line_once_and_in_one_order() {
    everybody_sees_every_line_once(1000, 3, |_| {});
}

#[test]
fn people_who_come_and_go_cost_nobody_else_a_line() {
    // Seats in the room are vacated and taken while a round is under way.
    everybody_sees_every_line_once(300, 40, |addr| {
        for turn in 0..30 {
            let visitors: Vec<TcpStream> = (0..40)
                .map(|number| {
                    let mut visitor = TcpStream::connect(addr).unwrap();
                    if (turn + number) % 3 == 0 {
                        visitor.write_all(b"/join side\n/leave\n/join side\n").unwrap();
                    }
                    visitor
                })
                .collect();
            drop(visitors);
        }
    });
}

/// `clients` people say `lines` lines each, all at once, while `meanwhile` happens; and one more listens.
fn everybody_sees_every_line_once(clients: u32, lines: u32, meanwhile: impl FnOnce(SocketAddr) + Send + 'static) {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if hard < 4096 {
        return not_tested("a thousand clients at once: the limit of open files is too low");
    }
    if soft < 4096 {
        setrlimit(Resource::RLIMIT_NOFILE, 4096, hard).unwrap();
    }
    let limits = "[limits]\nclients_per_address = 10000\n[rooms]\nannounce_limit = 0\ngather_big = '1h'\n";
    let daemon = Daemon::with(&format!("{limits}{UNPACED}"));
    let mut crowd: Vec<Member> = (0..clients)
        .map(|_| {
            let mut client = Client::connect(&daemon, daemon.addr(), "crowd");
            client.greeted();
            client.stream.set_nonblocking(true).unwrap();
            Member { stream: client.stream, rest: Vec::new(), seen: Vec::new() }
        })
        .collect();
    // One that only listens: it has seen them all.
    let mut observer = Client::connect(&daemon, daemon.addr(), "observer");
    observer.greeted();
    observer.stream.set_nonblocking(true).unwrap();
    crowd.push(Member { stream: observer.stream, rest: Vec::new(), seen: Vec::new() });

    let writers: Vec<TcpStream> = crowd[..clients as usize].iter().map(|one| one.stream.try_clone().unwrap()).collect();
    let talk = std::thread::spawn(move || {
        for line in 0..lines {
            for (number, mut stream) in (0..clients).zip(&writers) {
                stream.write_all(format!("#{} and so on\n", number * lines + line).as_bytes()).unwrap();
            }
        }
    });
    let addr = daemon.addr();
    let meanwhile = std::thread::spawn(move || meanwhile(addr));
    let mut chunk = vec![0; 256 * 1024];
    let deadline = Deadline::new();
    let wanted = |number: usize| if number == clients as usize { clients * lines } else { (clients - 1) * lines };
    loop {
        let waiting: Vec<usize> =
            (0..crowd.len()).filter(|number| crowd[*number].seen.len() < wanted(*number) as usize).collect();
        if waiting.is_empty() {
            break;
        }
        let ready: Vec<usize> = {
            let mut fds: Vec<PollFd<'_>> =
                waiting.iter().map(|number| PollFd::new(crowd[*number].stream.as_fd(), PollFlags::POLLIN)).collect();
            poll(&mut fds, PollTimeout::try_from(deadline.left()).unwrap()).unwrap();
            waiting.iter().zip(&fds).filter(|(_, fd)| fd.any().unwrap_or(false)).map(|(number, _)| *number).collect()
        };
        assert!(!ready.is_empty(), "{} still wait for lines", waiting.len());
        ready.into_iter().for_each(|number| crowd[number].read(&mut chunk));
    }
    talk.join().unwrap();
    meanwhile.join().unwrap();

    let observer = crowd.pop().unwrap().seen;
    let mut sorted = observer.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..clients * lines).collect::<Vec<_>>(), "each line once");
    for (number, member) in (0..clients).zip(&crowd) {
        let others: Vec<u32> = observer.iter().copied().filter(|line| line / lines != number).collect();
        assert!(member.seen == others, "client {number} has seen another order, or its own lines");
        assert!(member.rest.is_empty());
    }
    for member in &mut crowd {
        assert_eq!(member.stream.read(&mut chunk).unwrap_err().kind(), ErrorKind::WouldBlock, "nothing twice");
    }
}
