//! A random walk over everything that can reach the machine, checked after each step.
//!
//! Beside the machine walks a model that knows less than it and is told nothing by it but outcomes:
//! who is in which room, who hides what, who is muted, what each one is owed. Clients take what they
//! are owed in pieces of any size. `CHATHUB_SEED=n` repeats a walk, `CHATHUB_STEPS=n` says how long
//! it is.

mod shared;
mod world;

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chathub::hub::archive::Recalled;
use chathub::hub::command::COMMANDS;
use chathub::hub::ignore::{Borne, Ignored, Shunned};
use chathub::hub::message::{Farewell, Line, Said, View};
use chathub::hub::{Hub, What};
use chathub::machine::{Machine, Order, Outcome};
use chathub::settings::Settings;
use chathub::values::id::{RoomId, SessionId};
use chathub::values::name::Name;
use chathub::values::time::Mono;
use chathub::wire::render;
use chathub::wire::stream::hidden::Hidden;
use serde_json::{Value, json};
use shared::dice::Dice;
use world::{Step, Taken, World};

/// Names that are free, taken, alike, reserved, hostile or broken.
const WORDS: &[&str] = &[
    "ann",
    "Ann",
    "ANN",
    "bob",
    "b0b",
    "BOB",
    "eve",
    "rnoe",
    "moe",
    "dan",
    "zoe",
    "kim",
    "ida",
    "uma",
    "Europe/Berlin",
    "lord howe",
    "paypal",
    "paypaI",
    "\u{440}\u{430}\u{443}\u{440}\u{430}\u{406}",
    "p\u{430}ypal",
    "J\u{fc}rgen",
    "Ju\u{308}rgen",
    "stra\u{df}e",
    "STRASSE",
    "\u{5d3}\u{5d5}\u{5d3}",
    "\u{65e5}\u{672c}",
    "admin",
    "you",
    "guest-bcdf",
    "c1",
    "a b",
    "",
    "-",
    "#tea",
    "tea",
    "lobby",
    "l0bby",
    "beer",
    "milk",
    "cake",
    "pie",
    "7",
    "0",
    "1",
    "on",
    "off",
    "+5:30",
    "-12",
    "hello there",
    "who",
    "a\u{301}\u{301}",
    "\u{202e}x",
    "\u{1f469}\u{200d}\u{1f467}",
    "012345678901234567890123456789",
    "utc",
    "99999999999999999999",
];

/// What one client is owed, by the model.
#[derive(Default)]
struct Model {
    room: Option<RoomId>,
    view: View,
    quiet: bool,
    ignored: Arc<[SessionId]>,
    names: Arc<[Shunned]>,
    /// By ignored name: since when, and who has borne it since.
    meant: BTreeMap<String, (u64, BTreeSet<SessionId>)>,
    owed: Vec<u8>,
    /// Lines of rooms it was owed, by their numbers.
    lines: Vec<u64>,
    closed: bool,
}

struct Walk {
    dice: Dice,
    world: World,
    models: BTreeMap<SessionId, Model>,
    /// Of whom a mute was ordered, and until when it holds at the least. Whom it catches besides is not looked at here.
    mutes: BTreeMap<SessionId, Option<Mono>>,
    members: BTreeMap<RoomId, BTreeSet<SessionId>>,
    /// How much of what has reached the machine the model has followed.
    followed: usize,
    settings: Settings,
    last_line: u64,
    said: u64,
    longest_gather: Duration,
    departed: u64,
    /// Lines that were to be recorded.
    kept: u64,
    longest_queue: usize,
    stopped: bool,
}

#[test]
fn a_random_walk_over_all_inputs_keeps_every_invariant() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    let seeds: Vec<u64> = match number("CHATHUB_SEED") {
        Some(seed) => vec![seed],
        // Some that are walked each time, and some that nobody has walked.
        None => {
            let fixed = (1..=3).chain([5334, 2_163_073_724, 4_011_987_943]);
            fixed.chain((0..3).map(|at: u64| RandomState::new().hash_one(at) >> 32)).collect()
        }
    };
    let steps = number("CHATHUB_STEPS").unwrap_or(3000);
    for seed in seeds {
        eprintln!("CHATHUB_SEED={seed} CHATHUB_STEPS={steps}");
        walk(seed, steps);
    }
}

fn small_settings() -> Settings {
    let mut settings = Settings::default();
    settings.limits.clients = 14;
    settings.limits.clients_per_address = 4;
    settings.limits.rooms = 4;
    settings.limits.ignores = 3;
    settings.limits.line = 200;
    settings.limits.topic = 40;
    settings.history.lines = 20;
    settings.history.bytes = 4096;
    settings.history.replay = 10;
    settings.rooms.announce_limit = 8;
    settings.rooms.announce_burst = 3;
    settings.pace.lines = 20;
    settings
}

