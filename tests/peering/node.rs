//! One hub of a run: a machine with people, its link to the log, and its tape.

use std::collections::VecDeque;
use std::time::Duration;

use chathub::hub::peering::entry::{Beat, Frame, HubId};
use chathub::hub::peering::incoming::Refused;
use chathub::hub::peering::{Incoming, Outgoing, Trial};
use chathub::machine::Machine;
use chathub::settings::Settings;
use chathub::values::id::SessionId;

use super::bus::Bus;
use super::world::{self, World};

/// The rooms in which people talk. From the second one, they go at times, and come back.
pub const ROOMS: [&str; 2] = ["lobby", "tea"];

/// What becomes of a frame that is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Stored,
    /// It is not stored, and the link is told.
    Refused,
    /// It is stored, and the link is told that nobody knows.
    Unacknowledged,
    /// It is stored twice.
    Doubled,
    /// It is stored, and the link dies before it says so. The next one connects at once.
    Death,
}

/// What becomes of what hubs tell each other beside the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    All,
    Lost,
    Doubled,
    LastFirst,
}

/// Somebody who talks in a room, and somebody who listens there and says nothing.
pub struct Pair {
    pub speaker: SessionId,
    pub listener: SessionId,
    /// Whether they have been in the room all the time.
    pub stayed: bool,
    pub here: bool,
    /// How many lines were said.
    pub said: u64,
    /// How many bytes of what the listener was sent were looked at.
    looked: usize,
}

pub struct Node {
    pub name: HubId,
    /// How often its state was lost.
    pub life: usize,
    pub world: World,
    pub pairs: Vec<Pair>,
    trial: Trial,
    /// Whether the link is connected, and to which log.
    pub link: Option<String>,
    /// Where the link reads.
    cursor: u64,
    publishing: VecDeque<(Frame, u64)>,
    /// What other hubs have told it.
    pub inbox: Vec<Incoming>,
    /// The snapshot, and how much had reached the machine before it.
    snapshot: (String, usize),
    /// The last whole beat.
    pub beat: Option<Beat>,
    pub halted: bool,
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    // Who comes back sees nothing of what was said before, so each line is seen once.
    settings.history.replay = 0;
    (settings.pace.lines, settings.pace.burst_lines, settings.pace.steady) = (1_000_000, 1_000_000, 0);
    (settings.pace.shown, settings.moderation.mute_at) = (1_000_000, 0);
    settings
}

impl Node {
    /// A hub that has nothing. Its clock is `skew` before the others'.
    pub fn new(name: &str, life: usize, now: Duration, skew: i64, trial: Trial) -> Self {
        let mut world = World::new(settings());
        world.now.mono = world.now.mono.after(now);
        world.now.wall.0 += i64::try_from(now.as_millis()).expect("a short run") + skew;
        let mut pairs = Vec::new();
        for (at, room) in ROOMS.iter().enumerate() {
            let mut come = |what: u8| world.connect(([10, 0, u8::try_from(at).expect("few"), what], 4000).into());
            let (speaker, listener) = (come(1), come(2));
            for (id, nick) in [(speaker, format!("ann-{room}")), (listener, format!("bob-{room}"))] {
                world.receive(id, format!("/nick {nick}\n").as_bytes());
                if at > 0 {
                    world.receive(id, format!("/join {room}\n").as_bytes());
                }
            }
            pairs.push(Pair { speaker, listener, stayed: true, here: true, said: 0, looked: 0 });
        }
        world.take_all();
        let mut node = Self {
            name: HubId::parse(name).expect("a name"),
            life,
            world,
            pairs,
            trial,
            link: None,
            cursor: 0,
            publishing: VecDeque::new(),
            inbox: Vec::new(),
            snapshot: Default::default(),
            beat: None,
            halted: false,
        };
        node.hand_over();
        node
    }

    fn tell(&mut self, incoming: Incoming, others: &mut Vec<Incoming>) {
        self.world.linked(incoming);
        self.carry_out(others);
    }

    /// Does what the hub has given the link to do. What is meant for other hubs goes to `others`.
    fn carry_out(&mut self, others: &mut Vec<Incoming>) {
        for outgoing in std::mem::take(&mut self.world.to_link) {
            assert!(self.link.is_some(), "{} gives something to do to a link that is not there", self.name);
            match outgoing {
                Outgoing::Read { after } => self.cursor = after,
                Outgoing::Publish { frame, expect } => self.publishing.push_back((*frame, expect)),
                Outgoing::Beat(beat) => {
                    if beat.whole {
                        self.beat = Some((*beat).clone());
                    }
                    others.push(Incoming::Beat(beat));
                }
                Outgoing::Again(again) => others.push(Incoming::Again(again)),
                Outgoing::Halt => self.halted = true,
            }
        }
    }

    /// The link connects.
    pub fn connect(&mut self, bus: &Bus, others: &mut Vec<Incoming>) {
        self.link = Some(bus.name());
        self.publishing.clear();
        let linked = Incoming::Linked { hub: self.name.clone(), log: bus.name().into(), last: bus.last() };
        self.world.linked(linked);
        self.world.machine.try_peering(self.trial);
        self.carry_out(others);
    }

    /// The link is cut off. What it was to publish is not done.
    pub fn cut(&mut self) {
        if self.link.take().is_some() {
            self.publishing.clear();
            self.inbox.clear();
            self.world.linked(Incoming::Unlinked);
            assert_eq!(self.world.to_link, [], "there is no link");
        }
    }

