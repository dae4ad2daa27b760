//! Bans, mutes and filters by operators, the lists of them, and the list of people who have left.
//!
//! If a sanction would reach more people than the one named, the operator is told whom, and has to
//! repeat the line to confirm it. So it is with a network or a pattern of names that is wide, whoever
//! is here: it will reach those who come. Before a filter is made, the operator is told which recent lines
//! it would have kept back.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::account::Role;
use super::super::leavers::Leaver;
use super::super::message::{Done, Listed, Message, Refusal, Replaced, ShownLeaver, ShownSanction};
use super::super::sanction::{self, Kind, NoTarget, Order, Sanction, Target};
use super::super::sanctioning::Caught;
use super::super::speech::{Deed, Grounds};
use super::super::whom;
use super::super::work;
use super::super::{By, Hub};
use super::bearer::Named;
use super::{Call, SAY_AGAIN, clip, split_word, text_arg};
use crate::values::id::SessionId;
use crate::values::name::pattern::Pattern;
use crate::values::name::{self, Name, TakenFor};
use crate::values::network::Network;
use crate::values::time;

/// The most names of other people that are told before a sanction reaches them.
const OTHERS_NAMED: usize = 5;

/// Sanctions, or people who have left, on one page of a list.
const PAGE: usize = 20;

/// The person, name or address that a sanction is to be about.
struct Meant {
    order: Order,
    /// The client, if it is connected.
    session: Option<SessionId>,
    /// The client, connected or left.
    who: Option<SessionId>,
    /// The address or network, if one was typed.
    network: Option<Network>,
}

impl Call<'_, '_> {
    /// Reads `text` as the target of a sanction. It can be, in this order: a person here, by nick
    /// or client number; an address or a network; a person who left recently; else a name.
    /// `name=NAME` and patterns mean names alone. Tells the caller if it is none of these.
    fn meant(&mut self, text: &str, kind: &Kind, line: &str) -> Option<Meant> {
        let now = self.turn.now;
        if let Some(text) = text.strip_prefix("name=") {
            let target = match self.turn.hub.target_by_name(text, now) {
                Ok(target) => target,
                Err(why) => {
                    self.refuse(Refusal::NoTarget(why));
                    return None;
                }
            };
            return Some(Meant { order: Order::about(kind.clone(), target), session: None, who: None, network: None });
        }
        let target = text.parse::<Target>();
        if let Ok(target @ Target::Pattern(_)) = target {
            return Some(Meant { order: Order::about(kind.clone(), target), session: None, who: None, network: None });
        }
        let is_address = matches!(target, Ok(Target::Network(_)) | Err(NoTarget::Network(_)));
        let named = if is_address { Named::AsEver } else { self.means(text, line)? };
        if let Named::Renamed(other) | Named::Confirmed(other) = named {
            let session = self.may_act_on(other).then(|| &self.turn.hub.people.sessions[&other])?;
            let order = self.turn.hub.order(session, kind.clone());
            return Some(Meant { order, session: Some(other), who: Some(other), network: None });
        }
        if !is_address && self.named(text).is_some() {
            let other = self.subject(text)?;
            let order = self.turn.hub.order(&self.turn.hub.people.sessions[&other], kind.clone());
            return Some(Meant { order, session: Some(other), who: Some(other), network: None });
        }
        // The owner of that account is here under another nick.
        let account = self.turn.hub.accounts.find(&name::fold(text));
        if let Some(other) = account.and_then(|account| self.bearer(account)).filter(|_| !is_address) {
            let session = &self.turn.hub.people.sessions[&other];
            let owned = account.and_then(|account| self.turn.hub.accounts.get(account));
            let refusal = match self.turn.hub.role(other) {
                _ if other == self.id => Some(Refusal::ToYourself),
                Role::Operator => owned.map(|account| Refusal::IsOperator(account.name.shown().into())),
                _ => None,
            };
            if let Some(refusal) = refusal {
                self.refuse(refusal);
                return None;
            }
            let order = self.turn.hub.order(session, kind.clone());
            return Some(Meant { order, session: Some(other), who: Some(other), network: None });
        }
        let number = whom::client(text);
        let left = self.turn.hub.moderation.leavers.find_by_any_name(&name::fold(text), number, now.mono).cloned();
        if let Some(leaver) = left.filter(|_| !is_address) {
            let account = leaver.account.and_then(|account| self.turn.hub.accounts.get(account));
            if account.is_some_and(|account| account.role == Role::Operator) {
                self.refuse(Refusal::IsOperator(leaver.nick.shown().into()));
                return None;
            }
            let order = self.turn.hub.order_of_leaver(&leaver, kind.clone());
            return Some(Meant { order, session: None, who: Some(leaver.id), network: None });
        }
        match target.or_else(|why| self.turn.hub.known_name(text, now).map(Target::Name).ok_or(why)) {
            Ok(Target::Network(network)) if network.is_wide() => self.refuse(Refusal::TooWide(clip(text))),
            Ok(target) => {
                let network = match &target {
                    Target::Network(network) => Some(*network),
                    _ => None,
                };
                return Some(Meant { order: Order::about(kind.clone(), target), session: None, who: None, network });
            }
            Err(NoTarget::Id(_)) => self.refuse(Refusal::NoSuchPerson(clip(text))),
            Err(why) => self.refuse(Refusal::NoTarget(why)),
        }
        None
    }

