//! Commands of the admin socket about accounts, carried out on the hub.
//!
//! A password is hashed before it comes here: neither the tape nor the audit line ever has it.

use crate::hub::Effect;
use crate::hub::account::Hashed;
use crate::hub::message::Refusal;
use crate::hub::{By, Hub, account};
use crate::values::id::AccountId;
use crate::values::name;
use crate::values::name::Name;
use crate::values::time::Now;
use crate::wire::admin::args::{
    AccountAddArgs, AccountArgs, AccountEraseArgs, AccountPasswdArgs, AccountRoleArgs, RedactArgs,
};
use crate::wire::admin::execute::Answer;
use crate::wire::admin::execute::history::redact;
use crate::wire::admin::execute::one;
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{Account, AccountDone};
use crate::wire::admin::value::{Text, Time};

/// The longest hash: what argon2 gives has a hundred characters.
const LONGEST_HASH: usize = 256;

pub(super) fn add(
    hub: &mut Hub,
    args: &AccountAddArgs,
    by: By,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Result<Answer, ControlError> {
    let bad = |message: String| ControlError::new(ErrorCode::BadArgument, message);
    let name = Name::parse(&args.name, hub.settings().limits.name)
        .map_err(|invalid| bad(format!("{:?} is no name: it {invalid}", &*args.name)))?;
    let hashed = hashed(args.password.is_some(), args.hashed.as_ref())?;
    let role = args.role.map_or(account::Role::Member, Into::into);
    let conflict = |message: String| ControlError::new(ErrorCode::Conflict, message);
    let id = hub.add_account(name, hashed, role, by, now, effects).map_err(|refusal| match refusal {
        Refusal::NoAccounts => conflict("nothing is recorded (history.persist), so no accounts are made".into()),
        Refusal::AccountsUnread => {
            conflict("the accounts on disk cannot be read just now, so none can be made: see \"status\"".into())
        }
        Refusal::NameReserved(name) => conflict(format!("the hub keeps the name {name:?} for itself")),
        Refusal::NameTakenFor(name, what) => conflict(format!("the name {name:?} could be taken for {what}")),
        Refusal::NameRegistered(other) => conflict(format!("{:?} is, or looks like, the account {other}", &*args.name)),
        Refusal::TooManyAccounts(limit) => conflict(format!("there are {limit} accounts already (limits.accounts)")),
        _ => ControlError::new(ErrorCode::Internal, "the account cannot be made"),
    })?;
    done(hub, id)
}

pub(super) fn passwd(
    hub: &mut Hub,
    args: &AccountPasswdArgs,
    by: By,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Result<Answer, ControlError> {
    let id = find(hub, &args.name)?;
    let Some(hashed) = hashed(args.password.is_some(), args.hashed.as_ref())? else {
        return Err(ControlError::new(ErrorCode::BadArgument, "there is no password"));
    };
    hub.change_account(id, Some(hashed), None, Some(by), now, effects);
    done(hub, id)
}

pub(super) fn unlock(hub: &mut Hub, args: &AccountArgs) -> Result<Answer, ControlError> {
    let id = find(hub, &args.name)?;
    hub.unlock_account(id);
    done(hub, id)
}

pub(super) fn role(
    hub: &mut Hub,
    args: &AccountRoleArgs,
    by: By,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Result<Answer, ControlError> {
    let id = find(hub, &args.name)?;
    hub.change_account(id, None, Some(args.role.into()), Some(by), now, effects);
    done(hub, id)
}

pub(super) fn remove(
    hub: &mut Hub,
    args: &AccountArgs,
    by: By,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Result<Answer, ControlError> {
    let id = find(hub, &args.name)?;
    let removed = hub.accounts().get(id).map(|account| shown(hub, account));
    hub.remove_account(id, Some(by), now, effects);
    one(&AccountDone { account: removed.expect("it was found") })
}

/// Removes an account and all that was said under its name.
pub(super) fn erase(
    hub: &mut Hub,
    args: &AccountEraseArgs,
    by: By,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Result<Answer, ControlError> {
    let id = find(hub, &args.name)?;
    if !args.yes {
        let message = "this removes the account and makes all that was said under its name unreadable, for good: \
                       say \"yes\" if that is meant";
        return Err(ControlError::new(ErrorCode::Conflict, message));
    }
    let name = hub.accounts().get(id).map_or_else(String::new, |account| account.name.shown().to_owned());
    hub.remove_account(id, Some(by), now, effects);
    redact(hub, &RedactArgs { nick: Some(Text(name)), ..RedactArgs::default() }, by, now, effects)
}

fn find(hub: &Hub, name: &str) -> Result<AccountId, ControlError> {
    let missing = || ControlError::new(ErrorCode::NotFound, format!("no account {name:?}"));
    hub.accounts().find(&name::fold(name)).ok_or_else(missing)
}

/// What stands for a password here.
fn hashed(password: bool, hashed: Option<&Text<LONGEST_HASH>>) -> Result<Option<Hashed>, ControlError> {
    if password {
        // Whoever brought the command here has not done what it had to.
        return Err(ControlError::new(ErrorCode::Internal, "the password was not hashed"));
    }
    match hashed {
        Some(hashed) if !hashed.starts_with("$argon2") || !hashed.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(ControlError::new(ErrorCode::BadArgument, "\"hashed\" is no hash such as $argon2id$v=19$..."))
        }
        hashed => Ok(hashed.map(|hashed| Hashed(hashed.0.as_str().into()))),
    }
}

fn done(hub: &Hub, id: AccountId) -> Result<Answer, ControlError> {
    let account = hub.accounts().get(id).map(|account| shown(hub, account));
    one(&AccountDone { account: account.expect("it is there") })
}

pub(super) fn shown(hub: &Hub, account: &account::Account) -> Account {
    Account {
        name: account.name.shown().to_owned(),
        role: account.role.into(),
        since: Time(account.since),
        seen: Time(account.seen),
        client: hub.sessions().find(|session| session.account == Some(account.id)).map(|one| one.id.to_string()),
        password: account.hashed.is_some(),
    }
}
