//! Commands about accounts.
//!
//! Passwords are hashed before commands come here, so that neither the tape nor an audit line ever
//! holds one.

use super::history::remove as remove_lines;
use super::{Answer, Call};
use crate::hub::account::{self, Hashed};
use crate::hub::archive::Selector;
use crate::hub::message::Refusal;
use crate::hub::{Hub, Input};
use crate::values::fingerprint::Fingerprint;
use crate::values::id::AccountId;
use crate::values::name::{self, Name};
use crate::wire::admin::args::{
    AccountAddArgs, AccountArgs, AccountCertificateArgs, AccountEraseArgs, AccountPasswdArgs, AccountRoleArgs,
};
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{Account, AccountDone, Certificate};
use crate::wire::admin::value::{Text, Time};

/// The longest accepted hash, in bytes; argon2's have about a hundred.
const LONGEST_HASH: usize = 256;

pub(in crate::wire::admin) fn add(call: &mut Call<'_>, args: &AccountAddArgs) -> Result<AccountDone, ControlError> {
    let name = Name::parse(&args.name, call.hub.settings().limits.name).map_err(|invalid| {
        ControlError::argument("name", format_args!("{:?} is no name: it {invalid}", &*args.name))
    })?;
    let hashed = hashed(args.password.is_some(), args.hashed.as_ref())?;
    let role = args.role.map_or(account::Role::Member, Into::into);
    call.hub.may_add_account(&name).map_err(|refusal| match refusal {
        Refusal::NameRegistered(other) => {
            let message = format!("{:?} is, or looks like, the account {other}", &*args.name);
            ControlError::new(ErrorCode::Conflict, message)
        }
        other => other.into(),
    })?;
    if args.dry_run {
        let (since, password) = (Time(call.now.wall), hashed.is_some());
        let account = Account {
            name: name.shown().to_owned(),
            role: role.into(),
            since,
            seen: since,
            client: None,
            password,
            certificates: Vec::new(),
            memos: 0,
        };
        return Ok(AccountDone { account, dry_run: true });
    }
    let folded = name.folded().to_owned();
    call.change(Input::AddAccount { name, hashed, role, by: call.by });
    let id = find(call.hub, &folded)?;
    done(call.hub, id)
}

pub(in crate::wire::admin) fn passwd(
    call: &mut Call<'_>,
    args: &AccountPasswdArgs,
) -> Result<AccountDone, ControlError> {
    let id = find(call.hub, &args.name)?;
    let Some(hashed) = hashed(args.password.is_some(), args.hashed.as_ref())? else {
        return Err(ControlError::new(ErrorCode::BadArgument, "\"password\" is missing, or \"hashed\" instead"));
    };
    call.change(Input::ChangeAccount { account: id, hashed: Some(hashed), role: None, by: call.by });
    done(call.hub, id)
}

pub(in crate::wire::admin) fn unlock(call: &mut Call<'_>, args: &AccountArgs) -> Result<AccountDone, ControlError> {
    let id = find(call.hub, &args.name)?;
    call.change(Input::UnlockAccount { account: id });
    done(call.hub, id)
}

pub(in crate::wire::admin) fn get(call: &mut Call<'_>, args: &AccountArgs) -> Result<Account, ControlError> {
    let id = find(call.hub, &args.name)?;
    Ok(done(call.hub, id)?.account)
}

pub(in crate::wire::admin) fn certify(
    call: &mut Call<'_>,
    args: &AccountCertificateArgs,
) -> Result<AccountDone, ControlError> {
    let account = find(call.hub, &args.name)?;
    let certificate = fingerprint(&args.fingerprint)?;
    call.hub.may_certify(account, &certificate)?;
    call.change(Input::Certify { account, certificate, on: true, by: call.by });
    done(call.hub, account)
}

