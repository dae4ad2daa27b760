//! The arguments of `ctl rooms`.

use std::time::Duration;

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::text;
use crate::cli::length::slow_time;
use crate::hub::ownership::{Change, MODES};
use crate::wire::admin::value::{RoomName, Text};

/// The commands of `chathub ctl rooms`.
#[derive(Clone, Debug, Subcommand)]
pub enum RoomsCommand {
    /// List the rooms, as "chathub ctl rooms" does.
    List,

    /// Tell all about one room.
    Show {
        /// The room, with or without a # before its name.
        #[arg(value_name = "ROOM")]
        room: RoomName,
    },

    /// Change who comes into a room, who speaks in it, and who sets its topic.
    ///
    /// What is not named stays as it is. Those in the room are told. A room that is lasting is kept while nobody is in
    /// it.
    #[command(after_help = "\
Examples:
  chathub ctl rooms set lobby registered --slow 10s
  chathub ctl rooms set lobby everyone --slow off
  chathub ctl rooms set tea private moderated lasting --owner ann")]
    Set {
        /// The room, with or without a # before its name.
        #[arg(value_name = "ROOM")]
        room: RoomName,
        /// What it is to be, of each pair one word or none.
        ///
        /// Private (who is invited comes in) or public; moderated (who has a voice speaks) or free; registered (who is
        /// logged in speaks) or everyone; encrypted (only encrypted connections come in) or plain; topic-locked (its owner sets the topic) or topic-free; lasting (it is kept
        /// while nobody is in it) or passing.
        #[arg(value_name = "MODE", value_parser = mode())]
        modes: Vec<Change>,
        /// Each says one line in this time, such as 10s; "off" ends that.
        #[arg(long, value_name = "D", value_parser = slow_time, allow_hyphen_values = true)]
        slow: Option<Duration>,
        /// The account that it is to belong to.
        #[arg(long, value_name = "NAME", value_parser = text::<256>)]
        owner: Option<Text<256>>,
    },
}

fn mode() -> impl TypedValueParser<Value = Change> {
    PossibleValuesParser::new(MODES.iter().map(|(word, _)| *word)).map(|word| {
        MODES.iter().find(|(known, _)| *known == word).map(|(_, change)| *change).expect("it is one of these words")
    })
}
