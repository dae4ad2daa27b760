//! Whatever stands in a file of settings: it is read, or each mistake is told by its line.
#![no_main]

use chathub::config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let path = std::env::temp_dir().join(format!("chathub-fuzz-{}.toml", std::process::id()));
    std::fs::write(&path, text).expect("a file");
    match config::load(Some(&path)) {
        // What was read is read again as the same.
        Ok(loaded) => {
            let again = config::load(Some(&path)).expect("the same file");
            assert_eq!(again.settings, loaded.settings);
        }
        Err(problems) => {
            assert!(!problems.is_empty() && problems.len() <= 200);
            for problem in problems {
                assert!(!problem.to_string().is_empty());
            }
        }
    }
});
