//! The `chathub` binary: arguments, handed-over sockets, runtime, exit code.

use std::io::{self, ErrorKind, Write};

use chathub::cli::{CheckConfigArgs, Cli, DoctorArgs, Program};
use chathub::exit::Exit;
use chathub::values::plain::Plain;
use chathub::{config, ctl, doctor, kernel, serve};

fn main() -> Exit {
    let cli = match Cli::of_process() {
        Ok(cli) => cli,
        Err(error) => {
            let printed = error.print();
            return if error.use_stderr() { Exit::Usage } else { written(printed, Exit::Done) };
        }
    };
    match &cli.program {
        Program::Serve(args) => serve::run(args),
        Program::CheckConfig(args) => check_config(args),
        Program::Doctor(args) => examine(args),
        Program::Ctl(args) => ctl::run(args),
    }
}

fn examine(args: &DoctorArgs) -> Exit {
    let columns = terminal_size::terminal_size_of(io::stdout()).map(|(columns, _)| usize::from(columns.0));
    let (text, exit) = doctor::run(args, columns);
    written(std::io::stdout().write_all(text.as_bytes()), exit)
}

fn check_config(args: &CheckConfigArgs) -> Exit {
    // All output is gathered first: whether anybody reads it must not change the exit code.
    let (mut out, mut complaints) = (Vec::new(), Vec::new());
    let checked = config::check(args.file.as_deref(), &mut out, &mut complaints);
    let _ = std::io::stderr().write_all(&complaints);
    written(std::io::stdout().write_all(&out), checked.unwrap_or(Exit::Config))
}

/// The exit code of a program whose answer was written with this result; `exit` unless writing
/// failed.
fn written(answer: io::Result<()>, exit: Exit) -> Exit {
    match answer.and_then(|()| kernel::has_output()).and_then(|()| std::io::stdout().flush()) {
        // A reader that has seen enough and closed the pipe is no failure.
        Err(error) if error.kind() != ErrorKind::BrokenPipe && exit == Exit::Done => {
            let _ = writeln!(std::io::stderr(), "chathub: cannot write the answer: {}", Plain(error));
            Exit::Refused
        }
        _ => exit,
    }
}
