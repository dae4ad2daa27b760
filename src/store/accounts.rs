//! Accounts on disk.

use rusqlite::{Connection, params};

use super::Trouble;
use super::meta::{signed, unsigned};
use crate::hub::account::{Account, CERTIFICATES, Certificate, Hashed, Role};
use crate::values::id::{AccountId, SanctionId};
use crate::values::name::Name;
use crate::values::time::Wall;

/// All accounts, the oldest first. Rows whose name is no name are passed over.
pub(super) fn all(db: &Connection) -> Result<Vec<Account>, Trouble> {
    let mut accounts = Vec::new();
    read(db, "ASC", &mut accounts).map(|()| accounts)
}

/// Appends the accounts, `order` (ASC or DESC) by id, up to the first one that cannot be read.
pub(super) fn read(db: &Connection, order: &str, accounts: &mut Vec<Account>) -> Result<(), Trouble> {
    let mut found = db.prepare(&format!(
        "SELECT id, name, hashed, role, since, seen, certificates, unheard FROM accounts ORDER BY id {order}"
    ))?;
    let mut rows = found.query([])?;
    while let Some(row) = rows.next()? {
        let (name, role): (String, String) = (row.get(1)?, row.get(3)?);
        let Some(name) = Name::recall(&name) else { continue };
        let role = if role == Role::Operator.name() { Role::Operator } else { Role::Member };
        accounts.push(Account {
            id: AccountId(unsigned(row.get(0)?)),
            name,
            hashed: row.get::<_, Option<String>>(2)?.map(|hashed| Hashed(hashed.into())),
            role,
            since: Wall(row.get(4)?),
            seen: Wall(row.get(5)?),
            // Places are hashed with a key of this hub, and say nothing to the next hub: so they
            // are not on disk.
            places: Vec::new(),
            certificates: certificates(row.get(6)?),
            unheard: row.get::<_, Option<i64>>(7)?.map(|mute| SanctionId(unsigned(mute))),
        });
    }
    Ok(())
}

/// The certificates in a column of JSON; none if the column makes no sense.
fn certificates(column: Option<String>) -> Vec<Certificate> {
    let mut certificates: Vec<Certificate> =
        column.and_then(|column| serde_json::from_str(&column).ok()).unwrap_or_default();
    certificates.truncate(CERTIFICATES);
    certificates
}

/// Writes an account. Part of the caller's transaction.
pub(super) fn put(db: &Connection, account: &Account) -> Result<(), Trouble> {
    let certificates = &account.certificates;
    let certificates =
        (!certificates.is_empty()).then(|| serde_json::to_string(certificates).expect("it is plain JSON"));
    let sql = "INSERT OR REPLACE INTO accounts (id, name, hashed, role, since, seen, certificates, unheard) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    db.prepare_cached(sql)?.execute(params![
        signed(account.id.0),
        account.name.shown(),
        account.hashed.as_ref().map(|hashed| &*hashed.0),
        account.role.name(),
        account.since.0,
        account.seen.0,
        certificates,
        account.unheard.map(|mute| signed(mute.0))
    ])?;
    Ok(())
}

/// Removes an account. Part of the caller's transaction.
pub(super) fn remove(db: &Connection, id: AccountId) -> Result<(), Trouble> {
    db.prepare_cached("DELETE FROM accounts WHERE id = ?")?.execute([signed(id.0)])?;
    Ok(())
}
