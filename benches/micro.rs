//! `cargo bench --bench micro`: what a line costs in the pure functions it passes, one by one.
//!
//! On its way in: telnet, lines, text, the hub. On its way out: rendering once, and for each client the
//! pieces of its next write.
#![allow(missing_docs, reason = "each function is the name of a benchmark")]

use std::io::IoSlice;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chathub::hub::account::Role;
use chathub::hub::ignore::Borne;
use chathub::hub::message::{Farewell, Line, Said, View};
use chathub::hub::sanction::{Kind, Order, Target};
use chathub::hub::{By, Effect, Hub, Input, News};
use chathub::settings::Settings;
use chathub::values::id::{RoomId, SessionId};
use chathub::values::name::Name;
use chathub::values::network::Network;
use chathub::values::text;
use chathub::values::time::{Mono, Now, Wall};
use chathub::wire::render;
use chathub::wire::stream::log::Log;
use chathub::wire::stream::reader::{MAX_PIECES, Reader};
use chathub::wire::terminal::lines::LineAssembler;
use chathub::wire::terminal::telnet::Telnet;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

const SPOKEN: &str = "has anybody seen the tea kettle? it was on the stove a while ago";
const ACCENTED: &str = "schöne Grüße aus Köln, ça va très bien, 早上好, 🫖 für alle da drüben";

fn main() {
    divan::main();
}

#[divan::bench(args = [SPOKEN, ACCENTED])]
fn clean(bencher: Bencher<'_, '_>, line: &str) {
    bencher.counter(BytesCount::of_str(line)).bench(|| text::clean(black_box(line.as_bytes())));
}

#[divan::bench(args = ["ann", "Jürgen", "Ольга", "guest-k3v9q2"])]
fn parse_name(name: &str) -> Name {
    Name::parse(black_box(name), 24).expect("a name")
}

/// A packet of 64 lines, as a busy sender's comes.
#[divan::bench]
fn telnet_and_lines(bencher: Bencher<'_, '_>) {
    let packet = format!("{SPOKEN}\r\n").repeat(64).into_bytes();
    bencher.counter(ItemsCount::new(64_u32)).bench_local(|| {
        let (mut telnet, mut lines, mut replies) = (Telnet::default(), LineAssembler::default(), Vec::new());
        let (mut input, mut seen) = (black_box(packet.as_slice()), 0);
        while let Some(event) = telnet.receive(&mut input, &mut replies) {
            if let chathub::wire::terminal::telnet::Event::Data(mut data) = event {
                while lines.next(&mut data, 1024).is_some() {
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, 64);
    });
}

/// One line said in a room of so many: the hub's work must not grow with them.
#[divan::bench(args = [10, 1_000, 10_000])]
fn hub_line(bencher: Bencher<'_, '_>, people: u64) {
    let mut settings = Settings::default();
    settings.limits.clients = 1_000_000;
    settings.limits.clients_per_address = 1_000_000;
    // The same is said again and again, a thousand times a second.
    (settings.moderation.repeats, settings.pace.steady, settings.pace.address) = (0, 0, 60_000_000);
    let mut effects = Vec::new();
    let mut now = Now { mono: Mono(1), wall: Wall(1) };
    let mut hub = Hub::new(settings, [7; 16], now, &mut effects);
    for id in 0..people {
        let port = 1024 + u16::try_from(id).expect("few people");
        let peer = SocketAddr::from(([127, 0, 0, 1], port));
        hub.handle(
            Input::Connect { session: SessionId(id + 1), peer, encrypted: false, certificate: None },
            now,
            &mut effects,
        );
    }
    bencher.bench_local(|| {
        effects.clear();
        now.mono.0 += 1_000;
        hub.handle(Input::Line { session: SessionId(1), text: SPOKEN.to_owned() }, now, &mut effects);
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Post { .. })), "it is said");
        effects.len()
    });
}

