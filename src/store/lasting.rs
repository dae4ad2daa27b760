//! Rooms that last, on disk.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::Trouble;
use crate::hub::lasting::Lasting;
use crate::hub::ownership::Ownership;
use crate::hub::room::TopicSet;
use crate::values::id::RoomId;
use crate::values::name::Name;
use crate::values::time::Wall;

/// The content of the column `ownership`, as JSON.
#[derive(Serialize, Deserialize)]
struct Rest {
    #[serde(flatten)]
    ownership: Ownership,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room: Option<RoomId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic_set: Option<TopicSet>,
}

/// All lasting rooms, the oldest first. Rows that make no sense are passed over.
pub(super) fn all(db: &Connection) -> Result<Vec<Lasting>, Trouble> {
    let mut rooms = Vec::new();
    read(db, "ASC", &mut rooms)?;
    rooms.sort_by_key(|room| room.since);
    Ok(rooms)
}

/// Appends the rooms, `order` (ASC or DESC) by folded name, up to the first one that cannot be
/// read.
pub(super) fn read(db: &Connection, order: &str, rooms: &mut Vec<Lasting>) -> Result<(), Trouble> {
    let mut found =
        db.prepare(&format!("SELECT name, topic, since, ownership FROM lasting ORDER BY folded {order}"))?;
    let mut rows = found.query([])?;
    while let Some(row) = rows.next()? {
        let (name, topic, rest): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(3)?);
        let (Some(name), Ok(rest)) = (Name::recall(&name), serde_json::from_str(&rest)) else { continue };
        let Rest { ownership, room, topic_set } = rest;
        rooms.push(Lasting { name, topic: topic.into(), since: Wall(row.get(2)?), ownership, room, topic_set });
    }
    Ok(())
}

/// Writes a room. Part of the caller's transaction.
pub(super) fn put(db: &Connection, room: &Lasting) -> Result<(), Trouble> {
    let rest = Rest { ownership: room.ownership.clone(), room: room.room, topic_set: room.topic_set.clone() };
    let rest = serde_json::to_string(&rest).expect("it is plain JSON");
    let sql = "INSERT OR REPLACE INTO lasting (folded, name, topic, since, ownership) VALUES (?, ?, ?, ?, ?)";
    db.prepare_cached(sql)?.execute(params![
        room.name.folded(),
        room.name.shown(),
        &*room.topic,
        room.since.0,
        rest
    ])?;
    Ok(())
}

/// Removes a room. Part of the caller's transaction.
pub(super) fn remove(db: &Connection, name: &Name) -> Result<(), Trouble> {
    db.prepare_cached("DELETE FROM lasting WHERE folded = ?")?.execute([name.folded()])?;
    Ok(())
}
