//! What people find when their process was taken over: everything is as they have left it, and continues.

use std::collections::BTreeSet;
use std::time::Duration;

use chathub::hub;
use chathub::hub::account::{Hashed, Role};
use chathub::hub::login::Answer;
use chathub::machine::Outcome;
use chathub::settings::Pace;
use chathub::values::id::SessionId;
use chathub::values::terminal::Mode;
use serde_json::Value;

use super::scenes::HEADER;
use super::stage::{Left, Stage};

/// Looks at a scene that has just been taken over, and plays on from there.
pub fn goes_on(scene: &str, left: &Left, stage: &mut Stage) {
    match scene {
        "people" => {
            assert_eq!(stage.machine.restarts().count, 2, "the one before, and this");
            everybody_is_there(stage);
            what_waits_elsewhere_comes_again(left, stage);
            who_was_in_the_middle_of_a_subnegotiation_goes_on(stage);
            what_was_held_is_taken(stage);
            lines_reach_those_who_may_hear_them(stage);
            who_was_typing_goes_on(stage);
            who_was_in_the_middle_of_telnet_goes_on(stage);
            passwords_that_were_hashed_are_known(stage);
            who_was_asked_for_a_password_answers(stage);
            who_is_kept_out_stays_out(stage);
        }
        "unread" => {
            assert!(stage.machine.hub().is_unread(), "what is on disk is still to be read");
            assert_eq!(stage.machine.hub().session_count(), 1, "una is there");
        }
        "ban" => {
            let banned: Vec<_> = stage.machine.hub().sessions().map(|session| session.id).collect();
            stage.pass(Duration::from_millis(1));
            assert_eq!(stage.machine.hub().session_count(), 0, "who is banned is seen out");
            banned.into_iter().for_each(|id| assert!(stage.has_ended(id)));
        }
        "raid" => {
            stage.check("gaby", b"/nick bot-7\n", "gaby", "-- nobody may be called bot-7 here\r\n");
            stage.pass(Duration::from_secs(60));
            let wanted = "-- the house rules here do not allow that; nobody saw it\r\n";
            stage.check("gaby", b"cheap pills\n", "gaby", wanted);
        }
        "idle" => {
            stage.pass(Duration::from_millis(1));
            assert_eq!(stage.machine.hub().session_count(), 66, "all are warned");
            (0..3).for_each(|_| stage.pass(Duration::from_secs(10)));
            assert_eq!(stage.machine.hub().session_count(), 0, "nobody has sent anything");
        }
        "keeping" => {
            let kept = |stage: &Stage| stage.machine.hub().rooms().map(|room| room.history.len()).sum::<usize>();
            assert_eq!(kept(stage), 66, "the first line is one too many");
            stage.pass(Duration::from_secs(31 * 86_400));
            assert_eq!(kept(stage), 0, "what is kept for a time is let go of");
        }
        "rooms" => {
            let is = "-- cellar is public, and ann's; only registered people speak; only encrypted\r\n   \
                      connections come in; each says one line in 30 s; everybody sets its topic;\r\n   \
                      it is kept while empty; moderators: olga; successor: cat\r\n";
            stage.sees("ann", |stage| stage.line(stage.who("ann"), "/join cellar"));
            stage.check("ann", b"/room\n", "ann", is);
            stage.check("ann", b"/topic\n", "ann", "-- topic of cellar: for later\r\n");
            assert!(stage.machine.hub().lockdown().is_some());
            stage.pass(Duration::from_secs(600));
            assert!(stage.machine.hub().lockdown().is_none(), "it ends by itself");
        }
        "keys" => {
            for (nick, bytes, said) in [
                ("cass", &b"[A\r"[..], "one\r\ncass: two"),
                ("alma", b"\xa9X\r", "altX"),
                ("cole", b"EX\r", "consoleX"),
                ("inga", b"BX\r", "setX"),
                ("milo", b"!X\r", "mouseX"),
                ("rosa", b":0/0/0\x07X\r", "stringX"),
                ("stan", b"\\X\r", "endX"),
                ("mark", b"\x1b[201~X\r", "X"),
                ("wanda", b"X\r", "wideX"),
            ] {
                stage.check(nick, bytes, "eve", &format!("{nick}: {said}\r\n"));
            }
        }
        "proxied" => {
            let late = stage.machine.hub().sessions().find(|session| session.nick.shown().starts_with("guest"));
            let late = late.expect("its header has not come whole").id;
            let rest = vec![b'\n'; usize::from(HEADER.0) - HEADER.1];
            stage.sees("eve", |stage| stage.send(late, &[&rest[..], b"/nick late\n"].concat()));
            stage.check("late", b"hello\n", "eve", "late: hello\r\n");
            stage.check("ann", b"hello\n", "eve", "ann: hello\r\n");
        }
        "hubs" => super::hubs::goes_on(stage),
        // They are compared as they were read.
        "settings" => {}
        other => panic!("{other} is a scene that nobody looks at"),
    }
}