    /// Whether to go ahead with the sanction that `line` asks for. It is refused if it would keep
    /// the caller out. If it reaches other people than the one named, or looks like a slip, the
    /// caller has to repeat the line.
    fn is_meant(&mut self, meant: &Meant, given: &str, behind: Option<Arc<str>>, line: String) -> bool {
        let now = self.turn.now;
        // One question covers all doubts about this line.
        let told = self.told(&line);
        let hit = self.turn.hub.hit_by(&meant.order, now);
        if meant.network.is_some() && hit.iter().any(|session| session.id == self.id) {
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
            // That operator is not connected: `Self::meant` has refused those who are.
            self.refuse(Refusal::IsOperator(operator));
            return false;
        }
        let named: Option<Arc<str>> = match &meant.order.target {
            Target::Name(name) => Some(name.shown().into()),
            _ => None,
        };
        if meant.session.is_none() && named.is_some() && meant.order.also.is_none() {
            // A name without an address: the sanction is about everybody who bears the name.
            let is_operator = |session: &&&super::super::Session| self.turn.hub.role(session.id) == Role::Operator;
            let hit = self.turn.hub.hit_by(&meant.order, now);
            if let Some(operator) = hit.iter().find(is_operator) {
                let nick = operator.nick.shown().into();
                self.refuse(Refusal::IsOperator(nick));
                return false;
            }
            let Some(behind) = behind.filter(|_| told.is_none()) else { return true };
            self.refuse(Refusal::TimeBehind(behind));
            self.ask(format!("{line}\n\n"));
            return false;
        }
        let is_pattern = matches!(meant.order.target, Target::Pattern(_));
        let looked_at = if is_pattern { self.turn.hub.people.sessions.len() } else { others.len() };
        self.turn.hub.work.done += looked_at as u64;
        let broad = match &meant.order.target {
            Target::Pattern(pattern) => pattern.broad().map(|such| (clip(pattern.as_str()), such)),
            _ => None,
        };
        let doubtful = meant.network.filter(|network| network.is_broad() || !network.is_written_so(given));
        let is_another = match told {
            None if others.is_empty() && doubtful.is_none() && broad.is_none() && behind.is_none() => return true,
            None => false,
            // The caller has repeated the line. That confirms it for the people of whom the caller
            // was told, and for nobody who came, or took the name, since then.
            Some((who, told)) => {
                if who == meant.who && others.iter().all(|(id, _)| told.contains(id)) {
                    return true;
                }
                who != meant.who
            }
        };
        let ids: Vec<String> = others.iter().map(|(id, _)| id.0.to_string()).collect();
        let who = meant.who.map_or_else(String::new, |who| who.0.to_string());
        self.turn.hub.moderation.asked.insert(self.id, (format!("{line}\n{who}\n{}", ids.join(" ")), now.mono));
        if let Some(behind) = behind {
            self.refuse(Refusal::TimeBehind(behind));
        }
        if let Some(network) = doubtful {
            self.refuse(Refusal::Doubtful { given: clip(given), network: in_words(&network) });
        }
        if let Some((pattern, such)) = broad {
            self.refuse(Refusal::BroadPattern { pattern, such });
        }
        let count = others.len();
        let names = others.into_iter().map(|(_, name)| name).take(OTHERS_NAMED).collect();
        let name = meant.order.nick.clone().or(named);
        if is_another {
            self.refuse(Refusal::MeansAnother { name: name.clone() });
        }
        self.refuse(if count == 0 {
            Refusal::SayAgain
        } else if is_pattern {
            Refusal::PatternHits { names, count }
        } else {
            Refusal::HitsOthers { names, count, name }
        });
        false
    }

