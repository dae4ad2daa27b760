//! The texts for people that come from the table: the shipped file, the README's table, the notes on a setting.

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

/// What is allowed and whether a change needs a restart, in sentences.
#[must_use]
pub fn note(setting: &Setting) -> String {
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