impl Stage {
    /// What somebody sees while this is done.
    pub fn sees(&mut self, nick: &str, act: impl FnOnce(&mut Self)) -> String {
        let id = self.who(nick);
        self.news(id);
        act(self);
        String::from_utf8_lossy(&self.news(id)).into_owned()
    }

    /// Somebody sends this, and somebody sees that.
    #[track_caller]
    fn check(&mut self, sender: &str, bytes: &[u8], reader: &str, wanted: &str) {
        let id = self.who(sender);
        let seen = self.sees(reader, |stage| stage.send(id, bytes));
        assert_eq!(seen, wanted, "what {reader} sees when {sender} sends {:?}", String::from_utf8_lossy(bytes));
    }

    /// The hub is told what came of that one's password; what they see then.
    fn hashes(&mut self, nick: &str, answer: Answer) -> String {
        let waits = |outcome: &Outcome| match outcome {
            Outcome::Hash(job) => self.machine.hub().waits_for(job.number) == Some(self.who(nick)),
            _ => false,
        };
        let at = self.told.iter().position(waits).unwrap_or_else(|| panic!("{nick} waits for a password"));
        let Outcome::Hash(job) = self.told.remove(at) else { unreachable!("it was found so") };
        self.sees(nick, |stage| stage.input(hub::News::Hashed { number: job.number, answer }))
    }
}

fn everybody_is_there(stage: &mut Stage) {
    let rooms = [
        ("olga", "harbour"),
        ("ann", "den"),
        ("cat", "nook"),
        ("bob", "harbour"),
        ("danny", "harbour"),
        ("rex", "lobby"),
        ("sam", "harbour"),
        ("tess", "quay"),
        ("sue", "nook"),
        ("hal", "yard"),
    ];
    let hub = stage.machine.hub();
    for (nick, room) in rooms {
        let found = hub.room(stage.session(nick).room).map(|room| room.name.shown());
        assert_eq!(found, Some(room), "{nick} is there");
    }
    let harbour = hub.room(stage.session("sam").room).expect("it is there");
    assert_eq!(&*harbour.topic, "ships and boats");
    assert_eq!(stage.session("ava").away.as_deref(), Some("at lunch"));
    let mute = |nick| stage.session(nick).muted(stage.at).map(|mute| mute.shadow);
    assert_eq!((mute("mia"), mute("shay"), mute("eve")), (Some(false), Some(true), None));
    assert!(stage.session("iris").quiet && stage.session("hope").holds);
    let role = |nick| stage.session(nick).account.and_then(|id| hub.accounts().get(id)).map(|account| account.role);
    assert_eq!((role("olga"), role("ann"), role("bob")), (Some(Role::Operator), Some(Role::Member), None));
    let bans: BTreeSet<_> = hub.sanctions().bans(stage.at).map(|ban| ban.target.to_string()).collect();
    assert_eq!(bans, ["198.51.100.7/32", "203.0.113.0/24", "troll"].map(str::to_owned).into());
    assert_eq!(hub.sessions().filter(|session| session.at_door.is_some()).count(), 2);
}