    /// The people of whom the caller was told when it was asked to repeat that line: the one named,
    /// and the others that the sanction would reach. `None` if the question was about another line
    /// or is too old. The question is removed: it is good for one repetition.
    fn told(&mut self, line: &str) -> Option<(Option<SessionId>, BTreeSet<SessionId>)> {
        let (asked, at) = self.turn.hub.moderation.asked.get(&self.id)?;
        let (who, others) = asked.strip_prefix(line)?.strip_prefix('\n')?.split_once('\n')?;
        let id = |digits: &str| digits.parse().ok().map(SessionId);
        let told = (id(who), others.split(' ').filter_map(id).collect());
        let is_fresh = self.turn.now.mono.since(*at) <= SAY_AGAIN;
        self.turn.hub.moderation.asked.remove(&self.id);
        is_fresh.then_some(told)
    }

    /// Asks the caller to repeat `line`, after it was told what is odd about it.
    pub(super) fn ask(&mut self, line: String) {
        self.refuse(Refusal::SayAgain);
        self.turn.hub.moderation.asked.insert(self.id, (line, self.turn.now.mono));
    }

    /// Whether the caller was asked to repeat this line, at most [`SAY_AGAIN`] ago. If so, the
    /// question is removed.
    pub(super) fn is_said_again(&mut self, line: &str) -> bool {
        let now = self.turn.now.mono;
        let asked = &mut self.turn.hub.moderation.asked;
        let is_again = asked.get(&self.id).is_some_and(|(asked, at)| *asked == line && now.since(*at) <= SAY_AGAIN);
        if is_again {
            asked.remove(&self.id);
        }
        is_again
    }

    /// Reads `WHO [TIME] [REASON]`: the order, its reason, and the operator who gives it. Otherwise tells the
    /// caller what is wrong, or asks it to repeat the line.
    fn ordered(&mut self, args: &str, kind: &Kind) -> Option<(Order, Grounds, By)> {
        let (whom, rest) = split_word(args);
        // A length of time stands where the person belongs, as in `10 min ann`. Nobody can be
        // called like a length of one word.
        let length = time::take_length(args.strip_prefix("for ").unwrap_or(args)).ok().flatten();
        if let Some((_, behind)) = length.filter(|_| self.named(whom).is_none())
            && self.turn.hub.known_name(whom, self.turn.now).is_none()
        {
            let given = args[..args.len() - behind.len()].trim();
            let given = clip(given.strip_prefix("for ").unwrap_or(given)).to_string();
            self.refuse(Refusal::NoTarget(NoTarget::TakenFor(given, TakenFor::Time)));
            return None;
        }
        let (time, reason) = self.time(rest, true)?;
        let line = self.line(args).to_string();
        let meant = self.meant(whom, kind, &line)?;
        // A length of time behind the reason would count as part of the reason, and the sanction
        // would have no end.
        let behind = if time.is_none() { length_at_end(reason) } else { None };
        if !self.has_room_for(&meant.order) || !self.is_meant(&meant, whom, behind, line) {
            return None;
        }
        let by = self.by()?;
        let until = time.map(|time| self.later(time));
        let grounds = self.turn.grounds(self.id, text_arg(reason));
        Some((Order { reason: grounds.seen.clone(), until, ..meant.order }, grounds, by))
    }

    /// Whether the limits allow one more sanction of that kind; tells the caller if not.
    fn has_room_for(&mut self, order: &Order) -> bool {
        let has_place = self.turn.hub.has_place(order);
        if let Err(why) = has_place {
            self.refuse(Refusal::NoPlace(why));
        }
        has_place.is_ok()
    }
}

/// The length of time at the end of a text, such as `10min` or `2 hours`, if there is one.
fn length_at_end(text: &str) -> Option<Arc<str>> {
    let start = |words: usize| text.rmatch_indices(char::is_whitespace).nth(words - 1).map_or(0, |(at, _)| at);
    let is_length = |at: &usize| time::parse_length(&text[*at..]).is_ok_and(|time| !time.is_zero());
    [start(2), start(1)].into_iter().find(is_length).map(|at| text[at..].trim().into())
}

/// What the operator is told of the sanction that the new one has replaced.
pub(super) fn replaced(former: Option<Sanction>) -> Option<Replaced> {
    former.map(|former| Replaced { called: former.called().into(), until: former.until })
}

pub(super) fn mute(call: &mut Call<'_, '_>, args: &str) {
    mute_somehow(call, args, false);
}

pub(super) fn shadowmute(call: &mut Call<'_, '_>, args: &str) {
    mute_somehow(call, args, true);
}

