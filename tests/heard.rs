//! Who is heard: every command of the table, typed by somebody who is not.
//!
//! The first test has somebody who may not be heard try to show others a text of theirs, by whatever carries one. The
//! second plays the same conversation twice, once with somebody who is muted and not told, and once with them heard:
//! they see the same, byte for byte, and wait for the disk alike.

mod world;

use std::net::SocketAddr;
use std::time::Duration;

use chathub::hub::archive::Recalled;
use chathub::hub::command::COMMANDS;
use chathub::hub::ownership::MODES;
use chathub::settings::Settings;
use chathub::values::id::SessionId;
use chathub::values::terminal::Mode;
use proptest::prelude::*;
use serde_json::json;
use world::World;

/// The password of somebody who is not here.
const SECRET_OF_OLGA: &str = "correct-horse-9";

/// What tells the text of whoever is not to be heard from all else.
const TOKEN: &str = "zebra";

/// A terminal tells of itself.
const TERMINAL: &[u8] =
    b"\r\n\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\0\x50\0\x18\xff\xf0\xff\xfa\x18\0XTERM-256COLOR\xff\xf0";

/// Its program sends each key, and lets us edit what is typed.
const EDITED: &[u8] = b"\xff\xfd\x01\xff\xfd\x03";

/// Why somebody is not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unheard {
    Muted,
    MutedUntold,
    Ignored,
    WithoutVoice,
    OverPace,
}

const UNHEARD: [Unheard; 5] =
    [Unheard::Muted, Unheard::MutedUntold, Unheard::Ignored, Unheard::WithoutVoice, Unheard::OverPace];

/// What stands behind a command.
const ARGS: &[&str] = &[
    "",
    "ann",
    "bob",
    "ann zebra0",
    "bob zebra1 zebra",
    "zebra2",
    "zebra3",
    "zebra4 zebra",
    "Zebra5",
    "tea",
    "lobby",
    "zebra2 zebra",
    "zebra6 zebra7 zebra",
    "-",
    "ze*",
    "g*",
    "lobby v*",
    "20",
    "moderated",
    "private",
    "public",
    "lasting",
    "passing",
    "slow 1s",
    "slow off",
    "free",
    "on",
    "off",
    "villain",
    "villain correct-horse-7",
    "correct-horse-7",
    "olga zebra9",
    "olga zebra",
    "olga hello",
];

/// What is typed where it is no command.
const LINES: &[&str] = &["zebra", "I say zebra zebra", "// zebra", "zebra8", "hello zebra", "", "   "];

/// Commands that show others something, or show what was done, and are typed more often than the rest.
const OFTEN: &[&str] =
    &["nick", "topic", "join", "leave", "who", "whois", "history", "search", "away", "me", "rooms", "msg", "room"];

/// A line, or one of the commands.
fn typed(command: usize, arg: usize) -> String {
    let arg_of = |arg: usize| ARGS[arg % ARGS.len()];
    match command % 8 {
        0 => LINES[arg % LINES.len()].to_owned(),
        1..5 => format!("/{} {}", OFTEN[command / 8 % OFTEN.len()], arg_of(arg)),
        _ => format!("/{} {}", COMMANDS[command / 8 % COMMANDS.len()].name, arg_of(arg)),
    }
}

/// What the others do meanwhile, and how much time passes.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    AnnSays(u8),
    BobSetsTheTopic(u8),
    AnnWrites,
    SomebodyComes,
    SomebodyGoes,
    BobGoes(bool),
    /// Somebody for whom messages may wait comes, and goes.
    OlgaLooks,
    Time(u32),
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    prop_oneof![
        any::<u8>().prop_map(Meanwhile::AnnSays),
        any::<u8>().prop_map(Meanwhile::BobSetsTheTopic),
        Just(Meanwhile::AnnWrites),
        Just(Meanwhile::SomebodyComes),
        Just(Meanwhile::SomebodyGoes),
        any::<bool>().prop_map(Meanwhile::BobGoes),
        Just(Meanwhile::OlgaLooks),
        (0..8000_u32).prop_map(Meanwhile::Time),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Types(usize, usize),
    Others(Meanwhile),
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let types = (any::<usize>(), any::<usize>()).prop_map(|(command, arg)| Step::Types(command, arg));
    prop::collection::vec(prop_oneof![3 => types, 1 => meanwhile().prop_map(Step::Others)], 1..most)
}

