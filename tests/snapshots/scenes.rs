//! What people are in the middle of when the snapshots are taken. Together the scenes set every field that a snapshot
//! can have: the test `every_field_is_set_in_some_scene` names a new one that they do not set.
//!
//! Somebody who is added here is not in the files of former releases: `after` looks at them only where they are there.

use std::time::Duration;

use chathub::hub;
use chathub::hub::account::{Account, Certificate, Hashed, Role};
use chathub::hub::archive::{Recalled, RecalledRoom};
use chathub::hub::ignore::Borne;
use chathub::hub::login::Answer;
use chathub::hub::memo::Memo;
use chathub::hub::message::{Farewell, Line, Said};
use chathub::hub::report::{Closed, Party, Report};
use chathub::hub::sanction::{Author, Kind, Order, Sanction, Target};
use chathub::machine::{Input, Proxied};
use chathub::settings::{Entry, SETTINGS, Settings};
use chathub::values::fingerprint::Fingerprint;
use chathub::values::id::{AccountId, MemoId, ReportId, RoomId, SanctionId, SessionId};
use chathub::values::name::Name;
use chathub::values::time::Wall;
use chathub::wire::proxy::Encryption;
use serde_json::json;

use super::stage::{BEGIN, Stage};

/// Telnet commands (RFC 854) and options.
const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WILL: u8 = 251;
const SB: u8 = 250;
const EOF: u8 = 236;
const AYT: u8 = 246;
const IP: u8 = 244;
const SE: u8 = 240;
const ECHO: u8 = 1;
const SGA: u8 = 3;
const TTYPE: u8 = 24;
const NAWS: u8 = 31;
const CHARSET: u8 = 42;

/// A terminal tells of itself: its type and its size.
const TERMINAL: &[u8] =
    b"\r\n\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\0\x50\0\x18\xff\xf0\xff\xfa\x18\0XTERM-256COLOR\xff\xf0";

/// Its program lets us edit what is typed.
const EDITED: &[u8] = &[IAC, DO, ECHO, IAC, DO, SGA];

const SECRET: &str = "correct horse";

/// All scenes, by name, at the moment when the process hands over.
pub fn all() -> Vec<(&'static str, Stage)> {
    vec![
        ("people", people()),
        ("unread", unread()),
        ("ban", ban()),
        ("raid", raid()),
        ("idle", idle()),
        ("keeping", keeping()),
        ("rooms", rooms()),
        ("settings", settings()),
        ("keys", keys()),
        ("proxied", proxied()),
        ("hubs", super::hubs::scene()),
    ]
}

fn hashed() -> Hashed {
    Hashed("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$c29tZWhhc2g".into())
}

fn name(text: &str) -> Name {
    Name::parse(text, 24).expect(text)
}

fn certificate() -> Certificate {
    Certificate { fingerprint: Fingerprint::new([0xc5; 32]), since: Wall(BEGIN.wall.0 - 500_000) }
}

/// What the disk told at the start.
fn recalled() -> Recalled {
    let accounts = ["olga", "ann", "cat", "pia", "cleo", "cloe", "uma", "wilma", "walt", "wyn", "gone", "hush", "gil"];
    let accounts = accounts.into_iter().zip(1..).map(|(nick, id)| Account {
        id: AccountId(id),
        name: name(nick),
        hashed: (nick != "hush").then(hashed),
        role: if nick == "olga" { Role::Operator } else { Role::Member },
        since: Wall(BEGIN.wall.0 - 1_000_000),
        seen: Wall(BEGIN.wall.0 - 1000),
        places: Vec::new(),
        certificates: (nick == "cat").then(certificate).into_iter().collect(),
        // The sanction is no mute, so the name is seen.
        unheard: (nick == "hush").then_some(SanctionId(12)),
    });
    let line = |seq, text: &str| Line {
        seq,
        at: Wall(BEGIN.wall.0 - 5000),
        author: Some(SessionId(2)),
        said: Said::Say { nick: "zoe".into(), text: text.into() },
        borne: Borne::default(),
        apart: None,
        origin: None,
    };
    Recalled {
        lasting: Vec::new(),
        last_line: 20,
        last_room: 9,
        last_session: 4,
        sanctions: vec![
            Sanction::new(
                SanctionId(11),
                Order {
                    reason: Some("floods".into()),
                    until: Some(Wall(BEGIN.wall.0 + 86_400_000)),
                    ..Order::about(Kind::Ban, Target::Network("203.0.113.0/24".parse().expect("a network")))
                },
                Author::Uid(1000),
                Wall(BEGIN.wall.0 - 9000),
            ),
            Sanction::new(
                SanctionId(12),
                Order::about(Kind::Ban, Target::Name(name("troll"))),
                Author::Account("olga".into()),
                Wall(BEGIN.wall.0 - 8000),
            ),
        ],
        accounts: accounts.collect(),
        // One that has been closed for too long to be kept, one whose reason was erased, and one whose line is on disk.
        // One that was shown when its receiver came, and one that nobody is to see.
        memos: vec![memo(31), Memo { to: AccountId(1), ..memo(32) }, Memo { unheard: true, ..memo(33) }],
        reports: vec![
            Report {
                closed: Some(Closed { by: Author::Uid(1000), at: Wall(BEGIN.wall.0 - 40 * 86_400_000), note: None }),
                ..report(21)
            },
            Report {
                closed: Some(Closed { by: Author::Account("olga".into()), at: BEGIN.wall, note: Some("seen".into()) }),
                ..report(22)
            },
            Report { reason: "".into(), erased: true, ..report(23) },
            Report { times: 2, lines: vec![3], ..report(24) },
        ],
        unread: false,
        rooms: vec![RecalledRoom {
            room: RoomId(9),
            name: "library".to_owned(),
            lines: vec![line(15, "who has the keys?"), line(16, "I have")],
            plain_from: 1,
        }],
        ..Recalled::default()
    }
}