    /// Somebody talks; returns what they say.
    pub fn say(&mut self, room: usize, others: &mut Vec<Incoming>) -> Option<String> {
        let pair = &mut self.pairs[room];
        if !pair.here {
            return None;
        }
        pair.said += 1;
        // Long enough for few of them to fill a small outbox.
        let text = format!("{} {} {} {}", self.name, self.life, ROOMS[room], pair.said);
        self.world.receive(pair.speaker, format!("{text}\n").as_bytes());
        self.carry_out(others);
        Some(text)
    }

    /// The people of a room go elsewhere, or come back. Returns whether they are there now.
    pub fn move_people(&mut self, room: usize, others: &mut Vec<Incoming>) {
        let pair = &mut self.pairs[room];
        pair.here = !pair.here;
        pair.stayed = false;
        let to = if pair.here { ROOMS[room].to_owned() } else { format!("{}-away", ROOMS[room]) };
        for id in [pair.speaker, pair.listener] {
            self.world.receive(id, format!("/join {to}\n").as_bytes());
        }
        self.carry_out(others);
    }

    /// The link publishes one frame, if there is one.
    pub fn publish(&mut self, bus: &mut Bus, fate: Fate, others: &mut Vec<Incoming>) {
        let Some((frame, expect)) = self.publishing.pop_front() else { return };
        let (lane, n) = (frame.lane.clone(), frame.entries.last().expect("an entry").n);
        let answer = match fate {
            Fate::Death => {
                let _ = bus.store(&frame, expect);
                self.cut();
                return self.connect(bus, others);
            }
            Fate::Refused => Err(Refused::Away),
            Fate::Stored => bus.store(&frame, expect),
            Fate::Unacknowledged => bus.store(&frame, expect).and(Err(Refused::Away)),
            Fate::Doubled => bus.store(&frame, expect).map(|_| bus.push(&frame)),
        };
        let answer = match answer {
            Ok(position) => Incoming::Stored { lane, n, position },
            Err(why) => Incoming::Refused { lane, n, why },
        };
        self.tell(answer, others);
    }

    /// The link reads frames of the log. `given` is called for each before the hub has it.
    pub fn read(
        &mut self,
        bus: &Bus,
        frames: usize,
        others: &mut Vec<Incoming>,
        mut given: impl FnMut(&World, &Frame),
    ) {
        let Some(log) = &self.link else { return };
        if *log != bus.name() || self.cursor > bus.last() {
            // The link notices that it is not the log that it was.
            self.cut();
            return self.connect(bus, others);
        }
        if let Some(position) = bus.gone(self.cursor) {
            self.cursor = position;
            self.tell(Incoming::Gone { position }, others);
        }
        for _ in 0..frames {
            let Some((position, frame)) = bus.next(self.cursor) else { return };
            self.cursor = position;
            given(&self.world, &frame);
            self.tell(Incoming::Frame { position, frame: Box::new(frame) }, others);
        }
    }

    /// What other hubs have told comes in.
    pub fn hear(&mut self, passage: Passage, others: &mut Vec<Incoming>) -> Vec<Beat> {
        let mut told = std::mem::take(&mut self.inbox);
        if self.link.is_none() {
            return Vec::new();
        }
        match passage {
            Passage::All => {}
            Passage::Lost => told.clear(),
            Passage::Doubled => told = told.iter().flat_map(|told| [told.clone(), told.clone()]).collect(),
            Passage::LastFirst => told.reverse(),
        }
        let beats = told.iter().filter_map(|told| match told {
            Incoming::Beat(beat) => Some((**beat).clone()),
            _ => None,
        });
        let beats = beats.collect();
        told.into_iter().for_each(|told| self.tell(told, others));
        beats
    }

    /// An administrator here forgets a hub.
    pub fn forget(&mut self, hub: HubId, others: &mut Vec<Incoming>) {
        self.tell(Incoming::Forget { hub }, others);
    }

    pub fn pass(&mut self, time: Duration, others: &mut Vec<Incoming>) {
        self.world.pass(time);
        self.carry_out(others);
    }

    /// Another process takes over: what it makes of the last snapshot and the tape since is what the former one had.
    pub fn hand_over(&mut self) {
        let (snapshot, from) = &self.snapshot;
        let replayed = (!snapshot.is_empty()).then(|| {
            let mut machine: Machine = serde_json::from_str(snapshot).expect("a snapshot can be read");
            machine.try_peering(self.trial);
            for taken in &self.world.taken[*from..] {
                assert_eq!(taken.step.play(&mut machine, taken.at), taken.outcomes, "the same follows again");
                // With the first connection of the link.
                machine.try_peering(self.trial);
            }
            machine
        });
        let kept = self.world.hand_over();
        if let Some(replayed) = replayed {
            assert_eq!(serde_json::to_string(&replayed).expect("plain values"), kept, "a replay leads to the same");
            self.world.machine = replayed;
        }
        self.world.machine.try_peering(self.trial);
        self.world.taken.clear();
        self.snapshot = (kept, 0);
    }

    /// The lines that the listener of a room has been sent since they were asked for last.
    pub fn seen(&mut self, room: usize) -> Vec<String> {
        self.world.take_all();
        let pair = &mut self.pairs[room];
        let out = &self.world.clients[&pair.listener].out;
        let new = &out[std::mem::replace(&mut pair.looked, out.len())..];
        world::lines(new).into_iter().map(str::to_owned).collect()
    }

    /// Whether other hubs have all that was said here, as far as it knows.
    pub fn is_confirmed(&self) -> bool {
        self.beat.as_ref().is_some_and(|beat| beat.lanes.iter().all(|lane| lane.first > lane.n))
    }
}
