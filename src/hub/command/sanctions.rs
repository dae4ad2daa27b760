//! What operators keep people from: bans, mutes, filters, and the lists of them and of who has left.
//!
//! Before a sanction is made that reaches others than the one who was named, the operator is told whom, and says the
//! same again if that is meant; so are they told what a filter would have kept back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::super::By;
use super::super::account::Role;
use super::super::message::{Done, Listed, Message, Refusal, Replaced, ShownLeaver, ShownSanction};
use super::super::sanction::{self, Kind, NoTarget, Order, Sanction, Target};
use super::super::sanctioning::Caught;
use super::super::work;
use super::{Call, clip, split_word, text_arg};
use crate::values::id::SessionId;
use crate::values::name::{self, Name};
use crate::values::time;

/// How long an operator may take to say the same again.
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// Names of others that are told before a sanction reaches them.
const OTHERS_NAMED: usize = 5;

/// Sanctions, or people who have left, on one page.
const PAGE: usize = 20;

/// Whom somebody means.
struct Meant {
    order: Order,
    /// Who that is, if they are here.
    session: Option<SessionId>,
    /// Who that is, here or left.
    who: Option<SessionId>,
    /// It was an address or a network that was named.
    by_address: bool,
}

impl Call<'_, '_> {
    /// Whom `text` means: somebody here, by name or number; an address or a network; somebody who has left a moment
    /// ago; else a name, also written `name=NAME` where the name alone is meant. The caller is told if it is nobody.
    fn meant(&mut self, text: &str, kind: &Kind) -> Option<Meant> {
        if let Some(text) = text.strip_prefix("name=") {
            let target = match Name::parse(text, usize::from(u8::MAX)) {
                Ok(name) => Target::Name(name),
                Err(invalid) => {
                    self.refuse(Refusal::NoTarget(NoTarget::Name(clip(text).to_string(), invalid)));
                    return None;
                }
            };
            return Some(Meant {
                order: Order::about(kind.clone(), target),
                session: None,
                who: None,
                by_address: false,
            });
        }
        let target = text.parse::<Target>();
        if let Ok(target @ Target::Pattern(_)) = target {
            return Some(Meant {
                order: Order::about(kind.clone(), target),
                session: None,
                who: None,
                by_address: false,
            });
        }
        let is_address = matches!(target, Ok(Target::Network(_)) | Err(NoTarget::Network(_)));
        if !is_address && self.named(text).is_some() {
            let other = self.subject(text)?;
            let order = self.turn.hub.order(&self.turn.hub.people.sessions[&other], kind.clone());
            return Some(Meant { order, session: Some(other), who: Some(other), by_address: false });
        }
        let number = super::number(text);
        let left = self.turn.hub.moderation.leavers.find(&name::fold(text), number, self.turn.now.mono).cloned();
        if let Some(leaver) = left.filter(|_| !is_address) {
            let account = leaver.account.and_then(|account| self.turn.hub.accounts.get(account));
            if account.is_some_and(|account| account.role == Role::Operator) {
                self.refuse(Refusal::IsOperator(leaver.nick.shown().into()));
                return None;
            }
            let name = account.map(|account| account.name.clone());
            let order = Order::about_one(kind.clone(), name, &leaver.nick, leaver.addr);
            return Some(Meant { order, session: None, who: Some(leaver.id), by_address: false });
        }
        match target {
            Ok(Target::Network(network)) if network.is_wide() => self.refuse(Refusal::TooWide(clip(text))),
            Ok(target) => {
                let by_address = matches!(target, Target::Network(_));
                return Some(Meant { order: Order::about(kind.clone(), target), session: None, who: None, by_address });
            }
            Err(NoTarget::Id(_)) => self.refuse(Refusal::NoSuchPerson(clip(text))),
            Err(why) => self.refuse(Refusal::NoTarget(why)),
        }
        None
    }