fn walk(seed: u64, steps: u64) {
    let settings = small_settings();
    let world = World::new(settings.clone());
    let lobby = world.hub().lobby();
    let mut walk = Walk {
        dice: Dice(seed),
        world,
        models: BTreeMap::new(),
        mutes: BTreeMap::new(),
        members: BTreeMap::from([(lobby, BTreeSet::new())]),
        followed: 0,
        longest_gather: settings.rooms.gather.max(settings.rooms.gather_big),
        settings,
        last_line: 0,
        said: 0,
        departed: 0,
        kept: 0,
        longest_queue: Settings::default().history.queue,
        stopped: false,
    };
    if walk.dice.one_in(2) {
        walk.act(|world| world.archive(Recalled::default()));
    }
    for step in 0..steps {
        if step == steps - 20 {
            walk.act(|world| world.stop(None));
            walk.stopped = true;
        }
        walk.step();
        walk.act(World::answer);
        walk.check();
    }
    walk.finish();
    walk.repeat();
}

impl Walk {
    fn step(&mut self) {
        match self.dice.below(100) {
            0..10 => self.connect(),
            10..68 => {
                if let Some(session) = self.somebody() {
                    if self.dice.one_in(40) {
                        let on = self.dice.one_in(2);
                        self.act(|world| world.crowd(session, on));
                    }
                    self.send(session);
                }
            }
            68..72 => {
                if let Some(session) = self.somebody() {
                    let why = [Farewell::Hangup, Farewell::Lost, Farewell::TooSlow, Farewell::MailboxFull];
                    let why = self.dice.of(&why);
                    match self.dice.below(3) {
                        0 => self.act(|world| world.end(session, why.clone())),
                        _ => self.act(|world| world.give_up(session, why.clone())),
                    }
                }
            }
            72..80 => self.administer(),
            80 => self.configure(),
            81 => self.store(),
            82..90 => self.pass(),
            _ => {
                let sessions: Vec<_> = self.models.keys().copied().collect();
                for session in sessions {
                    if self.dice.one_in(3) {
                        let most = self.dice.of(&[1, 7, 60, 1000]);
                        self.world.take(session, most);
                    }
                }
                self.world.trim();
            }
        }
    }

    /// Somebody who is connected, or now and then somebody who has gone.
    fn somebody(&mut self) -> Option<SessionId> {
        let all: Vec<_> = if self.dice.one_in(20) {
            self.models.keys().copied().collect()
        } else {
            self.world.hub().sessions().map(|session| session.id).collect()
        };
        (!all.is_empty()).then(|| self.dice.of(&all))
    }

    fn connect(&mut self) {
        let addresses =
            ["192.0.2.1", "192.0.2.2", "192.0.2.3", "::ffff:192.0.2.1", "2001:db8::1", "2001:db8::ffff:0:2"];
        let address: IpAddr = self.dice.of(&addresses).parse().expect("an address");
        // Few ports: the same address and port may come twice, as they do when a connection is lost.
        let peer = SocketAddr::new(address, u16::try_from(1000 + self.dice.below(5)).expect("a port"));
        let session = self.world.machine.next_id();
        self.models.insert(session, Model::default());
        let before = self.world.hub().session_count();
        let origins = origins(self.world.hub());
        let silent = self.world.hub().sessions().filter(|session| session.lines == 0);
        let silent: Vec<_> = silent.map(|session| (session.id, origin(session.peer.ip()))).collect();
        let here: Vec<_> = self.world.hub().sessions().map(|session| session.id).collect();
        self.act(|world| assert_eq!(world.connect(peer), session));
        let refused = self.world.clients[&session].closed;
        let gave_way = here.into_iter().find(|other| self.world.hub().session(*other).is_none());
        let hub = self.world.hub();
        assert_eq!(hub.session_count(), before + usize::from(!refused) - usize::from(gave_way.is_some()));
        let full = before >= self.settings.limits.clients;
        let from_there = origins.get(&origin(address)).copied().unwrap_or(0);
        let crowded = from_there >= self.settings.limits.clients_per_address;
        assert_eq!(
            refused,
            (full && gave_way.is_none()) || crowded || self.stopped,
            "who is let in: {peer}, {from_there} from there, {before} in all"
        );
        // Who makes place: the last of those from where most are silent, if more come from there.
        let count = |from: &_| silent.iter().filter(|(_, origin)| origin == from).count();
        let most = silent.iter().map(|(_, from)| count(from)).max().unwrap_or(0);
        let is_fair = |from: &_| origins[from] > from_there + 1;
        if let Some(other) = gave_way {
            assert!(full && !refused, "nobody goes for nothing");
            let (_, from) = silent.iter().find(|(id, _)| *id == other).expect("whoever has sent a line stays");
            assert!(count(from) == most && is_fair(from), "{other} goes");
            assert_eq!(silent.iter().filter(|(_, origin)| origin == from).map(|(id, _)| *id).max(), Some(other));
        } else if full && refused && !crowded && !self.stopped {
            let mut those = silent.iter().filter(|(_, from)| count(from) == most);
            assert!(most == 0 || those.any(|(_, from)| !is_fair(from)), "somebody would have made place");
        }
    }

