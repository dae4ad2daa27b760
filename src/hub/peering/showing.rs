//! Showing what people of other hubs say, to the people of the room here.

use std::sync::Arc;
use std::time::Duration;

use super::entry::{Content, EntryId, Lane, Spoken, TEXT};
use super::receiving::Turned;
use crate::hub::message::Said;
use crate::hub::room::Room;
use crate::hub::{Hub, Turn};
use crate::values::id::{RoomId, SessionId};
use crate::values::name::Name;
use crate::values::text;
use crate::values::time::{Now, Wall};

/// A line that is no older than this has the time at which it came: clocks differ, and lines in the order of their
/// times are cheaper to look through.
const LATELY: Duration = Duration::from_secs(10);

impl Hub {
    /// Whether other hubs are told what is said in the room, and it is told what they say: only what everybody may
    /// know, and what may be kept, because the log keeps it.
    pub(super) fn is_shared(&self, room: &Room) -> bool {
        room.is_known_to_all()
            && room.kept
            && !room.ownership.encrypted
            && !room.closing
            && Some(room.id) != self.door.room
    }

    /// The room of the lane, if it is open and shared.
    pub(super) fn shared_room(&self, lane: &Lane) -> Option<&Room> {
        let room = self.rooms.open.get(&self.rooms.names.find(lane.room())?)?;
        self.is_shared(room).then_some(&**room)
    }
}

/// When a line was said that another hub says was said at `at`. Its clock is not believed where ours knows better.
fn said_at(at: Wall, now: Now) -> Wall {
    if at > now.wall.before(LATELY) { now.wall } else { at }
}

/// What to show of a line, and its author here. `None` if a hub cannot have let anybody say it.
fn said(spoken: Spoken, id: &EntryId) -> Option<(SessionId, Said)> {
    let is_one = !text::is_blank(&spoken.text) && spoken.text.len() <= TEXT && text::is_clean(&spoken.text);
    // The same name may be somebody else's here. None that is given here has an `@` in it.
    let name = Name::recall(&spoken.nick).filter(|name| is_one && !name.shown().contains('@'))?;
    let nick: Arc<str> = format!("{}@{}", name.shown(), id.hub).into();
    let text: Arc<str> = text::without_long_blanks(&spoken.text).as_ref().into();
    let said = if spoken.emote { Said::Emote { nick, text } } else { Said::Say { nick, text } };
    Some((id.author(spoken.who), said))
}

impl Turn<'_> {
    /// Shows the entries of the lane whose turn has come.
    pub(super) fn show_turns(&mut self, lane: &Lane) {
        let (now, mut out) = (self.now.mono, Vec::new());
        while let Some(peering) = &mut self.hub.peering
            && let Some(turned) = peering.take_turn(lane, now, &mut out)
        {
            // A room that is not open, or not shared, shows nothing: its people have not missed anything.
            if let Some(room) = self.hub.shared_room(lane).map(|room| room.id) {
                self.show(room, turned);
            }
        }
        self.say_to_link(out);
    }

    fn show(&mut self, room: RoomId, Turned { id, entry, missing }: Turned) {
        match entry.content {
            Content::Removed => {}
            Content::Gap { .. } => {
                let lines = if missing == 1 { "1 line".to_owned() } else { format!("{missing} lines") };
                let text = format!("{lines} from hub {} did not get here", id.hub).into();
                self.post_of(room, None, Said::Notice { text }, (id, self.now.wall));
            }
            Content::Line(spoken) => {
                let at = said_at(spoken.at, self.now);
                let Some((author, said)) = said(spoken, &id) else {
                    if let Some(peering) = &mut self.hub.peering {
                        peering.counts.refused += 1;
                    }
                    return;
                };
                // The house rules here may be stricter than there.
                let moderation = &self.hub.moderation;
                if moderation.filters.judge(said.text()).max(moderation.sanctions.filter(said.text())).is_some() {
                    self.hub.counters.lines_filtered += 1;
                    return;
                }
                self.post_of(room, Some(author), said, (id, at));
            }
        }
    }
}
