//! Commands by which people send words to others: private lines, emotes, reasons for being away,
//! last words.

use super::super::message::{Done, Farewell, Message, Refusal};
use super::super::speech::Carrier;
use super::super::{Turn, work};
use super::{Call, addressed, clip, split_word, text_arg};
use crate::values::id::{AccountId, SessionId};
use crate::values::name;

pub(super) fn msg(call: &mut Call<'_, '_>, args: &str) {
    let (name, text) = split_word(args);
    let name = addressed(name);
    match call.named(name).map_or_else(|| absent(call, name), Ok) {
        Ok(to) => private(call, to, text),
        Err(Some(account)) => call.turn.leave_memo(call.id, account, text),
        Err(None) if call.turn.hub.is_unread() => call.refuse(Refusal::NamesUnread),
        Err(None) => {
            // The text is not sent unasked to the person who bore this name recently: the author
            // may mean somebody who bore it earlier.
            if let Some(now_called) = call.now_called(name) {
                call.refuse(now_called);
            }
            call.refuse(Refusal::NobodyThere(clip(name)));
        }
    }
}

/// The client that is logged in to the account `name` under another nick; `Err(Some)`: the owner is
/// not here; `Err(None)`: the name is not registered.
fn absent(call: &Call<'_, '_>, name: &str) -> Result<SessionId, Option<AccountId>> {
    let hub = &call.turn.hub;
    let account = hub.accounts.find(&name::fold(name)).ok_or(None)?;
    call.bearer(account).ok_or(Some(account))
}

pub(super) fn reply(call: &mut Call<'_, '_>, args: &str) {
    match call.own().private_from.as_deref().cloned() {
        None => call.refuse(Refusal::NobodyToReplyTo),
        Some((to, _)) if call.turn.hub.people.sessions.contains_key(&to) => private(call, to, args),
        Some((_, name)) => {
            let keeps = call.turn.hub.accounts.find(&name::fold(&name)).is_some();
            call.refuse(Refusal::ReplyGone { name, keeps });
        }
    }
}

pub(super) fn private(call: &mut Call<'_, '_>, to: SessionId, text: &str) {
    if to == call.id {
        return call.refuse(Refusal::ToYourself);
    }
    if let Some(heard) = call.turn.heard(call.id, Carrier::Private(to), text) {
        call.turn.whisper(heard, to);
    }
}

pub(super) fn me(call: &mut Call<'_, '_>, args: &str) {
    call.turn.emote(call.id, args);
}

pub(super) fn say(call: &mut Call<'_, '_>, args: &str) {
    call.turn.say(call.id, args);
}

pub(super) fn away(call: &mut Call<'_, '_>, args: &str) {
    let limit = call.turn.hub.settings.limits.topic;
    if args.len() > limit {
        return call.refuse(Refusal::TopicTooLong(limit));
    }
    let mut why = None;
    if !args.is_empty() {
        why = call.turn.heard(call.id, Carrier::Away, args);
        if why.is_none() {
            return;
        }
        call.turn.hub.work.done += work::SHOWN;
    }
    call.turn.be_away(call.id, why.as_ref());
    call.done(Done::Away);
}

pub(super) fn back(call: &mut Call<'_, '_>, _: &str) {
    call.own_mut().away = None;
    call.done(Done::Back);
}

pub(super) fn quit(call: &mut Call<'_, '_>, args: &str) {
    let limit = call.turn.hub.settings.limits.topic;
    let word = Some(args).filter(|text| !text.is_empty() && text.len() <= limit);
    let heard = word.and_then(|word| call.turn.heard(call.id, Carrier::LastWords, word));
    let (own, others) = (heard.as_ref().and(text_arg(args)), Turn::words(heard.as_ref()));
    call.tell(Message::Goodbye(Farewell::Quit(own)));
    call.turn.depart(call.id, Farewell::Quit(others));
}
