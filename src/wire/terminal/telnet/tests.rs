use super::*;
use proptest::prelude::*;

const TTYPE: u8 = 24;
const NAWS: u8 = 31;
const CHARSET: u8 = 42;
const LINEMODE: u8 = 34;
const AYT: u8 = 246;
const NOP: u8 = 241;

/// Feeds one chunk; returns the events in a short form, and the replies.
fn feed(telnet: &mut Telnet, mut input: &[u8]) -> (Vec<String>, Vec<u8>) {
    let (mut told, mut replies) = (Vec::new(), Vec::new());
    while let Some(event) = telnet.receive(&mut input, &mut replies) {
        told.push(match event {
            Event::Data(run) => {
                assert!(!run.is_empty());
                run.escape_ascii().to_string()
            }
            Event::Option { option, side, now } => format!("<{side:?} {option:?} {now:?}>"),
            Event::WindowSize { cols, rows } => format!("<{cols:?} x {rows:?}>"),
            other => format!("<{other:?}>"),
        });
        if let Some(dealings) = &telnet.dealings {
            assert!(dealings.subnegotiation.capacity() <= 2 * MAX_SUBNEGOTIATION);
        }
    }
    assert!(input.is_empty());
    (told, replies)
}

/// Checks the events and replies for a client's bytes, given as a whole and byte by byte.
#[track_caller]
fn check(telnet: &Telnet, input: &[u8], told: &str, replies: &[u8]) -> Telnet {
    let mut whole = telnet.clone();
    let (events, answers) = feed(&mut whole, input);
    assert_eq!(events.concat(), told);
    assert_eq!(answers, replies);

    let mut bytewise = telnet.clone();
    let (mut events, mut answers) = (String::new(), Vec::new());
    for byte in input.chunks(1) {
        let (more, replied) = feed(&mut bytewise, byte);
        events += &more.concat();
        answers.extend(replied);
    }
    assert_eq!(events, told, "byte by byte");
    assert_eq!(answers, replies, "byte by byte");
    assert_eq!(bytewise, whole, "byte by byte");
    whole
}

fn new() -> Telnet {
    Telnet::default()
}

/// A connection on which the client has agreed to an option on its side; further questions are
/// discarded.
fn with_theirs(option: TelnetOption) -> Telnet {
    let mut telnet = new();
    let mut replies = Vec::new();
    telnet.ask(option, Side::Theirs, Switch::On, &mut replies);
    assert_eq!(replies, [IAC, DO, option.code()]);
    let (told, _) = feed(&mut telnet, &[IAC, WILL, option.code()]);
    assert_eq!(told, [format!("<Theirs {option:?} On>")]);
    telnet
}

#[test]
fn plain_text_is_passed_in_one_piece_and_costs_nothing() {
    let mut telnet = new();
    let (told, replies) = feed(&mut telnet, "grüße\r\n\0\u{1b}[A".as_bytes());
    assert_eq!(told.len(), 1);
    assert!(replies.is_empty());
    assert!(!telnet.is_telnet());
    assert!(telnet.dealings.is_none());
    assert!(size_of::<Telnet>() <= 16, "{}", size_of::<Telnet>());
}

#[test]
fn a_doubled_iac_is_data_and_no_sign_of_telnet() {
    let telnet = check(&new(), &[b'a', IAC, IAC, b'b', IAC, IAC, IAC, IAC], r"a\xffb\xff\xff", &[]);
    assert!(!telnet.is_telnet());
    assert!(telnet.dealings.is_none());
}

#[test]
fn commands_are_told_and_those_without_a_meaning_are_dropped() {
    for (byte, command) in [
        (236, Command::EndOfFile),
        (237, Command::Suspend),
        (238, Command::Abort),
        (243, Command::Break),
        (244, Command::Interrupt),
        (245, Command::AbortOutput),
        (AYT, Command::AreYouThere),
        (247, Command::EraseCharacter),
        (248, Command::EraseLine),
    ] {
        let told = format!("a<Command({command:?})>b");
        assert!(check(&new(), &[b'a', IAC, byte, b'b'], &told, &[]).is_telnet());
    }
    for byte in [239, NOP, 242, 249] {
        assert!(check(&new(), &[b'a', IAC, byte, b'b'], "ab", &[]).is_telnet());
    }
    // A lone SE, and bytes that are no commands.
    for byte in [SE, 0, b'x', 235] {
        assert!(!check(&new(), &[b'a', IAC, byte, b'b'], "ab", &[]).is_telnet());
    }
}

