//! Commands that say something to others, or to those who look for one.

use std::sync::Arc;

use super::super::inbound::Arrives;
use super::super::message::{Done, Farewell, Message, Refusal};
use super::super::{Hearing, Said, What, tell, work};
use super::{Call, split_word, text_arg};
use crate::values::id::SessionId;

pub(super) fn msg(call: &mut Call<'_>, args: &str) {
    let (name, text) = split_word(args);
    if let Some(to) = call.person(name) {
        private(call, to, text);
    }
}

pub(super) fn reply(call: &mut Call<'_>, args: &str) {
    match call.own().private_from.as_deref().cloned() {
        None => call.refuse(Refusal::NobodyToReplyTo),
        Some((to, _)) if call.hub.sessions.contains_key(&to) => private(call, to, args),
        Some((_, name)) => call.refuse(Refusal::ReplyGone(name)),
    }
}

pub(super) fn private(call: &mut Call<'_>, to: SessionId, text: &str) {
    if to == call.id {
        return call.refuse(Refusal::ToYourself);
    }
    let heard = match call.hub.hearing(call.id, call.now, call.effects) {
        Hearing::All => true,
        Hearing::Nobody => false,
        Hearing::Refused => return,
    };
    let nick = call.nick();
    let id = call.id;
    let ignored = call.hub.sessions[&to].ignores(call.own());
    let arrives = if heard && !ignored { Arrives::Yes } else { Arrives::No };
    if let Err(refusal) = call.hub.reach(id, to, text, arrives, call.now.mono) {
        return call.refuse(refusal);
    }
    call.hub.counters.private_messages += 1;
    let text: Arc<str> = text.into();
    let other = call.hub.sessions.get_mut(&to).expect("the caller has it");
    let message = Message::PrivateTo { nick: other.nick.shown().into(), text: text.clone(), away: other.away.clone() };
    // Who is ignored is not told so.
    if arrives == Arrives::Yes {
        other.private_from = Some(Box::new((id, nick.clone())));
        tell(to, Message::PrivateFrom { nick, text }, call.effects);
    }
    call.hub.wrote_to(id, to);
    call.tell(message);
}

pub(super) fn me(call: &mut Call<'_>, args: &str) {
    let said = Said::Emote { nick: call.nick(), text: args.into() };
    call.hub.speak(call.id, said, call.now, call.effects);
}

pub(super) fn away(call: &mut Call<'_>, args: &str) {
    let limit = call.hub.settings.limits.topic;
    if args.len() > limit {
        return call.refuse(Refusal::TopicTooLong(limit));
    }
    // Its text is shown to others: who is muted has none.
    if !args.is_empty() && !call.hub.may_show(call.id, args, call.now, call.effects) {
        return;
    }
    if !args.is_empty() {
        call.hub.work += work::SHOWN;
    }
    call.own_mut().away = Some(args.into());
    call.done(Done::Away);
}

pub(super) fn back(call: &mut Call<'_>, _: &str) {
    call.own_mut().away = None;
    call.done(Done::Back);
}

pub(super) fn report(call: &mut Call<'_>, args: &str) {
    let (name, text) = split_word(args);
    if name.is_empty() || text.is_empty() {
        return call.usage();
    }
    let Some(other) = call.person(name) else { return };
    if let Err(wait) = call.hub.may_report(call.id, call.now) {
        return call.refuse(Refusal::TooManyAttempts(wait));
    }
    let other = &call.hub.sessions[&other];
    let about: Arc<str> = other.nick.shown().into();
    let noted: Arc<str> = format!("{about} ({}): {text}", other.id).into();
    call.hub.happened(What::Reported, call.id, None, Some(noted), call.now, call.effects);
    let message = Message::Report { from: call.nick(), about: about.clone(), text: text.into() };
    let told = call.hub.report(call.id, &message, text, call.now.mono, call.effects);
    call.done(if told > 0 { Done::Reported(about) } else { Done::ReportNoted(about) });
}

pub(super) fn quit(call: &mut Call<'_>, args: &str) {
    // The last word is not heard of who is muted.
    let muted = call.own().muted(call.now).is_some();
    let limit = call.hub.settings.limits.topic;
    let suits = call.hub.filters.judge(args).is_none();
    let word = text_arg(args).filter(|text| !muted && suits && text.len() <= limit);
    let why = Farewell::Quit(word);
    call.tell(Message::Goodbye(why.clone()));
    call.hub.depart(call.id, why, call.now, call.effects);
}
