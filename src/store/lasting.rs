//! Rooms that last, on disk.

use rusqlite::{Connection, params};

use super::Trouble;
use crate::hub::lasting::Lasting;
use crate::values::name::Name;
use crate::values::time::Wall;

/// All lasting rooms, the oldest first, without rows that make no sense.
pub(super) fn all(db: &Connection) -> Result<Vec<Lasting>, Trouble> {
    let mut rooms = Vec::new();
    read(db, "ASC", &mut rooms)?;
    rooms.sort_by_key(|room| room.since);
    Ok(rooms)
}

/// Appends the rooms in this order of their folded names, up to the first one that cannot be read.
pub(super) fn read(db: &Connection, order: &str, rooms: &mut Vec<Lasting>) -> Result<(), Trouble> {
    let mut found =
        db.prepare(&format!("SELECT name, topic, since, ownership FROM lasting ORDER BY folded {order}"))?;
    let mut rows = found.query([])?;
    while let Some(row) = rows.next()? {
        let (name, topic, ownership): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(3)?);
        let (Some(name), Ok(ownership)) = (Name::recall(&name), serde_json::from_str(&ownership)) else { continue };
        rooms.push(Lasting { name, topic: topic.into(), since: Wall(row.get(2)?), ownership });
    }
    Ok(())
}

/// Writes a room. Part of the caller's transaction.
pub(super) fn put(db: &Connection, room: &Lasting) -> Result<(), Trouble> {
    let ownership = serde_json::to_string(&room.ownership).expect("it is plain JSON");
    let sql = "INSERT OR REPLACE INTO lasting (folded, name, topic, since, ownership) VALUES (?, ?, ?, ?, ?)";
    db.prepare_cached(sql)?.execute(params![
        room.name.folded(),
        room.name.shown(),
        &*room.topic,
        room.since.0,
        ownership
    ])?;
    Ok(())
}

/// Removes a room. Part of the caller's transaction.
pub(super) fn remove(db: &Connection, name: &Name) -> Result<(), Trouble> {
    db.prepare_cached("DELETE FROM lasting WHERE folded = ?")?.execute([name.folded()])?;
    Ok(())
}
