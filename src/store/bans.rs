//! Bans on disk.

use rusqlite::{Connection, params};

use super::Trouble;
use super::meta::{signed, unsigned};
use crate::hub::moderation::{Author, Ban, Target};
use crate::values::id::BanId;
use crate::values::name::Name;
use crate::values::time::Wall;

/// All bans, by age, without those that make no sense.
pub(super) fn all(db: &Connection) -> Result<Vec<Ban>, Trouble> {
    let mut bans = Vec::new();
    read(db, "ASC", &mut bans).map(|()| bans)
}

/// Appends the bans in this order of their ids, up to the first one that cannot be read.
pub(super) fn read(db: &Connection, order: &str, bans: &mut Vec<Ban>) -> Result<(), Trouble> {
    let sql = "SELECT id, network, name, reason, author, since, until, account FROM bans ORDER BY id";
    let mut found = db.prepare(&format!("{sql} {order}"))?;
    let mut rows = found.query([])?;
    while let Some(row) = rows.next()? {
        let (network, name): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
        let network = network.and_then(|network| network.parse().ok()).map(Target::Network);
        let name = name.and_then(|name| Name::recall(&name)).map(Target::Name);
        let Some(target) = network.or(name) else { continue };
        bans.push(Ban {
            id: BanId(unsigned(row.get(0)?)),
            target,
            reason: row.get::<_, Option<String>>(3)?.map(Into::into),
            by: match (row.get::<_, i64>(4)?, row.get::<_, Option<String>>(7)?) {
                (_, Some(name)) => Author::Account(name.into()),
                (uid, None) => u32::try_from(uid).map_or(Author::Hub, Author::Uid),
            },
            since: Wall(row.get(5)?),
            until: row.get::<_, Option<i64>>(6)?.map(Wall),
        });
    }
    Ok(())
}

/// Writes a ban. Part of the caller's transaction.
pub(super) fn put(db: &Connection, ban: &Ban) -> Result<(), Trouble> {
    let (network, name) = match &ban.target {
        Target::Network(network) => (Some(network.to_string()), None),
        Target::Name(name) => (None, Some(name.shown())),
    };
    let sql = "INSERT OR REPLACE INTO bans (id, network, name, reason, author, since, until, account)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let (uid, account) = match &ban.by {
        Author::Uid(uid) => (i64::from(*uid), None),
        Author::Account(name) => (-1, Some(&**name)),
        Author::Hub => (-1, None),
    };
    db.prepare_cached(sql)?.execute(params![
        signed(ban.id.0),
        network,
        name,
        ban.reason.as_deref(),
        uid,
        ban.since.0,
        ban.until.map(|until| until.0),
        account
    ])?;
    Ok(())
}

/// Removes a ban. Part of the caller's transaction.
pub(super) fn remove(db: &Connection, id: BanId) -> Result<(), Trouble> {
    db.prepare_cached("DELETE FROM bans WHERE id = ?")?.execute([signed(id.0)])?;
    Ok(())
}
