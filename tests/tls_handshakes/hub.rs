//! The hub, played: takes what is handed over, and carries records with the secrets.

use std::io::{IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, HKDF_SHA384, KeyType, Prk};
use chathub::wire::tls::handover::Handover;
use chathub::wire::tls::suite::{Secret, Suite};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, UCred};

use crate::program::{PATIENCE, patient};

/// The socket on which connections are handed over.
pub(crate) struct Played(pub(crate) UnixDatagram);

/// One that was handed over.
pub(crate) struct Taken {
    pub(crate) handover: Handover,
    pub(crate) stream: TcpStream,
    pub(crate) from: UCred,
    reads: Way,
    writes: Way,
}

impl Played {
    pub(crate) fn at(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        rustix::net::sockopt::set_socket_passcred(&socket, true).unwrap();
        Self(socket)
    }

    /// Takes the next.
    #[track_caller]
    pub(crate) fn take(&self) -> Taken {
        let mut bytes = [0; 512];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2), ScmCredentials(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let message = rustix::net::recvmsg(&self.0, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC).unwrap();
        let (mut descriptors, mut from) = (Vec::new(), None);
        for control in control.drain() {
            match control {
                RecvAncillaryMessage::ScmRights(some) => descriptors.extend(some),
                RecvAncillaryMessage::ScmCredentials(who) => from = Some(who),
                _ => {}
            }
        }
        let handover = Handover::decode(&bytes[..message.bytes]).expect("the form that was agreed on");
        assert_eq!(descriptors.len(), 1);
        let stream = TcpStream::from(descriptors.remove(0));
        // It comes as the runtime of the other program had it.
        stream.set_nonblocking(false).unwrap();
        let (reads, writes) = (Way::new(handover.suite, &handover.client), Way::new(handover.suite, &handover.server));
        Taken { handover, stream: patient(stream), from: from.expect("who sends it"), reads, writes }
    }
}

impl Taken {
    /// Reads a record; returns its type and what is in it.
    #[track_caller]
    pub(crate) fn read(&mut self) -> (u8, Vec<u8>) {
        let mut header = [0; 5];
        self.stream.read_exact(&mut header).unwrap();
        let mut sealed = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
        self.stream.read_exact(&mut sealed).unwrap();
        let nonce = self.reads.nonce();
        let mut open = self.reads.key.open_in_place(nonce, Aad::from(header), &mut sealed).expect("its tag").to_vec();
        let kind = open.pop().unwrap();
        (kind, open)
    }

    /// What the client has said, in one record.
    #[track_caller]
    pub(crate) fn hear(&mut self) -> String {
        let (kind, text) = self.read();
        assert_eq!(kind, 23);
        String::from_utf8(text).unwrap()
    }

    /// Says something.
    #[track_caller]
    pub(crate) fn say(&mut self, text: &str) {
        let mut sealed = [text.as_bytes(), &[23]].concat();
        let len = u16::try_from(sealed.len() + 16).unwrap().to_be_bytes();
        let header = [23, 3, 3, len[0], len[1]];
        let nonce = self.writes.nonce();
        self.writes.key.seal_in_place_append_tag(nonce, Aad::from(header), &mut sealed).unwrap();
        self.stream.write_all(&[&header[..], &sealed].concat()).unwrap();
    }
}

/// One direction: its key, and what nonces are made of.
struct Way {
    key: LessSafeKey,
    iv: [u8; 12],
    sequence: u64,
}

struct Len(usize);

impl KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

impl Way {
    /// From a traffic secret, as in section 7.3 of RFC 8446.
    fn new(suite: Suite, secret: &Secret) -> Self {
        let (algorithm, hash): (&'static Algorithm, _) = match suite {
            Suite::Aes128 => (&AES_128_GCM, HKDF_SHA256),
            Suite::Aes256 => (&AES_256_GCM, HKDF_SHA384),
            Suite::ChaCha20 => (&CHACHA20_POLY1305, HKDF_SHA256),
        };
        let prk = Prk::new_less_safe(hash, secret.bytes());
        let expand = |label: &str, into: &mut [u8]| {
            let info = [
                &[0, u8::try_from(into.len()).unwrap(), u8::try_from(6 + label.len()).unwrap()],
                b"tls13 ".as_slice(),
                label.as_bytes(),
                &[0],
            ];
            prk.expand(&info, Len(into.len())).unwrap().fill(into).unwrap();
        };
        let (mut key, mut iv) = (vec![0; algorithm.key_len()], [0; 12]);
        expand("key", &mut key);
        expand("iv", &mut iv);
        Self { key: LessSafeKey::new(UnboundKey::new(algorithm, &key).unwrap()), iv, sequence: 0 }
    }

    fn nonce(&mut self) -> Nonce {
        let mut nonce = self.iv;
        nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()).for_each(|(byte, number)| *byte ^= number);
        self.sequence += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}
