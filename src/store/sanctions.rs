//! Sanctions on disk: bans, mutes, expulsions, filters, a lockdown.

use rusqlite::{Connection, Row, params};

use super::Trouble;
use super::meta::{signed, unsigned};
use crate::hub::sanction::{Author, Kind, Sanction, Target};
use crate::settings::{Newcomers, Word as _};
use crate::values::id::{RoomId, SanctionId, SessionId};
use crate::values::name::Name;
use crate::values::name::pattern::Pattern;
use crate::values::network::Network;
use crate::values::time::Wall;

/// All sanctions, the oldest first. Rows that make no sense are passed over.
pub(super) fn all(db: &Connection) -> Result<Vec<Sanction>, Trouble> {
    let mut sanctions = Vec::new();
    read(db, "ASC", &mut sanctions).map(|()| sanctions)
}

/// Appends the sanctions, `order` (ASC or DESC) by id, up to the first one that cannot be read.
pub(super) fn read(db: &Connection, order: &str, sanctions: &mut Vec<Sanction>) -> Result<(), Trouble> {
    let sql =
        "SELECT id, kind, room, room_name, network, name, nick, reason, uid, account, since, until, after, pattern
        FROM sanctions
        ORDER BY id";
    let mut found = db.prepare(&format!("{sql} {order}"))?;
    let mut rows = found.query([])?;
    while let Some(row) = rows.next()? {
        sanctions.extend(one(row)?);
    }
    Ok(())
}

/// The sanction in a row; `None` if the row makes no sense.
fn one(row: &Row<'_>) -> Result<Option<Sanction>, Trouble> {
    let text = |at: usize| row.get::<_, Option<String>>(at);
    let network = text(4)?.and_then(|network| network.parse::<Network>().ok());
    let name = text(5)?.and_then(|name| Name::recall(&name));
    let room = row.get::<_, Option<i64>>(2)?.map(|room| RoomId(unsigned(room)));
    let room = room.zip(text(3)?.and_then(|name| Name::recall(&name)));
    let pattern = text(13)?;
    let newcomers = pattern.as_deref().and_then(Newcomers::from_word);
    let kind = match (&*row.get::<_, String>(1)?, room, newcomers) {
        ("ban", ..) => Kind::Ban,
        ("mute", ..) => Kind::Mute { shadow: false },
        ("shadow-mute", ..) => Kind::Mute { shadow: true },
        ("expulsion", Some((room, name)), _) => Kind::Expulsion { room, name },
        ("filter", ..) => Kind::Filter { strike: false },
        ("strike-filter", ..) => Kind::Filter { strike: true },
        ("lockdown", _, Some(newcomers)) => Kind::Lockdown { newcomers },
        _ => return Ok(None),
    };
    let (target, also) = match (&kind, pattern, name, network) {
        (Kind::Lockdown { .. }, ..) => (Target::Newcomers, None),
        (Kind::Filter { .. }, Some(text), ..) => (Target::Text(text.into()), None),
        (Kind::Filter { .. }, None, ..) => return Ok(None),
        (_, Some(pattern), ..) => (Target::Pattern(Pattern::recall(&pattern)), None),
        (_, None, Some(name), also) => (Target::Name(name), also),
        (_, None, None, Some(network)) => (Target::Network(network), None),
        (_, None, None, None) => return Ok(None),
    };
    let uid = row.get::<_, Option<i64>>(8)?.and_then(|uid| u32::try_from(uid).ok());
    Ok(Some(Sanction {
        id: SanctionId(unsigned(row.get(0)?)),
        kind,
        target,
        also,
        nick: text(6)?.map(Into::into),
        reason: text(7)?.map(Into::into),
        by: match (uid, text(9)?) {
            (_, Some(name)) => Author::Account(name.into()),
            (Some(uid), None) => Author::Uid(uid),
            (None, None) => Author::Hub,
        },
        since: Wall(row.get(10)?),
        after: SessionId(unsigned(row.get(12)?)),
        until: row.get::<_, Option<i64>>(11)?.map(Wall),
        ends: None,
    }))
}

/// Writes a sanction. Part of the caller's transaction.
pub(super) fn put(db: &Connection, sanction: &Sanction) -> Result<(), Trouble> {
    let (network, name) = match &sanction.target {
        Target::Network(network) => (Some(network.to_string()), None),
        Target::Name(name) => (sanction.also.map(|network| network.to_string()), Some(name.shown())),
        Target::Pattern(_) | Target::Text(_) | Target::Newcomers => (None, None),
    };
    let pattern = match (&sanction.target, &sanction.kind) {
        (Target::Pattern(pattern), _) => Some(pattern.as_str()),
        (Target::Text(text), _) => Some(&**text),
        (_, Kind::Lockdown { newcomers }) => Some(newcomers.word()),
        _ => None,
    };
    let (room, room_name) = match &sanction.kind {
        Kind::Expulsion { room, name } => (Some(signed(room.0)), Some(name.shown())),
        _ => (None, None),
    };
    let (uid, account) = match &sanction.by {
        Author::Uid(uid) => (Some(i64::from(*uid)), None),
        Author::Account(name) => (None, Some(&**name)),
        Author::Hub => (None, None),
    };
    let sql = "INSERT OR REPLACE INTO sanctions
        (id, kind, room, room_name, network, name, nick, reason, uid, account, since, until, after, pattern)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    db.prepare_cached(sql)?.execute(params![
        signed(sanction.id.0),
        sanction.kind.word(),
        room,
        room_name,
        network,
        name,
        sanction.nick.as_deref(),
        sanction.reason.as_deref(),
        uid,
        account,
        sanction.since.0,
        sanction.until.map(|until| until.0),
        signed(sanction.after.0),
        pattern,
    ])?;
    Ok(())
}

/// Removes a sanction. Part of the caller's transaction.
pub(super) fn remove(db: &Connection, id: SanctionId) -> Result<(), Trouble> {
    db.prepare_cached("DELETE FROM sanctions WHERE id = ?")?.execute([signed(id.0)])?;
    Ok(())
}
