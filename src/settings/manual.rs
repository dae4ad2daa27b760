//! The texts for people that come from the table: the shipped file, the README's table, the manual page.

use std::fmt::Write as _;

use super::{Applies, SECTIONS, SETTINGS, Setting};

/// Writing to a `String` cannot fail.
const INFALLIBLE: &str = "a string takes all that is written to it";

/// The configuration file as it is installed: every setting with its default, commented out.
#[must_use]
pub fn shipped() -> String {
    let mut file = String::from(
        "\
# Configuration of chathub, in TOML. The manual page chathub.toml(5) says the same.
#
# Every setting stands here with its default. To change one, remove the \"# \" before its name, or
# write it into a file of your own, /etc/chathub/conf.d/*.toml, under the same [section]: those
# files are read after this one in the order of their names, and the last to set something wins.
#
# `chathub check-config` finds mistakes. `systemctl reload chathub` or `chathub ctl reload` applies
# changes, except to settings marked \"Needs a restart\"; with any mistake, all stays as it was.
",
    );
    for section in SECTIONS {
        write!(file, "\n\n{}[{}]\n", wrap(&plain(section.doc()), "# ", 98), section.name).expect(INFALLIBLE);
        for setting in section.settings() {
            let (doc, note) = (wrap(&plain(setting.doc()), "# ", 98), wrap(&note(setting), "# ", 98));
            write!(file, "\n{doc}{note}# {} = {}\n", setting.name, setting.default()).expect(INFALLIBLE);
        }
    }
    file
}

/// The table of the README.
#[must_use]
pub fn markdown_table() -> String {
    let mut table = String::from("| setting | default | allowed | what it is |\n| --- | --- | --- | --- |\n");
    for setting in SETTINGS {
        let restart = match setting.applies {
            Applies::Live => "",
            Applies::Restart => " *Needs a restart.*",
        };
        let (allowed, doc) = (setting.allowed(), setting.doc());
        let cells = [
            format!("`{}`", setting.key),
            format!("`{}`", setting.default()),
            allowed.replace('|', "\\|"),
            format!("{}{restart}", doc.replace('|', "\\|")),
        ];
        writeln!(table, "| {} |", cells.join(" | ")).expect(INFALLIBLE);
    }
    table
}