    /// Whether the sanction is meant that `line` asks for: what would keep the caller out is refused, and what reaches
    /// others than the one who was named is asked about, until it is said again.
    fn is_meant(&mut self, meant: &Meant, line: String) -> bool {
        let now = self.turn.now;
        let hit = self.turn.hub.hit_by(&meant.order, now);
        if meant.by_address && hit.iter().any(|session| session.id == self.id) {
            self.refuse(Refusal::HitsYourself);
            return false;
        }
        let others: Vec<(SessionId, Arc<str>)> = hit
            .into_iter()
            .filter(|session| Some(session.id) != meant.session && self.turn.hub.role(session.id) != Role::Operator)
            .map(|session| (session.id, session.nick.shown().into()))
            .collect();
        if let Target::Name(name) = &meant.order.target
            && let Some(operator) = self.turn.hub.operator_like(name)
        {
            // Not here: who is here is told apart before.
            self.refuse(Refusal::IsOperator(operator));
            return false;
        }
        let named: Option<Arc<str>> = match &meant.order.target {
            Target::Name(name) => Some(name.shown().into()),
            _ => None,
        };
        if meant.session.is_none() && named.is_some() && meant.order.also.is_none() {
            // A name and no address: those who bear it are whom it is about.
            let is_operator = |session: &&&super::super::Session| self.turn.hub.role(session.id) == Role::Operator;
            let hit = self.turn.hub.hit_by(&meant.order, now);
            if let Some(operator) = hit.iter().find(is_operator) {
                let nick = operator.nick.shown().into();
                self.refuse(Refusal::IsOperator(nick));
                return false;
            }
            return true;
        }
        let is_pattern = matches!(meant.order.target, Target::Pattern(_));
        let looked_at = if is_pattern { self.turn.hub.people.sessions.len() } else { others.len() };
        self.turn.hub.work.done += looked_at as u64;
        let is_another = match self.told(&line) {
            None if others.is_empty() => return true,
            None => false,
            // Said again: it holds for those of whom the caller was told, and for nobody who has come, or has taken the
            // name, since then.
            Some((who, told)) => {
                if who == meant.who && others.iter().all(|(id, _)| told.contains(id)) {
                    self.turn.hub.moderation.asked.remove(&self.id);
                    return true;
                }
                who != meant.who
            }
        };
        let ids: Vec<String> = others.iter().map(|(id, _)| id.0.to_string()).collect();
        let who = meant.who.map_or_else(String::new, |who| who.0.to_string());
        self.turn.hub.moderation.asked.insert(self.id, (format!("{line}\n{who}\n{}", ids.join(" ")), now.mono));
        let count = others.len();
        let names = others.into_iter().map(|(_, name)| name).take(OTHERS_NAMED).collect();
        let name = meant.order.nick.clone().or(named);
        if is_another {
            self.refuse(Refusal::MeansAnother { name: name.clone(), alone: count == 0 });
        }
        if count == 0 {
            return false;
        }
        self.refuse(if is_pattern {
            Refusal::PatternHits { names, count }
        } else {
            Refusal::HitsOthers { names, count, name }
        });
        false
    }

    /// Of whom the caller was told when it gave that line a moment ago and was asked about it: whom the line named, and
    /// whom it reached as well.
    fn told(&self, line: &str) -> Option<(Option<SessionId>, BTreeSet<SessionId>)> {
        let (asked, at) = self.turn.hub.moderation.asked.get(&self.id)?;
        let (who, others) = asked.strip_prefix(line)?.strip_prefix('\n')?.split_once('\n')?;
        let id = |digits: &str| digits.parse().ok().map(SessionId);
        let is_fresh = self.turn.now.mono.since(*at) <= SAY_AGAIN;
        is_fresh.then(|| (id(who), others.split(' ').filter_map(id).collect()))
    }

    /// Whether the caller was asked about that a moment ago.
    fn is_said_again(&mut self, line: &str) -> bool {
        let now = self.turn.now.mono;
        let asked = &mut self.turn.hub.moderation.asked;
        let is_again = asked.get(&self.id).is_some_and(|(asked, at)| *asked == line && now.since(*at) <= SAY_AGAIN);
        if is_again {
            asked.remove(&self.id);
        }
        is_again
    }

