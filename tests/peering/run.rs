//! One run: hubs, what happens to them, and what has to hold in the end.

use std::collections::BTreeMap;
use std::time::Duration;

use chathub::hub::peering::entry::Content;
use chathub::hub::peering::{Incoming, Rule, Trial};
use proptest::prelude::*;

use super::bus::Bus;
use super::node::{Fate, Node, Passage, ROOMS};
use super::seen::{Id, Last, View, read};

/// The hubs' names.
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// How long an entry waits at most for what it comes after.
const PATIENCE: Duration = Duration::from_secs(2);

/// What an outbox holds where little is allowed, in bytes: some eight lines.
const SMALL: usize = 1200;

/// What happens. Hubs are named by a number, of which the rest counts.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Say { hub: usize, room: usize, lines: usize },
    Publish(usize, Fate),
    Read(usize, usize),
    Hear(usize, Passage),
    Pass(u64),
    Cut(usize),
    Connect(usize),
    ForgetEnd(usize),
    ForgetBeginning(usize),
    Wipe,
    HandOver(usize),
    LoseState(usize),
    Forget { by: usize, hub: usize },
    Move(usize),
}

/// What a run begins with, and what happens then.
#[derive(Clone, Debug)]
pub struct Scenario {
    hubs: usize,
    /// How far each hub's clock is ahead of the true time, in milliseconds.
    skews: [i64; 4],
    /// Whether outboxes hold little.
    small: bool,
    steps: Vec<Step>,
}

fn step() -> impl Strategy<Value = Step> {
    let fate = prop_oneof![
        12 => Just(Fate::Stored),
        1 => Just(Fate::Refused),
        1 => Just(Fate::Unacknowledged),
        1 => Just(Fate::Doubled),
        1 => Just(Fate::Death),
    ];
    let passage = prop_oneof![
        6 => Just(Passage::All),
        1 => Just(Passage::Lost),
        1 => Just(Passage::Doubled),
        1 => Just(Passage::LastFirst),
    ];
    prop_oneof![
        30 => (0..4_usize, 0..3_usize, 1..4_usize).prop_map(|(hub, room, lines)| Step::Say { hub, room: room / 2, lines }),
        35 => (0..4_usize, fate).prop_map(|(hub, fate)| Step::Publish(hub, fate)),
        35 => (0..4_usize, 1..6_usize).prop_map(|(hub, frames)| Step::Read(hub, frames)),
        15 => (0..4_usize, passage).prop_map(|(hub, passage)| Step::Hear(hub, passage)),
        10 => (10..1200_u64).prop_map(Step::Pass),
        1 => (2000..9000_u64).prop_map(Step::Pass),
        2 => (0..4_usize).prop_map(Step::Cut),
        4 => (0..4_usize).prop_map(Step::Connect),
        3 => (1..5_usize).prop_map(Step::ForgetEnd),
        1 => (1..9_usize).prop_map(Step::ForgetBeginning),
        1 => Just(Step::Wipe),
        4 => (0..4_usize).prop_map(Step::HandOver),
        1 => (0..4_usize).prop_map(Step::LoseState),
        1 => (0..4_usize, 0..4_usize).prop_map(|(by, hub)| Step::Forget { by, hub }),
        2 => (0..4_usize).prop_map(Step::Move),
    ]
}

pub fn scenarios() -> impl Strategy<Value = Scenario> {
    let steps = prop::collection::vec(step(), 20..200);
    // Losing state and forgetting hubs excuse much, so most runs are without.
    let calm = prop::bool::weighted(0.7);
    let skew = -3_600_000..3_600_000_i64;
    (2..5_usize, [skew.clone(), skew.clone(), skew.clone(), skew], prop::bool::weighted(0.2), calm, steps).prop_map(
        |(hubs, skews, small, calm, mut steps)| {
            let excuses = |step: &Step| matches!(step, Step::LoseState(_) | Step::Forget { .. });
            steps.retain(|step| !calm || !excuses(step));
            Scenario { hubs, skews, small, steps }
        },
    )
}

pub struct Run<'a> {
    scenario: &'a Scenario,
    trial: Trial,
    bus: Bus,
    nodes: Vec<Node>,
    now: Duration,
    /// By hub and room: what the listener of its present life has seen.
    views: Vec<[View; 2]>,
    /// What was seen in lives that are over.
    former: Vec<View>,
    /// What had been seen at the hub of each line when it was said, by room.
    after: [BTreeMap<Id, Last>; 2],
    /// When a line was first given to a hub in a life, by room.
    given: [BTreeMap<(usize, usize, Id), Duration>; 2],
    /// How many lines were said at the first hub, by room, when it heard for the first time of the second one in its
    /// present life: what was said since then, the second one has to see.
    known: BTreeMap<(usize, usize), [u64; 2]>,
    forgot: bool,
}

