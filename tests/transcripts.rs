//! Conversations as data: what each one types, and every line that anybody sees of it.
//!
//! A transcript is a file in `tests/transcripts`, read line by line:
//!
//! | line | means |
//! | --- | --- |
//! | `# ...`, or nothing | a comment |
//! | `ann > hi` | ann sends that line |
//! | `ann >> hi\r\nho\xff` | ann sends these bytes: `\r \n \t \\ \xHH \u{HEX}`, no line end added |
//! | `@ +5s` | time passes, and with it all deadlines up to then |
//! | `! limits.rooms=2` | a setting; before all else, one of the start |
//! | `* connect ann 192.0.2.1 [PORT]` | ann connects; without an address, from one of her own |
//! | `* encrypted ann [CERTIFICATE]` | ann connects by TLS, with that certificate if it is named |
//! | `* proxied ann [encrypted]` | ann comes through a proxy on this machine, which says that she is encrypted, or not |
//! | `* here ann bob` | they connect and take these names; nobody looks at what is seen of it |
//! | `* crowd 20`, `* crowd leaves 5` | guests come and go whom nobody looks at |
//! | `* hangup ann`, `* lost ann`, `* slow ann`, `* stuffed ann` | her connection ends in that way |
//! | `* crowded ann`, `* relieved ann` | she takes nothing of what is meant for her alone, or does again |
//! | `* kick ann [REASON]`, `* mute ann [TIME]`, `* shadowmute ann [TIME]`, `* unmute ann`, `* unmute m3`, `* rename ann NAME` | an administrator does that |
//! | `* topic ROOM [TEXT]`, `* close ROOM [REASON]`, `* announce TEXT`, `* announce #ROOM TEXT` | likewise |
//! | `* room ROOM {"slow_s": 10}` | likewise, with the arguments of `rooms.set` |
//! | `* lockdown {"for_s": 60}` | likewise, with the arguments of `lockdown` |
//! | `* call CMD {"who": ["c4"]}` | an administrator gives that command of the protocol |
//! | `* record` | what is said is recorded from now on |
//! | `* restart` | the hub is gone without a word, and another one goes on from what was recorded |
//! | `* snapshot` | the hub is written down, and goes on as what can be read of that |
//! | `* ban TARGET TIME [REASON]`, `* unban TARGET` | an administrator keeps somebody out (TIME - : for good), or no longer |
//! | `* account NAME PASSWORD [operator]`, `* unaccount NAME` | an administrator makes an account, or removes it |
//! | `* role NAME member\|operator` | an administrator gives an account another role |
//! | `* redact TEXT` | an administrator has lines with that text made unreadable |
//! | `* stop [MESSAGE]` | the hub stops |
//! | `ann < hi` | ann sees that line |
//! | `ann . closed` | her connection is closed |
//! | `admin < no ban "eve"` | an administrator's command is refused |
//!
//! After each step stands every line that somebody sees because of it, nothing less and nothing more,
//! by who connected first. A guest's name reads `guest-(ann)`. `UPDATE_TRANSCRIPTS=1` writes what
//! is seen into the files; what is then in the difference is for a person to judge.

mod shared;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chathub::hub::archive::Recalled;
use chathub::hub::message::Farewell;
use chathub::settings::{Setting, Settings};
use chathub::values::id::SessionId;
use serde_json::{Value, json};
use shared::difference::Difference;
use toml::de::DeValue;
use world::World;