    /// What `WHO [TIME] [REASON]` orders, and who does it; the caller is told what is wrong with it, or has to say it
    /// again.
    fn ordered(&mut self, args: &str, kind: &Kind) -> Option<(Order, By)> {
        let (whom, rest) = split_word(args);
        let (time, reason) = self.time(rest, true)?;
        let meant = self.meant(whom, kind)?;
        let line = format!("{} {args}", self.command.name);
        if !self.has_room_for(&meant.order) || !self.is_meant(&meant, line) {
            return None;
        }
        let by = self.by()?;
        let until = time.map(|time| self.later(time));
        let reason = self.turn.grounds(self.id, text_arg(reason));
        Some((Order { reason, until, ..meant.order }, by))
    }

    /// Whether there may be one more of that kind; the caller is told if not.
    fn has_room_for(&mut self, order: &Order) -> bool {
        let has_place = self.turn.hub.has_place(order);
        if let Err(why) = has_place {
            self.refuse(Refusal::NoPlace(why));
        }
        has_place.is_ok()
    }
}

/// What is told of a sanction that another one has replaced.
fn replaced(former: Option<Sanction>) -> Option<Replaced> {
    former.map(|former| Replaced { called: former.called().into(), until: former.until })
}

pub(super) fn mute(call: &mut Call<'_, '_>, args: &str) {
    mute_somehow(call, args, false);
}

pub(super) fn shadowmute(call: &mut Call<'_, '_>, args: &str) {
    mute_somehow(call, args, true);
}

fn mute_somehow(call: &mut Call<'_, '_>, args: &str, shadow: bool) {
    let Some((order, by)) = call.ordered(args, &Kind::Mute { shadow }) else { return };
    let until = order.until;
    let nick = order.nick.clone().unwrap_or_else(|| shown_to_operators(&order.target));
    let (id, former) = call.turn.sanction(order, by);
    call.turn.done_on_record(
        call.id,
        Done::MutedOther { nick, until, shadow, called: format!("m{}", id.0).into(), replaced: replaced(former) },
    );
}

/// What an operator is told that a sanction is about: no address of somebody else.
fn shown_to_operators(target: &Target) -> Arc<str> {
    match target {
        Target::Network(_) => "an address".into(),
        Target::Pattern(pattern) => format!("whoever is called {pattern}").into(),
        target => target.to_string().into(),
    }
}

pub(super) fn ban(call: &mut Call<'_, '_>, args: &str) {
    let Some((order, by)) = call.ordered(args, &Kind::Ban) else { return };
    let until = order.until;
    let hit = call.turn.hub.hit_by(&order, call.turn.now);
    let hit = hit.iter().filter(|session| call.turn.hub.role(session.id) != Role::Operator).count();
    let (id, former) = call.turn.sanction(order, by);
    let whom = call.turn.hub.moderation.sanctions.get(id).and_then(|ban| shown(ban).name);
    call.turn.done_on_record(
        call.id,
        Done::Banned { whom, called: format!("b{}", id.0).into(), hit, until, replaced: replaced(former) },
    );
}