impl<'a> Run<'a> {
    pub fn new(scenario: &'a Scenario, without: Option<Rule>) -> Self {
        let outbox = if scenario.small { SMALL } else { Trial::default().outbox };
        let trial = Trial { without, outbox };
        let nodes = (0..scenario.hubs).map(|hub| Node::new(NAMES[hub], 0, Duration::ZERO, scenario.skews[hub], trial));
        let view = |hub, room| View { hub, room, ..View::default() };
        let mut run = Self {
            scenario,
            trial,
            bus: Bus::new(),
            nodes: nodes.collect(),
            now: Duration::ZERO,
            views: (0..scenario.hubs).map(|hub| [view(hub, 0), view(hub, 1)]).collect(),
            former: Vec::new(),
            after: Default::default(),
            given: Default::default(),
            known: BTreeMap::new(),
            forgot: false,
        };
        run.all(|run, hub| run.connect(hub));
        for _ in 0..3 {
            run.pass(Duration::from_millis(10));
            run.all(|run, hub| run.hear(hub, Passage::All));
        }
        run
    }

    fn all(&mut self, mut act: impl FnMut(&mut Self, usize)) {
        (0..self.nodes.len()).for_each(|hub| act(self, hub));
    }

    /// Something happens to a hub. What it tells others lies in their inboxes then, and what is seen there is noted.
    fn at<R>(&mut self, hub: usize, act: impl FnOnce(&mut Node, &mut Bus, &mut Vec<Incoming>) -> R) -> R {
        let mut others = Vec::new();
        let result = act(&mut self.nodes[hub], &mut self.bus, &mut others);
        for (_, other) in self.nodes.iter_mut().enumerate().filter(|(other, _)| *other != hub) {
            if other.link.is_some() {
                other.inbox.extend(others.iter().cloned());
            }
        }
        self.look(hub);
        result
    }

    fn look(&mut self, hub: usize) {
        for room in 0..ROOMS.len() {
            let seen = self.nodes[hub].seen(room);
            let view = &mut self.views[hub][room];
            let sights = seen.iter().filter_map(|line| read(line, &NAMES));
            view.sights.extend(sights.map(|sight| (sight, self.now)));
        }
    }

    fn connect(&mut self, hub: usize) {
        self.at(hub, |node, bus, others| node.connect(bus, others));
    }

    fn say(&mut self, hub: usize, room: usize) {
        let life = self.nodes[hub].life;
        let mut last = self.views[hub][room].last();
        last.remove(&(hub, life));
        if self.at(hub, |node, _, others| node.say(room, others)).is_some() {
            let id = Id { hub, life, n: self.nodes[hub].pairs[room].said };
            self.after[room].insert(id, last);
        }
    }

    fn read(&mut self, hub: usize, frames: usize) {
        let (now, life) = (self.now, self.nodes[hub].life);
        let mut given = Vec::new();
        self.at(hub, |node, bus, others| {
            node.read(bus, frames, others, |_, frame| {
                for entry in &frame.entries {
                    if let Content::Line(spoken) = &entry.content {
                        given.push((frame.lane.room().to_owned(), format!("x: {}", spoken.text)));
                    }
                }
            });
        });
        for (lane, line) in given {
            if let Some(room) = ROOMS.iter().position(|room| *room == lane)
                && let Some(super::seen::Sight::Said(id)) = read(&line, &NAMES)
            {
                self.given[room].entry((hub, life, id)).or_insert(now);
            }
        }
    }

