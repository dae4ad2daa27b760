//! Commands about oneself: a name, whom one hears, how one's screen looks.

use super::super::message::{Done, Message, Offset, Refusal, View};
use super::super::{Effect, work};
use super::{Call, clip, split_word};
use crate::values::name::Name;
use crate::values::terminal::{Colors, Mode};

pub(super) fn nick(call: &mut Call<'_>, args: &str) {
    let name = match Name::parse(args, call.hub.settings.limits.name) {
        Ok(name) => name,
        Err(invalid) => return call.refuse(Refusal::InvalidName(invalid)),
    };
    if let Err(refusal) = call.hub.may_bear(call.id, &name, call.now) {
        return call.refuse(refusal);
    }
    // A name can be as good as a line: who is muted keeps the one they have.
    if !call.hub.may_show(call.id, args, call.now, call.effects) {
        return;
    }
    call.hub.work += work::SHOWN;
    call.done(Done::Named(name.shown().into()));
    call.hub.rename(call.id, name, None, call.now, call.effects);
}

pub(super) fn ignore(call: &mut Call<'_>, args: &str) {
    if args.is_empty() {
        let names = call.own().ignoring.iter().map(|ignored| ignored.shown.clone()).collect();
        return call.tell(Message::Ignoring(names));
    }
    let (name, _) = split_word(args);
    let Some(other) = call.person(name) else { return };
    if other == call.id {
        return call.refuse(Refusal::ToYourself);
    }
    let shown = call.hub.sessions[&other].nick.shown().into();
    match call.hub.ignore(call.id, other, call.effects) {
        Ok(()) => call.done(Done::Ignored(shown)),
        Err(refusal) => call.refuse(refusal),
    }
}

pub(super) fn unignore(call: &mut Call<'_>, args: &str) {
    let (name, _) = split_word(args);
    if !call.hub.unignore(call.id, name, call.effects) {
        return call.refuse(Refusal::NotIgnored(clip(name)));
    }
    call.done(Done::Unignored(clip(name)));
}

pub(super) fn quiet(call: &mut Call<'_>, _: &str) {
    let own = call.own_mut();
    own.quiet = !own.quiet;
    let done = if own.quiet { Done::Quiet } else { Done::NotQuiet };
    call.hub.work += work::SEEN_ANEW;
    call.hub.filter(call.id, call.effects);
    call.done(done);
}

pub(super) fn time(call: &mut Call<'_>, args: &str) {
    let shown = call.own().view.time;
    let time = match args {
        "" => shown.is_none().then_some(Offset::default()),
        "on" => Some(shown.unwrap_or_default()),
        "off" => None,
        other => match Offset::parse(other) {
            Some(offset) => Some(offset),
            None => return call.refuse(Refusal::BadOffset(clip(other))),
        },
    };
    let view = View { time, ..call.own().view };
    if view != call.own().view {
        call.hub.work += work::SEEN_ANEW;
        call.own_mut().view = view;
        call.effects.push(Effect::View { session: call.id, view });
    }
    call.done(time.map_or(Done::TimeOff, Done::TimeOn));
}

pub(super) fn color(call: &mut Call<'_>, args: &str) {
    let on = match args {
        "" => call.own().view.colors == Colors::None,
        "on" => true,
        "off" => false,
        _ => return call.usage(),
    };
    call.own_mut().colors = Some(on);
    call.hub.work += work::SEEN_ANEW;
    call.hub.suit(call.id, call.effects);
    call.done(if on { Done::ColorsOn } else { Done::ColorsOff });
}

pub(super) fn mode(call: &mut Call<'_>, args: &str) {
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
    // Told when its program has gone along.
    call.hub.suit(call.id, call.effects);
}

pub(super) fn hold(call: &mut Call<'_>, _: &str) {
    let own = call.own_mut();
    own.holds = !own.holds;
    let on = own.holds;
    call.effects.push(Effect::Hold { session: call.id, on });
    call.done(if on { Done::Holding } else { Done::NotHolding });
}