/// For one who never comes.
fn memo(number: u64) -> Memo {
    Memo {
        id: MemoId(number),
        at: Wall(BEGIN.wall.0 - 7000),
        to: AccountId(12),
        from: Some(AccountId(1)),
        session: SessionId(3),
        name: "olga".into(),
        text: "come back".into(),
        unheard: false,
        origin: None,
    }
}

fn report(number: u64) -> Report {
    Report {
        id: ReportId(number),
        at: Wall(BEGIN.wall.0 - 7000),
        last: Wall(BEGIN.wall.0 - 6000),
        times: 1,
        by: Party { name: "zoe".into(), account: None, session: SessionId(2) },
        shadow: false,
        about: Party { name: "ann".into(), account: Some(AccountId(2)), session: SessionId(3) },
        room: RoomId(9),
        room_name: "library".into(),
        reason: "too loud".into(),
        erased: false,
        lines: Vec::new(),
        origin: None,
        closed: None,
    }
}

impl Stage {
    /// Somebody comes, and takes a name. Their program sends lines, and speaks no telnet.
    fn come(&mut self, nick: &str) -> SessionId {
        let id = self.connect(false);
        self.line(id, &format!("/nick {nick}"));
        id
    }

    /// Somebody comes with a terminal that sends each key.
    fn come_typing(&mut self, nick: &str, narrow: bool) -> SessionId {
        let id = self.connect(narrow);
        self.send(id, TERMINAL);
        self.send(id, EDITED);
        self.send(id, format!("/nick {nick}\r").as_bytes());
        id
    }

    /// Somebody comes and logs in.
    fn come_in(&mut self, nick: &str) -> SessionId {
        let id = self.connect(false);
        self.line(id, &format!("/login {nick} {SECRET}"));
        self.hashed(Answer::Right { renewed: None });
        id
    }

    /// Somebody uses up what they may say in one go, but for one line.
    fn flood(&mut self, id: SessionId) {
        for _ in 1..self.machine.hub().settings().pace.burst_lines {
            self.send(id, b"/back\r");
        }
    }
}