    fn send(&mut self, session: SessionId) {
        let line = if self.dice.one_in(30) { "x".repeat(5000) } else { self.line() };
        self.said += 1;
        // Now and then in two pieces.
        let bytes = format!("{line}\n").into_bytes();
        let cut = if self.dice.one_in(5) { self.dice.below(bytes.len()) } else { bytes.len() };
        self.act(|world| world.receive(session, &bytes[..cut]));
        self.act(|world| world.receive(session, &bytes[cut..]));
    }

    fn line(&mut self) -> String {
        let word = |dice: &mut Dice| dice.of(WORDS);
        let token = format!("t{}", self.said);
        match self.dice.below(14) {
            10..14 => {
                let (name, word) = (self.somebodys_name(), word(&mut self.dice));
                match self.dice.below(10) {
                    0 => "/join tea".to_owned(),
                    1 => "/join beer".to_owned(),
                    2 => "/leave".to_owned(),
                    3 | 4 => format!("/ignore {name}"),
                    5 => format!("/unignore {name}"),
                    6 => "/register secret-of-all".to_owned(),
                    7 => format!("/login {word} secret-of-all"),
                    8 => format!("/msg {word} {token}"),
                    _ => format!("/nick {word}"),
                }
            }
            0..4 => format!("{token} {}", word(&mut self.dice)),
            4..8 => {
                let command = self.dice.of(COMMANDS);
                let name = if self.dice.one_in(4) && !command.aliases.is_empty() {
                    self.dice.of(command.aliases)
                } else {
                    command.name
                };
                if matches!(command.name, "quit") && !self.dice.one_in(4) {
                    return format!("/me {token}");
                }
                match self.dice.below(5) {
                    0 => format!("/{name}"),
                    1 | 2 => format!("/{name} {}", word(&mut self.dice)),
                    3 => format!("/{name} {} {token}", self.somebodys_name()),
                    _ => format!("/{name} {}", self.somebodys_name()),
                }
            }
            8 => format!("/{}", word(&mut self.dice)),
            _ => {
                let length = self.dice.below(30);
                let any = |dice: &mut Dice| {
                    let high = dice.of(&[0x80_u64, 0x300, 0x2100, 0x1_0000, 0x11_0000]);
                    char::from_u32(u32::try_from(dice.roll() % high).expect("a code point")).unwrap_or('\u{FFFD}')
                };
                (0..length).map(|_| any(&mut self.dice)).collect()
            }
        }
    }

    fn somebodys_name(&mut self) -> String {
        let names: Vec<_> = self.world.hub().sessions().map(|session| session.nick.shown().to_owned()).collect();
        if names.is_empty() || self.dice.one_in(5) { self.dice.of(WORDS).to_owned() } else { self.dice.of(&names) }
    }

    fn administer(&mut self) {
        let Some(session) = self.somebody() else { return };
        let who = session.to_string();
        let rooms: Vec<_> = self.world.hub().rooms().map(|room| room.name.shown().to_owned()).collect();
        let room = if self.dice.one_in(9) { "nowhere".to_owned() } else { self.dice.of(&rooms) };
        // What an administrator says is not cleaned on its way in: it must be on its way out.
        let word = {
            let word = self.dice.of(WORDS);
            self.dice.of(&[word, "a\x1b[2J\r\nb\u{9b}c\u{202e}"])
        };
        let (command, args) = match self.dice.below(7) {
            0 if self.dice.one_in(2) => ("clients.kick", json!({"who": [who], "reason": word})),
            0 => ("clients.kick", json!({"who": [who]})),
            1 | 2 => {
                let shadow = self.dice.one_in(2);
                let mut args = json!({"who": [who], "shadow": shadow});
                let time = self.dice.of(&[None, Some(0), Some(1), Some(5), Some(20)]);
                if let Some(seconds) = time {
                    args["for_s"] = seconds.into();
                }
                if self.control("clients.mute", args) {
                    self.mutes.remove(&session);
                    let until = time.map(|seconds| self.world.now.mono.after(Duration::from_secs(seconds)));
                    if time != Some(0) {
                        self.mutes.insert(session, until);
                    }
                    self.note_lifted(Some(session));
                }
                return;
            }
            3 => ("clients.rename", json!({"who": who, "nick": word})),
            4 => ("rooms.topic", json!({"room": room, "text": word})),
            5 => ("rooms.close", json!({"room": room})),
            _ if self.dice.one_in(2) => ("say", json!({"room": room, "text": word})),
            _ => ("say", json!({"text": word})),
        };
        self.control(command, args);
    }

