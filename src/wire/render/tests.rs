use super::page::columns;
use super::*;
use crate::hub::command::COMMANDS;
use crate::hub::ignore::Borne;
use crate::hub::message::{Entrance, Kept, Offset, ShownRoom, Welcome};
use crate::hub::ownership::Modes;
use crate::values::terminal::Colors;

fn shown(value: &Message) -> String {
    let mut out = Vec::new();
    message(value, View::default(), Wall(1_795_341_662_123), &mut out);
    String::from_utf8(out).expect("UTF-8")
}

const HELP: Message = Message::Help { role: Role::Guest, all: false };
const HELP_ALL: Message = Message::Help { role: Role::Operator, all: true };

#[test]
fn what_came_from_people_is_cleaned_on_its_way_out() {
    let dirty =
        Message::PrivateFrom { nick: "a\x1b[2Jn".into(), text: "x\r\n\u{9b}31m\u{202e}y\u{7}".into(), ring: false };
    assert_eq!(shown(&dirty), "[a[2Jn -> you] x31my\r\n");
}

const WIDE: View = View { time: None, colors: Colors::None, width: 40, ascii: false, usual: true };

fn seen(value: &Message, view: View) -> String {
    let mut out = Vec::new();
    message(value, view, Wall(1_795_341_662_123), &mut out);
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn lines_go_on_below_their_text_at_the_width_of_the_terminal() {
    let said = Said::Say { nick: "ann".into(), text: "a text that is longer than forty columns".into() };
    let at = |view| {
        let line = Line {
            seq: 1,
            at: Wall(1_795_341_662_123),
            author: None,
            said: said.clone(),
            borne: Borne::default(),
            apart: None,
            origin: None,
        };
        let mut out = Vec::new();
        super::line(&line, view, &mut out);
        String::from_utf8(out).expect("UTF-8")
    };
    assert_eq!(at(WIDE), "ann: a text that is longer than forty\r\n     columns\r\n");
    let timed = View { time: Some(Offset::default()), ..WIDE };
    assert_eq!(at(timed), "[10:01:02] ann: a text that is longer\r\n                than forty columns\r\n");
    let colored = View { colors: Colors::Basic, ..timed };
    let bare: String =
        at(colored).split("\x1b[").map(|part| part.split_once('m').map_or(part, |(_, rest)| rest)).collect();
    assert_eq!(bare, at(timed), "colours take no room");
    assert!(at(colored).starts_with("\x1b[2m[10:01:02]\x1b[22m"));
    let ascii = View { ascii: true, ..View::default() };
    assert_eq!(
        seen(&Message::PrivateFrom { nick: "zoë".into(), text: "naïve – 日".into(), ring: false }, ascii),
        "[zoe -> you] naive - ?\r\n"
    );
}

#[test]
fn tables_fit_any_width() {
    let rooms = [("lobby", 12, Some("welcome to all of you who are here")), ("tea", 1, None)];
    let shown = |(name, members, topic): (&str, usize, Option<&str>)| ShownRoom {
        name: name.into(),
        members,
        topic: topic.map(Into::into),
        owner: None,
        modes: Modes::default(),
    };
    let rooms = rooms.map(shown).to_vec();
    let rooms = Message::Rooms { total: rooms.len(), rooms, beginning: None, is_part: false };
    assert_eq!(
        seen(&rooms, View { width: 60, ..WIDE }),
        "-- 2 rooms:\r\n\
         --   lobby            12 people   \"welcome to all of you\r\n\
         \x20                                 who are here\"\r\n\
         --   tea              1 person\r\n"
    );
    let people = (0..30).map(|number| (format!("person{number}").into(), number % 7 == 0)).collect();
    let who = Message::Who { room: "lobby".into(), people, total: 30, beginning: None, is_part: false };
    for width in (20..=240).step_by(4) {
        for table in [&rooms, &who, &HELP, &HELP_ALL] {
            for row in seen(table, View { width, ..WIDE }).lines() {
                assert!(columns(row) < usize::from(width), "{width}: {row:?}");
            }
        }
    }
    for table in [&rooms, &who, &HELP, &HELP_ALL] {
        for row in shown_plain(table).lines() {
            assert!(columns(row) < 80, "where the width is not known: {row:?}");
        }
    }
}

/// As it is shown where nothing is known of the screen.
fn shown_plain(value: &Message) -> String {
    seen(value, View::default())
}

#[test]
fn no_row_of_a_first_screen_breaks_inside_a_word_where_the_width_is_not_known() {
    let words = "considerably longer words than usual fill rows of eighty columns wherever somebody writes them ";
    let said = |seq: u64| {
        let said = match seq % 3 {
            0 => Said::Say { nick: "ann".into(), text: words.repeat(3).trim_end().into() },
            1 => Said::Emote { nick: "ann".into(), text: words.repeat(2).trim_end().into() },
            _ => Said::Topic { nick: None, text: words.repeat(2).trim_end().into() },
        };
        let at = Wall(1_795_341_662_123);
        Arc::new(Line { seq, at, author: None, said, borne: Borne::default(), apart: None, origin: None })
    };
    let kept = Kept::Lines { lines: 1000, time: None };
    let entrance = Message::Entrance(Box::new(Entrance {
        welcome: Some(Welcome { hub: "the hub of everybody".into(), greeting: Some(words.repeat(2).into()), kept }),
        nick: "guest-bcdf".into(),
        room: "lobby".into(),
        private: false,
        topic: Some(words.repeat(2).into()),
        others: vec!["a-rather-long-name".into(), "another-rather-long-name".into(), "a-third-long-name".into()],
        members: 100,
        lines: (0..5).map(said).collect::<Vec<_>>().into(),
        new: None,
        offset: Offset::default(),
        rows: 0,
    }));
    let shown = shown_plain(&entrance);
    assert!(shown.contains("considerably") && shown.lines().count() <= 23, "{shown}");
    for row in shown.lines() {
        assert!(columns(row) < 80, "{row:?}");
    }
    let whole = seen(&entrance, View { width: 10_000, usual: true, ..View::default() });
    // The heading tells how many lines fit.
    for word in shown.split_whitespace().filter(|word| word.parse::<u32>().is_err()) {
        assert!(whole.split_whitespace().any(|one| one == word), "{word} is a piece of a word in\n{shown}");
    }
    // A line that is said later goes out in one piece.
    assert_eq!(seen(&Message::Line(said(0)), View::default()).lines().count(), 1);
}

#[test]
fn gathered_lines_name_a_few_and_count_the_rest() {
    let names: Vec<Arc<str>> = vec!["ann".into(), "bob".into()];
    assert_eq!(gathered(2, 0, 0, &names), "ann and bob joined");
    assert_eq!(gathered(5, 1, 3, &names), "ann, bob and 3 more joined, 1 left, 3 took other names");
    assert_eq!(gathered(0, 7, 0, &[]), "7 left");
    assert_eq!(gathered(0, 0, 1, &[]), "1 took another name");
}

#[test]
fn help_shows_every_command_of_the_table_and_fits_eighty_columns() {
    let (help, all) = (shown(&HELP), shown(&HELP_ALL));
    for command in COMMANDS {
        assert!(all.contains(&format!(" {}", command.name)), "{}", command.name);
        shown(&Message::HelpOn(command)).lines().for_each(|line| assert!(line.len() < 80, "{line}"));
    }
    // Both leave some earlier lines visible on a screen of 24 rows.
    assert!(help.lines().count() <= 18 && all.lines().count() <= 18, "{help}\n{all}");
    all.lines().for_each(|line| assert!(line.len() < 80, "{line}"));
    help.lines().for_each(|line| assert!(line.len() < 80, "{line}"));
}

#[test]
fn what_is_meant_for_one_alone_stands_out_by_marks_and_in_colours() {
    let said = Said::Say { nick: "ann".into(), text: "hey Bob, bob".into() };
    let line = Line { seq: 1, at: Wall(0), author: None, said, borne: Borne::default(), apart: None, origin: None };
    let mention = Message::Mention { line: Arc::new(line.clone()), name: "bob".into(), ring: true };
    let plain = View::default();
    let coloured = View { colors: Colors::Basic, ..plain };
    assert_eq!(seen(&mention, plain), "\x07@ ann: hey Bob, bob\r\n");
    let colour = |text: &str| text.replace("ann", "\x1b[32mann\x1b[39m");
    assert_eq!(
        seen(&mention, coloured)
            .replace("\x1b[35m", "\x1b[32m")
            .replace("\x1b[31m", "\x1b[32m")
            .replace("\x1b[36m", "\x1b[32m"),
        colour("\x07\x1b[1m@ \x1b[22mann: hey \x1b[7mBob\x1b[27m, \x1b[7mbob\x1b[27m\r\n")
    );
    let private = Message::PrivateFrom { nick: "ann".into(), text: "psst".into(), ring: false };
    assert_eq!(seen(&private, plain), "[ann -> you] psst\r\n");
    assert!(seen(&private, coloured).starts_with("\x1b[1m["), "{:?}", seen(&private, coloured));
    let own = Message::Line(Arc::new(line));
    assert_eq!(seen(&own, plain), "> ann: hey Bob, bob\r\n");
    assert!(seen(&own, coloured).starts_with("\x1b[1m\x1b["), "{:?}", seen(&own, coloured));
}