/// A lobby of `2 * IGNORERS` people, of whom so many ignore two names that another one takes in turn.
fn ignored_by(ignorers: u64) -> (Hub, Now) {
    let (mut now, mut effects) = (Now { mono: Mono(1_000_000), wall: Wall(1_000_000) }, Vec::new());
    let mut settings = Settings::default();
    // The same is said again and again.
    settings.moderation.repeats = 0;
    settings.limits.clients = 100_000;
    let mut hub = Hub::new(settings, [7; 16], now, &mut effects);
    for id in 1..=2 * IGNORERS {
        let [_, _, a, b] = u32::try_from(id).expect("few people").to_be_bytes();
        let peer = SocketAddr::from(([10, 0, a, b], 1024));
        hub.handle(
            Input::Connect { session: SessionId(id), peer, encrypted: false, certificate: None },
            now,
            &mut effects,
        );
        effects.clear();
    }
    let mut say = |session: u64, text: &str| {
        now.mono.0 += 1_000_000;
        hub.handle(Input::Line { session: SessionId(session), text: text.to_owned() }, now, &mut effects);
        effects.clear();
    };
    for name in ["zed", "zoe"] {
        say(1, &format!("/nick {name}"));
        for ignorer in 0..ignorers {
            say(2 + ignorer, &format!("/ignore {name}"));
        }
    }
    (hub, now)
}

const IGNORERS: u64 = 10_000;

/// However many ignore somebody, it costs nobody but them.
#[divan::bench(args = [0, 1_000, IGNORERS])]
fn take_a_name_among_ignorers(bencher: Bencher<'_, '_>, ignorers: u64) {
    let ((mut hub, mut now), mut effects, mut at) = (ignored_by(ignorers), Vec::new(), 0);
    bencher.bench_local(|| {
        effects.clear();
        at += 1;
        now.mono.0 += 1_000_000;
        let text = ["/nick zed", "/nick zoe"][at % 2].to_owned();
        hub.handle(Input::Line { session: SessionId(1), text }, now, &mut effects);
        effects.len()
    });
}

#[divan::bench(args = [0, 1_000, IGNORERS])]
fn say_among_ignorers(bencher: Bencher<'_, '_>, ignorers: u64) {
    let ((mut hub, mut now), mut effects) = (ignored_by(ignorers), Vec::new());
    bencher.bench_local(|| {
        effects.clear();
        now.mono.0 += 1_000_000;
        hub.handle(Input::Line { session: SessionId(1), text: SPOKEN.to_owned() }, now, &mut effects);
        effects.len()
    });
}

/// And go again.
#[divan::bench(args = [0, 1_000, IGNORERS])]
fn connect_among_ignorers(bencher: Bencher<'_, '_>, ignorers: u64) {
    let ((mut hub, mut now), mut effects, mut id) = (ignored_by(ignorers), Vec::new(), 10 * IGNORERS);
    bencher.bench_local(|| {
        effects.clear();
        now.mono.0 += 1_000_000;
        id += 1;
        let (session, peer) = (SessionId(id), SocketAddr::from(([10, 1, 0, 1], 1024)));
        hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, now, &mut effects);
        hub.handle(News::Gone { session, why: Farewell::Hangup }, now, &mut effects);
        effects.len()
    });
}

/// What may be asked of a hub of 10,000 people in 1,000 rooms, half of them in the lobby; with what it is
/// answered, rendered.
#[divan::bench(args = ["/who", "/who lobby g*", "/rooms", "/whois zed", "/help", "/history 1000", "/search tea", "/join big", "/report zed x"])]
fn ask(bencher: Bencher<'_, '_>, line: &str) {
    let ((mut hub, mut now), mut effects) = (big(), Vec::new());
    let mut page = Vec::new();
    bencher.bench_local(|| {
        effects.clear();
        page.clear();
        now.mono.0 += 1_000_000;
        hub.handle(Input::Line { session: SessionId(1), text: line.to_owned() }, now, &mut effects);
        for effect in &effects {
            match effect {
                Effect::Tell { message, .. } => render::message(message, View::default(), now.wall, &mut page),
                // Nobody looks for it: it is found at once.
                Effect::Enter { room, .. } if *room != hub.lobby() => {
                    hub.handle(Input::Line { session: SessionId(1), text: "/leave".to_owned() }, now, &mut Vec::new());
                }
                _ => {}
            }
        }
        page.len()
    });
}