    /// An administrator gives a command. Whether it was carried out.
    fn control(&mut self, command: &str, args: Value) -> bool {
        let mut done = false;
        self.act(|world| done = world.control(command, args).is_ok());
        done
    }

    fn configure(&mut self) {
        let mut settings = small_settings();
        let dice = &mut self.dice;
        settings.idle.after = dice.of(&[None, Some(Duration::from_secs(20)), Some(Duration::from_secs(600))]);
        settings.idle.warning = Duration::from_secs(10);
        settings.limits.clients = dice.of(&[4, 14, 14]);
        settings.limits.clients_per_address = dice.of(&[1, 4, 10]);
        settings.limits.rooms = dice.of(&[1, 3, 6]);
        settings.limits.rooms_per_address = dice.of(&[1, 2, 100]);
        settings.limits.ignores = dice.of(&[1, 5]);
        settings.limits.name = dice.of(&[4, 24]);
        settings.history.lines = dice.of(&[0, 3, 50]);
        settings.history.bytes = dice.of(&[1024, 65536]);
        settings.history.queue = dice.of(&[0, 2000, 16 << 20]);
        settings.history.replay = dice.of(&[0, 2, 30]).min(settings.history.lines);
        settings.rooms.announce_limit = dice.of(&[0, 3, 100]);
        settings.rooms.announce_burst = dice.of(&[1, 3, 50]);
        settings.rooms.gather = Duration::from_millis(dice.of(&[100, 2000]));
        settings.pace.lines = dice.of(&[1, 20, 1000]);
        settings.pace.burst_lines = dice.of(&[1, 30]);
        settings.pace.patience = Duration::from_secs(dice.of(&[1, 30]));
        self.settings = settings.clone();
        self.longest_gather = self.longest_gather.max(settings.rooms.gather).max(settings.rooms.gather_big);
        self.act(|world| world.set(settings));
    }

    /// What a store does, and what is done to it.
    fn store(&mut self) {
        if !self.world.hub().is_recording() {
            return;
        }
        match self.dice.below(8) {
            // The daemon has crashed, and is back: what was not told is written again.
            0 => {
                let recalled = self.world.disk.recall();
                self.act(|world| world.archive(recalled));
            }
            1 => {
                let mut args = json!({"query": self.dice.of(WORDS)});
                if self.dice.one_in(2)
                    && let Some(client) = self.somebody()
                {
                    args["client"] = client.to_string().into();
                }
                self.control("history.redact", args);
            }
            _ => {
                let through = self.world.disk.through.unwrap_or(0).saturating_sub(self.dice.roll() % 3);
                self.act(|world| world.recorded(through));
            }
        }
    }

    fn pass(&mut self) {
        let now = self.world.now.mono;
        let to = match self.dice.below(4) {
            0 => now,
            1 => self.world.machine.next_deadline().unwrap_or(now),
            2 => now.after(Duration::from_millis(self.dice.roll() % 3000)),
            _ => now.after(Duration::from_secs(self.dice.roll() % 100)),
        };
        self.world.move_to(to);
        if self.dice.one_in(10) {
            // The wall clock may jump either way.
            self.world.now.wall.0 += i64::try_from(self.dice.roll() % 100_000_000).expect("small") - 50_000_000;
        }
        // Now and then a tick comes late, after other inputs.
        if !self.dice.one_in(4) {
            self.act(World::tick);
            let next = self.world.hub().next_deadline();
            assert!(next.is_none_or(|next| next > self.world.now.mono), "a tick leaves nothing undone");
        }
    }

    /// Something happens; the model takes note of all that followed, and judges it.
    fn act(&mut self, act: impl FnOnce(&mut World)) {
        let before = Before::of(self.world.hub());
        act(&mut self.world);
        while let Some(taken) = self.world.taken.get(self.followed).cloned() {
            self.followed += 1;
            self.follow(&taken);
        }
        self.compare(&before);
        self.note_ignored();
    }

