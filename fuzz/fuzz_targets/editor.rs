//! However the keys are cut up, the same edits come of them; and whatever is typed, it is sound, within
//! its bounds, and drawn without anything but the sequences that we draw with.
#![no_main]

use chathub::values::text;
use chathub::values::time::Mono;
use chathub::wire::terminal::editor::{Edit, Editor};
use chathub::wire::terminal::screen::Size;
use chathub::wire::terminal::widths::Widths;
use libfuzzer_sys::fuzz_target;

const MAX: usize = 128;

fn feed(editor: &mut Editor, mut input: &[u8], edits: &mut Vec<Edit>) {
    while let Some(edit) = editor.next(&mut input, MAX, Mono::default()) {
        if edit == Edit::Complete {
            let (typed, cursor) = editor.typed();
            let from = typed[..cursor].rfind(' ').map_or(0, |at| at + 1);
            editor.complete(from, vec!["ann: ".into(), "日本 ".into()], MAX);
        }
        edits.push(edit);
    }
}

fuzz_target!(|input: (u8, u8, Vec<u8>)| {
    let (size, cols, bytes) = input;
    let (mut whole, mut cut) = (Editor::default(), Editor::default());
    let (mut edits, mut cut_edits) = (Vec::new(), Vec::new());
    feed(&mut whole, &bytes, &mut edits);
    for chunk in bytes.chunks(usize::from(size).max(1)) {
        feed(&mut cut, chunk, &mut cut_edits);
        assert!(cut.is_sound());
        assert!(cut.typed().0.len() <= MAX);
    }
    assert_eq!(whole, cut);
    assert_eq!(edits, cut_edits);
    for edit in edits {
        if let Edit::Line(line) = edit {
            assert!(text::is_clean(&line) && line.len() <= MAX);
        }
    }
    let widths = if size % 2 == 0 { Widths::Usual } else { Widths::Unknown };
    let area = whole.area(Size { cols: u16::from(cols), rows: 24, widths });
    let drawn = String::from_utf8(area.draw).expect("UTF-8");
    let rest = drawn.replace("\r\n", "").replace('\r', "");
    let ups = rest.matches("\x1b[").count();
    assert!(ups <= 1 && rest.chars().filter(|c| c.is_control()).count() == ups, "{rest:?}");
});
