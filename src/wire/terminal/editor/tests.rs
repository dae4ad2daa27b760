use super::keys::PASTE_BYTES;
use super::*;
use proptest::prelude::*;

const SIZE: Size = Size { cols: 80, rows: 24 };
const MAX: usize = 64;

/// What has been typed, with `|` for the cursor, and what was done.
fn typed(editor: &mut Editor, keys: impl AsRef<[u8]>) -> (String, Vec<Edit>) {
    let mut done = Vec::new();
    let mut input = keys.as_ref();
    while let Some(edit) = editor.next(&mut input, MAX) {
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
    check("ab\x02\x14", "ba|");
    check("ab\x14c", "bac|");
}

#[test]
fn words_go_as_a_whole_and_come_back() {
    check("one two, three\x1bb\x1b[1;5Dx", "one x|two, three");
    check("one two\x01\x1bf\x1bf!", "one two!|");
    check("one two-three\x17", "one |");
    check("one two-three\x1b\x7f", "one two-|");
    check("one two\x01\x1bd\x19\x19", "oneone| two");
    check("one two\x02\x02\x02\x0b\x01\x19", "two|one ");
    check("one two\x15x\x19", "xone two|");
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

#[test]
fn several_pasted_lines_are_asked_about_and_one_is_typed() {
    let paste = |text: &str| format!("\x1b[200~{text}\x1b[201~");
    let mut editor = Editor::default();
    assert_eq!(typed(&mut editor, format!("a{}b", paste("pas\tted\x1b[A\r\n"))), ("apas ted[Ab|".into(), vec![]));
    let asked = paste("one\r\n\r\ntwo\n\x03three");
    assert_eq!(typed(&mut editor, &asked).1, []);
    let question = String::from_utf8(editor.area(SIZE).draw).unwrap();
    assert!(question.starts_with("3 lines pasted"), "{question}");
    assert_eq!(typed(&mut editor, "\r"), ("apas ted[Ab|".into(), lines(&["one", "two", "three"])));
    assert_eq!(typed(&mut editor, format!("{asked}n")), ("apas ted[Ab|".into(), vec![]));
    let huge = paste(&"x\n".repeat(PASTE_BYTES));
    assert_eq!(typed(&mut editor, huge).1, [Edit::TooLong(2 * PASTE_BYTES as u64)]);
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
    check("\u{9b}31ma\u{7}\0\u{200b}", "31ma|");
}

#[test]
fn broken_characters_are_replaced_as_elsewhere() {
    let mut editor = Editor::default();
    assert_eq!(typed(&mut editor, b"a\xe2\x82b\xff\x80").0, "a\u{FFFD}b\u{FFFD}\u{FFFD}|");
}

proptest! {
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