/// All kinds of people, in the middle of things.
fn people() -> Stage {
    let mut settings = Settings::default();
    settings.slow.behind = 64 * 1024;
    settings.limits.mailbox = 64 * 1024;
    settings.history.lines = 8;
    settings.history.replay = 3;
    settings.history.bytes = 8 * 1024;
    settings.history.queue = 64 * 1024;
    settings.pace.burst_lines = 40;
    settings.filters.strike = vec!["forbidden".to_owned()];
    let mut stage = Stage::new(settings);
    let s = &mut stage;
    s.input(hub::News::Archive(Some(Box::new(recalled()))));
    s.input(Input::Restarted);

    // Rooms: private and moderated, with people invited, voiced and sent out; and one that has closed.
    let olga = s.come_in("olga");
    for nick in ["uno", "duo"] {
        let id = s.connect_from([198, 51, 100, 77].into(), false);
        s.line(id, &format!("/nick {nick}"));
    }
    // She is asked whether duo is meant as well.
    s.line(olga, "/ban uno 5min");
    let ann = s.come_in("ann");
    let cat = s.come_in("cat");
    let bob = s.come("bob");
    let dan = s.come("dan");
    let rex = s.come("rex");
    s.line(ann, "/join den");
    s.line(rex, "/join den");
    s.line(ann, "/expel rex too loud");
    s.line(ann, "/room private");
    s.line(ann, "/invite bob");
    s.line(ann, "/invite cat");
    s.line(ann, "/room moderated");
    s.line(ann, "/voice bob");
    s.line(ann, "/topic for three");
    s.line(cat, "/join den");
    s.line(cat, "/me cannot speak");
    s.line(ann, "welcome to the den");
    s.line(dan, "/join attic");
    s.line(dan, "I am alone here");
    s.line(dan, "/leave");

    // People who are away, ignore others, are muted, hold lines back, and are sent much by others.
    let ava = s.come("ava");
    s.line(ava, "/away at lunch");
    let iris = s.come("iris");
    let bart = s.come("bart");
    let eve = s.come("eve");
    s.line(iris, "/ignore bart");
    s.line(iris, "/ignore eve");
    s.line(iris, "/quiet");
    s.line(iris, "/bell on");
    s.line(bart, "/nick bea");
    s.line(eve, "does iris hear me?");
    let mia = s.come("mia");
    s.line(olga, "/mute mia 2h");
    s.line(mia, "nobody hears this");
    let shay = s.come("shay");
    s.line(olga, "/shadowmute shay 3h");
    let gil = s.come_in("gil");
    s.line(gil, "sent away in a moment");
    s.line(gil, "/nick gilly");
    s.line(olga, "/kick gilly noisy");
    s.line(shay, "I am heard by all");
    // What shay alone sees: another name, a topic, words of absence, a room, and a mute that strikes have brought about.
    s.line(shay, "/topic what shay says");
    s.line(shay, "/nick shade");
    s.line(shay, "/away in the shade");
    for _ in 0..10 {
        s.line(shay, "this is forbidden");
    }
    let shea = s.come("shea");
    s.line(olga, "/shadowmute shea 3h");
    s.line(shea, "/join cellar");
    s.line(shea, "/topic nobody sees this");
    s.line(shea, "I am heard in the cellar");
    let hope = s.come("hope");
    s.line(hope, "/hold");
    s.line(eve, "hope sees this later");
    s.line(bob, "/msg hope this, too");
    let pat = s.come("pat");
    s.line(pat, "/color on");
    for teller in ["tia", "tod", "tim"] {
        let teller = s.come(teller);
        for number in 0..6 {
            s.line(teller, &format!("/msg pat {number} {}", "much to tell ".repeat(70)));
        }
    }
    s.line(pat, "/msg eve write to me");
    let fay = s.come("fay");
    s.line(fay, "/msg pat a word from far away");
    for _ in 0..3 {
        s.line(eve, &format!("/msg pat {}", "I do write ".repeat(80)));
    }
    // A room that was private: what was said then is hidden from those who come now, also where they search.
    s.line(cat, "/leave");
    s.line(cat, "/join nook");
    s.line(cat, "/room private");
    s.line(cat, "between you and me");
    s.line(cat, "/room public");
    let sue = s.come("sue");
    s.line(sue, "/join nook");
    s.line(sue, "/search keys");
    s.line(bob, "/report eve writes too much");
    s.line(shay, "/report eve me too");
    s.line(olga, "/close r25 what is too much?");
    s.line(olga, "/reports r24");
    for _ in 0..12 {
        s.line(fay, "/report eve as often as there may be");
    }
    // Messages for one who is not here: heard, not heard, and one that was shown to somebody who has come.
    s.line(shay, "/msg hush come back");
    s.line(olga, "/msg hush come back");
    s.line(bob, &"far too long ".repeat(100));
    s.line(dan, "this is forbidden");

    slow(s, bob, dan, olga);
    typing(s);
    telnet(s);
    passwords(s);
    records(s, eve);
    waiting(s);
    stage
}

/// Names are taken faster than they are told, and then faster than they may be.
fn named(s: &mut Stage) {
    let [nina, nora, noel] = ["nina", "nora", "noel"].map(|nick| s.come(nick));
    for id in [nina, nora, noel] {
        s.line(id, "hello");
    }
    for number in 0..8 {
        s.line(nora, &format!("/nick nora{number}"));
        s.line(nina, &format!("/nick nina{number}"));
    }
    s.line(noel, "/quit so many names");
}

