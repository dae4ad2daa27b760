//! tmux: a real terminal, in which a person's program runs, and whose screen can be read.

use std::collections::VecDeque;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::stage::Daemon;

/// A terminal with a program in it.
pub(crate) struct Terminal {
    dir: TempDir,
    pub(crate) daemon: Daemon,
    /// What was asked of tmux last, for the story.
    done: VecDeque<String>,
}

/// What is on its screen.
pub(crate) struct Seen {
    pub(crate) rows: Vec<String>,
    /// The column and row of the cursor.
    pub(crate) cursor: (usize, usize),
}

impl Terminal {
    /// So many columns wide and rows high, with `program` in it.
    pub(crate) fn with(daemon: Daemon, (cols, rows): (usize, usize), program: &str) -> Self {
        let terminal = Self { dir: TempDir::new().unwrap(), daemon, done: VecDeque::new() };
        let config = "set -g status off\nset -g default-terminal tmux-256color\nset -g remain-on-exit on\n\
                      set -s escape-time 0\n";
        std::fs::write(terminal.dir.path().join("conf"), config).unwrap();
        let size = [cols.to_string(), rows.to_string()];
        terminal.tmux(&["new-session", "-d", "-x", &size[0], "-y", &size[1], program]);
        terminal
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        let path = |name: &str| self.dir.path().join(name);
        command.args(["-u", "-f"]).arg(path("conf")).arg("-S").arg(path("socket")).args(args);
        command.env("LC_ALL", "C.UTF-8").env_remove("TMUX").env("TERM", "xterm-256color").stdin(Stdio::null());
        command
    }

    #[track_caller]
    pub(crate) fn tmux(&self, args: &[&str]) -> String {
        self.daemon.story.tell("tmux", ">", args.join(" ").as_bytes());
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(crate) fn seen(&self) -> Seen {
        // In one go, so that both are of one moment.
        let args = ["capture-pane", "-p", ";", "display-message", "-p", "#{cursor_x} #{cursor_y}"];
        let output = self.command(&args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut rows: Vec<_> = text.lines().map(|row| row.trim_end().to_owned()).collect();
        let cursor = rows.pop().unwrap_or_default();
        let (col, row) = cursor.split_once(' ').unwrap_or(("0", "0"));
        Seen { rows, cursor: (col.parse().unwrap_or(0), row.parse().unwrap_or(0)) }
    }

    /// Looks at its screen until it is right; `fault` says what is wrong with it.
    #[track_caller]
    pub(crate) fn shows(&self, mut fault: impl FnMut(&Seen) -> Option<String>) {
        loop {
            let seen = self.seen();
            let Some(wrong) = fault(&seen) else { return };
            if self.daemon.deadline.is_over() {
                let done: Vec<_> = self.done.iter().cloned().collect();
                panic!("{wrong}\ncursor at {:?} of\n{}\nafter {}", seen.cursor, seen.rows.join("\n"), done.join(", "));
            }
        }
    }

    pub(crate) fn types(&mut self, text: &str) {
        self.note(&format!("{text:?}"));
        self.tmux(&["send-keys", "-l", text]);
    }

    pub(crate) fn hits(&mut self, key: &str) {
        self.note(key);
        self.tmux(&["send-keys", key]);
    }

    pub(crate) fn note(&mut self, what: &str) {
        self.done.push_back(what.to_owned());
        if self.done.len() > 40 {
            self.done.pop_front();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.command(&["kill-server"]).stderr(Stdio::null()).status();
    }
}