    fn hear(&mut self, hub: usize, passage: Passage) {
        for beat in self.at(hub, |node, _, others| node.hear(passage, others)) {
            let other = self.nodes.iter().position(|node| node.name == beat.hub).expect("a hub");
            let epoch = self.nodes[other].world.hub().peering().map(|peering| peering.epoch());
            if epoch == Some(beat.epoch) {
                let said = [self.nodes[hub].pairs[0].said, self.nodes[hub].pairs[1].said];
                self.known.entry((hub, other)).or_insert(said);
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.all(|run, hub| run.at(hub, |node, _, others| node.pass(time, others)));
    }

    /// A hub loses its state, and all its people, of whom others come.
    fn lose_state(&mut self, hub: usize) {
        let life = self.nodes[hub].life + 1;
        // Some time later than its former life, or it could not be told which was first.
        self.pass(Duration::from_millis(5));
        let mut node = Node::new(NAMES[hub], life, self.now, self.scenario.skews[hub], self.trial);
        std::mem::swap(&mut node, &mut self.nodes[hub]);
        let view = |room| View { hub, life, room, ..View::default() };
        self.former.extend(std::mem::replace(&mut self.views[hub], [view(0), view(1)]));
        self.known.retain(|(one, other), _| *one != hub && *other != hub);
        self.connect(hub);
    }

    fn take(&mut self, step: Step) {
        let of = |hub: usize| hub % self.nodes.len();
        match step {
            Step::Say { hub, room, lines } => {
                let hub = of(hub);
                (0..lines).for_each(|_| self.say(hub, room));
            }
            Step::Publish(hub, fate) => self.at(of(hub), |node, bus, others| node.publish(bus, fate, others)),
            Step::Read(hub, frames) => self.read(of(hub), frames),
            Step::Hear(hub, passage) => self.hear(of(hub), passage),
            Step::Pass(millis) => self.pass(Duration::from_millis(millis)),
            Step::Cut(hub) => self.at(of(hub), |node, _, _| node.cut()),
            Step::Connect(hub) => self.connect(of(hub)),
            Step::ForgetEnd(frames) => self.bus.forget_end(frames),
            Step::ForgetBeginning(frames) => self.bus.forget_beginning(frames),
            Step::Wipe => self.bus.wipe(),
            Step::HandOver(hub) => self.at(of(hub), |node, _, _| node.hand_over()),
            Step::LoseState(hub) => self.lose_state(of(hub)),
            Step::Forget { by, hub } => {
                let (by, hub) = (of(by), of(hub));
                if by != hub && self.nodes[by].link.is_some() {
                    let name = self.nodes[hub].name.clone();
                    self.at(by, |node, _, others| node.forget(name, others));
                    self.known.remove(&(by, hub));
                    self.forgot = true;
                }
            }
            Step::Move(hub) => self.at(of(hub), |node, _, others| node.move_people(1, others)),
        }
    }

    /// All that can be done is done, and nothing fails any more.
    fn heal(&mut self) {
        for hub in 0..self.nodes.len() {
            // Links that are connected stay so: that they connect anew must not be what heals.
            if self.nodes[hub].link.is_none() {
                self.connect(hub);
            }
        }
        for round in 0..60 {
            self.pass(Duration::from_secs(1));
            self.all(|run, hub| {
                for _ in 0..4 {
                    run.at(hub, |node, bus, others| node.publish(bus, Fate::Stored, others));
                }
            });
            self.all(|run, hub| run.read(hub, 1000));
            self.all(|run, hub| run.hear(hub, Passage::All));
            // By now all have told twice how far they are in all lanes, and what was asked for then has come.
            if round > 24 && self.nodes.iter().all(Node::is_confirmed) {
                return;
            }
        }
    }

    pub fn play(mut self) -> Result<(), String> {
        for step in self.scenario.steps.clone() {
            self.take(step);
        }
        self.heal();
        self.all(|run, hub| run.at(hub, |node, _, _| node.hand_over()));
        self.check()
    }

    fn check(&self) -> Result<(), String> {
        for node in &self.nodes {
            if node.halted {
                return Err(format!("{} publishes no more", node.name));
            }
        }
        for view in self.views.iter().flatten().chain(&self.former) {
            let of =
                |what: String| format!("in {} at {}, life {}: {what}", ROOMS[view.room], NAMES[view.hub], view.life);
            view.is_in_order().map_err(of)?;
            let after = |id: Id| self.after[view.room].get(&id).cloned().unwrap_or_default();
            let given = |id: Id| self.given[view.room].get(&(view.hub, view.life, id)).copied();
            view.is_causal(after, given, PATIENCE).map_err(of)?;
        }
        for view in self.views.iter().flatten() {
            for (hub, node) in self.nodes.iter().enumerate() {
                self.is_whole(view, hub).map_err(|what| {
                    format!("in {} at {}: of {}: {what}", ROOMS[view.room], NAMES[view.hub], node.name)
                })?;
            }
        }
        for node in &self.nodes {
            if !node.is_confirmed() {
                return Err(format!("{} still keeps something for others: {:?}", node.name, node.beat));
            }
        }
        Ok(())
    }

    /// Of a hub, all that was said was seen, or they were told how much was not.
    fn is_whole(&self, view: &View, hub: usize) -> Result<(), String> {
        let (pair, life) = (&self.nodes[hub].pairs[view.room], self.nodes[hub].life);
        let (seen, told) = (view.of(hub, life), view.told(hub));
        if hub == view.hub {
            return if told == 0 && seen.len() as u64 == pair.said { Ok(()) } else { Err("own lines".to_owned()) };
        }
        let excused = self.forgot || self.nodes.iter().any(|node| node.life > 0);
        if told > 0 && !self.scenario.small && !excused {
            return Err(format!("{told} are missing"));
        }
        // Who went has missed what was said meanwhile; and a lane whose people all go is begun anew, which a hub that was
        // forgotten is not told of.
        if !self.nodes[view.hub].pairs[view.room].stayed || (self.forgot && !pair.stayed) {
            return Ok(());
        }
        // From where on they have to know: from the first line that they have seen at the latest, and from when the
        // other hub knew theirs.
        let known = self.known.get(&(hub, view.hub)).map(|said| said[view.room]);
        let Some(before) = seen.first().map(|first| first - 1).into_iter().chain(known).min() else { return Ok(()) };
        if !excused && before > 0 {
            return Err(format!("nothing up to {before}"));
        }
        let missing = pair.said - before - seen.len() as u64;
        // What they are told of may begin earlier.
        let most = if life > 0 { u64::MAX } else { missing + before };
        if told < missing || told > most {
            return Err(format!("{missing} of {} were not seen, and they were told of {told}: {seen:?}", pair.said));
        }
        Ok(())
    }
}