/// The manual page chathub.toml(5).
#[must_use]
pub fn roff() -> String {
    let mut page = String::from(
        r#".\" Generated from the table in src/settings/table.rs; see tests/docs.rs.
.TH CHATHUB.TOML 5 "" chathub "File formats"
.\" Names of settings must not be broken, nor lines spread out.
.nh
.ad l
.SH NAME
chathub.toml \- configuration of the chat hub
.SH SYNOPSIS
.I /etc/chathub/chathub.toml
.br
.I /etc/chathub/conf.d/*.toml
.SH DESCRIPTION
.BR chathub (8)
reads its settings from
.IR /etc/chathub/chathub.toml ,
and then from the files in
.I /etc/chathub/conf.d
whose names end in
.IR .toml ,
in the order of their names; hidden files are left out.
When several files give a value to a setting, the last one wins.
No file is needed: every setting has a default.
With
.B \-\-config
.IR FILE ,
that file is read alone, and it must exist;
the files in
.I conf.d
are added only if
.I FILE
is
.I /etc/chathub/chathub.toml
itself.
.PP
The files are TOML, in UTF\-8, and at most 1 MiB each.
Settings stand in sections, as in
.PP
.RS
.nf
[limits]
clients = 20000
.fi
.RE
.PP
An unknown section, an unknown setting, a setting that stands twice in one file,
and a value that is not allowed are mistakes.
.B chathub check\-config
.RI [ FILE ]
finds them all, and names for each the file, the line, the setting, and what is allowed.
With a mistake the service does not start.
.PP
.B systemctl reload chathub
and
.B chathub ctl reload
read the files again.
With any mistake, all settings stay as they were.
Settings marked
.I needs a restart
take effect when the service is started again.
.SS Values
.TP
number
A whole number, as in
.BR 1000 .
.TP
size
A number of bytes, as in
.BR 4096 ,
or text with one of the units B, KiB, MiB and GiB, as in
.BR \(dq4KiB\(dq .
.TP
time
Text with numbers and units, as in
.BR \(dq90s\(dq ,
.B \(dq5min\(dq
or
.BR "\(dq1h 30min\(dq" ;
units are ms, s, min, h and some more.
Where a time may be switched off,
.B \(dqoff\(dq
or
.B \(dq0s\(dq
does it.
.TP
text
In quotation marks, on one line.
.SH SETTINGS
"#,
    );
    for section in SECTIONS {
        write!(page, ".SS [{}]\n{}\n", section.name, sentences(section.doc())).expect(INFALLIBLE);
        for setting in section.settings() {
            // A dash would break the line at it, and a quotation mark ends a macro's argument.
            let default = escape(&setting.default());
            let (key, doc, note) = (escape(setting.key), sentences(setting.doc()), sentences(&note(setting)));
            write!(page, ".TP\n\\fB{key}\\fR = {default}\n{doc}\n.br\n{note}\n").expect(INFALLIBLE);
        }
    }
    page.push_str(
        r".SH FILES
.TP
.I /etc/chathub/chathub.toml
The main file. As installed, it has every setting with its default, commented out.
.TP
.I /etc/chathub/conf.d/*.toml
Further files, read after the main file. An upgrade of the package never touches them.
.SH EXAMPLES
A hub for a workshop of 200 people who share one address, in
.IR /etc/chathub/conf.d/workshop.toml :
.PP
.RS
.nf
[hub]
name = \(dqworkshop\(dq
greeting = \(dqThe schedule is in /topic.\(dq

[limits]
clients_per_address = 200
.fi
.RE
.PP
Disconnect whoever cannot keep up, and notice machines that are gone sooner:
.PP
.RS
.nf
[slow]
behind = \(dq256KiB\(dq
policy = \(dqclose\(dq

[tcp]
keepalive = \(dq20s\(dq
user_timeout = \(dq30s\(dq
.fi
.RE
.PP
Check the files, and apply them without disturbing anybody:
.PP
.RS
.nf
chathub check\-config && systemctl reload chathub
.fi
.RE
.SH SEE ALSO
.BR chathub (8),
.BR systemctl (1),
.BR systemd.socket (5)
.PP
TOML: https://toml.io/
",
    );
    page
}

/// What is allowed and whether a change needs a restart, in sentences.
fn note(setting: &Setting) -> String {
    let restart = match setting.applies {
        Applies::Live => "",
        Applies::Restart => " Needs a restart.",
    };
    format!("Allowed: {}.{restart}", setting.allowed())
}

/// Without the marks of Markdown.
fn plain(doc: &str) -> String {
    doc.replace('`', "")
}

/// Words in lines of at most `width` characters, each line with `prefix` before it.
fn wrap(text: &str, prefix: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && prefix.len() + line.chars().count() + 1 + word.chars().count() > width {
            writeln!(lines, "{prefix}{line}").expect(INFALLIBLE);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        writeln!(lines, "{prefix}{line}").expect(INFALLIBLE);
    }
    lines
}

/// Text for a manual page: each sentence on its own line, what stands in backquotes in bold.
fn sentences(doc: &str) -> String {
    let mut text = String::new();
    for (turn, part) in escape(doc).split('`').enumerate() {
        if turn % 2 == 1 {
            write!(text, "\\fB{part}\\fR").expect(INFALLIBLE);
        } else {
            text.push_str(&part.replace(". ", ".\n"));
        }
    }
    text.lines().map(guard).collect::<Vec<_>>().join("\n")
}

/// A line that begins with a dot or an apostrophe would be a request.
fn guard(line: &str) -> String {
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() }
}

/// Characters that mean something else to roff than to a reader, or that it would make prettier.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for char in text.chars() {
        match char {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '\'' => escaped.push_str("\\(aq"),
            '"' => escaped.push_str("\\(dq"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            char => escaped.push(char),
        }
    }
    escaped
}