macro_rules! transcripts {
    ($($name:ident)+) => {
        $( #[test] fn $name() { check(stringify!($name)); } )+

        #[test]
        fn every_file_is_a_test() {
            let mut files: Vec<String> = std::fs::read_dir(folder())
                .expect("a folder")
                .map(|file| file.expect("a file").file_name().into_string().expect("a name"))
                .collect();
            files.sort_unstable();
            let mut tests = vec![$( concat!(stringify!($name), ".txt") ),+];
            tests.sort_unstable();
            assert_eq!(files, tests);
        }
    };
}

transcripts! {
    encryption_of_the_hub
    encryption_of_passwords
    certificates
    certificates_and_sanctions
    encryption_of_a_room
    lines_that_were_private
    repeated_as_it_looks
    logged_out_in_a_lockdown
    several_of_one_name
    former_names
    repeated_from_an_address
    numbers_are_given_once
    rooms_that_last_at_one_address
    operators_about_themselves
    asked_again
    muted_operators
    muted_owners
    slips_of_operators
    whom_operators_name
    an_administrator_unmutes
    a_room_at_its_pace
    expelled
    sanctions_and_others
    sanctions_last
    accounts
    accounts_are_tried
    accounts_at_the_door
    accounts_of_administrators
    accounts_where_none_are
    administrators
    administrators_close_a_room
    arrivals_in_a_big_room
    arrivals_in_a_burst
    arrivals_in_a_room_that_closes
    banned_at_the_door
    bans
    clients_are_limited
    coming_back
    commands_as_they_are_typed
    clients_per_address_are_limited
    filters
    filters_of_operators
    first_login
    greeting
    help
    history
    history_is_bounded_in_bytes
    history_that_is_not_replayed
    holding
    ignoring
    ignoring_has_a_limit
    leaving
    left_for
    lines_and_topics_are_limited
    lockdown
    idle
    lasting_rooms_and_restarts
    lockdown_outlasts_a_cold_start
    logins_by_habit
    memos
    mutes_at_many_addresses
    mutes_that_meet
    mentions
    names
    names_at_a_pace
    newcomers_at_a_pace
    talking_on_after_coming_again
    names_in_a_burst
    names_of_accounts
    names_taken_for_something_else
    networks
    one_line_by_nc
    one_line_a_connection
    operators
    operators_out_of_reach
    pace
    pace_in_bytes
    pace_in_the_long_run
    pace_of_an_address
    patterns_and_owners
    patterns_of_names
    patterns_that_are_wide
    places_are_made
    passwords
    passwords_for_other_programs
    passwords_that_nobody_asks_for
    passwords_in_talk
    programs_that_guess_passwords
    other_protocols
    private
    private_messages_at_a_pace
    quiet
    kept_for_a_time
    kept_for_a_time_in_memory
    kept_so_many
    recorded_history
    redaction
    registrations_are_limited
    reports
    reports_about_who_left
    reports_about_what_was_said_in_private
    reports_are_bounded
    reports_at_a_pace
    reports_that_are_closed
    rooms
    rooms_of_nobody
    rooms_of_somebody
    rooms_per_address_are_limited
    rooms_that_are_private
    rooms_that_last
    rooms_that_last_unused
    saying
    seen
    seen_from_the_door
    seen_is_discreet
    shadow_mutes
    shadow_mutes_and_owners
    shadow_mutes_and_owners_who_redact
    owners_who_are_muted_by_network
    shadow_mutes_and_redaction
    shadow_mutes_and_rooms
    shadow_mutes_and_strikes
    what_a_sanction_replaces
    reasons_that_are_erased
    expelled_by_the_ignored
    shadow_mutes_of_operators
    shadow_mutes_and_names
    stopping
    stopping_without_a_word
    strikes
    strikes_for_what_is_shown
    terminals
    telnet
    time
    time_zones
    unknown_commands
    who_is_heard
    whois
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

/// Plays a transcript, and compares what is seen with what stands in it.
#[track_caller]
fn check(name: &str) {
    let file = folder().join(format!("{name}.txt"));
    let expected = std::fs::read_to_string(&file).expect("a transcript");
    let seen = play(name, &expected);
    if seen == expected {
        return;
    }
    if std::env::var_os("UPDATE_TRANSCRIPTS").is_some_and(|value| value == "1") {
        std::fs::write(&file, &seen).expect("to write the transcript");
        eprintln!("{name}: updated");
        return;
    }
    panic!(
        "{name}.txt is not what is seen (UPDATE_TRANSCRIPTS=1 rewrites it):\n{}",
        Difference::between(&expected, &seen).whole()
    );
}

/// The transcript with what is seen in place of what was expected.
fn play(name: &str, script: &str) -> String {
    let mut stage = Stage::default();
    let mut text = String::new();
    for (number, line) in script.lines().enumerate() {
        if is_expectation(line) {
            continue;
        }
        text.push_str(line);
        text.push('\n');
        if !line.is_empty() && !line.starts_with('#') {
            stage.step(line).unwrap_or_else(|| panic!("{name}.txt:{}: cannot read {line:?}", number + 1));
            stage.see(&mut text);
        }
    }
    text
}

fn is_expectation(line: &str) -> bool {
    let mut words = line.splitn(3, ' ');
    matches!((words.next(), words.next()), (Some(_), Some("<" | "."))) && !line.starts_with('#')
}

/// A world whose people have names for the reader.
#[derive(Default)]
struct Stage {
    settings: Settings,
    world: Option<World>,
    cast: Vec<(String, SessionId)>,
    /// What a guest is called, and what the reader is shown.
    guests: BTreeMap<String, String>,
    crowd: Vec<SessionId>,
    dismissed: Vec<SessionId>,
    /// What administrators were answered whose commands were not carried out.
    refused: Vec<String>,
    /// How many have come from an address of their own.
    arrived: u8,
}

impl Stage {
    fn world(&mut self) -> &mut World {
        self.world.get_or_insert_with(|| World::new(self.settings.clone()))
    }

    fn who(&self, name: &str) -> Option<SessionId> {
        self.cast.iter().rev().find(|(known, _)| known == name).map(|(_, id)| *id)
    }

    fn connect(&mut self, name: &str, peer: SocketAddr) -> SessionId {
        let id = self.world().connect(peer);
        self.note_guest(name, id);
        id
    }

    fn note_guest(&mut self, name: &str, id: SessionId) {
        // Who comes by certificate is no guest.
        if let Some(session) = self.world().hub().session(id).filter(|session| session.nick.is_guest()) {
            let guest = session.nick.shown().to_owned();
            self.guests.insert(guest, format!("guest-({name})"));
        }
    }

    fn appear(&mut self, name: &str, peer: SocketAddr) -> SessionId {
        let id = self.connect(name, peer);
        self.name(name, id)
    }

    fn name(&mut self, name: &str, id: SessionId) -> SessionId {
        self.note_guest(name, id);
        self.cast.retain(|(known, _)| known != name);
        self.cast.push((name.to_owned(), id));
        id
    }

    fn own_address(&mut self) -> SocketAddr {
        self.arrived += 1;
        SocketAddr::from(([192, 0, 2, self.arrived], 50_000))
    }

    /// An administrator gives a command; of `wishes`, those that are not empty go along.
    fn control<const N: usize>(&mut self, command: &str, mut args: Value, wishes: [(&str, &str); N]) {
        for (name, text) in wishes.into_iter().filter(|(_, text)| !text.is_empty()) {
            args[name] = text.into();
        }
        if let Err(refusal) = self.world().control(command, args) {
            self.refused.push(refusal.to_string());
        }
    }

    fn step(&mut self, line: &str) -> Option<()> {
        let (first, rest) = line.split_once(' ')?;
        // The disk has taken what there was before.
        if let Some(world) = &mut self.world
            && let Some((last, _)) = world.hub().backlog().iter().last()
        {
            world.recorded(last);
        }
        match first {
            "@" => {
                let time = humantime::parse_duration(rest.strip_prefix('+')?).ok()?;
                self.world().pass(time);
            }
            "!" => {
                let (key, value) = rest.split_once('=')?;
                let setting = Setting::find(key)?;
                let quoted = format!("\"{value}\"");
                let value = DeValue::parse(value).or_else(|_| DeValue::parse(&quoted)).ok()?;
                setting.set(&mut self.settings, value.get_ref()).unwrap_or_else(|why| panic!("{line}: {why}"));
                if let Some(world) = &mut self.world {
                    world.set(self.settings.clone());
                }
            }
            "*" => self.event(rest)?,
            name => {
                let session = self.who(name)?;
                let bytes = match rest.split_once(' ').unwrap_or((rest, "")) {
                    (">", text) => format!("{text}\n").into_bytes(),
                    (">>", text) => unescaped(text)?,
                    _ => return None,
                };
                self.world().receive(session, &bytes);
            }
        }
        Some(())
    }

    fn event(&mut self, line: &str) -> Option<()> {
        let (what, args) = line.split_once(' ').unwrap_or((line, ""));
        let (first, rest) = args.split_once(' ').unwrap_or((args, ""));
        match what {
            "connect" => {
                let peer = match rest.split_once(' ').unwrap_or((rest, "")) {
                    ("", _) => self.own_address(),
                    (address, "") => SocketAddr::new(address.parse().ok()?, 50_000),
                    (address, port) => SocketAddr::new(address.parse().ok()?, port.parse().ok()?),
                };
                self.appear(first, peer);
            }
            "encrypted" => {
                let peer = self.own_address();
                // Any two names of certificates differ somewhere in these digits.
                let digits = |name: &str| name.bytes().cycle().take(32).map(|byte| format!("{byte:02x}")).collect();
                let fingerprint = (!rest.is_empty()).then(|| digits(rest));
                let id = self.world().connect_encrypted(peer, fingerprint);
                self.name(first, id);
            }
            "proxied" => {
                let peer = self.own_address();
                let id = self.world().connect_proxied(peer, rest == "encrypted");
                self.name(first, id);
            }
            "here" => {
                for name in args.split(' ') {
                    let peer = self.own_address();
                    let id = self.appear(name, peer);
                    self.world().receive(id, format!("/nick {name}\n").as_bytes());
                }
                let world = self.world();
                world.pass(Duration::from_secs(60));
                world.take_all();
                world.clients.values_mut().for_each(|client| client.out.clear());
            }
            "crowd" if first == "leaves" => {
                for id in self.crowd.drain(..rest.parse::<usize>().ok()?) {
                    self.world.as_mut()?.end(id, Farewell::Hangup);
                    self.dismissed.push(id);
                }
            }
            "crowd" => {
                for _ in 0..first.parse().ok()? {
                    let number = self.crowd.len() + self.dismissed.len() + 1;
                    let [high, low] = u16::try_from(number).ok()?.to_be_bytes();
                    let peer = SocketAddr::from(([198, 18, high, low], 40_000));
                    let id = self.connect(&number.to_string(), peer);
                    self.crowd.push(id);
                }
            }
            "hangup" | "lost" | "slow" | "stuffed" => {
                let session = self.who(first)?;
                match what {
                    "hangup" => self.world().end(session, Farewell::Hangup),
                    "lost" => self.world().end(session, Farewell::Lost),
                    "slow" => self.world().give_up(session, Farewell::TooSlow),
                    _ => self.world().give_up(session, Farewell::MailboxFull),
                }
            }
            "crowded" | "relieved" => {
                let session = self.who(first)?;
                self.world().crowd(session, what == "crowded");
            }
            "kick" => {
                let who = self.who(first)?.to_string();
                self.control("clients.kick", json!({"who": [who]}), [("reason", rest)]);
            }
            "mute" | "shadowmute" | "unmute" => {
                let who = match self.who(first) {
                    Some(session) => session.to_string(),
                    None if what == "unmute" => first.to_owned(),
                    None => return None,
                };
                let time = humantime::parse_duration(rest).ok().map(|time| time.as_secs());
                let mut args = json!({"who": [who], "shadow": what == "shadowmute"});
                if let Some(seconds) = if what == "unmute" { Some(0) } else { time } {
                    args["for_s"] = seconds.into();
                }
                self.control("clients.mute", args, []);
            }
            "rename" => {
                let who = self.who(first)?.to_string();
                self.control("clients.rename", json!({"who": who, "nick": rest}), []);
            }
            "topic" => self.control("rooms.topic", json!({"room": first, "text": rest}), []),
            "room" => {
                let mut args: Value = serde_json::from_str(rest).ok()?;
                args["room"] = first.into();
                self.control("rooms.set", args, []);
            }
            "call" => self.control(first, serde_json::from_str(rest).ok()?, []),
            "lockdown" => self.control("lockdown", serde_json::from_str(args).ok()?, []),
            "close" => self.control("rooms.close", json!({"room": first}), [("reason", rest)]),
            "announce" => match first.strip_prefix('#') {
                Some(room) => self.control("say", json!({"room": room, "text": rest}), []),
                None => self.control("say", json!({"text": args}), []),
            },
            "record" => self.world().archive(Recalled::default()),
            "snapshot" => drop(self.world().hand_over()),
            "restart" => {
                let mut world = World::new(self.settings.clone());
                world.disk = std::mem::take(&mut self.world().disk);
                (self.cast, self.crowd) = (Vec::new(), Vec::new());
                world.archive(world.disk.recall());
                self.world = Some(world);
            }
            "ban" => {
                let (time, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                let mut args = json!({"target": first});
                if let Ok(time) = humantime::parse_duration(time) {
                    args["for_s"] = time.as_secs().into();
                }
                self.control("bans.add", args, [("reason", reason)]);
            }
            "unban" => self.control("bans.remove", json!({"which": first}), []),
            "account" => {
                let (password, role) = rest.split_once(' ').unwrap_or((rest, "member"));
                let hashed = if password.is_empty() { String::new() } else { world::hash(password).0.to_string() };
                self.control("accounts.add", json!({"name": first, "role": role}), [("hashed", &hashed)]);
            }
            "unaccount" => self.control("accounts.remove", json!({"name": first}), []),
            "role" => self.control("accounts.role", json!({"name": first, "role": rest}), []),
            "redact" => self.control("history.redact", json!({"query": args}), []),
            "stop" => self.world().stop((!args.is_empty()).then(|| args.into())),
            _ => return None,
        }
        Some(())
    }

    /// Appends what everybody saw since the last step.
    fn see(&mut self, text: &mut String) {
        let Some(world) = &mut self.world else { return };
        world.answer();
        world.take_all();
        for refusal in self.refused.drain(..) {
            let _ = writeln!(text, "admin < {refusal}");
        }
        for (name, id) in &self.cast {
            let Some(client) = world.clients.get_mut(id) else { continue };
            let out = std::mem::take(&mut client.out);
            for line in world::lines(&out) {
                let mut line = line.to_owned();
                for (guest, shown) in &self.guests {
                    line = line.replace(guest, shown);
                }
                let _ = writeln!(text, "{name} < {line}");
            }
            if client.closed {
                let _ = writeln!(text, "{name} . closed");
                world.clients.remove(id);
            }
        }
        self.cast.retain(|(_, id)| world.clients.contains_key(id));
        for id in self.crowd.iter().chain(&self.dismissed) {
            if let Some(client) = world.clients.get_mut(id) {
                world::lines(&std::mem::take(&mut client.out));
            }
        }
    }
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let (escape, mut after) = after.split_at_checked(1)?;
        match escape {
            "r" => bytes.push(b'\r'),
            "n" => bytes.push(b'\n'),
            "t" => bytes.push(b'\t'),
            "\\" => bytes.push(b'\\'),
            "x" => {
                let (hex, behind) = after.split_at_checked(2)?;
                bytes.push(u8::from_str_radix(hex, 16).ok()?);
                after = behind;
            }
            "u" => {
                let (hex, behind) = after.strip_prefix('{')?.split_once('}')?;
                let c = char::from_u32(u32::from_str_radix(hex, 16).ok()?)?;
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                after = behind;
            }
            _ => return None,
        }
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(bytes)
}