/// Tab, over the room and over the hub.
#[divan::bench(args = ["gue", "/msg gue", "/msg zzz", "/join r"])]
fn complete(bencher: Bencher<'_, '_>, line: &str) {
    let ((mut hub, now), mut effects) = (big(), Vec::new());
    bencher.bench_local(|| {
        effects.clear();
        hub.handle(Input::Complete { session: SessionId(1), line: line.to_owned() }, now, &mut effects);
        effects.len()
    });
}

fn big() -> (Hub, Now) {
    let (mut now, mut effects) = (Now { mono: Mono(1_000_000), wall: Wall(1_000_000) }, Vec::new());
    let mut settings = Settings::default();
    settings.limits.rooms_per_address = 10_000;
    let mut hub = Hub::new(settings, [7; 16], now, &mut effects);
    for id in 1..=10_000_u64 {
        let [_, _, a, b] = u32::try_from(id).expect("few people").to_be_bytes();
        let (session, peer) = (SessionId(id), SocketAddr::from(([10, 0, a, b], 1024)));
        hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, now, &mut effects);
        let text = match id {
            2 => "/nick zed".to_owned(),
            3..1_000 => format!("/join room{id}"),
            1_000..5_000 => "/join big".to_owned(),
            _ => format!("{SPOKEN} {id}"),
        };
        now.mono.0 += 1_000_000;
        hub.handle(Input::Line { session, text }, now, &mut effects);
        effects.clear();
    }
    (hub, now)
}

#[divan::bench]
fn render_line(bencher: Bencher<'_, '_>) {
    let (line, mut out) = (line(1), Vec::with_capacity(256));
    bencher.bench_local(|| {
        out.clear();
        render::line(black_box(&line), View::default(), &mut out);
    });
}

/// What one client costs in a round, its write excepted: so many lines have piled up.
#[divan::bench(args = [1, 10, 64])]
fn gather_and_advance(bencher: Bencher<'_, '_>, lines: u64) {
    bencher.with_inputs(|| laid_out(lines)).bench_local_refs(|(log, reader)| {
        let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
        let (_, owed) = reader.gather(Some(log), &mut pieces);
        reader.advance(Some(log), owed);
        owed
    });
}

fn laid_out(lines: u64) -> (Log, Reader) {
    let (mut log, mut reader) = (Log::default(), Reader::new(SessionId(2)));
    reader.enter(&mut log);
    for seq in 0..lines {
        log.push(Arc::new(line(seq)));
    }
    (log, reader)
}

fn line(seq: u64) -> Line {
    let said = Said::Say { nick: "ann".into(), text: SPOKEN.into() };
    Line { seq, at: Wall(1), author: Some(SessionId(1)), said, borne: Borne::default(), apart: None, origin: None }
}

/// A hub in which thousands have been reported, an operator, and somebody else.
fn reported(open: u64) -> (Hub, [SessionId; 2], Now) {
    let mut settings = Settings::default();
    settings.moderation.reports_kept = 20_000;
    settings.moderation.reports = 1_000_000;
    // All of them are made at one time, by 29 people.
    settings.pace.steady = 0;
    settings.pace.private = 1 << 40;
    let now = Now { mono: Mono(1_000_000), wall: Wall(0) };
    let mut effects = Vec::new();
    let mut hub = Hub::new(settings, [7; 16], now, &mut effects);
    let by = By::Admin { uid: 0, pid: 1 };
    hub.handle(News::Archive(Some(Box::default())), now, &mut effects);
    let name = Name::parse("olga", 24).expect("a name");
    hub.handle(Input::AddAccount { name, hashed: None, role: Role::Operator, by }, now, &mut effects);
    for number in 1..=32_u8 {
        let peer = SocketAddr::from(([192, 0, 2, number], 1024));
        hub.handle(
            Input::Connect { session: SessionId(number.into()), peer, encrypted: false, certificate: None },
            now,
            &mut effects,
        );
    }
    let about = hub.session(SessionId(32)).expect("they are here").nick.shown().to_owned();
    for number in 0..open {
        let (session, text) = (SessionId(3 + number % 29), format!("/report {about} for reason {number}"));
        hub.handle(Input::Line { session, text }, now, &mut effects);
        effects.clear();
    }
    assert!(hub.reports().open().len() as u64 == open, "{} are open", hub.reports().open().len());
    let account = hub.accounts().iter().next().expect("it was made").id;
    hub.log_in(SessionId(1), account);
    (hub, [SessionId(1), SessionId(2)], now)
}

