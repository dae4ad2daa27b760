//! Cleaned text is clean, and a name that was taken is taken again as it is shown.
#![no_main]

use chathub::values::name::{self, Name};
use chathub::values::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let cleaned = text::clean(bytes);
    assert!(text::is_clean(&cleaned));
    assert!(cleaned.len() <= 3 * bytes.len());
    assert_eq!(text::clean(cleaned.as_bytes()), cleaned);

    match Name::parse(&cleaned, 24) {
        Ok(name) => {
            let again = Name::parse(name.shown(), 24).expect("a name shown is a name");
            assert_eq!(again.shown(), name.shown());
            assert_eq!(again.skeleton(), name.skeleton());
            assert_eq!(name::fold(name.shown()), name.folded());
            assert!(text::is_clean(name.shown()) && !text::is_blank(name.shown()));
            let _ = name::is_reserved(&name, &again);
        }
        Err(broken) => assert!(text::is_clean(&broken.to_string())),
    }
});
