//! The arguments of `chathub-tls`.

use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::length::handshake_time;
use super::serve::listen_address;

/// Where connections are handed over to the hub.
pub const HANDOVER_SOCKET: &str = "/run/chathub/handover.sock";

/// Do the TLS handshakes of a chat hub, and hand the connections over to it.
///
/// It has the certificates and their private keys; the hub has none, and carries what is said. Without --certificate it
/// takes those that systemd has put into $CREDENTIALS_DIRECTORY: cert and key, cert2 and key2, and so on. Sockets that
/// were handed over by a service manager win: then --listen is not used.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "chathub-tls",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  chathub-tls self-signed --name chat.example.org /etc/chathub/tls
  chathub-tls --check --certificate /etc/chathub/tls/cert.pem --key /etc/chathub/tls/key.pem
  chathub-tls --listen 127.0.0.1:6970 --certificate cert.pem --key key.pem --handover /tmp/hub/handover.sock"
)]
pub struct TlsArgs {
    /// What to do instead of handshakes.
    #[command(subcommand)]
    pub command: Option<TlsCommand>,

    /// A certificate; may be repeated.
    #[arg(
        long,
        value_name = "FILE",
        long_help = "A certificate; may be repeated.\n\n\
            The file is PEM: the server's own certificate first, then those up to the authority. Each needs its --key, \
            in the same order. A client gets the first that has the name it asks for, else the first of all."
    )]
    pub certificate: Vec<PathBuf>,

    /// The private key of a certificate; may be repeated.
    #[arg(
        long,
        value_name = "FILE",
        long_help = "The private key of a certificate; may be repeated.\n\n\
            The file is PEM, without a passphrase: PKCS #8, PKCS #1 (RSA) or SEC 1 (EC)."
    )]
    pub key: Vec<PathBuf>,

    /// Look at the certificates, say what they are, and end.
    #[arg(
        long,
        long_help = "Look at the certificates, say what they are, and end.\n\n\
            Names, the end of validity and fingerprints are printed. The exit code is 0 if all of them can be used, 8 if \
            one expires within 14 days, and 78 if one cannot be used."
    )]
    pub check: bool,

    /// Listen on this address; may be repeated.
    #[arg(
        long,
        value_name = "ADDR",
        value_parser = listen_address,
        long_help = "Listen on this address; may be repeated.\n\n\
            An IPv6 address stands in brackets, as in [::1]:6970. With port 0 the system chooses one, which is logged."
    )]
    pub listen: Vec<SocketAddr>,

    /// Hand connections over to the hub on this socket.
    #[arg(long, value_name = "PATH", default_value = HANDOVER_SOCKET)]
    pub handover: PathBuf,

    /// Ask clients for a certificate.
    #[arg(
        long,
        long_help = "Ask clients for a certificate.\n\n\
            Nobody needs one. Any is taken, self-signed and expired ones as well: what counts is that the client has its \
            private key, and the hub is told the SHA-256 of its public key."
    )]
    pub client_certificates: bool,

    /// The port for those who speak without encryption, which they are told; 0 if there is none.
    #[arg(long, value_name = "PORT", default_value = "6969")]
    pub plain_port: u16,

    /// Handshakes under way at a time; one more takes the place of the oldest.
    #[arg(long, value_name = "N", default_value = "256")]
    pub handshakes: NonZeroUsize,

    /// Those of one IPv4 address, or of one IPv6 network of 64 bits; one more takes the place of its oldest.
    #[arg(long, value_name = "N", default_value = "16")]
    pub per_address: NonZeroUsize,

    /// How long a handshake may take.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = handshake_time)]
    pub handshake_time: Duration,

    /// KiB that a client may send in a handshake.
    #[arg(long, value_name = "KIB", default_value = "64")]
    pub handshake_kib: NonZeroU16,

    /// How long a connection waits until the hub takes it; then its client is told so.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = handshake_time)]
    pub hub_time: Duration,

    /// Connections that wait for the hub before no more are accepted.
    #[arg(long, value_name = "N", default_value = "64")]
    pub waiting: NonZeroUsize,

    /// Log each handshake that fails, with the client's address and the reason.
    #[arg(long)]
    pub verbose: bool,
}

/// What `chathub-tls` does instead of handshakes.
#[derive(Clone, Debug, Subcommand)]
pub enum TlsCommand {
    /// Make a certificate for trying out, which no authority has signed, and its private key.
    ///
    /// It writes cert.pem and key.pem into the directory, and overwrites nothing. Clients that look at certificates do
    /// not trust it, until they are told to.
    SelfSigned {
        /// A name or address by which the hub is reached; may be repeated.
        #[arg(long, value_name = "HOST", required = true)]
        name: Vec<String>,

        /// For how many days it is valid.
        #[arg(long, value_name = "N", default_value = "365", value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,

        /// The directory; it is made if there is none.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

impl TlsArgs {
    /// The arguments of this process.
    ///
    /// # Errors
    /// What is to be printed instead: a complaint, or the help or version that was asked for.
    pub fn of_process() -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = super::slips::matches(&mut command, std::env::args_os())?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }

    /// The command line, for the manual page.
    #[must_use]
    pub fn definition() -> clap::Command {
        Self::command()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declaration_is_sound() {
        TlsArgs::definition().debug_assert();
    }
}