#[test]
fn reading_stops_at_each_event() {
    let mut telnet = new();
    let mut input = &[b'a', IAC, AYT, b'b'][..];
    let mut replies = Vec::new();
    assert_eq!(telnet.receive(&mut input, &mut replies), Some(Event::Data(b"a")));
    assert_eq!(input, [IAC, AYT, b'b']);
    let event = telnet.receive(&mut input, &mut replies);
    assert_eq!(event, Some(Event::Command(Command::AreYouThere)));
    assert_eq!(input, b"b");
}

#[test]
fn unknown_options_are_refused_and_refusals_are_met_with_silence() {
    for option in [LINEMODE, 5, 36, 37, 38, 39, 69, 85, 86, 91, 201, 255] {
        check(&new(), &[IAC, DO, option], "", &[IAC, WONT, option]);
        check(&new(), &[IAC, WILL, option], "", &[IAC, DONT, option]);
    }
    for option in 0..=255 {
        check(&new(), &[IAC, WONT, option, IAC, DONT, option], "", &[]);
    }
}

#[test]
fn what_clients_may_do_unasked_is_accepted_once() {
    for option in TelnetOption::ALL {
        let code = option.code();
        let accepted = !matches!(option, TelnetOption::Echo | TelnetOption::EndOfRecord);
        let mut replies = vec![IAC, if accepted { DO } else { DONT }, code];
        if option == TelnetOption::TerminalType {
            replies.extend([IAC, SB, TTYPE, TTYPE_SEND, IAC, SE]);
        }
        let told = if accepted { format!("<Theirs {option:?} On>") } else { String::new() };
        let telnet = check(&new(), &[IAC, WILL, code], &told, &replies);
        assert_eq!(telnet.is_on(option, Side::Theirs), accepted);
        if accepted {
            check(&telnet, &[IAC, WILL, code], "", &[]);
            let told = format!("<Theirs {option:?} Off>");
            check(&telnet, &[IAC, WONT, code], &told, &[IAC, DONT, code]);
        }
    }
}

#[test]
fn echo_and_go_ahead_are_ours_to_offer_and_not_theirs_to_demand() {
    check(&new(), &[IAC, DO, 1, IAC, DO, 3], "", &[IAC, WONT, 1, IAC, WONT, 3]);
    let mut telnet = new();
    let mut replies = Vec::new();
    telnet.ask(TelnetOption::Echo, Side::Ours, Switch::On, &mut replies);
    telnet.ask(TelnetOption::SuppressGoAhead, Side::Ours, Switch::On, &mut replies);
    assert_eq!(replies, [IAC, WILL, 1, IAC, WILL, 3]);
    let told = "<Ours Echo On><Ours SuppressGoAhead On>";
    let mut telnet = check(&telnet, &[IAC, DO, 1, IAC, DO, 3], told, &[]);
    assert!(telnet.is_on(TelnetOption::Echo, Side::Ours));
    replies.clear();
    telnet.ask(TelnetOption::Echo, Side::Ours, Switch::Off, &mut replies);
    assert_eq!(replies, [IAC, WONT, 1]);
    check(&telnet, &[IAC, DONT, 1], "<Ours Echo Off>", &[]);
}

#[test]
fn a_refusal_of_what_we_asked_is_told() {
    let mut telnet = new();
    telnet.ask(TelnetOption::WindowSize, Side::Theirs, Switch::On, &mut Vec::new());
    assert!(!telnet.is_telnet(), "asking proves nothing");
    let telnet = check(&telnet, &[IAC, WONT, NAWS], "<Theirs WindowSize Off>", &[]);
    assert!(telnet.is_telnet());
}

#[test]
fn timing_mark_is_answered_however_often() {
    let ctrl_c = [IAC, 244, IAC, DO, TIMING_MARK];
    let mut telnet = new();
    for _ in 0..1_000 {
        telnet = check(&telnet, &ctrl_c, "<Command(Interrupt)>", &[IAC, WONT, TIMING_MARK]);
    }
    assert_eq!(telnet.ignored(), 0);
}

