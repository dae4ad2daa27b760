//! The `chathub` binary: arguments, handed-over sockets, runtime, exit code.

use chathub::cli::{CheckConfigArgs, Cli, Program, ServeArgs};
use chathub::ctl;
use chathub::exit::Exit;
use clap::Parser;

fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print(); // a closed pipe is no reason for another complaint
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    match &cli.program {
        Program::Serve(args) => serve(args),
        Program::CheckConfig(args) => check_config(args),
        Program::Ctl(args) => ctl::run(args),
    }
}

/// Seam: the daemon's `serve::run` takes its place.
fn serve(_args: &ServeArgs) -> Exit {
    eprintln!("chathub: this build has no daemon");
    Exit::Unavailable
}

/// Seam: the settings' check takes its place.
fn check_config(_args: &CheckConfigArgs) -> Exit {
    eprintln!("chathub: this build has no settings");
    Exit::Unavailable
}