struct Scene {
    world: World,
    ann: SessionId,
    bob: SessionId,
    villain: SessionId,
    crowd: Vec<SessionId>,
    came: u16,
    types: bool,
    /// She does not type what she is not to be shown.
    ann_is_watched: bool,
    /// What was shown to olga when she came.
    seen_by_olga: String,
}

impl Scene {
    fn new(settings: Settings, recorded: bool, types: bool) -> Self {
        let mut world = World::new(settings);
        if recorded {
            world.archive(Recalled::default());
        }
        let mut come = |number: u8, nick: &str| {
            let id = world.connect(SocketAddr::from(([192, 0, 2, number], 50_000)));
            if nick == "villain" && types {
                world.receive(id, TERMINAL);
                world.receive(id, EDITED);
            }
            world.receive(id, format!("/nick {nick}\r").as_bytes());
            world.receive(id, b"\n");
            id
        };
        let (ann, bob, villain) = (come(1, "ann"), come(2, "bob"), come(3, "villain"));
        let mut scene = Self {
            world,
            ann,
            bob,
            villain,
            crowd: Vec::new(),
            came: 0,
            types,
            ann_is_watched: false,
            seen_by_olga: String::new(),
        };
        scene.world.pass(Duration::from_secs(120));
        if recorded {
            let olga = json!({"name": "olga", "hashed": &*world::hash(SECRET_OF_OLGA).0});
            scene.world.control("accounts.add", olga).expect("made");
            // Owns a room where they open one.
            scene.line(villain, "/register correct-horse-7");
        }
        let mode = if types { Mode::Char } else { Mode::Line };
        assert_eq!(scene.world.hub().session(villain).map(|session| session.mode), Some(mode));
        scene.seen(villain);
        scene
    }

    fn line(&mut self, id: SessionId, text: &str) {
        if self.is_here(id) {
            let end = if id == self.villain && self.types { "\r" } else { "\n" };
            self.world.receive(id, format!("{text}{end}").as_bytes());
            self.world.answer();
        }
    }

    fn is_here(&self, id: SessionId) -> bool {
        self.world.hub().session(id).is_some()
    }

    fn mute(&mut self, shadow: bool) {
        let who = self.villain.to_string();
        self.world.control("clients.mute", json!({"who": [who], "shadow": shadow})).expect("muted");
    }

