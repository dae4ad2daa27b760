//! The *limit*: the fastest broadcaster we know how to write on one thread, without any feature.
//!
//! It is what chathub is measured against, so it must not be slow for a reason of its own. It reads all
//! that is ready, appends the lines to the log of the room, and then makes one *round*: one write to each
//! client, from that client's cursor to the end of the log, whatever has piled up. A client whose socket
//! is full waits for `EPOLLOUT` and goes on from its cursor. A sender's own lines are gaps in the log that
//! its cursor skips, so that it delivers exactly the lines that chathub delivers.
//!
//! There are no names, no limits worth the word, no clean-up of text, no history. `/join ROOM` exists for
//! the scenario with many rooms, and one greeting line so that a generator knows when it was accepted.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{Domain, Socket, Type};

const LISTENER: u64 = u64::MAX;
const GREETING: &[u8] = b"-- limit\r\n";
/// A client this far behind is closed: the log cannot be trimmed past it.
const BEHIND: usize = 64 << 20;
/// The log's dead prefix is dropped once it is this long; less often costs memory, more often a copy.
const TRIM: usize = 1 << 20;
const MOST_SLICES: usize = 64;

/// Serves on `listen` until it is killed; says on stderr where it listens, as chathub does.
pub(crate) fn serve(listen: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(listen), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?; // inherited by what it accepts: saves a call for each client
    socket.bind(&listen.into())?;
    socket.listen(4096)?;
    socket.set_nonblocking(true)?;
    let listener = TcpListener::from(socket);
    eprintln!("listening on {}", listener.local_addr()?);

    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
    let mut server = Server {
        epoll,
        listener,
        clients: Vec::new(),
        free: Vec::new(),
        rooms: vec![Room::default()],
        names: HashMap::new(),
        dirty: Vec::new(),
        scratch: vec![0; 256 << 10],
    };
    let mut events = vec![EpollEvent::empty(); 1024];
    loop {
        let ready = match server.epoll.wait(&mut events, EpollTimeout::NONE) {
            Ok(ready) => ready,
            Err(nix::Error::EINTR) => continue,
            Err(error) => return Err(error.into()),
        };
        for event in &events[..ready] {
            match event.data() {
                LISTENER => server.accept()?,
                id => server.ready(id as usize, event.events()),
            }
        }
        server.rounds();
    }
}

struct Server {
    epoll: Epoll,
    listener: TcpListener,
    clients: Vec<Option<Client>>,
    free: Vec<usize>,
    rooms: Vec<Room>,
    names: HashMap<Box<[u8]>, usize>,
    /// Rooms in which something was said since the last round.
    dirty: Vec<usize>,
    scratch: Vec<u8>,
}

#[derive(Default)]
struct Room {
    /// What was said, from the position `base` on; positions count from the room's first byte.
    log: Vec<u8>,
    base: usize,
    members: Vec<u32>,
    dirty: bool,
}

impl Room {
    fn end(&self) -> usize {
        self.base + self.log.len()
    }

    fn bytes(&self, from: usize, to: usize) -> &[u8] {
        &self.log[from - self.base..to - self.base]
    }
}

struct Client {
    stream: TcpStream,
    room: u32,
    /// Where it stands in `Room::members`.
    seat: u32,
    cursor: usize,
    /// Its socket took less than it was given: it waits for `EPOLLOUT`, rounds pass it by.
    full: bool,
    /// Only those who ever spoke have this.
    speech: Option<Box<Speech>>,
}

#[derive(Default)]
struct Speech {
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Its own lines in the log, not yet passed by its cursor.
    own: VecDeque<(usize, usize)>,
}

enum Fate {
    Stays,
    Goes,
}

