//! The attacks, each a small function, in a process of their own: so what they cost is not measured with the
//! server, and ends with them.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use serde_json::json;
use socket2::SockRef;

use crate::abuse;
use crate::attack::{IN_PLACE, ask, connect, drain, is_later};

/// Something that strangers do.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// How many, and what they do.
    pub(crate) by: &'static str,
    /// The room of the pair, if it is not one of their own.
    pub(crate) room: Option<&'static str>,
    /// Whether somebody who comes now gets in is asked, too.
    pub(crate) newcomer: bool,
    strike: fn(&mut Mob) -> io::Result<()>,
}

const fn attack(name: &'static str, by: &'static str, strike: fn(&mut Mob) -> io::Result<()>) -> Attack {
    Attack { name, by, room: None, newcomer: false, strike }
}

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        room: Some("lobby"),
        ..attack("one-room", "400 deaf, dripping, flooding, endless, with the pair", one_room)
    },
    attack("ignore-nick", "204: 140 ignore 64 who rename", |mob| ignore_nick(mob, 140)),
    attack("ignore-nick-464", "464: 400 ignore 64 who rename", |mob| ignore_nick(mob, 400)),
    attack("who-crowd", "300 ask who 1,500 in another room are", who_crowd),
    attack("quiet", "20 with views of their own, /quiet, in a room 4 MiB behind", quiet),
    attack("rename", "500 rename all the time", rename),
    attack("paste-keys", "1,000 paste into the line editor", paste_keys),
    attack("paste-end", "1,000 paste and end, and come again", paste_end),
    attack("full-rooms", "900 fill the history of rooms of their own", full_rooms),
    attack("register", "1 begins to register beside a large history", register),
    attack("nick-zed", "60 deaf who ignore zed, and /nick zed", nick_zed),
    attack("offsets", "193 see times of their own, 1 deaf", offsets),
    attack("msg-10", "10 write to one who reads", |mob| msg(mob, 10)),
    attack("msg-200", "200 write to one who reads", |mob| msg(mob, 200)),
    attack("report", "29 report to an operator", reports),
    attack("mailboxes", "2,000 who ask and do not read", mailboxes),
    Attack { newcomer: true, ..attack("silent", "10,000 who say nothing, from 4 addresses", silent) },
    attack("search", "500 search, and one innocent", search),
    attack("lines", "2,500 of one address say lines as fast as they are taken", |mob| {
        one_address(mob, &["words without end", "and more of them"])
    }),
    attack("commands", "2,500 of one address ask as fast as they are answered", |mob| {
        one_address(mob, &["/rooms", "/who", "/help", "/whois nobody", "/history 20"])
    }),
];

/// Runs one attack until standard input ends.
pub(crate) fn run(name: &str, port: u16, admin: &Path) -> io::Result<()> {
    let attack = ATTACKS.iter().find(|attack| attack.name == name).ok_or_else(|| io::Error::other("no such attack"))?;
    let mut mob = Mob::new(port, admin)?;
    let outcome = (attack.strike)(&mut mob);
    if let Err(error) = &outcome {
        say(&format!("the attack failed: {error}"));
    }
    let gone = mob.people.iter().filter(|one| one.gone).count();
    if gone > 0 {
        say(&format!("{gone} of {} attackers were disconnected", mob.people.len()));
    }
    Ok(())
}

fn say(text: &str) {
    println!("{text}");
    let _ = io::stdout().flush();
}

// ---------------------------------------------------------------------------------------------
// Those who do it

struct One {
    stream: TcpStream,
    out: Vec<u8>,
    at: usize,
    reads: bool,
    gone: bool,
    watched: EpollFlags,
}

struct Mob {
    port: u16,
    admin: PathBuf,
    people: Vec<One>,
    epoll: Epoll,
    events: Vec<EpollEvent>,
    buffer: Vec<u8>,
    over: Arc<AtomicBool>,
}

/// Addresses that people come from, so many each.
fn address(number: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x7f0a_0001 + number as u32)
}

/// Enough for everybody to be let in; the attack begins anyway then.
const MUSTER: Duration = Duration::from_secs(15);

