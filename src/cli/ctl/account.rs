//! The arguments of `ctl account`.

use clap::Subcommand;

use super::text;
use crate::cli::words::role;
use crate::wire::admin::value::{Role, Text};

/// The commands of `chathub ctl account`.
#[derive(Clone, Debug, Subcommand)]
pub enum AccountCommand {
    /// Make an account.
    ///
    /// Its password is asked for, unless one of the options says otherwise.
    #[command(after_help = "\
Examples:
  chathub ctl account add ann --role operator
  pwgen 16 1 | tee ann.password | chathub ctl account add ann --password-stdin")]
    Add {
        /// Its name.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
        /// What it may do.
        #[arg(long, value_name = "ROLE", value_parser = role(), default_value = "member")]
        role: Role,
        /// Read the password from the first line of standard input.
        #[arg(long, conflicts_with = "no_password")]
        password_stdin: bool,
        /// Nobody can log in until it has a password; the name is kept all the same.
        #[arg(long)]
        no_password: bool,
    },

    /// List the accounts.
    List,

    /// Tell all about one account, and which certificates log in to it.
    Show {
        /// Its name.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
    },

    /// Have a certificate log in to an account.
    ///
    /// A client that shows it, by TLS, is logged in as soon as it comes; no password is needed. There can be five. The
    /// fingerprint is SHA-256 of the certificate's public key.
    #[command(after_help = "\
Example:
  openssl x509 -in ann.pem -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum
  chathub ctl account certify ann 5f3a...")]
    Certify {
        /// The name of the account.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
        /// 64 hexadecimal digits, with or without colons.
        #[arg(value_name = "FINGERPRINT", value_parser = text::<95>)]
        fingerprint: Text<95>,
    },

    /// Have a certificate of an account log in no longer.
    ///
    /// Who is logged in stays; "chathub ctl kick" disconnects them.
    Uncertify {
        /// The name of the account.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
        /// 64 hexadecimal digits, as "chathub ctl account show" tells them.
        #[arg(value_name = "FINGERPRINT", value_parser = text::<95>)]
        fingerprint: Text<95>,
    },

    /// Give an account another password.
    Passwd {
        /// Its name.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
        /// Read the password from the first line of standard input.
        #[arg(long)]
        password_stdin: bool,
    },

    /// Let an account be tried again at once.
    ///
    /// Strangers who guess its password slow each other, and its owner where nobody has logged in to it before.
    /// This forgets what they have tried; so does another password.
    Unlock {
        /// Its name.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
    },

    /// Give an account another role.
    Role {
        /// Its name.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
        /// What it may do.
        #[arg(value_name = "ROLE", value_parser = role())]
        role: Role,
    },

    /// Remove an account.
    ///
    /// What was said under its name stays; who is logged in to it is a guest from then on.
    Remove {
        /// Its name.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
    },

    /// Remove an account and all that was said under its name.
    ///
    /// In memory, on disk and for searches, for good. Copies that were made before still have it. Whoever sits at a
    /// terminal is asked whether that is meant; elsewhere it needs --yes.
    Erase {
        /// Its name.
        #[arg(value_name = "NAME", value_parser = text::<256>)]
        name: Text<256>,
        /// Do it, without asking.
        #[arg(long)]
        yes: bool,
    },
}