    /// The model takes note of who bears the names that are ignored.
    fn note_ignored(&mut self) {
        let hub = self.world.hub();
        for session in hub.sessions() {
            let former = std::mem::take(&mut self.models.get_mut(&session.id).expect("a client").meant);
            let note = |ignored: &Ignored| {
                let known = former.get(&*ignored.folded).filter(|(since, _)| *since == ignored.since);
                let mut meant = known.map(|(_, meant)| meant.clone()).unwrap_or_default();
                meant.extend(hub.find(&ignored.folded).filter(|bearer| *bearer != session.id));
                (ignored.folded.to_string(), (ignored.since, meant))
            };
            let meant = session.ignoring.iter().map(note).collect();
            self.models.get_mut(&session.id).expect("a client").meant = meant;
        }
    }

    fn is_muted(&self, session: SessionId, at: Mono) -> bool {
        self.mutes.get(&session).is_some_and(|until| until.is_none_or(|until| at < until))
    }

    /// A mute was ordered or lifted. Each is of a name, an account and an address: another one of the same takes its place,
    /// and lifting it lifts it for all whom it is about, all but `ordered`.
    fn note_lifted(&mut self, ordered: Option<SessionId>) {
        let (hub, now) = (self.world.machine.hub(), self.world.now);
        self.mutes.retain(|id, until| {
            let mute = hub.session(*id).and_then(|session| session.muted(now));
            if let Some((ends, _)) = mute.and_then(|mute| mute.until)
                && Some(*id) != ordered
            {
                *until = Some(until.map_or(ends, |until| until.min(ends)));
            }
            Some(*id) == ordered || mute.is_some()
        });
    }

    /// Whether somebody is not to know that they are muted, as the hub has it: of several mutes, the one that they know of
    /// counts.
    fn is_muted_untold(&self, session: SessionId) -> bool {
        let session = self.world.hub().session(session);
        // Who has left in the same go is not asked.
        session.is_none_or(|session| session.muted(self.world.now).is_some_and(|mute| mute.shadow))
    }

    fn follow(&mut self, taken: &Taken) {
        let sender = match &taken.step {
            Step::Bytes(session, _) => Some(*session),
            Step::Input(_) => None,
        };
        let muted = sender.filter(|sender| self.is_muted(*sender, taken.at.mono));
        let mut logged_out = false;
        for outcome in &taken.outcomes {
            if let Outcome::Happened(happening) = outcome {
                logged_out |= happening.what == What::LoggedOut;
                if happening.what == What::Unmuted {
                    self.note_lifted(None);
                }
            }
            if let Some(sender) = muted {
                self.nothing_is_heard(sender, logged_out, outcome);
            }
            if let Outcome::Order(Order::Post(_, line)) = outcome
                && let Some(author) = line.author
                && matches!(line.said, Said::Say { .. } | Said::Emote { .. })
            {
                assert!(
                    !self.is_muted(author, taken.at.mono),
                    "{author} is muted, and is heard: {line:?}\n{}",
                    self.about_mute(author)
                );
            }
            self.owe(outcome);
        }
        if let Step::Bytes(_, bytes) = &taken.step
            && bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() == 1
        {
            let is_open = |outcome: &&Outcome| matches!(outcome, Outcome::Order(Order::Open(_)));
            assert!(taken.outcomes.iter().filter(is_open).count() <= 1, "one line opens one room at most");
        }
    }

    /// What has become of the bounds.
    fn compare(&self, before: &Before) {
        let hub = self.world.hub();
        let limits = &self.settings.limits;
        assert!(hub.session_count() <= before.clients.max(limits.clients), "clients are capped");
        assert!(hub.room_count() <= before.rooms.max(limits.rooms), "rooms are capped");
        for session in hub.sessions() {
            let count = session.ignoring.len();
            let cap = before.ignoring.get(&session.id).copied().unwrap_or(0).max(limits.ignores);
            assert!(count <= cap, "ignored names are capped");
        }
    }