/// What only other threads can do is asked of them again.
fn what_waits_elsewhere_comes_again(left: &Left, stage: &mut Stage) {
    let (mut jobs, mut searches, mut records) = (BTreeSet::new(), Vec::new(), Vec::new());
    for outcome in &stage.told {
        match outcome {
            Outcome::Hash(job) => {
                let who = stage.machine.hub().waits_for(job.number).expect("somebody waits for it");
                let session = stage.machine.hub().session(who).expect("they are there");
                jobs.insert((session.nick.shown().to_owned(), job.password.reveal().to_owned()));
            }
            Outcome::Search(search) => {
                let what = search.report.as_ref().map_or_else(|| search.query.to_string(), |(id, _)| id.to_string());
                searches.push((search.session, what));
            }
            Outcome::Record(number, _) => records.push(*number),
            _ => {}
        }
    }
    let wanted = [
        ("walt", "another secret"),
        ("wanda", "wanda's secret"),
        ("wes", "guess"),
        ("will", "guess"),
        ("wilma", "old secret"),
        ("wyn", "old secret"),
    ];
    assert_eq!(jobs, wanted.map(|(nick, password)| (nick.to_owned(), password.to_owned())).into());
    let mut wanted = vec![(stage.who("olga"), "r24".to_owned()), (stage.who("sue"), "keys".to_owned())];
    if !left.machine.contains(r#""report":[24,"#) {
        // A release of which nobody asked for a report.
        wanted.remove(0);
    }
    assert_eq!(searches, wanted);
    let machine: Value = serde_json::from_str(&left.machine).expect("JSON");
    let waiting = machine["hub"]["backlog"]["waiting"].as_array().expect("records");
    let waiting: Vec<_> = waiting.iter().map(|record| record[0].as_u64().expect("a number")).collect();
    assert!(waiting.len() > 50, "{} records were to be written", waiting.len());
    assert_eq!(records, waiting);
}

fn what_was_held_is_taken(stage: &mut Stage) {
    let ids: Vec<_> = ["hob", "hux", "hugh", "hilo", "hera"].map(|nick| stage.who(nick)).into();
    let hank = stage.who("hank");
    ids.iter().for_each(|id| _ = stage.news(*id));
    let seen = stage.sees("mo", |stage| stage.pass(Duration::from_secs(5)));
    for line in [
        "hal: held",
        "hal: and more",
        "rudy: one",
        "rudy: two",
        "rudy: three",
        "enzo: held",
        "* enzo left",
        "ezra: held",
        "* ezra left (connection lost)",
        "* hank left",
    ] {
        assert!(seen.contains(&format!("{line}\r\n")), "{line}: {seen}");
    }
    assert!(stage.has_ended(hank), "^D was held");
    let told = [
        "-- nobody saw that line: it has 1100 bytes, at most 1024 are allowed\r\n",
        "-- yes, here\r\n",
        "-- what you had typed is gone; /quit leaves\r\n",
        "-- careful: your program shows what you type next",
        "-- careful: your program shows what you type next",
    ];
    for (id, told) in ids.into_iter().zip(told) {
        let news = String::from_utf8_lossy(&stage.news(id)).into_owned();
        assert!(news.contains(told), "{}: {news:?}", stage.name(id));
    }
    assert_eq!(stage.session("hart").terminal.cols, 90);
    assert_eq!((stage.session("hedy").mode, stage.session("hera").mode), (Mode::Char, Mode::Line));
    stage.check("hal", b"ne\n", "mo", "hal: and half of a line\r\n");

    // From here on everybody is as fast as they like.
    let mut settings = stage.machine.hub().settings().clone();
    settings.pace = Pace::default();
    stage.input(hub::News::Settings(Box::new(settings)));
    stage.pass(Duration::from_secs(60));
}

fn lines_reach_those_who_may_hear_them(stage: &mut Stage) {
    let bob = stage.who("bob");
    for nick in ["danny", "sam", "olga", "sailor0"] {
        let seen = stage.sees(nick, |stage| stage.line(bob, "is everybody still here?"));
        assert!(seen.ends_with("bob: is everybody still here?\r\n"), "{nick}: {seen}");
    }
    stage.check("shay", b"I am still heard\n", "eve", "");
    stage.check("mia", b"and I?\n", "mia", "-- you are muted until 2026-11-22 12:01 UTC: nobody saw that\r\n");
    stage.check("eve", b"iris does not see this\n", "iris", "");
    stage.check("bea", b"nor this\n", "iris", "");
    stage.check("eve", b"hope does, later\n", "hope", "");
    let hope = stage.who("hope");
    let seen = stage.sees("hope", |stage| stage.line(hope, ""));
    let order = ["eve: hope sees this later", "[bob -> you] this, too", "gus: gus gives way", "eve: hope does, later"];
    let places: Vec<_> = order.map(|line| seen.find(&format!("{line}\r\n"))).into();
    assert!(places.is_sorted() && places[0].is_some() && !seen.contains("I am"), "{places:?} in {seen}");
    stage.check("eve", b"in colour\n", "pat", "\x1b[31meve\x1b[39m: in colour\r\n");
    stage.check("pat", b"/reply at last\n", "eve", "[pat -> you] at last\r\n");
    stage.check("eve", b"/msg ava hi\n", "eve", "[you -> ava] hi\r\n-- ava has it now, and is away: at lunch\r\n");
    stage.check("rex", b"/join den\n", "rex", "-- a room of the name den is not open to you\r\n");
    stage.check("bob", b"/join den\n", "ann", "* bob joined\r\n");
    stage.check("bob", b"I have a voice\n", "ann", "bob: I have a voice\r\n");
    stage.check("ann", b"/room\n", "ann", "-- den is private and moderated, and ann's\r\n");
    stage.check("cat", b"/room\n", "cat", "-- nook is public, and cat's\r\n");
    let rest =
        "-- the last 2 lines in library, times in UTC:\r\n[10:00] zoe: who has the keys?\r\n[10:00] zoe: I have\r\n";
    stage.check("rex", b"/join library\n", "rex", &format!("{rest}-- you are in library now, alone\r\n"));
}

