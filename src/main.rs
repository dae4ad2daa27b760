//! The `chathub` binary: arguments, handed-over sockets, runtime, exit code.

use std::io::Write;

use chathub::cli::{CheckConfigArgs, Cli, Program};
use chathub::exit::Exit;
use chathub::{config, ctl, serve};

fn main() -> Exit {
    let cli = match Cli::of_process() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print(); // a closed pipe is no reason for another complaint
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    match &cli.program {
        Program::Serve(args) => serve::run(args),
        Program::CheckConfig(args) => check_config(args),
        Program::Ctl(args) => ctl::run(args),
    }
}

fn check_config(args: &CheckConfigArgs) -> Exit {
    // Gathered first: whether anybody reads it must not change what came out.
    let (mut out, mut complaints) = (Vec::new(), Vec::new());
    let checked = config::check(args.file.as_deref(), &mut out, &mut complaints);
    let _ = std::io::stdout().write_all(&out);
    let _ = std::io::stderr().write_all(&complaints);
    checked.unwrap_or(Exit::Config)
}
