use std::time::Duration;

use super::*;
use crate::wire::terminal::sequence::tests::any_sequence;
use crate::wire::terminal::widths::Widths;
use proptest::prelude::*;

const SIZE: Size = Size { cols: 80, rows: 24, widths: Widths::Usual };
const MAX: usize = 64;

/// The draft after these keys, with `|` for the cursor, and the results of the keys.
fn typed(editor: &mut Editor, keys: impl AsRef<[u8]>) -> (String, Vec<Edit>) {
    typed_at(editor, keys, Mono::default())
}

/// Like [`typed`], for keys that come this many seconds after the beginning.
fn typed_later(editor: &mut Editor, keys: impl AsRef<[u8]>, seconds: u64) -> (String, Vec<Edit>) {
    typed_at(editor, keys, Mono::default().after(Duration::from_secs(seconds)))
}

fn typed_at(editor: &mut Editor, keys: impl AsRef<[u8]>, at: Mono) -> (String, Vec<Edit>) {
    let mut done = Vec::new();
    let mut input = keys.as_ref();
    while let Some(edit) = editor.next(&mut input, MAX, at) {
        done.push(edit);
    }
    let (text, cursor) = editor.typed();
    (format!("{}|{}", &text[..cursor], &text[cursor..]), done)
}

#[track_caller]
fn check(keys: &str, shown: &str) {
    let mut editor = Editor::default();
    assert_eq!(typed(&mut editor, keys), (shown.to_owned(), Vec::new()), "{keys:?}");
    assert!(editor.is_sound());
}

fn after(lines: &[&str]) -> Editor {
    let mut editor = Editor::default();
    for line in lines {
        assert_eq!(typed(&mut editor, format!("{line}\r\0")).1, [Edit::Line((*line).to_owned())]);
    }
    editor
}

fn lines(of: &[&str]) -> Vec<Edit> {
    of.iter().map(|line| Edit::Line((*line).to_owned())).collect()
}

#[test]
fn keys_move_and_erase_by_what_a_person_takes_for_a_character() {
    check("abc", "abc|");
    check("abc\x02\x02x", "ax|bc");
    check("abc\x1b[D\x1bODx\x1b[C\x05y", "axbcy|");
    check("abc\x01x\x1b[Fy\x1b[1~z", "z|xabcy");
    check("abcd\x1b[D\x1b[3~\x7f", "ab|");
    check("ae\u{301}\x02x", "ax|e\u{301}");
    check("日本\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467}\x7f\x08語", "日語|");
    // Joined graphemes count as one: a terminal may draw both in one cell, where the cursor has no
    // place between them.
    check("aශ්\u{200D}රී\x7fb", "ab|");
    check("aශ්\u{200D}රී\x1b[Db", "ab|ශ්\u{200D}රී");
    check("aශ්\u{200D}රී\x01\x1b[C\x1b[Cb", "aශ්\u{200D}රීb|");
    check("- ශ්\u{200D}රී\x1bbb", "- b|ශ්\u{200D}රී");
    check("ab\x02\x14", "ba|");
    check("ab\x14c", "bac|");
}

#[test]
fn words_are_deleted_as_a_whole_and_can_be_yanked() {
    check("one two, three\x1bb\x1b[1;5Dx", "one x|two, three");
    check("one two\x01\x1bf\x1bf!", "one two!|");
    check("one two-three\x17", "one |");
    check("one two-three\x1b\x7f", "one two-|");
    check("one two\x01\x1bd\x19\x19", "oneone| two");
    check("one two\x02\x02\x02\x0b\x01\x19", "two|one ");
    check("one two\x15x\x19", "xone two|");
    // A combining mark belongs to its word.
    check("नमस्ते हिन्दी\x1bb!", "नमस्ते !|हिन्दी");
    check("हिन्दी नमस्ते\x01\x1bf!", "हिन्दी!| नमस्ते");
    check("ଓଡ\u{B3C}ିଆ\x1bb!", "!|ଓଡ\u{B3C}ିଆ");
    check("a שָׁלוֹם\x1b\x7f!", "a !|");
}