/// Clients that take too little of what they are sent.
fn slow(s: &mut Stage, bob: SessionId, dan: SessionId, olga: SessionId) {
    let sam = s.connect(true);
    s.line(sam, "/nick sam");
    s.line(sam, "/time +02:00");
    s.line(sam, "/join harbour");
    s.line(sam, "/ignore eve");
    let tess = s.come_typing("tess", true);
    s.send(tess, b"/join quay\r");
    s.send(tess, b"I was about to s");
    let cora = s.connect(true);
    s.line(cora, "/nick cora");
    s.line(cora, "/join quay");
    for id in [sam, tess, cora] {
        s.takes_nothing(id);
    }
    // Two people talk until the sockets of those who take nothing are full. Then these take a little of what waits for
    // them, so that their sockets end with half a line or half a frame. In the harbour more is said than may wait.
    let mut number = 0;
    for (room, id) in [("quay", tess), ("harbour", sam)] {
        for talker in [bob, dan] {
            s.line(talker, &format!("/join {room}"));
        }
        let mut talk = |s: &mut Stage, times: usize| {
            for _ in 0..times {
                let line = format!("line {number} of what two people have to say{}", ", and so on".repeat(80));
                s.line(if number % 2 == 0 { bob } else { dan }, &line);
                s.pass(Duration::from_millis(700));
                number += 1;
            }
        };
        while s.behind(id) == 0 || s.behind(cora) == 0 {
            talk(s, 1);
        }
        talk(s, 12);
        s.sip(id);
        if id == sam {
            while s.missed(id) < 3 {
                talk(s, 1);
            }
        }
    }
    // All other kinds of lines: they wait for sam.
    s.line(olga, "/join harbour");
    s.line(dan, "/leave");
    s.line(dan, "/join harbour");
    s.line(dan, "/me looks out to sea");
    s.line(dan, "/nick danny");
    s.line(dan, "/topic ships");
    s.control("rooms.topic", json!({"room": "harbour", "text": "ships and boats"}));
    s.control("say", json!({"room": "harbour", "text": "the lights go out at ten"}));
    let mut sailors = Vec::new();
    for number in 0..12 {
        let id = s.come(&format!("sailor{number}"));
        s.line(id, "/join harbour");
        if number > 5 {
            s.line(id, "/quit back to sea");
        } else {
            sailors.push(id);
        }
    }
    s.pass(Duration::from_secs(3));
    for (number, id) in (0..10).flat_map(|number| sailors[1..].iter().map(move |id| (number, *id))).take(10) {
        s.line(id, &format!("/nick tar{}x{number}", id.0));
    }
    s.pass(Duration::from_secs(3));
    // What waits for sam alone, until nothing more is read of him.
    for _ in 0..40 {
        if s.machine.listens_to(sam) {
            s.line(sam, "/help all");
        }
    }
    assert!(s.machine.hub().session(sam).is_some_and(|sam| sam.crowded), "too much waits for sam");
    s.line(olga, "/msg sam are you there?");
    s.line(cora, "/quit I have to go");
}

/// Editors, each in the middle of something.
fn typing(s: &mut Stage) {
    let keys: [(&str, &[&[u8]]); 15] = [
        // Within a paste, and within its end.
        ("paul", &[b"typed before: ", b"\x1b[200~pasted so far\x1b[20"]),
        // A paste that is asked about.
        ("penny", &[b"\x1b[200~first line\nsecond line\nthird line\x1b[201~"]),
        // Looking at older lines, and searching them.
        ("rory", &[b"/time on\r", b"/time off\r", b"half a li\x1b[A"]),
        ("sean", &[b"/time utc\r", b"/time off\r", b"draft\x12utc"]),
        // A word that is completed, one that was taken away, and a draft that a question for a password has set aside.
        ("tom", &[b"hello t\t", b"\t"]),
        ("kim", &[b"keep this and forget that\x17"]),
        ("lena", &[b"/login ann\r", b"half a pass"]),
        // Within each kind of key that takes several bytes.
        ("kent", &[b"/back\r"]),
        ("chad", &[b"caf\xc3"]),
        ("esco", &[b"escape\x1b"]),
        ("seth", &[b"sequence\x1b[1;"]),
        ("kip", &[b"keypad\x1bO"]),
        // A line that is too long, a program that edits again, and a cursor in the middle.
        ("odo", &[&[b'o'; 1100]]),
        ("mona", &[b"/mode line\r"]),
        ("lara", &[b"\xe6\x97\xa5\xe6\x9c\xac\x1b[D"]),
    ];
    for (nick, pieces) in keys {
        let id = s.come_typing(nick, false);
        for piece in pieces {
            s.send(id, piece);
        }
    }
}