#[test]
fn past_the_cap_negotiations_are_counted_and_not_answered() {
    let mut telnet = new();
    let (_, replies) = feed(&mut telnet, &[IAC, DO, LINEMODE].repeat(1_000));
    assert_eq!(replies.len(), 3 * usize::from(MAX_ANSWERS));
    assert_eq!(telnet.ignored(), 900);
    let telnet = check(&telnet, &[IAC, WILL, NAWS], "", &[]);
    assert!(!telnet.is_on(TelnetOption::WindowSize, Side::Theirs));
    check(&telnet, &[IAC, DO, TIMING_MARK], "", &[IAC, WONT, TIMING_MARK]);
}

#[test]
fn window_sizes_are_clamped_and_zero_is_unknown() {
    let telnet = with_theirs(TelnetOption::WindowSize);
    let sized = |size: &[u8]| [&[IAC, SB, NAWS], size, &[IAC, SE]].concat();
    check(&telnet, &sized(&[0, 132, 0, 40]), "<Some(132) x Some(40)>", &[]);
    check(&telnet, &sized(&[0, 0, 0, 0]), "<None x None>", &[]);
    check(&telnet, &sized(&[0, 1, 0, 1]), "<Some(1) x Some(1)>", &[]);
    check(&telnet, &sized(&[1, IAC, IAC, 40, 0]), "<Some(500) x Some(200)>", &[]);
    check(&telnet, &sized(&[0, IAC, IAC, 0, IAC, IAC]), "<Some(255) x Some(200)>", &[]);
    check(&telnet, &sized(&[0, 80, 0]), "", &[]);
    check(&telnet, &sized(&[0, 80, 0, 24, 0]), "", &[]);
    check(&new(), &sized(&[0, 80, 0, 24]), "", &[]);
}

fn terminal(name: &str) -> Vec<u8> {
    [&[IAC, SB, TTYPE, TTYPE_IS], name.as_bytes(), &[IAC, SE]].concat()
}

const SEND: &[u8] = &[IAC, SB, TTYPE, TTYPE_SEND, IAC, SE];