    /// What that one has seen since it was asked the last time.
    fn seen(&mut self, id: SessionId) -> String {
        self.world.take_all();
        let out = std::mem::take(&mut self.world.clients.get_mut(&id).expect("a client").out);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn others(&mut self, what: Meanwhile) {
        match what {
            Meanwhile::AnnSays(number) => self.line(self.ann, &format!("number {number} of ann's")),
            Meanwhile::BobSetsTheTopic(number) => self.line(self.bob, &format!("/topic the number {number}")),
            Meanwhile::AnnWrites => {
                // By the name that she sees.
                let nick = self.world.hub().session(self.villain).map(|one| one.nick.shown().to_owned());
                if let Some(nick) = nick.filter(|nick| !shows(nick) || !self.ann_is_watched) {
                    self.line(self.ann, &format!("/msg {nick} are you there?"));
                }
            }
            Meanwhile::SomebodyComes => {
                self.came += 1;
                let [high, low] = self.came.to_be_bytes();
                let id = self.world.connect(SocketAddr::from(([198, 18, high, low], 40_000)));
                self.crowd.push(id);
            }
            Meanwhile::SomebodyGoes => {
                if let Some(id) = self.crowd.pop() {
                    self.line(id, "/quit");
                }
            }
            Meanwhile::BobGoes(on) => self.line(self.bob, if on { "/join tea" } else { "/leave" }),
            Meanwhile::OlgaLooks => {
                self.came += 1;
                let [high, low] = self.came.to_be_bytes();
                let id = self.world.connect(SocketAddr::from(([198, 19, high, low], 40_000)));
                self.seen(id);
                self.line(id, &format!("/login olga {SECRET_OF_OLGA}"));
                let seen = self.seen(id);
                self.seen_by_olga += &seen;
                self.line(id, "/quit");
            }
            Meanwhile::Time(millis) => self.world.pass(Duration::from_millis(millis.into())),
        }
        self.world.answer();
    }
}

/// Whether `text` has the token in it, whatever its case, in what was written around the cursor.
fn shows(text: &str) -> bool {
    text.to_lowercase().contains(TOKEN)
}

/// What somebody without a voice may still do elsewhere, or with one person.
fn is_elsewhere(line: &str) -> bool {
    ["/join", "/leave", "/msg", "/reply", "/report", "/register", "/login"].iter().any(|word| line.starts_with(word))
}

fn nobody_sees_it(why: Unheard, recorded: bool, steps: Vec<Step>) {
    let mut settings = Settings::default();
    // Bans would end it early.
    (settings.moderation.ban_at, settings.moderation.mute_at) = (0, 0);
    if why == Unheard::OverPace {
        (settings.pace.shown, settings.pace.shown_every) = (1, Duration::from_secs(3600));
    }
    let mut scene = Scene::new(settings, recorded, false);
    scene.ann_is_watched = true;
    let (ann, bob, villain) = (scene.ann, scene.bob, scene.villain);
    match why {
        Unheard::Muted => scene.mute(false),
        Unheard::MutedUntold => scene.mute(true),
        Unheard::Ignored => scene.line(ann, "/ignore villain"),
        Unheard::OverPace => {
            for line in
                ["/topic one", "/away once", "/join one", "/leave", "/join two", "/leave", "/join three", "/leave"]
            {
                scene.line(villain, line);
            }
        }
        Unheard::WithoutVoice => {
            if !recorded {
                return;
            }
            scene.line(ann, "/register correct-horse-8");
            for id in [ann, bob, villain] {
                scene.line(id, "/join hall");
            }
            scene.line(ann, "/room moderated");
            let hall = scene.world.hub().find_room("hall").and_then(|id| scene.world.hub().room(id));
            assert!(hall.is_some_and(|hall| hall.ownership.moderated), "it is moderated");
        }
    }
    scene.seen(ann);
    scene.seen(bob);
    for step in steps {
        match step {
            // What is said to one person takes no voice, nor do words of absence.
            Step::Others(Meanwhile::BobGoes(_) | Meanwhile::AnnWrites | Meanwhile::OlgaLooks)
                if why == Unheard::WithoutVoice => {}
            Step::Others(what) => scene.others(what),
            Step::Types(command, arg) => {
                let line = typed(command, arg);
                let is_allowed = match why {
                    Unheard::WithoutVoice => !is_elsewhere(&line),
                    // Others see their names and rooms if they look.
                    Unheard::Ignored => !["/join", "/report"].iter().any(|word| line.starts_with(word)),
                    // Names are taken, topics set and rooms entered no more.
                    Unheard::OverPace => ["/nick", "/topic", "/join", "/away", "/who", "/invite", "/room"]
                        .iter()
                        .any(|word| line.starts_with(word)),
                    // A registered name is known, and found by those who keep order.
                    Unheard::Muted | Unheard::MutedUntold => !line.starts_with("/register"),
                };
                if is_allowed {
                    scene.line(villain, &line);
                }
            }
        }
        let looks: &[&str] = match why {
            Unheard::Muted | Unheard::MutedUntold | Unheard::OverPace => {
                &["/who", "/rooms", "/topic", "/history", "/whois villain", "/seen villain", "/who z*"]
            }
            Unheard::WithoutVoice => &["/topic", "/history", "/who"],
            Unheard::Ignored => &["/topic", "/rooms", "/history", "/whois villain", "/seen villain"],
        };
        for look in looks {
            scene.line(ann, look);
        }
        let seen = scene.seen(ann);
        assert!(!shows(&seen), "{why:?}: ann saw {seen}");
        let seen = scene.seen(bob);
        assert!(why == Unheard::Ignored || !shows(&seen), "{why:?}: bob saw {seen}");
        if !scene.is_here(villain) {
            break;
        }
        scene.world.pass(Duration::from_secs(2));
    }
    if matches!(why, Unheard::Muted | Unheard::MutedUntold) {
        // Whose name may have been theirs for a while.
        if scene.world.hub().memos().iter().next().is_some() {
            scene.others(Meanwhile::OlgaLooks);
        }
        let seen = scene.seen_by_olga.clone();
        assert!(!shows(&seen), "{why:?}: olga saw {seen}");
    }
}

fn one_cannot_tell(recorded: bool, types: bool, pace: bool, steps: &[Step]) {
    let mut settings = Settings::default();
    settings.history.lines = 12;
    settings.history.replay = 8;
    settings.rooms.announce_burst = 2;
    settings.limits.rooms = 4;
    (settings.memos.waiting, settings.memos.of_one) = (4, 2);
    if pace {
        // They are muted by strikes, and so told, and banned in the end.
        (settings.pace.shown, settings.pace.shown_every) = (2, Duration::from_secs(20));
        (settings.moderation.repeats, settings.moderation.mute_at, settings.moderation.ban_at) = (1, 2, 8);
        settings.moderation.mute_for = Duration::from_secs(15);
    } else {
        (settings.pace.shown, settings.moderation.mute_at) = (1000, 0);
    }
    let mut heard = Scene::new(settings.clone(), recorded, types);
    let mut unheard = Scene::new(settings, recorded, types);
    unheard.mute(true);
    for step in steps {
        let mut what = String::new();
        let deeds = [heard.world.deeds, unheard.world.deeds];
        for scene in [&mut heard, &mut unheard] {
            match step {
                Step::Others(others) => scene.others(*others),
                Step::Types(command, arg) => {
                    what = typed(*command, *arg);
                    scene.line(scene.villain, &what);
                }
            }
        }
        let (one, other) = (heard.seen(heard.villain), unheard.seen(unheard.villain));
        assert_eq!(one, other, "after {what:?} {step:?}: heard, and unheard");
        if matches!(step, Step::Types(..)) {
            // With no tape, the answer waits for the disk.
            let waits = [heard.world.deeds > deeds[0], unheard.world.deeds > deeds[1]];
            assert_eq!(waits[0], waits[1], "waiting for the disk, after {what:?}: heard, and unheard");
        }
        assert_eq!(heard.is_here(heard.villain), unheard.is_here(unheard.villain));
        if !heard.is_here(heard.villain) {
            return;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_of_somebody_unheard_is_seen_by_nobody_by_any_command(
        why in prop::sample::select(&UNHEARD[..]),
        recorded: bool,
        steps in steps(60),
    ) {
        nobody_sees_it(why, recorded, steps);
    }

    #[test]
    fn a_shadow_muted_person_sees_the_same_as_one_who_is_heard(
        recorded: bool,
        types: bool,
        pace: bool,
        steps in steps(60),
    ) {
        one_cannot_tell(recorded, types, pace, &steps);
    }
}

#[test]
fn each_single_command_of_somebody_unheard_shows_nothing_to_others() {
    for command in 0..COMMANDS.len() {
        for why in UNHEARD {
            let type_it = |arg| Step::Types(command * 8 + 7, arg);
            for arg in 0..ARGS.len() {
                nobody_sees_it(why, true, vec![type_it(arg), Step::Types(0, 0)]);
            }
        }
    }
}

#[test]
fn a_shadow_muted_person_is_found_by_the_name_they_see() {
    for (command, line) in COMMANDS.iter().map(|command| (command.name, format!("/{} moderated", command.name))) {
        let mut settings = Settings::default();
        settings.moderation.mute_at = 0;
        let mut heard = Scene::new(settings.clone(), true, false);
        let mut unheard = Scene::new(settings, true, false);
        unheard.mute(true);
        for scene in [&mut heard, &mut unheard] {
            scene.line(scene.villain, "/nick moderated");
            scene.line(scene.villain, &line);
        }
        let (one, other) = (heard.seen(heard.villain), unheard.seen(unheard.villain));
        assert_eq!(one, other, "after /{command}: heard, and unheard");
    }
}

/// A room of villain's own, where ann and bob are.
fn in_a_hall_of_villains(lasting: bool) -> Scene {
    let mut settings = Settings::default();
    (settings.moderation.mute_at, settings.pace.shown) = (0, 1000);
    // Or none of them could make the room encrypted.
    settings.access.secure = vec!["192.0.2.0/24".parse().expect("a network")];
    let mut scene = Scene::new(settings, true, false);
    scene.line(scene.bob, "/register correct-horse-8");
    for id in [scene.villain, scene.ann, scene.bob] {
        scene.line(id, "/join hall");
    }
    if lasting {
        scene.line(scene.villain, "/room lasting");
    }
    scene
}

#[test]
fn what_a_muted_owner_makes_of_a_room_is_told_to_nobody_else() {
    let modes = MODES.iter().map(|(word, _)| format!("/room {word}"));
    let lines: Vec<String> =
        modes.chain(["/room slow 5s", "/room slow off", "/transfer bob"].map(str::to_owned)).collect();
    for shadow in [false, true] {
        for line in &lines {
            let mut scene = in_a_hall_of_villains(false);
            scene.mute(shadow);
            for id in [scene.ann, scene.bob, scene.villain] {
                scene.seen(id);
            }
            scene.line(scene.villain, line);
            assert_eq!(scene.seen(scene.ann), "", "{line}: ann, shadow: {shadow}");
            assert_eq!(scene.seen(scene.bob), "", "{line}: bob, shadow: {shadow}");
            let own = scene.seen(scene.villain);
            assert!(own.contains("you are muted") != shadow, "{line}, shadow: {shadow}: {own}");
            assert!(own.contains("hall is") == shadow, "{line}, shadow: {shadow}: {own}");
        }
    }
}

#[test]
fn an_answer_in_a_room_that_lasts_waits_for_the_disk_whoever_is_heard() {
    for line in ["/topic zeppelins", "/topic -", "/room slow 5s", "/transfer bob", "hello", "/me waves", "/nick yak"] {
        let waits = [false, true].map(|unheard| {
            let mut scene = in_a_hall_of_villains(true);
            if unheard {
                scene.mute(true);
            }
            let before = scene.world.deeds;
            scene.line(scene.villain, line);
            scene.world.deeds > before
        });
        assert_eq!(waits[0], waits[1], "{line}: heard, and unheard");
    }
}

#[test]
fn an_automatic_mute_waits_for_the_disk_whether_or_not_one_is_heard() {
    let waits = [false, true].map(|unheard| {
        let mut settings = Settings::default();
        (settings.moderation.repeats, settings.moderation.mute_at) = (1, 1);
        let mut scene = Scene::new(settings, true, false);
        if unheard {
            scene.mute(true);
        }
        let before = scene.world.deeds;
        (0..2).for_each(|_| scene.line(scene.villain, "the same"));
        assert!(scene.seen(scene.villain).contains("you are muted"));
        scene.world.deeds > before
    });
    assert_eq!(waits, [true, true]);
}