/// What a command costs where that many reports are open. It is given with another number each time.
fn among_reports(bencher: Bencher<'_, '_>, open: u64, by: usize, text: &str) {
    let (mut hub, who, mut now) = reported(open);
    let (mut effects, mut number) = (Vec::new(), 0);
    bencher.bench_local(|| {
        (now.mono, number) = (now.mono.after(Duration::from_secs(60)), number + 1);
        let text = if by == 0 { text.to_owned() } else { format!("{text} {number}") };
        hub.handle(Input::Line { session: who[by], text: black_box(text) }, now, &mut effects);
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Tell { .. })), "it is answered");
        effects.clear();
    });
    if by == 1 {
        let made = hub.reports().open().len() as u64 - open;
        assert!(made > 0 && made + 1 >= number, "{number} were given, {made} are made");
    }
}

#[divan::bench(args = [100, 1_000, 10_000])]
fn report_among(bencher: Bencher<'_, '_>, open: u64) {
    let about = reported(0).0.session(SessionId(1)).expect("they are here").nick.shown().to_owned();
    among_reports(bencher, open, 1, &format!("/report {about} again"));
}

#[divan::bench(args = [100, 1_000, 10_000])]
fn list_reports_among(bencher: Bencher<'_, '_>, open: u64) {
    among_reports(bencher, open, 0, "/reports");
}

/// A hub with that many bans, mutes and expulsions, half of them of names, and an operator.
fn sanctioned(each: u64) -> (Hub, Now) {
    let mut settings = Settings::default();
    settings.limits.bans = 100_000;
    let now = Now { mono: Mono(1_000_000), wall: Wall(0) };
    let mut effects = Vec::new();
    let mut hub = Hub::new(settings, [7; 16], now, &mut effects);
    let by = By::Admin { uid: 0, pid: 1 };
    hub.handle(News::Archive(Some(Box::default())), now, &mut effects);
    let name = |text: &str| Name::parse(text, 24).expect("a name");
    hub.handle(Input::AddAccount { name: name("olga"), hashed: None, role: Role::Operator, by }, now, &mut effects);
    for number in 1..=2_u8 {
        let peer = SocketAddr::from(([192, 0, 2, number], 1024));
        hub.handle(
            Input::Connect { session: SessionId(number.into()), peer, encrypted: false, certificate: None },
            now,
            &mut effects,
        );
    }
    for number in 0..each {
        let [_, a, b, c] = u32::try_from(number).expect("few").to_be_bytes();
        let network = Network::around([10, a, b, c].into());
        let named = Target::Name(name(&format!("troll-{number}")));
        let kinds = [Kind::Ban, Kind::Mute { shadow: false }, Kind::Expulsion { room: RoomId(0), name: name("lobby") }];
        for kind in kinds {
            let target = if number % 2 == 0 { Target::Network(network) } else { named.clone() };
            let order = Order { also: (number % 4 == 1).then_some(network), ..Order::about(kind, target) };
            hub.handle(Input::Sanction { order: Box::new(order), by }, now, &mut effects);
            effects.clear();
        }
    }
    assert!(hub.sanctions().len() as u64 == 3 * each);
    let account = hub.accounts().iter().next().expect("it was made").id;
    hub.log_in(SessionId(1), account);
    (hub, now)
}

/// Somebody comes and goes where that much is in force.
#[divan::bench(args = [100, 1_000, 10_000])]
fn come_and_go_among_sanctions(bencher: Bencher<'_, '_>, each: u64) {
    let ((mut hub, now), mut effects, mut next) = (sanctioned(each), Vec::new(), 3);
    let peer = SocketAddr::from(([198, 51, 100, 1], 1024));
    bencher.bench_local(|| {
        let session = SessionId(next);
        next += 1;
        hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, now, &mut effects);
        hub.handle(News::Gone { session, why: Farewell::Hangup }, now, &mut effects);
        effects.clear();
    });
}