pub(super) fn filter(call: &mut Call<'_, '_>, args: &str) {
    let is_time = |word: &str| time::parse_length(word).is_ok();
    let (first, behind) = split_word(args);
    let strike = first == "strike" && !behind.is_empty() && !is_time(split_word(behind).0);
    let args_of_it = if strike { behind } else { args };
    if is_time(split_word(args_of_it).0) {
        // A word was left out. Between quotation marks, one of that kind is meant.
        return call.usage();
    }
    let Some((text, rest)) = filtered(args_of_it) else { return call.usage() };
    let Some((time, reason)) = call.time(rest, true) else { return };
    let target = match sanction::filtered(text) {
        Ok(target) => target,
        Err(why) => return call.refuse(Refusal::NoFilter(why.into())),
    };
    let order = Order::about(Kind::Filter { strike }, target);
    if !call.has_room_for(&order) {
        return;
    }
    let line = format!("filter {args}");
    let room = call.own().room;
    let caught = call.turn.hub.would_be_kept_back(&order.target, [room], call.turn.now);
    call.turn.hub.work.done += caught.looked_at as u64 * work::LINE;
    if caught.lines > 0 && !call.is_said_again(&line) {
        let Caught { lines, looked_at, names, people } = caught;
        let names = names.into_iter().take(OTHERS_NAMED).collect();
        call.refuse(Refusal::FilterHits { lines, looked_at, names, count: people });
        let now = call.turn.now.mono;
        call.turn.hub.moderation.asked.insert(call.id, (line, now));
        return;
    }
    let Some(by) = call.by() else { return };
    let until = time.map(|time| call.later(time));
    let reason = call.turn.grounds(call.id, text_arg(reason));
    let (id, former) = call.turn.sanction(Order { reason, until, ..order }, by);
    let done = Done::Filtered {
        text: clip(text),
        strike,
        until,
        called: format!("f{}", id.0).into(),
        replaced: replaced(former),
    };
    call.turn.done_on_record(call.id, done);
}

/// What a filter is to find, and what stands behind it: one word, several between quotation marks, or a pattern up to the
/// last slash that ends a word. `None` where a quotation mark or a slash stands alone: that is half of something.
fn filtered(args: &str) -> Option<(&str, &str)> {
    let ends = |end: char| {
        let mut found = args.match_indices(end).skip(1).map(|(at, _)| at + 1);
        found.find(|at| args[*at..].chars().next().is_none_or(char::is_whitespace))
    };
    match args.chars().next() {
        Some('"') => ends('"').map(|end| (&args[1..end - 1], args[end..].trim_start())),
        Some('/') => ends('/').map(|end| (&args[..end], args[end..].trim_start())),
        _ => Some(split_word(args)),
    }
}

pub(super) fn filters(call: &mut Call<'_, '_>, args: &str) {
    list(call, args, Listed::Filters);
}

pub(super) fn bans(call: &mut Call<'_, '_>, args: &str) {
    list(call, args, Listed::Bans);
}

pub(super) fn sanctions(call: &mut Call<'_, '_>, args: &str) {
    list(call, args, Listed::All);
}

/// Lists sanctions, the newest first, a page at a time; or those about one who is here.
fn list(call: &mut Call<'_, '_>, args: &str, what: Listed) {
    let (word, _) = split_word(args);
    let page = match word.parse::<usize>() {
        Ok(page @ 1..) => page,
        Ok(0) => return call.usage(),
        Err(_) if word.is_empty() => 1,
        Err(_) if what == Listed::Filters => return call.usage(),
        Err(_) => return about(call, word),
    };
    let (now, sanctions) = (call.turn.now, &call.turn.hub.moderation.sanctions);
    let is_listed = |kind: &Kind| match what {
        Listed::All => true,
        Listed::Bans => *kind == Kind::Ban,
        Listed::Filters => matches!(kind, Kind::Filter { .. }),
    };
    let unseen = call.unseen_sanctions();
    let held = sanctions.iter().rev();
    let held = held.filter(|one| one.holds(now) && is_listed(&one.kind) && !unseen.contains(&one.id));
    // A page far behind costs as much as it looks at.
    let mut held = held.skip((page - 1).saturating_mul(PAGE));
    let shown: Vec<ShownSanction> = held.by_ref().take(PAGE).map(shown).collect();
    drop(held);
    let total = match what {
        Listed::All => sanctions.len() - unseen.len(),
        Listed::Bans => sanctions.count(&Kind::Ban),
        Listed::Filters => sanctions.count(&Kind::Filter { strike: false }),
    };
    let looked_at = page.saturating_mul(PAGE).min(sanctions.len());
    call.turn.hub.work.done += looked_at as u64;
    call.tell(Message::Sanctions { shown, page, pages: total.div_ceil(PAGE), total, what });
    if what == Listed::Filters && page == 1 {
        let configured = &call.turn.hub.settings.filters;
        let (refuse, strike) = (configured.refuse.len(), configured.strike.len());
        if refuse + strike > 0 {
            call.done(Done::FiltersOfSettings { refuse, strike });
        }
    }
}