    /// Somebody muted has sent something, and this followed. Who logs out is given a guest's name: nobody chose it.
    fn nothing_is_heard(&self, sender: SessionId, logged_out: bool, outcome: &Outcome) {
        match outcome {
            Outcome::Order(Order::Post(_, line)) => match &line.said {
                Said::Joined { .. } | Said::Left { reason: None, .. } | Said::Left { moved: true, .. } => {}
                Said::Renamed { to, .. } if logged_out && to.starts_with("guest-") => {}
                said => panic!("{sender} is muted, and is heard: {said:?}\n{}", self.about_mute(sender)),
            },
            Outcome::Order(Order::Tell(to, told)) => {
                assert_eq!(*to, sender, "{sender} is muted, and is heard: {:?}", String::from_utf8_lossy(told));
            }
            // It is seen by nobody else: see `heard.rs`.
            Outcome::Order(Order::Open(_)) if self.is_muted_untold(sender) => {}
            Outcome::Order(Order::Open(_)) => {
                panic!("{sender} is muted, and names a room\n{}", self.about_mute(sender))
            }
            Outcome::Happened(happening) => {
                assert!(
                    logged_out || happening.what != What::Renamed,
                    "{sender} is muted, and renamed\n{}",
                    self.about_mute(sender)
                );
            }
            _ => {}
        }
    }

    /// What the model and the hub know of somebody's mute.
    fn about_mute(&self, id: SessionId) -> String {
        let (hub, now) = (self.world.hub(), self.world.now);
        let session = hub.session(id);
        let sanctions = session.map(|session| hub.sanctions_of(session, now).collect::<Vec<_>>());
        format!("at {now:?}, the model: {:?}\nthe hub: {session:?}\n{sanctions:#?}", self.mutes.get(&id))
    }

    fn owe(&mut self, outcome: &Outcome) {
        let order = match outcome {
            Outcome::Order(order) => order,
            Outcome::Happened(happening) => {
                self.departed += u64::from(happening.what == What::Departed);
                return;
            }
            _ => return,
        };
        match order {
            Order::Open(room) => assert!(self.members.insert(*room, BTreeSet::new()).is_none()),
            Order::Shut(room) => {
                assert!(
                    self.members.remove(room).expect("an open room").is_empty(),
                    "a room is shut with people in it"
                );
            }
            Order::Enter(session, room) => {
                self.leave(*session);
                self.members.get_mut(room).expect("an open room").insert(*session);
                self.models.get_mut(session).expect("a client").room = Some(*room);
            }
            Order::Close(session) => {
                self.leave(*session);
                self.mutes.remove(session);
                let model = self.models.get_mut(session).expect("a client");
                assert!(!std::mem::replace(&mut model.closed, true));
            }
            Order::View(session, view) => self.models.get_mut(session).expect("a client").view = *view,
            // Nobody here has a terminal, and what is held back comes in its order.
            Order::Area(..) | Order::Hold(..) | Order::Release(_) | Order::Attach(_) | Order::Limits(_) => {}
            Order::Rekey(_) | Order::Alert(..) => unreachable!("nobody here is encrypted"),
            Order::Hide(session, Hidden { quiet, ignored, names }) => {
                assert!(ignored.windows(2).all(|pair| pair[0] < pair[1]), "in rising order");
                assert!(!ignored.contains(session), "nobody ignores themselves");
                let model = self.models.get_mut(session).expect("a client");
                (model.quiet, model.ignored, model.names) = (*quiet, ignored.clone(), names.clone());
            }
            Order::Tell(to, told) => self.models.get_mut(to).expect("a client").owed.extend_from_slice(told),
            Order::Post(room, line) => {
                assert!(line.seq > self.last_line, "lines are numbered in their order");
                self.last_line = line.seq;
                self.kept += u64::from(line.said.is_kept() && self.world.hub().is_recording());
                for named in line.apart.iter().flat_map(|apart| apart.iter()) {
                    assert!(line.said.is_speech() && self.members[room].contains(named), "it is shown to who is there");
                }
                for member in &self.members[room] {
                    let model = self.models.get_mut(member).expect("a client");
                    if !hidden(line, *member, model) {
                        model.lines.push(line.seq);
                        render::line(line, model.view, &mut model.owed);
                    }
                }
            }
        }
    }

    fn leave(&mut self, session: SessionId) {
        if let Some(room) = self.models.get_mut(&session).expect("a client").room.take() {
            assert!(self.members.get_mut(&room).expect("an open room").remove(&session));
        }
    }

