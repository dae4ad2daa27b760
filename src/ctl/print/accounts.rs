//! Accounts.

use std::io;

use super::UNREAD;
use super::screen::Screen;
use super::table::{Facts, Table, left, right};
use super::values::{count, span, time};
use crate::hub::account::Role;
use crate::wire::admin::result::{Account, AccountDone, AccountList, Redacted};

pub(in crate::ctl) fn list(to: &mut Screen<'_>, list: &AccountList) -> io::Result<()> {
    let mut table = Table::new([
        left("NAME").shrinks(12).names(),
        left("ROLE"),
        right("AGE").spare(1),
        right("SEEN"),
        left("CLIENT"),
        left("NOTES").telling(),
    ]);
    for account in &list.accounts {
        table.row([
            account.name.clone(),
            Role::from(account.role).to_string(),
            span(to.age(&account.since)),
            // Who is here has no time to be told: it is now.
            if account.client.is_some() { "now".to_owned() } else { format!("{} ago", span(to.age(&account.seen))) },
            account.client.clone().unwrap_or_default(),
            notes(account),
        ]);
    }
    table.print(to, "account")?;
    if list.unread { to.legend(UNREAD) } else { Ok(()) }
}

/// What else there is to know.
fn notes(account: &Account) -> String {
    let password = (!account.password).then(|| match account.certificates.is_empty() {
        true => "no password: nobody can log in".to_owned(),
        false => "no password".to_owned(),
    });
    let memos = (account.memos > 0).then(|| format!("{} waiting", count(account.memos, "message")));
    let certificates = certificates(account);
    password.into_iter().chain(certificates).chain(memos).collect::<Vec<_>>().join(", ")
}

fn certificates(account: &Account) -> Option<String> {
    let number = account.certificates.len() as u64;
    (number > 0).then(|| count(number, "certificate"))
}

pub(in crate::ctl) fn one(to: &mut Screen<'_>, account: &Account) -> io::Result<()> {
    let mut facts = vec![
        ("Account", account.name.clone()),
        ("Role", Role::from(account.role).to_string()),
        ("Since", time(&account.since)),
        ("Seen", if account.client.is_some() { "now".to_owned() } else { time(&account.seen) }),
        ("Client", account.client.clone().unwrap_or_else(|| "none is logged in".to_owned())),
        ("Password", if account.password { "set".to_owned() } else { "none".to_owned() }),
    ];
    for (at, one) in account.certificates.iter().enumerate() {
        let key = if at == 0 { "Certificates" } else { "" };
        facts.push((key, format!("{} since {}", one.fingerprint, time(&one.since))));
    }
    if account.certificates.is_empty() {
        facts.push(("Certificates", "none log in".to_owned()));
    }
    facts.push(("Messages", format!("{} waiting", account.memos)));
    Facts(facts).print(to)
}

pub(in crate::ctl) fn certified(to: &mut Screen<'_>, done: &AccountDone) -> io::Result<()> {
    let number = done.account.certificates.len() as u64;
    let log = if number == 1 { "logs" } else { "log" };
    to.done(&format!("{} {log} in to {} now.", count(number, "certificate"), done.account.name))
}

pub(in crate::ctl) fn uncertified(to: &mut Screen<'_>, done: &AccountDone) -> io::Result<()> {
    let left = certificates(&done.account).map_or_else(String::new, |left| format!("; {left} left"));
    to.done(&format!("It does not log in to {} any more{left}.", done.account.name))
}

pub(in crate::ctl) fn added(to: &mut Screen<'_>, done: &AccountDone) -> io::Result<()> {
    let AccountDone { account, .. } = done;
    to.done(&format!("Made the account {} ({}).", account.name, Role::from(account.role)))
}

pub(in crate::ctl) fn password(to: &mut Screen<'_>, done: &AccountDone) -> io::Result<()> {
    let still = certificates(&done.account).map_or_else(String::new, |still| format!("; {still} can log in as before"));
    to.done(&format!("{} has another password{still}.", done.account.name))
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

pub(in crate::ctl) fn erased(to: &mut Screen<'_>, name: &str, result: &Redacted) -> io::Result<()> {
    let said = match (result.lines, result.topics) {
        (0, 0) => "nothing that was said under its name is kept".to_owned(),
        (lines, 0) => format!("{} said under its name made unreadable", count(lines, "line")),
        (lines, topics) => {
            let (lines, topics) = (count(lines, "line"), count(topics, "topic"));
            format!("{lines} said under its name made unreadable, {topics} cleared")
        }
    };
    to.done(&format!("Removed the account {name}; {said}."))
}
