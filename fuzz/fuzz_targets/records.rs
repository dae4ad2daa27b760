//! Whatever an encrypted client sends, whole records of its own among them, and however that is cut up: it brings the
//! same, and no more is held than one record.
#![no_main]

use chathub::wire::tls::open::Opener;
use chathub::wire::tls::seal::Sealer;
use chathub::wire::tls::suite::{Secret, Suite};
use libfuzzer_sys::fuzz_target;

fn secret(suite: Suite) -> Secret {
    Secret::new(&vec![7; suite.secret_len()]).expect("it fits")
}

fn run<'a>(suite: Suite, pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, String) {
    let (mut opener, mut content, mut told) = (Opener::new(suite), Vec::new(), String::new());
    opener.unlock(secret(suite));
    for piece in pieces {
        let brought = opener.push(piece, &mut content);
        if let Some(end) = brought.end {
            told += &format!("{end:?}");
        }
        assert!(opener.is_sound());
    }
    (content, told)
}

fuzz_target!(|input: (u8, u16, Vec<(u8, Vec<u8>)>)| {
    let (suite, size, acts) = input;
    let suite = Suite::ALL[usize::from(suite) % 3];
    let (mut sealer, mut bytes) = (Sealer::new(suite, secret(suite), 0), Vec::new());
    for (act, text) in acts {
        match act % 4 {
            0 => bytes.extend(text),
            1 => drop(sealer.update(act > 128, &mut bytes)),
            _ => drop(sealer.data([&text[..]], &mut bytes)),
        }
    }
    let whole = run(suite, [&bytes[..]]);
    assert_eq!(run(suite, bytes.chunks(usize::from(size).max(1))), whole);
    assert!(whole.0.len() <= bytes.len());
});