impl Mob {
    fn new(port: u16, admin: &Path) -> io::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let ends = over.clone();
        thread::spawn(move || {
            let _ = io::stdin().read_to_end(&mut Vec::new());
            ends.store(true, Ordering::Relaxed);
        });
        Ok(Self {
            port,
            admin: admin.to_owned(),
            people: Vec::new(),
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            events: vec![EpollEvent::empty(); 512],
            buffer: vec![0; 256 << 10],
            over,
        })
    }

    /// So many come, of whom so many share an address. Returns who they are.
    fn come(&mut self, count: usize, each_address: usize, reads: bool) -> io::Result<std::ops::Range<usize>> {
        let from = self.people.len();
        for number in 0..count {
            let stream = self.enter(number / each_address, reads)?;
            self.add(stream, reads)?;
            if number % 32 == 0 {
                self.turn(0)?;
            }
        }
        Ok(from..self.people.len())
    }

    fn enter(&self, number: usize, reads: bool) -> io::Result<TcpStream> {
        let stream = connect(address(number), self.port)?;
        let socket = SockRef::from(&stream);
        if !reads {
            socket.set_recv_buffer_size(4 << 10)?;
        }
        socket.set_send_buffer_size(64 << 10)?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }

    fn add(&mut self, stream: TcpStream, reads: bool) -> io::Result<()> {
        let id = self.people.len() as u64;
        let watched = if reads { EpollFlags::EPOLLIN } else { EpollFlags::empty() };
        self.epoll.add(&stream, EpollEvent::new(watched, id))?;
        self.people.push(One { stream, out: Vec::new(), at: 0, reads, gone: false, watched });
        Ok(())
    }

    fn type_in(&mut self, who: usize, text: &str) {
        self.people[who].out.extend_from_slice(text.as_bytes());
    }

    /// Types a line for somebody, unless what they typed before is still on its way: whoever is held back by the
    /// hub types no faster.
    fn type_on(&mut self, who: usize, text: impl FnOnce() -> String) {
        let one = &self.people[who];
        if !one.gone && one.out.len() - one.at < 4096 {
            let text = text();
            self.type_in(who, &text);
        }
    }

    /// Sends what can be sent, and reads what there is.
    fn turn(&mut self, wait_ms: u16) -> io::Result<()> {
        for id in 0..self.people.len() {
            self.send(id)?;
        }
        let mut events = std::mem::take(&mut self.events);
        let ready = match self.epoll.wait(&mut events, EpollTimeout::from(wait_ms)) {
            Ok(ready) => ready,
            Err(nix::Error::EINTR) => 0,
            Err(error) => return Err(error.into()),
        };
        for event in &events[..ready] {
            let id = event.data() as usize;
            let one = &mut self.people[id];
            if !one.gone && one.reads && !drain(&mut one.stream, &mut self.buffer)
                || event.events().intersects(EpollFlags::EPOLLERR)
            {
                self.lost(id);
            }
        }
        self.events = events;
        Ok(())
    }

    fn send(&mut self, id: usize) -> io::Result<()> {
        let one = &mut self.people[id];
        if one.gone || one.at == one.out.len() && !one.watched.contains(EpollFlags::EPOLLOUT) {
            return Ok(());
        }
        if one.at < one.out.len() {
            match one.stream.write(&one.out[one.at..]) {
                Ok(count) => one.at += count,
                Err(error) if is_later(&error) => {}
                Err(_) => {
                    self.lost(id);
                    return Ok(());
                }
            }
        }
        if one.at == one.out.len() {
            (one.out, one.at) = (Vec::new(), 0);
        }
        Ok(())
    }

    fn lost(&mut self, id: usize) {
        let one = &mut self.people[id];
        one.gone = true;
        self.epoll.delete(&one.stream).ok();
    }

    /// All that was typed is sent; or it takes too long.
    fn settle(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + MUSTER;
        while self.people.iter().any(|one| !one.gone && one.at < one.out.len())
            && Instant::now() < deadline
            && !self.is_over()
        {
            self.turn(10)?;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Everybody is in place; from now on `act` is done again and again.
    fn strike(&mut self, mut act: impl FnMut(&mut Self) -> io::Result<()>) -> io::Result<()> {
        say(IN_PLACE);
        while !self.is_over() {
            act(self)?;
            self.turn(5)?;
        }
        Ok(())
    }

    /// Whether that one is still connected: asks the system.
    fn is_there(&self, who: usize) -> bool {
        !self.people[who].gone
    }
}

/// A line as long as is allowed.
fn long(number: usize) -> String {
    format!("{number:06} {}\n", "x".repeat(1000))
}

/// Has a room 4 MiB behind for somebody who does not read: 45 come who say 128 KiB at once, as they may.
fn fall_behind(mob: &mut Mob, room: &str) -> io::Result<()> {
    let speakers = mob.come(45, 9, true)?;
    for who in speakers {
        mob.type_in(who, &format!("/join {room}\n"));
        let text: String = (0..120).map(long).collect();
        mob.type_in(who, &text);
    }
    mob.settle()
}

// ---------------------------------------------------------------------------------------------
// What they do

fn one_room(mob: &mut Mob) -> io::Result<()> {
    say(IN_PLACE);
    abuse::run(100, mob.port)
}

fn ignore_nick(mob: &mut Mob, ignorers: usize) -> io::Result<()> {
    const BEARERS: usize = 64;
    let bearers = mob.come(BEARERS, 64, true)?;
    for who in bearers.clone() {
        mob.type_in(who, &format!("/join names\n/nick b{who}\n"));
    }
    mob.settle()?;
    let names: String = bearers.clone().map(|who| format!("/ignore b{who}\n")).collect();
    for who in mob.come(ignorers, 400, true)? {
        mob.type_in(who, "/join names\n");
        mob.type_in(who, &names);
    }
    mob.settle()?;
    // Names go from one to the next: each takes one of its own, and then the one that another has let go of.
    let mut step = 0_usize;
    mob.strike(|mob| {
        step += 1;
        for who in 0..BEARERS {
            mob.type_on(who, || format!("/nick c{who}\n/nick b{}\n", (who + step) % BEARERS));
        }
        Ok(())
    })
}

fn who_crowd(mob: &mut Mob) -> io::Result<()> {
    for who in mob.come(1500, 500, true)? {
        mob.type_in(who, &format!("/nick crowded{who}\n/join crowd\n"));
    }
    mob.settle()?;
    let askers = mob.come(300, 300, true)?;
    mob.strike(|mob| {
        askers.clone().for_each(|who| mob.type_on(who, || "/who crowd\n".repeat(20)));
        Ok(())
    })
}

fn quiet(mob: &mut Mob) -> io::Result<()> {
    let deaf = mob.come(1, 1, false)?.start;
    mob.type_in(deaf, "/join loud\n");
    let readers = mob.come(20, 20, true)?;
    for who in readers.clone() {
        mob.type_in(who, &format!("/join loud\n/time +{:02}:15\n", who % 20));
    }
    mob.settle()?;
    fall_behind(mob, "loud")?;
    mob.strike(|mob| {
        readers.clone().for_each(|who| mob.type_on(who, || "/quiet\n".repeat(20)));
        Ok(())
    })
}

fn rename(mob: &mut Mob) -> io::Result<()> {
    let all = mob.come(500, 500, true)?;
    all.clone().for_each(|who| mob.type_in(who, "/join names\n"));
    mob.settle()?;
    let mut step = 0_usize;
    mob.strike(|mob| {
        step += 1;
        all.clone().for_each(|who| mob.type_on(who, || format!("/nick r{who}-{}\n", step % 7)));
        Ok(())
    })
}

/// A terminal tells of itself, and agrees to everything.
const TERMINAL: &[u8] =
    b"hi\r\n\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0\xff\xfa\x18\x00XTERM\xff\xf0";
const AGREED: &[u8] = b"\xff\xfd\x01\xff\xfd\x03";

fn paste_keys(mob: &mut Mob) -> io::Result<()> {
    let all = mob.come(1000, 1000, true)?;
    for who in all.clone() {
        mob.type_in(who, "/join paste\r\n");
        mob.people[who].out.extend_from_slice(TERMINAL);
    }
    mob.settle()?;
    // It is agreed to when it was offered, which the hub has done when it has asked and was answered.
    for _ in 0..100 {
        mob.turn(10)?;
    }
    all.clone().for_each(|who| mob.people[who].out.extend_from_slice(AGREED));
    mob.settle()?;
    let pasted: String = (0..60).map(|number| format!("{number} of what I have pasted just now\r")).collect();
    mob.strike(|mob| {
        all.clone().for_each(|who| mob.type_on(who, || pasted.clone()));
        Ok(())
    })
}

fn paste_end(mob: &mut Mob) -> io::Result<()> {
    let pasted: String = (0..150).map(|number| format!("{number} of what I have pasted just now\n")).collect();
    let mut number = 0_usize;
    mob.strike(|mob| {
        mob.people.retain(|one| !one.gone);
        // Numbers are places: those that moved are watched anew.
        for id in 0..mob.people.len() {
            mob.epoll.modify(&mob.people[id].stream, &mut EpollEvent::new(EpollFlags::EPOLLIN, id as u64))?;
        }
        while mob.people.len() < 1000 && !mob.is_over() {
            number += 1;
            let Ok(mut stream) = mob.enter(number % 4, true) else { break };
            let _ = stream.write(format!("/join paste\n{pasted}").as_bytes());
            stream.shutdown(Shutdown::Write)?;
            mob.add(stream, true)?;
        }
        Ok(())
    })
}

fn fill_rooms(mob: &mut Mob, rooms: usize) -> io::Result<std::ops::Range<usize>> {
    let all = mob.come(rooms, 2500, true)?;
    for who in all.clone() {
        let text: String = (0..120).map(long).collect();
        mob.type_in(who, &format!("/join full{who}\n{text}"));
    }
    mob.settle()?;
    Ok(all)
}

fn full_rooms(mob: &mut Mob) -> io::Result<()> {
    let all = mob.come(900, 900, true)?;
    all.clone().for_each(|who| mob.type_in(who, &format!("/join full{who}\n")));
    mob.settle()?;
    let mut number = 0;
    mob.strike(|mob| {
        number += 1;
        all.clone().for_each(|who| mob.type_on(who, || long(number)));
        Ok(())
    })
}

fn register(mob: &mut Mob) -> io::Result<()> {
    fill_rooms(mob, 800)?;
    let one = mob.come(1, 1, true)?.start;
    mob.type_in(one, "/nick registers\n");
    mob.settle()?;
    mob.strike(|mob| {
        mob.type_on(one, || "/register\n\n".to_owned());
        Ok(())
    })
}

fn nick_zed(mob: &mut Mob) -> io::Result<()> {
    let zed = mob.come(1, 1, true)?.start;
    mob.type_in(zed, "/join zed\n/nick zed\n");
    mob.settle()?;
    for who in mob.come(60, 60, false)? {
        mob.type_in(who, "/join zed\n/ignore zed\n");
    }
    mob.settle()?;
    fall_behind(mob, "zed")?;
    mob.strike(|mob| {
        mob.type_on(zed, || "/nick zod\n/nick zed\n".to_owned());
        Ok(())
    })
}

fn offsets(mob: &mut Mob) -> io::Result<()> {
    let deaf = mob.come(1, 1, false)?.start;
    mob.type_in(deaf, "/join times\n");
    // All that there are: each quarter of an hour.
    for (number, who) in mob.come(193, 193, true)?.enumerate() {
        let minutes = number as i32 * 15 - 24 * 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        let offset = format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
        mob.type_in(who, &format!("/join times\n/time {offset}\n"));
    }
    mob.settle()?;
    fall_behind(mob, "times")?;
    mob.strike(|_| Ok(()))
}

fn msg(mob: &mut Mob, senders: usize) -> io::Result<()> {
    let victim = mob.come(1, 1, true)?.start;
    mob.type_in(victim, "/nick victim\n");
    mob.settle()?;
    let senders = mob.come(senders, 50, true)?;
    let text = format!("/msg victim {}\n", "x".repeat(1000));
    mob.strike(|mob| {
        senders.clone().for_each(|who| mob.type_on(who, || text.clone()));
        Ok(())
    })?;
    tell_of(mob, victim);
    Ok(())
}

fn tell_of(mob: &Mob, victim: usize) {
    say(if mob.is_there(victim) { "the victim is still there" } else { "the victim was DISCONNECTED" });
}

fn reports(mob: &mut Mob) -> io::Result<()> {
    let account = json!({"name": "warden", "password": "long enough", "role": "operator"});
    let answer = ask(&mob.admin, &json!({"id": 1, "cmd": "accounts.add", "args": account}))?;
    if answer["ok"] != true {
        return Err(io::Error::other(answer.to_string()));
    }
    let operator = mob.come(1, 1, true)?.start;
    mob.type_in(operator, "/login warden\nlong enough\n");
    mob.settle()?;
    let strangers = mob.come(29, 1, true)?;
    let text = format!("/report warden {}\n", "x".repeat(900));
    mob.strike(|mob| {
        strangers.clone().for_each(|who| mob.type_on(who, || text.clone()));
        Ok(())
    })?;
    tell_of(mob, operator);
    Ok(())
}

fn mailboxes(mob: &mut Mob) -> io::Result<()> {
    let all = mob.come(2000, 1000, false)?;
    mob.strike(|mob| {
        all.clone().for_each(|who| mob.type_on(who, || "/help\n".repeat(40)));
        Ok(())
    })
}

fn silent(mob: &mut Mob) -> io::Result<()> {
    mob.come(10_000, 2500, true)?;
    mob.strike(|_| Ok(()))
}

fn search(mob: &mut Mob) -> io::Result<()> {
    fill_rooms(mob, 100)?;
    let all = mob.come(500, 250, true)?;
    for who in all.clone() {
        mob.type_in(who, &format!("/join full{}\n", who % 100));
    }
    mob.settle()?;
    // One from elsewhere, who asks now and then; each question has an answer before the next one.
    let port = mob.port;
    let over = mob.over.clone();
    let innocent = thread::spawn(move || innocent_search(port, &over));
    mob.strike(|mob| {
        all.clone().for_each(|who| mob.type_on(who, || format!("/search {who} nothing like that\n")));
        Ok(())
    })?;
    let told = innocent.join().unwrap_or_else(|_| "the innocent search failed".to_owned());
    say(&told);
    Ok(())
}

fn innocent_search(port: u16, over: &AtomicBool) -> String {
    let mut waits = Vec::new();
    let outcome = (|| -> io::Result<()> {
        let mut stream = connect(Ipv4Addr::new(127, 202, 0, 1), port)?;
        stream.set_read_timeout(Some(Duration::from_millis(200)))?;
        stream.write_all(b"/join full3\n")?;
        let (mut buffer, mut seen) = (vec![0; 64 << 10], Vec::new());
        while !over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            stream.write_all(b"/search innocent question\n")?;
            seen.clear();
            let is_answer = |seen: &[u8]| seen.windows(17).any(|window| window == b"innocent question");
            while !is_answer(&seen) && !over.load(Ordering::Relaxed) {
                match stream.read(&mut buffer) {
                    Ok(0) => return Err(io::Error::other("disconnected")),
                    Ok(count) => seen.extend_from_slice(&buffer[..count]),
                    Err(error) if is_later(&error) => {}
                    Err(error) => return Err(error),
                }
            }
            waits.push(begun.elapsed());
            thread::sleep(Duration::from_millis(300));
        }
        Ok(())
    })();
    waits.sort_unstable();
    let middle = waits.get(waits.len() / 2).copied().unwrap_or_default();
    let longest = waits.last().copied().unwrap_or_default();
    let error = outcome.err().map(|error| format!(", then {error}")).unwrap_or_default();
    format!("an innocent search took {middle:.1?}, the longest of {} took {longest:.1?}{error}", waits.len())
}

fn one_address(mob: &mut Mob, lines: &[&str]) -> io::Result<()> {
    let all = mob.come(2490, 2500, true)?;
    // Some to a room, so that the rooms' own pace is not what is measured.
    all.clone().for_each(|who| mob.type_in(who, &format!("/join fast{}\n", who / 50)));
    mob.settle()?;
    let texts: Vec<String> = lines.iter().map(|line| format!("{line}\n").repeat(20)).collect();
    mob.strike(|mob| {
        all.clone().for_each(|who| mob.type_on(who, || texts[who % texts.len()].clone()));
        Ok(())
    })
}