    /// What must be true at any time.
    fn check(&self) {
        let hub = self.world.hub();
        hub.check_invariants();
        let disk = &self.world.disk;
        assert_eq!(
            self.kept,
            disk.lines.len() as u64 + hub.counters().history_lost,
            "each line is recorded or counted"
        );
        assert!(hub.backlog().bytes() <= self.longest_queue, "what waits for the disk is capped");
        for room in hub.rooms() {
            assert_eq!(room.members, self.members[&room.id], "who is in {}", room.name);
            assert!(room.history.iter().all(|line| line.said.is_kept()), "history keeps what was said only");
            assert!(room.history.iter().is_sorted_by_key(|line| line.seq), "history is in order");
            for line in room.history.iter() {
                if let Some((_, _, on_disk)) = self.world.disk.lines.get(&line.seq) {
                    let line = Line { borne: Borne::default(), apart: None, origin: None, ..(**line).clone() };
                    assert_eq!(on_disk, &line, "what is in memory stands on disk alike");
                }
            }
        }
        assert_eq!(hub.room_count(), self.members.len());
        alone_in_looks(hub.sessions().map(|session| &session.nick));
        alone_in_looks(hub.rooms().map(|room| &room.name));
        for session in hub.sessions() {
            assert_eq!(Name::parse(session.nick.shown(), 64).as_ref(), Ok(&session.nick), "a name that is one");
            let model = &self.models[&session.id];
            let hidden: BTreeSet<_> = session.ignoring.iter().flat_map(|ignored| &ignored.sessions).collect();
            assert!(model.ignored.iter().all(|ignored| hidden.contains(ignored)), "what is hidden is what was wished");
            let here = hidden.iter().filter(|ignored| hub.session(***ignored).is_some());
            assert!(here.copied().all(|ignored| model.ignored.contains(ignored)), "and all of it is");
            // Whoever bears an ignored name is ignored.
            for ignored in &session.ignoring {
                if let Some(bearer) = hub.find(&ignored.folded) {
                    let own_or_hidden =
                        bearer == session.id || hub.session(bearer).is_some_and(|bearer| session.ignores(bearer));
                    assert!(own_or_hidden, "{} ignores {}", session.nick, ignored.shown);
                }
            }
            for (name, (_, meant)) in &model.meant {
                let mut here = meant.iter().filter_map(|meant| hub.session(*meant));
                assert!(here.all(|meant| session.ignores(meant)), "{} ignores whoever bore {name}", session.nick);
            }
            assert_eq!(model.quiet, session.quiet);
            assert_eq!(model.view, session.view);
        }
        if let Some(next) = hub.next_deadline() {
            // What is kept for a time is looked through now and then.
            let longest = self.longest_gather.max(Duration::from_secs(3600));
            assert!(next <= self.world.now.mono.after(longest), "a deadline is near");
        }
        let counters = hub.counters();
        if !self.stopped {
            assert_eq!(
                counters.connections - self.departed,
                hub.session_count() as u64,
                "everybody who came and did not go is here"
            );
        }
    }

    /// Everybody takes everything: it must be what the model says, and clean, and nothing twice.
    fn finish(&mut self) {
        self.world.take_all();
        for (session, model) in &self.models {
            let out = &self.world.clients[session].out;
            assert!(
                *out == model.owed,
                "{session} saw\n{}\nand was owed\n{}",
                String::from_utf8_lossy(out),
                String::from_utf8_lossy(&model.owed)
            );
            assert!(model.lines.windows(2).all(|pair| pair[0] < pair[1]), "{session} saw a line twice or out of order");
            let mut heard = BTreeSet::new();
            let mut in_replay = false;
            // Some have asked for colours: those, and no other sequence, may be there.
            let out = String::from_utf8_lossy(&without_negotiation(out)).into_owned();
            let styles = ["\x1b[1m", "\x1b[2m", "\x1b[22m", "\x1b[7m", "\x1b[27m"];
            let colors = ["\x1b[31m", "\x1b[32m", "\x1b[35m", "\x1b[36m", "\x1b[39m"];
            // And some have asked for a bell.
            let may_be = styles.iter().chain(&colors).chain(&["\x07"]);
            let out = may_be.fold(out, |out, part| out.replace(part, ""));
            for line in world::lines(out.as_bytes()) {
                in_replay = (in_replay || line.starts_with("-- ") && line.ends_with(':')) && !ends_replay(line);
                let said = line.split(": ").nth(1).unwrap_or_default();
                let token = said.split(' ').next().unwrap_or_default();
                let is_token =
                    token.len() > 1 && token.starts_with('t') && token[1..].bytes().all(|b| b.is_ascii_digit());
                if is_token && !in_replay && !line.starts_with("--") && !line.starts_with("[") {
                    assert!(heard.insert(token.to_owned()), "{session} saw {line:?} twice");
                }
            }
        }
    }

    /// The same steps at the same times with the same key have the same outcomes.
    fn repeat(&self) {
        let mut machine = Machine::new(small_settings(), world::KEY, world::BEGIN, &mut Vec::new());
        for (number, Taken { step, at, outcomes }) in self.world.taken.iter().enumerate() {
            let again = step.play(&mut machine, *at);
            assert_eq!(again, *outcomes, "step {number} leads to something else when it is repeated");
        }
    }
}

