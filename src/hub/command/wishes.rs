//! Commands about the caller's own name, ignore list and screen.

use super::super::message::{Done, Message, Offset, Refusal, View};
use super::super::speech::Carrier;
use super::super::{Effect, work};
use super::{Call, addressed, clip, split_word};
use crate::values::name::Name;
use crate::values::terminal::{Colors, Mode};
use crate::values::zone::{self, Zone};

pub(super) fn nick(call: &mut Call<'_, '_>, args: &str) {
    let name = match Name::parse(args, call.turn.hub.settings.limits.name) {
        Ok(name) => name,
        Err(invalid) => return call.refuse(Refusal::InvalidName(invalid)),
    };
    if let Err(refusal) = call.turn.hub.may_bear(call.id, &name, call.turn.now) {
        // Elsewhere one is asked for its password now.
        if matches!(refusal, Refusal::NameRegistered(_)) {
            call.turn.hub.expect_password(call.id);
        }
        return call.refuse(refusal);
    }
    // A name can say as much as a line: somebody who is muted keeps the one they have.
    let Some(heard) = call.turn.heard(call.id, Carrier::Name, args) else { return };
    call.turn.hub.work.done += work::SHOWN;
    call.done(Done::Named(name.shown().into()));
    call.turn.rename_heard(&heard, name);
}

pub(super) fn ignore(call: &mut Call<'_, '_>, args: &str) {
    if args.is_empty() {
        let names = call.own().ignoring.iter().map(|ignored| ignored.shown.clone()).collect();
        return call.tell(Message::Ignoring(names));
    }
    let (name, _) = split_word(args);
    // Ignoring is undone as easily as done, so a person who bears another name by now is ignored
    // without a question.
    let renamed = if call.named(name).is_none() { call.renamed(name) } else { None };
    let Some(other) = renamed.or_else(|| call.person(name)) else { return };
    if other == call.id {
        return call.refuse(Refusal::ToYourself);
    }
    let shown = call.turn.hub.people.sessions[&other].nick.shown().into();
    match call.turn.ignore(call.id, other) {
        Ok(()) => call.done(Done::Ignored(shown)),
        Err(refusal) => call.refuse(refusal),
    }
}

pub(super) fn unignore(call: &mut Call<'_, '_>, args: &str) {
    let name = addressed(split_word(args).0);
    if !call.turn.unignore(call.id, name) {
        return call.refuse(Refusal::NotIgnored(clip(name)));
    }
    call.done(Done::Unignored(clip(name)));
}

pub(super) fn quiet(call: &mut Call<'_, '_>, _: &str) {
    let own = call.own_mut();
    own.quiet = !own.quiet;
    let done = if own.quiet { Done::Quiet } else { Done::NotQuiet };
    call.turn.hub.work.done += work::SEEN_ANEW;
    call.turn.hide(call.id);
    call.done(done);
}

pub(super) fn time(call: &mut Call<'_, '_>, args: &str) {
    let shown = call.own().view.time;
    match args {
        "" if shown.is_some() => no_times(call),
        "off" => no_times(call),
        "" | "on" => {
            let offset = shown.unwrap_or_default();
            see_times(call, Some(offset));
            match call.turn.hub.zones.of(call.id) {
                Some(zone) => call.done(Done::TimeIn { zone: zone.name(), offset }),
                None => call.done(Done::TimeOn(offset)),
            }
        }
        other => match Offset::parse(other) {
            Some(offset) => {
                call.turn.hub.zones.forget(call.id);
                see_times(call, Some(offset));
                call.done(Done::TimeOn(offset));
            }
            None => time_in(call, other),
        },
    }
}

/// Shows times in the zone that `word` names.
fn time_in(call: &mut Call<'_, '_>, word: &str) {
    call.turn.hub.work.done += work::ZONES;
    match Zone::meant(word) {
        zone::Meant::One(zone) => {
            let offset = call.turn.see_times_in(call.id, zone);
            see_times(call, Some(offset));
            call.done(Done::TimeIn { zone: zone.name(), offset });
        }
        zone::Meant::Unclear(nearest) => call.refuse(Refusal::BadOffset { given: clip(word), nearest }),
    }
}

fn no_times(call: &mut Call<'_, '_>) {
    call.turn.hub.zones.forget(call.id);
    see_times(call, None);
    call.done(Done::TimeOff);
}

fn see_times(call: &mut Call<'_, '_>, time: Option<Offset>) {
    let view = View { time, ..call.own().view };
    if view != call.own().view {
        call.turn.hub.work.done += work::SEEN_ANEW;
        call.own_mut().view = view;
        call.turn.effects.push(Effect::View { session: call.id, view });
    }
}

pub(super) fn color(call: &mut Call<'_, '_>, args: &str) {
    let on = match args {
        "" => call.own().view.colors == Colors::None,
        "on" => true,
        "off" => false,
        _ => return call.usage(),
    };
    call.own_mut().colors = Some(on);
    call.turn.hub.work.done += work::SEEN_ANEW;
    call.turn.suit(call.id);
    call.done(if on { Done::ColorsOn } else { Done::ColorsOff });
}

pub(super) fn bell(call: &mut Call<'_, '_>, args: &str) {
    let on = match args {
        "" => !call.own().bell,
        "on" => true,
        "off" => false,
        _ => return call.usage(),
    };
    call.own_mut().bell = on;
    call.done(if on { Done::BellOn } else { Done::BellOff });
}

pub(super) fn clear(call: &mut Call<'_, '_>, _: &str) {
    // Clients without a screen would get an escape sequence as stray bytes.
    if call.own().terminal.screen { call.tell(Message::Clear) } else { call.refuse(Refusal::NoScreen) }
}

pub(super) fn mode(call: &mut Call<'_, '_>, args: &str) {
    let mode = match args {
        "line" => Mode::Line,
        "char" if !call.own().terminal.answers => return call.refuse(Refusal::NoCharMode),
        "char" => Mode::Char,
        _ => return call.usage(),
    };
    call.own_mut().wants = Some(mode);
    if call.own().mode == mode && call.own().asked == mode {
        return call.done(Done::Mode(mode));
    }
    // The answer follows when the client's program has agreed to the mode.
    call.turn.suit(call.id);
}

pub(super) fn hold(call: &mut Call<'_, '_>, _: &str) {
    let own = call.own_mut();
    own.holds = !own.holds;
    let on = own.holds;
    call.turn.effects.push(Effect::Hold { session: call.id, on });
    call.done(if on { Done::Holding } else { Done::NotHolding });
}