/// Keys and answers of a terminal, each in the middle.
fn keys() -> Stage {
    let mut stage = Stage::new(Settings::default());
    let s = &mut stage;
    s.come("eve");
    // A paste whose end did not come, and a key behind it.
    let cass = s.come_typing("cass", false);
    s.send(cass, b"\x1b[200~one\rtwo");
    s.pass(Duration::from_secs(11));
    s.send(cass, b"\x1b");
    let much = [b"\x1b[200~", &[b'm'; 20_000][..]].concat();
    let keys: [(&str, &[u8]); 8] = [
        ("alma", b"alt\x1b\xc3"),
        ("cole", b"console\x1b[["),
        ("inga", b"set\x1b("),
        ("milo", b"mouse\x1b[M !"),
        ("rosa", b"string\x1b]11;rgb"),
        ("stan", b"end\x1b]11;rgb:0\x1b"),
        ("mark", &much),
        // How wide its characters are.
        ("wanda", b"\x1b[1;11Rwide"),
    ];
    for (nick, bytes) in keys {
        let id = s.come_typing(nick, false);
        s.send(id, bytes);
    }
    // A window that got narrower, twice, while somebody typed beyond the new edge: the terminal is asked where its cursor
    // is. It has answered once, and a key has come since it was asked again.
    let rita = s.come_typing("rita", false);
    s.send(rita, b"\x1b[1;11R\x1b[>84;0;0c");
    s.send(rita, &[b'd'; 68]);
    s.send(rita, &[IAC, SB, NAWS, 0, 50, 0, 24, IAC, SE]);
    s.send(rita, b"\x1b[12;22R");
    s.send(rita, &[IAC, SB, NAWS, 0, 20, 0, 24, IAC, SE]);
    s.send(rita, b"x");
    stage
}

/// Programs that speak telnet, in the middle of it.
fn telnet(s: &mut Stage) {
    let name = |bytes: &[u8]| [&[IAC, SB, TTYPE, 0], bytes, &[IAC, SE]].concat();
    let pieces: [(&str, Vec<Vec<u8>>); 10] = [
        // Within each kind of command.
        ("ivo", vec![vec![IAC]]),
        ("opal", vec![vec![IAC, WILL]]),
        ("otto", vec![vec![IAC, DONT]]),
        // Too many negotiations.
        ("nora", vec![[IAC, DO, 99].repeat(120)]),
        // A MUD client: it says what it can in its third name.
        (
            "mudd",
            vec![
                vec![IAC, WILL, TTYPE],
                name(b"MUDLET"),
                name(b"XTERM"),
                name(b"MTTS 73"),
                vec![IAC, DO, CHARSET, IAC, DO, 25],
            ],
        ),
        ("tina", vec![vec![IAC, WILL, TTYPE], name(b"VT100"), name(b"VT52")]),
        // Asked to switch an option on and then off, or off and then on, before they have answered.
        ("quin", vec![vec![IAC, WILL, TTYPE], b"/mode char\r\n".to_vec(), b"/mode line\r\n".to_vec()]),
        ("quil", vec![TERMINAL.to_vec(), EDITED.to_vec(), b"/mode line\r".to_vec(), b"/mode char\r\n".to_vec()]),
        ("lars", vec![vec![IAC, WILL, TTYPE], b"/login ann\r\n".to_vec(), vec![IAC, DO, ECHO], b"not y".to_vec()]),
        ("noel", vec![b"/back\r\0".to_vec(), b"hello".to_vec()]),
    ];
    for (nick, pieces) in pieces {
        let id = s.connect(false);
        // How the first line ends is remembered.
        let end = if nick == "noel" { "\r\0" } else { "\n" };
        s.send(id, format!("/nick {nick}{end}").as_bytes());
        for piece in pieces {
            s.send(id, &piece);
        }
    }
    // Others who end their lines in different ways; the first does not answer what it is asked in telnet.
    for lines in
        [&["/nick carl\r\n", "/back\r\n"][..], &["/nick asta\r\n"], &["/nick sol\r"], &["/nick lois\r", "/back\r"]]
    {
        let id = s.connect(false);
        lines.iter().for_each(|line| s.send(id, line.as_bytes()));
    }
    let pip = s.come("pip");
    s.send(pip, b"a line that is not d");
    let skye = s.come("skye");
    s.send(skye, &[b's'; 3000]);
}

/// Programs in the middle of a telnet subnegotiation, which is given up when they pause.
fn unended(s: &mut Stage) {
    let much = [&[IAC, SB, TTYPE, 0][..], &[b'x'; 600]].concat();
    for (nick, pieces) in [
        ("suki", vec![vec![IAC, WILL, TTYPE], vec![IAC, SB, TTYPE, 0, b'V', b'T']]),
        ("sven", vec![vec![IAC, SB, NAWS, 0, 80, IAC]]),
        ("vern", vec![much]),
    ] {
        let id = s.connect(false);
        s.send(id, format!("/nick {nick}\n").as_bytes());
        pieces.iter().for_each(|piece| s.send(id, piece));
    }
}

