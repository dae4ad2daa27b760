//! The commands of the admin protocol, from their schemas.

use std::io;

use super::screen::Screen;
use super::table::{Side, Table};
use crate::ctl::schema;
use crate::wire::admin::describe::Description;

pub(in crate::ctl) fn commands(to: &mut Screen<'_>, description: &Description) -> io::Result<()> {
    let mut table =
        Table::new(&[("COMMAND", Side::Left), ("EFFECT", Side::Left), ("REPLIES", Side::Left), ("ABOUT", Side::Left)]);
    for command in &description.commands {
        let effect = if command.changes { "changes" } else { "reads" };
        table.row([command.name.clone(), effect.into(), command.replies.replace('_', " "), command.about.clone()]);
    }
    table.print(to, "command")
}

pub(in crate::ctl) fn command(to: &mut Screen<'_>, description: &Description) -> io::Result<()> {
    for command in &description.commands {
        to.line(&format!("{}: {}", command.name, command.about))?;
        for (heading, schema) in [("ARGUMENT", &command.args), ("RESULT", &command.result)] {
            let columns: &[_] = match heading {
                "ARGUMENT" => {
                    &[("ARGUMENT", Side::Left), ("TYPE", Side::Left), ("", Side::Left), ("ABOUT", Side::Left)]
                }
                _ => &[("RESULT", Side::Left), ("TYPE", Side::Left), ("", Side::Left), ("ABOUT", Side::Left)],
            };
            let mut table = Table::new(columns);
            for field in schema::fields(schema) {
                let need = if field.required { "always" } else { "optional" };
                table.row([field.name, field.kind, need.into(), field.about]);
            }
            if !table.is_empty() {
                to.line("")?;
                table.print_rows(to)?;
            }
        }
    }
    Ok(())
}
