//! Commands that say something to others, or to those who look for one.

use std::sync::Arc;

use super::super::inbound::Arrives;
use super::super::message::{Done, Farewell, Message, Refusal};
use super::super::{Hearing, Said, work};
use super::{Call, split_word, text_arg};
use crate::values::id::SessionId;

pub(super) fn msg(call: &mut Call<'_, '_>, args: &str) {
    let (name, text) = split_word(args);
    if let Some(to) = call.person(name) {
        private(call, to, text);
    }
}

pub(super) fn reply(call: &mut Call<'_, '_>, args: &str) {
    match call.own().private_from.as_deref().cloned() {
        None => call.refuse(Refusal::NobodyToReplyTo),
        Some((to, _)) if call.turn.hub.people.sessions.contains_key(&to) => private(call, to, args),
        Some((_, name)) => call.refuse(Refusal::ReplyGone(name)),
    }
}

pub(super) fn private(call: &mut Call<'_, '_>, to: SessionId, text: &str) {
    if to == call.id {
        return call.refuse(Refusal::ToYourself);
    }
    let heard = match call.turn.hearing(call.id) {
        Hearing::All => true,
        Hearing::Nobody => false,
        Hearing::Refused => return,
    };
    let nick = call.nick();
    let id = call.id;
    let ignored = call.turn.hub.people.sessions[&to].ignores(call.own());
    let arrives = if heard && !ignored { Arrives::Yes } else { Arrives::No };
    if let Err(refusal) = call.turn.hub.reach(id, to, text, arrives, call.turn.now.mono) {
        return call.refuse(refusal);
    }
    call.turn.hub.counters.private_messages += 1;
    let text: Arc<str> = text.into();
    let other = call.turn.hub.people.sessions.get_mut(&to).expect("the caller has it");
    let message = Message::PrivateTo { nick: other.nick.shown().into(), text: text.clone(), away: other.away.clone() };
    // Who is ignored is not told so.
    if arrives == Arrives::Yes {
        other.private_from = Some(Box::new((id, nick.clone())));
        call.turn.tell(to, Message::PrivateFrom { nick, text });
    }
    call.turn.hub.wrote_to(id, to);
    call.tell(message);
}

pub(super) fn me(call: &mut Call<'_, '_>, args: &str) {
    let said = Said::Emote { nick: call.nick(), text: args.into() };
    call.turn.speak(call.id, said);
}

pub(super) fn away(call: &mut Call<'_, '_>, args: &str) {
    let limit = call.turn.hub.settings.limits.topic;
    if args.len() > limit {
        return call.refuse(Refusal::TopicTooLong(limit));
    }
    // Its text is shown to others: who is muted has none.
    if !args.is_empty() && !call.turn.may_show(call.id, args) {
        return;
    }
    if !args.is_empty() {
        call.turn.hub.work.done += work::SHOWN;
    }
    call.own_mut().away = Some(args.into());
    call.done(Done::Away);
}

pub(super) fn back(call: &mut Call<'_, '_>, _: &str) {
    call.own_mut().away = None;
    call.done(Done::Back);
}

pub(super) fn quit(call: &mut Call<'_, '_>, args: &str) {
    // The last word is not heard of who is muted.
    let muted = call.own().muted(call.turn.now).is_some();
    let limit = call.turn.hub.settings.limits.topic;
    let suits = call.turn.hub.moderation.filters.judge(args).is_none();
    let word = text_arg(args).filter(|text| !muted && suits && text.len() <= limit);
    let why = Farewell::Quit(word);
    call.tell(Message::Goodbye(why.clone()));
    call.turn.depart(call.id, why);
}