/// Passwords that are asked for, and that are being hashed.
fn passwords(s: &mut Stage) {
    // The name is registered: its password may come next, though nobody has asked for it.
    let prue = s.come("prue");
    s.line(prue, "/nick gone");
    // A name by which one logs in to a machine: its password may come next.
    let rita = s.come("rita");
    s.line(rita, "root");
    let rosa = s.come("rosa");
    s.line(rosa, "/register");
    let ruth = s.come("ruth");
    s.line(ruth, "/register");
    s.line(ruth, "ruth's secret");
    let lou = s.come("lou");
    s.line(lou, "/login ann");
    s.line(lou, "not it");
    s.hashed(Answer::Wrong);
    let wade = s.come("wade");
    s.line(wade, "/login ann");
    for guess in ["one", "two", "three"] {
        s.line(wade, guess);
        s.hashed(Answer::Wrong);
    }
    let pia = s.come_in("pia");
    s.line(pia, "/passwd");
    for nick in ["cleo", "cloe", "walt"] {
        let id = s.come_in(nick);
        s.line(id, "/passwd");
        s.line(id, SECRET);
        s.hashed(Answer::Right { renewed: None });
        // Once; and again.
        let times = ["cleo", "cloe", "walt"].iter().position(|one| *one == nick).expect("one of them");
        (0..times).for_each(|_| s.line(id, "another secret"));
    }
    let uma = s.come_in("uma");
    s.line(uma, "/unregister");
    for (nick, lines) in [("wilma", ["/passwd", "old secret"]), ("wyn", ["/unregister", "old secret"])] {
        let id = s.come_in(nick);
        lines.iter().for_each(|line| s.line(id, line));
    }
    // What lisa types lacks its slash.
    for (nick, line) in [
        ("lisa", "login ann guess"),
        ("wanda", "/register wanda's secret"),
        ("will", "/login ann guess"),
        ("wes", "/login nobody guess"),
    ] {
        let id = s.come(nick);
        s.line(id, line);
    }
}

/// What is on its way to the disk.
fn records(s: &mut Stage, eve: SessionId) {
    let hashed = json!(&*hashed().0);
    s.control("accounts.add", json!({"name": "new", "hashed": hashed}));
    s.control("accounts.remove", json!({"name": "gone"}));
    s.control("bans.add", json!({"target": "198.51.100.7", "reason": "spam", "for_s": 3600}));
    s.control("bans.add", json!({"target": "198.51.100.8"}));
    s.control("bans.remove", json!({"which": "198.51.100.8"}));
    s.line(eve, "/join nook");
    s.line(eve, "something to be sorry for");
    s.line(eve, "/leave");
    s.control("history.redact", json!({"client": eve.to_string(), "query": "sorry"}));
    let (since, until) = ("2026-11-22T10:00:00Z", "2026-11-22T10:00:01Z");
    s.control("history.redact", json!({"room": "attic", "nick": "dan", "since": since, "until": until}));
    s.control("history.redact", json!({"from_seq": 1, "to_seq": 2}));
}