/// An operator does that where that much is in force.
#[divan::bench(args = [100, 1_000, 10_000])]
fn ban_and_lift_among_sanctions(bencher: Bencher<'_, '_>, each: u64) {
    let ((mut hub, mut now), mut effects) = (sanctioned(each), Vec::new());
    bencher.bench_local(|| {
        for text in ["/ban name=somebody 1h", "/unban name=somebody"] {
            now.mono.0 += 1_000_000;
            hub.handle(Input::Line { session: SessionId(1), text: text.to_owned() }, now, &mut effects);
        }
        effects.clear();
    });
}

/// An operator names somebody where that many are here who were called otherwise a moment ago, half of them by a name
/// that begins alike, and a thousand have left.
#[divan::bench(args = [100, 1_000, 10_000])]
fn name_somebody_among_former_names(bencher: Bencher<'_, '_>, people: u64) {
    let ((mut hub, mut now), mut effects) = (sanctioned(0), Vec::new());
    let mut settings = hub.settings().clone();
    settings.limits.clients = 100_000;
    hub.handle(News::Settings(Box::new(settings)), now, &mut effects);
    for number in 0..people + 1_000 {
        let [_, a, b, c] = u32::try_from(number).expect("few").to_be_bytes();
        let (session, peer) = (SessionId(10 + number), SocketAddr::from(([10, a, b, c], 1024)));
        hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, now, &mut effects);
        let former = if number % 2 == 0 { format!("somebody-{number}") } else { format!("s{number}-other") };
        for text in [format!("/nick {former}"), format!("/nick present-{number}")] {
            hub.handle(Input::Line { session, text }, now, &mut effects);
        }
        if number >= people {
            hub.handle(News::Gone { session, why: Farewell::Hangup }, now, &mut effects);
        }
        effects.clear();
    }
    bencher.bench_local(|| {
        now.mono.0 += 1_000_000;
        hub.handle(Input::Line { session: SessionId(1), text: "/kick somebody-0".to_owned() }, now, &mut effects);
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Tell { .. })), "she is asked");
        effects.clear();
    });
}

/// An operator looks at the first page where that much is in force.
#[divan::bench(args = [100, 1_000, 10_000])]
fn list_among_sanctions(bencher: Bencher<'_, '_>, each: u64) {
    let ((mut hub, mut now), mut effects) = (sanctioned(each), Vec::new());
    bencher.bench_local(|| {
        now.mono.0 += 1_000_000;
        hub.handle(Input::Line { session: SessionId(1), text: "/sanctions".to_owned() }, now, &mut effects);
        effects.clear();
    });
}

/// A hub with as many patterns of names and filters as may be, half of each; and somebody.
fn filtered(each: u64) -> (Hub, Now) {
    let mut settings = Settings::default();
    (settings.limits.patterns, settings.pace.lines, settings.moderation.repeats) = (1000, 1_000_000_000, 0);
    let now = Now { mono: Mono(1_000_000), wall: Wall(0) };
    let mut effects = Vec::new();
    let mut hub = Hub::new(settings, [7; 16], now, &mut effects);
    let by = By::Admin { uid: 0, pid: 1 };
    let peer = SocketAddr::from(([192, 0, 2, 1], 1024));
    hub.handle(Input::Connect { session: SessionId(1), peer, encrypted: false, certificate: None }, now, &mut effects);
    for number in 0..each {
        let pattern = format!("bot-{number}-*").parse().expect("a pattern");
        let text = Target::Text(format!("buy zeppelin{number}").into());
        for (kind, target) in [(Kind::Ban, pattern), (Kind::Filter { strike: false }, text)] {
            hub.handle(Input::Sanction { order: Box::new(Order::about(kind, target)), by }, now, &mut effects);
            effects.clear();
        }
    }
    assert!(hub.sanctions().len() as u64 == 2 * each);
    (hub, now)
}

#[divan::bench(args = [0, 50, 500])]
fn say_among_filters(bencher: Bencher<'_, '_>, each: u64) {
    let ((mut hub, mut now), mut effects) = (filtered(each), Vec::new());
    bencher.bench_local(|| {
        effects.clear();
        now.mono.0 += 1_000_000;
        hub.handle(Input::Line { session: SessionId(1), text: SPOKEN.to_owned() }, now, &mut effects);
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Post { .. })), "it is said");
        effects.len()
    });
}