impl Server {
    fn accept(&mut self) -> io::Result<()> {
        for _ in 0..512 {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            stream.set_nonblocking(true)?;
            if stream.write(GREETING).is_err() {
                continue;
            }
            let id = self.free.pop().unwrap_or_else(|| {
                self.clients.push(None);
                self.clients.len() - 1
            });
            self.epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, id as u64))?;
            let lobby = &mut self.rooms[0];
            self.clients[id] = Some(Client {
                stream,
                room: 0,
                seat: lobby.members.len() as u32,
                cursor: lobby.end(),
                full: false,
                speech: None,
            });
            lobby.members.push(id as u32);
        }
        Ok(())
    }

    fn ready(&mut self, id: usize, flags: EpollFlags) {
        let mut fate = Fate::Stays;
        if flags.contains(EpollFlags::EPOLLOUT)
            && let Some(client) = &mut self.clients[id]
        {
            let room = &self.rooms[client.room as usize];
            fate = flush(&self.epoll, id, client, room);
        }
        if flags.intersects(EpollFlags::EPOLLIN | EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR)
            && matches!(fate, Fate::Stays)
        {
            fate = self.read(id);
        }
        if matches!(fate, Fate::Goes) {
            self.close(id);
        }
    }

    fn read(&mut self, id: usize) -> Fate {
        let Some(client) = &mut self.clients[id] else {
            return Fate::Stays;
        };
        let taken = match client.stream.read(&mut self.scratch) {
            Ok(0) => return Fate::Goes,
            Ok(taken) => taken,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Fate::Stays,
            Err(_) => return Fate::Goes,
        };
        let mut bytes = &self.scratch[..taken];
        let speech = client.speech.get_or_insert_default();
        // A command comes first in its packet or not at all: good enough for our own generator.
        let mut wanted = None;
        while bytes.starts_with(b"/join ") && speech.partial.is_empty() {
            let Some(end) = bytes.iter().position(|&b| b == b'\n') else {
                break;
            };
            wanted = Some(Box::from(&bytes[6..end]));
            bytes = &bytes[end + 1..];
        }
        let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let (lines, rest) = bytes.split_at(whole);

        if let Some(name) = wanted {
            let next = self.rooms.len();
            let room = *self.names.entry(name).or_insert(next);
            if room == next {
                self.rooms.push(Room::default());
            }
            leave(&mut self.rooms, &mut self.clients, id);
            enter(&mut self.rooms, &mut self.clients, id, room);
        }
        let Some(client) = &mut self.clients[id] else {
            return Fate::Stays;
        };
        let speech = client.speech.get_or_insert_default();
        if !lines.is_empty() {
            let room = &mut self.rooms[client.room as usize];
            let start = room.end();
            room.log.extend_from_slice(&speech.partial);
            room.log.extend_from_slice(lines);
            speech.partial.clear();
            match speech.own.back_mut() {
                Some(last) if last.1 == start => last.1 = room.end(),
                _ => speech.own.push_back((start, room.end())),
            }
            if !room.dirty {
                room.dirty = true;
                self.dirty.push(client.room as usize);
            }
        }
        speech.partial.extend_from_slice(rest);
        Fate::Stays
    }

    /// One write for each client of each room in which something was said.
    fn rounds(&mut self) {
        let mut gone = Vec::new();
        while let Some(index) = self.dirty.pop() {
            let room = &mut self.rooms[index];
            room.dirty = false;
            let mut slowest = room.end();
            for &id in &room.members {
                let Some(client) = &mut self.clients[id as usize] else {
                    continue;
                };
                if !client.full
                    && let Fate::Goes = flush(&self.epoll, id as usize, client, room)
                {
                    gone.push(id as usize);
                    continue;
                }
                if room.end() - client.cursor > BEHIND {
                    gone.push(id as usize);
                    continue;
                }
                slowest = slowest.min(client.cursor);
            }
            for id in gone.drain(..) {
                close(&mut self.rooms, &mut self.clients, &mut self.free, id);
            }
            let room = &mut self.rooms[index];
            let dead = slowest - room.base;
            if dead == room.log.len() {
                room.log.clear();
                room.base += dead;
            } else if dead > TRIM {
                room.log.drain(..dead);
                room.base += dead;
            }
        }
    }

    fn close(&mut self, id: usize) {
        close(&mut self.rooms, &mut self.clients, &mut self.free, id);
    }
}

/// Writes what the client lacks, in one call unless it has many gaps.
fn flush(epoll: &Epoll, id: usize, client: &mut Client, room: &Room) -> Fate {
    let end = room.end();
    loop {
        let own = client.speech.as_mut().map(|speech| &mut speech.own);
        let wrote = match own {
            Some(own) if !own.is_empty() => {
                if own[0].0 <= client.cursor {
                    client.cursor = client.cursor.max(own[0].1);
                    own.pop_front();
                    continue;
                }
                let mut slices = [IoSlice::new(&[]); MOST_SLICES];
                let mut used = 0;
                let mut from = client.cursor;
                let gaps = own.iter().copied().chain([(end, end)]);
                for (start, past) in gaps.take(MOST_SLICES) {
                    if start > from {
                        slices[used] = IoSlice::new(room.bytes(from, start));
                        used += 1;
                    }
                    from = past;
                }
                (&client.stream).write_vectored(&slices[..used])
            }
            _ if client.cursor < end => (&client.stream).write(room.bytes(client.cursor, end)),
            _ => break,
        };
        match wrote {
            Ok(wrote) => pass(client, wrote),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(_) => return Fate::Goes,
        }
        if client.speech.as_ref().is_none_or(|speech| speech.own.is_empty()) {
            break;
        }
    }
    let full = client.cursor < end;
    if full != client.full {
        client.full = full;
        let mut flags = EpollFlags::EPOLLIN;
        flags.set(EpollFlags::EPOLLOUT, full);
        if epoll.modify(&client.stream, &mut EpollEvent::new(flags, id as u64)).is_err() {
            return Fate::Goes;
        }
    }
    Fate::Stays
}

/// Moves the cursor on by the bytes written and by the gaps between them.
fn pass(client: &mut Client, mut wrote: usize) {
    if let Some(speech) = &mut client.speech {
        while let Some(&(start, past)) = speech.own.front()
            && start - client.cursor <= wrote
        {
            wrote -= start - client.cursor;
            client.cursor = past;
            speech.own.pop_front();
        }
    }
    client.cursor += wrote;
}

fn leave(rooms: &mut [Room], clients: &mut [Option<Client>], id: usize) {
    let Some((room, seat)) = clients[id].as_ref().map(|client| (client.room as usize, client.seat)) else {
        return;
    };
    let members = &mut rooms[room].members;
    members.swap_remove(seat as usize);
    if let Some(&moved) = members.get(seat as usize)
        && let Some(moved) = &mut clients[moved as usize]
    {
        moved.seat = seat;
    }
}

fn enter(rooms: &mut [Room], clients: &mut [Option<Client>], id: usize, room: usize) {
    let Some(client) = &mut clients[id] else {
        return;
    };
    let place = &mut rooms[room];
    client.room = room as u32;
    client.seat = place.members.len() as u32;
    client.cursor = place.end();
    if let Some(speech) = &mut client.speech {
        speech.own.clear();
    }
    place.members.push(id as u32);
}

fn close(rooms: &mut [Room], clients: &mut [Option<Client>], free: &mut Vec<usize>, id: usize) {
    leave(rooms, clients, id);
    if clients[id].take().is_some() {
        free.push(id); // epoll forgets a descriptor when it closes
    }
}
