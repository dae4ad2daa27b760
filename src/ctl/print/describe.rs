//! Prints the commands of the admin protocol, from their schemas.

use std::io;

use super::screen::Screen;
use super::table::{Table, left};
use crate::ctl::schema;
use crate::wire::admin::Level;
use crate::wire::admin::describe::Description;

pub(in crate::ctl) fn commands(to: &mut Screen<'_>, description: &Description) -> io::Result<()> {
    let about = left("ABOUT").telling();
    let mut table =
        Table::new([left("COMMAND"), left("LEVEL").spare(2), left("EFFECT"), left("REPLIES").spare(1), about]);
    for command in &description.commands {
        let effect = if command.changes { "changes" } else { "reads" };
        let (level, replies) = (command.level.word().to_owned(), command.replies.replace('_', " "));
        table.row([command.name.clone(), level, effect.into(), replies, command.about.clone()]);
    }
    table.print(to, "command")
}

pub(in crate::ctl) fn command(to: &mut Screen<'_>, description: &Description) -> io::Result<()> {
    for command in &description.commands {
        to.told(&format!("{}: {}", command.name, command.about))?;
        if command.level == Level::Monitor {
            to.told("It is carried out on the socket for monitoring, too.")?;
        }
        for (heading, schema) in [("ARGUMENT", &command.args), ("RESULT", &command.result)] {
            let mut table = Table::new([left(heading), left("TYPE").wraps(16), left(""), left("ABOUT").telling()]);
            for field in schema::fields(schema) {
                let need = if field.required { "always" } else { "optional" };
                table.row([field.name, field.kind, need.into(), field.about.replace("\n\n", " ")]);
            }
            if !table.is_empty() {
                to.line("")?;
                let _ = table.print_rows(to)?;
            }
        }
    }
    Ok(())
}
