//! Records compared with the vectors of RFC 8448, sealed and opened again in any pieces, and from a
//! peer who breaks the rules.

use proptest::prelude::*;

use super::open::{Brought, End, Opener};
use super::record::{Alert, BESIDE, MOST_WRITTEN};
use super::seal::{Sealer, sealed_len};
use super::suite::{Secret, Suite};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("hex"))
        .collect()
}

fn secret(suite: Suite, byte: u8) -> Secret {
    Secret::new(&vec![byte; suite.secret_len()]).expect("it fits")
}

fn opener(suite: Suite, secret: Secret) -> Opener {
    let mut opener = Opener::new(suite);
    opener.unlock(secret);
    opener
}

/// Section 3 of RFC 8448, "Simple 1-RTT Handshake": the client's and the server's application data
/// and alerts.
#[test]
fn the_records_of_rfc_8448_are_read_and_made() {
    let content: Vec<u8> = (0..0x32).collect();
    let client =
        Secret::new(&hex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5")).expect("it fits");
    let server =
        Secret::new(&hex("a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643")).expect("it fits");
    // In the RFC, the server has sent a session ticket before, with sequence number 0; a hub sends
    // none.
    let from_client = hex(
        "17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea 42 f9 14 aa 66 bc ab 3f 2b 98 19 a8 \
         a5 b4 6b 39 5b d5 4a 9a 20 44 1e 2b 62 97 4e 1f 5a 62 92 a2 97 70 14 bd 1e 3d ea e6 3a ee bb 21 69 49 15 e4",
    );
    let from_server = hex(
        "17 03 03 00 43 2e 93 7e 11 ef 4a c7 40 e5 38 ad 36 00 5f c4 a4 69 32 fc 32 25 d0 5f 82 aa 1b 36 e3 0e fa f9 \
         7d 90 e6 df fc 60 2d cb 50 1a 59 a8 fc c4 9c 4b f2 e5 f0 a2 1c 00 47 c2 ab f3 32 54 0d d0 32 e1 67 c2 95 5d",
    );
    let client_closes = hex("17 03 03 00 13 c9 87 27 60 65 56 66 b7 4d 7f f1 15 3e fd 6d b6 d0 b0 e3");
    let server_closes = hex("17 03 03 00 13 b5 8f d6 71 66 eb f5 99 d2 47 20 cf be 7e fa 7a 88 64 a9");
    for (secret, number, data, closes) in
        [(client, 0, from_client, client_closes), (server, 1, from_server, server_closes)]
    {
        let mut sealer = Sealer::new(Suite::Aes128, secret.clone(), number);
        let mut made = Vec::new();
        sealer.data([&content[..]], &mut made);
        assert_eq!(made, data);
        made.clear();
        sealer.alert(Alert::CLOSE_NOTIFY, &mut made);
        assert_eq!(made, closes);
        if number == 0 {
            let (mut opener, mut read) = (opener(Suite::Aes128, secret), Vec::new());
            let brought = opener.push(&[data, closes].concat(), &mut read);
            assert_eq!((read, brought.end), (content.clone(), Some(End::Closed)));
        }
    }
}

/// A step of one side.
#[derive(Clone, Debug)]
enum Act {
    Say(Vec<Vec<u8>>),
    Update,
    /// The reader's process dies, and the next one goes on from a snapshot.
    Die,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let piece = prop_oneof![
        4 => proptest::collection::vec(any::<u8>(), 1..60),
        1 => proptest::collection::vec(any::<u8>(), 1..20_000),
    ];
    let act = prop_oneof![
        6 => proptest::collection::vec(piece, 1..4).prop_map(Act::Say),
        1 => Just(Act::Update),
        2 => Just(Act::Die),
    ];
    proptest::collection::vec(act, 1..20)
}

proptest! {
    /// However the bytes are divided, and however often the reader's process dies, all content is
    /// read. Content that is sealed again with the same secret and number, in other pieces, gives
    /// the same records.
    #[test]
    fn what_is_sealed_is_opened(acts in acts(), suite in 0_usize..3, step in 1_usize..9000) {
        let suite = Suite::ALL[suite];
        let mut sealer = Sealer::new(suite, secret(suite, 5), 0);
        let mut opener = opener(suite, secret(suite, 5));
        let (mut said, mut read) = (Vec::new(), Vec::new());
        for act in acts {
            let mut records = Vec::new();
            match act {
                Act::Say(pieces) => {
                    let (from, number) = (sealer.secret().clone(), sealer.sequence());
                    let tag = sealer.data(pieces.iter().map(|piece| &piece[..]), &mut records);
                    let whole = pieces.concat();
                    prop_assert_eq!(records.len(), sealed_len(whole.len()));
                    let mut again = Vec::new();
                    prop_assert_eq!(Sealer::new(suite, from, number).data([&whole[..]], &mut again), tag);
                    prop_assert_eq!(&again, &records);
                    said.extend(whole);
                }
                Act::Update => drop(sealer.update(false, &mut records)),
                Act::Die => {}
            }
            for part in records.chunks(step) {
                prop_assert_eq!(opener.push(part, &mut read), Brought::default());
                prop_assert!(opener.is_sound());
            }
            let (updates, now) = opener.secret();
            let now = now.expect("it is unlocked").clone();
            let saved = serde_json::to_string(&opener).expect("plain values");
            prop_assert!(!saved.contains("keys"), "{}", saved);
            opener = serde_json::from_str(&saved).expect("it is read");
            prop_assert!(!opener.is_unlocked());
            prop_assert_eq!(opener.secret().0, updates);
            opener.unlock(now);
        }
        prop_assert_eq!(said, read);
    }

    /// Random bytes end the reader in the same way however they are divided, and it never holds
    /// more than one record.
    #[test]
    fn any_bytes_end_a_connection_the_same_way_however_they_are_cut(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..400),
        as_data in any::<bool>(),
        step in 1_usize..50,
    ) {
        if as_data && bytes.len() > 5 {
            bytes[..4].copy_from_slice(&[23, 3, 3, 0]);
        }
        let run = |step: usize| {
            let (mut opener, mut content) = (opener(Suite::Aes128, secret(Suite::Aes128, 1)), Vec::new());
            let ends: Vec<_> = bytes.chunks(step).filter_map(|part| opener.push(part, &mut content).end).collect();
            (ends, content, opener.is_over())
        };
        let whole = run(usize::MAX);
        prop_assert!(whole.0.len() <= 1 && whole.1.is_empty());
        prop_assert_eq!(run(step), whole);
    }

    /// A record with any bit changed brings no content.
    #[test]
    fn a_changed_record_brings_nothing(at in 0_usize..60, bit in 0_u8..8) {
        let (mut records, mut content) = (Vec::new(), Vec::new());
        Sealer::new(Suite::ChaCha20, secret(Suite::ChaCha20, 3), 0).data([&[b'x'; 38][..]], &mut records);
        prop_assert_eq!(records.len(), 60);
        records[at] ^= 1 << bit;
        let mut opener = opener(Suite::ChaCha20, secret(Suite::ChaCha20, 3));
        let brought = opener.push(&[&records[..], &[0; 17_000]].concat(), &mut content);
        prop_assert!(matches!(brought.end, Some(End::Broken(_))), "{:?}", brought);
        prop_assert!(content.is_empty());
    }
}