fn mute_somehow(call: &mut Call<'_, '_>, args: &str, shadow: bool) {
    let Some((order, grounds, by)) = call.ordered(args, &Kind::Mute { shadow }) else { return };
    let until = order.until;
    let nick = order.nick.clone().unwrap_or_else(|| as_ordered(&order.target));
    let is_bare = order.nick.is_none() && matches!(order.target, Target::Name(_));
    let absent = is_bare && call.turn.hub.hit_by(&order, call.turn.now).is_empty();
    let (id, former) = call.turn.sanction(order, by);
    call.turn.note_grounds(call.id, Deed::Sanction(id), &grounds);
    call.turn.done_on_record(
        call.id,
        Done::MutedOther {
            nick,
            until,
            shadow,
            absent,
            called: format!("m{}", id.0).into(),
            replaced: replaced(former),
        },
    );
}

/// A network as shown to the operator who has typed it: with its size if it holds several
/// addresses.
fn in_words(network: &Network) -> Arc<str> {
    match network.ends() {
        (first, last) if first == last => first.to_string().into(),
        _ => format!("{network} ({})", network.size()).into(),
    }
}

/// The target of a sanction as shown to the operator who ordered it, and so has typed the address.
fn as_ordered(target: &Target) -> Arc<str> {
    match target {
        Target::Network(network) => in_words(network),
        Target::Pattern(pattern) => format!("whoever is called {pattern}").into(),
        target => target.to_string().into(),
    }
}

pub(super) fn ban(call: &mut Call<'_, '_>, args: &str) {
    let Some((order, grounds, by)) = call.ordered(args, &Kind::Ban) else { return };
    let until = order.until;
    let network = match &order.target {
        Target::Network(network) if order.nick.is_none() => Some(in_words(network)),
        _ => None,
    };
    let hit = call.turn.hub.hit_by(&order, call.turn.now);
    let is_name_alone = order.also.is_none() && matches!(order.target, Target::Name(_));
    let absent = (is_name_alone && hit.is_empty()).then(|| as_ordered(&order.target));
    let hit = hit.iter().filter(|session| call.turn.hub.role(session.id) != Role::Operator);
    let hit: Vec<SessionId> = hit.map(|session| session.id).collect();
    let (id, former) = call.turn.sanction(order, by);
    for one in &hit {
        call.turn.note_grounds(call.id, Deed::Departure(*one), &grounds);
    }
    call.turn.note_grounds(call.id, Deed::Sanction(id), &grounds);
    let hit = hit.len();
    let whom = network
        .or_else(|| call.turn.hub.moderation.sanctions.get(id).and_then(|ban| shown(call.turn.hub, call.id, ban).name));
    call.turn.done_on_record(
        call.id,
        Done::Banned { whom, absent, called: format!("b{}", id.0).into(), hit, until, replaced: replaced(former) },
    );
}

