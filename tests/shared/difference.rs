//! The difference of two texts that should be equal.

use std::fmt::Write as _;

/// The lines that differ, between the lines that both texts have in common at the beginning and at
/// the end.
pub(crate) struct Difference<'a> {
    before: Vec<&'a str>,
    old: Vec<&'a str>,
    new: Vec<&'a str>,
    after: Vec<&'a str>,
}

impl<'a> Difference<'a> {
    pub(crate) fn between(old: &'a str, new: &'a str) -> Self {
        let (mut old, mut new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
        let head = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
        let (before, rest) = (new[..head].to_vec(), (&old[head..], &new[head..]));
        let tail = rest.0.iter().rev().zip(rest.1.iter().rev()).take_while(|(one, other)| one == other).count();
        let after = new.split_off(new.len() - tail);
        old.truncate(old.len() - tail);
        Self { before, old: old.split_off(head), new: new.split_off(head), after }
    }

    /// The lines that differ: with `-` those of the old text, with `+` those of the new one.
    pub(crate) fn changed(&self) -> String {
        let mut text = format!("@@ from line {} @@\n", self.before.len() + 1);
        write(&mut text, "-", &self.old);
        write(&mut text, "+", &self.new);
        text
    }

    /// All lines of both texts, for reading the difference in its context.
    pub(crate) fn whole(&self) -> String {
        let mut text = String::new();
        for (mark, lines) in [("  ", &self.before), ("- ", &self.old), ("+ ", &self.new), ("  ", &self.after)] {
            write(&mut text, mark, lines);
        }
        text
    }
}

fn write(text: &mut String, mark: &str, lines: &[&str]) {
    for line in lines {
        let _ = writeln!(text, "{mark}{line}");
    }
}