/// Each rule that a client can break, and the alert that it is sent.
#[test]
fn each_broken_rule_has_its_alert() {
    let suite = Suite::Aes256;
    // Seals a record of any inner type, which `Sealer` cannot do.
    let seal = |kind: u8, content: &[u8], number: u64| {
        let keys = super::keys::Keys::of(suite, &secret(suite, 8));
        let mut sealed = [content, &[kind]].concat();
        let len = u16::try_from(sealed.len() + 16).expect("short").to_be_bytes();
        let head = [23, 3, 3, len[0], len[1]];
        let beside = aws_lc_rs::aead::Aad::from(&head[..]);
        let tag = keys.key.seal_in_place_separate_tag(keys.nonce(number), beside, &mut sealed).expect("short");
        [&head[..], &sealed, tag.as_ref()].concat()
    };
    let push = |records: &[u8]| {
        let (mut opener, mut content) = (opener(suite, secret(suite, 8)), Vec::new());
        (opener.push(records, &mut content).end, content, opener)
    };
    let broken = |records: &[u8]| match push(records) {
        (Some(End::Broken(alert)), _, opener) => {
            assert!(opener.is_over() && opener.is_sound());
            alert.0
        }
        (other, ..) => panic!("{other:?}"),
    };
    // Types that are not allowed after the handshake, encrypted or not; a record of nothing but
    // padding.
    for kind in [0, 1, 20, 24, 25, 255] {
        assert_eq!(broken(&seal(kind, if kind == 0 { &[0; 9] } else { b"x" }, 0)), 10, "type {kind}");
    }
    for kind in [20, 21, 22, 24, b'G', 0x80] {
        assert_eq!(broken(&[kind, 3, 3, 0, 1, 1]), 10, "outer type {kind}");
    }
    // Handshake messages: a ticket, a certificate request, a second client hello; malformed key
    // updates; bytes behind a key update; a handshake record without a message; another record
    // inside a message.
    for kind in [1, 4, 13] {
        assert_eq!(broken(&seal(22, &[kind, 0, 0, 1, 0], 0)), 10);
    }
    assert_eq!(broken(&seal(22, &[24, 0, 0, 2, 0, 0], 0)), 50);
    assert_eq!(broken(&seal(22, &[24, 1, 0, 1, 0], 0)), 50);
    assert_eq!(broken(&seal(22, &[24, 0, 0, 1, 2], 0)), 47);
    assert_eq!(broken(&seal(22, &[24, 0, 0, 1, 0, 24], 0)), 10);
    assert_eq!(broken(&seal(22, &[], 0)), 10);
    assert_eq!(broken(&[seal(22, &[24, 0], 0), seal(23, b"x", 1)].concat()), 10);
    // Alerts: of a wrong length; alerts by which the client ends.
    assert_eq!(broken(&seal(21, &[1], 0)), 50);
    assert_eq!(broken(&seal(21, &[1, 0, 0], 0)), 50);
    assert_eq!(push(&seal(21, &[2, 48], 0)).0, Some(End::GaveUp(Alert(48))));
    assert_eq!(push(&[seal(21, &[1, 90], 0), seal(21, &[1, 0], 1)].concat()).0, Some(End::Closed));
    // Too long, by the header's length and by the decrypted length.
    assert_eq!(broken(&[23, 3, 3, 0x41, 1]), 22);
    assert_eq!(broken(&seal(23, &[b'x'; (1 << 14) + 1], 0)), 22);
    assert_eq!(push(&seal(23, &[b'x'; 1 << 14], 0)).1.len(), 1 << 14);
    assert_eq!(broken(&[23, 3, 3, 0, 15]), 20);
    // Out of order: a record repeated, and a record left out.
    assert_eq!(broken(&[seal(23, b"a", 0), seal(23, b"a", 0)].concat()), 20);
    assert_eq!(broken(&seal(23, b"a", 1)), 20);
    // Padding is removed.
    assert_eq!(push(&seal(0, &[&b"hello"[..], &[23, 0, 0, 0]].concat(), 0)).1, b"hello");
    // Empty records: at most 32 in a row; a record with content starts the count again.
    let empty =
        |from: u64, count: u64| (from..from + count).flat_map(|number| seal(23, b"", number)).collect::<Vec<_>>();
    assert_eq!(push(&empty(0, 32)).0, None);
    assert_eq!(broken(&empty(0, 33)), 10);
    assert_eq!(push(&[empty(0, 32), seal(23, b"x", 32), empty(33, 32)].concat()).0, None);
    // Records behind the end are not read.
    let (end, content, mut opener) = push(&[seal(23, b"a", 0), seal(21, &[1, 0], 1), seal(23, b"b", 2)].concat());
    assert_eq!((end, &content[..]), (Some(End::Closed), &b"a"[..]));
    assert_eq!(opener.push(&seal(23, b"b", 2), &mut Vec::new()), Brought::default());
}