#[test]
fn terminal_types_are_asked_for_until_one_repeats() {
    let telnet = with_theirs(TelnetOption::TerminalType);
    let telnet = check(&telnet, &terminal("TINTIN++"), r#"<TerminalType("TINTIN++")>"#, SEND);
    let telnet = check(&telnet, &terminal("xterm"), r#"<TerminalType("xterm")>"#, SEND);
    let telnet = check(&telnet, &terminal("MTTS 271"), "<Mtts(Mtts(271))>", SEND);
    let telnet = check(&telnet, &terminal("MTTS 271"), "<TerminalTypesEnd>", &[]);
    check(&telnet, &terminal("again"), "", &[]);
    assert!(Mtts(271).has(Mtts::UTF_8) && !Mtts(271).has(Mtts::SCREEN_READER));
}

#[test]
fn terminal_types_are_asked_for_four_times_at_most() {
    let mut telnet = with_theirs(TelnetOption::TerminalType);
    for name in ["a", "b", "c"] {
        telnet = check(&telnet, &terminal(name), &format!("<TerminalType({name:?})>"), SEND);
    }
    let end = r#"<TerminalType("d")><TerminalTypesEnd>"#;
    let telnet = check(&telnet, &terminal("d"), end, &[]);
    check(&telnet, &terminal("e"), "", &[]);
}

#[test]
fn names_of_terminals_are_cleaned_and_cut() {
    let telnet = with_theirs(TelnetOption::TerminalType);
    check(&telnet, &terminal("\x1b[2Jx\u{e9}"), r#"<TerminalType("[2Jx")>"#, SEND);
    let cut = format!("<TerminalType({:?})>", "x".repeat(40));
    check(&telnet, &terminal(&"x".repeat(200)), &cut, SEND);
    check(&telnet, &terminal(""), "<TerminalTypesEnd>", &[]);
}

#[test]
fn a_terminal_type_nobody_asked_for_is_dropped() {
    check(&new(), &terminal("xterm"), "", &[]);
    check(&new(), SEND, "", &[]);
}

fn charset(what: u8, payload: &str) -> Vec<u8> {
    [&[IAC, SB, CHARSET, what], payload.as_bytes(), &[IAC, SE]].concat()
}

#[test]
fn our_list_of_character_sets_is_sent_and_the_answer_told_once() {
    let mut telnet = new();
    let mut replies = Vec::new();
    telnet.ask(TelnetOption::Charset, Side::Ours, Switch::On, &mut replies);
    assert_eq!(replies, [IAC, WILL, CHARSET]);
    let request = charset(CHARSET_REQUEST, ";UTF-8;US-ASCII");
    let telnet = check(&telnet, &[IAC, DO, CHARSET], "<Ours Charset On>", &request);
    let answered = check(&telnet, &charset(CHARSET_ACCEPTED, "UTF-8"), "<Charset(Utf8)>", &[]);
    check(&answered, &charset(CHARSET_ACCEPTED, "UTF-8"), "", &[]);
    check(&telnet, &charset(CHARSET_ACCEPTED, "us-ascii"), "<Charset(Ascii)>", &[]);
    check(&telnet, &charset(CHARSET_REJECTED, ""), "<Charset(Refused)>", &[]);
}

#[test]
fn of_the_clients_list_utf_8_is_taken_or_nothing() {
    let telnet = with_theirs(TelnetOption::Charset);
    let request = |list| charset(CHARSET_REQUEST, list);
    let accepted = |name| charset(CHARSET_ACCEPTED, name);
    let rejected = charset(CHARSET_REJECTED, "");
    check(&telnet, &request(" ISO-8859-1 utf-8"), "<Charset(Utf8)>", &accepted("utf-8"));
    check(&telnet, &request("[TTABLE]\u{1};UTF8"), "<Charset(Utf8)>", &accepted("UTF8"));
    check(&telnet, &request(";KOI8-R"), "<Charset(Refused)>", &rejected);
    check(&telnet, &request(""), "<Charset(Refused)>", &rejected);
    // Both ends ask at once: our request stands.
    let both = check(
        &telnet,
        &[IAC, DO, CHARSET],
        "<Ours Charset On>",
        &[&[IAC, WILL, CHARSET][..], &request(";UTF-8;US-ASCII")].concat(),
    );
    check(&both, &request(";UTF-8"), "", &rejected);
}

#[test]
fn a_subnegotiation_too_long_is_skipped_to_its_end() {
    let telnet = with_theirs(TelnetOption::TerminalType);
    for len in [MAX_SUBNEGOTIATION - 2, MAX_SUBNEGOTIATION - 1, MAX_SKIPPED as usize - 3] {
        let told = if len <= MAX_SUBNEGOTIATION - 2 { "some program" } else { "" };
        let mut payload = "some program".to_owned();
        payload.extend(std::iter::repeat_n('\n', len - payload.len()));
        let input = [&terminal(&payload)[..], b"hi"].concat();
        let expected = match told {
            "" => "hi".to_owned(),
            name => format!("<TerminalType({name:?})>hi"),
        };
        check(&telnet, &input, &expected, if told.is_empty() { &[] } else { SEND });
    }
}

#[test]
fn a_subnegotiation_without_an_end_silences_nobody() {
    let telnet = with_theirs(TelnetOption::TerminalType);
    // The first of them is the option.
    let skipped = "y".repeat(MAX_SKIPPED as usize);
    let endless = [&[IAC, SB][..], skipped.as_bytes(), b"hi"].concat();
    check(&telnet, &endless, "hi", &[]);
    let doubled = [&[IAC, SB][..], &[IAC, IAC].repeat(MAX_SKIPPED as usize), b"hi"].concat();
    check(&telnet, &doubled, "hi", &[]);
}

#[test]
fn a_command_within_a_subnegotiation_ends_it_and_nothing_of_it_is_data() {
    let telnet = with_theirs(TelnetOption::WindowSize);
    let cut_off = [IAC, SB, NAWS, 0, 80, IAC, AYT, b'h', b'i'];
    check(&telnet, &cut_off, "<Command(AreYouThere)>hi", &[]);
    let restarted = [IAC, SB, NAWS, 0, IAC, SB, NAWS, 0, 80, 0, 24, IAC, SE];
    check(&telnet, &restarted, "<Some(80) x Some(24)>", &[]);
}

#[test]
fn an_iac_that_was_not_doubled_in_a_window_size_is_understood() {
    let telnet = with_theirs(TelnetOption::WindowSize);
    let undoubled = [IAC, SB, NAWS, 0, IAC, 0, 24, IAC, SE];
    check(&telnet, &undoubled, "<Some(255) x Some(24)>", &[]);
}

#[test]
fn a_saved_parser_goes_on_where_it_was() {
    let mut telnet = with_theirs(TelnetOption::WindowSize);
    feed(&mut telnet, &[IAC, SB, NAWS, 0, 80, IAC]);
    let saved = serde_json::to_string(&telnet).unwrap();
    let again: Telnet = serde_json::from_str(&saved).unwrap();
    assert_eq!(again, telnet);
    check(&again, &[24, IAC, SE], "<Some(80) x Some(200)>", &[]);
    check(&again, &[SE, b'x'], "x", &[]);
    let telnet = with_theirs(TelnetOption::WindowSize);
    let saved = serde_json::to_string(&telnet).unwrap();
    let again: Telnet = serde_json::from_str(&saved).unwrap();
    check(&again, &[IAC, SB, NAWS, 0, 80, 0, 24, IAC, SE], "<Some(80) x Some(24)>", &[]);
}

#[test]
fn the_greetings_of_real_clients_are_answered_without_changing_how_they_type() {
    // PuTTY: WILL NAWS TSPEED TTYPE NEW-ENVIRON, DO ECHO, WILL SGA, DO SGA.
    let plink = [IAC, WILL, 31, IAC, WILL, 32, IAC, WILL, 24, IAC, WILL, 39, IAC, DO, 1, IAC, WILL, 3, IAC, DO, 3];
    let told = "<Theirs WindowSize On><Theirs TerminalType On><Theirs SuppressGoAhead On>";
    let answers =
        [&[IAC, DO, 31, IAC, DONT, 32, IAC, DO, 24], SEND, &[IAC, DONT, 39, IAC, WONT, 1, IAC, DO, 3, IAC, WONT, 3]]
            .concat();
    check(&new(), &plink, told, &answers);
}

#[derive(Clone, Debug)]
struct Ask(TelnetOption, Side, Switch);

fn asks() -> impl Strategy<Value = Ask> {
    (
        prop::sample::select(&TelnetOption::ALL[..]),
        prop_oneof![Just(Side::Ours), Just(Side::Theirs)],
        prop_oneof![Just(Switch::On), Just(Switch::Off)],
    )
        .prop_map(|(option, side, want)| Ask(option, side, want))
}

/// Random bytes that are mostly telnet.
fn telnetlike() -> impl Strategy<Value = Vec<u8>> {
    let option = || {
        prop_oneof![
            8 => prop::sample::select(vec![0, 1, 3, 6, 24, 25, 31, 34, 42]),
            1 => any::<u8>(),
        ]
    };
    let piece = prop_oneof![
        4 => (WILL..=DONT, option()).prop_map(|(verb, option)| vec![IAC, verb, option]),
        2 => (option(), prop::collection::vec(any::<u8>(), 0..8))
            .prop_map(|(option, payload)| [&[IAC, SB, option], &payload[..], &[IAC, SE]].concat()),
        1 => prop::collection::vec(Just(b'x'), 200..300)
            .prop_map(|long| [&[IAC, SB, TTYPE, TTYPE_IS], &long[..], &[IAC, SE]].concat()),
        1 => "[a-c]{0,2}".prop_map(|name| terminal(&name)),
        1 => " ?(UTF-8|[a-z ]{0,5})".prop_map(|list| charset(CHARSET_REQUEST, &list)),
        1 => (1..=3_u8).prop_map(|what| charset(what, "UTF-8")),
        2 => any::<u8>().prop_map(|byte| vec![IAC, byte]),
        2 => Just(vec![IAC]),
        2 => any::<u8>().prop_map(|byte| vec![byte]),
        2 => "[a-z\r\n]{1,9}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_events(
        input in telnetlike(),
        before in prop::collection::vec(asks(), 0..8),
        cuts in prop::collection::vec(0..9_usize, 0..80),
    ) {
        let mut whole = new();
        for Ask(option, side, want) in before {
            whole.ask(option, side, want, &mut Vec::new());
        }
        let mut cut = whole.clone();
        let (told, replies) = feed(&mut whole, &input);
        let (mut cut_told, mut cut_replies) = (String::new(), Vec::new());
        let mut rest = &input[..];
        for at in cuts.into_iter().chain([usize::MAX]) {
            let (chunk, behind) = rest.split_at(at.min(rest.len()));
            let (told, replies) = feed(&mut cut, chunk);
            cut_told += &told.concat();
            cut_replies.extend(replies);
            rest = behind;
        }
        prop_assert_eq!(told.concat(), cut_told);
        prop_assert_eq!(replies, cut_replies);
        prop_assert_eq!(whole, cut);
    }

    #[test]
    fn answers_are_bounded_whatever_comes(pieces in prop::collection::vec(telnetlike(), 0..8)) {
        let input: Vec<u8> = pieces
            .concat()
            .into_iter()
            .map(|byte| if byte == TIMING_MARK { 5 } else { byte })
            .collect();
        let (_, replies) = feed(&mut new(), &input);
        // Each answer may be followed by a request of ours, and TERMINAL-TYPE by four questions.
        prop_assert!(replies.len() <= usize::from(MAX_ANSWERS) * 64, "{}", replies.len());
    }

    #[test]
    fn text_without_iac_is_passed_unchanged(text in any::<String>()) {
        let mut telnet = new();
        let mut input = text.as_bytes();
        let event = telnet.receive(&mut input, &mut Vec::new());
        prop_assert_eq!(event, (!text.is_empty()).then_some(Event::Data(text.as_bytes())));
        prop_assert_eq!(telnet, new());
    }

    #[test]
    fn two_of_us_fall_silent_and_agree(
        asked in prop::collection::vec((any::<bool>(), asks(), any::<bool>()), 0..30),
    ) {
        let (mut ann, mut bob) = (new(), new());
        let (mut to_ann, mut to_bob) = (Vec::new(), Vec::new());
        let exchange = |ann: &mut Telnet, bob: &mut Telnet, to_ann: &mut Vec<u8>, to_bob: &mut Vec<u8>| {
            to_bob.extend(feed(ann, &std::mem::take(to_ann)).1);
            to_ann.extend(feed(bob, &std::mem::take(to_bob)).1);
        };
        for (by_ann, Ask(option, side, want), deliver) in asked {
            if by_ann {
                ann.ask(option, side, want, &mut to_bob);
            } else {
                bob.ask(option, side, want, &mut to_ann);
            }
            if deliver {
                exchange(&mut ann, &mut bob, &mut to_ann, &mut to_bob);
            }
        }
        for _ in 0..20 {
            exchange(&mut ann, &mut bob, &mut to_ann, &mut to_bob);
        }
        prop_assert!(to_ann.is_empty() && to_bob.is_empty(), "still talking");
        for option in TelnetOption::ALL {
            prop_assert_eq!(ann.is_on(option, Side::Ours), bob.is_on(option, Side::Theirs));
            prop_assert_eq!(ann.is_on(option, Side::Theirs), bob.is_on(option, Side::Ours));
        }
    }
}

#[test]
fn asking_for_binary_counts_as_an_answer_and_is_done_once() {
    let mut telnet = new();
    let mut replies = Vec::new();
    telnet.want_binary(&mut replies);
    assert_eq!(replies, b"", "it has not shown to be telnet");
    let telnet = check(&telnet, &[IAC, NOP, IAC, NOP], "", &[IAC, DO, 0]);
    assert_eq!(telnet.dealings.as_ref().map(|dealings| dealings.answers), Some(1));
    check(&telnet, &[IAC, WONT, 0, IAC, NOP], "<Theirs Binary Off>", &[]);
    let telnet = check(&telnet, &[IAC, WILL, 0, IAC, NOP], "<Theirs Binary On>", &[]);
    assert!(telnet.is_on(TelnetOption::Binary, Side::Theirs));
    // A client that has used up the answers is not asked.
    let mut telnet = new();
    for _ in 0..MAX_ANSWERS {
        feed(&mut telnet, &[IAC, DO, LINEMODE]);
    }
    telnet.want_binary(&mut replies);
    assert_eq!(feed(&mut telnet, &[IAC, NOP]).1, b"");
    assert_eq!(replies, b"");
}
