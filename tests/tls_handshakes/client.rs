//! A client, by the same library as the program.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::{default_provider, sign};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, SupportedCipherSuite};

/// How it speaks.
#[derive(Clone)]
pub(crate) struct Manner {
    pub(crate) suites: Vec<SupportedCipherSuite>,
    pub(crate) groups: Vec<&'static dyn SupportedKxGroup>,
    pub(crate) name: &'static str,
    /// A certificate and a key, as PEM. They need not belong together.
    pub(crate) shows: Option<(String, String)>,
}

impl Default for Manner {
    fn default() -> Self {
        let provider = default_provider();
        Self { suites: provider.cipher_suites, groups: provider.kx_groups, name: "chat.example.org", shows: None }
    }
}

/// Takes any certificate that the server has the key of, and keeps it.
#[derive(Debug, Default)]
struct Shown(Mutex<Option<CertificateDer<'static>>>);

impl ServerCertVerifier for Shown {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.0.lock().unwrap() = Some(own.clone().into_owned());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        unreachable!("TLS 1.3 alone")
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, own, signature, &default_provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

pub(crate) struct Client {
    pub(crate) tls: ClientConnection,
    pub(crate) stream: TcpStream,
    shown: Arc<Shown>,
}

impl Client {
    pub(crate) fn new(stream: TcpStream, manner: &Manner) -> Self {
        let provider = CryptoProvider {
            cipher_suites: manner.suites.clone(),
            kx_groups: manner.groups.clone(),
            ..default_provider()
        };
        let shown = Arc::new(Shown::default());
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(shown.clone());
        let config = match &manner.shows {
            Some((certificate, key)) => {
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                let certified = CertifiedKey::new(chain, sign::any_supported_type(&key).unwrap());
                config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
            }
            None => config.with_no_client_auth(),
        };
        let name = ServerName::try_from(manner.name).unwrap();
        Self { tls: ClientConnection::new(Arc::new(config), name).unwrap(), stream, shown }
    }

    /// Sends what there is to send, in one write.
    pub(crate) fn send(&mut self) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut bytes)?;
        }
        self.stream.write_all(&bytes)
    }

    /// Takes what comes; an error if it is an alert, or the end.
    fn receive(&mut self) -> Result<(), String> {
        match self.tls.read_tls(&mut self.stream) {
            Ok(0) => return Err("the end".to_owned()),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
        self.tls.process_new_packets().map(drop).map_err(|error| error.to_string())
    }

    /// Does the handshake until the last message of it is to be sent.
    pub(crate) fn almost(&mut self) -> Result<(), String> {
        loop {
            if !self.tls.is_handshaking() {
                return Ok(());
            }
            if self.tls.wants_write() {
                self.send().map_err(|error| error.to_string())?;
            }
            self.receive()?;
        }
    }

    /// Does the handshake, and says something right behind it, in the same write.
    pub(crate) fn shake(&mut self, behind: &str) -> Result<(), String> {
        self.almost()?;
        self.tls.writer().write_all(behind.as_bytes()).unwrap();
        self.send().map_err(|error| error.to_string())
    }

    #[track_caller]
    pub(crate) fn say(&mut self, text: &str) {
        self.tls.writer().write_all(text.as_bytes()).unwrap();
        self.send().unwrap();
    }

    /// Waits until it was told this, and nothing else.
    #[track_caller]
    pub(crate) fn hear(&mut self, text: &str) {
        let mut heard = vec![0; text.len()];
        let mut at = 0;
        while at < heard.len() {
            match self.tls.reader().read(&mut heard[at..]) {
                Ok(count) if count > 0 => at += count,
                Ok(_) => panic!("closed"),
                Err(_) => self.receive().unwrap(),
            }
        }
        assert_eq!(String::from_utf8_lossy(&heard), text);
    }

    /// All that it is told until these words have come.
    #[track_caller]
    pub(crate) fn hear_until(&mut self, words: &str) -> String {
        let mut heard = String::new();
        while !heard.contains(words) {
            let mut bytes = [0; 1024];
            match self.tls.reader().read(&mut bytes) {
                Ok(0) => panic!("closed before {words:?}: {heard}"),
                Ok(count) => heard.push_str(&String::from_utf8_lossy(&bytes[..count])),
                Err(_) => self.receive().unwrap_or_else(|why| panic!("{why} before {words:?}: {heard}")),
            }
        }
        heard
    }

    /// All that it is told until the other side says that there is no more; an error if it does not say so.
    pub(crate) fn hear_to_end(&mut self) -> Result<String, String> {
        let mut heard = String::new();
        loop {
            match self.tls.reader().read_to_string(&mut heard) {
                Ok(_) => return Ok(heard),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => self.receive()?,
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    /// The certificate that it was shown.
    pub(crate) fn shown(&self) -> CertificateDer<'static> {
        self.shown.0.lock().unwrap().clone().expect("a handshake")
    }
}