/// Each of these was typing in an editor of ours.
fn who_was_typing_goes_on(stage: &mut Stage) {
    for (nick, bytes, said) in [
        ("paul", &b"1~ and the rest\r"[..], "typed before: pasted so far and the rest"),
        ("penny", b"\r", "first line\r\npenny: second line\r\npenny: third line"),
        // What was typed before it went back to older lines.
        ("rory", b"\x1b[B\x1b[Bne\r", "half a line"),
        ("sean", b"\x07 sent\r", "draft sent"),
        ("tom", b"!\r", "hello tod !"),
        ("kim", b"\x19\r", "keep this and forget that"),
        ("kent", b"\nkent is here\r", "kent is here"),
        ("chad", b"\xa9\r", "caf\u{e9}"),
        ("esco", b"bX\r", "Xescape"),
        ("seth", b"5DX\r", "Xsequence"),
        ("kip", b"DX\r", "keypaXd"),
        ("lara", b"X\r", "\u{65e5}X\u{672c}"),
        ("mona", b"as a line\r\n", "as a line"),
    ] {
        stage.check(nick, bytes, "eve", &format!("{nick}: {said}\r\n"));
    }
    let tess = stage.who("tess");
    let seen = stage.sees("tess", |stage| stage.send(tess, b"ay hello\r"));
    assert!(seen.contains("I was about to say hello\r\n"), "{seen:?}");
    let odo = stage.who("odo");
    let seen = stage.sees("odo", |stage| stage.send(odo, b"\r"));
    assert!(seen.contains("1100 bytes, at most 1024"), "{seen:?}");
}

/// What somebody is shown who sends this.
fn seen(stage: &mut Stage, nick: &str, bytes: &[u8]) -> Vec<u8> {
    let id = stage.who(nick);
    stage.news(id);
    stage.send(id, bytes);
    stage.news(id)
}

/// Who is known to be telnet now is asked for its terminal and its size, and for BINARY.
const ASKED: &[u8] = b"\xff\xfd\x18\xff\xfd\x1f\xff\xfd\0";

/// Each of these had sent a part of a subnegotiation. It is given up where nothing of it comes for long.
fn who_was_in_the_middle_of_a_subnegotiation_goes_on(stage: &mut Stage) {
    assert_eq!(seen(stage, "sven", b"\xf0"), ASKED);
    assert_eq!(seen(stage, "vern", b"\xff\xf0"), ASKED);
    assert_eq!(seen(stage, "suki", b"100\xff\xf0"), b"", "it is a terminal, and is asked for no other name");
    assert!(stage.session("suki").terminal.screen, "VT100 is a terminal");
}

