//! How often each kind of thing has happened.

use std::collections::BTreeMap;

macro_rules! counters {
    ($( $(#[doc = $about:literal])+ $name:ident; )+) => {
        /// How often each kind of thing has happened since the start.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $( $(#[doc = $about])+ pub $name: u64, )+
        }

        impl Counters {
            /// Name and meaning of each.
            pub const ROWS: &[(&str, &str)] = &[$( (stringify!($name), concat!($($about),+)), )+];

            /// Name, meaning and value of each counter.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
                [$( (stringify!($name), concat!($($about),+), self.$name), )+].into_iter()
            }

            /// The counters with these values, by name; those not named are zero.
            pub(crate) fn of(values: &BTreeMap<String, u64>) -> Self {
                Self { $( $name: values.get(stringify!($name)).copied().unwrap_or(0), )+ }
            }
        }
    };
}

counters! {
    /// Connections taken.
    connections;
    /// Connections taken that were encrypted.
    connections_encrypted;
    /// Connections refused because the hub was full.
    refused_full;
    /// Connections refused because too many came from one address.
    refused_address;
    /// Connections refused because the hub was stopping.
    refused_stopping;
    /// Connections refused because of a ban.
    refused_banned;
    /// Connections refused because their network is not allowed.
    refused_network;
    /// Connections refused because they were not encrypted.
    refused_plain;
    /// Connections refused because bans on disk could not be read yet.
    refused_unread;
    /// Newcomers who had to wait at the door.
    held_at_door;
    /// Strikes counted against people.
    strikes;
    /// Clients disconnected by a new ban.
    banned;
    /// Lines received from clients.
    lines_received;
    /// Lines said in rooms.
    lines_said;
    /// Private messages.
    private_messages;
    /// Private messages, reports and invitations refused: the other one was sent much, or did not read.
    private_refused;
    /// Messages left for people who were not here.
    memos_left;
    /// Messages for people who were not here that were not kept: too many wait, of one sender, for one, or in all.
    memos_refused;
    /// Messages shown to those for whom they were left.
    memos_delivered;
    /// Reports made.
    reports;
    /// Reports refused: too soon after others, or too many open.
    reports_refused;
    /// Commands carried out or refused.
    commands;
    /// Lines refused because they were too long.
    lines_too_long;
    /// Lines dropped because their client sent too fast.
    lines_dropped;
    /// Lines refused because their client was muted.
    lines_muted;
    /// Names, topics, rooms, absences, invitations and messages to others refused because they came too often.
    shown_too_often;
    /// Lines, names and topics refused by the filters.
    lines_filtered;
    /// Names that people have registered.
    registrations;
    /// Times that somebody logged in.
    logins;
    /// Passwords that were wrong.
    logins_failed;
    /// Lines that were said and not recorded: the disk did not keep up, or did not take them.
    history_lost;
    /// Clients disconnected to make place, who had never sent a line.
    gave_way;
    /// Clients disconnected because their program spoke another protocol, such as HTTP.
    no_chat;
    /// Clients disconnected because they had sent nothing for long.
    idled;
    /// Clients disconnected by an administrator.
    kicked;
    /// Clients disconnected because they took nothing of what was owed to them.
    closed_slow;
    /// Clients disconnected because their mailbox was full.
    closed_mailbox;
    /// Arrivals and departures that were gathered into one line with others.
    presence_gathered;
}