pub(super) fn filter(call: &mut Call<'_, '_>, args: &str) {
    let is_time = |word: &str| time::parse_length(word).is_ok();
    let (first, behind) = split_word(args);
    if first == "off" && behind.is_empty() {
        let why = "/lift f3 ends a filter, and /filters lists them; \"off\" in quotation marks is the word";
        return call.refuse(Refusal::NoFilter(why.into()));
    }
    let strike = first == "strike";
    let args_of_it = if strike { behind } else { args };
    if args_of_it.is_empty() || is_time(split_word(args_of_it).0) {
        // The text of the filter is missing. To filter a word that is a length of time, put it
        // between quotation marks.
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
    let grounds = call.turn.grounds(call.id, text_arg(reason));
    let (id, former) = call.turn.sanction(Order { reason: grounds.seen.clone(), until, ..order }, by);
    call.turn.note_grounds(call.id, Deed::Sanction(id), &grounds);
    let done = Done::Filtered {
        text: clip(text),
        strike,
        until,
        called: format!("f{}", id.0).into(),
        replaced: replaced(former),
    };
    call.turn.done_on_record(call.id, done);
}

/// Splits the text of a filter from the words behind it. The text is one word, several words
/// between quotation marks, or a pattern that ends at the last `/` before a space. `None` if the
/// closing quotation mark or slash is missing.
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

/// Lists sanctions, the newest first, one page at a time; or, if a person is named, the sanctions
/// about that person.
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
    // To reach a late page costs as much as looking at all pages before it.
    let mut held = held.skip((page - 1).saturating_mul(PAGE));
    let shown: Vec<ShownSanction> = held.by_ref().take(PAGE).map(|one| shown(call.turn.hub, call.id, one)).collect();
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

/// Lists the sanctions about a person who is here or has left, or about a name; or the one sanction
/// with that label.
fn about(call: &mut Call<'_, '_>, word: &str) {
    let unseen = call.unseen_sanctions();
    if let Some(one) = call.called(word).map(|one| shown(call.turn.hub, call.id, one)) {
        return call.tell(Message::Sanctions { shown: vec![one], page: 1, pages: 1, total: 1, what: Listed::All });
    }
    let Some(named) = call.means_to_look_at(word) else { return };
    let Some(found) = named.or_else(|| call.named(word)) else {
        let (now, hub) = (call.turn.now, &*call.turn.hub);
        let sanctions = &hub.moderation.sanctions;
        let leaver = hub.moderation.leavers.find_by_any_name(&name::fold(word), whom::client(word), now.mono);
        let found: Vec<&Sanction> = if let Some(leaver) = leaver {
            hub.sanctions_of_leaver(leaver, now)
        } else if Pattern::is_one(word) {
            let target = Target::Pattern(Pattern::recall(word));
            sanctions.patterns().filter(|one| one.target == target && one.holds(now)).collect()
        } else if name::resembles_address(word) && hub.known_name(word, now).is_none() {
            return call.refuse(Refusal::NotByAddress(clip(word)));
        } else {
            match Name::parse(word.strip_prefix("name=").unwrap_or(word), usize::from(u8::MAX)) {
                Ok(name) if !name::is_id(name.folded()) => hub.sanctions_about([&name], None, now),
                _ => return call.refuse(Refusal::NoSuchPerson(clip(word))),
            }
        };
        let shown: Vec<_> = found
            .into_iter()
            .filter(|one| !unseen.contains(&one.id))
            .rev()
            .take(PAGE)
            .map(|one| shown(hub, call.id, one))
            .collect();
        let (total, looked_at) = (shown.len(), sanctions.len());
        call.turn.hub.work.done += looked_at as u64;
        return call.tell(Message::Sanctions { shown, page: 1, pages: 1, total, what: Listed::All });
    };
    let session = &call.turn.hub.people.sessions[&found];
    let mut seen = unseen;
    let found = call.turn.hub.sanctions_of(session, call.turn.now).filter(|one| seen.insert(one.id));
    let shown: Vec<_> = found.take(PAGE).map(|one| shown(call.turn.hub, call.id, one)).collect();
    let total = shown.len();
    call.tell(Message::Sanctions { shown, page: 1, pages: 1, total, what: Listed::All });
}

/// A sanction as `viewer` sees it: without its address, which not even operators are shown in chat.
pub(super) fn shown(hub: &Hub, viewer: SessionId, sanction: &Sanction) -> ShownSanction {
    let unseen = hub.session(viewer).and_then(|viewer| viewer.unseen_grounds(Deed::Sanction(sanction.id)));
    // If an operator has typed the address, there is no mask: it would tell which of the people
    // here come from it.
    let address = match &sanction.target {
        Target::Network(network) if sanction.nick.is_some() => Some(*network),
        _ => sanction.also,
    };
    let address = address.map(|network| network.ends().0);
    let name = match (&sanction.target, &sanction.nick) {
        (Target::Network(_), Some(nick)) => Some(format!("the address of {nick}").into()),
        (Target::Network(network), None) => Some(network.size().into()),
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
        mask: address.map(|address| hub.mask(address)),
        from,
        reason: unseen.or_else(|| sanction.reason.clone()),
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
    // A shadow-muted operator is shown the reasons that they gave.
    let why = |leaver: &Leaver| {
        let reason = call.own().unseen_grounds(Deed::Departure(leaver.id))?;
        Some(format!("{}: {reason}", leaver.why.as_ref()?).into())
    };
    let mut all = call.turn.hub.moderation.leavers.iter(now).skip((page - 1).saturating_mul(PAGE));
    let shown: Vec<ShownLeaver> = all
        .by_ref()
        .take(PAGE)
        .map(|leaver| ShownLeaver {
            id: leaver.id,
            nick: leaver.nick.shown().into(),
            former: leaver.former.iter().map(|name| name.shown().into()).collect(),
            ago: now.since(leaver.at),
            why: why(leaver).or_else(|| leaver.why.clone()),
            from: call.turn.hub.told_apart(leaver.account, leaver.addr),
        })
        .collect();
    let is_more = all.next().is_some();
    drop(all);
    call.turn.hub.work.done += page.saturating_mul(PAGE).min(1000) as u64;
    call.tell(Message::Leavers { shown, page, is_more });
}