#[divan::bench(args = [0, 50, 500])]
fn come_and_go_among_patterns(bencher: Bencher<'_, '_>, each: u64) {
    let ((mut hub, now), mut effects, mut next) = (filtered(each), Vec::new(), 3);
    let peer = SocketAddr::from(([198, 51, 100, 1], 1024));
    bencher.bench_local(|| {
        let session = SessionId(next);
        next += 1;
        hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, now, &mut effects);
        hub.handle(News::Gone { session, why: Farewell::Hangup }, now, &mut effects);
        effects.clear();
    });
}

/// A hub on which so many messages wait for people who are not here, ten for each; and two who are logged in.
fn remembered(waiting: u64) -> (Hub, Now) {
    let mut settings = Settings::default();
    (settings.limits.accounts, settings.limits.clients) = (100_000, 100_000);
    (settings.memos.bytes, settings.memos.of_one, settings.memos.waiting) = (1 << 30, 1000, 1000);
    (settings.pace.shown, settings.moderation.repeats, settings.pace.lines) = (1_000_000_000, 0, 1_000_000_000);
    (settings.pace.burst_lines, settings.pace.private) = (1_000_000_000, 1 << 40);
    let mut now = Now { mono: Mono(1_000_000), wall: Wall(0) };
    let mut effects = Vec::new();
    let mut hub = Hub::new(settings, [7; 16], now, &mut effects);
    let by = By::Admin { uid: 0, pid: 1 };
    hub.handle(News::Archive(Some(Box::default())), now, &mut effects);
    for number in 0..(2 + waiting / 5).max(3) {
        let name = Name::parse(&format!("person-{number}"), 24).expect("a name");
        hub.handle(Input::AddAccount { name, hashed: None, role: Role::Member, by }, now, &mut effects);
    }
    let accounts: Vec<_> = hub.accounts().iter().map(|account| account.id).collect();
    let (mut session, mut left) = (SessionId(0), 0);
    for sender in 0.. {
        let [_, a, b, c] = u32::try_from(sender + 1).expect("few").to_be_bytes();
        session = SessionId(sender + 1);
        let peer = SocketAddr::from(([10, a, b, c], 1024));
        hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, now, &mut effects);
        hub.log_in(session, accounts[usize::try_from(sender).expect("few")]);
        if sender < 2 {
            continue;
        }
        if left >= waiting {
            break;
        }
        for number in 0..10 {
            now.mono.0 += 1_000_000_000;
            // To those that come after all who send.
            let to = accounts.len() as u64 - 1 - (sender * 10 + number) % (waiting / 10);
            let text = format!("/msg person-{to} {SPOKEN} {number}");
            hub.handle(Input::Line { session, text }, now, &mut effects);
            effects.clear();
        }
        left += 10;
        hub.handle(News::Gone { session, why: Farewell::Hangup }, now, &mut effects);
    }
    hub.handle(News::Gone { session, why: Farewell::Hangup }, now, &mut effects);
    assert!(hub.memos().waiting() as u64 == waiting, "{} wait", hub.memos().waiting());
    (hub, now)
}

/// One is left, and shown.
#[divan::bench(args = [100, 1_000, 10_000])]
fn leave_and_show_among_memos(bencher: Bencher<'_, '_>, waiting: u64) {
    let ((mut hub, mut now), mut effects) = (remembered(waiting), Vec::new());
    let account = hub.accounts().iter().nth(1).expect("they were made").id;
    let (session, peer) = (SessionId(2), SocketAddr::from(([10, 0, 0, 2], 1024)));
    bencher.bench_local(|| {
        now.mono.0 += 10_000_000;
        hub.handle(News::Gone { session, why: Farewell::Hangup }, now, &mut effects);
        let text = format!("/msg person-1 {SPOKEN}");
        hub.handle(Input::Line { session: SessionId(1), text }, now, &mut effects);
        effects.clear();
        hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, now, &mut effects);
        hub.log_in(session, account);
        effects.clear();
        hub.handle(News::Crowded { session, on: false }, now, &mut effects);
        assert_eq!(effects.iter().filter(|effect| matches!(effect, Effect::Tell { .. })).count(), 1, "it is shown");
    });
}
