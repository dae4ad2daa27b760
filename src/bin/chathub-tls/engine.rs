//! The settings of the TLS library for handshakes, and the certificate for each client.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, ServerConfig, ServerConnection};

use super::choice::choose;
use super::client_certificate::AnyKey;
use super::pair::Pair;
use super::secrets::Kept;

/// Begins handshakes with a certain set of certificates.
#[derive(Debug)]
pub(crate) struct Engine {
    config: ServerConfig,
    pairs: Arc<Pairs>,
}

#[derive(Debug)]
struct Pairs(Vec<Pair>);

impl ResolvesServerCert for Pairs {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let fits = |at: usize| {
            self.0.get(at).is_some_and(|pair| pair.certified.key.choose_scheme(hello.signature_schemes()).is_some())
        };
        let names = self.0.iter().map(|pair| pair.names.as_slice());
        // A client that can use none gets one all the same: the library then finds what they do not have
        // in common, and sends `handshake_failure`. Without a certificate it sends `access_denied`.
        let chosen = choose(names.clone(), hello.server_name(), fits)
            .or_else(|| choose(names, hello.server_name(), |_| true))?;
        self.0.get(chosen).map(|pair| pair.certified.clone())
    }
}

/// TLS 1.3 alone, with the cipher suites that the hub knows. Among the groups, the client's order
/// decides.
fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1],
        ..default_provider()
    }
}

impl Engine {
    /// An engine with these certificates, which asks clients for theirs if `client_certificates` is
    /// true.
    pub(crate) fn new(pairs: Vec<Pair>, client_certificates: bool) -> Result<Self, Error> {
        let (provider, pairs) = (provider(), Arc::new(Pairs(pairs)));
        let verifier = AnyKey(provider.signature_verification_algorithms);
        let builder = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?;
        let builder = if client_certificates {
            builder.with_client_cert_verifier(Arc::new(verifier))
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_cert_resolver(pairs.clone());
        // Nothing is kept by which a later connection could resume this one: no tickets, no
        // sessions, no early data.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.max_early_data_size = 0;
        config.enable_secret_extraction = true;
        Ok(Self { config, pairs })
    }

    /// The certificates with their keys.
    pub(crate) fn pairs(&self) -> &[Pair] {
        &self.pairs.0
    }

    /// Begins a handshake. Its traffic secrets will be in the second value.
    pub(crate) fn begin(&self) -> Result<(ServerConnection, Arc<Kept>), Error> {
        let kept = Arc::new(Kept::default());
        let mut config = self.config.clone();
        config.key_log = kept.clone();
        Ok((ServerConnection::new(Arc::new(config))?, kept))
    }
}
