use super::*;
use proptest::prelude::*;

/// The text that is left without sequences, and the state at the end.
fn left(bytes: &[u8]) -> (String, Sequence) {
    let mut sequence = Sequence::default();
    let mut text = String::new();
    let mut rest = bytes;
    while let Some((&byte, behind)) = rest.split_first() {
        let (part, used) = sequence.take(byte);
        assert!(sequence.is_sound());
        if let Some(Part::Char(c)) = part {
            text.push(c);
        }
        if used == Byte::Used {
            rest = behind;
        }
    }
    (text, sequence)
}

#[track_caller]
fn check(bytes: impl AsRef<[u8]>, text: &str) {
    let (found, sequence) = left(bytes.as_ref());
    assert_eq!((found.as_str(), sequence), (text, Sequence::Between), "{}", bytes.as_ref().escape_ascii());
}

/// Bytes that are exactly one sequence each.
const WHOLE: &[&[u8]] = &[
    b"\x1b[A",
    b"\x1b[15~",
    b"\x1b[1;5C",
    b"\x1b[97;5u",
    b"\x1b[97:65;5:3;97u",
    b"\x1b[27;5;99~",
    b"\x1b[?1;2c",
    b"\x1b[>41;354;0c",
    b"\x1b[24;80R",
    b"\x1b[?2026;2$y",
    b"\x1b[7$",
    b"\x1b[23$",
    b"\x1b[7^",
    b"\x1b[7@",
    b"\x1b[a",
    b"\x1b[Z",
    b"\x1b[I",
    b"\x1b[O",
    b"\x1b[[A",
    b"\x1b[[E",
    b"\x1b[M !!",
    b"\x1b[M\x20\xc2\xa1\xc3\xa9",
    b"\x1b[M#\xff\xfe",
    b"\x1b[M \0!",
    b"\x1b[t!!",
    b"\x1b[T!!\"\"##",
    b"\x1b[T!\xc2\xa1\"\"##",
    b"\x1b[\x001\x00;5C",
    b"\x1b[1;\x7f5C",
    b"\x1bO5\x00\x7fC",
    b"\x1b[<0;10;20M",
    b"\x1b[<0;10;20m",
    b"\x1b[32;10;20M",
    b"\x1bOA",
    b"\x1bOp",
    b"\x1bO5C",
    b"\x1bO1;5P",
    b"\x1bNx",
    b"\x1bN\xc3\xa9",
    b"\x1b(B",
    b"\x1b#8",
    b"\x1b%G",
    b"\x1b F",
    b"\x1b$(C",
    b"\x1bx",
    b"\x1b\xc3\xa9",
    b"\x1b\xf0\x9f\x98\x80",
    b"\x1b\x1b[A",
    b"\x1b\x1bOA",
    b"\x1b\\",
    b"\x1b]11;rgb:0000/0000/0000\x07",
    b"\x1b]11;rgb:0000/0000/0000\x1b\\",
    b"\x1b]52;c;aGk=\x9c",
    b"\x1b]l\xc5\x9c title \xe2\x9c\x9c\xc2\x9c",
    b"\x1bP>|XTerm(380)\x1b\\",
    b"\x1bP1$r0m\x1b\\",
    b"\x1bP!|00000000\x1b\\",
    b"\x1b_Gi=31;OK\x1b\\",
    b"\x1b^private\x1b\\",
    b"\x1bXstring\t\x0b\x1b\\",
    b"\x9b1;5C",
    b"\xc2\x9b1;5C",
    b"\x9d11;rgb:0/0/0\x9c",
    b"\xc2\x9d11;rgb:0/0/0\xc2\x9c",
    b"\x90>|x\x9c",
    b"\xc2\x90>|x\x1b\\",
    b"\x98x\x9c",
    b"\x9ex\x9c",
    b"\x9fx\x9c",
    b"\x8fA",
    b"\x8ex",
    b"\xc2\x8fA",
    b"\x9c",
    b"\xc2\x9c",
    b"\x1b[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19;20;21;22;23;24m",
];

#[test]
fn each_sequence_is_taken_as_a_whole() {
    for bytes in WHOLE {
        check(bytes, "");
        check([b"a", *bytes, b"b"].concat(), "ab");
        assert_eq!(without(&[b"a", *bytes, b"b"].concat()), &b"ab"[..], "{}", bytes.escape_ascii());
    }
}

#[test]
fn what_ends_a_sequence_before_its_end_is_itself() {
    let begun = [
        &b"\x1b["[..],
        b"\x1b[1;",
        b"\x1b[M ",
        b"\x1b[[",
        b"\x1bO",
        b"\x1bN",
        b"\x1b]11;",
        b"\x1bP",
        b"\x1b_G",
        b"\x9d1",
    ];
    for begun in begun {
        for end in ["\r", "\n", "\u{3}", "\u{4}"] {
            check([begun, end.as_bytes(), b"x"].concat(), &format!("{end}x"));
        }
        check([begun, b"\x1b[Ax"].concat(), "x");
        if begun != b"\x1b[M " {
            check([begun, b"\x18x"].concat(), "x");
            check([begun, b"\x1ax"].concat(), "x");
        }
    }
    check("\u{1b}[é", "é");
    check("\u{1b}[\u{7f}x", "\u{7f}x");
    check("\u{1b}O\u{7f}x", "\u{7f}x");
}