/// Lists the sanctions about one who is here, has left, or bears a name; or the one that is called so.
fn about(call: &mut Call<'_, '_>, word: &str) {
    let unseen = call.unseen_sanctions();
    if let Some(one) = call.called(word).map(shown) {
        return call.tell(Message::Sanctions { shown: vec![one], page: 1, pages: 1, total: 1, what: Listed::All });
    }
    let Some(found) = call.named(word) else {
        let Ok(name) = Name::parse(word, usize::from(u8::MAX)) else {
            return call.refuse(Refusal::NoSuchPerson(clip(word)));
        };
        let (now, sanctions) = (call.turn.now, &call.turn.hub.moderation.sanctions);
        // Of who has left, the address may be kept out, and not the name.
        let meant_for = |one: &&Sanction| one.nick.as_deref().is_some_and(|nick| name::fold(nick) == name.folded());
        let for_them = sanctions.iter().rev().filter(|one| one.holds(now)).filter(meant_for);
        let found = sanctions.of_name(&name, now).chain(sanctions.of_pattern(&name, now)).chain(for_them);
        let found = found.filter(|one| !unseen.contains(&one.id));
        let mut shown: Vec<_> = found.take(PAGE).map(shown).collect();
        shown.sort_by(|one, other| other.called.cmp(&one.called));
        shown.dedup_by(|one, other| one.called == other.called);
        let (total, looked_at) = (shown.len(), sanctions.len());
        call.turn.hub.work.done += looked_at as u64;
        return call.tell(Message::Sanctions { shown, page: 1, pages: 1, total, what: Listed::All });
    };
    let session = &call.turn.hub.people.sessions[&found];
    let found = call.turn.hub.sanctions_of(session, call.turn.now).filter(|one| !unseen.contains(&one.id));
    let mut shown: Vec<_> = found.take(PAGE).map(shown).collect();
    shown.dedup_by(|one, other| one.called == other.called);
    let total = shown.len();
    call.tell(Message::Sanctions { shown, page: 1, pages: 1, total, what: Listed::All });
}

/// A sanction without the address that it is about: that is nobody's business here, not even an operator's.
fn shown(sanction: &Sanction) -> ShownSanction {
    let name = match (&sanction.target, &sanction.nick) {
        (Target::Network(_), nick) => nick.as_ref().map(|nick| format!("the address of {nick}").into()),
        (target, _) => Some(target.to_string().into()),
    };
    let from = match &sanction.kind {
        Kind::Expulsion { name, .. } => Some(name.shown().into()),
        _ => None,
    };
    ShownSanction {
        called: sanction.called().into(),
        word: sanction.kind.word(),
        name,
        by_address: sanction.also.is_some(),
        from,
        reason: sanction.reason.clone(),
        by: sanction.maker_to_people().into(),
        until: sanction.until,
    }
}

pub(super) fn left(call: &mut Call<'_, '_>, args: &str) {
    let page = match args.parse::<usize>() {
        Ok(page @ 1..) => page,
        Err(_) if args.is_empty() => 1,
        _ => return call.usage(),
    };
    let now = call.turn.now.mono;
    let mut all = call.turn.hub.moderation.leavers.iter(now).skip((page - 1).saturating_mul(PAGE));
    let shown: Vec<ShownLeaver> = all
        .by_ref()
        .take(PAGE)
        .map(|leaver| ShownLeaver {
            id: leaver.id,
            nick: leaver.nick.shown().into(),
            ago: now.since(leaver.at),
            why: leaver.why.clone(),
        })
        .collect();
    let is_more = all.next().is_some();
    drop(all);
    call.turn.hub.work.done += page.saturating_mul(PAGE).min(1000) as u64;
    call.tell(Message::Leavers { shown, page, is_more });
}