/// People whose lines wait for their time.
fn waiting(s: &mut Stage) {
    // dirk has been too fast for so long that his lines are dropped; slim's only wait.
    let dirk = s.come("dirk");
    s.send(dirk, &b"/back\n".repeat(400));
    s.next_turns();
    s.pass(Duration::from_secs(29));
    let slim = s.come("slim");
    s.send(slim, &b"/back\n".repeat(100));
    s.next_turns();
    s.pass(Duration::from_secs(2));

    let held: [(&str, Vec<u8>); 11] = [
        ("hal", b"held\nand more\nand half of a li".to_vec()),
        ("hob", [&[b'x'; 1100][..], b"\n"].concat()),
        ("hux", vec![IAC, AYT]),
        ("hugh", vec![IAC, IP]),
        ("hank", vec![IAC, EOF]),
        ("hart", vec![IAC, WILL, NAWS, IAC, SB, NAWS, 0, 90, 0, 30, IAC, SE]),
        ("hedy", EDITED.to_vec()),
        ("hilo", vec![IAC, DONT, ECHO]),
        ("hera", vec![IAC, DONT, ECHO]),
        ("hume", b"/he\t".to_vec()),
        ("rudy", b"\x1b[200~one\ntwo\nthree\x1b[201~\r".to_vec()),
    ];
    let held = held.map(|(nick, bytes)| {
        let id = match nick {
            "hume" | "rudy" | "hera" => s.come_typing(nick, false),
            "hedy" => {
                let id = s.connect(false);
                s.send(id, TERMINAL);
                s.send(id, b"/nick hedy\r\n");
                id
            }
            "hilo" => {
                let id = s.come(nick);
                s.send(id, &[IAC, WILL, TTYPE]);
                id
            }
            _ => s.come(nick),
        };
        s.send(id, b"/join yard\r");
        (id, bytes)
    });
    let enzo = s.come("enzo");
    s.line(enzo, "/join yard");
    let ezra = s.come("ezra");
    s.line(ezra, "/join yard");
    let mo = s.come("mo");
    s.line(mo, "/join yard");

    named(s);
    // No more than a few seconds pass after this, so nothing of it is given up.
    unended(s);

    // In a room over its pace, gus has said much, and gives way to the others.
    let mut settings = s.machine.hub().settings().clone();
    settings.pace.crowd = 1000;
    s.input(hub::News::Settings(Box::new(settings.clone())));
    let gus = s.come("gus");
    for number in 0..4 {
        s.line(gus, &format!("gus says {number}"));
    }
    for nick in ["ava", "iris", "bea", "pat", "tia", "tod", "tim", "fay", "rex", "carl", "lois", "nora"] {
        let id = s.who(nick);
        s.line(id, &format!("{nick} has something to say"));
    }
    s.line(gus, "gus gives way");
    s.pass(Duration::from_millis(1200));

    // From here on no more than some moments pass: what is held stays held.
    s.send(mo, &b"/back\n".repeat(36));
    (settings.pace.lines, settings.pace.burst_lines) = (1, 3);
    s.input(hub::News::Settings(Box::new(settings.clone())));
    for (id, bytes) in held {
        s.flood(id);
        if bytes == [IAC, DONT, ECHO] {
            // Its program does not go along with hiding a password.
            s.send(id, b"/login ann\r");
        } else {
            s.send(id, b"/back\r");
        }
        s.send(id, &bytes);
    }
    for (id, why) in [(enzo, Farewell::Hangup), (ezra, Farewell::Lost)] {
        s.flood(id);
        s.line(id, "/back");
        s.line(id, "held");
        s.input(Input::End { id, why });
    }

    // Arrivals that are told together later.
    for nick in ["nina", "nils", "noah"] {
        s.come(nick);
    }
    let nina = s.who("nina");
    s.line(nina, "who else is new?");
    let last = s.come("last");
    s.line(last, "/quit I was here");
    settings.accounts.entry = Entry::Registered;
    s.input(hub::News::Settings(Box::new(settings)));
    let dora = s.connect(false);
    s.line(dora, "/login ann");
    // And somebody who has sent nothing yet.
    s.connect(false);
}

/// A hub that has not been able to read what is on disk.
fn unread() -> Stage {
    let mut stage = Stage::new(Settings::default());
    stage.input(hub::News::Archive(Some(Box::new(Recalled { last_line: 9, unread: true, ..Recalled::default() }))));
    let una = stage.come("una");
    stage.line(una, "is anybody here?");
    stage
}

/// Rooms that are kept while nobody is in them, and a lockdown.
fn rooms() -> Stage {
    let mut settings = Settings::default();
    // Everybody comes from where nobody listens.
    settings.access.secure = vec!["0.0.0.0/0".parse().expect("a network")];
    let mut stage = Stage::new(settings);
    let s = &mut stage;
    s.input(hub::News::Archive(Some(Box::new(recalled()))));
    let ann = s.come_in("ann");
    s.line(ann, "/join shed");
    s.line(ann, "/room lasting");
    s.line(ann, "/room passing");
    s.line(ann, "/join cellar");
    s.line(ann, "/topic for later");
    s.line(ann, "/moderator olga");
    s.line(ann, "/room successor cat");
    let modes = json!({
        "room": "cellar", "registered": true, "slow_s": 30, "topic_locked": false, "lasting": true,
    });
    s.control("rooms.set", modes);
    s.line(ann, "/leave");
    // It was for all in between.
    for encrypted in [true, false, true] {
        s.control("rooms.set", json!({"room": "cellar", "encrypted": encrypted}));
    }
    // Nobody else sees the room of somebody who is shadow-muted.
    let cleo = s.come_in("cleo");
    s.control("clients.mute", json!({"who": ["cleo"], "shadow": true}));
    s.line(cleo, "/join closet");
    s.pass(Duration::from_secs(2 * 3600));
    s.control("lockdown", json!({"for_s": 600, "newcomers": "registered"}));
    s.come("nina");
    stage
}

/// What the names of a raid have in common is banned, and what it says is filtered; somebody says too much.
fn raid() -> Stage {
    let mut settings = Settings::default();
    (settings.pace.burst_lines, settings.pace.lines, settings.pace.patience) = (3, 3, Duration::from_secs(1));
    let mut stage = Stage::new(settings);
    stage.control("bans.add", json!({"target": "bot-*", "for_s": 3600}));
    stage.control("filters.add", json!({"text": "cheap pills", "strike": true}));
    let who = stage.come("gaby");
    stage.pass(Duration::from_secs(2));
    for number in 1..=8 {
        stage.line(who, &format!("line {number}"));
        stage.pass(Duration::from_millis(400));
    }
    stage
}

