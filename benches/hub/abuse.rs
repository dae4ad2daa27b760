//! Those who do what they should not, in a process of their own, so that their CPU time is known and
//! their work is not in the way of the generator's measuring.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{Domain, Socket, Type};

use crate::check::Stamp;
use crate::proc::now;

/// Ways of abuse; so many times the number of each.
pub(crate) const KINDS: usize = 4;

/// What a line without end has before it ends after all.
const ENDLESS: usize = 10 << 20;
/// Bytes offered to a socket at a time.
const CHUNK: usize = 64 << 10;
/// Lines that a flooder has ready.
const VOLLEY: u32 = 512;
/// Those who read little or nothing have small buffers, so that the server notices soon.
const SMALL: usize = 4 << 10;
/// What waits at an abuser's own end. Left to itself the kernel takes 4 MiB for each, and in the first seconds
/// a third of the machine fills these: that is not the server's work, and would be measured as if it were.
const OWN_END: usize = 64 << 10;
const SECOND: u64 = 1_000_000_000;

enum Abuse {
    /// Reads nothing.
    Deaf,
    /// Reads a byte a second.
    Drip,
    /// Sends lines as fast as the socket takes them.
    Flood { said: u32, out: Vec<u8>, at: usize },
    /// Sends ten megabytes without a line end, again and again.
    Endless { sent: usize },
}

struct Abuser {
    stream: TcpStream,
    abuse: Abuse,
}

/// Abuses the server at `port` with `each` of every kind, until it is killed.
pub(crate) fn run(each: usize, port: u16) -> io::Result<()> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut abusers = Vec::with_capacity(KINDS * each);
    for id in 0..KINDS * each {
        let abuse = match id % KINDS {
            0 => Abuse::Deaf,
            1 => Abuse::Drip,
            2 => Abuse::Flood { said: 0, out: Vec::new(), at: 0 },
            _ => Abuse::Endless { sent: 0 },
        };
        let stream = connect(port, matches!(abuse, Abuse::Deaf | Abuse::Drip))?;
        if matches!(abuse, Abuse::Flood { .. } | Abuse::Endless { .. }) {
            let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT;
            epoll.add(&stream, EpollEvent::new(flags, id as u64))?;
        }
        abusers.push(Abuser { stream, abuse });
    }
    let filler = vec![b'x'; CHUNK];
    let mut buffer = vec![0; CHUNK];
    let mut events = vec![EpollEvent::empty(); 256];
    let mut drip = now() + SECOND;
    loop {
        let ready = match epoll.wait(&mut events, EpollTimeout::from(100_u8)) {
            Ok(ready) => ready,
            Err(nix::Error::EINTR) => 0,
            Err(error) => return Err(error.into()),
        };
        for event in &events[..ready] {
            let id = event.data() as usize;
            let abuser = &mut abusers[id];
            let mut going = true;
            if event.events().contains(EpollFlags::EPOLLIN) {
                going = fine(&abuser.stream.read(&mut buffer)) && going;
            }
            if going && event.events().contains(EpollFlags::EPOLLOUT) {
                going = abuser.send(id, &filler);
            }
            if !going {
                // The server has had enough of it; the figures tell how many are left.
                epoll.delete(&abuser.stream).ok();
            }
        }
        if now() >= drip {
            drip += SECOND;
            for abuser in abusers.iter_mut().filter(|abuser| matches!(abuser.abuse, Abuse::Drip)) {
                let _ = abuser.stream.read(&mut buffer[..1]);
            }
        }
    }
}

impl Abuser {
    /// Sends what the socket takes of one chunk; false if the connection is gone.
    fn send(&mut self, id: usize, filler: &[u8]) -> bool {
        match &mut self.abuse {
            Abuse::Deaf | Abuse::Drip => true,
            Abuse::Flood { said, out, at } => {
                if *at == out.len() {
                    out.clear();
                    *at = 0;
                    for _ in 0..VOLLEY {
                        Stamp { sender: id as u32, seq: *said, sent: 0 }.write_wild(out);
                        out.push(b'\n');
                        *said += 1;
                    }
                }
                let wrote = self.stream.write(&out[*at..]);
                *at += wrote.as_ref().map_or(0, |&count| count);
                fine(&wrote)
            }
            Abuse::Endless { sent } => {
                let rest = ENDLESS - *sent;
                let wrote = match rest {
                    0 => self.stream.write(b"\n"),
                    _ => self.stream.write(&filler[..rest.min(CHUNK)]),
                };
                *sent = match (&wrote, rest) {
                    (Ok(1), 0) => 0,
                    (Ok(count), _) => *sent + count,
                    (Err(_), _) => *sent,
                };
                fine(&wrote)
            }
        }
    }
}

fn fine(done: &io::Result<usize>) -> bool {
    match done {
        Ok(count) => *count > 0,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

fn connect(port: u16, small: bool) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if small {
        socket.set_recv_buffer_size(SMALL)?;
    }
    socket.set_send_buffer_size(OWN_END)?;
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    socket.connect_timeout(&server.into(), Duration::from_secs(10))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