/// What was so before.
struct Before {
    clients: usize,
    rooms: usize,
    ignoring: BTreeMap<SessionId, usize>,
}

impl Before {
    fn of(hub: &Hub) -> Self {
        let ignoring = hub.sessions().map(|session| (session.id, session.ignoring.len())).collect();
        Self { clients: hub.session_count(), rooms: hub.room_count(), ignoring }
    }
}

/// Whether a client is not shown a line, by what it has wished for.
/// Whether lines that were said before end here: those that were asked for, or those that one is shown on coming in.
fn ends_replay(line: &str) -> bool {
    ["-- end of", "-- You are ", "-- you are in "].iter().any(|end| line.starts_with(end))
}

fn hidden(line: &Line, session: SessionId, model: &Model) -> bool {
    let presence =
        matches!(line.said, Said::Joined { .. } | Said::Left { .. } | Said::Renamed { .. } | Said::Gathered { .. });
    let speech = matches!(
        line.said,
        Said::Say { .. }
            | Said::Emote { .. }
            | Said::Topic { nick: Some(_), .. }
            | Said::Renamed { .. }
            | Said::Left { words: true, .. }
    );
    let own = line.author == Some(session) && !matches!(line.said, Said::Topic { .. });
    // Who is shown it by themselves is told it.
    own || line.is_apart_for(session)
        || (model.quiet && presence)
        || (speech
            && line
                .author
                .is_some_and(|author| model.ignored.contains(&author) || line.borne.is_hidden_by(&model.names)))
}

#[track_caller]
fn alone_in_looks<'a>(names: impl Iterator<Item = &'a Name>) {
    let names: Vec<_> = names.collect();
    for (at, one) in names.iter().enumerate() {
        for other in &names[at + 1..] {
            assert!(!one.looks_like(other), "{one} and {other} look alike");
        }
    }
}

/// What counts as one address.
fn origin(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets()[..8].to_vec(),
    }
}

fn origins(hub: &Hub) -> BTreeMap<Vec<u8>, usize> {
    let mut origins = BTreeMap::new();
    for session in hub.sessions() {
        *origins.entry(origin(session.peer.ip())).or_insert(0) += 1;
    }
    origins
}

#[test]
fn a_thousand_arrivals_in_a_second_are_a_few_lines() {
    let mut world = World::new(Settings::default());
    for number in 0..1000_u16 {
        let [high, low] = number.to_be_bytes();
        let session = world.connect(SocketAddr::from(([198, 18, high, low], 1)));
        // Each begins by taking a name.
        world.receive(session, format!("/nick x{}\n", 2000 + number * 7).as_bytes());
        world.move_to(world.now.mono.after(Duration::from_millis(1)));
    }
    world.move_to(world.now.mono.after(Duration::from_secs(100)));
    world.tick();
    let outcomes = world.taken.iter().flat_map(|taken| &taken.outcomes);
    let posts = outcomes.filter(|outcome| matches!(outcome, Outcome::Order(Order::Post(..)))).count();
    assert!(posts < 30, "{posts} lines to everybody");
    assert_eq!(world.hub().rooms().next().map(|room| room.members.len()), Some(1000));
}

#[test]
fn a_deadline_that_is_far_is_not_lost_when_time_leaps() {
    let mut world = World::new(small_settings());
    for number in 0..10 {
        world.connect(SocketAddr::from(([198, 18, 0, number], 1)));
    }
    let due = world.hub().next_deadline().expect("a burst is gathered");
    let mut tick = |to: Mono| {
        world.move_to(to);
        world.tick();
        world.taken.last().expect("a tick").outcomes.len()
    };
    assert_eq!(tick(Mono(due.0 - 1)), 0, "an early tick is harmless");
    let late = due.after(Duration::from_secs(1_000_000));
    assert_eq!(tick(late), 1, "a late one tells what was gathered");
    assert_eq!(tick(late), 0, "and a second one nothing");
    assert_eq!(world.machine.next_deadline(), None);
}

/// What a client was sent, without what negotiates with one whose bytes happened to be telnet: IAC, WILL to DONT, an
/// option.
fn without_negotiation(out: &[u8]) -> Vec<u8> {
    let (mut rest, mut text) = (out, Vec::with_capacity(out.len()));
    while let Some((first, behind)) = rest.split_first() {
        match rest {
            [0xff, 0xfb..=0xfe, _, behind @ ..] => rest = behind,
            _ => {
                text.push(*first);
                rest = behind;
            }
        }
    }
    text
}