#[test]
fn key_updates_are_counted_and_answered_when_asked() {
    let suite = Suite::ChaCha20;
    let mut sealer = Sealer::new(suite, secret(suite, 2), 0);
    let mut opener = opener(suite, secret(suite, 2));
    let (mut records, mut content) = (Vec::new(), Vec::new());
    for number in 1..=40 {
        records.clear();
        sealer.update(false, &mut records);
        assert_eq!(sealer.sequence(), 0);
        sealer.data([&b"x"[..]], &mut records);
        // The records come byte by byte.
        for byte in records.chunks(1) {
            assert_eq!(opener.push(byte, &mut content), Brought::default());
        }
        assert_eq!(opener.secret().0, number);
        assert_eq!(opener.secret().1, Some(sealer.secret()));
    }
    assert_eq!(content.len(), 40);
    let worn = Sealer::new(suite, secret(suite, 2), super::seal::MOST_RECORDS);
    assert!(worn.is_worn() && !sealer.is_worn());
}

#[test]
fn long_content_becomes_records_that_every_client_takes() {
    for len in [1, MOST_WRITTEN - 1, MOST_WRITTEN, MOST_WRITTEN + 1, 5 * MOST_WRITTEN + 7] {
        let mut records = Vec::new();
        Sealer::new(Suite::Aes128, secret(Suite::Aes128, 1), 0).data([&vec![b'x'; len][..]], &mut records);
        assert_eq!(records.len(), len + len.div_ceil(MOST_WRITTEN) * BESIDE);
    }
    let mut nothing = Vec::new();
    Sealer::new(Suite::Aes128, secret(Suite::Aes128, 1), 0).data([], &mut nothing);
    assert!(nothing.is_empty());
}