/// More people have sent nothing for long than are told so in one step.
fn idle() -> Stage {
    let mut settings = Settings::default();
    (settings.idle.after, settings.idle.warning) = (Some(Duration::from_secs(60)), Duration::from_secs(10));
    let mut stage = Stage::new(settings);
    for number in 1..=66 {
        stage.connect_from([198, 51, 100, number].into(), false);
    }
    stage.pass(Duration::from_secs(49));
    stage.at.mono = stage.at.mono.after(Duration::from_secs(1));
    stage.input(Input::Tick);
    stage
}

/// How many bytes the header of a proxy has, and how many of them have come.
pub const HEADER: (u16, usize) = (300, 120);

/// Somebody has come through a proxy, and of the next one's header a part was read.
fn proxied() -> Stage {
    let mut stage = Stage::new(Settings::default());
    let eve = stage.connect(false);
    stage.line(eve, "/nick eve");
    let text = |text: &str| Some(text.to_owned());
    let encryption = Encryption {
        version: text("TLSv1.3"),
        suite: text("TLS_AES_256_GCM_SHA384"),
        host: text("chat.example.org"),
        certificate: text("ann"),
    };
    let proxy = ([192, 0, 2, 200], 40_000).into();
    let proxied = Proxied { proxy, header: HEADER.0, encryption: Some(encryption) };
    for number in 1..=2 {
        let proxied = Some(Box::new(proxied.clone()));
        let id = stage.connect_through(proxied, [198, 51, 100, number].into(), false);
        if number == 1 {
            stage.send(id, &[&[b'\n'; HEADER.0 as usize][..], b"/nick ann\n"].concat());
        } else {
            stage.send(id, &[b'\n'; HEADER.1]);
        }
    }
    stage
}

/// A ban has hit more people than are seen out in one step.
fn ban() -> Stage {
    let mut stage = Stage::new(Settings::default());
    for number in 1..=66 {
        stage.connect_from([198, 51, 100, number].into(), false);
    }
    stage.control("bans.add", json!({"target": "198.51.100.0/24", "reason": "all of them", "for_s": 60, "yes": true}));
    stage.control("lockdown", json!({"newcomers": "door"}));
    // Who goes from the door has not been here.
    let late = stage.connect(false);
    stage.line(late, "/time Europe/Berlin");
    stage.line(late, "/quit");
    stage
}

/// More rooms are looked through for lines that are kept no longer than are in one step.
fn keeping() -> Stage {
    let mut settings = Settings::default();
    settings.history.keep_lines = 2000;
    settings.limits.rooms_per_address = 100;
    let mut stage = Stage::new(settings.clone());
    let first = stage.connect(false);
    stage.line(first, "nobody is here yet");
    for number in 1..=66 {
        let id = stage.connect_from([198, 51, 100, number].into(), false);
        stage.line(id, &format!("/join den{number}"));
        stage.line(id, "nobody hears that");
    }
    // Many have come: that this one goes elsewhere is told later.
    stage.line(first, "/join den1");
    stage.line(first, "/time Europe/Berlin");
    settings.history.keep_lines = 66;
    stage.input(hub::News::Settings(Box::new(settings)));
    stage.input(Input::Tick);
    stage
}

/// Every setting has another value than by default.
fn settings() -> Stage {
    Stage::new(unusual())
}

/// Settings that all differ from their defaults: each is one of the words it can be, a value from the list below, or
/// another setting's default.
fn unusual() -> Settings {
    let mut unusual = Settings::default();
    let usual = Settings::default();
    let others: Vec<_> = SETTINGS.iter().map(|setting| setting.default()).collect();
    for setting in SETTINGS {
        let allowed = setting.allowed();
        let words = allowed.split('"').skip(1).step_by(2).map(|word| format!("\"{word}\""));
        let more = [
            "[\"127.0.0.1:1\"]",
            "true",
            "false",
            "[\"192.0.2.0/24\"]",
            "[\"attic\"]",
            "\"/run/other.sock\"",
            "\"1h\"",
            "\"1 KiB\"",
            "0",
        ];
        let more = more.into_iter().map(str::to_owned).chain(others.iter().cloned());
        let fits = words.chain(more).find_map(|text| {
            let mut changed = unusual.clone();
            let value = toml::de::DeValue::parse(&text).ok()?;
            setting.set(&mut changed, value.get_ref()).ok()?;
            (!setting.same(&changed, &usual) && changed.conflicts().is_empty()).then_some(changed)
        });
        unusual = fits.unwrap_or_else(|| panic!("{} has no other value that is known here", setting.key));
    }
    unusual
}