#[test]
fn each_line_is_one_however_it_ends() {
    let mut editor = Editor::default();
    let (rest, done) = typed(&mut editor, "one\r\0two\r\nthree\rfour\nfive\r\r");
    assert_eq!((rest.as_str(), done), ("|", lines(&["one", "two", "three", "four", "five", ""])));
}

#[test]
fn control_d_leaves_when_nothing_is_typed_and_else_deletes() {
    let mut editor = Editor::default();
    assert_eq!(typed(&mut editor, "ab\x02\x04\x04"), ("a|".into(), vec![]));
    assert_eq!(typed(&mut editor, "\x7f\x04"), ("|".into(), vec![Edit::Leave]));
}

#[test]
fn control_c_clears_and_what_is_gone_can_be_had_back() {
    let mut editor = Editor::default();
    assert_eq!(typed(&mut editor, "abc\x03"), ("|".into(), vec![Edit::Interrupt]));
    assert_eq!(typed(&mut editor, "\x19").0, "abc|");
}

#[test]
fn lines_typed_before_are_recalled() {
    let mut editor = after(&["one", "two", "two", "three"]);
    assert_eq!(typed(&mut editor, "dra\x1b[A").0, "three|");
    assert_eq!(typed(&mut editor, "\x10").0, "two|");
    assert_eq!(typed(&mut editor, "\x1b[A\x1b[A\x1b[A").0, "one|");
    assert_eq!(typed(&mut editor, "\x1b[B\x1b[B\x0e\x0e").0, "dra|");
    let many: Vec<_> = (0..200).map(|number| format!("line {number}")).collect();
    let mut editor = after(&many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(typed(&mut editor, "\x10".repeat(300)).0, "line 150|");
}

#[test]
fn lines_typed_before_are_searched() {
    let mut editor = after(&["make tea", "drink tea", "sleep"]);
    assert_eq!(typed(&mut editor, "draft\x12tea").0, "drink |tea");
    assert_eq!(typed(&mut editor, "\x12").0, "make |tea");
    assert_eq!(typed(&mut editor, "\x12").0, "make |tea");
    assert_eq!(typed(&mut editor, "\x07").0, "draft|");
    assert_eq!(typed(&mut editor, "\x12sl\r"), ("|".into(), lines(&["sleep"])));
    assert_eq!(typed(&mut editor, "\x12dr\x05!").0, "drink tea!|");
    assert_eq!(typed(&mut editor, "\x12xyz\x1b[C").0, "drink tea!|");
}

#[test]
fn a_line_over_the_limit_is_refused_as_a_whole_and_can_be_recalled() {
    let mut editor = Editor::default();
    let (_, done) = typed(&mut editor, format!("{}\r", "x".repeat(MAX + 3)));
    assert_eq!(done, [Edit::TooLong(MAX as u64 + 3)]);
    assert_eq!(typed(&mut editor, "\x10").0, format!("{}|", "x".repeat(MAX)));
    assert_eq!(typed(&mut editor, "\r").1, lines(&[&"x".repeat(MAX)]));
}

fn pasted(text: &str) -> String {
    format!("\x1b[200~{text}\x1b[201~")
}

fn shown(editor: &Editor) -> String {
    String::from_utf8(editor.area(SIZE).draw).unwrap()
}

#[test]
fn several_pasted_lines_are_asked_about_and_one_is_typed() {
    let mut editor = Editor::default();
    let one = pasted("pas\tted\x1b[A\r\n");
    assert_eq!(typed(&mut editor, format!("a{one}b")), ("apas tedb|".into(), vec![]));
    let asked = pasted("one\r\n\r\ntwo\nthree");
    assert_eq!(typed(&mut editor, &asked).1, []);
    assert!(shown(&editor).starts_with("3 lines pasted"), "{}", shown(&editor));
    assert_eq!(typed(&mut editor, "\r"), ("apas tedb|".into(), lines(&["one", "two", "three"])));
    assert_eq!(typed(&mut editor, format!("{asked}n")), ("apas tedb|".into(), vec![]));
    assert_eq!(typed(&mut editor, format!("{asked}\x03")), ("apas tedb|".into(), vec![]));
    typed(&mut editor, pasted("one\n/who\n /list\n//two"));
    assert!(shown(&editor).starts_with("4 lines pasted, 2 of them commands: "), "{}", shown(&editor));
    typed(&mut editor, "n");
    typed(&mut editor, pasted("one\n/who"));
    assert!(shown(&editor).starts_with("2 lines pasted, 1 of them a command: "), "{}", shown(&editor));
    typed(&mut editor, "n");
    let huge = pasted(&"x\n".repeat(PASTE_BYTES));
    assert_eq!(typed(&mut editor, huge).1, [Edit::TooLong(2 * PASTE_BYTES as u64)]);
}

#[test]
fn the_end_of_a_paste_is_known_however_it_is_written() {
    for csi in [&b"\x1b["[..], b"\x9b", b"\xc2\x9b"] {
        let paste = |text: &[u8]| [csi, b"200~", text, csi, b"201~"].concat();
        let mut editor = Editor::default();
        for text in ["one", "a \x1b[201 ~", "\x1b\x1b", "é", "ś201~", "\x1b[200~"] {
            let shown = text::clean(&sequence::without(text.as_bytes())).into_owned();
            assert_eq!(typed(&mut editor, paste(text.as_bytes())), (format!("{shown}|"), vec![]), "{csi:?} {text:?}");
            typed(&mut editor, "\x15");
        }
    }
}

#[test]
fn a_paste_that_does_not_end_is_ended_by_control_c_or_by_time() {
    let mut editor = Editor::default();
    assert_eq!(typed(&mut editor, "draft\x1b[200~one\rtwo\x04/quit\r"), ("draft|".into(), vec![]));
    assert!(shown(&editor).contains("^C"), "{}", shown(&editor));
    assert_eq!(typed(&mut editor, "\x03"), ("|".into(), vec![Edit::Interrupt]));
    assert_eq!(typed(&mut editor, "on\r").1, lines(&["on"]));
    // The telnet commands IP and BRK.
    typed(&mut editor, "\x1b[200~one\rtwo");
    editor.interrupt();
    assert_eq!(typed(&mut editor, "on\r").1, lines(&["on"]));
    // After the timeout, the single line pasted so far counts as typed, and later bytes go behind
    // it.
    typed(&mut editor, "\x1b[200~one");
    assert_eq!(typed_later(&mut editor, " two", 9).1, []);
    assert_eq!(typed_later(&mut editor, " three\r", 19).1, lines(&["one two three"]));
    // For several lines the person is asked, and a key that was on its way does not answer.
    typed(&mut editor, "\x1b[200~one\rtwo\r");
    assert_eq!(typed_later(&mut editor, "\r", 10).1, []);
    assert!(shown(&editor).starts_with("2 lines pasted"), "{}", shown(&editor));
    assert_eq!(typed_later(&mut editor, "\r", 11).1, lines(&["one", "two"]));
    // A paste also ends after its longest time, however steadily its bytes come.
    typed(&mut editor, "\x1b[200~");
    for second in 1..60 {
        typed_later(&mut editor, "x", second);
    }
    assert_eq!(typed_later(&mut editor, "y", 60).0, format!("{}y|", "x".repeat(59)));
}

/// Escape, or Alt, and then `]`: what follows is taken for the answer to a question, and seen to be none.
#[test]
fn a_string_that_does_not_end_is_ended_by_time() {
    for begin in ["\x1b]", "\x1bP", "\x1b_", "\x1bX", "\u{9d}"] {
        let mut editor = Editor::default();
        assert_eq!(typed_later(&mut editor, format!("one{begin}"), 10).0, "one|");
        assert_eq!(typed_later(&mut editor, " two", 12).0, "one|", "{begin:?}");
        assert_eq!(typed_later(&mut editor, " three", 16).0, "one three|", "{begin:?}");
    }
    // An answer that comes in pieces is no text.
    let mut editor = Editor::default();
    typed_later(&mut editor, "one\x1b]11;rgb:1111", 10);
    typed_later(&mut editor, "/2222/3333", 12);
    assert_eq!(typed_later(&mut editor, "\x07 two", 14), ("one two|".to_owned(), vec![]));
}

#[test]
fn what_is_pasted_while_a_paste_waits_is_added() {
    let mut editor = Editor::default();
    typed(&mut editor, pasted("one\ntwo"));
    assert_eq!(typed(&mut editor, pasted("three")).1, []);
    assert_eq!(typed(&mut editor, pasted("four\nfive")).1, []);
    assert_eq!(typed(&mut editor, "\r").1, lines(&["one", "two", "three", "four", "five"]));
    typed(&mut editor, pasted("one\ntwo"));
    assert_eq!(typed(&mut editor, pasted(&"x".repeat(PASTE_BYTES))).1, [Edit::TooLong(PASTE_BYTES as u64)]);
    assert_eq!(typed(&mut editor, "\r").1, lines(&["one", "two"]));
}

#[test]
fn tab_completes_to_one_after_the_other_and_back_to_what_was_typed() {
    let mut editor = Editor::default();
    assert_eq!(typed(&mut editor, "hi a\t").1, [Edit::Complete]);
    editor.complete(3, vec!["ann".into(), "anna".into()], MAX);
    assert_eq!(typed(&mut editor, "").0, "hi ann|");
    assert_eq!(typed(&mut editor, "\t").0, "hi anna|");
    assert_eq!(typed(&mut editor, "\t").0, "hi a|");
    assert_eq!(typed(&mut editor, "\t").0, "hi ann|");
    assert_eq!(typed(&mut editor, "!\t"), ("hi ann!|".into(), vec![Edit::Complete]));
    editor.complete(0, vec![], MAX);
    assert_eq!(typed(&mut editor, "").0, "hi ann!|");
}

#[test]
fn passwords_are_neither_shown_nor_kept() {
    let mut editor = Editor::default();
    editor.set_prompt("> ");
    typed(&mut editor, "half a line");
    editor.hide(true);
    assert_eq!(typed(&mut editor, "secret\x15sesame").1, []);
    let shown = editor.area(SIZE);
    assert!(!String::from_utf8_lossy(&shown.draw).contains("sesame"));
    assert_eq!(typed(&mut editor, "\t\r").1, lines(&["sesame"]));
    editor.hide(false);
    assert_eq!(typed(&mut editor, "\x19\x10").0, "half a line|");
    let kept = serde_json::to_string(&editor).unwrap();
    assert!(!kept.contains("sesame") && !kept.contains("secret"), "{kept}");
}

#[test]
fn strange_sequences_are_neither_typed_nor_swallow_what_follows() {
    check("a\x1b[?1;2cb", "ab|");
    check("a\x1b[1;2;3;4;5;6;7;8;9;10mb", "ab|");
    check("a\x1b[\x1b[Db", "b|a");
    check("a\x1b\x02b", "b|a");
    check("a\x1bxb", "ab|");
    check("\u{9b}31ma\u{7}\0\u{200b}", "a|");
    check("a\x1b[[Eb\x1bé\x1b]11;rgb:0/0/0\x07c", "abc|");
    check("ab\x1b[7$x\x1b[97;5uy", "y|xab");
    check("a b\x1b[27;5;119~c\x1b[127u\x1b[119;5:3u", "a |");
}

#[test]
fn reports_of_a_terminal_end_nothing_that_is_under_way() {
    let mut editor = Editor::default();
    typed(&mut editor, pasted("one\ntwo"));
    let reports =
        "\x1b[I\x1b[O\x1b[<0;1;1M\x1b[M !!\x1b[24;80R\x1b[?1;2c\x1b]11;rgb:0/0/0\x1b\\\x1bP>|x\x1b\\\x1b[97;1:3u";
    assert_eq!(typed(&mut editor, reports).1, [Edit::Column(80)]);
    assert_eq!(typed(&mut editor, "\r").1, lines(&["one", "two"]));
}

#[test]
fn broken_characters_are_replaced_as_elsewhere() {
    let mut editor = Editor::default();
    assert_eq!(typed(&mut editor, b"a\xe2\x82b\xff\x80").0, "a\u{FFFD}b\u{FFFD}\u{FFFD}|");
}

proptest! {
    #[test]
    fn no_sequence_is_ever_said_and_none_locks_the_line(
        sequences in prop::collection::vec(any_sequence(), 1..5), cut in any::<prop::sample::Index>(),
        size in 1_usize..9, saved in any::<bool>(),
    ) {
        let mut editor = Editor::default();
        let keys: Vec<u8> = sequences.concat();
        // All bytes, then a beginning of them of any length; in pieces.
        for keys in [&keys[..], &keys[..cut.index(keys.len())]] {
            for chunk in keys.chunks(size) {
                for edit in typed(&mut editor, chunk).1 {
                    prop_assert!(!matches!(&edit, Edit::Line(line) if !line.is_empty()), "{edit:?}");
                }
                if saved {
                    editor = serde_json::from_str(&serde_json::to_string(&editor).unwrap()).unwrap();
                }
                prop_assert_eq!(editor.typed().0, "");
            }
        }
        typed(&mut editor, "\x03");
        prop_assert_eq!(typed(&mut editor, "said\r").1, lines(&["said"]));
    }

    #[test]
    fn any_chunking_gives_the_same(keys in keys(), cuts in prop::collection::vec(1..9_usize, 0..60)) {
        let (mut whole, mut cut) = (Editor::default(), Editor::default());
        let expected = typed(&mut whole, &keys);
        let mut done = Vec::new();
        let mut rest = &keys[..];
        for at in cuts.into_iter().chain([usize::MAX]) {
            let (chunk, behind) = rest.split_at(at.min(rest.len()));
            done.extend(typed(&mut cut, chunk).1);
            rest = behind;
        }
        prop_assert_eq!((typed(&mut cut, "").0, done), expected);
        prop_assert_eq!(cut, whole);
    }

    #[test]
    fn whatever_is_typed_it_stays_sound_and_bounded(keys in keys(), saved in any::<bool>()) {
        let mut editor = Editor::default();
        let (first, second) = keys.split_at(keys.len() / 2);
        typed(&mut editor, first);
        if saved {
            let text = serde_json::to_string(&editor).unwrap();
            editor = serde_json::from_str(&text).unwrap();
        }
        for edit in typed(&mut editor, second).1 {
            if let Edit::Line(line) = edit {
                prop_assert!(line.len() <= MAX && text::is_clean(&line));
            }
        }
        prop_assert!(editor.is_sound());
        prop_assert!(editor.typed().0.len() <= MAX);
        prop_assert!(!editor.area(SIZE).draw.iter().any(|byte| matches!(byte, 0..=9 | 11 | 12 | 14..=26)));
    }
}

fn keys() -> impl Strategy<Value = Vec<u8>> {
    let key = prop_oneof![
        4 => "[a-c ]".prop_map(String::into_bytes),
        2 => any::<char>().prop_map(|c| c.to_string().into_bytes()),
        4 => (0_u8..0x20).prop_map(|byte| vec![byte]),
        2 => prop::sample::select(vec![
            "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[3~", "\x1bb", "\x1bf", "\x1bd", "\x7f", "\x1b[200~",
            "\x1b[201~", "\x1b[200~a\nb\x1b[201~", "\u{301}", "日",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(key, 0..80).prop_map(|keys| keys.concat())
}
