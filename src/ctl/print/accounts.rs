//! Accounts.

use std::io;

use super::UNREAD;
use super::screen::Screen;
use super::table::{Side, Table};
use super::values::time;
use crate::hub::account::Role;
use crate::wire::admin::result::{AccountDone, AccountList};

pub(in crate::ctl) fn list(to: &mut Screen<'_>, list: &AccountList) -> io::Result<()> {
    let mut table = Table::new(&[
        ("NAME", Side::Left),
        ("ROLE", Side::Left),
        ("SINCE", Side::Left),
        ("SEEN", Side::Left),
        ("CLIENT", Side::Left),
        ("NOTES", Side::Left),
    ]);
    for account in &list.accounts {
        table.row([
            account.name.clone(),
            Role::from(account.role).to_string(),
            time(&account.since),
            time(&account.seen),
            account.client.clone().unwrap_or_default(),
            if account.password { "" } else { "no password" }.to_owned(),
        ]);
    }
    table.print(to, "account")?;
    if list.unread { to.legend(UNREAD) } else { Ok(()) }
}

pub(in crate::ctl) fn added(to: &mut Screen<'_>, done: &AccountDone) -> io::Result<()> {
    let AccountDone { account } = done;
    to.done(&format!("Made the account {} ({}).", account.name, Role::from(account.role)))
}

pub(in crate::ctl) fn password(to: &mut Screen<'_>, done: &AccountDone) -> io::Result<()> {
    to.done(&format!("{} has another password.", done.account.name))
}

pub(in crate::ctl) fn unlocked(to: &mut Screen<'_>, done: &AccountDone) -> io::Result<()> {
    to.done(&format!("{} can be tried again at once.", done.account.name))
}

pub(in crate::ctl) fn role(to: &mut Screen<'_>, done: &AccountDone) -> io::Result<()> {
    to.done(&format!("{} is {} now.", done.account.name, Role::from(done.account.role)))
}

pub(in crate::ctl) fn removed(to: &mut Screen<'_>, done: &AccountDone) -> io::Result<()> {
    to.done(&format!("Removed the account {}.", done.account.name))
}