pub(in crate::wire::admin) fn uncertify(
    call: &mut Call<'_>,
    args: &AccountCertificateArgs,
) -> Result<AccountDone, ControlError> {
    let account = find(call.hub, &args.name)?;
    let certificate = fingerprint(&args.fingerprint)?;
    if call.hub.accounts().of_certificate(&certificate) != Some(account) {
        let message = format!("no certificate {certificate} logs in to {:?}", &*args.name);
        return Err(ControlError::new(ErrorCode::NotFound, message));
    }
    call.change(Input::Certify { account, certificate, on: false, by: call.by });
    done(call.hub, account)
}

fn fingerprint(text: &str) -> Result<Fingerprint, ControlError> {
    text.parse().map_err(|why: String| ControlError::argument("fingerprint", why))
}

pub(in crate::wire::admin) fn role(call: &mut Call<'_>, args: &AccountRoleArgs) -> Result<AccountDone, ControlError> {
    let id = find(call.hub, &args.name)?;
    call.change(Input::ChangeAccount { account: id, hashed: None, role: Some(args.role.into()), by: call.by });
    done(call.hub, id)
}

pub(in crate::wire::admin) fn remove(call: &mut Call<'_>, args: &AccountArgs) -> Result<AccountDone, ControlError> {
    let id = find(call.hub, &args.name)?;
    let removed = call.hub.accounts().get(id).map(|account| shown(call.hub, account));
    call.change(Input::RemoveAccount { account: id, by: call.by });
    Ok(AccountDone { account: removed.expect("it was found"), dry_run: false })
}

/// Removes an account and all that was said under its name.
pub(in crate::wire::admin) fn erase(call: &mut Call<'_>, args: &AccountEraseArgs) -> Result<Answer, ControlError> {
    let id = find(call.hub, &args.name)?;
    if !args.yes {
        let message = "this removes the account and makes all that was said under its name unreadable, for good; it is \
                       done only with the argument \"yes\", true";
        return Err(ControlError::new(ErrorCode::Conflict, message));
    }
    let name = call.hub.accounts().get(id).map_or_else(String::new, |account| account.name.shown().to_owned());
    call.change(Input::ForgetWords { account: id });
    call.change(Input::RemoveAccount { account: id, by: call.by });
    remove_lines(call, Selector { nick: Some(name::fold(&name)), ..Selector::default() }, Some(id))
}

pub(super) fn find(hub: &Hub, name: &str) -> Result<AccountId, ControlError> {
    let missing = || ControlError::new(ErrorCode::NotFound, format!("no account {name:?}"));
    hub.accounts().find(&name::fold(name)).ok_or_else(missing)
}

/// Checks the hash of a password in a command's arguments.
fn hashed(password: bool, hashed: Option<&Text<LONGEST_HASH>>) -> Result<Option<Hashed>, ControlError> {
    if password {
        // The connection's task should have hashed it.
        return Err(ControlError::new(ErrorCode::Internal, "the password was not hashed"));
    }
    match hashed {
        Some(hashed) if !hashed.starts_with("$argon2") || !hashed.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(ControlError::argument("hashed", "it is no hash such as $argon2id$v=19$..."))
        }
        hashed => Ok(hashed.map(|hashed| Hashed(hashed.0.as_str().into()))),
    }
}

fn done(hub: &Hub, id: AccountId) -> Result<AccountDone, ControlError> {
    let account = hub.accounts().get(id).map(|account| shown(hub, account));
    Ok(AccountDone { account: account.expect("it is there"), dry_run: false })
}

pub(super) fn shown(hub: &Hub, account: &account::Account) -> Account {
    Account {
        name: account.name.shown().to_owned(),
        role: account.role.into(),
        since: Time(account.since),
        seen: Time(account.seen),
        client: hub.logged_in_to(account.id).next().map(|id| id.to_string()),
        password: account.hashed.is_some(),
        certificates: account.certificates.iter().map(certificate).collect(),
        memos: hub.memos().waiting_for(account.id) as u64,
    }
}

fn certificate(one: &account::Certificate) -> Certificate {
    Certificate { fingerprint: one.fingerprint.to_string(), since: Time(one.since) }
}