/// Each of these had sent a part of a telnet command, or was asked something.
fn who_was_in_the_middle_of_telnet_goes_on(stage: &mut Stage) {
    let asked = ASKED;
    assert_eq!(seen(stage, "ivo", b"\xf6"), [asked, &b"-- yes, here\r\n"[..]].concat());
    assert_eq!(seen(stage, "opal", b"\x63"), [b"\xff\xfe\x63", asked].concat());
    assert_eq!(seen(stage, "otto", b"\x01"), asked);
    assert_eq!(seen(stage, "nora", b"\xff\xfd\x63"), b"", "it has had its answers");
    let answer = b"-- times are shown now, in UTC; /time off hides them\r\n\xff\xef";
    assert_eq!(seen(stage, "mudd", b"/time\r\n"), answer, "with IAC EOR");
    assert!(stage.session("mudd").terminal.read_aloud && stage.session("mudd").terminal.ascii);
    assert_eq!(seen(stage, "quin", b"\xff\xfd\x01"), b"\xff\xfc\x01", "it was to be off after all");
    assert_eq!(seen(stage, "skye", b"\n"), b"-- nobody saw that line: it has 3000 bytes, at most 1024 are allowed\r\n");
    for (nick, bytes, said) in [
        ("quil", &b"either way\r"[..], "either way"),
        ("tina", b"a line\r\n", "a line"),
        ("noel", b"\r\0", "hello"),
        ("carl", b"a line\r\n", "a line"),
        ("asta", b"a line\r\n", "a line"),
        ("sol", b"\na line\r", "a line"),
        ("lois", b"a line\r", "a line"),
        ("pip", b"one\n", "a line that is not done"),
    ] {
        stage.check(nick, bytes, "eve", &format!("{nick}: {said}\r\n"));
    }
}

fn passwords_that_were_hashed_are_known(stage: &mut Stage) {
    let made = || Answer::Made(Hashed("$argon2id$made".into()));
    let right = || Answer::Right { renewed: None };
    for (nick, answer, told) in [
        ("walt", made(), "-- your password is changed\r\n"),
        ("wilma", right(), "-- type a new password of at least 8 characters; an empty line cancels\r\n"),
        ("wyn", right(), "-- wyn is not registered any more; you are a guest now\r\n"),
        ("wanda", made(), "-- wanda is registered, and nobody else can have it; /login wanda next time\r\n"),
        ("will", right(), "-- welcome, ann: you are logged in\r\n"),
        ("wes", Answer::Wrong, "-- no such name, or not its password\r\n"),
    ] {
        let seen = stage.hashes(nick, answer);
        assert!(seen.contains(told), "{nick}: {seen}");
    }
}

fn who_was_asked_for_a_password_answers(stage: &mut Stage) {
    let door = |session: &&chathub::hub::session::Session| session.at_door.is_some() && session.dialogue.is_some();
    let dora = stage.machine.hub().sessions().find(door).expect("dora is at the door").id;
    let who = |stage: &Stage, nick: &str| if nick == "dora" { dora } else { stage.who(nick) };
    let answer = |stage: &mut Stage, id: SessionId, bytes: &[u8]| {
        stage.told.clear();
        stage.send(id, bytes);
        stage.told.iter().find_map(|outcome| match outcome {
            Outcome::Hash(job) => Some(job.password.reveal().to_owned()),
            _ => None,
        })
    };
    for (nick, bytes, wanted) in [
        ("rosa", &b"rosa's secret\n"[..], None),
        ("rosa", b"rosa's secret\n", Some("rosa's secret")),
        ("ruth", b"ruth's secret\n", Some("ruth's secret")),
        ("lou", b"guess\n", Some("guess")),
        ("lena", b"word\r", Some("half a password")),
        ("lars", b"et mine\r\n", Some("not yet mine")),
        ("pia", b"old\n", Some("old")),
        ("cleo", b"a new secret\n", None),
        ("cleo", b"a new secret\n", Some("a new secret")),
        ("cloe", b"another secret\n", Some("another secret")),
        ("uma", b"old\n", Some("old")),
        ("dora", b"guess\n", Some("guess")),
    ] {
        let id = who(stage, nick);
        assert_eq!(answer(stage, id, bytes).as_deref(), wanted, "{nick} is asked for a password");
    }
    stage.hashed(Answer::Right { renewed: None });
    let session = stage.machine.hub().session(dora).expect("she is there");
    assert!(session.at_door.is_none() && session.nick.shown() == "ann", "she comes in");
}

fn who_is_kept_out_stays_out(stage: &mut Stage) {
    let banned = stage.connect_from([203, 0, 113, 7].into(), false);
    let told = String::from_utf8_lossy(&stage.news(banned)).into_owned();
    assert!(told.contains("floods") && stage.has_ended(banned), "{told}");
    let seen = stage.sees("eve", |stage| {
        let eve = stage.who("eve");
        stage.line(eve, "/nick troll");
    });
    assert!(seen.starts_with("-- ") && stage.session("eve").nick.shown() == "eve", "{seen}");
}