#[test]
fn what_is_typed_with_alt_takes_nothing_else_along() {
    for key in " !\"#$%&'()*+,-./09:;<=>?@AZ`az{|}~é日😀".chars() {
        check(format!("\u{1b}{key}x"), "x");
    }
}

#[test]
fn characters_are_left_as_they_are() {
    for text in ["", "hello\tworld", "Ĝis œ ŝ 東 ❤ ” 이 ש", "👩\u{200D}👧", "a\u{301}"] {
        check(text, text);
        assert!(matches!(without(text.as_bytes()), Cow::Borrowed(same) if same == text.as_bytes()));
    }
    check(b"a\xe2\x82b\xff\xa0\x80", "a\u{FFFD}b\u{FFFD}\u{FFFD}\u{FFFD}");
    assert_eq!(without(b"\x1b[Aab\xe2\x82"), "ab\u{FFFD}".as_bytes());
}

#[test]
fn what_does_not_end_takes_a_line_with_it_and_no_memory() {
    for begin in [&b"\x1b]"[..], b"\x1b[", b"\x1bP", b"\x1bO", b"\x9f"] {
        let endless = [begin, &[b'1'; 100_000][..]].concat();
        let (text, sequence) = left(&endless);
        assert_eq!(text, "");
        assert!(serde_json::to_string(&sequence).unwrap().len() < 200);
        assert_eq!(without(&endless), &b""[..]);
    }
}

/// A complete sequence of any shape.
pub(in crate::wire::terminal) fn any_sequence() -> impl Strategy<Value = Vec<u8>> {
    let csi = prop::sample::select(vec![&b"\x1b["[..], b"\x9b", b"\xc2\x9b", b"\x1b\x1b["]);
    let control = (csi, "[0-9;:<=>?]{0,40}", "[ !\"#%&'()*+,./-]{0,2}", "[@-LN-SU-Z^_`a-su-z{|}~]").prop_map(
        |(csi, params, between, last)| [csi, params.as_bytes(), between.as_bytes(), last.as_bytes()].concat(),
    );
    let introducer = prop::sample::select(&b"PX]^_"[..]);
    let string_end = prop::sample::select(vec![&b"\x07"[..], b"\x1b\\", b"\x9c", b"\xc2\x9c"]);
    let string = (introducer, prop::sample::select(&[7_u8, 8, 0xC2][..]), "[ -~\t\u{b}é東œ]{0,80}", string_end)
        .prop_map(|(introducer, bits, payload, end)| {
            let begin = match bits {
                7 => vec![0x1B, introducer],
                8 => vec![introducer + 0x40],
                lead => vec![lead, introducer + 0x40],
            };
            [&*begin, payload.as_bytes(), end].concat()
        });
    let other = prop::sample::select(WHOLE).prop_map(<[u8]>::to_vec);
    let mouse = prop::sample::select(&b"tMT"[..]).prop_flat_map(|last| {
        let count = match last {
            b't' => 2,
            b'M' => 3,
            _ => 6,
        };
        let places = prop::collection::vec(prop::sample::select(vec![' ', '~', '\u{A1}', '\u{7FF}']), count);
        places.prop_map(move |places| [b"\x1b[", &[last][..], String::from_iter(places).as_bytes()].concat())
    });
    prop_oneof![3 => control, 3 => string, 2 => other, 1 => mouse]
}

proptest! {
    #[test]
    fn what_is_under_way_can_be_taken_over(sequence in any_sequence(), at in any::<prop::sample::Index>()) {
        let (begun, rest) = sequence.split_at(at.index(sequence.len()));
        let (text, state) = left(begun);
        prop_assert_eq!(&text, "");
        let (text, again) = left(&state.begun());
        prop_assert_eq!(&text, "");
        prop_assert_eq!(&again, &state);
        prop_assert_eq!(left(&[&state.begun()[..], rest, b"x"].concat()), ("x".to_owned(), Sequence::Between));
    }

    #[test]
    fn no_sequence_of_any_shape_is_text(sequences in prop::collection::vec(any_sequence(), 1..8)) {
        let all: Vec<u8> = sequences.iter().flat_map(|one| [&b"x"[..], one].concat()).collect();
        let (text, sequence) = left(&all);
        prop_assert_eq!(text, "x".repeat(sequences.len()));
        prop_assert_eq!(sequence, Sequence::Between);
    }

    #[test]
    fn whatever_comes_enter_and_control_c_are_themselves(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for key in [b'\r', 3] {
            let (text, sequence) = left(&[&bytes[..], &[key]].concat());
            prop_assert_eq!(text.chars().last(), Some(char::from(key)));
            prop_assert_eq!(sequence, Sequence::Between);
        }
    }
}
